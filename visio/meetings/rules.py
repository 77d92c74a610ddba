"""A recurrence rule (RRULE, RFC 5545 §3.3.10) as a value: read strictly, written in one canonical way. Pure.

Kept: every rule of the RFC from DAILY up. Refused, with a reason: sub-daily frequencies, several times a day, calendars
other than the Gregorian (RFC 7529), and whatever the RFC forbids. What it means is in `periods` and `recurrence`.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from django.utils.translation import gettext as _

Freq = Literal["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]

# A list of every day of the year, counted from both ends, fits; a bomb does not.
MAX_TEXT = 4_000
MAX_INTERVAL = 99_999
# A century of days: a rule with COUNT is counted from its start, so COUNT bounds the work.
MAX_COUNT = 36_525
# Before it there is no Gregorian calendar, after it not every zone can say its time in UTC.
FIRST_YEAR, LAST_DATE = 1583, dt.date(9999, 12, 30)
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")

_FREQUENCIES: dict[str, Freq] = {"DAILY": "DAILY", "WEEKLY": "WEEKLY", "MONTHLY": "MONTHLY", "YEARLY": "YEARLY"}
_SUB_DAILY = frozenset({"SECONDLY", "MINUTELY", "HOURLY"})
_NUMBER = re.compile(r"[+-]?[0-9]{1,6}")
_DAY = re.compile(r"([+-]?[0-9]{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
_UNTIL = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})(?:T([0-9]{2})([0-9]{2})([0-9]{2})(Z?))?")
_TIMES = ("BYHOUR", "BYMINUTE", "BYSECOND")


@dataclass(frozen=True, order=True)
class Day:
    """A BYDAY value: every such weekday (0: Monday), or the `nth` of the month or year (negative: from the end)."""

    weekday: int
    nth: int = 0

    def __str__(self) -> str:
        return f"{self.nth or ''}{WEEKDAYS[self.weekday]}"


@dataclass(frozen=True)
class Rule:
    """Lists are sorted and hold nothing twice, so equal rules are equal values.

    `until` is as it was read: a date, a floating datetime (naive) or UTC (aware); `recurrence.settled` makes it what the
    start asks (R12).
    """

    freq: Freq
    interval: int = 1
    count: int | None = None
    until: dt.datetime | dt.date | None = None
    by_month: tuple[int, ...] = ()
    by_week_no: tuple[int, ...] = ()
    by_year_day: tuple[int, ...] = ()
    by_month_day: tuple[int, ...] = ()
    by_day: tuple[Day, ...] = ()
    by_hour: int | None = None
    by_minute: int | None = None
    by_second: int | None = None
    by_set_pos: tuple[int, ...] = ()
    week_start: int = 0

    @property
    def ends(self) -> bool:
        return self.count is not None or self.until is not None

    def __str__(self) -> str:
        """The canonical RRULE value, without its name; `parse_rule` of it is this rule."""
        parts = [f"FREQ={self.freq}"]
        if self.interval != 1:
            parts.append(f"INTERVAL={self.interval}")
        lists: tuple[tuple[str, tuple[object, ...]], ...] = (
            ("BYMONTH", self.by_month),
            ("BYWEEKNO", self.by_week_no),
            ("BYYEARDAY", self.by_year_day),
            ("BYMONTHDAY", self.by_month_day),
            ("BYDAY", self.by_day),
            ("BYHOUR", () if self.by_hour is None else (self.by_hour,)),
            ("BYMINUTE", () if self.by_minute is None else (self.by_minute,)),
            ("BYSECOND", () if self.by_second is None else (self.by_second,)),
            ("BYSETPOS", self.by_set_pos),
        )
        parts += [f"{name}={','.join(map(str, values))}" for name, values in lists if values]
        if self.week_start:
            parts.append(f"WKST={WEEKDAYS[self.week_start]}")
        if self.until is not None:
            parts.append(f"UNTIL={until_text(self.until)}")
        if self.count is not None:
            parts.append(f"COUNT={self.count}")
        return ";".join(parts)


class RuleRefused(ValueError):
    """A rule that the portal does not take. `.reason` is a stable code, `.message` a sentence in the reader's language."""

    def __init__(self, reason: str, *, part: str = "", value: str = "") -> None:
        self.reason = reason
        self.message = _message(reason) % {"part": part[:40], "value": value[:40]}
        super().__init__(f"{reason}: {part}")


def until_text(until: dt.datetime | dt.date) -> str:
    """20261218, 20261218T090000 or 20261218T080000Z."""
    # strftime does not pad the years before 1000.
    day = f"{until.year:04d}{until.month:02d}{until.day:02d}"
    if not isinstance(until, dt.datetime):
        return day
    return f"{day}T{until.hour:02d}{until.minute:02d}{until.second:02d}{'Z' if until.tzinfo else ''}"


def parse_rule(text: str, *, is_all_day: bool = False) -> Rule:
    """The rule in `text`; RuleRefused otherwise, and nothing else.

    Lower case, spaces around, a leading "RRULE:" and a last semicolon (Google writes one) are taken. BYHOUR and its kin on
    whole days are ignored, as §3.3.10 asks.
    """
    parts = _split(text)
    freq = _frequency(parts)
    _refuse_other_calendars(parts)
    if is_all_day:
        for name in _TIMES:
            parts.pop(name, None)
    if "COUNT" in parts and "UNTIL" in parts:
        raise RuleRefused("count_and_until")
    take = parts.pop
    rule = Rule(
        freq=freq,
        interval=_number("INTERVAL", take("INTERVAL", "1"), 1, MAX_INTERVAL),
        count=_number("COUNT", take("COUNT"), 1, MAX_COUNT) if "COUNT" in parts else None,
        until=_read_until(take("UNTIL")) if "UNTIL" in parts else None,
        by_month=_numbers("BYMONTH", take("BYMONTH", ""), 1, 12, signed=False),
        by_week_no=_numbers("BYWEEKNO", take("BYWEEKNO", ""), 1, 53),
        by_year_day=_numbers("BYYEARDAY", take("BYYEARDAY", ""), 1, 366),
        by_month_day=_numbers("BYMONTHDAY", take("BYMONTHDAY", ""), 1, 31),
        by_day=_days(take("BYDAY", "")),
        by_hour=_time("BYHOUR", take("BYHOUR", ""), 23),
        by_minute=_time("BYMINUTE", take("BYMINUTE", ""), 59),
        by_second=_time("BYSECOND", take("BYSECOND", ""), 59),
        by_set_pos=_numbers("BYSETPOS", take("BYSETPOS", ""), 1, 366),
        week_start=_weekday(take("WKST", "MO")),
    )
    for name, value in parts.items():
        raise RuleRefused("unknown_part", part=name, value=value)
    _refuse_contradictions(rule)
    return rule


def _split(text: str) -> dict[str, str]:
    if len(text) > MAX_TEXT:
        raise RuleRefused("too_long")
    if not text.isascii():
        # Before upper(): "ſ" would become an S.
        raise RuleRefused("syntax", part=text)
    value = text.strip().upper()
    value = value.removeprefix("RRULE:").removesuffix(";")
    if not value:
        raise RuleRefused("empty")
    parts: dict[str, str] = {}
    for piece in value.split(";"):
        name, equals, content = piece.partition("=")
        if not equals or not name or not content:
            raise RuleRefused("syntax", part=piece)
        if name in parts:
            raise RuleRefused("duplicate_part", part=name)
        parts[name] = content
    return parts


def _frequency(parts: dict[str, str]) -> Freq:
    name = parts.pop("FREQ", "")
    if not name:
        raise RuleRefused("no_frequency")
    if name in _SUB_DAILY:
        raise RuleRefused("sub_daily", part="FREQ", value=name)
    if name not in _FREQUENCIES:
        raise RuleRefused("unknown_frequency", part="FREQ", value=name)
    return _FREQUENCIES[name]


def _refuse_other_calendars(parts: dict[str, str]) -> None:
    """RFC 7529: `RSCALE=GREGORIAN` with dates that do not exist omitted is what a rule means without either part."""
    scale, skip = parts.pop("RSCALE", ""), parts.pop("SKIP", "")
    if scale not in ("", "GREGORIAN"):
        raise RuleRefused("other_calendar", part="RSCALE", value=scale)
    if skip not in ("", "OMIT") or (skip and not scale):
        raise RuleRefused("other_calendar", part="SKIP", value=skip)


def _refuse_contradictions(rule: Rule) -> None:
    """What §3.3.10 says a rule MUST NOT hold."""
    nth = any(day.nth for day in rule.by_day)
    forbidden: list[tuple[str, bool]] = [
        ("BYDAY", nth and (rule.freq not in ("MONTHLY", "YEARLY") or bool(rule.by_week_no))),
        ("BYDAY", rule.freq == "MONTHLY" and any(abs(day.nth) > 5 for day in rule.by_day)),
        ("BYMONTHDAY", bool(rule.by_month_day) and rule.freq == "WEEKLY"),
        ("BYYEARDAY", bool(rule.by_year_day) and rule.freq != "YEARLY"),
        ("BYWEEKNO", bool(rule.by_week_no) and rule.freq != "YEARLY"),
    ]
    for part, wrong in forbidden:
        if wrong:
            raise RuleRefused("not_with_frequency", part=part, value=rule.freq)
    others = (rule.by_month, rule.by_week_no, rule.by_year_day, rule.by_month_day, rule.by_day)
    times = (rule.by_hour, rule.by_minute, rule.by_second)
    if rule.by_set_pos and not any(others) and times == (None, None, None):
        raise RuleRefused("set_pos_alone", part="BYSETPOS")


def _number(name: str, text: str, low: int, high: int) -> int:
    if not _NUMBER.fullmatch(text):
        # A whole number that is only too long is out of range, not badly written.
        reason = "range" if re.fullmatch(r"[+-]?[0-9]+", text, re.ASCII) else "syntax"
        raise RuleRefused(reason, part=name, value=text)
    value = int(text)
    if not low <= value <= high:
        raise RuleRefused("range", part=name, value=text)
    return value


def _numbers(name: str, text: str, low: int, high: int, *, signed: bool = True) -> tuple[int, ...]:
    if not text:
        return ()
    found = set()
    for piece in text.split(","):
        value = _number(name, piece, -high if signed else low, high)
        if not low <= abs(value):
            raise RuleRefused("range", part=name, value=piece)
        found.add(value)
    return tuple(sorted(found))


def _time(name: str, text: str, high: int) -> int | None:
    """One value at most: a meeting of the portal happens once on a day."""
    values = _numbers(name, text, 0, high, signed=False)
    if len(values) > 1:
        raise RuleRefused("several_times", part=name)
    return values[0] if values else None


def _days(text: str) -> tuple[Day, ...]:
    found = set()
    for piece in text.split(",") if text else []:
        match = _DAY.fullmatch(piece)
        if match is None:
            raise RuleRefused("syntax", part="BYDAY", value=piece)
        nth = int(match[1]) if match[1] else 0
        if match[1] and not 1 <= abs(nth) <= 53:
            raise RuleRefused("range", part="BYDAY", value=piece)
        found.add(Day(WEEKDAYS.index(match[2]), nth))
    # "Every Tuesday" holds "the second Tuesday".
    whole = {day.weekday for day in found if day.nth == 0}
    return tuple(sorted(day for day in found if day.nth == 0 or day.weekday not in whole))


def _weekday(text: str) -> int:
    if text not in WEEKDAYS:
        raise RuleRefused("syntax", part="WKST", value=text)
    return WEEKDAYS.index(text)


def _read_until(text: str) -> dt.datetime | dt.date:
    match = _UNTIL.fullmatch(text)
    if match is None or int(match[1]) < FIRST_YEAR:
        raise RuleRefused("until", part="UNTIL", value=text)
    year, month, day, hour, minute, second, utc = match.groups()
    try:
        # Some write "never" as the last second there is: no zone need be able to say it.
        date = min(dt.date(int(year), int(month), int(day)), LAST_DATE)
        if hour is None:
            return date
        # A leap second (§3.3.12) ends where the minute does.
        time = dt.time(int(hour), int(minute), min(int(second), 59) if second == "60" else int(second))
    except ValueError as error:
        raise RuleRefused("until", part="UNTIL", value=text) from error
    return dt.datetime.combine(date, time, tzinfo=dt.UTC if utc else None)


def _message(reason: str) -> str:
    return _MESSAGES[reason]()


# Functions, so that makemessages finds each sentence and each is said in the reader's language.
_MESSAGES: dict[str, Callable[[], str]] = {
    "empty": lambda: _("La règle de répétition est vide."),
    "too_long": lambda: _("La règle de répétition est trop longue."),
    "syntax": lambda: _("La règle de répétition est mal écrite : « %(part)s »."),
    "duplicate_part": lambda: _("La règle de répétition dit deux fois « %(part)s »."),
    "unknown_part": lambda: _("La règle de répétition contient un élément inconnu : « %(part)s »."),
    "no_frequency": lambda: _("La règle de répétition ne dit pas à quelle fréquence (FREQ)."),
    "unknown_frequency": lambda: _("Fréquence de répétition inconnue : « %(value)s »."),
    "sub_daily": lambda: _("Une réunion ne peut pas se répéter plusieurs fois par jour (%(value)s)."),
    "several_times": lambda: _(
        "Une réunion ne peut pas se répéter à plusieurs heures du même jour (%(part)s). Créez une série par horaire."
    ),
    "other_calendar": lambda: _(
        "Seul le calendrier grégorien est possible, sans report de dates (%(part)s=%(value)s)."
    ),
    "count_and_until": lambda: _("La répétition finit soit à une date, soit après un nombre de fois : pas les deux."),
    "range": lambda: _("Nombre hors limites dans la règle de répétition : %(part)s=%(value)s."),
    "not_with_frequency": lambda: _("« %(part)s » n’est pas possible ainsi avec la fréquence %(value)s."),
    "set_pos_alone": lambda: _("« BYSETPOS » ne peut pas être seul : il choisit parmi d’autres éléments."),
    "date_range": lambda: _("Une date de la série est hors limites (de 1583 à 9999)."),
    "until": lambda: _("Date de fin illisible dans la règle de répétition : « %(value)s »."),
}
