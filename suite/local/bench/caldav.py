"""Radicale on loopback with the same events, asked over HTTP as a calendar client asks. Helper of the bench `calendars`."""

from __future__ import annotations

import base64
import datetime as dt
import http.client
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from suite.local.bench.crowd import Event
from suite.local.parts.part import Part, answers

STAMP = "%Y%m%dT%H%M%SZ"
NAMESPACES = 'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"'
SECONDS = 120


class Radicale(Part):
    name = "radicale"
    title = "Radicale"
    advice = "pip install -r requirements-dev.txt"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        options = {
            "server-hosts": f"127.0.0.1:{self.port}",
            "storage-filesystem-folder": str(self.folder / "radicale"),
            "auth-type": "none",
            "rights-type": "owner_only",
            "web-type": "none",
            "logging-level": "critical",
        }
        return [sys.executable, "-m", "radicale", *(f"--{name}={value}" for name, value in options.items())]

    def is_ready(self) -> bool:
        return answers(f"{self.url}/.web/", seconds=5) or _listens(self.port)

    def write(self, user: str, events: Sequence[Event]) -> None:
        """That user's calendar, as the files that Radicale itself would have written."""
        folder = self.folder / "radicale" / "collection-root" / user / "calendar"
        folder.mkdir(parents=True)
        (folder / ".Radicale.props").write_text('{"tag": "VCALENDAR"}')
        for number, event in enumerate(events):
            (folder / f"{number}.ics").write_text(_ics(f"{user}-{number}", event))


@contextmanager
def client(server: Radicale) -> Iterator[http.client.HTTPConnection]:
    """One kept connection."""
    kept = http.client.HTTPConnection("127.0.0.1", server.port, timeout=SECONDS)
    try:
        yield kept
    finally:
        kept.close()


def week(kept: http.client.HTTPConnection, user: str, start: dt.datetime, end: dt.datetime) -> int:
    """A calendar-query REPORT with the data (RFC 4791 §7.8): how many events it answers."""
    body = (
        f"<C:calendar-query {NAMESPACES}><D:prop><D:getetag/><C:calendar-data/></D:prop><C:filter>"
        f'<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">'
        f'<C:time-range start="{start:{STAMP}}" end="{end:{STAMP}}"/>'
        "</C:comp-filter></C:comp-filter></C:filter></C:calendar-query>"
    )
    return _report(kept, user, body, expected=207).count("BEGIN:VEVENT")


def free_busy(
    kept: http.client.HTTPConnection, user: str, start: dt.datetime, end: dt.datetime
) -> list[tuple[dt.datetime, dt.datetime]]:
    """A free-busy-query REPORT (RFC 4791 §7.10): the busy periods, as they come."""
    body = f'<C:free-busy-query {NAMESPACES}><C:time-range start="{start:{STAMP}}" end="{end:{STAMP}}"/></C:free-busy-query>'
    text = _report(kept, user, body, expected=200).replace("\r\n ", "")
    found = re.findall(r"^FREEBUSY[^:]*:(\S+)/(\S+)", text, re.MULTILINE)
    return [(_instant(one), _instant(other)) for one, other in found]


def _report(kept: http.client.HTTPConnection, user: str, body: str, *, expected: int) -> str:
    headers = {
        "Authorization": f"Basic {base64.b64encode(f'{user}:x'.encode()).decode()}",
        "Content-Type": "application/xml; charset=utf-8",
        "Depth": "1",
    }
    kept.request("REPORT", f"/{user}/calendar/", body.encode(), headers)
    answer = kept.getresponse()
    text = answer.read().decode()
    assert answer.status == expected, (answer.status, text[:500])
    return text


def _instant(text: str) -> dt.datetime:
    return dt.datetime.strptime(text, STAMP).replace(tzinfo=dt.UTC)


def _ics(uid: str, event: Event) -> str:
    end = event.starts_at + dt.timedelta(minutes=event.minutes)
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//bench//FR",
        "BEGIN:VEVENT",
        f"UID:{uid}@bench.example",
        f"DTSTAMP:{event.starts_at:{STAMP}}",
        f"DTSTART:{event.starts_at:{STAMP}}",
        f"DTEND:{end:{STAMP}}",
        *([f"RRULE:FREQ=WEEKLY;COUNT={event.dates}"] if event.dates > 1 else []),
        "SUMMARY:Banc",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]
    return "\r\n".join(lines)


def _listens(port: int) -> bool:
    try:
        probe = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        probe.request("OPTIONS", "/")
        probe.getresponse().read()
        probe.close()
    except OSError:
        return False
    return True
