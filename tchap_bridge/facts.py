"""What is true of a meeting now, read in a fixed number of queries, however many dates, people or rooms there are."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Max, Q
from django.urls import reverse

from tchap_bridge.messages import Repeat, When
from tchap_bridge.models import TchapRoom
from visio.meetings.dates import current_occurrence
from visio.meetings.exception_models import Undo
from visio.meetings.models import Attendee, Meeting, Occurrence, Status
from visio.meetings.timetable import Timetable
from visio.meetings.tokens import join_url
from visio.meetings.whole import is_over


@dataclass(frozen=True)
class DateFacts:
    """A coming date of a series that differs from what the rule makes. Title and place None: as the series."""

    key: str  # its original start, ISO
    when: When
    is_cancelled: bool
    title: str | None
    place: str | None


@dataclass(frozen=True)
class Successor:
    """The meeting that "this and the following" made of the rest of a series."""

    public_id: str
    title: str
    timing: When | Repeat
    first: When
    page_url: str
    # "" without a Tchap room; the homeserver may still have to make it.
    room_url: str
    # Its room is not made yet: it will be the one of the series whose last date goes on or is over.
    awaits_room: bool


@dataclass(frozen=True)
class MeetingFacts:
    """`when`: of a series the date that goes on or comes next (its last one when it is over)."""

    meeting_id: int
    public_id: str
    title: str
    place: str
    when: When
    revision: int
    language: str
    is_cancelled: bool
    wants_tchap: bool
    join_url: str  # "" without a Visio room
    page_url: str
    organiser_id: int
    agent_ids: tuple[
        int, ...
    ]  # the organiser and every attendee of the series, or of that date, who is an active agent
    read_at: dt.datetime
    repeat: Repeat | None = None
    # What that date has of its own.
    date_title: str | None = None
    date_place: str | None = None
    dates: tuple[DateFacts, ...] = ()
    # Active agents who are invited to other dates alone.
    date_guest_ids: frozenset[int] = frozenset()
    # Nothing is to come, also beyond the dates that are rows already.
    is_over: bool = False
    split_from_id: int | None = None
    successors: tuple[Successor, ...] = ()
    # Until then the last act may still be taken back: nobody is to hear of it.
    held_until: dt.datetime | None = None


def client_url(*, alias_localpart: str) -> str:
    """Where a browser opens the room. The alias and not the id: it stays right if the room is ever replaced."""
    return f"{settings.MATRIX_CLIENT_URL}#{alias_localpart}:{settings.MATRIX_SERVER_NAME}"


def read_facts(meeting_id: int, now: dt.datetime) -> MeetingFacts:
    """Four queries, six for a series, seven for one that was split."""
    meeting = Meeting.objects.select_related("organiser", "room").get(pk=meeting_id)
    shown = current_occurrence(meeting, now)
    rows = Attendee.objects.filter(meeting=meeting, agent__is_active=True).order_by("pk")
    invited = [(pk, only) for pk, only in rows.values_list("agent_id", "only_occurrence_id") if pk is not None]
    there = [pk for pk, only in invited if only in (None, shown.pk)]
    return MeetingFacts(
        meeting_id=meeting.pk,
        public_id=str(meeting.public_id),
        title=meeting.title,
        place=meeting.place,
        when=_when(meeting, shown),
        revision=meeting.revision,
        language=meeting.organiser.language,
        is_cancelled=meeting.is_cancelled,
        wants_tchap=meeting.wants_tchap,
        join_url=join_url(meeting) if meeting.room is not None else "",
        page_url=_page_url(meeting),
        organiser_id=meeting.organiser_id,
        agent_ids=tuple(dict.fromkeys([meeting.organiser_id, *there])),
        read_at=now,
        repeat=_repeat(meeting),
        date_title=shown.title,
        date_place=shown.place,
        dates=_dates(meeting, now),
        date_guest_ids=frozenset(pk for pk, _only in invited).difference(there),
        is_over=is_over(meeting, shown, now),
        split_from_id=meeting.split_from_id,
        successors=_successors(meeting, shown, now),
        # Last: an act that was committed while the rest was read is seen here.
        held_until=_held_until(meeting, now),
    )


def _when(meeting: Meeting, date: Occurrence) -> When:
    return When(date.starts_at, date.ends_at, meeting.time_zone, meeting.is_all_day)


def _repeat(meeting: Meeting) -> Repeat | None:
    if not meeting.is_series:
        return None
    start = dt.datetime.combine(meeting.start_date, meeting.start_time)
    return Repeat(meeting.rrule, start, meeting.minutes, meeting.time_zone, meeting.is_all_day)


def _page_url(meeting: Meeting) -> str:
    return f"{settings.PORTAL_URL}{reverse('meetings:detail', kwargs={'public_id': meeting.public_id})}"


def _dates(meeting: Meeting, now: dt.datetime) -> tuple[DateFacts, ...]:
    if not meeting.is_series or meeting.is_cancelled:
        return ()
    differs = Q(is_override=True) | Q(status=Status.CANCELLED)
    rows = Occurrence.objects.filter(differs, meeting=meeting, ends_at__gt=now, recurrence_id__isnull=False)
    return tuple(
        DateFacts(
            key=row.recurrence_id.astimezone(dt.UTC).isoformat(),
            when=_when(meeting, row),
            is_cancelled=row.status == Status.CANCELLED,
            title=row.title,
            place=row.place,
        )
        for row in rows.order_by("recurrence_id")
        if row.recurrence_id is not None
    )


def ends_at(meeting: Meeting, current: Occurrence, now: dt.datetime) -> dt.datetime | None:
    """When the last date of the meeting, which has begun, is over or was; None while more is to come. `current`: its date now."""
    if is_over(meeting, current, now):
        return current.ends_at
    if meeting.expanded_until is not None or current.starts_at > now:
        return None
    others = meeting.occurrences.filter(status=Status.CONFIRMED, ends_at__gt=now).exclude(pk=current.pk)
    return None if others.exists() else current.ends_at


def _successors(meeting: Meeting, shown: Occurrence, now: dt.datetime) -> tuple[Successor, ...]:
    if not meeting.is_series:
        return ()
    found = Meeting.objects.filter(split_from=meeting, status=Status.CONFIRMED).select_related("tchap_room")
    rest = list(found.order_by("pk"))
    free_at = ends_at(meeting, shown, now) if rest else None
    return tuple(_successor(one, free_at, now) for one in rest)


def _successor(meeting: Meeting, free_at: dt.datetime | None, now: dt.datetime) -> Successor:
    timetable = Timetable.of_meeting(meeting)
    start = timetable.literal(timetable.start)
    first = When(start.at, timetable.end_of(start), meeting.time_zone, meeting.is_all_day)
    room: TchapRoom | None = getattr(meeting, "tchap_room", None) if meeting.wants_tchap else None
    is_in_time = free_at is not None and (free_at <= now or free_at <= first.starts_at)
    return Successor(
        public_id=str(meeting.public_id),
        title=meeting.title,
        timing=_repeat(meeting) or first,
        first=first,
        page_url=_page_url(meeting),
        room_url=client_url(alias_localpart=room.alias_localpart) if room is not None else "",
        awaits_room=room is not None and room.room_id == "" and is_in_time,
    )


def _held_until(meeting: Meeting, now: dt.datetime) -> dt.datetime | None:
    """When the last act on the meeting, or the one that made it, cannot be taken back any more.

    Also when it was taken back: that may have happened after the meeting was read.
    """
    acts = Q(meeting=meeting) | Q(meeting=meeting.split_from_id, before__rest=meeting.pk)
    until: dt.datetime | None = Undo.objects.filter(acts, until__gt=now).aggregate(until=Max("until"))["until"]
    return until
