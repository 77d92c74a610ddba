"""The rows that lists show: an attendance at one of its dates. A copy in memory, never to be saved."""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Iterable

from visio.meetings.dates import current_occurrences
from visio.meetings.exception_models import AttendeeException
from visio.meetings.models import Answer, Attendee, Occurrence, Status
from visio.meetings.shown_dates import another_date


def as_of(attendee: Attendee, occurrence: Occurrence, *, answer: str | None = None) -> Attendee:
    """The attendance at that date: its times, its title and place, the answer to it. `shown_date` names it."""
    row = copy.copy(attendee)
    row.shown_date = occurrence
    row.starts_at, row.ends_at = occurrence.starts_at, occurrence.ends_at
    if answer is not None:
        row.answer = answer
    if occurrence.title is not None or occurrence.place is not None:
        row.meeting = copy.copy(attendee.meeting)
        row.meeting.title = attendee.meeting.title if occurrence.title is None else occurrence.title
        row.meeting.place = attendee.meeting.place if occurrence.place is None else occurrence.place
    return row


def at_waiting_dates(rows: Iterable[Attendee], now: dt.datetime) -> list[Attendee]:
    """Each attendance once, in order of time: of a series, at the date that waits for an answer, else at the next one."""
    attendances = list(rows)
    series = [row for row in attendances if row.is_series]
    if not series:
        return attendances
    waiting = _waiting_dates([row.pk for row in series if row.answer != Answer.NEEDS_ACTION], now)
    asked = [row for row in series if row.pk not in waiting]
    current = current_occurrences([row.meeting_id for row in asked], now)
    for row in _left_out(asked, current.values()):
        if (another := another_date(row, now)) is not None:
            current[row.meeting_id] = another[0]
    shown = []
    for row in attendances:
        if not row.is_series:
            shown.append(row)
        elif row.pk in waiting:
            one = as_of(row, waiting[row.pk], answer=Answer.NEEDS_ACTION)
            # The series was answered: what is asked, and answered, is about that date alone.
            one.date_waits = True
            shown.append(one)
        else:
            shown.append(as_of(row, current[row.meeting_id]))
    return sorted(shown, key=lambda row: (row.starts_at, row.pk))


def _left_out(rows: list[Attendee], dates: Iterable[Occurrence]) -> list[Attendee]:
    """Those of `rows` whose date is not theirs. One query; none without a row."""
    removed = AttendeeException.objects.filter(
        attendee__in=[row.pk for row in rows], occurrence__in=[date.pk for date in dates], removed=True
    )
    away = set(removed.values_list("attendee", flat=True)) if rows else set()
    return [row for row in rows if row.pk in away]


def _waiting_dates(attendee_ids: list[int], now: dt.datetime) -> dict[int, Occurrence]:
    if not attendee_ids:
        return {}
    rows = AttendeeException.objects.filter(
        attendee__in=attendee_ids,
        answer=Answer.NEEDS_ACTION,
        removed=False,
        occurrence__status=Status.CONFIRMED,
        occurrence__ends_at__gt=now,
    )
    latest_first = rows.select_related("occurrence").order_by("-occurrence__starts_at")
    return {row.attendee_id: row.occurrence for row in latest_first}
