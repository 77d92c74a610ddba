"""VTIMEZONE (RFC 5545 §3.6.5) of an IANA zone, as the rules it follows today. Pure: no database, no clock.

The rules come from the zone file's own footer (RFC 8536 §3.3, a POSIX TZ string) and become RRULEs with BYDAY. Zones whose
footer does not tell the truth around the wanted years (Morocco at Ramadan) get their observances written out one by one.
"""

# ruff: noqa: DTZ001  naive wall clocks and naive UTC are what this module computes with.

from __future__ import annotations

import calendar
import datetime as dt
import functools
import re
import zoneinfo
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

_DAY = dt.timedelta(days=1)
_BYDAY = ("SU", "MO", "TU", "WE", "TH", "FR", "SA")
_EPOCH_YEAR = 1970
_NAME = r"(?:[A-Za-z]{3,}|<[^>]+>)"
_OFFSET = r"[+-]?\d{1,3}(?::\d{2}){0,2}"
_POSIX = re.compile(
    rf"(?P<std>{_NAME})(?P<stdoff>{_OFFSET})(?:(?P<dst>{_NAME})(?P<dstoff>{_OFFSET})?,(?P<start>[^,]+),(?P<end>[^,]+))?"
)
_RULE = re.compile(rf"M(?P<month>\d+)\.(?P<week>[1-5])\.(?P<day>[0-6])(?:/(?P<time>{_OFFSET}))?")


@dataclass(frozen=True)
class _Rule:
    """Yearly, on the `week`th (5: last) `weekday` (0: Sunday) of `month`, `at` after that day's midnight (may be < 0 or > 24 h)."""

    month: int
    week: int
    weekday: int
    at: dt.timedelta

    def onset(self, year: int) -> dt.datetime:
        """The wall clock just before the change, in that year; naive."""
        first, days = calendar.monthrange(year, self.month)
        # calendar counts from Monday, POSIX from Sunday.
        day = 1 + (self.weekday - (first + 1)) % 7 + 7 * (self.week - 1)
        if day > days:
            day -= 7
        return dt.datetime(year, self.month, day) + self.at

    def rrule(self) -> str | None:
        """The RRULE of its onsets; None when it would leave the month."""
        shift = self.at // _DAY
        byday = _BYDAY[(self.weekday + shift) % 7]
        if shift == 0:
            nth = "-1" if self.week == 5 else str(self.week)
            return f"FREQ=YEARLY;BYMONTH={self.month};BYDAY={nth}{byday}"
        days = calendar.monthrange(_EPOCH_YEAR, self.month)[1]
        last = days if self.week == 5 else 7 * self.week
        span = range(last - 6 + shift, last + shift + 1)
        # Last week of February, or a shift over the month's end: no zone does this today.
        if span.start < 1 or span.stop - 1 > days or (self.month == 2 and self.week == 5):
            return None
        return f"FREQ=YEARLY;BYMONTH={self.month};BYDAY={byday};BYMONTHDAY={','.join(map(str, span))}"


@dataclass(frozen=True)
class _Observance:
    """From `onset` on (wall clock before the change, naive) the offset is `after`, was `before`."""

    onset: dt.datetime
    before: dt.timedelta
    after: dt.timedelta
    name: str
    daylight: bool
    rrule: str | None = None

    def lines(self) -> Iterator[str]:
        kind = "DAYLIGHT" if self.daylight else "STANDARD"
        yield f"BEGIN:{kind}"
        yield f"DTSTART:{self.onset:%Y%m%dT%H%M%S}"
        if self.rrule:
            yield f"RRULE:{self.rrule}"
        yield f"TZOFFSETFROM:{_offset_words(self.before)}"
        yield f"TZOFFSETTO:{_offset_words(self.after)}"
        yield f"TZNAME:{self.name}"
        yield f"END:{kind}"


@functools.lru_cache(maxsize=512)
def vtimezone(zone_name: str, first_year: int, last_year: int) -> bytes:
    """The component's lines, CRLF, right for every instant of those years (UTC)."""
    zone = zoneinfo.ZoneInfo(zone_name)
    observances = _from_footer(zone, zone_name, first_year, last_year) or _written_out(zone, first_year, last_year)
    lines = ["BEGIN:VTIMEZONE", f"TZID:{zone_name}"]
    for observance in observances:
        lines += observance.lines()
    lines.append("END:VTIMEZONE")
    return ("\r\n".join(lines) + "\r\n").encode("ascii")


def _from_footer(
    zone: zoneinfo.ZoneInfo, zone_name: str, first_year: int, last_year: int
) -> tuple[_Observance, ...] | None:
    """The footer's one or two observances, when they give the zone's offsets throughout those years."""
    posix = _POSIX.fullmatch(_footer(zone_name))
    if posix is None:
        return None
    standard = -_seconds(posix["stdoff"])
    if posix["dst"] is None:
        always = _Observance(dt.datetime(_EPOCH_YEAR, 1, 1), standard, standard, _plain(posix["std"]), daylight=False)
        return (always,) if _agree((always,), (), zone, first_year, last_year) else None
    summer = -_seconds(posix["dstoff"]) if posix["dstoff"] else standard + dt.timedelta(hours=1)
    starts, ends = _rule(posix["start"]), _rule(posix["end"])
    if starts is None or ends is None or starts.rrule() is None or ends.rrule() is None:
        return None
    # Dublin's "daylight saving" is its winter, one hour back: what clients call DAYLIGHT is the greater offset.
    into_dst = _Observance(
        starts.onset(_EPOCH_YEAR), standard, summer, _plain(posix["dst"]), summer > standard, starts.rrule()
    )
    out_of_dst = _Observance(
        ends.onset(_EPOCH_YEAR), summer, standard, _plain(posix["std"]), standard > summer, ends.rrule()
    )
    both = (into_dst, out_of_dst)
    return both if _agree(both, (starts, ends), zone, first_year, last_year) else None


def _agree(
    observances: tuple[_Observance, ...],
    rules: tuple[_Rule, ...],
    zone: zoneinfo.ZoneInfo,
    first_year: int,
    last_year: int,
) -> bool:
    """Whether the zone changes exactly when the rules say so, from the year before to the year after."""
    first, last = first_year - 1, last_year + 1
    said = sorted(
        (rule.onset(year) - observance.before, observance.before, observance.after)
        for rule, observance in zip(rules, observances, strict=False)
        for year in range(first, last + 1)
    )
    seen = list(_changes(zone, dt.datetime(first, 1, 1), dt.datetime(last + 1, 1, 1)))
    if said != seen:
        return False
    return bool(said) or _utcoffset(zone, dt.datetime(first, 1, 1)) == observances[0].after


def _written_out(zone: zoneinfo.ZoneInfo, first_year: int, last_year: int) -> tuple[_Observance, ...]:
    start, end = dt.datetime(first_year - 1, 1, 1), dt.datetime(last_year + 2, 1, 1)
    now = _utcoffset(zone, start)
    found = [_Observance(dt.datetime(_EPOCH_YEAR, 1, 1), now, now, _abbreviation(zone, start), daylight=False)]
    for at, before, after in _changes(zone, start, end):
        name = _abbreviation(zone, at)
        found.append(_Observance(at + before, before, after, name, daylight=after > before))
    return tuple(found)


def _changes(
    zone: zoneinfo.ZoneInfo, start: dt.datetime, end: dt.datetime
) -> Iterator[tuple[dt.datetime, dt.timedelta, dt.timedelta]]:
    """(instant in naive UTC, offset before, offset after) of every change in [start, end), found day by day."""
    at = start
    before = _utcoffset(zone, at)
    while at < end:
        following = at + _DAY
        after = _utcoffset(zone, following)
        if after != before:
            low, high = at, following
            while high - low > dt.timedelta(seconds=1):
                middle = low + dt.timedelta(seconds=(high - low) // dt.timedelta(seconds=2))
                if _utcoffset(zone, middle) == before:
                    low = middle
                else:
                    high = middle
            if high < end:
                yield high, before, after
        at, before = following, after


def _utcoffset(zone: zoneinfo.ZoneInfo, naive_utc: dt.datetime) -> dt.timedelta:
    return naive_utc.replace(tzinfo=dt.UTC).astimezone(zone).utcoffset() or dt.timedelta()


def _abbreviation(zone: zoneinfo.ZoneInfo, naive_utc: dt.datetime) -> str:
    return _plain(naive_utc.replace(tzinfo=dt.UTC).astimezone(zone).tzname() or "UTC")


def _footer(zone_name: str) -> str:
    """The TZ string at the end of the zone's file; "" when it has none."""
    for folder in zoneinfo.TZPATH:
        path = Path(folder) / zone_name
        if path.is_file():
            data = path.read_bytes()
            break
    else:
        data = resources.files("tzdata").joinpath("zoneinfo", *zone_name.split("/")).read_bytes()
    return data.rstrip(b"\n").rsplit(b"\n", 1)[-1].decode("ascii", "replace")


def _rule(text: str) -> _Rule | None:
    match = _RULE.fullmatch(text)
    if match is None:
        return None
    at = _seconds(match["time"]) if match["time"] else dt.timedelta(hours=2)
    return _Rule(int(match["month"]), int(match["week"]), int(match["day"]), at)


def _seconds(text: str) -> dt.timedelta:
    sign = -1 if text.startswith("-") else 1
    hours, minutes, seconds, *_rest = [*map(int, text.lstrip("+-").split(":")), 0, 0]
    return sign * dt.timedelta(hours=hours, minutes=minutes, seconds=seconds)


def _plain(name: str) -> str:
    return name.strip("<>")


def _offset_words(offset: dt.timedelta) -> str:
    sign = "-" if offset < dt.timedelta() else "+"
    total = abs(int(offset.total_seconds()))
    words = f"{sign}{total // 3600:02d}{total % 3600 // 60:02d}"
    return words + (f"{total % 60:02d}" if total % 60 else "")
