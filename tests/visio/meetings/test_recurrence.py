"""The dates of rules: a table written by hand, a slow oracle, and other people's readers where they are right."""

from __future__ import annotations

import datetime as dt
import zoneinfo

import icalendar
import pytest
import recurring_ical_events
from dateutil.rrule import rrulestr
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from tests.visio.meetings.recurrence_oracle import oracle, rules
from tests.visio.meetings.recurrence_table import CASES, RFC, Case
from visio.meetings.recurrence import (
    Rule,
    RuleRefused,
    Start,
    aligned,
    expand,
    last_start,
    matches,
    next_start,
    parse_rule,
    settled,
    split,
)
from visio.meetings.repeat_choices import from_rule
from visio.meetings.rule_words import describe
from visio.meetings.wallclock import UnknownZone

FAR = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)
TEN = dt.time(10)
starts = st.dates(dt.date(2000, 1, 1), dt.date(2040, 12, 31))


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def wall(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def walls(found: list[Start]) -> list[dt.datetime]:
    return [start.wall for start in found]


def paris(rule: str, start: str, **changes: object) -> list[Start]:
    arguments = {"start": wall(start), "zone": "Europe/Paris", "is_all_day": False, "before": FAR, **changes}
    return expand(parse_rule(rule), **arguments)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_table(case: Case) -> None:
    expected = case.walls()
    rule = parse_rule(case.rule, is_all_day=case.all_day)
    arguments = {"start": case.first, "zone": case.zone, "is_all_day": case.all_day}
    limit = len(expected) if case.goes_on else 2000
    dates = {"rdates": case.walls(case.rdates), "exdates": case.walls(case.exdates)}
    found = expand(rule, **arguments, **dates, before=FAR, limit=limit)
    assert walls(found) == expected
    zone = zoneinfo.ZoneInfo(case.zone)
    assert [start.at for start in found] == [one.replace(tzinfo=zone).astimezone(dt.UTC) for one in expected]
    # What is kept and sent makes the same dates, and reads as itself.
    kept = settled(rule, **arguments)
    assert parse_rule(str(kept)) == kept
    assert expand(kept, **arguments, **dates, before=FAR, limit=limit) == found


def test_the_table_is_long_enough() -> None:
    assert len(CASES) >= 60
    assert len({case.name for case in CASES}) == len(CASES)


@given(rules(), starts)
@settings(max_examples=400)
def test_as_the_oracle_reads_it(rule: Rule, start: dt.date) -> None:
    end = start + dt.timedelta(days=1500)
    found = expand(
        rule,
        start=dt.datetime.combine(start, TEN),
        zone="UTC",
        is_all_day=False,
        before=dt.datetime.combine(end + dt.timedelta(days=1), dt.time(), dt.UTC),
    )
    assert [date.wall.date() for date in found] == oracle(rule, start, end)


def _dateutil_is_right(rule: Rule) -> bool:
    if rule.by_week_no or (rule.by_set_pos and rule.freq == "WEEKLY"):
        return False
    if rule.freq == "YEARLY" and rule.by_month_day and not rule.by_month:
        return False
    # It asks a day for both, where BYDAY means either.
    return len({bool(day.nth) for day in rule.by_day}) < 2


@given(rules(), starts)
@settings(max_examples=150)
def test_as_dateutil_reads_it_where_it_is_right(rule: Rule, start: dt.date) -> None:
    assume(_dateutil_is_right(rule))
    first = dt.datetime.combine(start, TEN)
    assume(matches(rule, first))
    before = first + dt.timedelta(days=1500)
    found = expand(rule, start=first, zone="UTC", is_all_day=False, before=before.replace(tzinfo=dt.UTC))
    assert walls(found) == [date for date in rrulestr(str(rule), dtstart=first).between(first, before, inc=True)
                            if date < before]  # fmt: skip


@pytest.mark.parametrize("case", [case for case in RFC if not case.goes_on], ids=lambda case: case.name)
def test_as_recurring_ical_events_reads_it(case: Case) -> None:
    zone = zoneinfo.ZoneInfo(case.zone)
    event = icalendar.Event()
    event.add("uid", "one")
    event.add("dtstart", case.first.replace(tzinfo=zone))
    kept = settled(parse_rule(case.rule), start=case.first, zone=case.zone, is_all_day=False)
    event.add("rrule", icalendar.vRecur.from_ical(str(kept)))
    whole = icalendar.Calendar()
    whole.add_component(event)
    events = recurring_ical_events.of(whole).between(dt.date(1990, 1, 1), dt.date(2020, 1, 1))
    assert sorted(event["DTSTART"].dt.replace(tzinfo=None) for event in events) == case.walls()


@given(
    rules(),
    starts,
    st.integers(-400, 6000),
    st.integers(0, 23),
    st.integers(0, 500),
    st.sampled_from(["Europe/Paris", "Pacific/Niue", "Pacific/Kiritimati"]),
)
@example(Rule("DAILY"), dt.date(2026, 11, 24), 9, 21, 1, "Pacific/Niue")
@example(Rule("MONTHLY"), dt.date(2026, 8, 31), 61, 21, 1, "Pacific/Niue")
def test_a_window_is_a_cut_of_the_whole(rule: Rule, start: dt.date, skip: int, hour: int, days: int, zone: str) -> None:
    first = dt.datetime.combine(start, TEN)
    arguments = {"start": first, "zone": zone, "is_all_day": False}
    after = dt.datetime.combine(start + dt.timedelta(days=skip), dt.time(hour), dt.UTC)
    before = after + dt.timedelta(days=days)
    whole = expand(rule, **arguments, before=before, limit=10_000)
    assert expand(rule, **arguments, after=after, before=before) == [date for date in whole if date.at >= after]
    assert expand(rule, **arguments, before=before, limit=3) == whole[:3]


def test_a_window_that_opens_on_the_next_day_in_utc() -> None:
    # Ten in the evening of the 24th in Niue is nine in the morning of the 25th in UTC.
    found = expand(
        parse_rule("FREQ=DAILY"),
        start=wall("2026-11-20T22:00"),
        zone="Pacific/Niue",
        is_all_day=False,
        after=at("2026-11-25T09:00"),
        before=at("2026-11-25T10:00"),
    )
    assert walls(found) == [wall("2026-11-24T22:00")]


def test_the_month_that_a_yearly_rule_means_is_written() -> None:
    rule = parse_rule("FREQ=YEARLY;BYMONTHDAY=20")
    kept = settled(rule, start=wall("2026-08-20T10:00"), zone="Europe/Paris", is_all_day=False)
    assert str(kept) == "FREQ=YEARLY;BYMONTH=8;BYMONTHDAY=20"


def test_the_window_is_half_open() -> None:
    found = paris("FREQ=DAILY", "2026-11-24T10:00", after=at("2026-11-25T09:00"), before=at("2026-11-27T09:00"))
    assert walls(found) == [wall("2026-11-25T10:00"), wall("2026-11-26T10:00")]


def test_r12_until_is_inclusive_and_takes_the_starts_type() -> None:
    timed = settled(
        parse_rule("FREQ=DAILY;UNTIL=20261218"), start=wall("2026-11-24T10:00"), zone="Europe/Paris", is_all_day=False
    )
    assert str(timed) == "FREQ=DAILY;UNTIL=20261218T225959Z"
    floating = parse_rule("FREQ=DAILY;UNTIL=20261218T100000")
    floating = settled(floating, start=wall("2026-11-24T10:00"), zone="Pacific/Noumea", is_all_day=False)
    assert str(floating) == "FREQ=DAILY;UNTIL=20261217T230000Z"
    whole = parse_rule("FREQ=DAILY;UNTIL=20261218T225959Z", is_all_day=True)
    whole = settled(whole, start=wall("2026-11-24T00:00"), zone="Europe/Paris", is_all_day=True)
    assert str(whole) == "FREQ=DAILY;UNTIL=20261218"
    found = paris(str(timed), "2026-11-24T10:00")
    assert found[-1].wall == wall("2026-12-18T10:00")


def test_r13_a_time_that_the_spring_skips() -> None:
    skipped = paris("FREQ=DAILY;COUNT=3", "2027-03-27T02:30")
    assert [date.at for date in skipped] == [at("2027-03-27T01:30"), at("2027-03-29T00:30"), at("2027-03-30T00:30")]
    literal = paris("FREQ=DAILY;COUNT=2", "2027-03-28T02:30")
    assert [date.at for date in literal] == [at("2027-03-28T01:30"), at("2027-03-29T00:30")]
    added = paris("FREQ=DAILY;COUNT=1", "2027-03-27T02:30", rdates=[wall("2027-03-28T02:30")])
    assert [date.at for date in added] == [at("2027-03-27T01:30"), at("2027-03-28T01:30")]


def test_r13_an_hour_that_happens_twice_is_the_first() -> None:
    found = paris("FREQ=DAILY;COUNT=2", "2026-10-24T02:30")
    assert [date.at for date in found] == [at("2026-10-24T00:30"), at("2026-10-25T00:30")]


def test_r11_local_time_stays_across_daylight_saving() -> None:
    found = paris("FREQ=WEEKLY;COUNT=2", "2027-03-22T10:00")
    assert [date.at.hour for date in found] == [9, 8]


@pytest.mark.parametrize("absurd", ["0001-01-01T10:00", "1582-12-31T10:00", "9999-12-31T10:00"])
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Niue"])
def test_absurd_dates_are_refused(absurd: str, zone: str) -> None:
    with pytest.raises(RuleRefused) as refused:
        paris("FREQ=DAILY", absurd, zone=zone)
    assert refused.value.reason == "date_range"
    for name in ("rdates", "exdates"):
        with pytest.raises(RuleRefused):
            paris("FREQ=DAILY", "2026-01-01T10:00", zone=zone, **{name: [wall(absurd)]})


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Niue"])
@pytest.mark.parametrize("until", ["99991231T235959Z", "99991231T235959", "99991231", "15830101T000000Z", "15830101"])
def test_an_end_at_the_ends_of_time(until: str, zone: str) -> None:
    start = wall("2026-11-24T10:00")
    rule = parse_rule(f"FREQ=DAILY;UNTIL={until}")
    kept = settled(rule, start=start, zone=zone, is_all_day=False)
    found = expand(kept, start=start, zone=zone, is_all_day=False, before=FAR, limit=2)
    assert len(found) == (2 if until.startswith("9999") else 0)
    assert describe(kept, start, zone=zone)
    assert from_rule(kept, start, zone=zone) is not None
    assert last_start(kept, start=start, zone=zone, is_all_day=False) is not None


def test_an_unknown_zone() -> None:
    with pytest.raises(UnknownZone):
        paris("FREQ=DAILY", "2026-01-01T10:00", zone="Europe/Pari")


def test_the_calendars_end_is_reached_without_trouble() -> None:
    found = paris(
        "FREQ=DAILY", "2026-11-24T10:00", after=at("9999-12-20T00:00"), before=dt.datetime.max.replace(tzinfo=dt.UTC)
    )
    assert found[-1].wall.date() == dt.date(9999, 12, 30)
    for freq in (
        "WEEKLY",
        "MONTHLY",
        "YEARLY;BYWEEKNO=1,-1",
        "YEARLY;BYDAY=MO",
        "YEARLY;INTERVAL=99999",
        "DAILY;INTERVAL=99999",
    ):
        assert paris(f"FREQ={freq}", "9998-01-01T10:00", before=dt.datetime.max.replace(tzinfo=dt.UTC))


# --- the last date ---


@pytest.mark.parametrize("case", [case for case in CASES if not case.rdates], ids=lambda case: case.name)
def test_the_last_date_of_the_table(case: Case) -> None:
    rule = parse_rule(case.rule, is_all_day=case.all_day)
    arguments = {"start": case.first, "zone": case.zone, "is_all_day": case.all_day}
    last = last_start(rule, **arguments)
    if case.goes_on:
        assert last is None
        return
    found = expand(rule, **arguments, before=FAR)
    assert last == (found[-1] if found else last_start(parse_rule("FREQ=DAILY;COUNT=1"), **arguments))


@given(rules(), starts, st.integers(0, 3000))
def test_the_last_date_with_until(rule: Rule, start: dt.date, days: int) -> None:
    until = parse_rule(f"FREQ=DAILY;UNTIL={start + dt.timedelta(days=days):%Y%m%d}").until
    ending = Rule(**{**vars(rule), "count": None, "until": until})
    arguments = {"start": dt.datetime.combine(start, dt.time(2, 30)), "zone": "Europe/Paris", "is_all_day": False}
    assert last_start(ending, **arguments) == expand(ending, **arguments, before=FAR, limit=10_000)[-1]


def test_the_last_date_counts_rdates_and_not_exdates() -> None:
    arguments = {"start": wall("2026-11-24T10:00"), "zone": "Europe/Paris", "is_all_day": False}
    rule = parse_rule("FREQ=DAILY;COUNT=2")
    assert last_start(rule, **arguments, rdates=[wall("2026-12-24T15:00")]) == Start(
        wall("2026-12-24T15:00"), at("2026-12-24T14:00")
    )
    assert last_start(parse_rule("FREQ=DAILY"), **arguments, rdates=[wall("2026-12-24T15:00")]) is None
    assert last_start(parse_rule("FREQ=YEARLY;INTERVAL=500;COUNT=2"), **arguments) is None


# --- this and the following (R4) ---


@given(rules(), starts, st.integers(0, 40), st.booleans(), st.sampled_from(["Europe/Paris", "Pacific/Noumea"]))
@settings(max_examples=250)
@example(Rule("DAILY", count=5), dt.date(2027, 3, 26), 2, False, "Europe/Paris")
@example(Rule("DAILY", count=5), dt.date(2027, 3, 28), 1, False, "Europe/Paris")
def test_r4_both_halves_make_the_whole(rule: Rule, start: dt.date, place: int, is_all_day: bool, zone: str) -> None:
    arguments = {"zone": zone, "is_all_day": is_all_day}
    first = dt.datetime.combine(start, dt.time() if is_all_day else dt.time(2, 30))
    before = first.replace(tzinfo=dt.UTC) + dt.timedelta(days=4000)
    whole = expand(rule, start=first, **arguments, before=before, limit=10_000)
    here = whole[place % len(whole)]
    head, tail = split(rule, start=first, **arguments, at=here)
    heads = expand(head, start=first, **arguments, before=before, limit=10_000)
    tails = expand(tail, start=here.wall, **arguments, before=before, limit=10_000)
    assert heads + tails == whole
    assert head.count is None
    assert heads == [] or last_start(head, start=first, **arguments) == heads[-1]


def test_r4_until_is_just_before_the_split_in_utc_and_count_is_reduced() -> None:
    start = wall("2027-03-26T02:30")
    here = next_start(
        parse_rule("FREQ=DAILY"), start=start, zone="Europe/Paris", is_all_day=False, at=at("2027-03-28T12:00")
    )
    assert here is not None
    head, tail = split(parse_rule("FREQ=DAILY;COUNT=5"), start=start, zone="Europe/Paris", is_all_day=False, at=here)
    # 26 and 27 March were used; the 28th has no half past two and was never counted.
    assert (str(head), str(tail)) == ("FREQ=DAILY;UNTIL=20270329T002959Z", "FREQ=DAILY;COUNT=3")
    days = Start(wall("2026-12-01T00:00"), at("2026-11-30T23:00"))
    rule = parse_rule("FREQ=WEEKLY;UNTIL=20261231", is_all_day=True)
    head, tail = split(rule, start=wall("2026-11-24T00:00"), zone="Europe/Paris", is_all_day=True, at=days)
    assert (str(head), str(tail)) == ("FREQ=WEEKLY;UNTIL=20261130", "FREQ=WEEKLY;UNTIL=20261231")


@pytest.mark.parametrize("rule", ["FREQ=DAILY;COUNT=3", "FREQ=DAILY;UNTIL=20261126T235959Z"])
def test_r4_a_split_after_the_end_is_refused(rule: str) -> None:
    late = Start(wall("2026-12-24T10:00"), at("2026-12-24T09:00"))
    with pytest.raises(ValueError, match="nothing"):
        split(parse_rule(rule), start=wall("2026-11-24T10:00"), zone="Europe/Paris", is_all_day=False, at=late)
    assert (
        next_start(parse_rule(rule), start=wall("2026-11-24T10:00"), zone="Europe/Paris", is_all_day=False, at=late.at)
        is None
    )


# --- a start that fits ---


def test_a_start_moves_to_the_rules_first_date() -> None:
    last_workday = parse_rule("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1")
    assert aligned(last_workday, wall("2026-11-24T10:00")) == wall("2026-11-30T10:00")
    assert aligned(last_workday, wall("2026-11-30T10:00")) == wall("2026-11-30T10:00")
    assert not matches(last_workday, wall("2026-11-24T10:00"))
    nine = parse_rule("FREQ=DAILY;BYHOUR=9")
    assert aligned(nine, wall("2026-11-24T10:00")) == wall("2026-11-25T09:00")
    never = parse_rule("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30")
    assert aligned(never, wall("2026-11-24T10:00")) == wall("2026-11-24T10:00")
    assert not matches(never, wall("2026-11-24T10:00"))


@given(rules(ends=False), starts)
def test_an_aligned_start_matches_and_loses_nothing(rule: Rule, start: dt.date) -> None:
    first = dt.datetime.combine(start, TEN)
    moved_to = aligned(rule, first)
    before = first.replace(tzinfo=dt.UTC) + dt.timedelta(days=3000)
    assume(moved_to.replace(tzinfo=dt.UTC) < before)
    assume(moved_to != first or matches(rule, first))
    made = expand(rule, start=first, zone="UTC", is_all_day=False, before=before)
    assert walls(made)[moved_to != first :][:1] == [moved_to]
