"""A guest's REPLY, COUNTER or REFRESH in iCalendar (RFC 5546 §3.2.3, §3.2.6, §3.2.7), bounded before icalendar reads it. Pure."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any

from icalendar import Calendar

from suite.core.plain import clean_text, one_line

Moment = dt.datetime | dt.date

METHODS = {"REPLY", "COUNTER", "REFRESH"}
# What icalendar and zoneinfo raise at hostile text, besides ValueError.
CALENDAR_FAULTS = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    AssertionError,
    RuntimeError,
    NotImplementedError,
    OSError,
)
_MOST_CHARACTERS = 262_144
_MOST_LINES = 5_000
_MOST_COMPONENTS = 60
_MOST_DEPTH = 8
_MOST_EVENTS = 40
_MOST_PEOPLE = 500
_MOST_RULES = 60
_MOST_SEQUENCE = 2**31 - 1
_UID_LENGTH = 1_000
_ADDRESS_LENGTH = 320
_COMMENT_LENGTH = 2_000
_FOLD = re.compile(r"(?:\r\n|\n|\r)[ \t]")
_RULE = re.compile(r"^(?:RRULE|EXRULE)[;:]", re.IGNORECASE)
_YEARLY = re.compile(r"FREQ=YEARLY(?![A-Z])", re.IGNORECASE)
_SMALLER = re.compile(r"BY(?:HOUR|MINUTE|SECOND)=", re.IGNORECASE)


class Malformed(Exception):
    """Not understood. `.reason`: "too_much", "calendar", "no_method", "method", "no_event", "no_uid", "people", "zone", "times",
    "sequence", or one of Mail.problem's.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Person:
    """One ATTENDEE: addresses in small letters without mailto:, PARTSTAT in capitals."""

    email: str
    partstat: str = "NEEDS-ACTION"
    sent_by: str = ""
    delegated_to: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reply:
    """One VEVENT of an answer. Moments are dates, wall clocks of the meeting's zone (naive), or aware.

    `stamp`: in UTC; None when DTSTAMP is missing. `and_following`: RECURRENCE-ID;RANGE=THISANDFUTURE. `starts`, `ends`: of a
    COUNTER, the times proposed; `ends` None when only the start is.
    """

    method: str
    uid: str
    people: tuple[Person, ...]
    sequence: int = 0
    stamp: dt.datetime | None = None
    recurrence_id: Moment | None = None
    and_following: bool = False
    comment: str = ""
    starts: Moment | None = None
    ends: Moment | None = None


def read_calendar(text: str, *, method: str = "") -> tuple[Reply, ...]:
    """The answers in one VCALENDAR; `method` is what the Content-Type says. Raises Malformed and nothing else."""
    lines = _bounded_lines(text)
    try:
        calendar = Calendar.from_ical("\r\n".join(lines) + "\r\n")
        return _read(calendar, method)
    except CALENDAR_FAULTS as fault:
        raise Malformed("calendar") from fault


def _bounded_lines(text: str) -> list[str]:
    """The unfolded lines, when they are few, shallow and without a rule that could be expanded for ever."""
    if len(text) > _MOST_CHARACTERS:
        raise Malformed("too_much")
    lines = [line for line in re.split(r"\r\n|\n|\r", _FOLD.sub("", text)) if line.strip()]
    if len(lines) > _MOST_LINES:
        raise Malformed("too_much")
    open_components: list[str] = []
    components = rules = 0
    for line in lines:
        word = line[:6].upper()
        if word == "BEGIN:":
            components += 1
            open_components.append(line[6:].strip().upper())
        elif word.startswith("END:"):
            if not open_components:
                raise Malformed("calendar")
            open_components.pop()
        elif _RULE.match(line):
            rules += 1
            # icalendar expands the rules of a VTIMEZONE to make a zone of it; no others.
            if "VTIMEZONE" in open_components and (not _YEARLY.search(line) or _SMALLER.search(line)):
                raise Malformed("zone")
        if components > _MOST_COMPONENTS or rules > _MOST_RULES or len(open_components) > _MOST_DEPTH:
            raise Malformed("too_much")
    return lines


def _read(calendar: Any, declared: str) -> tuple[Reply, ...]:
    if calendar.name != "VCALENDAR":
        raise Malformed("calendar")
    said = calendar.get("METHOD", "")
    if isinstance(said, list):
        raise Malformed("method")
    method = str(said).strip().upper() or declared
    if not method:
        raise Malformed("no_method")
    # RFC 6047 §2.4: the Content-Type's method must be the same.
    if (declared and declared != method) or method not in METHODS:
        raise Malformed("method")
    events = [one for one in calendar.subcomponents if one.name == "VEVENT"]
    if not events:
        raise Malformed("no_event")
    if len(events) > _MOST_EVENTS:
        raise Malformed("too_much")
    return tuple(_event(one, method) for one in events)


def _event(event: Any, method: str) -> Reply:
    uid = event.get("UID")
    if uid is None or isinstance(uid, list) or not one_line(str(uid)) or len(str(uid)) > _UID_LENGTH:
        raise Malformed("no_uid")
    people = tuple(_person(one) for one in _listed(event.get("ATTENDEE"), most=_MOST_PEOPLE))
    if not people or (method != "COUNTER" and len(people) != 1):
        raise Malformed("people")
    recurrence = event.get("RECURRENCE-ID")
    starts = ends = None
    if method == "COUNTER":
        starts, ends = _span(event)
    return Reply(
        method=method,
        uid=one_line(str(uid)),
        people=people,
        sequence=_sequence(event.get("SEQUENCE", 0)),
        stamp=_stamp(event.get("DTSTAMP")),
        recurrence_id=_moment(recurrence),
        and_following=recurrence is not None and "THISANDFUTURE" in str(recurrence.params.get("RANGE", "")).upper(),
        comment="\n".join(
            clean_text(str(one))[:_COMMENT_LENGTH] for one in _listed(event.get("COMMENT"), most=_MOST_EVENTS)
        )[:_COMMENT_LENGTH],
        starts=starts,
        ends=ends,
    )


def _listed(found: Any, *, most: int) -> list[Any]:
    listed = [] if found is None else found if isinstance(found, list) else [found]
    if len(listed) > most:
        raise Malformed("too_much")
    return listed


def _person(attendee: Any) -> Person:
    parameters = attendee.params
    delegated = parameters.get("DELEGATED-TO", [])
    return Person(
        email=_address(parameters.get("EMAIL", "") if not _address(attendee) else attendee),
        partstat=one_line(str(parameters.get("PARTSTAT", "NEEDS-ACTION"))).upper()[:20],
        sent_by=_address(parameters.get("SENT-BY", "")),
        delegated_to=tuple(
            _address(one) for one in (delegated if isinstance(delegated, list | tuple) else [delegated])[:5]
        ),
    )


def _address(given: Any) -> str:
    """Small letters, without mailto:; "" for what is no address (Exchange writes "invalid:nomail")."""
    text = one_line(str(given)).strip("\"'").lower().removeprefix("mailto:").strip()
    return text[:_ADDRESS_LENGTH] if "@" in text else ""


def _sequence(found: Any) -> int:
    number = int(found)
    if not 0 <= number <= _MOST_SEQUENCE:
        raise Malformed("sequence")
    return number


def _stamp(found: Any) -> dt.datetime | None:
    moment = _moment(found)
    if moment is None:
        return None
    if not isinstance(moment, dt.datetime):
        moment = dt.datetime.combine(moment, dt.time())
    # DTSTAMP is in UTC (RFC 5545 §3.8.7.2).
    return moment.replace(tzinfo=moment.tzinfo or dt.UTC).astimezone(dt.UTC)


def _moment(found: Any) -> Moment | None:
    if found is None:
        return None
    if isinstance(found, list):
        raise Malformed("times")
    moment = found.dt
    if isinstance(moment, dt.datetime):
        if moment.tzinfo is None and "TZID" in found.params:
            raise Malformed("zone")
        # An offset that cannot be computed must fail here, not later.
        return moment if moment.tzinfo is None else moment.astimezone(dt.UTC)
    if isinstance(moment, dt.date):
        return moment
    raise Malformed("times")


def _span(event: Any) -> tuple[Moment, Moment | None]:
    """DTSTART, and DTEND or what DURATION makes of it."""
    starts, ends = _moment(event.get("DTSTART")), _moment(event.get("DTEND"))
    if starts is None:
        raise Malformed("times")
    duration = event.get("DURATION")
    if ends is None and duration is not None and not isinstance(duration, list):
        ends = starts + duration.dt
    if ends is not None and (_is_naive(starts) != _is_naive(ends) or type(starts) is not type(ends) or ends <= starts):
        raise Malformed("times")
    return starts, ends


def _is_naive(moment: Moment) -> bool:
    return isinstance(moment, dt.datetime) and moment.tzinfo is None
