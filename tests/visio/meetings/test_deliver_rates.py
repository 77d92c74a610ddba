"""Domains at their rate, connections kept between batches: on the bytes and sessions that a real server saw."""

from __future__ import annotations

import datetime as dt
import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from django.utils import timezone

from suite.mail import throttle
from suite.mail.smtp import close_idle
from tests import factories
from tests.looking import Mailbox
from tests.processes import CeleryProcess
from tests.visio.meetings.reading import send_all
from tests.waiting import until
from visio.meetings import series, tasks
from visio.meetings.invitations import deliver, next_due
from visio.meetings.undo import UNDO_SECONDS

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def no_idle_connections() -> Iterator[None]:
    close_idle()
    yield
    close_idle()


def crowd(size: int, domain: str) -> list[Any]:
    return [f"invite{number}@{domain}" for number in range(size)]


def test_a_limited_domain_waits_and_no_other_waits_behind_it(mailbox: Mailbox, settings: Any) -> None:
    settings.MAIL_DOMAIN_RATES = "lent.example=10,*=0"
    now = timezone.now()
    meeting = factories.meeting(guests=[*crowd(30, "lent.example"), *crowd(20, "vif.example")], now=now)
    [report] = send_all(now)
    assert (report.claimed, report.sent) == (50, 30)
    assert Counter(mail["recipients"][0].split("@")[1] for mail in mailbox.messages()) == {
        "lent.example": 10,
        "vif.example": 20,
    }
    waiting = meeting.deliveries.filter(state="owed").order_by("due_at")
    assert [row.attempts for row in waiting] == [0] * 20
    times = [row.due_at for row in waiting]
    # Each at a moment of its own, a tenth of a second apart; more where the machine was busy with something else.
    steps = {round((later - earlier).total_seconds(), 2) for earlier, later in itertools.pairwise(times)}
    assert min(steps) >= 0.09
    assert dt.timedelta(seconds=1.5) < times[-1] - times[0] < dt.timedelta(seconds=2.2)
    assert next_due(now) == times[0]


def test_a_row_keeps_the_slot_that_it_was_given(mailbox: Mailbox, settings: Any) -> None:
    settings.MAIL_DOMAIN_RATES = "lent.example=10"
    now = timezone.now()
    meeting = factories.meeting(guests=crowd(30, "lent.example"), now=now)
    send_all(now)
    last = meeting.deliveries.filter(state="owed").latest("due_at").due_at
    # As if the clock stood at the last slot: all that were promised one go, without asking again.
    [report] = send_all(last)
    assert report.sent == 20


def test_slots_long_past_are_asked_for_again(mailbox: Mailbox, settings: Any, redis_client: redis.Redis) -> None:
    settings.MAIL_DOMAIN_RATES = "lent.example=10"
    now = timezone.now()
    factories.meeting(guests=crowd(40, "lent.example"), now=now)
    send_all(now)
    redis_client.flushall()
    # Workers were away for a minute: the rest is no flood.
    report = deliver(now=now + dt.timedelta(minutes=1))
    assert (report.claimed, report.sent) == (30, 10)


def test_without_redis_limited_domains_wait_and_others_go(mailbox: Mailbox, settings: Any) -> None:
    settings.MAIL_DOMAIN_RATES = "lent.example=10"
    now = timezone.now()
    meeting = factories.meeting(guests=[*crowd(2, "lent.example"), *crowd(2, "vif.example")], now=now)
    settings.REDIS_URL = "redis://localhost:9/0"
    send_all(now)
    assert Counter(meeting.deliveries.values_list("state", flat=True)) == {"sent": 2, "owed": 2}


def test_workers_send_at_the_rate(mailbox: Mailbox, start_celery: Callable[..., CeleryProcess]) -> None:
    start_celery("worker", "--concurrency", "2", variables={"MAIL_DOMAIN_RATES": "lent.example=20"})
    meeting = factories.meeting(guests=crowd(100, "lent.example"))
    owed_at = meeting.deliveries.earliest("due_at").due_at
    # No sweep runs in this test: each second's ring rings for the next.
    until(lambda: meeting.deliveries.filter(state="sent").count() == 100, 60, what="a hundred messages")
    assert mailbox.count() == 100
    rows = list(meeting.deliveries.order_by("sent_at"))
    # What was given a slot went no earlier than that, however late the workers came to it.
    assert [row.recipient for row in rows if row.sent_at is None or row.sent_at < row.due_at] == []
    # A second's worth at once, then 20 a second: each message has a slot of its own, and goes a second early at most.
    slots = [owed_at + dt.timedelta(seconds=number / 20 - throttle.AHEAD) for number in range(100)]
    early = [number for number, row in enumerate(rows) if row.sent_at and row.sent_at < slots[number]]
    assert early == []


def test_a_slot_that_came_while_a_sender_was_leaving_is_rung_for(redis_client: redis.Redis, settings: Any) -> None:
    looked_at = timezone.now()
    meeting = factories.meeting(guests=crowd(1, "lent.example"))
    redis_client.flushall()
    queue = f"{settings.REDIS_PREFIX}:{settings.CELERY_TASK_DEFAULT_QUEUE}"
    meeting.deliveries.update(due_at=looked_at + dt.timedelta(microseconds=1))
    tasks.ring_for_what_is_due_soon(after=looked_at)
    assert redis_client.llen(queue) == 1
    # Another sender, that left at the same time, leaves it at that.
    tasks.ring_for_what_is_due_soon(after=looked_at)
    assert redis_client.llen(queue) == 1


def test_one_connection_serves_batch_after_batch(mailbox: Mailbox) -> None:
    factories.meeting(guests=crowd(120, "vif.example"))
    reports = send_all(timezone.now())
    assert [report.claimed for report in reports] == [50, 50, 20]
    assert len({mail["connection"] for mail in mailbox.messages()}) == 1
    close_idle()
    factories.meeting(guests=crowd(1, "autre.example"))
    send_all(timezone.now())
    assert len({mail["connection"] for mail in mailbox.messages()}) == 2


def test_a_kept_connection_that_died_is_replaced(mailbox: Mailbox) -> None:
    factories.meeting(guests=crowd(1, "vif.example"))
    send_all(timezone.now())
    mailbox.part.kill()
    mailbox.part.start()
    meeting = factories.meeting(guests=crowd(1, "autre.example"))
    [report] = send_all(timezone.now())
    assert (report.sent, report.server_down) == (1, False)
    assert meeting.deliveries.get().attempts == 1


def test_what_could_be_undone_goes_by_itself_when_it_no_longer_can(
    mailbox: Mailbox, start_celery: Callable[..., CeleryProcess]
) -> None:
    """No sweep runs in this test: the doorbell of the cancel looks ahead."""
    start_celery("worker", "--concurrency", "1")
    meeting = factories.meeting(guests=crowd(1, "vif.example"))
    until(lambda: meeting.deliveries.get().state == "sent", 15, what="the invitation")
    began = time.monotonic()
    series.cancel(meeting=meeting, by=meeting.organiser, now=timezone.now())
    until(lambda: mailbox.count() == 2, 20, what="the cancel")
    assert time.monotonic() - began >= UNDO_SECONDS - 1
