"""How much of a series an act is about, and whom it tells."""

from __future__ import annotations

from enum import StrEnum


class Scope(StrEnum):
    """Which dates. A one-off has one date: every scope means it."""

    ONE = "one"
    FOLLOWING = "following"
    ALL = "all"


class Notify(StrEnum):
    """Who gets an e-mail.

    DEFAULT is what RFC 5546 asks: everybody of a change of time, text, place or link; of a change of the list, those added or
    removed. ALL adds everybody who stays. AFFECTED leaves out changes of mere words (title, description). NOBODY: no e-mail; an
    invitation that still waits goes out all the same, saying what is true by then.
    """

    DEFAULT = "default"
    ALL = "all"
    AFFECTED = "affected"
    NOBODY = "nobody"
