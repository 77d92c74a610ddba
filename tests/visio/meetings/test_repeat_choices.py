"""What the form offers, to rules and back."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from django.utils import translation
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.visio.meetings.recurrence_oracle import rules
from visio.meetings.recurrence import Rule, aligned, expand, parse_rule, split
from visio.meetings.repeat_choices import Repeat, from_rule, presets, to_rule
from visio.meetings.repeat_form import weekday_choices
from visio.meetings.wallclock import zone_names

PARIS = "Europe/Paris"
TUESDAY = dt.datetime(2026, 11, 24, 10)  # noqa: DTZ001  a wall clock

walls = st.builds(
    dt.datetime.combine, st.dates(dt.date(2020, 1, 1), dt.date(2040, 12, 31)), st.times().map(lambda t: t.replace(microsecond=0))
)  # fmt: skip


@st.composite
def repeats(draw: st.DrawFn) -> Repeat:
    repeat = Repeat(draw(st.sampled_from(("daily", "weekly", "monthly", "yearly"))), draw(st.integers(1, 99)))
    if repeat.kind == "weekly":
        days = draw(st.sets(st.integers(0, 6), min_size=1))
        repeat = replace(repeat, weekdays=tuple(sorted(days)))
    if repeat.kind == "monthly":
        repeat = replace(repeat, monthly=draw(st.sampled_from(("day", "weekday", "last_weekday", "last_workday"))))
    end = draw(st.sampled_from(("never", "until", "count")))
    if end == "until":
        return replace(repeat, end="until", until=draw(st.dates(dt.date(2020, 1, 1), dt.date(2100, 1, 1))))
    return replace(repeat, end="count", count=draw(st.integers(1, 999))) if end == "count" else repeat


@given(repeats(), walls, st.sampled_from(sorted(zone_names())), st.booleans())
def test_there_and_back(repeat: Repeat, start: dt.datetime, zone: str, is_all_day: bool) -> None:
    if is_all_day:
        start = dt.datetime.combine(start, dt.time())
    rule = to_rule(repeat, start, zone=zone, is_all_day=is_all_day)
    kept = parse_rule(str(rule), is_all_day=is_all_day)
    assert kept == rule
    assert from_rule(kept, start, zone=zone, is_all_day=is_all_day) == repeat


@given(rules(), walls)
def test_a_choice_that_is_found_makes_the_same_dates(rule: Rule, start: dt.datetime) -> None:
    repeat = from_rule(rule, start, zone=PARIS)
    assume(repeat is not None)
    assert repeat is not None
    arguments = {"start": start, "zone": PARIS, "is_all_day": False, "before": dt.datetime(2060, 1, 1, tzinfo=dt.UTC)}
    assert expand(to_rule(repeat, start, zone=PARIS), **arguments) == expand(rule, **arguments)


@pytest.mark.parametrize(
    ("repeat", "rule"),
    [
        (Repeat("daily", interval=2), "FREQ=DAILY;INTERVAL=2"),
        (Repeat("weekly"), "FREQ=WEEKLY;BYDAY=TU"),
        (Repeat("weekly", weekdays=(3, 1, 3)), "FREQ=WEEKLY;BYDAY=TU,TH"),
        (Repeat("monthly"), "FREQ=MONTHLY;BYMONTHDAY=24"),
        (Repeat("monthly", monthly="weekday"), "FREQ=MONTHLY;BYDAY=4TU"),
        (Repeat("monthly", monthly="last_weekday"), "FREQ=MONTHLY;BYDAY=-1TU"),
        (Repeat("monthly", monthly="last_workday"), "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1"),
        (Repeat("yearly", end="count", count=3), "FREQ=YEARLY;BYMONTH=11;BYMONTHDAY=24;COUNT=3"),
        (Repeat("daily", end="until", until=dt.date(2026, 12, 18)), "FREQ=DAILY;UNTIL=20261218T225959Z"),
    ],
)
def test_the_rule_of_a_choice(repeat: Repeat, rule: str) -> None:
    assert str(to_rule(repeat, TUESDAY, zone=PARIS)) == rule


def test_the_last_day_of_whole_days_is_a_date() -> None:
    repeat = Repeat("daily", end="until", until=dt.date(2026, 12, 18))
    midnight = dt.datetime.combine(TUESDAY, dt.time())
    assert str(to_rule(repeat, midnight, zone=PARIS, is_all_day=True)) == "FREQ=DAILY;UNTIL=20261218"


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=MONTHLY;BYMONTHDAY=1,15",
        "FREQ=MONTHLY;BYMONTHDAY=25",
        "FREQ=MONTHLY;BYDAY=3TU",
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1",
        "FREQ=YEARLY;BYMONTH=5;BYMONTHDAY=24",
        "FREQ=YEARLY;BYMONTH=11;BYDAY=4TU",
        "FREQ=DAILY;BYMONTH=1",
        "FREQ=DAILY;BYHOUR=9",
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=SU",
        "FREQ=WEEKLY;BYMONTH=1",
    ],
)
def test_what_the_form_cannot_say_is_left_alone(rule: str) -> None:
    assert from_rule(parse_rule(rule), TUESDAY, zone=PARIS) is None


@pytest.mark.parametrize(
    ("rule", "repeat"),
    [
        ("FREQ=WEEKLY;WKST=SU", Repeat("weekly", weekdays=(1,))),
        ("FREQ=WEEKLY;INTERVAL=2;WKST=SU", Repeat("weekly", interval=2, weekdays=(1,))),
        ("FREQ=MONTHLY", Repeat("monthly")),
        ("FREQ=YEARLY", Repeat("yearly")),
        ("FREQ=YEARLY;BYMONTHDAY=24", Repeat("yearly")),
        ("FREQ=DAILY;UNTIL=20261218T000000Z", Repeat("daily", end="until", until=dt.date(2026, 12, 17))),
    ],
)
def test_what_others_wrote_is_recognised(rule: str, repeat: Repeat) -> None:
    assert from_rule(parse_rule(rule), TUESDAY, zone=PARIS) == repeat


@pytest.mark.parametrize(
    "repeat",
    [
        Repeat(),
        Repeat("daily", interval=0),
        Repeat("daily", end="until"),
        Repeat("daily", end="count"),
        Repeat("daily", end="count", count=0),
        Repeat("daily", end="count", count=10**6),
    ],
)
def test_what_the_form_must_not_let_through(repeat: Repeat) -> None:
    with pytest.raises(ValueError):
        to_rule(repeat, TUESDAY, zone=PARIS)


def test_the_first_half_of_a_split_shows_the_day_before() -> None:
    weekly = to_rule(Repeat("weekly"), TUESDAY, zone=PARIS)
    dates = expand(weekly, start=TUESDAY, zone=PARIS, is_all_day=False, before=dt.datetime(2027, 1, 1, tzinfo=dt.UTC))
    head, _tail = split(weekly, start=TUESDAY, zone=PARIS, is_all_day=False, at=dates[3])
    assert from_rule(head, TUESDAY, zone=PARIS) == Repeat(
        "weekly", weekdays=(1,), end="until", until=dt.date(2026, 12, 14)
    )


def test_presets_of_a_last_tuesday() -> None:
    with translation.override("fr"):
        assert {preset.key: preset.label for preset in presets(TUESDAY)} == {
            "daily": "Tous les jours",
            "workdays": "Tous les jours ouvrés (du lundi au vendredi)",
            "weekly": "Toutes les semaines, le mardi",
            "fortnightly": "Toutes les 2 semaines, le mardi",
            "monthly_day": "Tous les mois, le 24",
            "monthly_weekday": "Tous les mois, le quatrième mardi",
            "monthly_last_weekday": "Tous les mois, le dernier mardi",
            "monthly_last_workday": "Tous les mois, le dernier jour ouvré",
            "yearly": "Tous les ans, le 24 novembre",
        }


@given(walls)
def test_presets_make_dates_soon_and_are_read_back(start: dt.datetime) -> None:
    offered = presets(start)
    assert len({preset.key for preset in offered}) == len({preset.label for preset in offered}) == len(offered)
    for preset in offered:
        rule = to_rule(preset.repeat, start, zone=PARIS)
        first = aligned(rule, start)
        assert start <= first <= start + dt.timedelta(days=62)
        again = from_rule(rule, first, zone=PARIS)
        assert again is not None
        assert (again.kind, again.interval) == (preset.repeat.kind, preset.repeat.interval)
        assert to_rule(again, first, zone=PARIS) == rule


@pytest.mark.parametrize(
    ("language", "names"),
    [
        ("fr", ["lun", "mar", "mer", "jeu", "ven", "sam", "dim"]),
        ("en", ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]),
        ("de", ["Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"]),
    ],
)
def test_days_are_shortened_as_their_language_does(language: str, names: list[str]) -> None:
    with translation.override(language):
        assert [choice.short for choice in weekday_choices()] == names
