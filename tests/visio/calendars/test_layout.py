"""Lanes, scales and gaps, over everything that can be drawn."""

import datetime as dt
import zoneinfo
from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visio.calendars.layout import Lane, clock, free_steps, hours_shown, lanes, steps_on
from visio.meetings.scale import LAST_STEP, Steps

PARIS = zoneinfo.ZoneInfo("Europe/Paris")
TUESDAY = dt.date(2026, 11, 24)


@st.composite
def some_steps(draw: st.DrawFn) -> Steps:
    start = draw(st.integers(0, LAST_STEP - 1))
    return Steps(start, draw(st.integers(1, LAST_STEP - start)))


def touch(one: Steps, other: Steps) -> bool:
    return one.start < other.end and other.start < one.end


@given(st.lists(some_steps(), max_size=25))
def test_blocks_of_one_lane_never_overlap(blocks: list[Steps]) -> None:
    found = lanes(blocks)

    assert all(0 <= lane.index < lane.count for lane in found)
    for (one, lane), (other, other_lane) in combinations(zip(blocks, found, strict=True), 2):
        if touch(one, other):
            assert lane.index != other_lane.index
            assert lane.count == other_lane.count, "linked blocks share one width"


@given(st.lists(some_steps(), min_size=1, max_size=25))
def test_no_more_lanes_than_blocks_at_the_busiest_moment(blocks: list[Steps]) -> None:
    busiest = max(sum(block.start <= step < block.end for block in blocks) for step in range(LAST_STEP))

    assert max(lane.count for lane in lanes(blocks)) == busiest


def test_lanes_of_a_morning() -> None:
    alone, long, short, after = Steps(32, 2), Steps(40, 8), Steps(42, 2), Steps(44, 2)

    assert lanes([alone, long, short, after]) == [Lane(0, 1), Lane(0, 2), Lane(1, 2), Lane(1, 2)]


@given(st.lists(some_steps(), max_size=12), st.integers(0, 12), st.integers(13, 24))
def test_every_block_lies_within_the_hours_shown(blocks: list[Steps], first: int, last: int) -> None:
    first_hour, last_hour = hours_shown(blocks, first, last)

    assert 0 <= first_hour <= first
    assert last <= last_hour <= 24
    assert all(4 * first_hour <= block.start and block.end <= 4 * last_hour for block in blocks)


@given(st.lists(some_steps(), max_size=12), st.integers(0, 47), st.integers(48, 96), st.integers(1, 16))
def test_free_stretches_are_exactly_what_no_block_touches(
    blocks: list[Steps], start: int, end: int, least: int
) -> None:
    free = {step for step in range(start, end) if not any(block.start <= step < block.end for block in blocks)}
    gaps = free_steps(blocks, start, end, 1)

    assert {step for gap in gaps for step in range(gap.start, gap.end)} == free
    assert all(one.end < other.start for one, other in pairwise(gaps)), "in order, never adjoining"
    assert free_steps(blocks, start, end, least) == [gap for gap in gaps if gap.length >= least]


@given(
    st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2027, 12, 31), timezones=st.just(dt.UTC)),  # noqa: DTZ001
    st.integers(1, 3 * 24 * 60),
    st.sampled_from(["Europe/Paris", "Indian/Reunion", "America/Cayenne", "Pacific/Noumea"]),
    st.integers(1, 4),
)
def test_steps_stay_on_the_day_and_reach_the_wanted_length(
    starts_at: dt.datetime, minutes: int, zone_name: str, least: int
) -> None:
    zone = zoneinfo.ZoneInfo(zone_name)
    ends_at = starts_at + dt.timedelta(minutes=minutes)
    first_day = starts_at.astimezone(zone).date()

    found = steps_on(first_day, zone, starts_at, ends_at, least)

    assert found is not None
    assert found.start >= 0
    assert found.length >= least
    assert found.end <= LAST_STEP
    assert steps_on(first_day - dt.timedelta(days=1), zone, starts_at, ends_at, least) is None
    assert steps_on(first_day + dt.timedelta(days=5), zone, starts_at, ends_at, least) is None


@pytest.mark.parametrize(
    ("start", "end", "steps"),
    [
        ("10:00", "11:00", Steps(40, 4)),
        ("10:05", "10:10", Steps(40, 1)),
        ("10:05", "10:16", Steps(40, 2)),
        ("23:50", "23:59", Steps(95, 1)),
    ],
)
def test_steps_of_a_wall_clock(start: str, end: str, steps: Steps) -> None:
    instants = [dt.datetime.combine(TUESDAY, dt.time.fromisoformat(time), PARIS) for time in (start, end)]

    assert steps_on(TUESDAY, PARIS, instants[0], instants[1]) == steps


def test_a_night_belongs_to_both_of_its_days() -> None:
    starts_at = clock(TUESDAY, 92, PARIS)
    ends_at = clock(TUESDAY + dt.timedelta(days=1), 4, PARIS)

    assert steps_on(TUESDAY, PARIS, starts_at, ends_at) == Steps(92, 4)
    assert steps_on(TUESDAY + dt.timedelta(days=1), PARIS, starts_at, ends_at) == Steps(0, 4)
    assert steps_on(TUESDAY + dt.timedelta(days=2), PARIS, starts_at, ends_at) is None


@pytest.mark.parametrize("date", [dt.date(2026, 10, 25), dt.date(2027, 3, 28)])
def test_ten_o_clock_stands_at_step_40_on_the_days_of_the_change(date: dt.date) -> None:
    starts_at = dt.datetime.combine(date, dt.time(10), PARIS)

    assert steps_on(date, PARIS, starts_at, starts_at + dt.timedelta(hours=1)) == Steps(40, 4)
    assert clock(date, 40, PARIS) == starts_at
