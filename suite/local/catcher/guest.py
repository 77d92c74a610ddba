"""A guest's calendar program: answers the REQUEST in a caught message as one would, by mail to its ORGANIZER (RFC 6047)."""

import datetime as dt
import smtplib
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import formatdate, make_msgid
from typing import Any, cast

from icalendar import Calendar, Event

PATIENCE = 30.0
LATER = "LATER"
# What the buttons say, by what they send.
CHOICES = {
    "ACCEPTED": "Accepter",
    "TENTATIVE": "Peut-être",
    "DECLINED": "Décliner",
    LATER: "Proposer une heure plus tard",
}
_SUBJECTS = {
    "ACCEPTED": "Accepté : ",
    "TENTATIVE": "Peut-être : ",
    "DECLINED": "Décliné : ",
    LATER: "Autre horaire proposé : ",
}


class NothingToAnswer(Exception):
    """The message holds no REQUEST to this recipient."""


class NotTaken(Exception):
    """The answer did not arrive; the message is the server's words."""


@dataclass(frozen=True)
class Answer:
    """An e-mail ready to go."""

    sender: str
    to: str
    content: bytes


def can_answer(raw: bytes, recipient: str) -> bool:
    try:
        build(raw, recipient, "ACCEPTED", now=dt.datetime.now(dt.UTC))
    except NothingToAnswer:
        return False
    return True


def build(raw: bytes, recipient: str, choice: str, *, now: dt.datetime) -> Answer:
    """`choice`: a key of CHOICES. Raises NothingToAnswer."""
    asked = _request(raw)
    mine = [one for one in _listed(asked.get("ATTENDEE")) if _address(one) == recipient.lower()]
    if not mine or choice not in CHOICES or not _address(asked.get("ORGANIZER", "")):
        raise NothingToAnswer
    event = Event()
    for name in ("UID", "SEQUENCE", "ORGANIZER", "SUMMARY", "RECURRENCE-ID"):
        if name in asked:
            event[name] = asked[name]
    event.add("DTSTAMP", now)
    me = mine[0]
    me.params["PARTSTAT"] = "TENTATIVE" if choice == LATER else choice
    me.params.pop("RSVP", None)
    event["ATTENDEE"] = me
    if choice == LATER:
        _propose_later(asked, event)
    method = "COUNTER" if choice == LATER else "REPLY"
    calendar = Calendar()
    calendar.add("PRODID", "-//Boîte aux lettres//Invité//FR")
    calendar.add("VERSION", "2.0")
    calendar.add("METHOD", method)
    calendar.add_component(event)

    to = _address(asked["ORGANIZER"])
    message = EmailMessage(policy=policy.SMTP)
    message["From"], message["To"] = recipient, to
    message["Subject"] = _SUBJECTS[choice] + " ".join(str(asked.get("SUMMARY", "")).split())
    message["Date"], message["Message-ID"] = formatdate(), make_msgid(domain="invite.localhost")
    message.set_content(CHOICES[choice])
    message.add_alternative(calendar.to_ical().decode(), subtype="calendar", params={"method": method})
    return Answer(recipient, to, message.as_bytes())


def send(answer: Answer, *, port: int) -> None:
    """Hand it to the portal's listener. Raises NotTaken."""
    try:
        with smtplib.SMTP("127.0.0.1", port, timeout=PATIENCE) as server:
            server.sendmail(answer.sender, [answer.to], answer.content)
    except (OSError, smtplib.SMTPException) as error:
        raise NotTaken(str(error)) from error


def _request(raw: bytes) -> Any:
    """The VEVENT asked about: of a series its master."""
    message = BytesParser(policy=policy.default).parsebytes(raw)
    for part in message.walk():
        if part.get_content_type() == "text/calendar" and str(part.get_param("method")).upper() == "REQUEST":
            try:
                events = Calendar.from_ical(cast(bytes, part.get_payload(decode=True))).walk("VEVENT")
            except ValueError as error:
                raise NothingToAnswer from error
            if events:
                return next((one for one in events if "RECURRENCE-ID" not in one), events[0])
    raise NothingToAnswer


def _propose_later(asked: Any, event: Event) -> None:
    """An hour later, or a day for whole days; of a series its first date."""
    starts = asked["DTSTART"].dt
    later = dt.timedelta(hours=1) if isinstance(starts, dt.datetime) else dt.timedelta(days=1)
    if "RRULE" in asked:
        event["RECURRENCE-ID"] = asked["DTSTART"]
    event.add("DTSTART", starts + later)
    length = asked["DTEND"].dt - starts if "DTEND" in asked else asked["DURATION"].dt
    event.add("DTEND", starts + length + later)


def _listed(found: Any) -> list[Any]:
    return [] if found is None else found if isinstance(found, list) else [found]


def _address(given: Any) -> str:
    return str(given).lower().removeprefix("mailto:")
