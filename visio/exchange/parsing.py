"""The lines of a calendar file (RFC 5545 §3.1), bounded before anything is understood. Pure: no database, no clock.

Read here and not by a library: a hostile file costs one walk over its bytes, and one bad line costs that line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.utils.translation import gettext_lazy as _

from suite.core.refusals import Refusal

MOST_BYTES = 1_048_576
MOST_EVENTS = 5_000
MOST_LINES = 100_000
_MOST_DEPTH = 10
# Of what is read in a VEVENT; the rest is not kept.
_KEPT = frozenset(
    {
        "UID",
        "DTSTART",
        "DTEND",
        "DURATION",
        "RRULE",
        "EXRULE",
        "RDATE",
        "EXDATE",
        "RECURRENCE-ID",
        "SUMMARY",
        "DESCRIPTION",
        "LOCATION",
        "STATUS",
        "CLASS",
        "ORGANIZER",
        "ATTENDEE",
        "SEQUENCE",
        "ATTACH",
    }
)
# Methods of RFC 5546 whose messages are about a calendar, and are none.
_ANSWERS = frozenset({"REPLY", "COUNTER", "DECLINECOUNTER", "REFRESH"})
_PARAMETER = r';([A-Za-z0-9-]{1,64})=((?:"[^"\n]*"|[^";:,\n]*)(?:,(?:"[^"\n]*"|[^";:,\n]*))*)'
_PARAMETERS = re.compile(_PARAMETER)
_LINE = re.compile(rf"([A-Za-z0-9-]{{1,64}})((?:{_PARAMETER})*):(.*)", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


class FileRefused(Refusal):
    """The file as a whole is not taken. `.message` says why, in the current language."""

    WORDS = {
        "too_big": _("Ce fichier dépasse 1 Mo. Exportez une période plus courte, ou un calendrier à la fois."),
        "not_calendar": _("Ce fichier n’est pas un calendrier iCalendar (.ics)."),
        "answer": _("Ce fichier est la réponse d’un invité, pas un calendrier."),
        "too_many": _("Ce fichier contient trop d’événements : %(most)d au plus. Exportez une période plus courte."),
        "too_deep": _("Ce fichier est mal construit : ses éléments sont imbriqués les uns dans les autres."),
        "empty": _("Ce fichier ne contient aucun événement."),
    }


@dataclass(frozen=True)
class Property:
    """One content line; `value` is still escaped."""

    name: str
    parameters: dict[str, str]
    value: str

    @property
    def text(self) -> str:
        """The value as TEXT (RFC 5545 §3.3.11)."""
        return _ESCAPED.sub(lambda match: "\n" if match[1] in "nN" else match[1], self.value)


@dataclass
class RawEvent:
    """One VEVENT. `line`: where it begins, from 1. `is_whole`: its END was there."""

    line: int
    properties: dict[str, list[Property]] = field(default_factory=dict)
    alarms: int = 0
    is_whole: bool = False

    def first(self, name: str) -> Property | None:
        return next(iter(self.properties.get(name, ())), None)

    def text(self, name: str) -> str:
        found = self.first(name)
        return found.text if found is not None else ""


@dataclass
class RawCalendar:
    """`zones`: X-LIC-LOCATION by TZID. `default_zone`: X-WR-TIMEZONE, "" without. `others`: to-dos, journals, free/busy."""

    events: list[RawEvent] = field(default_factory=list)
    zones: dict[str, str] = field(default_factory=dict)
    default_zone: str = ""
    method: str = ""
    others: int = 0


def read_calendar(content: bytes) -> RawCalendar:
    """Raises FileRefused, and nothing else."""
    if len(content) > MOST_BYTES:
        raise FileRefused("too_big")
    text = _decoded(content)
    lines = text.split("\n")
    if len(lines) > MOST_LINES:
        raise FileRefused("too_many", most=MOST_EVENTS)
    if not any(line.strip().upper() == "BEGIN:VCALENDAR" for line in lines):
        raise FileRefused("not_calendar")
    calendar = RawCalendar()
    _walk(calendar, lines)
    if calendar.method in _ANSWERS:
        raise FileRefused("answer")
    if not calendar.events:
        raise FileRefused("empty")
    return calendar


def _decoded(content: bytes) -> str:
    """UTF-8 (RFC 5545 §3.1.4); what older programs write otherwise is guessed. \n ends every line; NUL is nothing."""
    encodings = ("utf-16",) if content[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "cp1252")
    for encoding in encodings:
        try:
            text = content.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        text = content.decode("latin-1")
    return text.replace("\x00", "").replace("\r\n", "\n").replace("\r", "\n")


def _unfolded(lines: list[str]) -> Iterator[tuple[int, str]]:
    """(number, content line). The pieces of a folded line are joined once."""
    pieces: list[str] = []
    begin = 1
    for number, line in enumerate(lines, 1):
        if line[:1] in (" ", "\t") and pieces:
            pieces.append(line[1:])
            continue
        if pieces:
            yield begin, "".join(pieces)
        pieces, begin = [line], number
    if pieces:
        yield begin, "".join(pieces)


def _walk(calendar: RawCalendar, lines: list[str]) -> None:
    stack: list[str] = []
    event: RawEvent | None = None
    zone = location = ""
    for number, line in _unfolded(lines):
        match = _LINE.fullmatch(line)
        if match is None:
            continue
        name, value = match[1].upper(), match[5]
        if name == "BEGIN":
            kind = value.strip().upper()[:64]
            if len(stack) == _MOST_DEPTH:
                raise FileRefused("too_deep")
            if kind == "VEVENT" and stack == ["VCALENDAR"]:
                if len(calendar.events) == MOST_EVENTS:
                    raise FileRefused("too_many", most=MOST_EVENTS)
                event = RawEvent(number)
                calendar.events.append(event)
            elif kind == "VALARM" and event is not None:
                event.alarms += 1
            elif kind in {"VTODO", "VJOURNAL", "VFREEBUSY"} and stack == ["VCALENDAR"]:
                calendar.others += 1
            elif kind == "VTIMEZONE":
                zone = location = ""
            stack.append(kind)
        elif name == "END":
            kind = value.strip().upper()[:64]
            if kind not in stack:
                continue
            while stack:
                closed = stack.pop()
                if closed == "VEVENT" and event is not None and stack == ["VCALENDAR"]:
                    event.is_whole, event = kind == "VEVENT", None
                if closed == kind:
                    break
            if kind == "VTIMEZONE" and zone and location:
                calendar.zones[zone] = location
        elif stack == ["VCALENDAR", "VEVENT"] and event is not None:
            if name in _KEPT:
                event.properties.setdefault(name, []).append(Property(name, _parameters(match[2]), value))
        elif stack == ["VCALENDAR"]:
            if name == "METHOD":
                calendar.method = value.strip().upper()[:32]
            elif name == "X-WR-TIMEZONE":
                calendar.default_zone = value.strip()[:255]
        elif stack[-1:] == ["VTIMEZONE"]:
            if name == "TZID":
                zone = value.strip()[:255]
            elif name == "X-LIC-LOCATION":
                location = value.strip()[:255]


def _parameters(text: str) -> dict[str, str]:
    return {name.upper(): value.replace('"', "") for name, value in _PARAMETERS.findall(text)} if text else {}
