"""A guest's calendar program: it reads the REQUEST that arrived and answers to its ORGANIZER, as RFC 6047 has it.

Built with icalendar and the standard library alone; nothing of the portal's own code.
"""

from __future__ import annotations

import datetime as dt
import smtplib
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from typing import Any

from icalendar import Calendar, Event, vCalAddress, vText

PATIENCE = 40


def answer_to(
    request: Calendar,
    email: str,
    partstat: str = "ACCEPTED",
    *,
    method: str = "REPLY",
    stamp: dt.datetime | None = None,
    comment: str = "",
    event: Event | None = None,
    only: dt.datetime | None = None,
    changed: dict[str, Any] | None = None,
) -> tuple[str, Calendar]:
    """(ORGANIZER's address, the answer). `only`: answer that one date of a series; `changed`: properties put over the rest."""
    asked = event or request.walk("VEVENT")[0]
    made = Event()
    for name in ("UID", "SEQUENCE", "ORGANIZER", "SUMMARY", "RECURRENCE-ID"):
        if name in asked:
            made[name] = asked[name]
    if only is not None:
        zone = asked["DTSTART"].params.get("TZID")
        made.add("RECURRENCE-ID", only.astimezone(asked["DTSTART"].dt.tzinfo), {"TZID": zone} if zone else {})
    if method != "REPLY":
        made["DTSTART"] = asked["DTSTART"]
    made.add("DTSTAMP", stamp or dt.datetime.now(dt.UTC))
    me = vCalAddress(f"mailto:{email}")
    me.params["PARTSTAT"] = vText(partstat)
    made["ATTENDEE"] = me
    if comment:
        made.add("COMMENT", comment)
    for name, value in (changed or {}).items():
        made.pop(name, None)
        if value is not None:
            made.add(name, value)
    answer = Calendar()
    answer.add("PRODID", "-//Guest//Calendar//EN")
    answer.add("VERSION", "2.0")
    answer.add("METHOD", method)
    answer.add_component(made)
    return str(asked["ORGANIZER"]).removeprefix("mailto:"), answer


def letter(
    email: str,
    to: str,
    calendar: Calendar | bytes,
    *,
    method: str = "REPLY",
    headers: dict[str, str] | None = None,
    subject: str = "Accepted: Comité",
) -> bytes:
    """The e-mail around it."""
    content = calendar if isinstance(calendar, bytes) else calendar.to_ical()
    message = EmailMessage(policy=SMTP_POLICY)
    message["From"], message["To"], message["Subject"] = email, to, subject
    for name, value in (headers or {}).items():
        message[name] = value
    message.set_content("Anne a répondu.")
    message.add_alternative(content.decode(), subtype="calendar", params={"method": method} if method else {})
    return message.as_bytes()


def send(port: int, raw: bytes, *, sender: str, to: str, lmtp: bool = False) -> tuple[int, bytes]:
    """Over the wire; the reply to the message, or to what was refused before it."""
    server = (smtplib.LMTP if lmtp else smtplib.SMTP)("127.0.0.1", port, timeout=PATIENCE)
    try:
        server.ehlo("guest.example")
        for word, argument in (("mail", f"FROM:<{sender}>"), ("rcpt", f"TO:<{to}>")):
            code, said = server.docmd(word, argument)
            if code != 250:
                return code, said
        return server.data(raw)
    finally:
        # Without QUIT: the reply to the message is all that counts.
        server.close()
