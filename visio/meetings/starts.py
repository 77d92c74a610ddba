"""From the days of a rule to instants: local time, daylight saving, where the rule ends. Pure; see `recurrence`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace

from visio.meetings.periods import CYCLE_DAYS, LAST_DAY, Periods, filled
from visio.meetings.rules import FIRST_YEAR, LAST_DATE, Rule, RuleRefused
from visio.meetings.wallclock import zone as zone_called

_WHOLE_DAY = dt.timedelta(days=1)
_SECOND = dt.timedelta(seconds=1)
_NONE = dt.timedelta()


@dataclass(frozen=True)
class Start:
    """One date of a series: `.wall` is naive, in the meeting's zone; `.at` is its instant in UTC, the recurrence id.

    A literal wall clock in a gap stays as it was written ("2:30"), while clocks show 3:30 at its instant.
    """

    wall: dt.datetime
    at: dt.datetime


def settled(rule: Rule, *, start: dt.datetime, zone: str, is_all_day: bool) -> Rule:
    """The same dates, written so that every calendar reads them alike; keep and send this one.

    UNTIL becomes a DATE for whole days, else UTC (R12): a floating one is local, a bare date holds the whole local day.
    YEARLY with BYMONTHDAY gets the month that it means.
    """
    if is_all_day:
        rule = replace(rule, by_hour=None, by_minute=None, by_second=None)
    if rule.until is not None:
        series = Series(rule, start=start, zone=zone, is_all_day=is_all_day)
        rule = replace(rule, until=series.until_day if is_all_day else series.until)
    if rule.freq == "YEARLY" and rule.by_month_day:
        return replace(rule, by_month=filled(rule, start.date()).by_month)
    return rule


def matches(rule: Rule, start: dt.datetime) -> bool:
    """Whether the rule itself makes that start (UNTIL aside)."""
    return _first(rule, start) == start


def aligned(rule: Rule, start: dt.datetime) -> dt.datetime:
    """The first wall clock at `start` or later that the rule makes; `start` itself when it makes none."""
    return _first(rule, start) or start


def _first(rule: Rule, start: dt.datetime) -> dt.datetime | None:
    time = _time(rule, start)
    earliest = start.toordinal() + (time < start.time())
    days = Periods(rule, start.date()).forward(0, LAST_DAY)
    day = next((day for day in days if day >= earliest), None)
    return None if day is None else dt.datetime.combine(dt.date.fromordinal(day), time)


def _time(rule: Rule, start: dt.datetime) -> dt.time:
    """The time of day of what the rule makes."""
    return dt.time(
        start.hour if rule.by_hour is None else rule.by_hour,
        start.minute if rule.by_minute is None else rule.by_minute,
        start.second if rule.by_second is None else rule.by_second,
    )


class Series:
    """A rule with its start and its zone."""

    def __init__(self, rule: Rule, *, start: dt.datetime, zone: str, is_all_day: bool) -> None:
        self.rule, self.is_all_day = rule, is_all_day
        self.zone = zone_called(zone)
        self.start = self.literal(start)
        self.periods = Periods(rule, start.date())
        self.time = start.time() if is_all_day else _time(rule, start)
        # The last day of whole days, else the last instant; both inclusive.
        self.until_day: dt.date | None = None
        self.until: dt.datetime | None = None
        if isinstance(rule.until, dt.datetime):
            if is_all_day:
                self.until_day = rule.until.date()
            else:
                self.until = rule.until if rule.until.tzinfo else self._instant(rule.until)
        elif rule.until is not None:
            if is_all_day:
                self.until_day = rule.until
            else:
                # Up to the next midnight: the last hour of a day may be in a gap (Nuuk, in March).
                following = dt.date.fromordinal(min(rule.until.toordinal(), LAST_DAY) + 1)
                self.until = self._instant(dt.datetime.combine(following, dt.time.min)) - _SECOND

    def literal(self, wall: dt.datetime) -> Start:
        """fold=0: the offset before a gap, the first of two. RuleRefused outside the years that are reckoned with."""
        if wall.year < FIRST_YEAR or wall.date() > LAST_DATE:
            raise RuleRefused("date_range")
        wall = wall.replace(tzinfo=None, fold=0)
        return Start(wall, self._instant(wall))

    def _instant(self, wall: dt.datetime) -> dt.datetime:
        return wall.replace(tzinfo=self.zone, fold=0).astimezone(dt.UTC)

    def within(self, date: Start) -> bool:
        if self.until_day is not None:
            return date.wall.date() <= self.until_day
        return self.until is None or date.at <= self.until

    def from_instant(self, after: dt.datetime | None, before: dt.datetime | None) -> Iterator[Start]:
        """The rule's starts with after <= .at < before, in order, the literal start first."""
        if not self.within(self.start):
            return
        if (after is None or self.start.at >= after) and (before is None or self.start.at < before):
            yield self.start
        counted = 1
        for made in self.made(self._index(after), self._last_day(before)):
            if counted == self.rule.count or not self.within(made) or (before is not None and made.at >= before):
                return
            counted += 1
            if after is None or made.at >= after:
                yield made

    def made(self, index: int, last_day: int) -> Iterator[Start]:
        """What the rule makes after its start, times in a gap left out, UNTIL and COUNT not looked at."""
        for day in self.periods.forward(max(index, 0), last_day):
            made = self._on(day)
            if made is not None:
                yield made

    def last(self) -> Start | None:
        if self.rule.count is not None:
            return self._last_counted(self.rule.count)
        if self.until is None and self.until_day is None:
            return None if next(self.made(0, LAST_DAY), None) else self.start
        last_day = self._last_day(None)
        for day in self.periods.backward(self.periods.index(dt.date.fromordinal(last_day))):
            made = self._on(day)
            if made is not None and self.within(made):
                return made
        return self.start

    def _last_counted(self, count: int) -> Start | None:
        far = min(self.start.wall.toordinal() + CYCLE_DAYS, LAST_DAY)
        last, counted = self.start, 1
        for made in self.made(0, far):
            if counted == count:
                return last
            last, counted = made, counted + 1
        more = self.made(self.periods.index(dt.date.fromordinal(far)), LAST_DAY)
        if counted == count or not any(made.wall.toordinal() > far for made in more):
            return last
        return None

    def _on(self, day: int) -> Start | None:
        """The rule's start on that day; None up to the start itself, and where a clock skips that time."""
        wall = dt.datetime.combine(dt.date.fromordinal(day), self.time)
        if wall <= self.start.wall:
            return None
        local = wall.replace(tzinfo=self.zone)
        offset, other = local.utcoffset() or _NONE, local.replace(fold=1).utcoffset() or _NONE
        # In a gap fold=0 tells the offset before it and fold=1 the greater one after it (PEP 495).
        if other > offset and (not self.is_all_day or other - offset >= _WHOLE_DAY):
            return None
        at = (wall - offset).replace(tzinfo=dt.UTC)
        return Start(wall, at) if at > self.start.at else None

    def _index(self, after: dt.datetime | None) -> int:
        # COUNT is counted from the start.
        if after is None or self.rule.count is not None or after <= self.start.at:
            return 0
        # No zone is two days away from UTC.
        return self.periods.index(after.date() - 2 * _WHOLE_DAY)

    def _last_day(self, before: dt.datetime | None) -> int:
        ends: list[dt.date | None] = [before, self.until, self.until_day]
        return min([LAST_DAY, *(end.toordinal() + 2 for end in ends if end is not None)])
