"""Reading and writing rules: whatever the text, a rule or a reason."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import translation
from hypothesis import example, given
from hypothesis import strategies as st

from tests.visio.meetings.recurrence_oracle import rules
from visio.meetings.rules import MAX_COUNT, MAX_INTERVAL, Day, Rule, RuleRefused, parse_rule

REFUSED = [
    ("", "empty"),
    ("  ;  ", "empty"),
    ("RRULE:", "empty"),
    ("INTERVAL=2", "no_frequency"),
    ("FREQ=", "syntax"),
    ("FREQ", "syntax"),
    ("FREQ=DAILY;;COUNT=2", "syntax"),
    ("FREQ=DAILY;;", "syntax"),
    ("=DAILY", "syntax"),
    ("FREQ=DAILY COUNT=2", "unknown_frequency"),
    ("FREQ=DAILY\r\nATTENDEE:mailto:x@example.fr", "unknown_frequency"),
    ("FREQ=FORTNIGHTLY", "unknown_frequency"),
    ("FREQ=SECONDLY", "sub_daily"),
    ("freq=minutely;interval=90", "sub_daily"),
    ("FREQ=HOURLY;INTERVAL=24", "sub_daily"),
    ("FREQ=DAILY;BYHOUR=9,17", "several_times"),
    ("FREQ=DAILY;BYMINUTE=0,30", "several_times"),
    ("FREQ=DAILY;BYSECOND=0,30", "several_times"),
    ("FREQ=DAILY;BYHOUR=24", "range"),
    ("FREQ=DAILY;BYMINUTE=60", "range"),
    ("FREQ=DAILY;BYSECOND=-1", "range"),
    ("FREQ=DAILY;FREQ=DAILY", "duplicate_part"),
    ("FREQ=DAILY;COUNT=2;count=3", "duplicate_part"),
    ("FREQ=DAILY;BYEASTER=0", "unknown_part"),
    ("FREQ=DAILY;X-NAME=1", "unknown_part"),
    ("FREQ=DAILY;COUNT=2;UNTIL=20261224", "count_and_until"),
    ("FREQ=DAILY;COUNT=0", "range"),
    ("FREQ=DAILY;COUNT=-3", "range"),
    (f"FREQ=DAILY;COUNT={MAX_COUNT + 1}", "range"),
    ("FREQ=DAILY;COUNT=99999999999999999999999999", "range"),
    ("FREQ=DAILY;COUNT=two", "syntax"),
    ("FREQ=DAILY;COUNT=1_0", "syntax"),
    ("FREQ=DAILY;INTERVAL=0", "range"),
    (f"FREQ=DAILY;INTERVAL={MAX_INTERVAL + 1}", "range"),
    ("FREQ=YEARLY;BYMONTH=0", "range"),
    ("FREQ=YEARLY;BYMONTH=13", "range"),
    ("FREQ=YEARLY;BYMONTH=-1", "range"),
    ("FREQ=YEARLY;BYMONTH=5L", "syntax"),
    ("FREQ=MONTHLY;BYMONTHDAY=0", "range"),
    ("FREQ=MONTHLY;BYMONTHDAY=32", "range"),
    ("FREQ=MONTHLY;BYMONTHDAY=1,,2", "syntax"),
    ("FREQ=MONTHLY;BYMONTHDAY=--1", "syntax"),
    ("FREQ=YEARLY;BYYEARDAY=367", "range"),
    ("FREQ=YEARLY;BYYEARDAY=0", "range"),
    ("FREQ=YEARLY;BYWEEKNO=54", "range"),
    ("FREQ=YEARLY;BYDAY=0MO", "range"),
    ("FREQ=YEARLY;BYDAY=54MO", "range"),
    ("FREQ=MONTHLY;BYDAY=6MO", "not_with_frequency"),
    ("FREQ=WEEKLY;BYDAY=XX", "syntax"),
    ("FREQ=WEEKLY;BYDAY=MO TU", "syntax"),
    ("FREQ=WEEKLY;BYDAY=MARDI", "syntax"),
    ("FREQ=WEEKLY;BYDAY=1MO", "not_with_frequency"),
    ("FREQ=DAILY;BYDAY=-1MO", "not_with_frequency"),
    ("FREQ=YEARLY;BYWEEKNO=20;BYDAY=1MO", "not_with_frequency"),
    ("FREQ=WEEKLY;BYMONTHDAY=1", "not_with_frequency"),
    ("FREQ=MONTHLY;BYYEARDAY=1", "not_with_frequency"),
    ("FREQ=DAILY;BYWEEKNO=1", "not_with_frequency"),
    ("FREQ=MONTHLY;BYSETPOS=1", "set_pos_alone"),
    ("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=0", "range"),
    ("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=367", "range"),
    ("FREQ=WEEKLY;WKST=XX", "syntax"),
    ("FREQ=DAILY;UNTIL=tomorrow", "until"),
    ("FREQ=DAILY;UNTIL=20260230", "until"),
    ("FREQ=DAILY;UNTIL=00000101", "until"),
    ("FREQ=DAILY;UNTIL=20261224T2500", "until"),
    ("FREQ=DAILY;UNTIL=00010101T000000Z", "until"),
    ("FREQ=DAILY;UNTIL=15821231", "until"),
    ("FREQ=DAILY;UNTIL=20261224T250000Z", "until"),
    ("FREQ=DAILY;UNTIL=20261224T100000+0100", "until"),
    ("FREQ=DAILY;UNTIL=2026-12-24", "until"),
    ("RSCALE=HEBREW;FREQ=YEARLY", "other_calendar"),
    ("RSCALE=GREGORIAN;FREQ=MONTHLY;SKIP=BACKWARD", "other_calendar"),
    ("FREQ=MONTHLY;SKIP=OMIT", "other_calendar"),
    ("FREQ=DAıLY", "syntax"),
    ("FREQ=DAILY;COUNT=٣", "syntax"),
    ("FREQ=MONTHLY;BYMONTHDAY=" + ",".join(["1"] * 10_000), "too_long"),
]


@pytest.mark.parametrize(("text", "reason"), REFUSED, ids=lambda value: str(value)[:40])
def test_refused_with_a_reason(text: str, reason: str) -> None:
    with pytest.raises(RuleRefused) as refused:
        parse_rule(text)
    assert refused.value.reason == reason
    assert refused.value.message.endswith((".", "»."))
    assert "%(" not in refused.value.message
    # The words of a stranger are quoted short.
    assert len(refused.value.message) < 220


def test_the_message_names_what_is_wrong() -> None:
    with translation.override("fr"), pytest.raises(RuleRefused) as refused:
        parse_rule("FREQ=MONTHLY;BYMONTHDAY=32")
    assert refused.value.message == "Nombre hors limites dans la règle de répétition : BYMONTHDAY=32."


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("freq=weekly;byday=th,tu;interval=1;", "FREQ=WEEKLY;BYDAY=TU,TH"),
        (" RRULE:COUNT=5;FREQ=DAILY ", "FREQ=DAILY;COUNT=5"),
        ("FREQ=WEEKLY;WKST=MO", "FREQ=WEEKLY"),
        ("FREQ=WEEKLY;WKST=SU;INTERVAL=02", "FREQ=WEEKLY;INTERVAL=2;WKST=SU"),
        ("FREQ=MONTHLY;BYMONTHDAY=+15,-1,15", "FREQ=MONTHLY;BYMONTHDAY=-1,15"),
        ("FREQ=MONTHLY;BYDAY=+2TU,-1FR,2TU", "FREQ=MONTHLY;BYDAY=2TU,-1FR"),
        ("FREQ=MONTHLY;BYDAY=2TU,TU", "FREQ=MONTHLY;BYDAY=TU"),
        ("FREQ=DAILY;BYHOUR=9,9;BYMINUTE=0", "FREQ=DAILY;BYHOUR=9;BYMINUTE=0"),
        ("FREQ=DAILY;UNTIL=20261224T235960Z", "FREQ=DAILY;UNTIL=20261224T235959Z"),
        ("FREQ=DAILY;UNTIL=20261224T100000", "FREQ=DAILY;UNTIL=20261224T100000"),
        ("FREQ=DAILY;UNTIL=20261224", "FREQ=DAILY;UNTIL=20261224"),
        ("FREQ=DAILY;UNTIL=99991231T235959Z", "FREQ=DAILY;UNTIL=99991230T235959Z"),
        (
            "BYSETPOS=-1;BYDAY=MO,TU,WE,TH,FR;FREQ=MONTHLY;INTERVAL=3;BYMONTH=3,1",
            "FREQ=MONTHLY;INTERVAL=3;BYMONTH=1,3;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
        ),
        ("RSCALE=GREGORIAN;FREQ=YEARLY", "FREQ=YEARLY"),
    ],
)
def test_canonical_text(text: str, canonical: str) -> None:
    rule = parse_rule(text)
    assert str(rule) == canonical
    assert parse_rule(canonical) == rule


def test_hours_on_whole_days_are_ignored() -> None:
    assert str(parse_rule("FREQ=DAILY;BYHOUR=9,17;BYMINUTE=99", is_all_day=True)) == "FREQ=DAILY"


def test_every_day_of_the_year_fits() -> None:
    every = ",".join(map(str, range(1, 367)))
    assert parse_rule(f"FREQ=YEARLY;BYYEARDAY={every}").by_year_day == tuple(range(1, 367))


def test_a_rule_is_a_value() -> None:
    rule = parse_rule("FREQ=WEEKLY;BYDAY=TU;UNTIL=20261224T090000Z")
    assert rule == Rule("WEEKLY", by_day=(Day(1),), until=dt.datetime(2026, 12, 24, 9, tzinfo=dt.UTC))
    assert rule.ends
    assert not parse_rule("FREQ=WEEKLY").ends


@given(rules())
def test_written_and_read_again(rule: Rule) -> None:
    if rule.freq == "MONTHLY" or not any(abs(day.nth) > 5 for day in rule.by_day):
        assert parse_rule(str(rule)) == rule


_PIECES = ["FREQ=DAILY", "FREQ=YEARLY", "FREQ=WEEKLY", ";", "=", ",", "BYDAY=", "MO", "-1", "BYMONTHDAY=", "COUNT=", "9", "31",
           "UNTIL=", "20261224", "T100000Z", "WKST=", "BYSETPOS=", "INTERVAL=", "BYHOUR=", " ", "\n", "%", "%(part)s", "é"]  # fmt: skip


@given(st.one_of(st.text(), st.lists(st.sampled_from(_PIECES), max_size=14).map("".join)), st.booleans())
@example("FREQ=DAILY;%(x)s=1", False)
@example("FREQ=DAILY;BYDAY=%", False)
def test_any_text_is_a_rule_or_is_refused(text: str, is_all_day: bool) -> None:
    try:
        rule = parse_rule(text, is_all_day=is_all_day)
    except RuleRefused as refused:
        said = (refused.reason, refused.message)
    else:
        said = (str(rule), str(parse_rule(str(rule))))
        assert said[0] == said[1]
    assert all(said)
