"""One e-mail, and its bytes on the wire (RFC 5322, 2045–2047, 2183).

The bytes are written here rather than by `email.message`, which takes four times as long as everything else that sending
an invitation costs. They are 7-bit clean (quoted-printable and base64), CRLF throughout, no line over 78 characters but
an unbreakable one: any server takes them, with or without 8BITMIME.

```
multipart/mixed                       (multipart/alternative alone when there is no calendar)
 ├ multipart/alternative: text/plain · text/html · text/calendar; method=…
 └ text/calendar; method=…; name=invite.ics     the same bytes, as an attachment
```
"""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
from base64 import encodebytes
from binascii import b2a_qp
from dataclasses import dataclass
from email.header import Header
from email.utils import format_datetime

from suite.core.plain import one_line

# Display names longer than this are cut: nobody reads on, and servers count header bytes.
_LONGEST_NAME = 120


@dataclass(frozen=True, kw_only=True)
class OutgoingMail:
    """What to send to one recipient. Addresses are bare; texts are str with \\n or \\r\\n; `calendar` is a whole VCALENDAR."""

    message_id: str
    date: dt.datetime
    sender: str
    sender_name: str
    recipient: str
    recipient_name: str
    subject: str
    text: str
    html: str
    reply_to: str = ""
    reply_to_name: str = ""
    # MAIL FROM, where what does not arrive comes back to; "": `sender`.
    envelope_sender: str = ""
    calendar: bytes = b""
    # METHOD of the calendar, told in its Content-Type too (RFC 6047 §2.4).
    method: str = ""
    # Where one POST ends a subscription (RFC 8058); "" for what is none: invitations, decisions.
    unsubscribe_url: str = ""


class UnsendableAddress(ValueError):
    """An address that cannot stand in a header: not ASCII, or with spaces, brackets or controls."""


def render_bytes(mail: OutgoingMail) -> bytes:
    """The whole message. Raises UnsendableAddress; no text, whatever it holds, can add a header or a part."""
    # Neither quoted-printable nor base64 can produce "=_": the boundary cannot occur inside a part.
    seed = hashlib.sha256(mail.message_id.encode()).hexdigest()[:24]
    outer, inner = f"=_{seed}.m", f"=_{seed}.a"
    alternatives = [_text_part("plain", mail.text), _text_part("html", mail.html)]
    body = b""
    if mail.calendar:
        calendar = encodebytes(mail.calendar).replace(b"\n", b"\r\n")
        kind = f"text/calendar; method={mail.method}; charset=UTF-8"
        alternatives.append(
            f"Content-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n\r\n".encode("ascii") + calendar
        )
        attachment = (
            f'Content-Type: {kind}; name="invite.ics"\r\nContent-Transfer-Encoding: base64\r\n'
            'Content-Disposition: attachment; filename="invite.ics"\r\n\r\n'
        ).encode("ascii") + calendar
        nested = f'Content-Type: multipart/alternative; boundary="{inner}"\r\n\r\n'.encode("ascii")
        body = _multipart(outer, [nested + _multipart(inner, alternatives), attachment])
        content_type = f'multipart/mixed; boundary="{outer}"'
    else:
        body = _multipart(inner, alternatives)
        content_type = f'multipart/alternative; boundary="{inner}"'
    lines = [
        f"From: {_mailbox('From', mail.sender_name, mail.sender)}",
        f"To: {_mailbox('To', mail.recipient_name, mail.recipient)}",
        f"Subject: {_unstructured('Subject', mail.subject)}",
        f"Date: {format_datetime(mail.date)}",
        f"Message-ID: {_bare(mail.message_id)}",
        "Auto-Submitted: auto-generated",
        "MIME-Version: 1.0",
        f"Content-Type: {content_type}",
    ]
    if mail.unsubscribe_url:
        lines.append(f"List-Unsubscribe: <{_bare(mail.unsubscribe_url)}>")
        lines.append("List-Unsubscribe-Post: List-Unsubscribe=One-Click")
    if mail.reply_to:
        lines.insert(2, f"Reply-To: {_mailbox('Reply-To', mail.reply_to_name, mail.reply_to)}")
    return "\r\n".join(lines).encode("ascii") + b"\r\n\r\n" + body


def _multipart(boundary: str, parts: list[bytes]) -> bytes:
    line = f"--{boundary}".encode("ascii")
    return b"".join(line + b"\r\n" + part + b"\r\n" for part in parts) + line + b"--\r\n"


def _text_part(subtype: str, text: str) -> bytes:
    unified = "\r\n".join(text.splitlines()) + "\r\n"
    head = f"Content-Type: text/{subtype}; charset=UTF-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    return head.encode("ascii") + b2a_qp(unified.encode("utf-8", "replace"), istext=True)


def _bare(text: str) -> str:
    if not text.isascii() or any(character.isspace() or not character.isprintable() for character in text):
        raise UnsendableAddress("not an ASCII token")
    return text


@functools.lru_cache(maxsize=8192)
def _mailbox(field: str, name: str, address: str) -> str:
    """`"Name" <address>` (RFC 5322 §3.4)."""
    if not address or any(character in '<>()[],;:\\"' for character in address):
        raise UnsendableAddress("not a bare address")
    bare = _bare(address)
    shown = one_line(name)[:_LONGEST_NAME]
    if not shown:
        return bare
    if shown.isascii() and "=?" not in shown:
        quoted = '"' + shown.replace("\\", "\\\\").replace('"', '\\"') + '"'
        # Fold only between the name and the address: inside quotes white space is the name's own.
        return f"{quoted}\r\n <{bare}>" if len(quoted) + len(bare) + len(field) > 72 else f"{quoted} <{bare}>"
    encoded = Header(shown, "utf-8", maxlinelen=76, header_name=field).encode(linesep="\r\n")
    last = encoded.rsplit("\r\n", 1)[-1]
    return f"{encoded}\r\n <{bare}>" if len(last) + len(bare) + len(field) > 72 else f"{encoded} <{bare}>"


@functools.lru_cache(maxsize=2048)
def _unstructured(field: str, text: str) -> str:
    shown = one_line(text)
    plain = shown.isascii() and "=?" not in shown
    return Header(shown, "us-ascii" if plain else "utf-8", maxlinelen=76, header_name=field).encode(linesep="\r\n")
