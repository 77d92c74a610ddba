"""Mail from guests' own calendars: REPLY, COUNTER and REFRESH (RFC 6047)."""
