"""A rule as a person would say it: "Toutes les semaines, le mardi et le jeudi, jusqu’au 18 décembre 2026". Pure.

Sentences are whole messages, so that each language orders its words; names of days and months are Django's.
"""

from __future__ import annotations

import calendar
import datetime as dt
import zoneinfo
from collections.abc import Sequence
from dataclasses import replace

from django.utils import formats
from django.utils.dates import WEEKDAYS as DAY_NAMES
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from visio.meetings.periods import filled
from visio.meetings.rules import Day, Rule

WORKDAYS = (Day(0), Day(1), Day(2), Day(3), Day(4))
# More days or months than this are not read as a sentence any more.
_MOST = 6


def describe(rule: Rule, start: dt.datetime, *, zone: str) -> str:
    """One sentence without a full stop. `start` is the naive local start; days are those of `zone`.

    A rule that no plain sentence says is named as such, with its text: never a sentence that says less.
    """
    said = _said(filled(rule, start.date()), start)
    if said is None:
        bare = str(_endless(rule))
        said = _("Selon une règle particulière (%(rule)s)") % {"rule": bare}
    return said + _end(rule, start, zone)


def last_day(rule: Rule, start: dt.datetime, zone: str) -> dt.date | None:
    """The last local day that UNTIL leaves to the series, None without UNTIL."""
    if rule.until is None or not isinstance(rule.until, dt.datetime):
        return rule.until
    local = rule.until.astimezone(zoneinfo.ZoneInfo(zone)) if rule.until.tzinfo else rule.until
    # An UNTIL earlier in the day than the meeting holds only the days before.
    return local.date() - dt.timedelta(days=local.time() < start.time())


def day_name(weekday: int) -> str:
    """ "mardi" for 1."""
    return str(DAY_NAMES[weekday])


def _endless(rule: Rule) -> Rule:
    return replace(rule, count=None, until=None)


def _said(rule: Rule, start: dt.datetime) -> str | None:
    times = ((rule.by_hour, start.hour), (rule.by_minute, start.minute), (rule.by_second, start.second))
    if any(asked is not None and asked != own for asked, own in times) or rule.by_week_no or rule.by_year_day:
        return None
    if max(len(rule.by_month_day), len(rule.by_month)) > _MOST:
        return None
    match rule.freq:
        case "DAILY":
            return _daily(rule)
        case "WEEKLY":
            return _weekly(rule)
        case "MONTHLY":
            return _monthly(rule)
        case "YEARLY":
            return _yearly(rule)


def _daily(rule: Rule) -> str | None:
    if rule.by_month_day or rule.by_set_pos or (rule.by_day and rule.interval != 1):
        return None
    if rule.by_day:
        # Every day that is a Tuesday is every week on Tuesday.
        return _join(_every_week(1), _weekdays(rule.by_day), _only_in(rule))
    every = ngettext("Tous les jours", "Tous les %(count)d jours", rule.interval) % {"count": rule.interval}
    return _join(every, _only_in(rule))


def _weekly(rule: Rule) -> str | None:
    if rule.by_set_pos:
        return None
    if len(rule.by_day) == 7 and rule.interval == 1:
        return _join(_("Tous les jours"), _only_in(rule))
    return _join(_every_week(rule.interval), _weekdays(rule.by_day), _only_in(rule))


def _monthly(rule: Rule) -> str | None:
    days = _days_of_month(rule)
    every = ngettext("Tous les mois", "Tous les %(count)d mois", rule.interval) % {"count": rule.interval}
    return None if days is None else _join(every, days, _only_in(rule))


def _yearly(rule: Rule) -> str | None:
    every = ngettext("Tous les ans", "Tous les %(count)d ans", rule.interval) % {"count": rule.interval}
    if not rule.by_month:
        return None
    if rule.by_month_day and not rule.by_day and not rule.by_set_pos:
        if min(rule.by_month_day) < 1 or len(rule.by_month_day) * len(rule.by_month) > _MOST:
            return None
        dates = [_date_of_year(month, day) for month in rule.by_month for day in rule.by_month_day]
        if None in dates:
            return None
        return _join(every, _and([date for date in dates if date]))
    if rule.by_set_pos and len(rule.by_month) > 1:
        # The choice is made within the year, not within each month.
        return None
    days = _days_of_month(rule)
    return None if days is None else _join(every, _in_months(rule.by_month), days)


def _every_week(interval: int) -> str:
    return ngettext("Toutes les semaines", "Toutes les %(count)d semaines", interval) % {"count": interval}


def _weekdays(days: Sequence[Day]) -> str:
    """ "le mardi et le jeudi", "du lundi au vendredi"."""
    names = [day.weekday for day in days]
    if len(names) > 2 and names == list(range(names[0], names[0] + len(names))):
        return _("du %(first)s au %(last)s") % {"first": day_name(names[0]), "last": day_name(names[-1])}
    # Translators: a day of the week on which a series happens: "le mardi".
    return _and([_("le %(weekday)s") % {"weekday": day_name(weekday)} for weekday in names])


def _days_of_month(rule: Rule) -> str | None:
    """ "le 15", "le deuxième mardi", "le dernier jour ouvré"; None when it takes more than that."""
    if rule.by_month_day and rule.by_day:
        return None
    if rule.by_set_pos:
        return _chosen(rule)
    if rule.by_month_day:
        said = [_day_of_month(day) for day in sorted(rule.by_month_day, key=lambda day: (day < 0, day))]
        if None in said:
            return None
        return _and([word for word in said if word])
    if not rule.by_day or len(rule.by_day) > _MOST:
        return None
    if all(day.nth == 0 for day in rule.by_day):
        words = _("chaque %(weekday)s")
        return _and([words % {"weekday": day_name(day.weekday)} for day in rule.by_day])
    nths = [_nth(day.nth, day_name(day.weekday)) for day in sorted(rule.by_day, key=lambda day: (day.nth < 0, day.nth))]
    return None if None in nths else _and([word for word in nths if word])


def _chosen(rule: Rule) -> str | None:
    if len(rule.by_set_pos) != 1 or rule.by_month_day:
        return None
    position = rule.by_set_pos[0]
    if rule.by_day == WORKDAYS:
        return _nth(position, _("jour ouvré"))
    if len(rule.by_day) == 7 and all(day.nth == 0 for day in rule.by_day):
        return _nth(position, _("jour"))
    if len(rule.by_day) == 1 and rule.by_day[0].nth == 0:
        return _nth(position, day_name(rule.by_day[0].weekday))
    return None


def _nth(nth: int, what: str) -> str | None:
    words = {
        1: _("le premier %(what)s"),
        2: _("le deuxième %(what)s"),
        3: _("le troisième %(what)s"),
        4: _("le quatrième %(what)s"),
        5: _("le cinquième %(what)s (s’il existe)"),
        -1: _("le dernier %(what)s"),
        -2: _("l’avant-dernier %(what)s"),
    }.get(nth)
    return words % {"what": what} if words else None


def _day_of_month(day: int) -> str | None:
    if day == 1:
        return _("le 1er")
    if day > 28:
        # Every month has 28 days, and its last one.
        return _("le %(day)d (s’il existe)") % {"day": day}
    if day > 0:
        return _("le %(day)d") % {"day": day}
    return {-1: _("le dernier jour du mois"), -2: _("l’avant-dernier jour du mois")}.get(day)


def _date_of_year(month: int, day: int) -> str | None:
    if day > calendar.monthrange(2024, month)[1]:
        return None
    date = dt.date(2024, month, day)  # a leap year
    if day == 1:
        return _("le 1er %(month)s") % {"month": formats.date_format(date, "F")}
    if (month, day) == (2, 29):
        return _("le 29 février (les années bissextiles)")
    # Translators: a date of every year: "le 15 mars".
    return _("le %(date)s") % {"date": formats.date_format(date, _("j F"))}


def _only_in(rule: Rule) -> str:
    if not rule.by_month:
        return ""
    return _("seulement %(in_months)s") % {"in_months": _in_months(rule.by_month)}


def _in_months(months: Sequence[int]) -> str:
    # Translators: months of the year: "en mars et en juin".
    names = [formats.date_format(dt.date(2024, month, 1), "F") for month in months]
    return _and([_("en %(month)s") % {"month": name} for name in names])


def _end(rule: Rule, start: dt.datetime, zone: str) -> str:
    if rule.count is not None:
        return ", " + ngettext("%(count)d fois", "%(count)d fois", rule.count) % {"count": rule.count}
    day = last_day(rule, start, zone)
    if day is None:
        return ""
    if day.day == 1:
        said = _("jusqu’au 1er %(month)s") % {"month": formats.date_format(day, _("F Y"))}
    else:
        said = _("jusqu’au %(day)s") % {"day": formats.date_format(day, _("j F Y"))}
    return ", " + said


def _join(*parts: str) -> str:
    return ", ".join(part for part in parts if part)


def _and(words: Sequence[str]) -> str:
    """ "a", "a et b", "a, b et c"."""
    if len(words) < 2:
        return "".join(words)
    return _("%(all_but_last)s et %(last)s") % {"all_but_last": ", ".join(words[:-1]), "last": words[-1]}
