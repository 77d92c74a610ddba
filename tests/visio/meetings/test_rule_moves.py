"""A rule follows its start to another day where it only repeated it."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.visio.meetings.recurrence_oracle import rules
from visio.meetings.recurrence import Rule, expand, last_start, matches, moved, parse_rule
from visio.meetings.repeat_choices import Repeat, to_rule

PARIS = "Europe/Paris"


def move(rule: str, old: str, new: str) -> str:
    return str(
        moved(
            parse_rule(rule), old_start=dt.datetime.fromisoformat(old), new_start=dt.datetime.fromisoformat(new),
            zone=PARIS,
        )
    )  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "old", "new", "after"),
    [
        # 24 November 2026 is a Tuesday, the fourth and the last.
        ("FREQ=WEEKLY;BYDAY=TU", "2026-11-24T10:00", "2026-11-25T10:00", "FREQ=WEEKLY;BYDAY=WE"),
        ("FREQ=WEEKLY;BYDAY=TU", "2026-11-24T10:00", "2026-12-01T15:00", "FREQ=WEEKLY;BYDAY=TU"),
        ("FREQ=WEEKLY", "2026-11-24T10:00", "2026-11-25T10:00", "FREQ=WEEKLY"),
        ("FREQ=WEEKLY;BYDAY=TU,TH", "2026-11-24T10:00", "2026-11-25T10:00", "FREQ=WEEKLY;BYDAY=TU,TH"),
        ("FREQ=DAILY;BYDAY=TU", "2026-11-24T10:00", "2026-11-25T10:00", "FREQ=DAILY;BYDAY=WE"),
        ("FREQ=MONTHLY;BYMONTHDAY=24", "2026-11-24T10:00", "2026-11-25T10:00", "FREQ=MONTHLY;BYMONTHDAY=25"),
        ("FREQ=MONTHLY;BYMONTHDAY=1,24", "2026-11-24T10:00", "2026-11-25T10:00", "FREQ=MONTHLY;BYMONTHDAY=1,24"),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "2026-11-30T10:00", "2026-12-31T10:00", "FREQ=MONTHLY;BYMONTHDAY=-1"),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "2026-11-30T10:00", "2026-12-01T10:00", "FREQ=MONTHLY;BYMONTHDAY=1"),
        ("FREQ=MONTHLY;BYDAY=4TU", "2026-11-24T10:00", "2026-11-18T10:00", "FREQ=MONTHLY;BYDAY=3WE"),
        ("FREQ=MONTHLY;BYDAY=4TU", "2026-11-24T10:00", "2026-11-30T10:00", "FREQ=MONTHLY;BYDAY=-1MO"),
        ("FREQ=MONTHLY;BYDAY=-1TU", "2026-11-24T10:00", "2026-11-26T10:00", "FREQ=MONTHLY;BYDAY=-1TH"),
        ("FREQ=MONTHLY;BYDAY=-1TU", "2026-11-24T10:00", "2026-12-29T10:00", "FREQ=MONTHLY;BYDAY=-1TU"),
        (
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "2026-11-30T10:00", "2026-11-27T10:00",
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
        ),
        ("FREQ=YEARLY;BYMONTH=11;BYMONTHDAY=24", "2026-11-24T10:00", "2026-12-01T10:00", "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=1"),
        ("FREQ=YEARLY;BYMONTH=11;BYDAY=4TU", "2026-11-24T10:00", "2026-12-02T10:00", "FREQ=YEARLY;BYMONTH=12;BYDAY=1WE"),
        ("FREQ=YEARLY;BYYEARDAY=328", "2026-11-24T10:00", "2026-11-25T10:00", "FREQ=YEARLY;BYYEARDAY=329"),
        ("FREQ=YEARLY;BYWEEKNO=48;BYDAY=TU", "2026-11-24T10:00", "2026-12-02T10:00", "FREQ=YEARLY;BYWEEKNO=49;BYDAY=WE"),
        ("FREQ=YEARLY;BYDAY=47TU", "2026-11-24T10:00", "2026-11-25T10:00", "FREQ=YEARLY;BYDAY=47TU"),
        ("FREQ=DAILY;BYHOUR=10;BYMINUTE=0", "2026-11-24T10:00", "2026-11-24T15:30", "FREQ=DAILY;BYHOUR=15;BYMINUTE=30"),
        # UNTIL: the last date is not cut off, and otherwise stays.
        (
            "FREQ=WEEKLY;BYDAY=TU;UNTIL=20261208T090000Z", "2026-11-24T10:00", "2026-11-24T15:00",
            "FREQ=WEEKLY;BYDAY=TU;UNTIL=20261208T225959Z",
        ),
        (
            "FREQ=WEEKLY;BYDAY=TU;UNTIL=20261208T225959Z", "2026-11-24T10:00", "2026-11-26T10:00",
            "FREQ=WEEKLY;BYDAY=TH;UNTIL=20261210T225959Z",
        ),
        (
            "FREQ=WEEKLY;BYDAY=TU;UNTIL=20261218T225959Z", "2026-11-24T10:00", "2026-11-26T10:00",
            "FREQ=WEEKLY;BYDAY=TH;UNTIL=20261218T225959Z",
        ),
    ],
)  # fmt: skip
def test_what_follows(rule: str, old: str, new: str, after: str) -> None:
    assert move(rule, old, new) == after


@given(
    st.sampled_from((Repeat("daily"), Repeat("weekly"), Repeat("monthly"), Repeat("monthly", monthly="weekday"),
                     Repeat("monthly", monthly="last_weekday"), Repeat("yearly"))),
    st.dates(dt.date(2026, 1, 1), dt.date(2030, 1, 1)),
    st.integers(-40, 40),
    st.integers(0, 60),
)  # fmt: skip
def test_what_the_form_makes_fits_after_a_move_and_loses_no_date(
    repeat: Repeat, day: dt.date, by: int, weeks: int
) -> None:
    old = dt.datetime.combine(day, dt.time(10))
    new = old + dt.timedelta(days=by, hours=3)
    if weeks and repeat.kind in ("daily", "weekly"):
        repeat = replace(repeat, end="until", until=day + dt.timedelta(weeks=weeks))
    rule = to_rule(repeat, old, zone=PARIS)
    assume(matches(rule, old))
    after = moved(rule, old_start=old, new_start=new, zone=PARIS)
    assert matches(after, new)
    if repeat.end == "until":
        arguments = {"zone": PARIS, "is_all_day": False, "before": dt.datetime(2040, 1, 1, tzinfo=dt.UTC)}
        assert len(expand(after, start=new, **arguments)) >= len(expand(rule, start=old, **arguments))


@given(rules(), st.dates(dt.date(2026, 1, 1), dt.date(2030, 1, 1)))
def test_a_move_to_itself_changes_nothing(rule: Rule, day: dt.date) -> None:
    start = dt.datetime.combine(day, dt.time(10))
    assume(matches(rule, start))
    assert moved(rule, old_start=start, new_start=start, zone=PARIS) == rule
    assert last_start(rule, start=start, zone=PARIS, is_all_day=False) == last_start(
        moved(rule, old_start=start, new_start=start, zone=PARIS), start=start, zone=PARIS, is_all_day=False
    )
