"""From the bytes of an e-mail to what a guest's calendar says (RFC 6047, RFC 5546). Pure: no database, no clock.

`read` never raises, whatever the bytes: what cannot be understood comes back with `.problem`. Time and memory are bounded before
the libraries see anything: they recurse into nested parts and would expand any rule.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from email import message_from_bytes
from email.errors import HeaderParseError, MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import getaddresses
from itertools import islice
from typing import Any

from suite.core.plain import one_line
from visio.inbox.itip import CALENDAR_FAULTS, Malformed, Moment, Person, Reply, read_calendar

__all__ = ["MOST_BYTES", "Bounce", "Mail", "Malformed", "Moment", "Person", "Reply", "read"]

# What the listener takes, and what is kept of it.
MOST_BYTES = 1_048_576
_MOST_PARTS = 60
_MOST_HEADER = 2_000
_ADDRESS_LENGTH = 320
_SUBJECT_LENGTH = 500
_CALENDAR_TYPES = {"text/calendar", "application/ics", "text/x-vcalendar"}
_TNEF_TYPES = {"application/ms-tnef", "application/vnd.ms-tnef"}
_ANSWERING = {"REPLY", "COUNTER", "REFRESH"}
_ANSWER_WORDS = {"auto_reply", "auto-reply", "bulk", "junk", "list"}
_COMMENT = re.compile(r"\([^()]*\)")
# "smtp; 550 …", "rfc822; anne@…": what kind of words follow (RFC 3464 §2.1.2).
_TYPE = re.compile(r"^\s*[\w.-]+\s*;\s*")
# The message that came back, or its head (RFC 3462, RFC 6533).
_COPIES = {"message/rfc822", "message/global"}
_HEADERS = {"text/rfc822-headers", "message/global-headers"}
_DMARC_FAILS = re.compile(r"^\s*dmarc\s*=\s*fail\b", re.IGNORECASE)
# What the email package raises at hostile bytes, besides its own errors.
MAIL_FAULTS = (MessageError, *CALENDAR_FAULTS)


@dataclass(frozen=True)
class Bounce:
    """A delivery status notification (RFC 3464) about one of our messages.

    `message_id`: of that message, "" when the notice holds nothing of it. `action`: "failed", "delayed", "delivered", …, in
    small letters. `recipients`: to whom it was going, in small letters. `words`: the far server's.
    """

    message_id: str
    action: str
    words: str
    recipients: frozenset[str] = frozenset()

    @property
    def is_permanent(self) -> bool:
        """Given up: refused (Status 5.x), or after days of trying (4.x)."""
        return self.action == "failed"


@dataclass(frozen=True)
class Mail:
    """One e-mail. `sender`: the one address of From, in small letters; "" when there is none, or several.

    `refused_by`: the servers (authserv-id, in small letters) whose Authentication-Results say dmarc=fail.
    `problem`: why there are no replies: "unreadable", "too_much", "tnef", "no_calendar", "automatic", "bounce", or a
    reason of Malformed.
    """

    sender: str = ""
    subject: str = ""
    message_id: str = ""
    is_automatic: bool = False
    refused_by: frozenset[str] = frozenset()
    replies: tuple[Reply, ...] = ()
    problem: str = ""
    bounce: Bounce | None = None


def read(raw: bytes) -> Mail:
    """What the message says; never an exception."""
    if len(raw) > MOST_BYTES or _is_overloaded(raw):
        return Mail(problem="too_much")
    try:
        message = message_from_bytes(raw)
        mail = _headers(message)
    except MAIL_FAULTS:
        return Mail(problem="unreadable")
    try:
        return _with_contents(mail, message)
    except Malformed as malformed:
        return replace(mail, problem=malformed.reason)
    except MAIL_FAULTS:
        return replace(mail, problem="unreadable")


def hops(raw: bytes) -> int:
    """How many servers say that they passed the message on (RFC 5321 §6.3)."""
    head = re.split(rb"\r?\n\r?\n", raw[:200_000], maxsplit=1)[0]
    return len(re.findall(rb"^Received:", head, re.IGNORECASE | re.MULTILINE))


def _is_overloaded(raw: bytes) -> bool:
    """More nesting than any mail program makes: every level costs the parser a look at every line."""
    lowered = raw.lower()
    return lowered.count(b"boundary") > _MOST_PARTS or lowered.count(b"message/") > _MOST_PARTS


def _headers(message: Message) -> Mail:
    return Mail(
        sender=_sender(message),
        subject=_words(message.get("Subject", ""))[:_SUBJECT_LENGTH],
        message_id=one_line(str(message.get("Message-ID", ""))[:_MOST_HEADER])[:_SUBJECT_LENGTH],
        is_automatic=_is_automatic(message),
        refused_by=frozenset(_refusals(message)),
    )


def _sender(message: Message) -> str:
    fields = message.get_all("From", [])
    if len(fields) != 1:
        return ""
    found = [address for _name, address in getaddresses([str(fields[0])[:_MOST_HEADER]]) if address]
    if len(found) != 1 or "@" not in found[0]:
        return ""
    return one_line(found[0]).lower()[:_ADDRESS_LENGTH]


def _words(header: Any) -> str:
    """A header in words; as it stands when its encoding is wrong."""
    text = str(header)[:_MOST_HEADER]
    try:
        text = str(make_header(decode_header(text)))
    except (HeaderParseError, *CALENDAR_FAULTS):
        return one_line(text)
    return one_line(text)


def _is_automatic(message: Message) -> bool:
    """An absence notice, a mailing list, a bounce: RFC 3834 §5, and what came before it."""
    said = str(message.get("Auto-Submitted", "no"))[:_MOST_HEADER].split(";")[0].strip().lower()
    precedence = str(message.get("Precedence", ""))[:_MOST_HEADER].strip().lower()
    return said not in {"no", ""} or precedence in _ANSWER_WORDS or "X-Autoreply" in message


def _refusals(message: Message) -> Iterator[str]:
    """RFC 8601: `Authentication-Results: mx.example; spf=pass; dmarc=fail (p=none) header.from=…`."""
    for value in message.get_all("Authentication-Results", [])[:_MOST_PARTS]:
        server, *results = _COMMENT.sub(" ", str(value)[:_MOST_HEADER]).split(";")
        if any(_DMARC_FAILS.match(result) for result in results):
            yield one_line(server).split(" ")[0].lower()


def _with_contents(mail: Mail, message: Message) -> Mail:
    bounce = _bounce(message)
    if bounce is not None:
        return replace(mail, bounce=bounce, problem="bounce")
    parts = list(islice(message.walk(), _MOST_PARTS + 1))
    if len(parts) > _MOST_PARTS:
        raise Malformed("too_much")
    calendars = [part for part in parts if not part.is_multipart() and _is_calendar(part)]
    if not calendars:
        if any(_is_tnef(part) for part in parts):
            raise Malformed("tnef")
        raise Malformed("automatic" if mail.is_automatic else "no_calendar")
    best = next((part for part in calendars if _method_of(part) in _ANSWERING), calendars[0])
    return replace(mail, replies=read_calendar(_text(best), method=_method_of(best)))


def _is_calendar(part: Message) -> bool:
    return part.get_content_type() in _CALENDAR_TYPES or _filename(part).endswith(".ics")


def _is_tnef(part: Message) -> bool:
    return part.get_content_type() in _TNEF_TYPES or _filename(part) == "winmail.dat"


def _filename(part: Message) -> str:
    return str(part.get_filename() or "").lower()


def _method_of(part: Message) -> str:
    value = part.get_param("method") or ""
    return str(value[2] if isinstance(value, tuple) else value).strip().upper()


def _text(part: Message) -> str:
    """The part's text. UTF-8 is what iCalendar is in (RFC 5545 §3.1.4), whatever some programs declare."""
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        raise Malformed("unreadable")
    declared = str(part.get_content_charset() or "utf-8")
    for charset in (declared,) if "16" in declared or "32" in declared else ("utf-8-sig", declared):
        try:
            return payload.decode(charset)
        except (LookupError, UnicodeError):
            continue
    return payload.decode("cp1252", errors="replace")


def _bounce(message: Message) -> Bounce | None:
    if message.get_content_type() != "multipart/report" or not message.is_multipart():
        return None
    parts = [part for part in message.get_payload() if isinstance(part, Message)]
    status = next((part for part in parts if part.get_content_type() == "message/delivery-status"), None)
    if status is None or not status.is_multipart():
        return None
    fields = [block for block in islice(status.get_payload(), 10) if isinstance(block, Message) and "Action" in block]
    if not fields:
        return None
    about = fields[0]
    words = _TYPE.sub("", _words(about.get("Diagnostic-Code", "") or about.get("Status", "")))
    named = (_words(about.get(name, "")) for name in ("Final-Recipient", "Original-Recipient"))
    return Bounce(
        message_id=_original_id(parts),
        # A comment may follow (RFC 3464 §2.3.3).
        action=_words(about["Action"]).split(" ")[0].lower(),
        words=words[:_SUBJECT_LENGTH],
        recipients=frozenset(_TYPE.sub("", one).strip("<>").lower()[:_ADDRESS_LENGTH] for one in named if one),
    )


def _original_id(parts: list[Any]) -> str:
    """The Message-ID of the message that bounced, from its copy or its headers."""
    for part in parts:
        kind = part.get_content_type()
        if kind in _COPIES and part.is_multipart():
            return one_line(str(part.get_payload(0).get("Message-ID", ""))[:_MOST_HEADER])
        if kind in _HEADERS:
            payload = part.get_payload(decode=True)
            if isinstance(payload, bytes):
                return one_line(str(message_from_bytes(payload).get("Message-ID", ""))[:_MOST_HEADER])
    return ""
