"""Content lines of iCalendar (RFC 5545 §3.1), folded, CRLF. Pure: no database, no clock.

Written here where thousands of letters differ in a line or two; values are escaped by icalendar.
"""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from collections.abc import Mapping

from icalendar import vCalAddress, vText, vUri
from icalendar.parser import Contentline, Parameters

from suite.core.plain import one_line

DAY = dt.timedelta(days=1)
_UNTIL = re.compile(r"(?<=UNTIL=)[0-9TZ]+", re.IGNORECASE)
_DATE_LENGTH = 8


def content_line(name: str, value: vText | vUri | vCalAddress, parameters: Parameters | None = None) -> bytes:
    """One property, escaped by icalendar and folded here: its own folding goes letter by letter."""
    return fold(str(Contentline.from_parts(name, parameters or Parameters(), value)))


def fold(text: str) -> bytes:
    """`text`, already escaped, in lines of at most 75 bytes."""
    content = text.encode()
    folded = []
    limit = 75
    while len(content) > limit:
        cut = limit
        # Never inside a character of several bytes (RFC 5545 §3.1).
        while content[cut] & 0xC0 == 0x80:
            cut -= 1
        folded.append(content[:cut])
        content, limit = content[cut:], 74
    folded.append(content)
    return b"\r\n ".join(folded) + b"\r\n"


def text_line(name: str, text: str) -> bytes:
    return content_line(name, vText(text))


def uri_line(name: str, uri: str, parameters: Parameters | None = None) -> bytes:
    return content_line(name, vUri(uri), parameters)


def address_line(name: str, *, common_name: str, uri: str, parameters: Mapping[str, str]) -> bytes:
    """ATTENDEE or ORGANIZER with CN; never SENT-BY, which Gmail shows as "Unknown Organizer"."""
    address = vCalAddress(uri)
    shown = safe_parameter(common_name)
    if shown and shown != uri.removeprefix("mailto:"):
        address.params["CN"] = shown
    for key, value in parameters.items():
        address.params[key] = value
    return content_line(name, address, address.params)


def safe_parameter(text: str) -> str:
    """`text` as a parameter's value: quotes and carets would need RFC 6868, which few clients read."""
    return one_line(text).translate({ord('"'): "’", ord("^"): " "})


def utc_stamp(at: dt.datetime) -> str:
    return f"{at.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}"


class ValueKind:
    """How one meeting writes its moments: DATE for whole days (R14), local time with TZID, or UTC.

    A recurring timed event is never in UTC (R11): a series planned in the zone UTC names it as its TZID.
    """

    def __init__(self, *, zone: str, is_all_day: bool, is_series: bool) -> None:
        self.zone_name = zone
        self.is_all_day = is_all_day
        self.zone = zoneinfo.ZoneInfo(zone)
        self.is_utc = not is_all_day and not is_series and self.zone.key in {"UTC", "Etc/UTC"}

    @property
    def tzid(self) -> str:
        """The TZID that needs a VTIMEZONE; "" when there is none."""
        return "" if self.is_all_day or self.is_utc else self.zone_name

    def local(self, at: dt.datetime) -> dt.datetime:
        return at.astimezone(self.zone)

    def line(self, name: str, at: dt.datetime) -> bytes:
        """DTSTART, DTEND, RECURRENCE-ID, EXDATE or RDATE `name` at the instant `at`."""
        return self.wall_line(name, self.local(at)) if not self.is_utc else f"{name}:{utc_stamp(at)}\r\n".encode()

    def wall_line(self, name: str, wall: dt.datetime) -> bytes:
        """The same from a wall clock of the meeting's zone."""
        if self.is_all_day:
            return f"{name};VALUE=DATE:{wall:%Y%m%d}\r\n".encode("ascii")
        if self.is_utc:
            return f"{name}:{wall:%Y%m%dT%H%M%SZ}\r\n".encode("ascii")
        return fold(f"{name};TZID={self.zone_name}:{wall:%Y%m%dT%H%M%S}")

    def span_lines(self, starts_at: dt.datetime, ends_at: dt.datetime) -> bytes:
        """DTSTART, and DTEND or DURATION."""
        return self.line("DTSTART", starts_at) + self.end_line(starts_at, ends_at)

    def end_line(self, starts_at: dt.datetime, ends_at: dt.datetime) -> bytes:
        """DTEND, which is exclusive."""
        if self.is_all_day:
            # Instants are midnights of the meeting's zone: a day may have 23 or 25 hours.
            days = max(1, round((ends_at - starts_at) / DAY))
            return self.wall_line("DTEND", self.local(starts_at) + days * DAY)
        if self.local(ends_at).fold and not self.is_utc:
            # The end is the second of two equal wall clocks: only a DURATION can say so (RFC 5545 §3.3.5).
            return f"DURATION:{_duration(ends_at - starts_at)}\r\n".encode("ascii")
        return self.line("DTEND", ends_at)

    def rrule_line(self, rule: str) -> bytes:
        """RRULE; its UNTIL is a DATE when DTSTART is one, else in UTC (R12)."""
        return fold(f"RRULE:{_UNTIL.sub(lambda match: self._until(match[0].upper()), rule)}")

    def _until(self, text: str) -> str:
        if self.is_all_day:
            return text[:_DATE_LENGTH]
        if text.endswith("Z"):
            return text
        # A bare date includes its whole day; a floating time is a wall clock of the meeting's zone.
        wall = dt.datetime.strptime(text if len(text) > _DATE_LENGTH else f"{text}T235959", "%Y%m%dT%H%M%S").replace(
            tzinfo=self.zone
        )
        return utc_stamp(wall)


def _duration(span: dt.timedelta) -> str:
    days, seconds = divmod(round(span.total_seconds()), 24 * 3600)
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    time = "".join(f"{count}{unit}" for count, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if count)
    return f"P{f'{days}D' if days else ''}{f'T{time}' if time else ''}" if days or time else "PT0S"
