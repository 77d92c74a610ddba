"""The best times for these people and a free room: what slots.py needs, read in three statements."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import F, Q, QuerySet

from suite.agents.hours import working_spans
from suite.agents.models import Agent
from visio.meetings.availability import Busy, busy, resources_busy
from visio.meetings.slots import Interval, Slot, propose_slots
from visio.places.models import Resource, ResourceKind

MOST_PEOPLE = 200
MOST_ROOMS = 60


@dataclass(frozen=True)
class Wanted:
    """What a search asks for. `minutes` and the instants are bounded by slots.py (ValueError)."""

    minutes: int
    start: dt.datetime
    end: dt.datetime
    # Whose clock the steps, lunch and the ends of the day follow.
    zone: str
    required: Sequence[Agent]
    optional: Sequence[Agent] = ()
    # One of them must be free, in order of preference; none is asked for when empty.
    rooms: Sequence[Resource] = ()
    # All of them must be free.
    equipment: Sequence[Resource] = ()
    step: int = 15
    limit: int = 10
    beyond_hours: bool = False


def find_slots(wanted: Wanted, *, viewer: Agent, now: dt.datetime, except_meeting: int | None = None) -> list[Slot]:
    """The slots, best first. Closed accounts and the people beyond MOST_PEOPLE are not looked at. Three statements."""
    people = [*wanted.required, *wanted.optional][:MOST_PEOPLE]
    start, end = max(wanted.start, now), wanted.end
    taken = busy([one.pk for one in people], start, end, viewer=viewer, except_meeting=except_meeting)
    known = [one for one in people if one.pk in taken]
    spans = working_spans(known, start, end)
    working = {person: [(one.starts_at, one.ends_at) for one in mine] for person, mine in spans.items()}
    things = resources_busy(
        [one.pk for one in (*wanted.rooms, *wanted.equipment)], start, end, except_meeting=except_meeting
    )
    required = {one.pk: _intervals(taken[one.pk]) for one in wanted.required if one.pk in taken}
    # A thing is a required guest without working hours; people's keys are positive.
    required |= {-one.pk: _intervals(things[one.pk]) for one in wanted.equipment if one.pk in things}
    optional = {one.pk: _intervals(taken[one.pk]) for one in wanted.optional if one.pk in taken}
    rooms = {one.pk: _intervals(things[one.pk]) for one in wanted.rooms if one.pk in things}
    if wanted.rooms and not rooms:
        return []
    return propose_slots(
        minutes=wanted.minutes,
        window=(start, end),
        now=now,
        required=required,
        optional={person: spans for person, spans in optional.items() if person not in required},
        working=working,
        rooms=rooms,
        zone=wanted.zone,
        step=wanted.step,
        limit=wanted.limit,
        beyond_hours=wanted.beyond_hours,
    )


def rooms_for(agent: Agent, *, seats: int) -> list[Resource]:
    """Rooms that the agent may book for that many people without anybody's approval, the smallest first."""
    fitting = _free_of_approval(bookable_by(agent)).filter(Q(capacity__isnull=True) | Q(capacity__gte=seats))
    return list(fitting.order_by(F("capacity").asc(nulls_last=True), "site", "name")[:MOST_ROOMS])


def alternatives_to(room: Resource, agent: Agent) -> list[Resource]:
    """The room itself, then others of its site that hold as many people and need nobody's approval."""
    others = _free_of_approval(bookable_by(agent)).filter(site=room.site).exclude(pk=room.pk)
    if room.capacity:
        others = others.filter(capacity__gte=room.capacity)
    return [room, *others.order_by(F("capacity").asc(nulls_last=True), "name")[: MOST_ROOMS - 1]]


def bookable_by(agent: Agent) -> QuerySet[Resource]:
    """What is lent to the agent: their own organisation's."""
    return Resource.objects.filter(organisation=agent.organisation_id, is_active=True)


def _free_of_approval(resources: QuerySet[Resource]) -> QuerySet[Resource]:
    return resources.filter(kind=ResourceKind.ROOM, needs_approval=False)


def _intervals(pieces: Iterable[Busy]) -> list[Interval]:
    return [(one.starts_at, one.ends_at) for one in pieces]
