"""A slow reading of RRULE that is easy to believe: every day is asked every question. And rules to try it with."""

from __future__ import annotations

import calendar
import datetime as dt
from collections import defaultdict
from dataclasses import replace
from functools import lru_cache

from hypothesis import strategies as st

from visio.meetings.rules import Day, Freq, Rule

DAY = dt.timedelta(days=1)


def oracle(rule: Rule, start: dt.date, end: dt.date) -> list[dt.date]:
    """The days from the start (always one of them, the first counted) to `end`, which no zone and no hour disturb."""
    sets: dict[int, list[dt.date]] = defaultdict(list)
    day = start - 400 * DAY
    while day <= end + 400 * DAY:
        if _is_asked(rule, start, day):
            sets[_period(rule, day)].append(day)
        day += DAY
    days = []
    for number, members in sets.items():
        if (number - _period(rule, start)) % rule.interval:
            continue
        if rule.by_set_pos:
            places = [n - 1 if n > 0 else len(members) + n for n in rule.by_set_pos]
            members = [member for place, member in enumerate(members) if place in places]
        days += [member for member in members if start < member <= end]
    return [start, *sorted(days)][: rule.count]


def _period(rule: Rule, day: dt.date) -> int:
    if rule.freq == "YEARLY":
        return _week(day, rule.week_start)[0] if rule.by_week_no else day.year
    if rule.freq == "MONTHLY":
        return day.year * 12 + day.month
    if rule.freq == "DAILY":
        return day.toordinal()
    while day.weekday() != rule.week_start:
        day -= DAY
    return day.toordinal() // 7


def _is_asked(rule: Rule, start: dt.date, day: dt.date) -> bool:
    month_days, months, weekdays = rule.by_month_day, rule.by_month, rule.by_day
    somewhen = bool(month_days or weekdays or rule.by_year_day)
    if rule.freq == "WEEKLY":
        weekdays = weekdays or (Day(start.weekday()),)
    elif rule.freq == "MONTHLY" and not somewhen:
        month_days = (start.day,)
    elif rule.freq == "YEARLY" and rule.by_week_no and not somewhen:
        weekdays = (Day(start.weekday()),)
    elif rule.freq == "YEARLY" and not rule.by_week_no and not rule.by_year_day:
        if not months and (month_days or not weekdays):
            months = (start.month,)
        if not somewhen:
            month_days = (start.day,)
    month_length = calendar.monthrange(day.year, day.month)[1]
    year_day = (day - dt.date(day.year, 1, 1)).days + 1
    year_length = 366 if calendar.isleap(day.year) else 365
    if months and day.month not in months:
        return False
    if month_days and not {day.day, day.day - month_length - 1} & set(month_days):
        return False
    if rule.by_year_day and not {year_day, year_day - year_length - 1} & set(rule.by_year_day):
        return False
    if rule.by_week_no:
        _year, number, total = _week(day, rule.week_start)
        if not {number, number - total - 1} & set(rule.by_week_no):
            return False
    if not weekdays:
        return True
    if rule.freq == "MONTHLY" or months:
        before, after = day.day - 1, month_length - day.day
    else:
        before, after = year_day - 1, year_length - year_day
    nths = {0, before // 7 + 1, -(after // 7 + 1)}
    return any(asked.weekday == day.weekday() and asked.nth in nths for asked in weekdays)


@lru_cache(maxsize=100_000)
def _week(day: dt.date, week_start: int) -> tuple[int, int, int]:
    """(its year, its number, how many that year has): a week is of the year that four of its days are in."""
    while day.weekday() != week_start:
        day -= DAY
    year = (day + 3 * DAY).year
    number, total = 0, 0
    one = dt.date(year, 1, 1) - 6 * DAY
    while one.weekday() != week_start:
        one += DAY
    while (one + 3 * DAY).year <= year:
        if (one + 3 * DAY).year == year:
            total += 1
            if one == day:
                number = total
        one += 7 * DAY
    return year, number, total


def _some(values: st.SearchStrategy[int], most: int = 4) -> st.SearchStrategy[tuple[int, ...]]:
    return st.one_of(st.just(()), st.sets(values, max_size=most).map(lambda found: tuple(sorted(found))))


def _either_end(most: int) -> st.SearchStrategy[int]:
    return st.one_of(st.integers(1, most), st.integers(-most, -1))


@st.composite
def rules(draw: st.DrawFn, *, ends: bool = True) -> Rule:
    """Any rule of the RFC from DAILY up, without hours; COUNT at times."""
    freq: Freq = draw(st.sampled_from(("DAILY", "WEEKLY", "MONTHLY", "YEARLY")))
    rule = Rule(
        freq=freq,
        interval=draw(st.one_of(st.just(1), st.integers(1, 9))),
        by_month=draw(_some(st.integers(1, 12))),
        week_start=draw(st.one_of(st.just(0), st.integers(0, 6))),
    )
    if ends:
        rule = replace(rule, count=draw(st.one_of(st.none(), st.integers(1, 30))))
    if freq != "WEEKLY":
        rule = replace(rule, by_month_day=draw(_some(_either_end(31))))
    if freq == "YEARLY":
        rule = replace(
            rule, by_week_no=draw(_some(st.sampled_from((1, 2, 20, 52, 53, -1, -2, -53)))),
            by_year_day=draw(_some(st.sampled_from((1, 2, 60, 100, 365, 366, -1, -366, -365, -306)))),
        )  # fmt: skip
    nths = st.just(0)
    if freq == "MONTHLY":
        nths = st.one_of(nths, _either_end(5))
    elif freq == "YEARLY" and not rule.by_week_no:
        nths = st.one_of(nths, st.sampled_from((1, 2, 5, 20, 53, -1, -2, -5, -53)))
    days = draw(st.one_of(st.just(set()), st.sets(st.builds(Day, st.integers(0, 6), nths), max_size=5)))
    whole = {day.weekday for day in days if day.nth == 0}
    rule = replace(rule, by_day=tuple(sorted(day for day in days if day.nth == 0 or day.weekday not in whole)))
    if any((rule.by_month, rule.by_month_day, rule.by_year_day, rule.by_week_no, rule.by_day)):
        rule = replace(rule, by_set_pos=draw(_some(st.one_of(_either_end(4), _either_end(366)), 3)))
    return rule
