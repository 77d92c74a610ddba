"""Rooms and equipment of a meeting, for the operations on meetings: what they book, move and give back follows each act.

Everything about resources themselves is visio.places'; nothing else in visio.meetings calls it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from suite.agents.models import Agent
from visio.meetings.booking_news import remember_missed
from visio.meetings.drafts import MeetingDraft
from visio.meetings.models import Meeting, Occurrence, Status
from visio.meetings.refusals import DraftRefused
from visio.places import bookings
from visio.places.horizon import Missed, book_dates
from visio.places.models import ResourceBooking
from visio.places.refusals import ResourcesRefused, ResourcesTaken


def held(meeting: Meeting, occurrence: Occurrence | None = None) -> tuple[int, ...]:
    """Ids of what the meeting (or that date of a series) has now, in order. One query."""
    if occurrence is None or not meeting.is_series:
        return tuple(sorted(bookings.held_resources([meeting.pk]).get(meeting.pk, ())))
    rows = ResourceBooking.objects.filter(occurrence=occurrence, status__in=bookings.ACTIVE).order_by("resource")
    return tuple(rows.values_list("resource", flat=True))


def book_draft(meeting: Meeting, draft: MeetingDraft, *, by: Agent, now: dt.datetime) -> None:
    """Book what the draft asks for, for every date that is a row and not over.

    Raises DraftRefused for "resources"; its cause is ResourcesTaken with the conflicts, or ResourcesRefused.
    """
    if draft.resources:
        _rebook(meeting, draft.resources, by=by, now=now)


def follow(
    meeting: Meeting,
    *,
    by: Agent,
    now: dt.datetime,
    resource_ids: Collection[int] | None = None,
    or_without: bool = False,
    occurrence: Occurrence | None = None,
) -> None:
    """Make the bookings what the dates are now, of the meeting or of its `occurrence`. `resource_ids`: those wanted from now
    on; None: as before.

    Raises as book_draft does. `or_without`: a date that cannot have its room any more goes without, and history says so.
    """
    if not resource_ids and not ResourceBooking.objects.filter(occurrence__meeting=meeting).exists():
        return
    _rebook(meeting, resource_ids, by=by, now=now, or_without=or_without, occurrence=occurrence)


def release(meeting: Meeting, *, occurrence_ids: Collection[int] | None = None) -> None:
    """Give back all, or what these dates hold."""
    bookings.release(meeting=meeting, occurrence_ids=occurrence_ids)


def put_back(meeting: Meeting, before: Sequence[Mapping[str, Any]], *, rest: Meeting | None = None) -> None:
    """The dates of `meeting` ask for what they had, rows of ResourceBooking as JSON; `follow` then takes it again.

    `rest`: the meeting that gives the dates back; its own rooms are locked too. What was decided meanwhile of what they had
    then stays.
    """
    dates = meeting.occurrences.values_list("pk", flat=True)
    bookings.restore(meeting=meeting, dates=dates, before=before, others=[rest.pk] if rest is not None else [])


def extend(after: Mapping[int, dt.datetime], *, now: dt.datetime) -> None:
    """The horizon grew: {meeting: where its new dates begin}. What is taken is remembered in the meeting's history."""
    remember_missed(book_dates(after=after, now=now), now=now)


def _rebook(
    meeting: Meeting,
    resource_ids: Collection[int] | None,
    *,
    by: Agent,
    now: dt.datetime,
    or_without: bool = False,
    occurrence: Occurrence | None = None,
) -> None:
    rows = meeting.occurrences.filter(status=Status.CONFIRMED, ends_at__gt=now).order_by("starts_at")
    if occurrence is not None:
        rows = rows.filter(pk=occurrence.pk)
    dates = [bookings.BookedDate(*row) for row in rows.values_list("pk", "starts_at", "ends_at")]
    try:
        missed = bookings.rebook(
            meeting=meeting, dates=dates, resource_ids=resource_ids, by=by, now=now, or_without=or_without
        )
    except ResourcesTaken as taken:
        raise DraftRefused({"resources": taken.messages(meeting.time_zone)}) from taken
    except ResourcesRefused as refused:
        raise DraftRefused({"resources": [refused.message]}) from refused
    remember_missed(
        [
            Missed(meeting.pk, one.occurrence_id or 0, one.resource_id, one.name, one.starts_at, one.ends_at)
            for one in missed
        ],
        now=now,
    )
