"""A rule that follows its start when a whole series moves to another day. Pure."""

from __future__ import annotations

import calendar
import datetime as dt
from dataclasses import replace

from visio.meetings.rules import Day, Rule
from visio.meetings.starts import Series, matches, settled


def moved(rule: Rule, *, old_start: dt.datetime, new_start: dt.datetime, zone: str, is_all_day: bool = False) -> Rule:
    """The rule after its start moved: "le mardi" moved to a Wednesday is "le mercredi".

    A part follows when it only repeated the old start (one weekday, one day of the month, one month); what says more stays,
    and so does a rule that makes the new start already. UNTIL moves on where it would cut off the last date.
    """
    following = _with_time(rule, old_start, new_start)
    if not matches(following, new_start):
        following = _with_days(following, old_start, new_start)
    return _with_until(rule, following, old_start, new_start, zone, is_all_day=is_all_day)


def nth_weekday(day: dt.date) -> int:
    """1 for the first such weekday of its month, …, 5."""
    return (day.day - 1) // 7 + 1


def nth_weekday_from_end(day: dt.date) -> int:
    """-1 for the last such weekday of its month, …, -5."""
    return -((calendar.monthrange(day.year, day.month)[1] - day.day) // 7 + 1)


def _with_time(rule: Rule, old: dt.datetime, new: dt.datetime) -> Rule:
    return replace(
        rule,
        by_hour=new.hour if rule.by_hour == old.hour else rule.by_hour,
        by_minute=new.minute if rule.by_minute == old.minute else rule.by_minute,
        by_second=new.second if rule.by_second == old.second else rule.by_second,
    )


def _with_days(rule: Rule, old: dt.date, new: dt.date) -> Rule:
    if rule.by_set_pos:
        return rule
    if rule.by_month == (old.month,):
        rule = replace(rule, by_month=(new.month,))
    if rule.by_month_day in ((old.day,), (old.day - calendar.monthrange(old.year, old.month)[1] - 1,)):
        rule = replace(rule, by_month_day=(new.day,))
    if rule.by_year_day == (old.timetuple().tm_yday,):
        rule = replace(rule, by_year_day=(new.timetuple().tm_yday,))
    if rule.week_start == 0 and rule.by_week_no == (old.isocalendar().week,):
        rule = replace(rule, by_week_no=(new.isocalendar().week,))
    if len(rule.by_day) == 1:
        rule = replace(rule, by_day=(_weekday(rule, rule.by_day[0], old, new),))
    return rule


def _weekday(rule: Rule, day: Day, old: dt.date, new: dt.date) -> Day:
    if day == Day(old.weekday()):
        return Day(new.weekday())
    if rule.freq == "YEARLY" and not rule.by_month:
        # "The 20th Monday of the year": nobody says it of another day.
        return day
    if day == Day(old.weekday(), nth_weekday(old)):
        # The fifth Tuesday is rarely meant: not every month has one.
        return Day(new.weekday(), nth_weekday(new) if nth_weekday(new) < 5 else -1)
    if day == Day(old.weekday(), nth_weekday_from_end(old)):
        return Day(new.weekday(), nth_weekday_from_end(new))
    return day


def _with_until(before: Rule, rule: Rule, old: dt.datetime, new: dt.datetime, zone: str, *, is_all_day: bool) -> Rule:
    """UNTIL at the end of the day of the last date, moved by as much as the start, when it would be cut off."""
    series = Series(before, start=old, zone=zone, is_all_day=is_all_day)
    last = series.last()
    if rule.until is None or last is None:
        return rule
    moved_last = series.literal(last.wall + (new - old))
    if Series(rule, start=new, zone=zone, is_all_day=is_all_day).within(moved_last):
        return rule
    return settled(replace(rule, until=moved_last.wall.date()), start=new, zone=zone, is_all_day=is_all_day)
