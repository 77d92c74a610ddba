"""Ten thousand guests: the sender dies in the middle, and everybody is invited once (PROMISES 5, 6, 25)."""

from __future__ import annotations

import os
import resource
import signal
import time
from collections import Counter
from pathlib import Path

import pytest
from django.utils import timezone

from suite.agents.models import Agent
from tests import factories
from tests.faults.test_invitations import crowd
from tests.looking import Mailbox
from tests.processes import CeleryProcess
from tests.visio.meetings.pages import client_of, form, text_of
from tests.waiting import until
from visio.meetings.invitations import deliver
from visio.meetings.models import Delivery, Meeting

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]
ALL = 10_000
# The promise says two minutes from the restart on, for a machine that does nothing else: 40 s at the rate that bin/bench
# shows. Here four test processes share it.
THEIR_TIME = 300


class Caught:
    """What the server took; looked at again and again, because the catcher only keeps the newest few thousand."""

    def __init__(self, mailbox: Mailbox) -> None:
        self.mailbox = mailbox
        # {Message-ID: how many times the server took it}
        self.seen: Counter[str] = Counter()
        self.newest = 0

    def look(self) -> None:
        known, before = self.newest, 0
        while page := [mail for mail in self.mailbox.messages(before=before) if mail["id"] > known]:
            self.seen.update(mail["message_id"] for mail in page)
            self.newest = max(self.newest, page[0]["id"])
            before = page[-1]["id"]


def children(pid: int) -> list[int]:
    """The pool's processes below a worker's."""
    return [int(one) for task in Path(f"/proc/{pid}/task").iterdir() for one in (task / "children").read_text().split()]


def invited(mailbox: Mailbox) -> Meeting:
    """Ten thousand invitations on their way, some hundreds out; slowly, so that what follows comes in the middle."""
    mailbox.delay("*", 0.02)
    meeting = factories.meeting(guests=crowd(ALL))
    until(lambda: mailbox.count() >= 200, 40, what="the first two hundred")
    return meeting


def all_sent_once(mailbox: Mailbox, meeting: Meeting, *, twice_at_most: int) -> None:
    caught = Caught(mailbox)

    def done() -> bool:
        caught.look()
        return not meeting.deliveries.exclude(state="sent").exists()

    until(done, THEIR_TIME, 0.5, what="every row sent")
    caught.look()
    assert len(caught.seen) == ALL
    # The message in the hand of a child that died may be there twice, under one Message-ID: mailboxes show one.
    assert caught.seen.total() <= ALL + twice_at_most


def unsent(meeting: Meeting) -> int:
    return meeting.deliveries.exclude(state="sent").count()


def test_p5_a_worker_killed_in_a_fan_out_of_ten_thousand(
    mailbox: Mailbox, celery_worker: CeleryProcess, celery_beat: CeleryProcess
) -> None:
    meeting = invited(mailbox)
    hands = len(children(celery_worker.pid))
    celery_worker.kill()
    mailbox.behave()
    assert unsent(meeting) > ALL / 2, "it was in the middle"
    celery_worker.start()
    all_sent_once(mailbox, meeting, twice_at_most=hands)


def test_p6_a_pool_child_killed_in_a_fan_out_of_ten_thousand(
    mailbox: Mailbox, celery_worker: CeleryProcess, celery_beat: CeleryProcess
) -> None:
    meeting = invited(mailbox)
    until(meeting.deliveries.filter(state="sending").exists, what="a batch in somebody's hands")
    victim = children(celery_worker.pid)[0]
    os.kill(victim, signal.SIGKILL)
    mailbox.behave()
    assert unsent(meeting) > ALL / 2, "it was in the middle"
    until(lambda: victim not in children(celery_worker.pid), what="the dead child gone")
    all_sent_once(mailbox, meeting, twice_at_most=1)


def test_p25_a_meeting_of_ten_thousand_in_a_bounded_memory(mailbox: Mailbox) -> None:
    boss = factories.agent()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.process_time()
    meeting = factories.meeting(boss, guests=crowd(ALL))
    client = client_of(boss)
    page = text_of(client.get(f"/reunions/{meeting.public_id}/"))
    # Paginated: of ten thousand names a page shows some.
    assert page.count("@partenaire.example") < 500
    assert text_of(client.get(f"/reunions/{meeting.public_id}/?page=2")) != ""
    assert deliver(now=timezone.now()).sent == 50
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak
    assert grown < 400_000, f"{grown} KiB more for one meeting of ten thousand"
    # Times are for bin/bench; this only tells a cost that grows with the square of the guests.
    assert time.process_time() - began < 120


@pytest.fixture
def planner() -> Agent:
    return factories.agent("Claire", "Morel")


def test_p25_more_than_a_call_carries_is_said_before_anything_is_sent(planner: Agent, mailbox: Mailbox) -> None:
    client = client_of(planner)
    sent = form(attendees="\n".join(str(one) for one in crowd(1000)))
    refused = client.post("/reunions/planifier/", sent)
    assert refused.status_code == 422
    assert "1001 personnes en Visio" in text_of(refused).replace("\u202f", "").replace("\xa0", "")
    assert not Meeting.objects.exists()
    assert not Delivery.objects.exists()
    assert client.post("/reunions/planifier/", sent | {"warned": "visio"}).status_code == 302
    assert Delivery.objects.filter(state="owed").count() == 1000
