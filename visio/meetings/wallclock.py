"""From a wall clock to instants. Pure: no database, no clock."""

from __future__ import annotations

import datetime as dt
import functools
import zoneinfo

# Names that the system's zone folder holds without their being anybody's time zone.
_NOT_A_PLACE = frozenset({"Factory", "localtime", "posixrules"})


class UnknownZone(ValueError):
    """No such IANA time zone. `.name` is what was asked."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@functools.cache
def zone_names() -> frozenset[str]:
    """Every IANA name that a meeting may use."""
    return frozenset(zoneinfo.available_timezones() - _NOT_A_PLACE)


@functools.lru_cache(maxsize=1024)
def zone(name: str) -> zoneinfo.ZoneInfo:
    """The zone called `name`; UnknownZone otherwise (a path, a folder, a misspelling)."""
    if name not in zone_names():
        raise UnknownZone(name)
    return zoneinfo.ZoneInfo(name)


def instant(date: dt.date, time: dt.time, zone_name: str) -> dt.datetime:
    """That wall clock as an instant in UTC.

    A time that daylight saving skips uses the offset before the gap, one that happens twice is the first
    (RFC 5545 §3.3.5): both are what `fold=0` says.
    """
    local = dt.datetime.combine(date, time.replace(tzinfo=None, fold=0), tzinfo=zone(zone_name))
    return local.astimezone(dt.UTC)


def span(date: dt.date, time: dt.time, zone_name: str, minutes: int) -> tuple[dt.datetime, dt.datetime]:
    """Start and end in UTC of a meeting that begins at that wall clock and lasts `minutes` real minutes."""
    starts_at = instant(date, time, zone_name)
    return starts_at, starts_at + dt.timedelta(minutes=minutes)


def day_span(date: dt.date, zone_name: str, days: int) -> tuple[dt.datetime, dt.datetime]:
    """From midnight to midnight, in UTC, of `days` whole days in that zone: a day may have 23 or 25 hours."""
    return instant(date, dt.time(), zone_name), instant(date + dt.timedelta(days=days), dt.time(), zone_name)


def wall_clock(at: dt.datetime, zone_name: str) -> tuple[dt.date, dt.time]:
    """Date and time that a clock on a wall of that zone shows at the instant `at`."""
    local = at.astimezone(zone(zone_name))
    return local.date(), local.time()
