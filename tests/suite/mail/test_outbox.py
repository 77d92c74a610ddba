"""The outbox against a real SMTP server: each key once, refusals in the server's words, a sender that dies."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from suite.mail import outbox
from suite.mail.letter import Button, Fact, Section, render_letter
from suite.mail.models import OutboxMail, OutboxState
from tests.looking import Mailbox
from tests.processes import CeleryProcess

TO = "anne.lefevre@collectivite.example"


def owe(key: str = "reminder:1", **changed: object) -> bool:
    fields = {
        "key": key,
        "kind": "reminder",
        "recipient": TO,
        "recipient_name": "Anne Lefèvre",
        "subject": "Rappel : Comité\r\nBcc: x@y.fr",
        "text": "Dans dix minutes.",
        "html": "<p>Dans dix minutes.</p>",
        "due_at": timezone.now(),
    }
    return outbox.owe(**{**fields, **changed})  # type: ignore[arg-type]


@pytest.mark.django_db
def test_the_same_key_is_one_letter(mailbox: Mailbox) -> None:
    assert owe() is True
    assert owe(subject="Autre") is False
    report = outbox.deliver_outbox(now=timezone.now())
    assert (report.claimed, report.sent) == (1, 1)
    assert outbox.deliver_outbox(now=timezone.now()).claimed == 0
    assert owe() is False
    [letter] = mailbox.wait(TO)
    assert letter["subject"] == "Rappel : Comité Bcc: x@y.fr"
    assert "Bcc" not in dict(letter["headers"])
    assert dict(letter["headers"])["Auto-Submitted"] == "auto-generated"
    assert "List-Unsubscribe" not in dict(letter["headers"])


@pytest.mark.django_db
def test_a_subscription_says_how_to_leave_it(mailbox: Mailbox) -> None:
    owe(unsubscribe_url="https://portail.example/rappels/abc/arreter/")
    outbox.deliver_outbox(now=timezone.now())
    [letter] = mailbox.wait(TO)
    assert dict(letter["headers"])["List-Unsubscribe"] == "<https://portail.example/rappels/abc/arreter/>"
    assert dict(letter["headers"])["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


@pytest.mark.django_db
def test_nothing_goes_before_its_hour_nor_after_its_use(mailbox: Mailbox) -> None:
    now = timezone.now()
    owe("later", due_at=now + dt.timedelta(minutes=5))
    owe("useless", due_at=now - dt.timedelta(hours=2), useless_after=now - dt.timedelta(hours=1))
    report = outbox.deliver_outbox(now=now)
    assert (report.claimed, report.withdrawn, report.sent) == (1, 1, 0)
    assert mailbox.count() == 0
    assert outbox.deliver_outbox(now=now + dt.timedelta(minutes=6)).sent == 1


@pytest.mark.django_db
def test_withdrawn_letters_stay_home(mailbox: Mailbox) -> None:
    owe("poll:1:a")
    owe("poll:2:a")
    assert outbox.withdraw("poll:1:") == 1
    assert outbox.deliver_outbox(now=timezone.now()).sent == 1
    assert OutboxMail.objects.get(key="poll:1:a").state == OutboxState.WITHDRAWN


@pytest.mark.django_db
def test_refusals_keep_the_servers_words(mailbox: Mailbox) -> None:
    now = timezone.now()
    mailbox.refuse(TO, "451 4.3.0 Later", times=1)
    owe(due_at=now)
    assert outbox.deliver_outbox(now=now).retried == 1
    mail = OutboxMail.objects.get()
    assert (mail.state, mail.server_words, mail.attempts) == (OutboxState.OWED, "451 4.3.0 Later", 1)
    assert outbox.deliver_outbox(now=now).claimed == 0, "not before its rest is over"
    mailbox.refuse(TO, "550 5.1.1 No such user", times=1)
    assert outbox.deliver_outbox(now=now + dt.timedelta(minutes=1)).failed == 1
    mail.refresh_from_db()
    assert (mail.state, mail.server_words) == (OutboxState.FAILED, "550 5.1.1 No such user")


@pytest.mark.django_db
def test_an_impossible_address_harms_no_other(mailbox: Mailbox) -> None:
    owe("bad", recipient="bad address@x")
    owe("good")
    report = outbox.deliver_outbox(now=timezone.now())
    assert (report.failed, report.sent) == (1, 1)


@pytest.mark.django_db
def test_a_dead_senders_letters_are_taken_over(mailbox: Mailbox) -> None:
    now = timezone.now()
    owe()
    OutboxMail.objects.update(state=OutboxState.SENDING, claimed_until=now + dt.timedelta(minutes=1))
    assert outbox.deliver_outbox(now=now).claimed == 0
    assert outbox.deliver_outbox(now=now + dt.timedelta(minutes=2)).sent == 1


@pytest.mark.django_db
def test_a_letter_over_which_the_server_hangs_up_stops_no_other(mailbox: Mailbox) -> None:
    now, bad = timezone.now(), "piege@collectivite.example"
    mailbox.lose_reply(bad, times=None)
    owe("bad", recipient=bad, due_at=now)
    owe("good", due_at=now)
    report = outbox.deliver_outbox(now=now)
    assert (report.server_down, report.retried, report.sent) == (True, 1, 0)
    # What the server never saw has had no try, and does not wait behind the other one.
    assert dict(OutboxMail.objects.values_list("key", "attempts")) == {"bad": 1, "good": 0}
    assert outbox.deliver_outbox(now=now + outbox.SERVER_DOWN_REST).sent == 1
    OutboxMail.objects.filter(key="bad").update(attempts=outbox.MOST_ATTEMPTS - 1)
    outbox.deliver_outbox(now=now + dt.timedelta(hours=2))
    assert dict(OutboxMail.objects.values_list("key", "state")) == {"bad": "failed", "good": "sent"}


@pytest.mark.django_db
def test_a_server_that_is_not_there_costs_no_try(mailbox: Mailbox, settings: Any) -> None:
    settings.EMAIL_PORT = 9
    owe()
    assert outbox.deliver_outbox(now=timezone.now()).server_down
    mail = OutboxMail.objects.get()
    assert (mail.state, mail.attempts) == (OutboxState.OWED, 0)


@pytest.mark.django_db(transaction=True)
def test_a_slow_senders_letters_stay_its_own(mailbox: Mailbox) -> None:
    lease = dt.timedelta(seconds=2)
    mailbox.delay("*", 0.8)
    for number in range(4):
        owe(f"slow:{number}")

    def send(_number: int) -> int:
        try:
            return outbox.deliver_outbox(lease=lease, now=timezone.now()).sent
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(send, 0)
        others = 0
        while not first.done():
            # Another sweep, again and again, as long as the first one is at work.
            if OutboxMail.objects.filter(state=OutboxState.SENDING).exists():
                others += outbox.deliver_outbox(lease=lease, now=timezone.now()).sent
        assert (first.result(), others) == (4, 0)
    assert mailbox.count() == 4


@pytest.mark.django_db(transaction=True)
def test_two_writers_and_two_senders_make_one_letter(mailbox: Mailbox) -> None:
    def write(_number: int) -> bool:
        try:
            return owe()
        finally:
            connection.close()

    def send(_number: int) -> int:
        try:
            return outbox.deliver_outbox(now=timezone.now()).sent
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(write, range(4))) == [False, False, False, True]
        assert sum(pool.map(send, range(4))) == 1
    assert mailbox.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_worker_sends_by_itself(mailbox: Mailbox, celery_worker: CeleryProcess) -> None:
    owe()
    [letter] = mailbox.wait(TO)
    assert "Dans dix minutes." in letter["text"]


def test_a_letter_escapes_and_says_everything_twice() -> None:
    text, html = render_letter(
        language="fr",
        subject="s",
        kicker="Rappel",
        title="<b>Comité</b>",
        paragraphs=["Premier & dernier"],
        when="Mardi 24 novembre, 10:00",
        facts=[Fact("Lieu", "Salle <A>", "https://portail.example/x")],
        sections=[Section("Demain", [Fact("10:00", "Point")])],
        buttons=[Button("Ouvrir", "https://portail.example/")],
        unsubscribe_url="https://portail.example/stop/",
    )
    for wanted in ("<b>Comité</b>", "Premier & dernier", "Mardi 24 novembre, 10:00", "Salle <A>", "Demain", "Ouvrir"):
        assert wanted in text
    assert "&lt;b&gt;Comité&lt;/b&gt;" in html
    assert "<b>Comité" not in html
    assert 'href="https://portail.example/stop/"' in html
