"""What the form offers for repeating a meeting, to a rule and back. Pure.

`from_rule` answers None for whatever the form cannot say: the form then shows the rule in words and keeps it as it is.
"""

from __future__ import annotations

import calendar
import datetime as dt
from dataclasses import dataclass, replace
from typing import Literal

from django.utils.translation import gettext as _

from visio.meetings.periods import filled
from visio.meetings.rule_moves import nth_weekday
from visio.meetings.rule_words import WORKDAYS, describe, last_day
from visio.meetings.rules import MAX_COUNT, MAX_INTERVAL, Day, Freq, Rule
from visio.meetings.starts import settled

Kind = Literal["none", "daily", "weekly", "monthly", "yearly"]
Monthly = Literal["day", "weekday", "last_weekday", "last_workday"]
End = Literal["never", "until", "count"]

_FREQ: dict[Kind, Freq] = {"daily": "DAILY", "weekly": "WEEKLY", "monthly": "MONTHLY", "yearly": "YEARLY"}
_KIND: dict[Freq, Kind] = {freq: kind for kind, freq in _FREQ.items()}


@dataclass(frozen=True)
class Repeat:
    """`weekdays` (0: Monday) is for weekly, empty: the start's; `monthly` for monthly: "day" the start's day of the month,
    "weekday" its second Tuesday, "last_weekday" the last of its weekday, "last_workday" the last from Monday to Friday."""

    kind: Kind = "none"
    interval: int = 1
    weekdays: tuple[int, ...] = ()
    monthly: Monthly = "day"
    end: End = "never"
    until: dt.date | None = None  # the last day, local and inclusive
    count: int | None = None


@dataclass(frozen=True)
class Preset:
    """One line of the form's short list. `repeat` may need its start moved to `aligned(rule, start)`."""

    key: str
    label: str
    repeat: Repeat


def to_rule(repeat: Repeat, start: dt.datetime, *, zone: str, is_all_day: bool = False) -> Rule:
    """The rule of what was chosen, settled for `start` (naive local). Its first date is `aligned(rule, start)`.

    ValueError for kind "none" and for what the form must not let through (no last day, numbers out of range).
    """
    if repeat.kind == "none":
        raise ValueError("a meeting that does not repeat has no rule")
    if not 1 <= repeat.interval <= MAX_INTERVAL:
        raise ValueError("interval out of range")
    rule = Rule(freq=_FREQ[repeat.kind], interval=repeat.interval)
    if repeat.kind == "weekly":
        weekdays = sorted(set(repeat.weekdays)) or [start.weekday()]
        rule = replace(rule, by_day=tuple(Day(weekday) for weekday in weekdays))
    elif repeat.kind == "monthly":
        rule = _monthly(rule, repeat.monthly, start)
    elif repeat.kind == "yearly":
        rule = replace(rule, by_month=(start.month,), by_month_day=(start.day,))
    if repeat.end == "until":
        if repeat.until is None:
            raise ValueError("no last day")
        rule = replace(rule, until=repeat.until)
    elif repeat.end == "count":
        if repeat.count is None or not 1 <= repeat.count <= MAX_COUNT:
            raise ValueError("count out of range")
        rule = replace(rule, count=repeat.count)
    return settled(rule, start=start, zone=zone, is_all_day=is_all_day)


def from_rule(rule: Rule, start: dt.datetime, *, zone: str, is_all_day: bool = False) -> Repeat | None:
    """The choice that makes the same dates from `start`; None when the form has none such."""
    repeat = Repeat(kind=_KIND[rule.freq], interval=rule.interval)
    if rule.count is not None:
        repeat = replace(repeat, end="count", count=rule.count)
    elif rule.until is not None:
        repeat = replace(repeat, end="until", until=last_day(rule, start, zone))
    if rule.freq == "WEEKLY":
        days = filled(rule, start.date()).by_day
        repeat = replace(repeat, weekdays=tuple(day.weekday for day in days))
    modes: tuple[Monthly, ...] = ("day", "weekday", "last_weekday", "last_workday")
    for mode in modes if rule.freq == "MONTHLY" else modes[:1]:
        choice = replace(repeat, monthly=mode)
        said = to_rule(choice, start, zone=zone, is_all_day=is_all_day)
        if _bare(said, start) == _bare(rule, start):
            return choice
    return None


def presets(start: dt.datetime) -> tuple[Preset, ...]:
    """What most people want of a meeting that begins at `start` (naive local), in their own words."""
    day = start.date()
    choices: list[tuple[str, Repeat]] = [
        ("daily", Repeat("daily")),
        ("workdays", Repeat("weekly", weekdays=(0, 1, 2, 3, 4))),
        ("weekly", Repeat("weekly", weekdays=(day.weekday(),))),
        ("fortnightly", Repeat("weekly", interval=2, weekdays=(day.weekday(),))),
        ("monthly_day", Repeat("monthly", monthly="day")),
    ]
    if nth_weekday(day) < 5:
        choices.append(("monthly_weekday", Repeat("monthly", monthly="weekday")))
    if day.day + 7 > calendar.monthrange(day.year, day.month)[1]:
        choices.append(("monthly_last_weekday", Repeat("monthly", monthly="last_weekday")))
    choices += [("monthly_last_workday", Repeat("monthly", monthly="last_workday")), ("yearly", Repeat("yearly"))]
    labels = {key: describe(to_rule(repeat, start, zone="UTC"), start, zone="UTC") for key, repeat in choices}
    # Holidays are not looked at: the days are named.
    labels["workdays"] = _("Tous les jours ouvrés (du lundi au vendredi)")
    return tuple(Preset(key, labels[key], repeat) for key, repeat in choices)


def _monthly(rule: Rule, mode: Monthly, start: dt.datetime) -> Rule:
    match mode:
        case "day":
            return replace(rule, by_month_day=(start.day,))
        case "weekday":
            return replace(rule, by_day=(Day(start.weekday(), nth_weekday(start)),))
        case "last_weekday":
            return replace(rule, by_day=(Day(start.weekday(), -1),))
        case "last_workday":
            return replace(rule, by_day=WORKDAYS, by_set_pos=(-1,))


def _bare(rule: Rule, start: dt.datetime) -> Rule:
    """The days alone, written out; where the week begins matters only for some weeks with several days in them."""
    rule = replace(filled(rule, start.date()), count=None, until=None)
    if rule.freq != "WEEKLY" or rule.interval == 1 or len(rule.by_day) == 1:
        rule = replace(rule, week_start=0)
    return rule
