"""Logs hold no secret and no address.

Django names the address of every refused or failed request, and an invitation's is a secret; PostgreSQL's errors quote rows.
"""

import logging
import re

_SECRET = re.compile(r"(/invitation/)[^/\s?\"']+")
_MAILBOX = re.compile(r"[^\s<>@,;:()\"']+@(?=[\w-]+(\.[\w-]+)+)")


class Line(logging.Formatter):
    """One record with its traceback, without the secrets of invitation links and the names of mailboxes."""

    def format(self, record: logging.LogRecord) -> str:
        return _MAILBOX.sub("…@", _SECRET.sub(r"\1…", super().format(record)))
