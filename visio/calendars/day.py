"""One agent's day as the dashboard draws it."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from suite.agents.models import Agent
from visio.calendars.layout import Lane, clock, free_steps, hours_shown, lanes, steps_on
from visio.meetings.models import Answer
from visio.meetings.queries import Entry, agenda
from visio.meetings.scale import STEPS_AN_HOUR, Scale, Steps

FIRST_HOUR, LAST_HOUR = 8, 18
# A block shorter than two steps could not hold its title.
LEAST_STEPS = 2
# Free time is named from two hours on.
LEAST_GAP = 2 * STEPS_AN_HOUR
# … as long as this much of it is left.
LEAST_LEFT = dt.timedelta(hours=1)
DAYS_AHEAD = 7


class Kind(StrEnum):
    """How a block looks. What is over is past, whatever was answered."""

    ACCEPTED = "accepted"
    TENTATIVE = "tentative"
    UNANSWERED = "unanswered"
    PAST = "past"


RANK = {Answer.ACCEPTED: 0, Answer.TENTATIVE: 1, Answer.NEEDS_ACTION: 2}
KINDS = {
    Answer.ACCEPTED: Kind.ACCEPTED,
    Answer.TENTATIVE: Kind.TENTATIVE,
    Answer.NEEDS_ACTION: Kind.UNANSWERED,
}


@dataclass(frozen=True)
class Block:
    """An entry placed on the day's scale. `overlaps`: another meeting takes place at the same time, to the minute."""

    entry: Entry
    kind: Kind
    steps: Steps
    lane: Lane
    overlaps: bool


@dataclass(frozen=True)
class Gap:
    """A stretch without any meeting, LEAST_GAP long or longer, of which LEAST_LEFT is still ahead."""

    starts_at: dt.datetime
    ends_at: dt.datetime
    steps: Steps


@dataclass(frozen=True)
class Day(Scale):
    """`blocks` in order of time. Steps count from midnight; the scale drawn goes from `first_hour` to `last_hour`."""

    date: dt.date
    now: dt.datetime
    first_hour: int
    last_hour: int
    blocks: tuple[Block, ...]
    gaps: tuple[Gap, ...]
    running: Block | None
    next: Block | None
    later: tuple[Entry, ...]
    free: dt.timedelta
    # Whole days that today is one of; they take none of its hours.
    whole: tuple[Entry, ...] = ()

    @property
    def hours(self) -> range:
        return range(self.first_hour, self.last_hour + 1)

    @property
    def now_step(self) -> int | None:
        """The quarter that `now` is in; None when that lies outside the scale."""
        step = self.now.hour * STEPS_AN_HOUR + self.now.minute // 15
        return step if self.first_step <= step < self.first_step + self.step_count else None

    @property
    def now_minutes(self) -> int:
        """Minutes past `now_step`, 0 to 14."""
        return self.now.minute % 15


def dashboard_day(agent: Agent, now: dt.datetime) -> Day:
    """Today, in the agent's zone, and the entries of the seven days after it: one statement."""
    zone = zoneinfo.ZoneInfo(agent.time_zone)
    today = now.astimezone(zone).date()
    midnight = clock(today, 0, zone)
    tomorrow = clock(today + dt.timedelta(days=1), 0, zone)
    horizon = clock(today + dt.timedelta(days=1 + DAYS_AHEAD), 0, zone)
    entries = [entry for entry in agenda([agent.pk], midnight, horizon, agent) if entry.answer in KINDS]
    return build_day(
        [entry for entry in entries if entry.starts_at < tomorrow],
        later=[entry for entry in entries if entry.starts_at >= tomorrow],
        now=now,
        zone=zone,
    )


def build_day(entries: Sequence[Entry], *, later: Sequence[Entry], now: dt.datetime, zone: zoneinfo.ZoneInfo) -> Day:
    """Lay out the entries that touch the day of `now` in `zone`. Pure."""
    local_now = now.astimezone(zone)
    date = local_now.date()
    placed = []
    whole = tuple(entry for entry in entries if entry.is_all_day)
    entries = [entry for entry in entries if not entry.is_all_day]
    for entry in sorted(entries, key=lambda entry: (entry.starts_at, entry.ends_at)):
        steps = steps_on(date, zone, entry.starts_at, entry.ends_at, LEAST_STEPS)
        if steps is not None:
            placed.append((entry, steps))
    taken = [steps for _entry, steps in placed]
    blocks = tuple(
        Block(entry, _kind(entry, now), steps, lane, _overlaps(entry, [other for other, _steps in placed]))
        for (entry, steps), lane in zip(placed, lanes(taken), strict=True)
    )
    first_hour, last_hour = hours_shown(taken, FIRST_HOUR, LAST_HOUR)
    ahead = [block for block in blocks if block.entry.starts_at > now]
    running = [block for block in blocks if block.entry.starts_at <= now < block.entry.ends_at]
    exact = [steps for entry in entries if (steps := steps_on(date, zone, entry.starts_at, entry.ends_at)) is not None]
    return Day(
        date=date,
        now=local_now,
        first_hour=first_hour,
        last_hour=last_hour,
        blocks=blocks,
        gaps=tuple(_gaps(taken, date, now, zone)),
        # Two at once: the one that was accepted, then the one that began last.
        running=min(running, key=lambda block: (RANK[Answer(block.entry.answer)], -block.steps.start), default=None),
        next=min(ahead, key=lambda block: (block.entry.starts_at, RANK[Answer(block.entry.answer)]), default=None),
        later=tuple(later),
        free=_free(exact, date, now, zone),
        whole=whole,
    )


def _kind(entry: Entry, now: dt.datetime) -> Kind:
    return Kind.PAST if entry.ends_at <= now else KINDS[Answer(entry.answer)]


def _overlaps(entry: Entry, others: Sequence[Entry]) -> bool:
    return any(
        other is not entry and other.starts_at < entry.ends_at and entry.starts_at < other.ends_at for other in others
    )


def _gaps(taken: Sequence[Steps], date: dt.date, now: dt.datetime, zone: zoneinfo.ZoneInfo) -> list[Gap]:
    gaps = []
    for steps in free_steps(taken, FIRST_HOUR * STEPS_AN_HOUR, LAST_HOUR * STEPS_AN_HOUR, LEAST_GAP):
        ends_at = clock(date, steps.end, zone)
        if ends_at - now >= LEAST_LEFT:
            gaps.append(Gap(clock(date, steps.start, zone), ends_at, steps))
    return gaps


def _free(taken: Sequence[Steps], date: dt.date, now: dt.datetime, zone: zoneinfo.ZoneInfo) -> dt.timedelta:
    """What is left of the working hours without any meeting, from `now` on, in whole quarters."""
    local = now.astimezone(zone)
    from_now = -(-(local.hour * 60 + local.minute) // 15)
    start = max(FIRST_HOUR * STEPS_AN_HOUR, from_now)
    free = free_steps(taken, start, LAST_HOUR * STEPS_AN_HOUR, 1) if start < LAST_HOUR * STEPS_AN_HOUR else []
    return dt.timedelta(minutes=15 * sum(steps.length for steps in free))
