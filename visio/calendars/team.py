"""A team's week: one row an agent, one cell a day. What is private arrives masked from the statement already."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from suite.agents.models import Agent, Team
from suite.live import presence
from suite.live.presence import Presence
from visio.calendars.layout import Lane, clock, hours_shown, lanes, steps_on
from visio.meetings.models import Answer
from visio.meetings.queries import Entry, agenda
from visio.meetings.scale import STEPS_AN_HOUR, Scale, Steps

FIRST_HOUR, LAST_HOUR = 8, 19
WORKING_DAYS = 5
# The hours written above each day are multiples of this.
TICK_HOURS = 3
# The icon of a block needs this many quarters.
LEAST_FOR_ICON = 5


class Kind(StrEnum):
    """How a block looks, on the page: Réunion, À confirmer, Occupé."""

    MEETING = "meeting"
    TENTATIVE = "tentative"
    BUSY = "busy"


@dataclass(frozen=True)
class Block:
    """One meeting of one agent on one day; `entry.title` is empty when it is none of the viewer's business."""

    entry: Entry
    kind: Kind
    steps: Steps
    lane: Lane

    @property
    def has_icon(self) -> bool:
        return self.kind != Kind.MEETING and self.steps.length >= LEAST_FOR_ICON and self.lane.count == 1


@dataclass(frozen=True)
class Cell:
    """Agent × day."""

    date: dt.date
    index: int
    is_today: bool
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Row:
    agent: Agent
    presence: Presence
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class TeamWeek(Scale):
    """`days` are Monday to Friday, and Saturday and Sunday too when something lies there."""

    team: Team
    monday: dt.date
    days: tuple[dt.date, ...]
    today: dt.date
    now: dt.datetime
    first_hour: int
    last_hour: int
    rows: tuple[Row, ...]
    counts: dict[str, int]

    @property
    def number(self) -> int:
        """The ISO week's number."""
        return self.monday.isocalendar().week

    @property
    def ticks(self) -> list[tuple[int, int]]:
        """(hour, step) of the hours written above a day: 9, 12, 15 and 18 on the usual scale."""
        inside = range(self.first_hour + 1, self.last_hour)
        return [(hour, hour * STEPS_AN_HOUR) for hour in inside if hour % TICK_HOURS == 0]

    @property
    def today_index(self) -> int | None:
        return self.days.index(self.today) if self.today in self.days else None

    @property
    def now_step(self) -> int | None:
        """The quarter that `now` is in, when today is shown and the hour lies on the scale."""
        step = self.now.hour * STEPS_AN_HOUR + self.now.minute // 15
        on_scale = self.first_step <= step < self.first_step + self.step_count
        return step if on_scale and self.today in self.days else None

    @property
    def now_minutes(self) -> int:
        return self.now.minute % 15


def team_week(team: Team, viewer: Agent, week_start: dt.date, now: dt.datetime) -> TeamWeek:
    """The week from the Monday `week_start`, in the viewer's zone. The number of queries is fixed."""
    zone = zoneinfo.ZoneInfo(viewer.time_zone)
    members = list(Agent.objects.filter(team=team, is_active=True).select_related("organisation"))
    start, end = clock(week_start, 0, zone), clock(week_start + dt.timedelta(days=7), 0, zone)
    entries = agenda([member.pk for member in members], start, end, viewer)
    return build_week(team, members, presence.states(members, now=now), entries, monday=week_start, now=now, zone=zone)


def build_week(
    team: Team,
    members: Sequence[Agent],
    states: dict[int, Presence],
    entries: Sequence[Entry],
    *,
    monday: dt.date,
    now: dt.datetime,
    zone: zoneinfo.ZoneInfo,
) -> TeamWeek:
    """Lay the entries out. Pure."""
    local_now = now.astimezone(zone)
    placed: dict[tuple[int, dt.date], list[tuple[Entry, Steps]]] = {}
    every_day = [monday + dt.timedelta(days=count) for count in range(7)]
    for entry in sorted(entries, key=lambda entry: (entry.starts_at, entry.ends_at)):
        if entry.answer == Answer.DECLINED:
            continue
        for date in every_day:
            steps = steps_on(date, zone, entry.starts_at, entry.ends_at)
            if steps is not None and entry.is_all_day:
                # It fills the day as it is drawn, and does not stretch it to 24 hours.
                steps = Steps(FIRST_HOUR * STEPS_AN_HOUR, (LAST_HOUR - FIRST_HOUR) * STEPS_AN_HOUR)
            if steps is not None:
                placed.setdefault((entry.agent_id, date), []).append((entry, steps))
    all_steps = [steps for group in placed.values() for _entry, steps in group]
    first_hour, last_hour = hours_shown(all_steps, FIRST_HOUR, LAST_HOUR)
    last_day = max((date.weekday() for _agent_id, date in placed), default=0)
    days = tuple(every_day[: max(WORKING_DAYS, last_day + 1)])
    rows = tuple(
        Row(
            member,
            states[member.pk],
            tuple(
                Cell(date, index, date == local_now.date(), _blocks(placed.get((member.pk, date), [])))
                for index, date in enumerate(days)
            ),
        )
        for member in members
    )
    return TeamWeek(
        team=team,
        monday=monday,
        days=days,
        today=local_now.date(),
        now=local_now,
        first_hour=first_hour,
        last_hour=last_hour,
        rows=rows,
        counts=Counter(row.presence.state for row in rows),
    )


def _blocks(placed: Sequence[tuple[Entry, Steps]]) -> tuple[Block, ...]:
    columns = lanes([steps for _entry, steps in placed])
    return tuple(Block(entry, _kind(entry), steps, lane) for (entry, steps), lane in zip(placed, columns, strict=True))


def _kind(entry: Entry) -> Kind:
    if entry.is_masked:
        return Kind.BUSY
    return Kind.MEETING if entry.answer == Answer.ACCEPTED else Kind.TENTATIVE
