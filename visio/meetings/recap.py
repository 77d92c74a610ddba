"""What planning says back before anything is sent: when, also for whoever lives in another zone, and what will happen."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from suite.agents.models import Agent
from visio.meetings import wallclock, words, zones
from visio.meetings.drafts import Invitee
from visio.meetings.forms import PlanForm


@dataclass(frozen=True)
class FarZone:
    """The same hours where some of the people are: "13:30 – 14:30 à La Réunion", for Marie Payet."""

    hours: str
    where: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Recap:
    day: str  # "" as long as the form's time says nothing
    hours: str
    place: str
    far: tuple[FarZone, ...]
    people: int
    external: int
    visio: bool
    tchap: bool


def make_recap(form: PlanForm) -> Recap:
    """Read a bound or a fresh form; a field in error is left out, never a fault. One query."""
    starts_at = ends_at = None
    zone = str(form.value_of("time_zone"))
    try:
        date = dt.date.fromisoformat(str(form.value_of("date")))
        start = dt.time.fromisoformat(str(form.value_of("start")))
        minutes = form.span_minutes
        if minutes is not None and 0 < minutes <= 14 * 24 * 60:
            starts_at, ends_at = wallclock.span(date, start, zone, minutes)
    except (ValueError, OverflowError):
        # UnknownZone is a ValueError too: nothing can be said about this time yet.
        starts_at = ends_at = None
    known = starts_at is not None and ends_at is not None
    return Recap(
        day=words.full_day(words.local(starts_at, zone).date()) if starts_at else "",
        hours=words.hours(starts_at, ends_at, zone) if starts_at and ends_at else "",
        place=zones.zone_place(zone) if known else "",
        far=_far_zones(form.people, form.organiser, zone, starts_at, ends_at) if starts_at and ends_at else (),
        people=len(form.people),
        external=sum(1 for person in form.people if person.agent_id is None),
        visio=bool(form.value_of("visio")),
        tchap=bool(form.value_of("tchap")),
    )


def _far_zones(
    people: list[Invitee], organiser: Agent, zone: str, starts_at: dt.datetime, ends_at: dt.datetime
) -> tuple[FarZone, ...]:
    ids = [person.agent_id for person in people if person.agent_id is not None]
    here = wallclock.wall_clock(starts_at, zone)
    rows: list[tuple[str, str]] = []
    if ids:
        agents = Agent.objects.filter(pk__in=ids).exclude(time_zone=zone).order_by("usual_name", "pk")
        rows = [(agent.time_zone, agent.full_name) for agent in agents]
    if organiser.time_zone != zone:
        rows.insert(0, (organiser.time_zone, ""))
    by_zone: dict[str, list[str]] = {}
    for name, person in rows:
        if wallclock.wall_clock(starts_at, name) != here:
            by_zone.setdefault(name, []).append(person)
    return tuple(
        FarZone(words.hours(starts_at, ends_at, name), zones.zone_where(name), tuple(filter(None, names)))
        for name, names in by_zone.items()
    )
