"""Meetings as iCalendar (RFC 5545, 5546, 7986).

One object holds one meeting, as one recipient sees it:

- a one-off: one VEVENT;
- a series: the master (RRULE, RDATE, EXDATE) and one VEVENT with RECURRENCE-ID for every date that differs;
- one date of a series: one VEVENT with RECURRENCE-ID, no RRULE.

Almost all of it is the same in a thousand invitations: `CalendarText` renders that once and adds for each recipient DTSTAMP,
the join link, ORGANIZER, the ATTENDEE line, and what differs for them alone (dates they are not invited to, answers to one
date).
"""

from __future__ import annotations

import copy
import datetime as dt
import functools
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from django.conf import settings
from django.db.models import Q
from django.utils.translation import gettext as _
from icalendar.parser import Parameters

from suite.core.plain import clean_text, one_line
from visio.meetings import tokens
from visio.meetings.ical_lines import ValueKind, address_line, safe_parameter, text_line, uri_line, utc_stamp
from visio.meetings.models import Answer, Meeting, Method, Occurrence, Privacy, Role, Status
from visio.meetings.vtimezone import vtimezone

_PARTSTAT = {
    Answer.NEEDS_ACTION.value: "NEEDS-ACTION",
    Answer.ACCEPTED.value: "ACCEPTED",
    Answer.TENTATIVE.value: "TENTATIVE",
    Answer.DECLINED.value: "DECLINED",
}
_ROLE = {
    Role.CHAIR.value: "CHAIR",
    Role.REQUIRED.value: "REQ-PARTICIPANT",
    Role.OPTIONAL.value: "OPT-PARTICIPANT",
}
# How far the zone's rules are told of a series that never ends: clients ask for a new VTIMEZONE with every change anyway.
_YEARS_AHEAD = 10


@dataclass(frozen=True)
class Recipient:
    """The ATTENDEE that a message is for. `answer` and `role` are values of the models'.

    `organiser_address`: where their calendar answers, when that is not the organiser's own address.
    `absent`: dates (recurrence ids) of the series that they are not invited to. `answers`: their answer to single dates.
    """

    email: str
    name: str
    answer: str = Answer.NEEDS_ACTION.value
    role: str = Role.REQUIRED.value
    organiser_address: str = ""
    absent: frozenset[dt.datetime] = frozenset()
    answers: Mapping[dt.datetime, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Booked:
    """A room or a piece of equipment of one date (None: of the one-off)."""

    recurrence_id: dt.datetime | None
    public_id: str
    kind: str  # CUTYPE in small letters: "room" or "resource"
    name: str
    accepted: bool


@dataclass(frozen=True)
class Dates:
    """What a calendar is made from: `special` are the dates that differ or are cancelled; a one-off's only date is one."""

    special: tuple[Occurrence, ...] = ()
    booked: tuple[Booked, ...] = ()

    def of(self, recurrence_id: dt.datetime | None) -> Occurrence | None:
        return next((one for one in self.special if one.recurrence_id == recurrence_id), None)

    def with_date(self, occurrence: Occurrence) -> Dates:
        """The same, and `occurrence`, which the rule may make no more."""
        others = (one for one in self.special if one.recurrence_id != occurrence.recurrence_id)
        return Dates((*others, occurrence), self.booked)

    def without(self, absent: Collection[dt.datetime]) -> Dates:
        """The same, for somebody whom these dates do not concern: to them they are as good as cancelled."""
        special = [one if one.recurrence_id not in absent else _cancelled(one) for one in self.special]
        return Dates(tuple(special), tuple(one for one in self.booked if one.recurrence_id not in absent))


def dates_of(meeting: Meeting, *, also: Iterable[dt.datetime | None] = ()) -> Dates:
    """Two statements. `also`: dates to have at hand although they are as the series has them."""
    found = meeting.occurrences.all()
    if meeting.is_series:
        found = found.filter(Q(is_override=True) | Q(status=Status.CANCELLED) | Q(recurrence_id__in=list(also)))
    return Dates(tuple(found.order_by("recurrence_id", "pk")), booked_of(meeting))


def booked_of(meeting: Meeting) -> tuple[Booked, ...]:
    rows = meeting.bookings.filter(status__in=["pending", "accepted"]).order_by(
        "resource__kind", "resource__name", "pk"
    )
    return tuple(
        Booked(
            row.occurrence.recurrence_id,
            str(row.resource.public_id),
            row.resource.kind,
            str(row.resource),
            row.status == "accepted",
        )
        for row in rows.select_related("resource", "occurrence")
    )


class _Event:
    """One VEVENT, rendered up to what differs between recipients."""

    def __init__(self, text: CalendarText, occurrence: Occurrence | None, *, recurrence_id: dt.datetime | None) -> None:
        self._text = text
        self.recurrence_id = recurrence_id
        meeting, kind = text.meeting, text.kind
        told = occurrence if recurrence_id is not None else None
        title = _own(told.title if told else None, meeting.title)
        self._description = clean_text(_own(told.description if told else None, meeting.description))
        booked = text.booked(recurrence_id)
        place = one_line(_own(told.place if told else None, meeting.place))
        self._place = place or ", ".join(one.name for one in booked if one.kind == "room")
        sequence = text.sequence
        if occurrence is not None and text.method == Method.REQUEST:
            # A date that was told by itself later than the series keeps its place in the order (RFC 5546 §2.1.5).
            sequence = max(sequence, occurrence.sequence)
        lines = [b"BEGIN:VEVENT\r\n", text_line("UID", meeting.uid), b"SEQUENCE:%d\r\n" % sequence]
        if recurrence_id is not None:
            lines.append(kind.line("RECURRENCE-ID", recurrence_id))
        if occurrence is None:
            lines += text.master_lines()
        else:
            lines.append(kind.span_lines(occurrence.starts_at, occurrence.ends_at))
        cancelled = text.method == Method.CANCEL or (
            # A REQUEST never carries STATUS:CANCELLED (R10).
            not text.method
            and (meeting.is_cancelled or (occurrence is not None and occurrence.status == Status.CANCELLED))
        )
        lines += [
            text_line("SUMMARY", one_line(title)),
            b"STATUS:CANCELLED\r\n" if cancelled else b"STATUS:CONFIRMED\r\n",
            b"CLASS:PRIVATE\r\n" if meeting.privacy == Privacy.PRIVATE else b"CLASS:PUBLIC\r\n",
            b"TRANSP:OPAQUE\r\n",
            f"CREATED:{utc_stamp(meeting.created_at)}\r\n".encode("ascii"),
            f"LAST-MODIFIED:{utc_stamp(meeting.changed_at)}\r\n".encode("ascii"),
        ]
        self._head = b"".join(lines)
        self._tail = b"".join([text.chair, *(_resource_line(one) for one in booked if text.method), b"END:VEVENT\r\n"])
        self._link_lines = functools.lru_cache(maxsize=4)(self._render_link_lines)

    def render(self, stamp: bytes, organiser: bytes, join_url: str, attendee: bytes, exdates: bytes = b"") -> bytes:
        return b"".join((self._head, exdates, stamp, organiser, self._link_lines(join_url), attendee, self._tail))

    def _render_link_lines(self, join_url: str) -> bytes:
        """LOCATION and DESCRIPTION, and URL and CONFERENCE (RFC 7986 §5.11): where clients look for the link."""
        lines = []
        place = " – ".join(part for part in (self._place, join_url) if part)
        if place:
            lines.append(text_line("LOCATION", place))
        paragraphs = [self._text.join_sentence % {"url": join_url}] if join_url else []
        if self._description:
            paragraphs.append(self._description)
        if paragraphs:
            lines.append(text_line("DESCRIPTION", "\n\n".join(paragraphs)))
        if join_url and self._text.method != Method.CANCEL:
            lines.append(uri_line("URL", join_url))
            conference = Parameters({"VALUE": "URI", "FEATURE": ["AUDIO", "VIDEO"], "LABEL": self._text.join_label})
            lines.append(uri_line("CONFERENCE", join_url, conference))
        return b"".join(lines)


class CalendarText:
    """One meeting's VCALENDAR with METHOD `method` ("" for a file without one) and SEQUENCE `sequence`.

    `only`: the one date (recurrence id) that it tells; None tells the whole meeting. Built in the language that is active:
    the line that names the join link is a sentence. KeyError when there is no such date.
    """

    def __init__(
        self, *, meeting: Meeting, dates: Dates, method: str, sequence: int, only: dt.datetime | None = None
    ) -> None:
        self.meeting, self.method, self.sequence = meeting, method, sequence
        self.kind = ValueKind(zone=meeting.time_zone, is_all_day=meeting.is_all_day, is_series=meeting.is_series)
        self.join_sentence = _("Rejoindre la visio : %(url)s")
        self.join_label = _("Rejoindre la visio")
        self._dates = dates
        self._only = only
        organiser = meeting.organiser
        self.chair = (
            _attendee_line(
                Recipient(organiser.email, organiser.full_name, Answer.ACCEPTED.value, Role.CHAIR.value), rsvp=False
            )
            if method
            else b""
        )
        head = (
            f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//{settings.UID_DOMAIN}//Portail//FR\r\nCALSCALE:GREGORIAN\r\n"
        )
        if method:
            head += f"METHOD:{method}\r\n"
        self._head = head.encode("ascii") + self.zone_lines()
        self._organiser = functools.lru_cache(maxsize=8)(self._organiser_line)
        self._singles: dict[dt.datetime | None, _Event] = {}
        if only is not None or not meeting.is_series:
            self._events: tuple[_Event, ...] = (self._single(only),)
        else:
            # A CANCEL takes the whole series back: it needs none of its dates (R2), nor does the answer to a COUNTER.
            told = method in {"", Method.REQUEST}
            differing = [one for one in dates.special if told and one.is_override and one.status != Status.CANCELLED]
            self._events = (
                _Event(self, None, recurrence_id=None),
                *(self._single(one.recurrence_id) for one in differing),
            )

    def render(self, *, recipient: Recipient | None, join_url: str, stamp: dt.datetime) -> bytes:
        """The whole object for that recipient, DTSTAMP `stamp`; `join_url` "" when there is nothing to join."""
        return b"".join((self._head, *self.events(recipient, join_url=join_url, stamp=stamp), b"END:VCALENDAR\r\n"))

    def events(self, recipient: Recipient | None, *, join_url: str, stamp: dt.datetime) -> list[bytes]:
        """The VEVENTs alone, for an object that holds several meetings."""
        stamped = f"DTSTAMP:{utc_stamp(stamp)}\r\n".encode("ascii")
        organiser = self._organiser(recipient.organiser_address if recipient else "")
        shared = (stamped, organiser, join_url)
        rsvp = self.method == Method.REQUEST
        usual = _attendee_line(recipient, rsvp=rsvp) if recipient else b""
        if recipient is None or not (recipient.absent or recipient.answers):
            return [event.render(*shared, usual) for event in self._events]
        told = {event.recurrence_id: event for event in self._events}
        if None in told and self.meeting.is_series and self.method in {"", Method.REQUEST}:
            # Only an override can tell a calendar that this person answered something else for one date.
            told |= {at: self._single(at) for at in recipient.answers if self._dates.of(at) is not None}
        made = []
        for recurrence_id, event in told.items():
            if recurrence_id in recipient.absent and self._only is None:
                continue
            answer = recipient.answers.get(recurrence_id) if recurrence_id is not None else None
            line = _attendee_line(recipient, rsvp=rsvp, answer=answer) if answer else usual
            exdates = b""
            if recurrence_id is None:
                exdates = b"".join(self.kind.line("EXDATE", at) for at in sorted(recipient.absent - self._cancelled))
            made.append(event.render(*shared, line, exdates))
        return made

    def _single(self, recurrence_id: dt.datetime | None) -> _Event:
        event = self._singles.get(recurrence_id)
        if event is None:
            occurrence = self._dates.of(recurrence_id)
            if occurrence is None:
                raise KeyError(recurrence_id)
            event = self._singles[recurrence_id] = _Event(self, occurrence, recurrence_id=recurrence_id)
        return event

    def master_lines(self) -> list[bytes]:
        """DTSTART, DTEND, RRULE, RDATE and EXDATE of the series."""
        meeting, kind = self.meeting, self.kind
        # The wall clock itself: on a day that skips this hour every other date would move with it (R13).
        start = dt.datetime.combine(meeting.start_date, meeting.start_time)
        starts_at = start.replace(tzinfo=kind.zone).astimezone(dt.UTC)
        span = dt.timedelta(minutes=meeting.minutes)
        lines = [kind.wall_line("DTSTART", start), kind.end_line(starts_at, starts_at + span)]
        if meeting.rrule:
            lines.append(kind.rrule_line(meeting.rrule))
        lines += [kind.wall_line("RDATE", _wall_clock(text)) for text in meeting.rdates]
        written = {kind.wall_line("EXDATE", _wall_clock(text)) for text in meeting.exdates}
        written |= {kind.line("EXDATE", at) for at in self._cancelled}
        return [*lines, *sorted(written)]

    @functools.cached_property
    def _cancelled(self) -> frozenset[dt.datetime]:
        return frozenset(
            one.recurrence_id
            for one in self._dates.special
            if one.status == Status.CANCELLED and one.recurrence_id is not None
        )

    def zone_lines(self) -> bytes:
        """VTIMEZONE of the TZID used, for the years that are told; b"" when there is none (R11)."""
        if not self.kind.tzid:
            return b""
        years = [self.kind.local(at).year for one in self._dates.special for at in (one.starts_at, one.ends_at)]
        if self._only is None and self.meeting.is_series:
            first = self.meeting.start_date.year
            years.append(first)
            last = self.meeting.until.year + 1 if self.meeting.until else first + _YEARS_AHEAD
            years += [last, *(_wall_clock(text).year for text in (*self.meeting.rdates, *self.meeting.exdates))]
            if not self.meeting.until:
                years.append(self.meeting.changed_at.year + _YEARS_AHEAD)
        elif self._only is not None:
            years.append(self.kind.local(self._only).year)
        return vtimezone(self.kind.tzid, min(years), max(years))

    def booked(self, recurrence_id: dt.datetime | None) -> list[Booked]:
        """The resources of that date; of the master, each that any of its dates has, once."""
        if recurrence_id is not None or not self.meeting.is_series:
            return [one for one in self._dates.booked if one.recurrence_id == recurrence_id]
        return list({one.public_id: one for one in self._dates.booked}.values())

    def _organiser_line(self, answers_to: str) -> bytes:
        organiser = self.meeting.organiser
        parameters = {}
        if answers_to:
            # Who it is, for people and programs that show an address (RFC 7986 §6.2).
            parameters["EMAIL"] = safe_parameter(organiser.email)
        uri = f"mailto:{answers_to or organiser.email}"
        return address_line("ORGANIZER", common_name=organiser.full_name, uri=uri, parameters=parameters)


def meeting_ics(
    meeting: Meeting,
    occurrence: Occurrence | None = None,
    *,
    join_url: str | None = None,
    absent: Collection[dt.datetime] = (),
) -> bytes:
    """The meeting, or one date of it, as a file to download: no METHOD, no attendees; DTSTAMP is the last change (§3.8.7.2).

    `join_url`: the reader's own link; the agents' one when None. `absent`: dates (recurrence ids) of a series that the reader was
    left out of: excluded from it, and nothing is told of them.
    """
    only = occurrence.recurrence_id if occurrence else None
    text = CalendarText(
        meeting=meeting,
        dates=dates_of(meeting, also=[only, *absent]).without(absent),
        method="",
        sequence=meeting.sequence,
        only=only,
    )
    url = tokens.join_url(meeting) if join_url is None else join_url
    return text.render(recipient=None, join_url="" if meeting.is_cancelled else url, stamp=meeting.changed_at)


def _cancelled(occurrence: Occurrence) -> Occurrence:
    """A copy in memory, never to be saved."""
    gone = copy.copy(occurrence)
    gone.status = Status.CANCELLED
    return gone


def _own(own: str | None, inherited: str) -> str:
    return inherited if own is None else own


def _wall_clock(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=None)


def _attendee_line(recipient: Recipient, *, rsvp: bool, answer: str | None = None) -> bytes:
    parameters = {
        "CUTYPE": "INDIVIDUAL",
        "ROLE": _ROLE[recipient.role],
        "PARTSTAT": _PARTSTAT[answer or recipient.answer],
    }
    if rsvp:
        # Without it Gmail shows no buttons.
        parameters["RSVP"] = "TRUE"
    return address_line("ATTENDEE", common_name=recipient.name, uri=f"mailto:{recipient.email}", parameters=parameters)


def _resource_line(booked: Booked) -> bytes:
    return address_line(
        "ATTENDEE",
        common_name=booked.name,
        # It has no mailbox.
        uri=f"urn:uuid:{booked.public_id}",
        parameters={
            "CUTYPE": "ROOM" if booked.kind == "room" else "RESOURCE",
            "ROLE": "NON-PARTICIPANT",
            "PARTSTAT": "ACCEPTED" if booked.accepted else "TENTATIVE",
        },
    )
