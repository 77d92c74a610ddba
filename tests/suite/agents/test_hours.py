"""Working hours: what may be set, and the instants that follow from it."""

from __future__ import annotations

import datetime as dt
import zoneinfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from suite.agents.hours import (
    USUAL,
    HoursRefused,
    Span,
    Stretch,
    check,
    own_stretches,
    set_hours,
    spans_of,
    working_spans,
)
from suite.agents.models import WorkingHours
from tests import factories

PARIS = "Europe/Paris"


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).astimezone(dt.UTC)


def stretch(weekday: int, starts: str, ends: str) -> Stretch:
    return Stretch(weekday, dt.time.fromisoformat(starts), dt.time.fromisoformat(ends))


# --- the week as instants ---------------------------------------------------------------------------------------
def test_the_usual_day_is_two_stretches_in_the_agents_zone() -> None:
    tuesday = spans_of(USUAL, zone_name=PARIS, start=at("2026-11-24T00:00+01:00"), end=at("2026-11-25T00:00+01:00"))
    assert tuesday == [
        Span(at("2026-11-24T09:00+01:00"), at("2026-11-24T12:30+01:00")),
        Span(at("2026-11-24T13:30+01:00"), at("2026-11-24T18:00+01:00")),
    ]
    far = spans_of(USUAL, zone_name="Pacific/Noumea", start=at("2026-11-24T00:00Z"), end=at("2026-11-25T00:00Z"))
    assert far[0] == Span(at("2026-11-24T00:00Z"), at("2026-11-24T01:30Z"))  # the morning of Nouméa, cut at the window
    assert far[-1] == Span(at("2026-11-25T09:00+11:00"), at("2026-11-25T00:00Z"))


def test_nobody_works_at_the_weekend_unless_they_say_so() -> None:
    window = {"start": at("2026-11-28T00:00+01:00"), "end": at("2026-11-30T00:00+01:00")}
    assert spans_of(USUAL, zone_name=PARIS, **window) == []
    saturday = spans_of([stretch(5, "10:00", "12:00")], zone_name=PARIS, **window)
    assert saturday == [Span(at("2026-11-28T10:00+01:00"), at("2026-11-28T12:00+01:00"))]


@pytest.mark.parametrize(
    ("day", "offset"),
    [("2026-10-23", "+02:00"), ("2026-10-26", "+01:00"), ("2027-03-26", "+01:00"), ("2027-03-29", "+02:00")],
)
def test_nine_stays_nine_across_daylight_saving(day: str, offset: str) -> None:
    spans = spans_of(USUAL, zone_name=PARIS, start=at(f"{day}T00:00{offset}"), end=at(f"{day}T23:00{offset}"))
    assert spans[0].starts_at == at(f"{day}T09:00{offset}")


def test_a_night_shift_over_the_change_of_clocks() -> None:
    night = [stretch(6, "01:00", "04:00")]
    long = spans_of(night, zone_name=PARIS, start=at("2026-10-25T00:00+02:00"), end=at("2026-10-26T00:00+01:00"))
    assert [span.ends_at - span.starts_at for span in long] == [dt.timedelta(hours=4)]
    short = spans_of(night, zone_name=PARIS, start=at("2027-03-28T00:00+01:00"), end=at("2027-03-29T00:00+02:00"))
    assert [span.ends_at - span.starts_at for span in short] == [dt.timedelta(hours=2)]


def test_an_end_at_one_minute_to_midnight_is_midnight_and_joins_the_next_day() -> None:
    week = [stretch(0, "22:00", "23:59"), stretch(1, "00:00", "02:00")]
    spans = spans_of(week, zone_name=PARIS, start=at("2026-11-23T00:00+01:00"), end=at("2026-11-25T00:00+01:00"))
    assert spans == [Span(at("2026-11-23T22:00+01:00"), at("2026-11-24T02:00+01:00"))]


@given(
    zone=st.sampled_from([PARIS, "Pacific/Noumea", "Pacific/Marquesas", "America/Cayenne", "Australia/Lord_Howe"]),
    begin=st.integers(0, 700 * 24 * 60),
    hours=st.integers(1, 400),
)
def test_a_minute_is_worked_when_the_wall_clock_says_so(zone: str, begin: int, hours: int) -> None:
    start = at("2026-01-01T00:00Z") + dt.timedelta(minutes=begin)
    end = start + dt.timedelta(hours=hours)
    spans = spans_of(USUAL, zone_name=zone, start=start, end=end)
    assert all(start <= span.starts_at < span.ends_at <= end for span in spans)
    place = zoneinfo.ZoneInfo(zone)
    for step in range(hours * 2):
        moment = start + dt.timedelta(minutes=30 * step + 7)
        wall = moment.astimezone(place)
        works = any(one.weekday == wall.weekday() and one.starts <= wall.time() < one.ends for one in USUAL)
        assert any(span.starts_at <= moment < span.ends_at for span in spans) is (works and moment < end)


# --- setting them -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("stretches", "days"),
    [
        ([stretch(0, "12:00", "09:00")], {0}),
        ([stretch(2, "09:00", "09:00")], {2}),
        ([stretch(1, "09:00", "12:00"), stretch(1, "11:59", "14:00")], {1}),
        ([stretch(1, "09:00", "12:00"), stretch(1, "09:00", "13:00")], {1}),
        ([stretch(7, "09:00", "12:00")], {7}),
        ([stretch(3, f"{8 + 2 * hour:02d}:00", f"{9 + 2 * hour:02d}:00") for hour in range(5)], {3}),
        ([stretch(0, "09:00", "12:00"), stretch(0, "12:00", "14:00")], set()),
        ([], set()),
    ],
)
def test_what_a_week_may_hold(stretches: list[Stretch], days: set[int]) -> None:
    assert set(check(stretches)) == days


@pytest.mark.django_db
def test_a_week_is_replaced_whole_and_a_refused_one_changes_nothing() -> None:
    agent, other = factories.agent(), factories.agent()
    set_hours(agent=other, stretches=USUAL[:1])
    set_hours(agent=agent, stretches=USUAL)
    set_hours(agent=agent, stretches=[stretch(2, "08:00", "11:00")])
    assert own_stretches([agent, other]) == {agent.pk: (stretch(2, "08:00", "11:00"),), other.pk: USUAL[:1]}
    with pytest.raises(HoursRefused) as refused:
        set_hours(agent=agent, stretches=[stretch(2, "11:00", "08:00")])
    assert list(refused.value.errors) == [2]
    assert own_stretches([agent]) == {agent.pk: (stretch(2, "08:00", "11:00"),)}
    set_hours(agent=agent, stretches=[])
    assert own_stretches([agent]) == {}
    assert WorkingHours.objects.filter(agent=other).count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("number", [1, 3])
def test_everybodys_hours_are_one_query(number: int) -> None:
    agents = [factories.agent(time_zone=zone) for zone in (PARIS, "Indian/Reunion", PARIS)[:number]]
    set_hours(agent=agents[0], stretches=[stretch(0, "09:00", "10:00")])
    with CaptureQueriesContext(connection) as queries:
        spans = working_spans(agents, at("2026-11-23T00:00Z"), at("2026-11-24T00:00Z"))
    assert len(queries) == 1
    assert spans[agents[0].pk] == [Span(at("2026-11-23T09:00+01:00"), at("2026-11-23T10:00+01:00"))]
    if number == 3:
        assert spans[agents[1].pk][0].starts_at == at("2026-11-23T09:00+04:00")
        assert spans[agents[2].pk][0].ends_at == at("2026-11-23T12:30+01:00")
