"""A letter is taken back while a sender has it; letters go over a kept connection, at their domain's rate. Real SMTP."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from suite.mail import outbox
from suite.mail.models import OutboxMail, OutboxState
from suite.mail.outbox import OutboxReport, deliver_outbox, withdraw
from suite.mail.smtp import close_idle
from tests.looking import Mailbox
from tests.processes import CeleryProcess
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)
SLOW = "lente@collectivite.example"
TO = "anne.lefevre@collectivite.example"


@pytest.fixture(autouse=True)
def no_idle_connections() -> Iterator[None]:
    close_idle()
    yield
    close_idle()


def owe(key: str, recipient: str = TO, *, due_at: dt.datetime | None = None) -> None:
    due_at = due_at or timezone.now()
    assert outbox.owe(
        key=key, kind="poll", recipient=recipient, subject="Sondage", text="Texte", html="<p>Texte</p>", due_at=due_at
    )


def states() -> dict[str, str]:
    return dict(OutboxMail.objects.values_list("key", "state"))


@contextmanager
def sending(*, has_begun: bool = False) -> Iterator[Future[OutboxReport]]:
    """A sender at work beside us, that has claimed all that is owed. `has_begun`: and begun to tell the server of the first."""
    now = timezone.now()

    def send() -> OutboxReport:
        try:
            return deliver_outbox(now=now)
        finally:
            close_idle()
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(send)
        until(lambda: set(states().values()) == {"sending"}, what="claimed letters")
        if has_begun:
            claimed = OutboxMail.objects.filter(claimed_until=now + outbox.LEASE)
            until(lambda: not claimed.exists(), what="a letter looked at once more")
        yield found


def test_a_letter_in_hand_that_is_taken_back_is_not_sent(mailbox: Mailbox) -> None:
    mailbox.delay(SLOW, 1.5)
    owe("poll:1:a", SLOW)
    owe("poll:2:a")
    with sending() as sender:
        assert withdraw("poll:2:") == 1
        report = sender.result()
    assert (report.sent, report.withdrawn) == (1, 1)
    assert states() == {"poll:1:a": "sent", "poll:2:a": "withdrawn"}
    assert mailbox.count() == 1


@pytest.mark.parametrize("is_committed", [True, False])
def test_a_sender_waits_for_whoever_is_about_to_take_it_back(mailbox: Mailbox, is_committed: bool) -> None:
    mailbox.delay(SLOW, 1.0)
    owe("poll:1:a", SLOW)
    owe("poll:2:a")
    with sending() as sender:
        with transaction.atomic():
            withdraw("poll:2:")
            # The first has gone: the sender has come to the second, and what becomes of it is not decided yet.
            until(lambda: OutboxMail.objects.get(key="poll:1:a").state == OutboxState.SENT, 10, what="the first to go")
            assert not sender.done()
            transaction.set_rollback(not is_committed)
        report = sender.result()
    assert (report.sent, report.withdrawn) == ((1, 1) if is_committed else (2, 0))
    assert mailbox.count() == (1 if is_committed else 2)


def test_what_the_server_is_being_told_goes_and_says_so(mailbox: Mailbox) -> None:
    mailbox.delay(SLOW, 1.5)
    owe("poll:1:a", SLOW)
    with sending(has_begun=True) as sender:
        withdraw("poll:1:")
        assert sender.result().sent == 1
    assert states() == {"poll:1:a": "sent"}


def test_taken_back_while_the_servers_reply_is_lost_it_is_not_tried_again(mailbox: Mailbox) -> None:
    mailbox.delay(SLOW, 1.5)
    mailbox.lose_reply(SLOW)
    owe("poll:1:a", SLOW)
    with sending(has_begun=True) as sender:
        withdraw("poll:1:")
        report = sender.result()
    assert (report.sent, report.retried, report.withdrawn) == (0, 0, 1)
    assert states() == {"poll:1:a": "withdrawn"}
    assert deliver_outbox(now=timezone.now() + dt.timedelta(hours=1)).claimed == 0


def test_one_connection_serves_batch_after_batch(mailbox: Mailbox) -> None:
    for number in range(6):
        owe(f"poll:{number}:a")
    while deliver_outbox(limit=2, now=timezone.now()).claimed:
        pass
    assert len({mail["connection"] for mail in mailbox.messages()}) == 1
    assert mailbox.count() == 6


def test_a_limited_domain_waits_and_no_other_waits_behind_it(mailbox: Mailbox, settings: Any) -> None:
    settings.MAIL_DOMAIN_RATES = "lent.example=2,*=0"
    now = timezone.now()
    for number in range(6):
        owe(f"poll:{number}:a", f"invite{number}@lent.example", due_at=now)
        owe(f"poll:{number}:b", f"invite{number}@vif.example", due_at=now)
    report = deliver_outbox(now=now)
    assert (report.claimed, report.sent) == (12, 8)
    assert Counter(mail["recipients"][0].split("@")[1] for mail in mailbox.messages()) == {
        "lent.example": 2,
        "vif.example": 6,
    }
    waiting = OutboxMail.objects.filter(state=OutboxState.OWED)
    assert {one.attempts for one in waiting} == {0}
    # As if the clock stood at the last slot: those that were promised one go, without asking again.
    assert deliver_outbox(now=waiting.latest("due_at").due_at).sent == 4


def test_without_redis_limited_domains_wait_and_others_go(mailbox: Mailbox, settings: Any) -> None:
    settings.MAIL_DOMAIN_RATES = "lent.example=2"
    owe("poll:1:a", "invite@lent.example")
    owe("poll:1:b")
    settings.REDIS_URL = "redis://localhost:9/0"
    deliver_outbox(now=timezone.now())
    assert states() == {"poll:1:a": "owed", "poll:1:b": "sent"}


def test_the_worker_sends_at_the_rate_without_a_sweep(
    mailbox: Mailbox, start_celery: Callable[..., CeleryProcess]
) -> None:
    start_celery("worker", variables={"MAIL_DOMAIN_RATES": "lent.example=5"})
    for number in range(20):
        owe(f"poll:{number}:a", f"invite{number}@lent.example")
    until(lambda: set(states().values()) == {"sent"}, 40, what="twenty letters")
    rows = OutboxMail.objects.order_by("sent_at")
    first, last = rows.first(), rows.last()
    assert first is not None
    assert last is not None
    assert first.sent_at is not None
    assert last.sent_at is not None
    # A second's worth at once, then five a second.
    assert (last.sent_at - first.sent_at).total_seconds() > 1.9
    assert mailbox.count() == 20
