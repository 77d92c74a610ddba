"""Rows that nobody needs any more go: expired sessions, with the sign-ins begun in them, and the API's remembered answers."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from typing import Any

from django.contrib.sessions.models import Session
from django.db.models import QuerySet

from visio.exchange.importing import KEPT as IMPORTS_KEPT
from visio.exchange.models import CalendarImport
from visio.inbox.models import InboundMessage
from visio.meetings.models import IdempotentResponse

# Rows deleted by one statement: no lock is held for long.
BATCH = 1000
# A tool repeats a request within hours, not days.
ANSWERS_KEPT = dt.timedelta(hours=48)
# What guests' calendars sent: long enough to find out what went wrong.
MESSAGES_KEPT = dt.timedelta(days=90)


def _done_with(now: dt.datetime) -> Iterator[QuerySet[Any]]:
    yield Session.objects.filter(expire_date__lt=now)
    yield IdempotentResponse.objects.filter(created_at__lt=now - ANSWERS_KEPT)
    yield CalendarImport.objects.filter(created_at__lt=now - IMPORTS_KEPT)
    yield InboundMessage.objects.filter(received_at__lt=now - MESSAGES_KEPT)


def purge(*, now: dt.datetime, seconds: float) -> bool:
    """Delete batch after batch for at most about `seconds`; whether everything is gone. Safe to repeat and to run twice."""
    stop_at = time.monotonic() + seconds
    for rows in _done_with(now):
        while True:
            if time.monotonic() >= stop_at:
                return False
            batch = list(rows.order_by().values_list("pk", flat=True)[:BATCH])
            if batch:
                rows.model._default_manager.filter(pk__in=batch).delete()
            if len(batch) < BATCH:
                break
    return True
