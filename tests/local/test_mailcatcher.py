"""The mail catcher: what it keeps, shows and refuses."""

import contextlib
import http.client
import json
import smtplib
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from suite.local import ports
from suite.local.catcher.rules import BadRule, parse
from suite.local.catcher.store import Store
from suite.local.parts.mailcatcher import MailCatcher
from tests.conftest import OwnParts
from tests.looking import Mailbox
from tests.processes import fetch


def message(to: str, subject: str = "Réunion <b>", html: str = "") -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"], made["Message-ID"] = (
        "a@portail.example",
        to,
        subject,
        "<1@portail.example>",
    )
    made.set_content("Bonjour")
    if html:
        made.add_alternative(html, subtype="html")
    made.add_attachment("BEGIN:VCALENDAR\r\n", subtype="calendar", params={"method": "REQUEST"}, filename="invite.ics")
    made.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="ordre du jour.pdf")
    return made


def send(part: MailCatcher, *messages: EmailMessage) -> None:
    with smtplib.SMTP("localhost", part.port, timeout=10) as server:
        for one in messages:
            server.send_message(one)


def test_messages_are_listed_newest_first_and_filtered(mailbox: Mailbox) -> None:
    send(mailbox.part, message("claire@dinum.example", "Un"), message("karim@dinum.example", "Deux"))
    send(mailbox.part, message("Claire@dinum.example", "Trois"))

    assert [one["subject"] for one in mailbox.messages()] == ["Trois", "Deux", "Un"]
    assert [one["subject"] for one in mailbox.messages("claire@dinum.example")] == ["Trois", "Un"]
    assert [one["subject"] for one in mailbox.messages(subject="deux")] == ["Deux"]
    assert [one["subject"] for one in mailbox.messages(limit=1)] == ["Trois"]
    one, two, three = reversed(mailbox.messages())
    assert one["connection"] == two["connection"] != three["connection"]


def test_a_message_is_shown_with_its_parts(mailbox: Mailbox) -> None:
    send(mailbox.part, message("claire@dinum.example", html="<p>Bonjour</p>"))

    [one] = mailbox.wait("claire@dinum.example")

    assert (one["text"], one["html"]) == ("Bonjour\r\n", "<p>Bonjour</p>\r\n")
    assert [(c["method"], c["filename"], c["content"]) for c in one["calendars"]] == [
        ("REQUEST", "invite.ics", "BEGIN:VCALENDAR\r\n")
    ]
    assert one["attachments"] == [{"filename": "ordre du jour.pdf", "type": "application/pdf", "size": 4}]
    assert one["message_id"] == "<1@portail.example>"
    assert mailbox.raw(one["id"]).startswith(b"From: a@portail.example\r\n")


def test_the_pages_are_in_french_and_escape_what_was_sent(mailbox: Mailbox) -> None:
    send(mailbox.part, message("claire@dinum.example", "<b>gras</b>", html="<script>alert(1)</script>"))
    number = mailbox.messages()[0]["id"]

    listing, shown = fetch(f"{mailbox.part.url}/"), fetch(f"{mailbox.part.url}/messages/{number}")

    assert '<html lang="fr">' in listing
    assert "arrive ici : 1 message." in listing
    assert "Les 5\u202f000 messages les plus récents sont gardés." in listing
    for page in (listing, shown):
        assert "&lt;b&gt;gras&lt;/b&gt;" in page
        assert "<b>gras" not in page
        assert "<script>" not in page
    with urllib.request.urlopen(f"{mailbox.part.url}/messages/{number}/html") as answer:
        assert answer.read() == b"<script>alert(1)</script>\r\n"
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        assert "script-src" not in answer.headers["Content-Security-Policy"]


def test_the_list_page_filters_and_says_when_there_is_nothing(mailbox: Mailbox) -> None:
    send(mailbox.part, message("claire@dinum.example", "Un"))

    assert "Aucun message" in fetch(f"{mailbox.part.url}/?to=karim@dinum.example")
    assert ">Un</a>" in fetch(f"{mailbox.part.url}/?to=claire@dinum.example&subject=un")
    assert "color-scheme" in fetch(f"{mailbox.part.url}/style.css")


def test_one_recipient_is_refused_as_often_as_told(mailbox: Mailbox) -> None:
    mailbox.refuse("karim@dinum.example", "451 4.3.0 Try again later", times=1)

    with smtplib.SMTP("localhost", mailbox.part.port, timeout=10) as server:
        refused = server.sendmail("a@portail.example", ["karim@dinum.example", "claire@dinum.example"], "x")
        again = server.sendmail("a@portail.example", ["karim@dinum.example"], "x")

    assert refused == {"karim@dinum.example": (451, b"4.3.0 Try again later")}
    assert again == {}
    assert [one["recipients"] for one in mailbox.messages()] == [["karim@dinum.example"], ["claire@dinum.example"]]


def test_everybody_is_refused_until_told_otherwise(mailbox: Mailbox) -> None:
    mailbox.refuse("*", "550 5.1.1 No such user")
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        send(mailbox.part, message("claire@dinum.example"))

    mailbox.behave()
    send(mailbox.part, message("claire@dinum.example"))

    assert mailbox.count() == 1


def test_a_reply_is_lost_although_the_message_is_kept(mailbox: Mailbox) -> None:
    mailbox.lose_reply("claire@dinum.example")

    with pytest.raises(smtplib.SMTPServerDisconnected):
        send(mailbox.part, message("claire@dinum.example"))

    assert mailbox.count() == 1


def test_a_message_is_held_back(mailbox: Mailbox) -> None:
    mailbox.delay("claire@dinum.example", 0.5, times=1)
    began = time.monotonic()

    send(mailbox.part, message("claire@dinum.example"))

    assert time.monotonic() - began >= 0.5


def test_the_rules_can_be_read(mailbox: Mailbox) -> None:
    mailbox.refuse("A@b.example", "550 5.1.1 No", times=2)

    assert json.loads(fetch(f"{mailbox.part.url}/api/rules")) == [
        {"recipient": "a@b.example", "reply": "550 5.1.1 No", "seconds": 0.0, "lose_reply": False, "times": 2}
    ]


@pytest.mark.parametrize(
    "given",
    [
        [],
        {},
        {"recipient": 3},
        {"recipient": "*", "what": 1},
        {"recipient": "*", "reply": "250 OK"},
        {"recipient": "*", "reply": "451 a\nb"},
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(given: object) -> None:
    with pytest.raises(BadRule):
        parse(given)


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/api/messages/999999", None, 404),
        ("GET", "/api/messages/1/html", None, 404),
        ("GET", "/nowhere", None, 404),
        ("POST", "/nowhere", b"{}", 404),
        ("DELETE", "/nowhere", None, 404),
        ("POST", "/api/rules", b"not json", 400),
        ("POST", "/api/rules", b'{"recipient": 1}', 400),
    ],
)
def test_a_wrong_request_is_told_so(mailbox: Mailbox, method: str, path: str, body: bytes | None, status: int) -> None:
    request = urllib.request.Request(f"{mailbox.part.url}{path}", method=method, data=body)

    with pytest.raises(urllib.error.HTTPError) as told:
        urllib.request.urlopen(request, timeout=5)

    assert told.value.code == status


def test_messages_of_one_recipient_can_be_forgotten(mailbox: Mailbox) -> None:
    send(mailbox.part, message("claire@dinum.example"), message("karim@dinum.example"))
    request = urllib.request.Request(f"{mailbox.part.url}/api/messages?to=claire@dinum.example", method="DELETE")

    with urllib.request.urlopen(request, timeout=5) as answer:
        assert json.load(answer) == {"removed": 1}
    assert [one["recipients"] for one in mailbox.messages()] == [["karim@dinum.example"]]


def test_messages_stay_across_a_restart_and_numbers_go_on(own_parts: OwnParts) -> None:
    part = own_parts.mailcatcher()
    send(part, message("claire@dinum.example", "Avant"))

    part.kill()
    part.start()
    send(part, message("claire@dinum.example", "Après"))

    assert [(one["id"], one["subject"]) for one in Mailbox(part).messages()] == [(2, "Après"), (1, "Avant")]


def test_the_oldest_message_leaves_when_the_box_is_full(tmp_path: Path) -> None:
    store = Store(tmp_path, most=2)

    for number in range(3):
        store.add(raw=b"Subject: s\r\n\r\n", sender="a@b", recipients=[f"{number}@b"], connection=1)

    assert [one.recipients for one in store.newest()] == [["2@b"], ["1@b"]]
    assert [one.id for one in store.newest(before=3)] == [2]
    assert len(list(tmp_path.iterdir())) == 4
    assert store.get(1) is None


# --- answering as a guest ---------------------------------------------------------------------------------------
REQUEST = """BEGIN:VCALENDAR\r
VERSION:2.0\r
PRODID:x\r
METHOD:REQUEST\r
BEGIN:VEVENT\r
UID:1@portail.example\r
SEQUENCE:3\r
DTSTAMP:20261122T060000Z\r
DTSTART:20261126T090000Z\r
DTEND:20261126T100000Z\r
SUMMARY:Comité\r
ORGANIZER;CN=Claire:mailto:r+1.2@reponses.example\r
ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:anne@partenaire.example\r
END:VEVENT\r
END:VCALENDAR\r
"""
GUEST = "anne@partenaire.example"


def invitation() -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "a@portail.example", GUEST, "Invitation"
    made.set_content("Bonjour")
    made.add_alternative(REQUEST, subtype="calendar", params={"method": "REQUEST"})
    return made


def press(part: MailCatcher, number: int, choice: str, **headers: str) -> tuple[int, str]:
    """(status, where the browser is sent, or the page)."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", part.page_port, timeout=30)) as wire:
        kind = {"Content-Type": "application/x-www-form-urlencoded", **headers}
        wire.request("POST", f"/messages/{number}/answer", f"answer={choice}", kind)
        answer = wire.getresponse()
        return answer.status, answer.headers.get("Location") or answer.read().decode()


@pytest.fixture
def guests_box(own_parts: OwnParts, tmp_path: Path) -> Iterator[tuple[Mailbox, Mailbox]]:
    """A guest's mailbox whose answers go to a second catcher, in the listener's place."""
    listener = own_parts.mailcatcher()
    part = MailCatcher(tmp_path / "guest", ports.reserve(), page_port=ports.reserve(), reply_port=listener.port)
    part.start()
    yield Mailbox(part), Mailbox(listener)
    part.stop()


@pytest.mark.parametrize(
    ("choice", "method", "partstat"),
    [
        ("ACCEPTED", "REPLY", "ACCEPTED"),
        ("TENTATIVE", "REPLY", "TENTATIVE"),
        ("DECLINED", "REPLY", "DECLINED"),
        ("LATER", "COUNTER", "TENTATIVE"),
    ],
)
def test_an_invitation_is_answered_as_its_readers_calendar_would(
    guests_box: tuple[Mailbox, Mailbox], choice: str, method: str, partstat: str
) -> None:
    box, listener = guests_box
    send(box.part, invitation())
    number = box.messages()[0]["id"]
    shown = fetch(f"{box.part.url}/messages/{number}")
    for words in ("Accepter", "Peut-être", "Décliner", "Proposer une heure plus tard"):
        assert f">{words}</button>" in shown

    status, where = press(box.part, number, choice)

    assert (status, where) == (303, f"/messages/{number}?sent={choice}")
    assert "Réponse envoyée" in fetch(f"{box.part.url}{where}")
    [one] = listener.wait("r+1.2@reponses.example")
    [calendar] = one["calendars"]
    lines = calendar["content"].split("\r\n")
    assert (one["sender"], calendar["method"]) == (GUEST, method)
    assert {f"METHOD:{method}", "UID:1@portail.example", "SEQUENCE:3"} <= set(lines)
    assert f"ATTENDEE;PARTSTAT={partstat}:mailto:{GUEST}" in lines
    assert ("DTSTART:20261126T100000Z" in lines) is (method == "COUNTER")


def test_there_are_buttons_only_where_somebody_listens(mailbox: Mailbox, guests_box: tuple[Mailbox, Mailbox]) -> None:
    box, _listener = guests_box
    for where, mail in ((mailbox, invitation()), (box, message(GUEST, "Rien à répondre"))):
        send(where.part, mail)
        number = where.messages()[0]["id"]
        assert "<button" not in fetch(f"{where.part.url}/messages/{number}")
        assert press(where.part, number, "ACCEPTED")[0] == 400


def test_an_answer_that_is_refused_is_told(guests_box: tuple[Mailbox, Mailbox]) -> None:
    box, listener = guests_box
    send(box.part, invitation())
    number = box.messages()[0]["id"]
    listener.refuse("*", "550 5.1.1 No such address here")
    status, page = press(box.part, number, "ACCEPTED")
    assert status == 502
    assert "No such address here" in page
    assert press(box.part, number, "ACCEPTED", **{"Sec-Fetch-Site": "cross-site"})[0] == 404
    assert press(box.part, number, "MAYBE")[0] == 400
    assert press(box.part, number + 1, "ACCEPTED")[0] == 404
