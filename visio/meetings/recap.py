"""What planning says back before anything is sent: when, also for whoever lives in another zone, and what will happen."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from suite.agents.models import Agent
from visio.meetings import wallclock, words, zones
from visio.meetings.cautions import Caution, cautions_of
from visio.meetings.drafts import Invitee
from visio.meetings.forms import PlanForm
from visio.meetings.recurrence import expand, parse_rule
from visio.meetings.repeat_form import KEPT
from visio.meetings.rule_words import describe
from visio.meetings.scopes import Scope
from visio.meetings.timetable import Timetable

DATES_SHOWN = 4
LOOKED_AHEAD = dt.timedelta(days=10 * 366)


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
    # "Toutes les semaines, le mardi"; "" for a meeting that does not repeat.
    rule: str = ""
    # The first dates of the series in short, and whether there are more.
    dates: tuple[str, ...] = ()
    more_dates: bool = False
    # "Le mardi 1er décembre" when the first date is not the day in the form.
    first: str = ""
    # In whose name the meeting is planned; "" for one's own.
    behalf: str = ""
    rooms: tuple[str, ...] = ()
    cautions: tuple[Caution, ...] = ()

    @property
    def warned(self) -> str:
        """The codes of what is said here, for the form's `warned`."""
        return " ".join(caution.code for caution in self.cautions)


def make_recap(form: PlanForm) -> Recap:
    """Read a bound or a fresh form; a field in error is left out, never a fault. One query."""
    starts_at = ends_at = None
    zone = str(form.value_of("time_zone"))
    is_all_day = bool(form.value_of("all_day"))
    try:
        date = dt.date.fromisoformat(str(form.value_of("date")))
        minutes = form.span_minutes
        if form.draft is not None:
            starts_at, ends_at = form.draft.span()
        elif minutes is not None and 0 < minutes <= 14 * 24 * 60:
            start = dt.time() if is_all_day else dt.time.fromisoformat(str(form.value_of("start")))
            starts_at, ends_at = wallclock.span(date, start, zone, minutes)
    except (ValueError, OverflowError):
        # UnknownZone is a ValueError too: nothing can be said about this time yet.
        starts_at = ends_at = None
    known = starts_at is not None and ends_at is not None
    return Recap(
        day=words.full_day(words.local(starts_at, zone).date()) if starts_at else "",
        hours=_hours(starts_at, ends_at, zone, is_all_day=is_all_day) if starts_at and ends_at else "",
        place=zones.zone_place(zone) if known and not is_all_day else "",
        far=_far_zones(form.people, form.organiser, zone, starts_at, ends_at)
        if starts_at and ends_at and not is_all_day
        else (),
        people=len(form.people),
        external=sum(1 for person in form.people if person.agent_id is None),
        visio=bool(form.value_of("visio")),
        tchap=bool(form.value_of("tchap")),
        behalf=form.organiser.full_name if form.meeting is None and form.organiser != form.by else "",
        rooms=tuple(room.name for room in form.chosen_resources),
        cautions=tuple(cautions_of(form, span=(starts_at, ends_at) if starts_at and ends_at else None)),
        **_series(form, words.local(starts_at, zone).date() if starts_at else None),
    )


def _hours(starts_at: dt.datetime, ends_at: dt.datetime, zone: str, *, is_all_day: bool) -> str:
    return words.whole_days(starts_at, ends_at, zone) if is_all_day else words.hours(starts_at, ends_at, zone)


def _series(form: PlanForm, day: dt.date | None) -> dict[str, Any]:
    """The repetition in words, and its first dates."""
    if form.meeting is not None and form.meeting.is_series and form.value_of("repeat") == KEPT:
        return {"rule": form.kept_rule()}
    draft = form.draft
    if draft is None or not draft.rule or day is None or form.reach == Scope.ONE:
        return {}
    timetable = Timetable.of_draft(draft)
    rule = parse_rule(timetable.rule, is_all_day=draft.is_all_day)
    after = timetable.literal(timetable.start).at
    dates = expand(
        rule,
        start=timetable.start,
        zone=timetable.zone,
        is_all_day=timetable.is_all_day,
        exdates=timetable.exdates,
        after=after,
        before=after + LOOKED_AHEAD,
        limit=DATES_SHOWN + 1,
    )
    return {
        "rule": describe(rule, timetable.start, zone=draft.time_zone),
        "dates": tuple(words.short_day(date.wall.date(), today=day) for date in dates[:DATES_SHOWN]),
        "more_dates": len(dates) > DATES_SHOWN,
        "first": words.full_day(day) if day.isoformat() != str(form.value_of("date")) else "",
    }


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
