"""What letters are written from, read in a few statements for a whole batch of rows and again when a meeting changed."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.db.models import Q

from visio.meetings.dates import current_occurrence
from visio.meetings.exception_models import AttendeeException
from visio.meetings.ical import Dates, booked_of, dates_of
from visio.meetings.models import Answer, Attendee, Delivery, Meeting, Occurrence, Status


@dataclass(frozen=True)
class Differences:
    """What is different for one attendee of a series: dates without them, and their answers to single dates."""

    absent: frozenset[dt.datetime] = frozenset()
    answers: Mapping[dt.datetime, str] = field(default_factory=dict)


@dataclass
class Known:
    """One meeting as it was read, with the dates that its letters need."""

    meeting: Meeting
    dates: Dates
    # The running or next date of a series, and whether it is its first; of a one-off, its only one.
    shown: Occurrence
    shown_is_first: bool
    differences: Mapping[int, Differences]

    def date(self, row: Delivery, recurrence_id: dt.datetime) -> Occurrence:
        """The date that `row` tells; rebuilt from the row when the rule makes it no more (its CANCEL is still owed)."""
        found = self.dates.of(recurrence_id)
        if found is not None:
            return found
        starts_at = dt.datetime.fromisoformat(row.before["starts_at"]) if "starts_at" in row.before else recurrence_id
        return Occurrence(
            meeting=self.meeting,
            recurrence_id=recurrence_id,
            starts_at=starts_at,
            ends_at=dt.datetime.fromisoformat(row.before["ends_at"])
            if "ends_at" in row.before
            else starts_at + dt.timedelta(minutes=self.meeting.minutes),
            status=Status.CANCELLED,
        )


def date_of(row: Delivery) -> dt.datetime | None:
    """The one date (recurrence id) that the row tells; None: the whole meeting.

    Whoever is invited to one date only is told of that date, also by a row for the whole series.
    """
    if row.recurrence_id is None and row.attendee is not None and row.attendee.only_occurrence is not None:
        return row.attendee.only_occurrence.recurrence_id
    return row.recurrence_id


def rows_by_id(ids: Sequence[int]) -> list[Delivery]:
    """Rows to send, oldest first, with all that they point at. Rows of a fan-out share one meeting object."""
    rows = list(
        Delivery.objects.filter(pk__in=ids)
        .select_related("attendee__agent", "attendee__only_occurrence")
        .order_by("pk")
    )
    meetings = read_meetings({row.meeting_id for row in rows})
    for row in rows:
        row.meeting = meetings[row.meeting_id]
    return rows


def read_meetings(ids: Iterable[int]) -> dict[int, Meeting]:
    return Meeting.objects.select_related("organiser__organisation", "room", "scheduled_by").in_bulk(ids)


def know(meetings: Iterable[Meeting], rows: Iterable[Delivery], *, now: dt.datetime) -> dict[int, Known]:
    """By meeting id. One-offs cost two statements together, a series four more."""
    wanted = {meeting.pk: meeting for meeting in meetings}
    own: dict[int, list[Delivery]] = defaultdict(list)
    for row in rows:
        own[row.meeting_id].append(row)
    found = {}
    one_offs = [meeting.pk for meeting in wanted.values() if not meeting.is_series]
    only = {
        one.meeting_id: one
        for one in Occurrence.objects.filter(meeting__in=one_offs, recurrence_id=None).order_by("pk")
    }
    booked = set(
        Meeting.objects.filter(pk__in=list(wanted), bookings__isnull=False).order_by().values_list("pk", flat=True)
    )
    for meeting in wanted.values():
        if meeting.is_series:
            found[meeting.pk] = _series(meeting, own[meeting.pk], now)
        else:
            dates = Dates((only[meeting.pk],), booked_of(meeting) if meeting.pk in booked else ())
            found[meeting.pk] = Known(meeting, dates, only[meeting.pk], True, {})
    return found


def _series(meeting: Meeting, rows: Sequence[Delivery], now: dt.datetime) -> Known:
    differences = _differences(meeting, [row.attendee for row in rows if row.attendee is not None])
    also = {date for row in rows if (date := date_of(row)) is not None}
    also |= {date for one in differences.values() for date in one.answers}
    shown = current_occurrence(meeting, now)
    if shown.status == Status.CANCELLED:
        # The whole series is: the date that would have come next.
        shown = meeting.occurrences.filter(ends_at__gt=now).order_by("starts_at", "pk").first() or shown
    is_first = not meeting.occurrences.exclude(status=Status.CANCELLED).filter(starts_at__lt=shown.starts_at).exists()
    return Known(meeting, dates_of(meeting, also=also), shown, is_first, differences)


def _differences(meeting: Meeting, attendees: Iterable[Attendee]) -> dict[int, Differences]:
    rows = (
        AttendeeException.objects.filter(
            Q(removed=True) | Q(answer__isnull=False),
            attendee__in=[attendee.pk for attendee in attendees],
            occurrence__meeting=meeting,
            occurrence__status=Status.CONFIRMED,
        )
        .order_by("pk")
        .values_list("attendee", "removed", "answer", "occurrence__recurrence_id")
    )
    absent: dict[int, set[dt.datetime]] = defaultdict(set)
    answers: dict[int, dict[dt.datetime, str]] = defaultdict(dict)
    for attendee, removed, answer, date in rows:
        if date is None:
            continue
        if removed:
            absent[attendee].add(date)
        elif answer is not None:
            answers[attendee][date] = Answer(answer).value
    return {
        attendee: Differences(frozenset(absent.get(attendee, ())), answers.get(attendee, {}))
        for attendee in absent.keys() | answers.keys()
    }
