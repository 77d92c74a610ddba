"""Rows that nobody needs any more go: expired sessions, with the sign-ins begun in them, the API's remembered answers, letters.

A reminder is made again only while its date has not begun, and a digest only on its day (visio.reminders).
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from typing import Any

from django.contrib.sessions.models import Session
from django.db.models import QuerySet

from suite.mail.models import OutboxMail, OutboxState
from visio.exchange.importing import KEPT as IMPORTS_KEPT
from visio.exchange.models import CalendarImport
from visio.inbox.models import InboundMessage
from visio.meetings.idempotency_models import IdempotentResponse
from visio.reminders.models import Digest, Reminder

# Rows deleted by one statement: no lock is held for long.
BATCH = 1000
# A tool repeats a request within hours, not days.
ANSWERS_KEPT = dt.timedelta(hours=48)
# What guests' calendars sent: long enough to find out what went wrong.
MESSAGES_KEPT = dt.timedelta(days=90)
# Letters hold their readers' secret links. What was sent, given up or taken back is kept to answer "did it leave?".
LETTERS_KEPT = dt.timedelta(days=30)
REMINDERS_KEPT = dt.timedelta(days=7)
_LETTERS_OVER = (OutboxState.SENT, OutboxState.FAILED, OutboxState.WITHDRAWN)


def _done_with(now: dt.datetime) -> Iterator[QuerySet[Any]]:
    yield Session.objects.filter(expire_date__lt=now)
    yield IdempotentResponse.objects.filter(created_at__lt=now - ANSWERS_KEPT)
    yield CalendarImport.objects.filter(created_at__lt=now - IMPORTS_KEPT)
    # Long after the act that owed it: no key of so old a letter is owed again.
    yield OutboxMail.objects.filter(state__in=_LETTERS_OVER, due_at__lt=now - LETTERS_KEPT)
    yield Reminder.objects.filter(starts_at__lt=now - REMINDERS_KEPT)
    yield Digest.objects.filter(day__lt=(now - REMINDERS_KEPT).date())
    yield InboundMessage.objects.filter(received_at__lt=now - MESSAGES_KEPT)


def purge(*, now: dt.datetime, seconds: float, limit: int = BATCH) -> bool:
    """Delete `limit` rows after `limit` rows for at most about `seconds`; whether everything is gone. Safe to repeat."""
    stop_at = time.monotonic() + seconds
    for rows in _done_with(now):
        while True:
            if time.monotonic() >= stop_at:
                return False
            batch = list(rows.order_by().values_list("pk", flat=True)[:limit])
            if batch:
                rows.model._default_manager.filter(pk__in=batch).delete()
            if len(batch) < limit:
                break
    return True
