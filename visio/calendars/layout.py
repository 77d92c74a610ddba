"""Where things stand on a day's scale: quarters of an hour, lanes, hours shown, free gaps. Pure: no database, no clock.

A step is a quarter of an hour of wall clock since local midnight (0 to 96), so that 10:00 stands at the same height on
the two days of the year that are 23 and 25 hours long.
"""

import datetime as dt
import zoneinfo
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from visio.meetings.scale import LAST_STEP, STEPS_AN_HOUR, Steps


@dataclass(frozen=True)
class Lane:
    """Which of the `count` columns (0 first) a block takes, for as long as its group of overlapping blocks lasts."""

    index: int
    count: int


def steps_on(
    date: dt.date, zone: zoneinfo.ZoneInfo, starts_at: dt.datetime, ends_at: dt.datetime, least: int = 1
) -> Steps | None:
    """The quarters that [starts_at, ends_at) touches on `date` in `zone`; None when it lies wholly on other days.

    Never shorter than `least` steps (a shorter block could not be read); what would stick out past midnight moves up.
    """
    first = _step(date, starts_at.astimezone(zone), up=False)
    last = _step(date, ends_at.astimezone(zone), up=True)
    if first >= LAST_STEP or last <= 0:
        return None
    first, last = max(first, 0), min(last, LAST_STEP)
    length = max(last - first, least)
    return Steps(min(first, LAST_STEP - length), length)


def _step(date: dt.date, local: dt.datetime, *, up: bool) -> int:
    """Quarters from `date`'s midnight to `local`'s wall clock; may be negative or past 96."""
    minutes = (local.date() - date).days * 24 * 60 + local.hour * 60 + local.minute
    if up and local.second + local.microsecond:
        minutes += 1
    return -(-minutes // 15) if up else minutes // 15


def lanes(blocks: Sequence[Steps]) -> list[Lane]:
    """One lane a block, in the blocks' order: two blocks that share a step never share a lane.

    Blocks linked by overlaps form a group and share its width evenly; a block free of others has the whole width.
    """
    order = sorted(range(len(blocks)), key=lambda index: (blocks[index].start, -blocks[index].length))
    chosen: dict[int, Lane] = {}
    group: dict[int, int] = {}
    ends: list[int] = []  # of each lane of the open group

    def close() -> None:
        chosen.update({index: Lane(lane, len(ends)) for index, lane in group.items()})
        group.clear()
        ends.clear()

    for index in order:
        block = blocks[index]
        if ends and block.start >= max(ends):
            close()
        lane = next((number for number, end in enumerate(ends) if end <= block.start), len(ends))
        ends[lane : lane + 1] = [block.end]
        group[index] = lane
    close()
    return [chosen[index] for index in range(len(blocks))]


def hours_shown(blocks: Sequence[Steps], first: int, last: int) -> tuple[int, int]:
    """The hours `first` to `last`, widened to whole hours so that every block lies within."""
    earliest = min((block.start for block in blocks), default=first * STEPS_AN_HOUR)
    latest = max((block.end for block in blocks), default=last * STEPS_AN_HOUR)
    return min(first, earliest // STEPS_AN_HOUR), max(last, -(-latest // STEPS_AN_HOUR))


def free_steps(blocks: Sequence[Steps], start: int, end: int, least: int) -> list[Steps]:
    """The stretches of [start, end) that no block touches, at least `least` steps long, in order."""
    busy = sorted((block.start, block.end) for block in blocks)
    edges = [(start, start), *_merged(busy), (end, end)]
    gaps = []
    for (_before, left), (right, _after) in pairwise(edges):
        left, right = max(left, start), min(right, end)
        if right - left >= max(least, 1):
            gaps.append(Steps(left, right - left))
    return gaps


def _merged(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in spans:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def clock(date: dt.date, step: int, zone: zoneinfo.ZoneInfo) -> dt.datetime:
    """The instant (aware, in `zone`) at `step` quarters of wall clock on `date`; step 96 is the next midnight."""
    day, step = divmod(step, LAST_STEP)
    time = dt.time(step // STEPS_AN_HOUR, step % STEPS_AN_HOUR * 15)
    return dt.datetime.combine(date + dt.timedelta(days=day), time, zone)
