"""When a letter that could not be handed over is tried again: the same for invitations and for every other letter."""

from __future__ import annotations

import datetime as dt

# Waits after the first, second … temporary refusal; then the last one, until the letter is given up.
BACKOFF = (
    dt.timedelta(seconds=30),
    dt.timedelta(minutes=2),
    dt.timedelta(minutes=10),
    dt.timedelta(hours=1),
)
# With hourly tries: five days, after which RFC 5321 §4.5.4.1 gives up too.
MOST_ATTEMPTS = 124
# No server: what it did not take rests for this long.
SERVER_DOWN_REST = dt.timedelta(seconds=15)


def wait_after(attempts: int) -> dt.timedelta:
    """How long to wait after that many tries, one or more."""
    return BACKOFF[min(attempts, len(BACKOFF)) - 1]
