"""Date polls: a meeting looks for its day."""
