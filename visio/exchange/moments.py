"""Dates, times, zones and durations of a calendar file, as the portal keeps them: a wall clock and an IANA zone. Pure."""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from visio.exchange.parsing import Property
from visio.meetings import wallclock

_DATE = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_TIME = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2})([0-9]{2})([0-9]{2})(Z?)")
_DURATION = re.compile(
    r"([+-]?)P(?:([0-9]{1,4})W)?(?:([0-9]{1,5})D)?(?:T(?:([0-9]{1,6})H)?(?:([0-9]{1,7})M)?(?:([0-9]{1,8})S)?)?"
)
_UTC_NAMES = frozenset({"utc", "gmt", "z", "etc/utc", "etc/gmt", "tzone://microsoft/utc", "coordinated universal time"})


class EventRefused(Exception):
    """One event is not taken. `.message` says why, in the language that was active."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(reason)
        self.reason, self.message = reason, message


@dataclass(frozen=True)
class Moment:
    """A naive wall clock of `zone`; midnight when it is a date (whole days have no zone of their own)."""

    wall: dt.datetime
    zone: str
    is_date: bool = False

    @property
    def at(self) -> dt.datetime:
        """In UTC."""
        try:
            return wallclock.instant(self.wall.date(), self.wall.time(), self.zone)
        except OverflowError as error:
            raise EventRefused("date_range", _("Une de ses dates est hors du calendrier.")) from error

    def seen_in(self, zone: str) -> Moment:
        """The same instant as a clock of `zone` shows it; itself when that clock cannot say it (the hour that comes twice)."""
        if self.is_date or zone == self.zone:
            return self
        try:
            date, time = wallclock.wall_clock(self.at, zone)
        except OverflowError as error:
            raise EventRefused("date_range", _("Une de ses dates est hors du calendrier.")) from error
        seen = Moment(dt.datetime.combine(date, time), zone)
        return seen if seen.at == self.at else self


@dataclass(frozen=True)
class Zones:
    """How a file names its zones. `told`: X-LIC-LOCATION by TZID; `floating`: where times without a zone are."""

    told: Mapping[str, str]
    floating: str

    def called(self, tzid: str) -> str:
        """Raises EventRefused for a zone that nobody knows."""
        for name in (tzid, self.told.get(tzid, "")):
            found = iana_zone(name) if name else None
            if found is not None:
                return found
        words = _("Son fuseau horaire « %(zone)s » est inconnu.") % {"zone": tzid[:80]}
        raise EventRefused("unknown_zone", words)


@functools.lru_cache(maxsize=1024)
def iana_zone(name: str) -> str | None:
    """The IANA zone that a TZID means: its own name, Windows' name for it, or the end of a vendor's path."""
    bare = name.strip().strip('"')
    if bare.lower() in _UTC_NAMES:
        return "UTC"
    names = wallclock.zone_names()
    pieces = bare.split("/")
    candidates = [bare, _windows().get(bare.lower(), ""), *("/".join(pieces[-count:]) for count in (3, 2))]
    for candidate in candidates:
        if candidate in names:
            return candidate
    return _small_letters().get(bare.lower())


@functools.cache
def _windows() -> dict[str, str]:
    return {windows.lower(): olson for windows, olson in WINDOWS_TO_OLSON.items()}


@functools.cache
def _small_letters() -> dict[str, str]:
    return {name.lower(): name for name in wallclock.zone_names()}


def moment(prop: Property, zones: Zones) -> Moment:
    """The one DATE or DATE-TIME of a property. Raises EventRefused."""
    return next(moments(prop, zones), None) or _unreadable(prop.value)


def moments(prop: Property, zones: Zones) -> Iterator[Moment]:
    """Each value of RDATE or EXDATE. Raises EventRefused."""
    tzid = prop.parameters.get("TZID", "")
    for text in prop.value.split(","):
        yield _moment(text.strip().upper(), tzid, zones)


def _moment(text: str, tzid: str, zones: Zones) -> Moment:
    date = _DATE.fullmatch(text)
    try:
        if date is not None:
            year, month, day = (int(part) for part in date.groups())
            return Moment(dt.datetime(year, month, day), zones.floating, is_date=True)  # noqa: DTZ001
        time = _TIME.fullmatch(text)
        if time is None:
            return _unreadable(text)
        year, month, day, hour, minute, second = (int(part) for part in time.groups()[:6])
        # A leap second: the last one there is.
        wall = dt.datetime(year, month, day, hour, minute, min(second, 59))  # noqa: DTZ001
    except ValueError:
        return _unreadable(text)
    if time[7]:
        return Moment(wall, "UTC")
    return Moment(wall, zones.called(tzid) if tzid else zones.floating)


def _unreadable(text: str) -> Moment:
    raise EventRefused("date", _("La date « %(date)s » est illisible.") % {"date": text[:40]})


def duration(text: str) -> tuple[int, dt.timedelta]:
    """(whole days by the calendar, exact time) of a DURATION. Raises EventRefused; negative ones too."""
    match = _DURATION.fullmatch(text.strip().upper())
    if match is None or match[1] == "-":
        raise EventRefused("duration", _("Sa durée « %(duration)s » est illisible.") % {"duration": text[:40]})
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups()[1:])
    return weeks * 7 + days, dt.timedelta(hours=hours, minutes=minutes, seconds=seconds)
