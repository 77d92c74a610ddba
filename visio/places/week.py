"""A resource's week as its page shows it: days of blocks on a scale of quarter hours, each also in words."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from suite.core.days import day_words
from visio.places.queries import Taken

QUARTERS = 96
# What is shown of every day, whoever is there: 8:00 to 19:00.
USUAL_FIRST, USUAL_LAST = 32, 76
HOUR = 4
SATURDAY = 5


@dataclass(frozen=True)
class Block:
    """One booking within one day. `start` and `length` in quarters of an hour of the reader's clock."""

    taken: Taken
    start: int
    length: int
    hours: str

    @property
    def end(self) -> int:
        return self.start + self.length


@dataclass(frozen=True)
class Day:
    date: dt.date
    label: str
    is_today: bool
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Week:
    """`first` and `count`: the scale in quarters; `ticks`: (hour, quarter)."""

    monday: dt.date
    heading: str
    days: tuple[Day, ...]
    first: int
    count: int

    @property
    def ticks(self) -> list[tuple[int, int]]:
        return [(quarter // HOUR, quarter) for quarter in range(self.first, self.first + self.count, 2 * HOUR)]


def week_bounds(monday: dt.date, zone: str) -> tuple[dt.datetime, dt.datetime]:
    """From Monday's midnight to the next, aware, whatever the clocks do in between."""
    here = zoneinfo.ZoneInfo(zone)
    after = monday + dt.timedelta(days=7)
    return tuple(dt.datetime.combine(day, dt.time(), here) for day in (monday, after))  # type: ignore[return-value]


def lay_out(taken: Sequence[Taken], monday: dt.date, *, zone: str, today: dt.date) -> Week:
    """Pure. Saturday and Sunday are there when they have something or are today."""
    here = zoneinfo.ZoneInfo(zone)
    days = []
    for offset in range(7):
        date = monday + dt.timedelta(days=offset)
        blocks = tuple(block for one in taken if (block := _block(one, date, here)) is not None)
        if offset < SATURDAY or blocks or date == today:
            days.append(Day(date, _day_label(date), date == today, blocks))
    starts = [block.start for day in days for block in day.blocks]
    ends = [block.end for day in days for block in day.blocks]
    first = min([USUAL_FIRST, *(start // HOUR * HOUR for start in starts)])
    last = max([USUAL_LAST, *(-(-end // HOUR) * HOUR for end in ends)])
    return Week(monday, week_heading(monday), tuple(days), first, last - first)


def _block(taken: Taken, date: dt.date, here: zoneinfo.ZoneInfo) -> Block | None:
    """The part of the booking that lies on that day of the reader's, None without any."""
    start, end = taken.starts_at.astimezone(here), taken.ends_at.astimezone(here)
    if start.date() > date or end.date() < date or (end.date() == date and end.time() == dt.time()):
        return None
    begins = _quarter(start) if start.date() == date else 0
    ends = -(-_minutes(end) // 15) if end.date() == date else QUARTERS
    begin_words = f"{start:%H:%M}" if start.date() == date else "00:00"
    end_words = f"{end:%H:%M}" if end.date() == date else "24:00"
    if (begins, ends) == (0, QUARTERS):
        hours = _("toute la journée")
    else:
        hours = f"{begin_words} – {end_words}"
    return Block(taken, begins, max(ends - begins, 1), hours)


def _minutes(at: dt.datetime) -> int:
    return at.hour * 60 + at.minute


def _quarter(at: dt.datetime) -> int:
    return _minutes(at) // 15


def _day_label(date: dt.date) -> str:
    # Translators: Django date format of a weekday and its date, as in "mar. 24 nov.".
    return capfirst(day_words(date, _("D. j N")))


def week_heading(monday: dt.date) -> str:
    """ "Semaine du 23 au 29 novembre 2026"."""
    sunday = monday + dt.timedelta(days=6)
    # Translators: Django date formats of the first and the last day of a week.
    first = day_words(monday, _("j") if monday.month == sunday.month else _("j F"))
    return _("Semaine du %(first)s au %(last)s") % {"first": first, "last": day_words(sunday, _("j F Y"))}


def monday_of(today: dt.date) -> dt.date:
    """This week's Monday; on a Saturday or Sunday the next one, as everywhere in the portal."""
    return today + dt.timedelta(days=(7 if today.weekday() >= SATURDAY else 0) - today.weekday())


def week_name(monday: dt.date) -> str:
    """ "2026-W48" (ISO 8601)."""
    year, week, _day = monday.isocalendar()
    return f"{year}-W{week:02d}"
