"""Rule bombs: whatever a file holds, time and memory are bounded. Times are processor seconds, with room for a busy machine."""

from __future__ import annotations

import datetime as dt
import time
import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.visio.meetings.recurrence_oracle import rules
from visio.meetings.recurrence import Rule, RuleRefused, expand, last_start, next_start, parse_rule, settled, split

PARIS = {"zone": "Europe/Paris", "is_all_day": False}
START = dt.datetime(2026, 11, 24, 10)  # noqa: DTZ001  a wall clock
FAR = dt.datetime(9999, 12, 31, tzinfo=dt.UTC)


def utc(year: int, month: int = 1, day: int = 1) -> dt.datetime:
    return dt.datetime(year, month, day, tzinfo=dt.UTC)


def seconds(work: Callable[[], object], times: int = 1) -> float:
    """The least processor time of some tries."""
    tries = []
    for _try in range(times):
        begun = time.process_time()
        work()
        tries.append(time.process_time() - begun)
    return min(tries)


def test_ten_years_of_weeks_take_a_moment() -> None:
    rule = parse_rule("FREQ=WEEKLY;BYDAY=TU")
    assert len(expand(rule, start=START, **PARIS, before=utc(2036, 11, 24))) == 522
    assert seconds(lambda: expand(rule, start=START, **PARIS, before=utc(2036, 11, 24)), times=5) < 0.02


@pytest.mark.parametrize(
    "text",
    ["FREQ=DAILY", "FREQ=DAILY;INTERVAL=3", "FREQ=WEEKLY;BYDAY=MO,TU,WE", "FREQ=MONTHLY", "FREQ=YEARLY;BYDAY=MO"],
)
def test_a_week_far_away_costs_what_a_week_costs(text: str) -> None:
    rule = parse_rule(text)
    far = {"after": utc(2990, 1, 1), "before": utc(2990, 2, 15)}
    assert expand(rule, start=START, **PARIS, **far)
    assert seconds(lambda: expand(rule, start=START, **PARIS, **far), times=5) < 0.01


IMPOSSIBLE = [
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;BYWEEKNO=53",
    "FREQ=YEARLY;BYYEARDAY=1;BYMONTH=2",
    "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=-30",
    "FREQ=MONTHLY;BYMONTHDAY=1;BYDAY=2MO",
    "FREQ=MONTHLY;BYMONTHDAY=31;BYSETPOS=2",
    "FREQ=WEEKLY;BYDAY=MO;BYSETPOS=2",
    "FREQ=WEEKLY;BYDAY=MO;BYSETPOS=366;BYMONTH=1",
    "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;INTERVAL=99999",
    "FREQ=DAILY;INTERVAL=7;BYDAY=WE",
    "FREQ=DAILY;BYSETPOS=2;BYMONTHDAY=1",
]


@pytest.mark.parametrize("end", ["", ";COUNT=36525", ";UNTIL=99991231T000000Z"])
@pytest.mark.parametrize("text", IMPOSSIBLE)
def test_an_impossible_rule_ends_at_its_start_and_soon(text: str, end: str) -> None:
    rule = parse_rule(text + end)

    def work() -> None:
        found = expand(rule, start=START, **PARIS, before=FAR)
        assert [start.wall for start in found] == [START]
        assert last_start(rule, start=START, **PARIS) == found[0]
        assert next_start(rule, start=START, **PARIS, at=utc(2026, 11, 25)) is None

    assert seconds(work) < 2


BOMBS = [
    "FREQ=DAILY;COUNT=36525",
    "FREQ=DAILY;UNTIL=99991231",
    "FREQ=YEARLY;COUNT=36525",
    "FREQ=YEARLY;BYYEARDAY=" + ",".join(map(str, range(1, 367))),
    "FREQ=YEARLY;BYYEARDAY=" + ",".join(map(str, range(-366, 0))) + ";BYSETPOS=-1,1,366;COUNT=36525",
    "FREQ=YEARLY;BYWEEKNO=" + ",".join(map(str, range(1, 54))) + ";BYDAY=MO,TU,WE,TH,FR,SA,SU;COUNT=36525",
    "FREQ=YEARLY;BYDAY=" + ",".join(f"{nth}{day}" for nth in range(1, 54) for day in ("MO", "TU", "SU")),
    "FREQ=MONTHLY;BYMONTHDAY=31;BYDAY=SU;BYMONTH=12;COUNT=36525",
    "FREQ=DAILY;BYMONTHDAY=29;BYMONTH=2;BYDAY=SU;COUNT=36525",
    "FREQ=DAILY;INTERVAL=11;BYMONTHDAY=29;BYMONTH=2;BYDAY=SU",
    "FREQ=WEEKLY;INTERVAL=99999;COUNT=2",
]


@pytest.mark.parametrize("text", BOMBS, ids=lambda text: text[:40])
def test_a_bomb_is_bounded_in_time_and_memory(text: str) -> None:
    rule = parse_rule(text)

    def work() -> None:
        found = expand(rule, start=START, **PARIS, before=utc(2028, 6, 1))
        assert len(found) <= 2000
        settled(rule, start=START, **PARIS)
        last_start(rule, start=START, **PARIS)
        split(rule, start=START, **PARIS, at=found[len(found) // 2])

    assert seconds(work) < 2
    tracemalloc.start()
    work()
    _now, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 4_000_000


def test_the_limit_bounds_what_is_given() -> None:
    rule = parse_rule("FREQ=DAILY")
    assert len(expand(rule, start=START, **PARIS, before=FAR)) == 2000
    assert len(expand(rule, start=START, **PARIS, before=FAR, limit=10)) == 10
    many = [START + dt.timedelta(hours=hour) for hour in range(10_000)]
    assert seconds(lambda: expand(rule, start=START, **PARIS, rdates=many, exdates=many, before=FAR)) < 2
    assert len(expand(rule, start=START, **PARIS, rdates=many, before=FAR, limit=10)) == 10


@pytest.mark.parametrize(
    "text",
    [
        "FREQ=SECONDLY",
        "FREQ=MINUTELY;INTERVAL=1;COUNT=99999999",
        "FREQ=MONTHLY;BYMONTHDAY=" + ",".join(["15"] * 10_000),
        "FREQ=DAILY;" * 1_000_000,
        "FREQ=DAILY;COUNT=" + "9" * 3_000,
        "FREQ=DAILY;X" * 300,
        "A=" * 2_000,
        "(" * 4_000,
    ],
    ids=lambda text: text[:30],
)
def test_a_text_bomb_is_refused_at_once(text: str) -> None:
    def work() -> None:
        with pytest.raises(RuleRefused):
            parse_rule(text)

    assert seconds(work) < 0.2


@given(rules(), st.sampled_from(["", "99991231", "21000101T000000Z"]))
@settings(max_examples=150)
def test_no_rule_takes_long(rule: Rule, until: str) -> None:
    if until and rule.count is None:
        rule = parse_rule(f"{rule};UNTIL={until}")
    arguments = {"start": START, **PARIS}
    assert seconds(lambda: expand(rule, **arguments, before=utc(2028, 6, 1))) < 1
    assert seconds(lambda: last_start(rule, **arguments)) < 1
    assert seconds(lambda: next_start(rule, **arguments, at=utc(2090))) < 1
