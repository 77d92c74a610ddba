"""The dates that a rule makes, a period (day, week, month, year) at a time. Pure, in ordinals of `datetime.date`.

The set of a period is built whole, BYSETPOS is taken from the whole set, and only then what lies before the start is cut:
that is how §3.3.10 reads, and it lets the walk begin at any period. The Gregorian calendar repeats every 400 years, so a
rule that finds nothing in so many periods in a row never finds anything again (`_CYCLE`): impossible rules end.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

from visio.meetings.rules import LAST_DATE, Day, Freq, Rule

LAST_DAY = LAST_DATE.toordinal()
CYCLE_DAYS = 146_097
_CYCLE: dict[Freq, int] = {"DAILY": CYCLE_DAYS, "WEEKLY": CYCLE_DAYS // 7, "MONTHLY": 4_800, "YEARLY": 400}


def filled(rule: Rule, start: dt.date) -> Rule:
    """The rule with what it leaves to its start (§3.3.10: "information, not contained in the rule").

    YEARLY with BYMONTHDAY alone means that day of the start's month, as Google and Windows write it and libical reads it
    (dateutil: of every month). YEARLY with BYWEEKNO alone means the start's weekday of those weeks.
    """
    nothing = not (rule.by_day or rule.by_month_day or rule.by_year_day)
    if rule.freq == "WEEKLY" and not rule.by_day:
        return replace(rule, by_day=(Day(start.weekday()),))
    if rule.freq == "MONTHLY" and nothing:
        return replace(rule, by_month_day=(start.day,))
    if rule.freq != "YEARLY":
        return rule
    if rule.by_week_no:
        return replace(rule, by_day=(Day(start.weekday()),)) if nothing else rule
    if rule.by_year_day:
        return rule
    if not rule.by_month and (rule.by_month_day or nothing):
        rule = replace(rule, by_month=(start.month,))
    return replace(rule, by_month_day=(start.day,)) if nothing else rule


class Periods:
    """The periods of a rule, numbered from the one that holds the start (0); the interval is in the numbering."""

    def __init__(self, rule: Rule, start: dt.date) -> None:
        self.rule = filled(rule, start)
        self._first = self._number(start)

    def index(self, day: dt.date) -> int:
        """The last period that begins no later than `day`'s (negative before the start)."""
        return (self._number(day) - self._first) // self.rule.interval

    def forward(self, index: int, last_day: int) -> Iterator[int]:
        """The days from that period on, ascending, up to `last_day`."""
        last_day = min(last_day, LAST_DAY)
        if self.rule.freq == "DAILY":
            yield from self._daily(self._first + index * self.rule.interval, last_day)
            return
        empty = 0
        while empty < _CYCLE[self.rule.freq]:
            number = self._first + index * self.rule.interval
            if self._earliest(number) > last_day:
                return
            days = self.days(number)
            for day in days:
                if day > last_day:
                    return
                yield day
            empty = 0 if days else empty + 1
            index += 1

    def backward(self, index: int) -> Iterator[int]:
        """The days of that period and of those before it, descending, down to the period of the start."""
        empty = 0
        while index >= 0 and empty < _CYCLE[self.rule.freq]:
            days = self.days(self._first + index * self.rule.interval)
            yield from reversed(days)
            empty = 0 if days else empty + 1
            index -= 1

    def days(self, number: int) -> list[int]:
        """The whole set of one period."""
        rule = self.rule
        if rule.freq == "DAILY":
            days = [number] if self._is_daily(dt.date.fromordinal(number)) else []
        elif rule.freq == "WEEKLY":
            monday = 7 * number + rule.week_start + 1
            days = sorted(monday + (day.weekday - rule.week_start) % 7 for day in rule.by_day)
            days = [day for day in days if 1 <= day <= LAST_DAY]
            if rule.by_month:
                days = [day for day in days if dt.date.fromordinal(day).month in rule.by_month]
        elif rule.freq == "MONTHLY":
            days = sorted(self._monthly(*divmod(number, 12)))
        else:
            days = sorted(self._yearly(number))
        return _chosen(days, rule.by_set_pos) if rule.by_set_pos else days

    def _number(self, day: dt.date) -> int:
        """The absolute number of the period that holds `day`."""
        match self.rule.freq:
            case "DAILY":
                return day.toordinal()
            case "WEEKLY":
                return (day.toordinal() - 1 - self.rule.week_start) // 7
            case "MONTHLY":
                return 12 * day.year + day.month - 1
            case "YEARLY":
                return _week_year(day, self.rule.week_start) if self.rule.by_week_no else day.year

    def _earliest(self, number: int) -> int:
        """A day no later than any of the period's."""
        match self.rule.freq:
            case "WEEKLY":
                return 7 * number + self.rule.week_start + 1
            case "MONTHLY":
                year, month = divmod(number, 12)
                return dt.date(year, month + 1, 1).toordinal() if year <= dt.MAXYEAR else LAST_DAY + 1
            case _:
                # A week of a year may begin in the year before.
                return dt.date(number, 1, 1).toordinal() - 6 if number <= dt.MAXYEAR else LAST_DAY + 1

    def _is_daily(self, day: dt.date) -> bool:
        rule = self.rule
        if rule.by_month and day.month not in rule.by_month:
            return False
        if rule.by_month_day and not _in_month(day, rule.by_month_day):
            return False
        return not rule.by_day or Day(day.weekday()) in rule.by_day

    def _daily(self, number: int, last_day: int) -> Iterator[int]:
        rule, step = self.rule, self.rule.interval
        # A day is a set of one: only its first or its last can be chosen.
        if rule.by_set_pos and not {1, -1} & set(rule.by_set_pos):
            return
        if not (rule.by_month or rule.by_month_day or rule.by_day):
            yield from range(number, last_day + 1, step)
            return
        found = number
        while number <= last_day and number - found <= step * CYCLE_DAYS:
            day = dt.date.fromordinal(number)
            if rule.by_month and day.month not in rule.by_month:
                left = calendar.monthrange(day.year, day.month)[1] - day.day + 1
                number += -(-left // step) * step
                continue
            if self._is_daily(day):
                found = number
                yield number
            number += step

    def _monthly(self, year: int, month0: int) -> set[int]:
        rule, month = self.rule, month0 + 1
        if rule.by_month and month not in rule.by_month:
            return set()
        days = _month_days(year, month, rule.by_month_day) if rule.by_month_day else None
        if rule.by_day:
            weekdays = _weekdays_in(*_month_span(year, month), rule.by_day)
            days = weekdays if days is None else days & weekdays
        return days or set()

    def _yearly(self, year: int) -> set[int]:
        rule = self.rule
        sets: list[set[int]] = []
        if rule.by_week_no:
            sets.append(_weeks(year, rule.by_week_no, rule.week_start))
        if rule.by_year_day:
            sets.append(self._year_days(year))
        if rule.by_month_day:
            # Without BYMONTH only where weeks or days of the year have chosen already.
            years = (year - 1, year, year + 1) if rule.by_week_no else (year,)
            months = rule.by_month or range(1, 13)
            sets.append(
                {
                    day
                    for y in years
                    if 1 <= y <= dt.MAXYEAR
                    for m in months
                    for day in _month_days(y, m, rule.by_month_day)
                }
            )
        days = set.intersection(*sets) if sets else None
        if rule.by_day:
            days = self._with_weekdays(year, days)
        days = days or set()
        if rule.by_month:
            days = {day for day in days if dt.date.fromordinal(day).month in rule.by_month}
        return days

    def _year_days(self, year: int) -> set[int]:
        """Days of the calendar year; of its weeks' neighbours too when weeks choose as well."""
        found = set()
        for y in (year - 1, year, year + 1) if self.rule.by_week_no else (year,):
            if 1 <= y <= dt.MAXYEAR:
                first, length = dt.date(y, 1, 1).toordinal(), 365 + calendar.isleap(y)
                found |= {first + (n - 1 if n > 0 else length + n) for n in self.rule.by_year_day if abs(n) <= length}
        return found

    def _with_weekdays(self, year: int, days: set[int] | None) -> set[int]:
        rule = self.rule
        if rule.by_week_no:
            weekdays = {day.weekday for day in rule.by_day}
            return {day for day in days or () if (day - 1) % 7 in weekdays}
        if rule.by_month:
            spans = [_month_span(year, month) for month in rule.by_month]
        else:
            spans = [(dt.date(year, 1, 1).toordinal(), 365 + calendar.isleap(year))]
        found = {day for first, length in spans for day in _weekdays_in(first, length, rule.by_day)}
        return found if days is None else days & found


def _chosen(days: list[int], positions: tuple[int, ...]) -> list[int]:
    return sorted({days[n - 1 if n > 0 else n] for n in positions if abs(n) <= len(days)})


def _in_month(day: dt.date, month_days: tuple[int, ...]) -> bool:
    return day.day in month_days or day.day - calendar.monthrange(day.year, day.month)[1] - 1 in month_days


def _month_span(year: int, month: int) -> tuple[int, int]:
    return dt.date(year, month, 1).toordinal(), calendar.monthrange(year, month)[1]


def _month_days(year: int, month: int, month_days: tuple[int, ...]) -> set[int]:
    first, length = _month_span(year, month)
    return {first + (n - 1 if n > 0 else length + n) for n in month_days if abs(n) <= length}


def _weekdays_in(first: int, length: int, by_day: tuple[Day, ...]) -> set[int]:
    """The days of BYDAY in a month or a year of `length` days from `first`."""
    found: set[int] = set()
    for day in by_day:
        every = range(first + (day.weekday - (first - 1)) % 7, first + length, 7)
        if day.nth == 0:
            found.update(every)
        elif abs(day.nth) <= len(every):
            found.add(every[day.nth - 1 if day.nth > 0 else day.nth])
    return found


@lru_cache(maxsize=4096)
def _week_one(year: int, week_start: int) -> int:
    """Where week 1 begins: the first week with four days or more of the year (§3.3.10, ISO 8601 for Monday)."""
    fourth = dt.date(year, 1, 4).toordinal()
    return fourth - (fourth - 1 - week_start) % 7


def _weeks_of(year: int, week_start: int) -> int:
    if year == dt.MAXYEAR:
        return 52
    return (_week_one(year + 1, week_start) - _week_one(year, week_start)) // 7


def _weeks(year: int, numbers: tuple[int, ...], week_start: int) -> set[int]:
    """Every day of those weeks of the year; the first and last may lie in its neighbours."""
    total = _weeks_of(year, week_start)
    found: set[int] = set()
    for number in numbers:
        if abs(number) <= total:
            begin = _week_one(year, week_start) + 7 * (number - 1 if number > 0 else total + number)
            found.update(day for day in range(begin, begin + 7) if 1 <= day <= LAST_DAY)
    return found


def _week_year(day: dt.date, week_start: int) -> int:
    ordinal = day.toordinal()
    if day.year < dt.MAXYEAR and ordinal >= _week_one(day.year + 1, week_start):
        return day.year + 1
    return day.year if ordinal >= _week_one(day.year, week_start) else day.year - 1
