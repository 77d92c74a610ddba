"""Reminders before a meeting, and the morning digest."""
