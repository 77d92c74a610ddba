"""Logs hold no secret and no address.

Django names the address of every refused or failed request, and an invitation's is a secret; PostgreSQL's errors quote rows.
"""

import logging
import logging.config
import re
from typing import Any

from billiard.util import get_logger as multiprocessing_logger
from django.conf import settings

_SECRET = re.compile(r"(/invitation/|/sondage/|/calendrier/|/rappels/arreter/|\bsuite_(?=[\w-]{20}))[^/\s?\"']+")
_MAILBOX = re.compile(r"[^\s<>@,;:()\"']+@(?=[\w-]+(\.[\w-]+)+)")


class Line(logging.Formatter):
    """One record with its traceback, without the secrets of invitation links, personal tokens and the names of mailboxes."""

    def format(self, record: logging.LogRecord) -> str:
        return _MAILBOX.sub("…@", _SECRET.sub(r"\1…", super().format(record)))


def set_up(loglevel: int | None = None, **_options: Any) -> None:
    """Celery's processes write as every other one (receiver of celery.signals.setup_logging).

    Left alone, Celery puts a format of its own on the root logger. `--loglevel` is for its own lines alone: that it is
    ready, which task came in.
    """
    logging.config.dictConfig(settings.LOGGING)
    if loglevel:
        logging.getLogger("celery").setLevel(loglevel)
    # Of the worker's children: without a handler of its own, Python would write its warnings unformatted.
    multiprocessing_logger().propagate = True
