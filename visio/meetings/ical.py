"""Meetings as iCalendar (RFC 5545, 5546, 7986).

Everything but the recipient is the same in a thousand invitations: `CalendarText` renders that once with icalendar and adds,
for each recipient, DTSTAMP, the join link and the ATTENDEE line.
"""

from __future__ import annotations

import datetime as dt
import functools
import zoneinfo
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _
from icalendar import Event, vCalAddress, vText, vUri
from icalendar.parser import Contentline, Parameters

from suite.core.plain import clean_text, one_line
from visio.meetings import tokens
from visio.meetings.models import Answer, Attendee, Meeting, Method, Occurrence, Privacy, Role
from visio.meetings.vtimezone import vtimezone

_PARTSTAT = {
    Answer.NEEDS_ACTION.value: "NEEDS-ACTION",
    Answer.ACCEPTED.value: "ACCEPTED",
    Answer.TENTATIVE.value: "TENTATIVE",
    Answer.DECLINED.value: "DECLINED",
}
_ROLE = {
    Role.CHAIR.value: "CHAIR",
    Role.REQUIRED.value: "REQ-PARTICIPANT",
    Role.OPTIONAL.value: "OPT-PARTICIPANT",
}


@dataclass(frozen=True)
class Recipient:
    """The ATTENDEE that a message is for. `answer` and `role` are values of the models'."""

    email: str
    name: str
    answer: str = Answer.NEEDS_ACTION.value
    role: str = Role.REQUIRED.value


class CalendarText:
    """One meeting's VCALENDAR with METHOD `method` ("" for a file without one) and SEQUENCE `sequence`.

    Built in the language that is active: the line that names the join link is a sentence.
    """

    def __init__(self, *, meeting: Meeting, occurrence: Occurrence, method: str, sequence: int) -> None:
        self._cancel = method == Method.CANCEL
        self._place = one_line(meeting.place)
        self._description = clean_text(meeting.description)
        self._join_sentence = _("Rejoindre la visio : %(url)s")
        self._join_label = _("Rejoindre la visio")
        zone = zoneinfo.ZoneInfo(meeting.time_zone)
        starts, ends = occurrence.starts_at.astimezone(zone), occurrence.ends_at.astimezone(zone)
        event = Event()
        event.add("uid", meeting.uid)
        event.add("sequence", sequence)
        event.add("dtstart", starts)
        if ends.fold:
            # The end is the second of two equal wall clocks: only a DURATION can say so (RFC 5545 §3.3.5).
            event.add("duration", occurrence.ends_at - occurrence.starts_at)
        else:
            event.add("dtend", ends)
        event.add("summary", one_line(meeting.title))
        # A REQUEST never carries STATUS:CANCELLED (R10).
        cancelled = self._cancel or (not method and meeting.is_cancelled)
        event.add("status", "CANCELLED" if cancelled else "CONFIRMED")
        event.add("class", "PRIVATE" if meeting.privacy == Privacy.PRIVATE else "PUBLIC")
        event.add("transp", "OPAQUE")
        event.add("created", meeting.created_at)
        event.add("last-modified", meeting.changed_at)
        event.add("organizer", _address(meeting.organiser.full_name, meeting.organiser.email))
        lines = event.to_ical()
        head = (
            f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//{settings.UID_DOMAIN}//Portail//FR\r\nCALSCALE:GREGORIAN\r\n"
        )
        if method:
            head += f"METHOD:{method}\r\n"
        zones = vtimezone(meeting.time_zone, starts.year, ends.year) if b";TZID=" in lines else b""
        self._head = head.encode("ascii") + zones + lines.removesuffix(b"END:VEVENT\r\n")
        chair = Recipient(
            meeting.organiser.email, meeting.organiser.full_name, Answer.ACCEPTED.value, role=Role.CHAIR.value
        )
        self._tail = (_attendee(chair, rsvp=False) if method else b"") + b"END:VEVENT\r\nEND:VCALENDAR\r\n"
        self._link_lines = functools.lru_cache(maxsize=4)(self._render_link_lines)

    def render(self, *, recipient: Recipient | None, join_url: str, stamp: dt.datetime) -> bytes:
        """The whole object for that recipient, DTSTAMP `stamp`; `join_url` "" when there is nothing to join."""
        attendee = _attendee(recipient, rsvp=not self._cancel) if recipient else b""
        stamped = f"DTSTAMP:{stamp.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}\r\n".encode("ascii")
        return b"".join((self._head, stamped, self._link_lines(join_url), attendee, self._tail))

    def _render_link_lines(self, join_url: str) -> bytes:
        """LOCATION and DESCRIPTION, and URL and CONFERENCE (RFC 7986 §5.11): where clients look for the link."""
        lines = []
        place = " – ".join(part for part in (self._place, join_url) if part)
        if place:
            lines.append(_line("LOCATION", vText(place)))
        paragraphs = [self._join_sentence % {"url": join_url}] if join_url else []
        if self._description:
            paragraphs.append(self._description)
        if paragraphs:
            lines.append(_line("DESCRIPTION", vText("\n\n".join(paragraphs))))
        if join_url and not self._cancel:
            lines.append(_line("URL", vUri(join_url)))
            conference = Parameters({"VALUE": "URI", "FEATURE": ["AUDIO", "VIDEO"], "LABEL": self._join_label})
            lines.append(_line("CONFERENCE", vUri(join_url), conference))
        return b"".join(lines)


def meeting_ics(meeting: Meeting, *, join_url: str | None = None) -> bytes:
    """The meeting as a file to download: no METHOD, no attendees; DTSTAMP is the last change (RFC 5545 §3.8.7.2).

    `join_url`: the reader's own link; the agents' one when None.
    """
    text = CalendarText(
        meeting=meeting,
        occurrence=meeting.occurrences.get(recurrence_id=None),
        method="",
        sequence=meeting.sequence,
    )
    url = tokens.join_url(meeting) if join_url is None else join_url
    return text.render(recipient=None, join_url="" if meeting.is_cancelled else url, stamp=meeting.changed_at)


def recipient_of(attendee: Attendee) -> Recipient:
    return Recipient(email=attendee.email, name=attendee.display_name, answer=attendee.answer, role=attendee.role)


def _attendee(recipient: Recipient, *, rsvp: bool) -> bytes:
    address = _address(recipient.name, recipient.email)
    address.params["CUTYPE"] = "INDIVIDUAL"
    address.params["ROLE"] = _ROLE[recipient.role]
    address.params["PARTSTAT"] = _PARTSTAT[recipient.answer]
    if rsvp:
        # Without it Gmail shows no buttons.
        address.params["RSVP"] = "TRUE"
    return _line("ATTENDEE", address, address.params)


def _line(name: str, value: vText | vUri | vCalAddress, parameters: Parameters | None = None) -> bytes:
    """One content line, escaped by icalendar and folded here: its own folding goes letter by letter."""
    content = str(Contentline.from_parts(name, parameters or Parameters(), value)).encode()
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


def _address(name: str, email: str) -> vCalAddress:
    """mailto: with CN; never SENT-BY, which Gmail shows as "Unknown Organizer"."""
    address = vCalAddress(f"mailto:{email}")
    # Quotes and carets would need RFC 6868, which few clients read.
    shown = one_line(name).translate({ord('"'): "’", ord("^"): " "})
    if shown and shown != email:
        address.params["CN"] = shown
    return address
