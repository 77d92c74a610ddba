"""Promises about invitations, on real parts that break (PROMISES 2, 3, 4, 7, 8, 12, 13, 18, 20, 21)."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
import textwrap
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
import redis
from django.db import connection, transaction
from django.utils import timezone

from suite.agents.models import Agent
from suite.local import places
from tests import factories
from tests.looking import Mailbox
from tests.processes import CeleryProcess, working_database
from tests.services import services
from tests.visio.meetings.reading import received, send_all
from tests.waiting import PATIENCE, until
from visio.meetings.models import Delivery, Meeting
from visio.meetings.scheduling import cancel_meeting, edit_meeting, schedule_meeting

pytestmark = pytest.mark.django_db(transaction=True)
EXT = "anne@partenaire.example"


def crowd(size: int) -> list[Agent | str]:
    return [f"invite{number}@partenaire.example" for number in range(size)]


@pytest.fixture
def redis_that_dies() -> Iterator[Any]:
    """This worker's own Valkey; back, and empty, after the test whatever happened."""
    yield services.valkey
    if not services.valkey.running:
        services.valkey.start()


def test_p2_a_lost_reply_gives_one_message_id(mailbox: Mailbox) -> None:
    meeting = factories.meeting(guests=[EXT])
    mailbox.lose_reply(EXT, times=1)
    [report] = send_all(timezone.now())
    assert report.server_down
    assert [(r.state, r.attempts, r.maybe_received) for r in meeting.deliveries.all()] == [("owed", 1, True)]
    send_all(timezone.now() + dt.timedelta(minutes=1))
    mails = mailbox.messages(EXT)
    assert len(mails) == 2
    assert len({mail["message_id"] for mail in mails}) == 1
    assert meeting.deliveries.get().state == "sent"


def test_p2_cancelled_after_a_lost_reply_the_guest_is_told(mailbox: Mailbox) -> None:
    meeting = factories.meeting(guests=[EXT])
    mailbox.lose_reply(EXT, times=1)
    send_all(timezone.now())
    cancel_meeting(meeting=meeting, by=meeting.organiser, now=timezone.now())
    send_all(timezone.now() + dt.timedelta(minutes=1))
    assert [mail.method for mail in received(mailbox, EXT)] == ["REQUEST", "CANCEL"]


def test_p3_p4_refusals_concern_one_recipient_each(mailbox: Mailbox) -> None:
    meeting = factories.meeting(guests=[*crowd(5), EXT, "plein@partenaire.example"])
    mailbox.refuse(EXT, "550 5.1.1 Boite inconnue")
    mailbox.refuse("plein@partenaire.example", "452 4.2.2 Boite pleine", times=1)
    send_all(timezone.now())
    assert Counter(meeting.deliveries.values_list("state", flat=True)) == {"sent": 5, "failed": 1, "owed": 1}
    send_all(timezone.now() + dt.timedelta(minutes=1))
    assert Counter(meeting.deliveries.values_list("state", flat=True)) == {"sent": 6, "failed": 1}
    failed = meeting.deliveries.get(state="failed")
    assert failed.server_words == "550 5.1.1 Boite inconnue"
    assert len(mailbox.messages("plein@partenaire.example")) == 1


def test_p7_redis_dies_while_saving(
    mailbox: Mailbox, celery_worker: CeleryProcess, celery_beat: CeleryProcess, redis_that_dies: Any
) -> None:
    boss = factories.agent()
    draft = factories.draft(guests=[EXT])
    redis_that_dies.kill()
    began = time.monotonic()
    meeting = schedule_meeting(by=boss, draft=draft, now=timezone.now())
    assert time.monotonic() - began < 6
    assert [row.state for row in meeting.deliveries.all()] == ["owed"]
    redis_that_dies.start()
    mailbox.wait(EXT, seconds=60)
    until(lambda: meeting.deliveries.get().state == "sent")
    assert len(mailbox.messages(EXT)) == 1


def test_p8_a_flushed_redis_loses_no_invitation(
    mailbox: Mailbox, redis_client: redis.Redis, start_celery: Callable[..., CeleryProcess]
) -> None:
    factories.meeting(guests=[EXT])
    redis_client.flushall()
    start_celery("worker", "--concurrency", "1")
    start_celery("beat", "--max-interval", "1")
    mailbox.wait(EXT)


def test_p12_a_rollback_leaves_nothing(mailbox: Mailbox, redis_client: redis.Redis) -> None:
    boss = factories.agent()
    heard = redis_client.pubsub()
    heard.psubscribe("*")
    until(lambda: heard.get_message(timeout=0.1))
    with transaction.atomic():
        schedule_meeting(by=boss, draft=factories.draft(guests=[EXT]), now=timezone.now())
        transaction.set_rollback(True)
    assert not Meeting.objects.exists()
    assert not Delivery.objects.exists()
    assert heard.get_message(timeout=0.3) is None
    assert redis_client.keys("*celery*") == []
    heard.close()


def test_p13_a_crash_between_commit_and_doorbell(
    mailbox: Mailbox, redis_client: redis.Redis, start_celery: Callable[..., CeleryProcess]
) -> None:
    boss = factories.agent()
    script = f"""
        import django; django.setup()
        import os, signal
        from django.db import transaction
        from django.utils import timezone
        from suite.agents.models import Agent
        from tests import factories
        from visio.meetings.scheduling import schedule_meeting
        with transaction.atomic():
            transaction.on_commit(lambda: os.kill(os.getpid(), signal.SIGKILL))
            schedule_meeting(by=Agent.objects.get(pk={boss.pk}), draft=factories.draft(guests=["{EXT}"]), now=timezone.now())
        """
    variables = {
        **os.environ,
        "DATABASE_URL": working_database(str(connection.settings_dict["NAME"])),
        "PYTHONPATH": str(places.ROOT),
    }
    died = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], env=variables, check=False, timeout=60)
    assert died.returncode == -signal.SIGKILL
    assert [row.state for row in Delivery.objects.all()] == ["owed"]
    assert redis_client.keys("*celery*") == []
    start_celery("worker", "--concurrency", "1")
    start_celery("beat", "--max-interval", "1")
    mailbox.wait(EXT)


def test_p18_two_posts_at_once_make_one_meeting() -> None:
    boss, key, draft = factories.agent(), uuid.uuid4(), factories.draft(guests=[EXT])
    together = Barrier(4)

    def post() -> int:
        together.wait(PATIENCE)
        try:
            return schedule_meeting(by=boss, draft=draft, now=timezone.now(), creation_key=key).pk
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        made = [future.result(PATIENCE) for future in [pool.submit(post) for _ in range(4)]]
    assert len(set(made)) == 1
    assert (Meeting.objects.count(), Delivery.objects.count()) == (1, 1)


def test_p18_two_cancels_at_once_are_one(mailbox: Mailbox) -> None:
    meeting = factories.meeting(guests=[EXT])
    send_all(timezone.now())
    together = Barrier(4)

    def cancel() -> None:
        together.wait(PATIENCE)
        try:
            cancel_meeting(meeting=Meeting.objects.get(pk=meeting.pk), by=meeting.organiser, now=timezone.now())
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        for future in [pool.submit(cancel) for _ in range(4)]:
            future.result(PATIENCE)
    send_all(timezone.now() + dt.timedelta(seconds=1))
    meeting.refresh_from_db()
    assert (meeting.sequence, meeting.revision) == (1, 2)
    assert [mail.method for mail in received(mailbox, EXT)] == ["REQUEST", "CANCEL"]


def in_the_middle_of_a_fan_out(mailbox: Mailbox, meeting: Meeting, act: Callable[[], object]) -> dict[str, list[Any]]:
    """Two senders at work; `act` when thirty messages are out; what each guest got in the end, oldest first."""

    def send() -> None:
        try:
            send_all(timezone.now() + dt.timedelta(seconds=5))
        finally:
            connection.close()

    mailbox.delay("*", 0.05)  # Slow enough that `act` comes in the middle, however late this process is.
    with ThreadPoolExecutor(2) as pool:
        working = [pool.submit(send) for _ in range(2)]
        until(lambda: mailbox.count() >= 30, every=0.01, what="thirty messages out")
        act()
        mailbox.behave()
        for future in working:
            future.result(60)
    send_all(timezone.now() + dt.timedelta(seconds=30))
    assert not meeting.deliveries.filter(state__in=["owed", "sending"]).exists()
    got: dict[str, list[Any]] = defaultdict(list)
    for mail in received(mailbox):
        got[mail.message["To"].addresses[0].addr_spec].append(mail)
    return got


def test_p20_an_edit_while_the_first_fan_out_runs(mailbox: Mailbox) -> None:
    guests = crowd(200)
    meeting = factories.meeting(guests=guests)
    later = factories.draft(guests=guests, starts_at=timezone.now() + dt.timedelta(days=3))

    def move() -> None:
        edit_meeting(meeting=meeting, by=meeting.organiser, draft=later, revision=1, now=timezone.now())

    got = in_the_middle_of_a_fan_out(mailbox, meeting, move)
    assert len(got) == 200
    sequences = Counter(tuple(int(mail.event["SEQUENCE"]) for mail in mails) for mails in got.values())
    # Before the move, and after it; never the old version last. Both kinds happened, or the test says nothing.
    assert set(sequences) == {(0, 1), (1,)}
    for mails in got.values():
        assert mails[-1].subject.startswith("Modifié" if len(mails) == 2 else "Invitation")


def test_p21_a_cancel_while_the_first_fan_out_runs(mailbox: Mailbox) -> None:
    meeting = factories.meeting(guests=crowd(200))
    got = in_the_middle_of_a_fan_out(
        mailbox, meeting, lambda: cancel_meeting(meeting=meeting, by=meeting.organiser, now=timezone.now())
    )
    assert 30 <= len(got) < 200
    assert {tuple(mail.method for mail in mails) for mails in got.values()} == {("REQUEST", "CANCEL")}
