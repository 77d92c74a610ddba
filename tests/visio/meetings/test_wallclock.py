import datetime as dt
import zoneinfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from visio.meetings.wallclock import UnknownZone, span, wall_clock, zone_names


def test_ten_in_paris_is_ten_in_paris_in_winter_and_summer() -> None:
    winter, _end = span(dt.date(2026, 12, 1), dt.time(10), "Europe/Paris", 60)
    summer, _end = span(dt.date(2026, 7, 1), dt.time(10), "Europe/Paris", 60)
    assert (winter.hour, summer.hour) == (9, 8)


def test_r13_a_time_that_the_spring_skips_uses_the_offset_before_the_gap() -> None:
    starts_at, ends_at = span(dt.date(2027, 3, 28), dt.time(2, 30), "Europe/Paris", 60)
    assert starts_at == dt.datetime(2027, 3, 28, 1, 30, tzinfo=dt.UTC)
    assert wall_clock(starts_at, "Europe/Paris") == (dt.date(2027, 3, 28), dt.time(3, 30))
    assert ends_at - starts_at == dt.timedelta(hours=1)


def test_r13_a_time_that_happens_twice_is_the_first() -> None:
    starts_at, _end = span(dt.date(2026, 10, 25), dt.time(2, 30), "Europe/Paris", 60)
    assert starts_at == dt.datetime(2026, 10, 25, 0, 30, tzinfo=dt.UTC)


def test_a_duration_is_real_minutes_over_the_change() -> None:
    starts_at, ends_at = span(dt.date(2026, 10, 24), dt.time(23), "Europe/Paris", 8 * 60)
    assert ends_at - starts_at == dt.timedelta(hours=8)
    assert wall_clock(ends_at, "Europe/Paris")[1] == dt.time(6)


@pytest.mark.parametrize("name", ["Europe/Pari", "Europe", "../etc/passwd", "", "Factory", "Europe/Paris\n", "\0"])
def test_unknown_zone(name: str) -> None:
    with pytest.raises(UnknownZone):
        span(dt.date(2026, 11, 22), dt.time(10), name, 60)


@given(
    st.dates(dt.date(2020, 1, 1), dt.date(2035, 1, 1)),
    st.times(),
    st.sampled_from(sorted(zone_names())),
    st.integers(1, 14 * 24 * 60),
)
def test_what_was_typed_is_what_the_wall_shows(date: dt.date, time: dt.time, name: str, minutes: int) -> None:
    starts_at, ends_at = span(date, time, name, minutes)
    assert ends_at - starts_at == dt.timedelta(minutes=minutes)
    local = dt.datetime.combine(date, time, zoneinfo.ZoneInfo(name))
    assume(
        local.astimezone(dt.UTC).astimezone(zoneinfo.ZoneInfo(name)).replace(tzinfo=None) == local.replace(tzinfo=None)
    )
    assert wall_clock(starts_at, name) == (date, time)
