"""What one VEVENT of a file means to the portal. Pure: no database, no clock.

Nothing is silently different: what the portal does not keep is refused (EventRefused) or said (`notes`).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from suite.core.plain import clean_text, one_line
from visio.exchange.moments import EventRefused, Moment, Zones, duration, moment, moments
from visio.exchange.parsing import Property, RawEvent
from visio.meetings.drafts import (
    DAY_MINUTES,
    DESCRIPTION_LENGTH,
    MOST_ATTENDEES,
    MOST_DAYS,
    MOST_MINUTES,
    NAME_LENGTH,
    PLACE_LENGTH,
    TITLE_LENGTH,
    address_or_none,
)
from visio.meetings.models import Privacy, Role
from visio.meetings.recurrence import RuleRefused, parse_rule

_UID_LENGTH = 1000
# A series' own bounds are validate_draft's; this one keeps a file of nothing but commas short.
_MOST_DATES = 10_000


@dataclass(frozen=True)
class Person:
    """ORGANIZER or ATTENDEE: an address in lower case ("" when it is none that mail reaches)."""

    email: str
    name: str
    role: str = Role.REQUIRED.value


@dataclass(frozen=True)
class ReadEvent:
    """One VEVENT: a master, a one-off, or (with `recurrence`) one date of a series.

    `start` and the dates are in the meeting's zone; whole days: `minutes` are days * 1440.
    """

    line: int
    uid: str
    title: str
    description: str
    place: str
    privacy: str
    is_cancelled: bool
    start: Moment
    minutes: int
    rule: str = ""
    rdates: tuple[dt.datetime, ...] = ()
    exdates: tuple[dt.datetime, ...] = ()
    recurrence: Moment | None = None
    is_range: bool = False
    organiser: Person | None = None
    attendees: tuple[Person, ...] = ()
    sequence: int = 0
    notes: tuple[str, ...] = field(default=(), compare=False)

    @property
    def is_all_day(self) -> bool:
        return self.start.is_date

    @property
    def is_series(self) -> bool:
        return bool(self.rule or self.rdates)


def uid_of(event: RawEvent) -> str:
    """Its UID on one line, at most _UID_LENGTH; a fingerprint of what it says when it has none."""
    uid = one_line(event.text("UID"))
    if not uid:
        said = "\n".join(f"{name}:{one.value}" for name in sorted(event.properties) for one in event.properties[name])
        return f"sans-uid-{hashlib.sha256(said.encode()).hexdigest()}"
    if len(uid) > _UID_LENGTH:
        return f"sha256-{hashlib.sha256(uid.encode()).hexdigest()}"
    return uid


def title_of(event: RawEvent) -> str:
    return one_line(event.text("SUMMARY"))[:TITLE_LENGTH] or _("Sans titre")


def read_event(event: RawEvent, zones: Zones, *, cancelled: bool = False) -> ReadEvent:
    """Raises EventRefused. `cancelled`: the file's METHOD says so of everything in it."""
    if not event.is_whole:
        raise EventRefused("truncated", _("Il est incomplet : le fichier s’arrête avant sa fin."))
    notes: list[str] = []
    start_property = event.first("DTSTART")
    if start_property is None:
        raise EventRefused("no_start", _("Il n’a pas de date de début."))
    start = moment(start_property, zones)
    recurrence_property = event.first("RECURRENCE-ID")
    rule = _rule(event, start) if recurrence_property is None else ""
    is_series = bool(rule or event.first("RDATE")) and recurrence_property is None
    if not is_series:
        # An instant of a one-off is shown where the reader is; a series in UTC keeps its own clock.
        start = start.seen_in(zones.floating) if start.zone == "UTC" else start
    rdates = tuple(_walls(event, "RDATE", start, zones)) if is_series else ()
    exdates = tuple(_walls(event, "EXDATE", start, zones)) if is_series else ()
    minutes = _minutes(event, start, zones, notes)
    title = one_line(event.text("SUMMARY"))
    place = one_line(event.text("LOCATION"))
    description = clean_text(event.text("DESCRIPTION"))
    if len(title) > TITLE_LENGTH or len(place) > PLACE_LENGTH or len(description) > DESCRIPTION_LENGTH:
        notes.append(_("textes trop longs : coupés"))
    _note_the_rest(event, notes)
    status = event.text("STATUS").strip().upper()
    sequence = event.text("SEQUENCE").strip()
    return ReadEvent(
        line=event.line,
        uid=uid_of(event),
        title=title[:TITLE_LENGTH].strip() or _("Sans titre"),
        description=description[:DESCRIPTION_LENGTH].strip(),
        place=place[:PLACE_LENGTH].strip(),
        privacy=Privacy.PUBLIC.value
        if event.text("CLASS").strip().upper() in {"", "PUBLIC"}
        else Privacy.PRIVATE.value,
        is_cancelled=cancelled or status == "CANCELLED",
        start=start,
        minutes=minutes,
        rule=rule,
        rdates=rdates,
        exdates=exdates,
        recurrence=moment(recurrence_property, zones) if recurrence_property is not None else None,
        is_range=recurrence_property is not None and "RANGE" in recurrence_property.parameters,
        organiser=_organiser(event),
        attendees=tuple(_attendees(event, notes)),
        sequence=int(sequence) if sequence.isascii() and sequence.isdigit() and len(sequence) < 10 else 0,
        notes=tuple(notes),
    )


def _rule(event: RawEvent, start: Moment) -> str:
    rules = event.properties.get("RRULE", [])
    if event.first("EXRULE") is not None or len(rules) > 1:
        raise EventRefused("several_rules", _("Il a plusieurs règles de répétition."))
    if not rules:
        return ""
    try:
        return str(parse_rule(rules[0].value, is_all_day=start.is_date))
    except RuleRefused as refused:
        raise EventRefused(refused.reason, refused.message) from refused


def _walls(event: RawEvent, name: str, start: Moment, zones: Zones) -> Iterator[dt.datetime]:
    """RDATE or EXDATE as wall clocks of the series' zone."""
    count = 0
    for prop in event.properties.get(name, ()):
        if prop.parameters.get("VALUE", "").upper() == "PERIOD" or "/" in prop.value:
            raise EventRefused("period", _("Certaines de ses dates ont une durée à elles (RDATE;VALUE=PERIOD)."))
        for one in moments(prop, zones):
            count += 1
            if count > _MOST_DATES:
                raise EventRefused("too_many_dates", _("Il a trop de dates ajoutées ou retirées une à une."))
            if one.is_date != start.is_date:
                # Some programs write the day alone for what begins at the series' hour, or the other way round.
                time = dt.time() if start.is_date else start.wall.time()
                yield dt.datetime.combine(one.wall.date(), time)
            else:
                yield one.seen_in(start.zone).wall


def _minutes(event: RawEvent, start: Moment, zones: Zones, notes: list[str]) -> int:
    end_property, duration_property = event.first("DTEND"), event.first("DURATION")
    if start.is_date:
        days = _days(start, end_property, duration_property, zones)
        if days > MOST_DAYS:
            raise EventRefused("too_long", _("Il dure plus de treize journées entières."))
        return days * DAY_MINUTES
    if end_property is not None:
        end = moment(end_property, zones)
        ends_at = end.at if not end.is_date else Moment(end.wall, start.zone).at
    elif duration_property is not None:
        days, exact = duration(duration_property.value)
        try:
            ends_at = Moment(start.wall + dt.timedelta(days=days), start.zone).at + exact
        except OverflowError as error:
            raise EventRefused("date_range", _("Une de ses dates est hors du calendrier.")) from error
    else:
        ends_at = start.at
    seconds = (ends_at - start.at).total_seconds()
    if seconds < 0:
        raise EventRefused("ends_first", _("Il se termine avant de commencer."))
    if seconds > MOST_MINUTES * 60:
        raise EventRefused("too_long", _("Il dure plus de quatorze jours."))
    if seconds == 0:
        notes.append(_("sans durée : gardé une minute"))
    return max(math.ceil(seconds / 60), 1)


def _days(start: Moment, end: Property | None, length: Property | None, zones: Zones) -> int:
    if end is not None:
        days = (moment(end, zones).wall.date() - start.wall.date()).days
    elif length is not None:
        days, exact = duration(length.value)
        days += exact.days
    else:
        days = 1
    if days < 0:
        raise EventRefused("ends_first", _("Il se termine avant de commencer."))
    return max(days, 1)


def _organiser(event: RawEvent) -> Person | None:
    prop = event.first("ORGANIZER")
    return _person(prop) if prop is not None else None


def _attendees(event: RawEvent, notes: list[str]) -> Iterator[Person]:
    lost = 0
    seen: set[str] = set()
    for prop in event.properties.get("ATTENDEE", ())[:MOST_ATTENDEES]:
        if prop.parameters.get("CUTYPE", "").upper() in {"ROOM", "RESOURCE"}:
            notes.append(_("salle ou équipement à réserver dans le portail"))
            continue
        person = _person(prop)
        if not person.email:
            lost += 1
        elif person.email not in seen:
            seen.add(person.email)
            yield person
    if lost:
        notes.append(ngettext("%(count)d adresse illisible", "%(count)d adresses illisibles", lost) % {"count": lost})


def _person(prop: Property) -> Person:
    scheme, _colon, rest = prop.value.strip().partition(":")
    address = rest if scheme.lower() == "mailto" else prop.parameters.get("EMAIL", "")
    role = Role.OPTIONAL if prop.parameters.get("ROLE", "").upper() in {"OPT-PARTICIPANT", "NON-PARTICIPANT"} else None
    return Person(
        email=address_or_none(address.strip()) or "",
        name=one_line(prop.parameters.get("CN", ""))[:NAME_LENGTH].strip(),
        role=(role or Role.REQUIRED).value,
    )


def _note_the_rest(event: RawEvent, notes: list[str]) -> None:
    if event.alarms:
        notes.append(_("rappels non repris : le portail rappelle selon vos réglages"))
    if event.first("ATTACH") is not None:
        notes.append(_("pièces jointes non reprises"))
