"""What a calendar feed says: an agent's meetings as one iCalendar object, and a version that is cheap to ask for.

From BACK before today on. Without METHOD: the object carries the agent's own answer (ATTENDEE, PARTSTAT), which
METHOD:PUBLISH forbids (RFC 5546 §3.2.1). REFRESH-INTERVAL is RFC 7986 §5.7, X-PUBLISHED-TTL what Outlook reads.
"""

from __future__ import annotations

import copy
import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from django.conf import settings
from django.db import connection
from django.db.models import F, Q
from django.utils.translation import gettext as _

from suite.agents.models import Agent
from visio.exchange.models import CalendarFeed, FeedDetail
from visio.meetings import tokens
from visio.meetings.exception_models import AttendeeException
from visio.meetings.ical import Booked, CalendarText, Dates, Recipient
from visio.meetings.ical_lines import ValueKind, text_line
from visio.meetings.models import LONGEST, Answer, Meeting, Occurrence, Status
from visio.meetings.vtimezone import vtimezone
from visio.places.models import ResourceBooking

BACK = dt.timedelta(days=90)
REFRESH = "PT1H"
MOST_MEETINGS = 5_000
MOST_BYTES = 8 * 1024 * 1024
_CHUNK = 200
_YEARS_AHEAD = 10
# Raise it when the same meetings are written otherwise.
_FORMAT = 1

# Two arms for the two partial indexes of attendee.
_MINE = """
    SELECT att.* FROM visio_attendee att
     WHERE NOT att.is_series AND att.agent_id = %(agent)s::bigint
       AND att.starts_at > %(back)s AND att.ends_at > %(start)s
    UNION ALL
    SELECT att.* FROM visio_attendee att
     WHERE att.is_series AND att.agent_id = %(agent)s::bigint AND att.ends_at > %(start)s
"""
# Whatever changes what the feed says: who takes part and how, the meeting's versions, single dates, rooms.
_VERSION = f"""
SELECT md5(COALESCE(string_agg(told.line, E'\\n' ORDER BY told.id), ''))
  FROM (
        SELECT att.id, concat_ws('|', att.id, att.answer, att.role, att.only_occurrence_id, m.status, m.revision, m.sequence,
                                 m.changed_at, m.room_id, chair.email, chair.given_name, chair.usual_name,
                                 special.line, booked.line) AS line
          FROM ({_MINE}) att
          JOIN visio_meeting m ON m.id = att.meeting_id
          JOIN agents_agent chair ON chair.id = m.organiser_id
          LEFT JOIN LATERAL (
                SELECT string_agg(concat_ws(',', x.id, x.answer, x.removed), ';' ORDER BY x.id) AS line
                  FROM visio_attendeeexception x WHERE x.attendee_id = att.id
               ) special ON TRUE
          LEFT JOIN LATERAL (
                SELECT string_agg(concat_ws(',', b.id, b.status), ';' ORDER BY b.id) AS line
                  FROM visio_resourcebooking b WHERE b.meeting_id = m.id
               ) booked ON TRUE
       ) told
"""  # noqa: S608  the only piece put in is a constant of this module
_ROWS = f"""
SELECT att.id, att.meeting_id, att.answer, att.role, att.only_occurrence_id,
       m.time_zone, m.is_all_day, m.is_series, m.start_date, m.until, m.changed_at
  FROM ({_MINE}) att
  JOIN visio_meeting m ON m.id = att.meeting_id AND m.status = 'confirmed'
 WHERE %(declined)s OR att.answer <> 'declined' OR att.is_series
 ORDER BY att.ends_at <= %(now)s, abs(extract(epoch FROM att.starts_at - %(now)s)), att.id
 LIMIT %(limit)s
"""  # noqa: S608  the same


@dataclass(frozen=True)
class Version:
    """`tag` differs whenever the feed says something else; `since`, whole seconds, rises with it."""

    tag: str
    since: dt.datetime


@dataclass(frozen=True)
class _Mine:
    """The agent's own row of one meeting."""

    attendee_id: int
    meeting_id: int
    answer: str
    role: str
    only_occurrence_id: int | None
    time_zone: str
    is_all_day: bool
    is_series: bool
    start_date: dt.date
    until: dt.datetime | None
    changed_at: dt.datetime


@dataclass
class _Around:
    """What belongs to some meetings, by meeting (or by attendee), each fetched in one statement."""

    special: dict[int, list[Occurrence]] = field(default_factory=lambda: defaultdict(list))
    booked: dict[int, list[Booked]] = field(default_factory=lambda: defaultdict(list))
    absent: dict[int, set[dt.datetime]] = field(default_factory=lambda: defaultdict(set))
    answers: dict[int, dict[dt.datetime, str]] = field(default_factory=lambda: defaultdict(dict))


def read_version(feed: CalendarFeed, *, declined: bool, now: dt.datetime) -> Version:
    """One statement, and a write when the feed says something else than the last time that it was read."""
    with connection.cursor() as cursor:
        cursor.execute(_VERSION, _window(feed.agent, now))
        [(said,)] = cursor.fetchall()
    agent = feed.agent
    parts = (_FORMAT, said, feed.name, feed.detail, agent.language, agent.email, agent.full_name, settings.PORTAL_URL)
    tag = hashlib.sha256(repr(parts).encode()).hexdigest()
    since = feed.changed_at
    if since is None or tag != feed.version:
        since = now.replace(microsecond=0)
        if feed.changed_at is not None:
            # HTTP dates have whole seconds: two changes within one must still differ.
            since = max(since, feed.changed_at + dt.timedelta(seconds=1))
        CalendarFeed.objects.filter(pk=feed.pk).update(version=tag, changed_at=since)
    return Version(f"{tag[:40]}{'-d' if declined else ''}", since)


def render_feed(feed: CalendarFeed, *, declined: bool, now: dt.datetime) -> bytes:
    """The whole object, at most about MOST_BYTES: what is nearest in time comes first. In the language that is active."""
    rows = _rows(feed.agent, declined=declined, now=now)
    pieces = [_head(feed), *_zones(rows)]
    size = 0
    for event in _events(feed, rows, declined=declined):
        size += len(event)
        if size > MOST_BYTES:
            break
        pieces.append(event)
    return b"".join((*pieces, b"END:VCALENDAR\r\n"))


def _window(agent: Agent, now: dt.datetime) -> dict[str, int | dt.datetime]:
    # A day's start: the version does not change with the clock.
    start = now.astimezone(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0) - BACK
    return {"agent": agent.pk, "start": start, "back": start - LONGEST}


def _rows(agent: Agent, *, declined: bool, now: dt.datetime) -> list[_Mine]:
    values = _window(agent, now) | {"declined": declined, "now": now, "limit": MOST_MEETINGS}
    with connection.cursor() as cursor:
        cursor.execute(_ROWS, values)
        return [_Mine(*row) for row in cursor.fetchall()]


def _head(feed: CalendarFeed) -> bytes:
    lines = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//{settings.UID_DOMAIN}//Portail//FR\r\nCALSCALE:GREGORIAN\r\n"
    named = text_line("NAME", feed.name) + text_line("X-WR-CALNAME", feed.name)
    refresh = f"REFRESH-INTERVAL;VALUE=DURATION:{REFRESH}\r\nX-PUBLISHED-TTL:{REFRESH}\r\n"
    zone = text_line("X-WR-TIMEZONE", feed.agent.time_zone)
    return lines.encode("ascii") + named + zone + refresh.encode("ascii")


def _zones(rows: Sequence[_Mine]) -> Iterator[bytes]:
    """One VTIMEZONE for each TZID, right for every year that is told with it (R11)."""
    years: dict[str, tuple[int, int]] = {}
    for row in rows:
        tzid = ValueKind(zone=row.time_zone, is_all_day=row.is_all_day, is_series=row.is_series).tzid
        if not tzid:
            continue
        first, last = row.start_date.year, row.start_date.year + 1
        if row.is_series:
            open_end = max(first, row.changed_at.year) + _YEARS_AHEAD
            last = max(last, row.until.year + 1 if row.until else open_end)
        known = years.get(tzid, (first, last))
        years[tzid] = (min(first, known[0]), max(last, known[1]))
    for tzid, (first, last) in sorted(years.items()):
        yield vtimezone(tzid, first - 1, last)


def _events(feed: CalendarFeed, rows: Sequence[_Mine], *, declined: bool) -> Iterator[bytes]:
    for begin in range(0, len(rows), _CHUNK):
        chunk = rows[begin : begin + _CHUNK]
        meetings = Meeting.objects.select_related("organiser", "room").in_bulk({row.meeting_id for row in chunk})
        around = _around(chunk, declined=declined)
        for row in chunk:
            meeting = meetings.get(row.meeting_id)
            if meeting is not None:
                yield from _meeting_events(feed, meeting, row, around, declined=declined)


def _around(rows: Sequence[_Mine], *, declined: bool) -> _Around:
    found = _Around()
    meetings = [row.meeting_id for row in rows]
    answered: set[int] = {row.only_occurrence_id for row in rows if row.only_occurrence_id is not None}
    exceptions = AttendeeException.objects.filter(attendee__in=[row.attendee_id for row in rows])
    for one in exceptions.annotate(at=F("occurrence__recurrence_id")):
        at: dt.datetime = vars(one)["at"]
        if one.removed or (one.answer == Answer.DECLINED and not declined):
            found.absent[one.attendee_id].add(at)
        elif one.answer is not None:
            found.answers[one.attendee_id][at] = one.answer
            answered.add(one.occurrence_id)
    special = Q(meeting__is_series=False) | Q(is_override=True) | Q(status=Status.CANCELLED) | Q(pk__in=answered)
    for occurrence in Occurrence.objects.filter(special, meeting__in=meetings).order_by("recurrence_id", "pk"):
        found.special[occurrence.meeting_id].append(occurrence)
    bookings = ResourceBooking.objects.filter(meeting__in=meetings, status__in=["pending", "accepted"])
    for row in bookings.select_related("resource", "occurrence").order_by("resource__kind", "resource__name", "pk"):
        resource = row.resource
        booked = Booked(
            row.occurrence.recurrence_id,
            str(resource.public_id),
            resource.kind,
            str(resource),
            row.status == "accepted",
        )
        found.booked[row.meeting_id].append(booked)
    return found


def _meeting_events(
    feed: CalendarFeed, meeting: Meeting, row: _Mine, around: _Around, *, declined: bool
) -> Iterator[bytes]:
    special = around.special[meeting.pk]
    only = next((one.recurrence_id for one in special if one.pk == row.only_occurrence_id), None)
    absent = frozenset(around.absent[row.attendee_id])
    answers = around.answers[row.attendee_id]
    dates = Dates(tuple(special), tuple(around.booked[meeting.pk]))
    if row.answer == Answer.DECLINED and not declined:
        # The series declined, some of its dates answered otherwise: only those.
        for at, answer in answers.items():
            if answer != Answer.DECLINED:
                yield from _told(feed, meeting, row, dates, at, answers)
        return
    if only is None and row.only_occurrence_id is not None:
        return
    yield from _told(feed, meeting, row, dates, only, answers, absent)


def _told(
    feed: CalendarFeed,
    meeting: Meeting,
    row: _Mine,
    dates: Dates,
    only: dt.datetime | None,
    answers: dict[dt.datetime, str],
    absent: frozenset[dt.datetime] = frozenset(),
) -> list[bytes]:
    agent, busy = feed.agent, feed.detail == FeedDetail.BUSY
    if busy:
        meeting, dates = _masked(meeting, agent), _masked_dates(dates)
    if only is not None and (chosen := dates.of(only)) is not None and chosen.status == Status.CANCELLED:
        return []
    text = CalendarText(meeting=meeting, dates=dates, method="", sequence=meeting.sequence, only=only)
    recipient = Recipient(
        email=agent.email,
        name=agent.full_name,
        answer=answers.get(only, row.answer) if only is not None else row.answer,
        role=row.role,
        absent=absent,
        answers=answers,
    )
    link = "" if busy else tokens.join_url(meeting)
    return text.events(recipient, join_url=link, stamp=meeting.changed_at)


def _masked(meeting: Meeting, agent: Agent) -> Meeting:
    """When, and nothing else."""
    masked = copy.copy(meeting)
    masked.title, masked.description, masked.place, masked.room = _("Occupé"), "", "", None
    masked.organiser = agent
    return masked


def _masked_dates(dates: Dates) -> Dates:
    masked = []
    for one in dates.special:
        bare = copy.copy(one)
        bare.title = bare.place = bare.description = None
        masked.append(bare)
    return Dates(tuple(masked))
