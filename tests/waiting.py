"""Wait for what other processes do, with a deadline; never for a fixed time."""

import time
from collections.abc import Callable
from typing import TypeVar

Seen = TypeVar("Seen")

# The longest wait, in seconds, for what comes by itself when all is well. It costs nothing then, and two cores shared by
# a browser, a homeserver and workers may be slow. A shorter bound belongs where it is a promise to people, and says so.
PATIENCE = 40.0


def until(predicate: Callable[[], Seen], seconds: float = PATIENCE, every: float = 0.05, *, what: str = "") -> Seen:
    """Call `predicate` until it answers something true, and return that; AssertionError after `seconds`.

    The error says what was waited for and what was seen last. A predicate may answer anything: a list of messages, a
    row, True. Exceptions of the predicate are not swallowed.
    """
    end = time.monotonic() + seconds
    while True:
        seen = predicate()
        if seen:
            return seen
        if time.monotonic() > end:
            name = what or getattr(predicate, "__qualname__", repr(predicate))
            raise AssertionError(f"not within {seconds} s: {name} (seen last: {seen!r})")
        time.sleep(every)
