"""What can never be sent or read is set aside and shown; everything else flows (PROMISES 1, 30)."""

from __future__ import annotations

import datetime as dt
import time
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from suite.mail import outbox
from suite.mail.models import OutboxMail
from tests import factories
from tests.looking import Mailbox
from tests.suite.mail.test_outbox import TO, owe
from tests.visio.inbox import guests
from tests.visio.inbox.conftest import ANNE, BOB, Invited, invite, reply_domain, take
from tests.visio.inbox.test_acting import move
from tests.visio.meetings.pages import client_of, text_of
from tests.visio.meetings.reading import received, send_all
from visio.inbox.models import InboundMessage, Verdict
from visio.meetings.invitations import MOST_ATTEMPTS
from visio.meetings.models import Attendee, Delivery

__all__ = ["reply_domain"]

pytestmark = pytest.mark.django_db(transaction=True)
FINE, POISON = "anne@partenaire.example", "poison@partenaire.example"
# However long a pause, a try is due by then.
LATER = dt.timedelta(hours=13)


@pytest.fixture
def administration() -> Client:
    return client_of(factories.agent(is_staff=True, is_superuser=True))


def seen(administration: Client, model: str, state: str) -> str:
    answer = administration.get(f"/admin/{model}/", {state.partition("=")[0]: state.partition("=")[2]})
    assert answer.status_code == 200
    return text_of(answer)


def test_p1_a_mail_server_that_is_down_for_an_hour(mailbox: Mailbox, settings: Any) -> None:
    boss = factories.agent()
    port, now = settings.EMAIL_PORT, timezone.now()
    settings.EMAIL_PORT = 9
    began = time.process_time()
    meeting = factories.meeting(boss, guests=[FINE, "bob@partenaire.example"], now=now)
    assert time.process_time() - began < 1
    for minutes in range(0, 60, 5):
        [report] = send_all(now + dt.timedelta(minutes=minutes))
        assert report.server_down
    assert "2 en attente" in text_of(client_of(boss).get(f"/reunions/{meeting.public_id}/"))
    assert mailbox.count() == 0
    settings.EMAIL_PORT = port
    for _sweep in range(3):
        send_all(now + dt.timedelta(minutes=61))
    assert [[int(mail.event["SEQUENCE"]) for mail in received(mailbox, who)] for who in (FINE, BOB)] == [[0], [0]]
    assert mailbox.count() == 2


def test_p30_an_invitation_that_never_goes_is_set_aside_and_shown(mailbox: Mailbox, administration: Client) -> None:
    boss = factories.agent()
    poison, fine = factories.meeting(boss, guests=[POISON]), factories.meeting(boss, guests=[FINE])
    mailbox.refuse(POISON, "451 4.3.0 Encore une fois")
    # Every try but the last is behind it.
    Delivery.objects.filter(meeting=poison).update(attempts=MOST_ATTEMPTS - 2)
    send_all(timezone.now())
    row = poison.deliveries.get()
    assert (row.state, row.attempts, fine.deliveries.get().state) == ("owed", MOST_ATTEMPTS - 1, "sent")
    send_all(timezone.now() + LATER)
    row.refresh_from_db()
    assert (row.state, row.attempts) == ("failed", MOST_ATTEMPTS)
    assert send_all(timezone.now() + 9 * LATER) == [], "no further try"
    page = seen(administration, "visio/delivery", "state__exact=failed")
    assert POISON in page
    assert "451 4.3.0 Encore une fois" in page
    assert FINE not in page
    # The organiser sees it too, and may have it tried again.
    ledger = text_of(client_of(boss).get(f"/reunions/{poison.public_id}/"))
    assert "451 4.3.0 Encore une fois" in ledger
    mailbox.behave()
    act = {"action": "retry_failed", "_selected_action": [str(row.pk)]}
    assert administration.post("/admin/visio/delivery/", act).status_code == 302
    send_all(timezone.now() + LATER)
    assert len(mailbox.messages(POISON)) == 1


def test_p30_a_letter_that_never_goes_is_set_aside_and_shown(mailbox: Mailbox, administration: Client) -> None:
    owe(key="poison", recipient=POISON)
    owe(key="fine")
    mailbox.refuse(POISON, "451 4.3.0 Encore une fois")
    OutboxMail.objects.filter(key="poison").update(attempts=outbox.MOST_ATTEMPTS - 1)
    outbox.deliver_outbox(now=timezone.now())
    assert dict(OutboxMail.objects.values_list("key", "state")) == {"poison": "failed", "fine": "sent"}
    assert outbox.deliver_outbox(now=timezone.now() + 9 * LATER).claimed == 0
    assert len(mailbox.messages(TO)) == 1
    page = seen(administration, "mail/outboxmail", "state__exact=failed")
    assert POISON in page
    assert "451 4.3.0 Encore une fois" in page
    assert TO not in page
    poison = OutboxMail.objects.get(key="poison")
    OutboxMail.objects.update(text="https://portail.example/sondage/secret/")
    detail = text_of(administration.get(f"/admin/mail/outboxmail/{poison.pk}/change/"))
    assert POISON in detail
    assert "/sondage/secret/" not in detail


def test_p30_answers_that_cannot_be_read_are_kept_shown_and_stop_nobody(
    mailbox: Mailbox, administration: Client, reply_domain: str
) -> None:
    invited: Invited = invite(mailbox)
    to = invited.address
    bombs = [
        b"\xff\xfe\x00 rien",
        b"Subject: x\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n" + b"--a\r\n" * 20_000,
        guests.letter(ANNE, to, b"BEGIN:VCALENDAR\r\n" * 500 + b"END:VEVENT\r\n"),
        guests.letter(
            ANNE, to, b"BEGIN:VCALENDAR\r\nMETHOD:REPLY\r\nBEGIN:VEVENT\r\nRRULE:FREQ=SECONDLY\r\nEND:VCALENDAR"
        ),
    ]
    for raw in bombs:
        assert take(invited, raw).verdict == Verdict.MALFORMED
        assert take(invited, raw).pk == take(invited, raw).pk, "again is the same row"
    assert invited.anne.answer == "needs_action"
    assert take(invited, invited.reply()).verdict == Verdict.APPLIED
    assert Attendee.objects.get(pk=invited.anne.pk).answer == "accepted"
    assert InboundMessage.objects.count() == len(bombs) + 1
    page = seen(administration, "visio/inboundmessage", "verdict__exact=malformed")
    assert page.count("field-verdict") == len(bombs)


def test_p34_an_answer_by_mail_to_an_earlier_hour_is_kept_and_shown_as_such(
    mailbox: Mailbox, administration: Client, reply_domain: str
) -> None:
    invited: Invited = invite(mailbox)
    early = invited.reply()
    move(invited)
    row = take(invited, early)
    assert row.verdict == Verdict.EARLIER
    assert invited.anne.answer == "needs_action"
    shown = text_of(client_of(invited.organiser).get(f"/reunions/{invited.meeting.public_id}/fragment/recues/"))
    assert ANNE in shown
    assert ANNE in seen(administration, "visio/inboundmessage", "verdict__exact=earlier")
