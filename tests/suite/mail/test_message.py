"""The bytes of an e-mail, read back by the standard library's parser."""

import datetime as dt
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.mail.message import OutgoingMail, UnsendableAddress, render_bytes

CALENDAR = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nSUMMARY:é\r\nEND:VCALENDAR\r\n".encode()
NASTY = st.text(
    alphabet=st.one_of(st.sampled_from("\r\n\x85\u2028\x0b\x0c\x00;:,\"'\\<>()@=?.é "), st.characters(codec="utf-8")),
    max_size=300,
)
HEADERS = [
    "From",
    "To",
    "Reply-To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "MIME-Version",
    "Content-Type",
]


def mail(**changes: Any) -> OutgoingMail:
    fields: dict[str, Any] = {
        "message_id": "<abc@portail.example>",
        "date": dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC),
        "sender": "invitations@portail.example",
        "sender_name": "Karim Benali via Visio",
        "recipient": "anne@partenaire.example",
        "recipient_name": "Anne Le Goff",
        "reply_to": "karim@dinum.example",
        "reply_to_name": "Karim Benali",
        "subject": "Invitation : Comité de suivi, mar. 24 nov. 14:00",
        "text": "Bonjour,\nà mardi.",
        "html": "<p>Bonjour, à mardi.</p>",
        "calendar": CALENDAR,
        "method": "REQUEST",
    }
    return OutgoingMail(**{**fields, **changes})


def parsed(raw: bytes) -> EmailMessage:
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def shape(part: Any) -> Any:
    kind = part.get_content_type()
    return (kind, [shape(child) for child in part.iter_parts()]) if part.is_multipart() else kind


def test_structure() -> None:
    message = parsed(render_bytes(mail()))
    assert shape(message) == (
        "multipart/mixed",
        [("multipart/alternative", ["text/plain", "text/html", "text/calendar"]), "text/calendar"],
    )
    alternative, attachment = message.iter_parts()
    inline = list(alternative.iter_parts())[-1]  # type: ignore[attr-defined]
    for part in (inline, attachment):
        assert part["Content-Type"].params["method"] == "REQUEST"
        assert part["Content-Type"].params["charset"] == "UTF-8"
        assert part.get_payload(decode=True) == CALENDAR
        assert len(part.get_all("Content-Type")) == 1
    assert inline.get_content_disposition() is None
    assert attachment.get_content_disposition() == "attachment"
    assert attachment.get_filename() == "invite.ics"
    assert attachment["Content-Type"].params["name"] == "invite.ics"


def test_without_a_calendar_it_is_an_alternative() -> None:
    message = parsed(render_bytes(mail(calendar=b"", method="")))
    assert shape(message) == ("multipart/alternative", ["text/plain", "text/html"])


def test_headers_read_back() -> None:
    message = parsed(render_bytes(mail(recipient_name="Zoé « Directrice », de l’État")))
    assert message.keys() == HEADERS
    assert str(message["Subject"]) == "Invitation : Comité de suivi, mar. 24 nov. 14:00"
    assert message["To"].addresses[0].display_name == "Zoé « Directrice », de l’État"
    assert message["To"].addresses[0].addr_spec == "anne@partenaire.example"
    assert message["From"].addresses[0].display_name == "Karim Benali via Visio"
    assert message["Auto-Submitted"] == "auto-generated"


@given(title=NASTY, name=NASTY, text=NASTY)
def test_nothing_typed_adds_a_header_or_a_part(title: str, name: str, text: str) -> None:
    raw = render_bytes(mail(subject=title, recipient_name=name, sender_name=name, text=text, html=text))
    message = parsed(raw)
    assert message.keys() == HEADERS
    assert shape(message) == shape(parsed(render_bytes(mail())))
    assert message["To"].addresses[0].addr_spec == "anne@partenaire.example"
    assert raw.isascii()
    assert all(len(line) <= 998 and b"\r" not in line and b"\n" not in line for line in raw.split(b"\r\n"))


@given(st.text(alphabet=st.one_of(st.sampled_from(" \n.=é\t"), st.characters(min_codepoint=32, codec="utf-8"))))
def test_text_reads_back(text: str) -> None:
    message = parsed(render_bytes(mail(text=text)))
    plain = message.get_body(("plain",))
    assert plain is not None
    assert plain.get_content().splitlines() == (text.splitlines() or [""])


@pytest.mark.parametrize(
    "address", ["anne@x.example\r\nBcc: b@x.example", "é@x.example", "a b@x.example", "<a@x.example>", ""]
)
def test_an_address_that_could_break_a_header_is_refused(address: str) -> None:
    with pytest.raises(UnsendableAddress):
        render_bytes(mail(recipient=address))
