"""Calendars in and out: files, feeds, import."""
