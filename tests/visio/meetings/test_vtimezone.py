# ruff: noqa: DTZ001  wall clocks are naive here.
"""VTIMEZONE, checked by expanding its own rules with dateutil and comparing with zoneinfo."""

import datetime as dt
import zoneinfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Timezone

from visio.meetings.vtimezone import vtimezone
from visio.meetings.wallclock import zone_names


def offset_by_rules(component: Timezone, local: dt.datetime) -> dt.timedelta:
    """The offset that a client reading only the VTIMEZONE gives a wall clock (naive), away from changes."""
    latest: tuple[dt.datetime, dt.timedelta] | None = None
    for observance in component.subcomponents:
        start = observance["DTSTART"].dt
        onset: dt.datetime | None = start if start <= local else None
        if "RRULE" in observance:
            onset = rrulestr(observance["RRULE"].to_ical().decode(), dtstart=start).before(local, inc=True)
        if onset is not None and (latest is None or onset > latest[0]):
            latest = (onset, observance["TZOFFSETTO"].td)
    assert latest is not None
    return latest[1]


@given(st.sampled_from(sorted(zone_names())), st.dates(dt.date(2026, 1, 1), dt.date(2030, 12, 28)))
def test_every_zone_has_the_right_offset_at_noon(name: str, date: dt.date) -> None:
    local = dt.datetime.combine(date, dt.time(12))
    component = Timezone.from_ical(vtimezone(name, date.year, date.year))
    expected = local.replace(tzinfo=zoneinfo.ZoneInfo(name)).utcoffset()
    assert offset_by_rules(component, local) == expected


def test_r11_paris_changes_by_rules_with_byday() -> None:
    lines = vtimezone("Europe/Paris", 2026, 2026).decode().split("\r\n")
    assert [line for line in lines if line.startswith("RRULE")] == [
        "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU",
        "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU",
    ]


@pytest.mark.parametrize("name", ["Asia/Jerusalem", "America/Nuuk", "Pacific/Chatham", "America/New_York"])
def test_r11_rules_carry_byday_elsewhere_too(name: str) -> None:
    rules = [line for line in vtimezone(name, 2026, 2027).decode().split("\r\n") if line.startswith("RRULE")]
    assert len(rules) == 2
    assert all("BYDAY=" in rule for rule in rules)


def test_a_zone_that_rules_cannot_tell_is_written_out() -> None:
    text = vtimezone("Africa/Casablanca", 2027, 2027).decode()
    assert "RRULE" not in text
    assert text.count("BEGIN:STANDARD") + text.count("BEGIN:DAYLIGHT") >= 5


def test_years_far_ahead_follow_the_rules() -> None:
    component = Timezone.from_ical(vtimezone("Europe/Paris", 2070, 2070))
    assert offset_by_rules(component, dt.datetime(2070, 7, 1, 12)) == dt.timedelta(hours=2)
