"""A mail catcher: accepts every message, keeps it, shows it, and misbehaves when told to."""
