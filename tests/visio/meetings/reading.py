"""Read invitations as a mail program does: out of the bytes that the catcher received."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from icalendar import Calendar, Event

from tests.looking import Mailbox
from visio.meetings.invitations import DeliveryReport, deliver


@dataclass(frozen=True)
class Received:
    """One received invitation: the parsed message, its VCALENDAR and VEVENT."""

    raw: bytes
    message: EmailMessage
    ics: bytes
    calendar: Calendar
    event: Event

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    @property
    def text(self) -> str:
        return self._body("plain")

    @property
    def html(self) -> str:
        return self._body("html")

    def _body(self, kind: str) -> str:
        part = self.message.get_body((kind,))
        assert part is not None
        return str(part.get_content())

    @property
    def method(self) -> str:
        return str(self.calendar["METHOD"])

    @property
    def attendees(self) -> dict[str, Any]:
        """{address: ATTENDEE property}."""
        found = self.event.get("ATTENDEE", [])
        listed = found if isinstance(found, list) else [found]
        return {str(one).removeprefix("mailto:"): one for one in listed}


def read(raw: bytes) -> Received:
    """`.event` is the whole meeting's VEVENT, or the only one."""
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    calendars = [part for part in message.walk() if part.get_content_type() == "text/calendar"]
    first, second = (part.get_payload(decode=True) for part in calendars)
    assert first == second
    assert isinstance(first, bytes)
    calendar = Calendar.from_ical(first)
    events = calendar.walk("VEVENT")
    [event] = events if len(events) == 1 else [one for one in events if "RECURRENCE-ID" not in one]
    return Received(raw=raw, message=message, ics=first, calendar=calendar, event=event)


def received(mailbox: Mailbox, to: str = "") -> list[Received]:
    """What arrived for `to`, oldest first."""
    return [read(mailbox.raw(one["id"])) for one in reversed(mailbox.messages(to))]


def send_all(now: dt.datetime) -> list[DeliveryReport]:
    """Deliver until nothing is due at `now`, as a worker does."""
    reports = []
    while (report := deliver(now=now)).claimed:
        reports.append(report)
        assert len(reports) < 1000
        if report.server_down:
            break
    return reports
