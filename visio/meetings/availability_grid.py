"""One day of everybody who is typed into the planning form, on a scale of quarters. Laying out is pure; reading is at the end."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from suite.agents.hours import Span, working_spans
from suite.agents.models import Agent
from visio.meetings import words, zones
from visio.meetings.availability import Busy, Kind, Warned, busy, resources_busy, warnings
from visio.meetings.scale import LAST_STEP, STEPS_AN_HOUR, Scale, Steps
from visio.places.models import Resource

FIRST_HOUR, LAST_HOUR = 8, 18
# The word of each kind fits into a block of so many quarters.
LEAST_FOR_WORDS = {Kind.BUSY: 5, Kind.TENTATIVE: 7, Kind.OUT: 5}
MOST_ROWS = 50


@dataclass(frozen=True, slots=True)
class Bar:
    """`kind`: a Kind's value, or "off" outside the working hours. `label` where the words fit."""

    kind: str
    steps: Steps
    label: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One person or one room. `agent` None: a room or somebody from outside, whose calendar nobody knows (`is_known`)."""

    name: str
    note: str
    agent: Agent | None
    is_known: bool
    is_room: bool
    bars: tuple[Bar, ...]
    # What the bars show, in words.
    words: str
    # How it stands at the proposed time: "", or what is in the way.
    state: str


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody typed into the form. `role`: "organiser", "required", "optional"; `agent` None for an external guest."""

    name: str
    role: str
    agent: Agent | None = None


@dataclass(frozen=True, slots=True)
class Grid(Scale):
    day: dt.date
    zone: str
    first_hour: int
    last_hour: int
    rows: tuple[Row, ...]
    # Free people at each hour of the scale, of `known`.
    counts: tuple[tuple[int, int], ...]
    known: int
    chosen: Steps | None
    chosen_hours: str
    # The proposed time, whatever day is shown; None while the form says none.
    span: Span | None
    warned: tuple[Warned, ...]
    external: int
    # People who are invited and not in the rows.
    more: int

    @property
    def hours(self) -> range:
        return range(self.first_hour, self.last_hour)

    @property
    def ticks(self) -> list[tuple[int, int]]:
        """(hour, step)."""
        return [(hour, hour * STEPS_AN_HOUR) for hour in self.hours]

    @property
    def free(self) -> int:
        return self.known - len(self.warned)

    @property
    def is_wide(self) -> bool:
        """Whether the scale holds so many hours that only every other one has room for its name."""
        return self.last_hour - self.first_hour > 14


def read_grid(
    guests: Sequence[Guest],
    resources: Sequence[Resource],
    *,
    day: Day,
    span: Span | None,
    viewer: Agent,
    except_meeting: int | None = None,
) -> Grid:
    """`span` is the proposed time, on that day or another. Six statements at most, however many people."""
    shown = guests[:MOST_ROWS]
    agents = [guest.agent for guest in shown if guest.agent is not None]
    warned: list[Warned] = []
    if span is not None:
        warned = warnings(agents, span.starts_at, span.ends_at, viewer=viewer, except_meeting=except_meeting)
    return lay_out(
        shown,
        resources,
        day=day,
        span=span,
        viewer=viewer,
        taken=busy([one.pk for one in agents], day.start, day.end, viewer=viewer, except_meeting=except_meeting),
        things=resources_busy([one.pk for one in resources], day.start, day.end, except_meeting=except_meeting),
        working=working_spans(agents, day.start, day.end),
        warned=warned,
        external=sum(1 for guest in guests if guest.agent is None),
        more=len(guests) - len(shown),
    )


def lay_out(
    guests: Sequence[Guest],
    resources: Sequence[Resource],
    *,
    day: Day,
    span: Span | None,
    viewer: Agent,
    taken: Mapping[int, Sequence[Busy]],
    things: Mapping[int, Sequence[Busy]],
    working: Mapping[int, Sequence[Span]],
    warned: Sequence[Warned],
    external: int = 0,
    more: int = 0,
) -> Grid:
    """What was read, laid out. Pure."""
    chosen = day.steps(span.starts_at, span.ends_at) if span else None
    first, last = FIRST_HOUR, LAST_HOUR
    if chosen is not None and chosen.length == LAST_STEP:
        # The whole day: the scale stays, and all of it is taken.
        chosen = Steps(first * STEPS_AN_HOUR, (last - first) * STEPS_AN_HOUR)
    elif chosen is not None:
        first, last = min(first, chosen.start // STEPS_AN_HOUR), max(last, -(-chosen.end // STEPS_AN_HOUR))
    reasons = {one.agent.pk: one for one in warned}
    rows: list[Row] = []
    known: list[int] = []
    for guest in guests:
        agent = guest.agent
        if agent is None or agent.pk not in taken:
            rows.append(Row(guest.name, _role_words(guest), agent, False, False, (), _unknown_words(guest), ""))
            continue
        known.append(agent.pk)
        reason = reasons.get(agent.pk)
        rows.append(_guest_row(guest, agent, day, viewer, taken[agent.pk], working.get(agent.pk, ()), reason))
    rows += [_room_row(resource, day, things.get(resource.pk, ()), span) for resource in resources]
    return Grid(
        day=day.date,
        zone=day.zone_name,
        first_hour=first,
        last_hour=last,
        rows=tuple(rows),
        counts=tuple((hour, _free_at(hour, day, known, taken, working)) for hour in range(first, last)),
        known=len(known),
        chosen=chosen,
        chosen_hours=words.hours(span.starts_at, span.ends_at, day.zone_name) if span else "",
        span=span,
        warned=tuple(warned),
        external=external,
        more=more,
    )


@dataclass(frozen=True, slots=True)
class Day:
    """One day of one zone: 23 to 25 hours. OverflowError at the calendar's ends."""

    date: dt.date
    zone_name: str
    start: dt.datetime
    end: dt.datetime

    @classmethod
    def of(cls, date: dt.date, zone_name: str) -> Day:
        zone = zoneinfo.ZoneInfo(zone_name)
        starts = dt.datetime.combine(date, dt.time(), zone)
        ends = dt.datetime.combine(date + dt.timedelta(days=1), dt.time(), zone)
        return cls(date, zone_name, starts.astimezone(dt.UTC), ends.astimezone(dt.UTC))

    def steps(self, starts_at: dt.datetime, ends_at: dt.datetime) -> Steps | None:
        """The quarters of the day that [starts_at, ends_at) touches; None when it lies on other days."""
        first = max(0, _quarter(self.date, words.local(starts_at, self.zone_name), up=False))
        last = min(LAST_STEP, _quarter(self.date, words.local(ends_at, self.zone_name), up=True))
        return Steps(first, last - first) if first < last else None


def _quarter(day: dt.date, local: dt.datetime, *, up: bool) -> int:
    minutes = (local.date() - day).days * 24 * 60 + local.hour * 60 + local.minute
    if up and local.second + local.microsecond:
        minutes += 1
    return -(-minutes // 15) if up else minutes // 15


def _guest_row(
    guest: Guest,
    agent: Agent,
    day: Day,
    viewer: Agent,
    pieces: Sequence[Busy],
    spans: Sequence[Span],
    reason: Warned | None,
) -> Row:
    note: list[str] = []
    if words.local(day.start, agent.time_zone).utcoffset() != words.local(day.start, day.zone_name).utcoffset():
        note.append(f"{zones.zone_place(agent.time_zone)}, {zones.offset_words(agent.time_zone, day.start)}")
    return Row(
        name=agent.full_name,
        note=", ".join([*note, _role_words(guest, viewer)]),
        agent=agent,
        is_known=True,
        is_room=False,
        bars=(*_off_bars(spans, day), *_bars(pieces, day)),
        words=f"{_pieces_words(pieces, day)} {_working_words(spans, day)}",
        state=_state_words(reason.reason) if reason else "",
    )


def _room_row(room: Resource, day: Day, pieces: Sequence[Busy], span: Span | None) -> Row:
    in_the_way = span is not None and any(
        one.starts_at < span.ends_at and span.starts_at < one.ends_at for one in pieces
    )
    seats = _("%(count)d places") % {"count": room.capacity} if room.capacity else ""
    return Row(
        name=str(room),
        note=seats,
        agent=None,
        is_known=True,
        is_room=True,
        bars=tuple(_bars(pieces, day)),
        words=_pieces_words(pieces, day),
        state=_("déjà réservée") if in_the_way else "",
    )


def _bars(pieces: Iterable[Busy], day: Day) -> list[Bar]:
    bars = []
    for piece in pieces:
        where = day.steps(piece.starts_at, piece.ends_at)
        if where is not None:
            label = kind_words(piece.kind) if where.length >= LEAST_FOR_WORDS[piece.kind] else ""
            bars.append(Bar(piece.kind.value, where, label))
    return bars


def _off_bars(spans: Sequence[Span], day: Day) -> list[Bar]:
    """What lies between the stretches of work."""
    edges = [day.start, *(edge for span in spans for edge in (span.starts_at, span.ends_at)), day.end]
    gaps = [day.steps(edges[index], edges[index + 1]) for index in range(0, len(edges), 2)]
    return [Bar("off", gap) for gap in gaps if gap is not None]


def _free_at(
    hour: int,
    day: Day,
    people: Iterable[int],
    taken: Mapping[int, Sequence[Busy]],
    working: Mapping[int, Sequence[Span]],
) -> int:
    """How many of `people` are free and at work for that whole hour."""
    wall = dt.datetime.combine(day.date, dt.time(hour), zoneinfo.ZoneInfo(day.zone_name))
    starts = wall.astimezone(dt.UTC)
    ends = starts + dt.timedelta(hours=1)
    return sum(
        any(span.starts_at <= starts and ends <= span.ends_at for span in working.get(person, ()))
        and not any(one.starts_at < ends and starts < one.ends_at for one in taken[person])
        for person in people
    )


# --- words ------------------------------------------------------------------------------------------------------
def kind_words(kind: Kind) -> str:
    return {Kind.BUSY: _("Occupé"), Kind.TENTATIVE: _("À confirmer"), Kind.OUT: _("Absence")}[kind]


def _role_words(guest: Guest, viewer: Agent | None = None) -> str:
    if guest.agent is None:
        return _("Externe, facultatif") if guest.role == "optional" else _("Externe")
    if viewer is not None and guest.agent.pk == viewer.pk:
        return _("Vous")
    return {"organiser": _("Organise"), "optional": _("Facultatif")}.get(guest.role, _("Indispensable"))


def _state_words(reason: str) -> str:
    return {
        Kind.BUSY.value: _("pris"),
        Kind.TENTATIVE.value: _("à confirmer"),
        Kind.OUT.value: _("absence"),
    }.get(reason, _("hors horaires"))


def _unknown_words(guest: Guest) -> str:
    if guest.agent is not None:
        return _("Compte fermé : calendrier inconnu.")
    return _("Calendrier inconnu : réponse demandée par courriel.")


def _pieces_words(pieces: Sequence[Busy], day: Day) -> str:
    """ "Occupé de 10:00 à 11:00, à confirmer de 14:00 à 15:00." """
    if not pieces:
        return _("Libre toute la journée.")
    said: list[str] = []
    for piece in pieces:
        word = kind_words(piece.kind)
        word = word[:1].lower() + word[1:] if said else word
        said.append(f"{word} {_from_to(piece, day)}")
    return f"{', '.join(said)}."


def _from_to(piece: Busy, day: Day) -> str:
    if (piece.starts_at, piece.ends_at) == (day.start, day.end):
        return _("toute la journée")
    start, end = words.hour(piece.starts_at, day.zone_name), words.hour(piece.ends_at, day.zone_name)
    if piece.ends_at == day.end:
        return _("à partir de %(start)s") % {"start": start}
    if piece.starts_at == day.start:
        return _("jusqu’à %(end)s") % {"end": end}
    return _("de %(start)s à %(end)s") % {"start": start, "end": end}


def _working_words(spans: Sequence[Span], day: Day) -> str:
    if not spans:
        return _("Ne travaille pas ce jour.")
    hours = ", ".join(words.hours(span.starts_at, span.ends_at, day.zone_name) for span in spans)
    return _("Heures de travail : %(hours)s.") % {"hours": hours}
