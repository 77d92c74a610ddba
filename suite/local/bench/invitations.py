"""A thousand invitations, from owed rows to the catcher, beside bare smtplib handing over the same bytes.

Both in the same run, in turns, to the same server: the portal by two Celery workers, as a deployment sends; smtplib by one
reused connection. The portal's figure holds everything: the doorbell, claiming rows, writing the letter and the calendar,
handing over, marking each row.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import smtplib
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from suite.agents.models import Agent, Organisation
from suite.celery import app
from suite.local.bench import size
from suite.mail.message import render_bytes
from visio.meetings.drafts import Invitee, MeetingDraft
from visio.meetings.letter_rows import rows_by_id
from visio.meetings.letters import Press
from visio.meetings.models import Delivery, DeliveryState, Meeting
from visio.meetings.scheduling import schedule_meeting
from visio.meetings.tasks import deliver_invitations
from visio.meetings.wallclock import wall_clock

GUESTS = size(1_000, 20)
ROUNDS = size(5, 1)
WORKERS = 2
_PATIENCE_SECONDS = 120.0


def main() -> None:
    """Print both times and their ratio, median of the rounds taken in turns."""
    organisation = Organisation.objects.create(name=f"Banc {uuid.uuid4()}", siret=f"{uuid.uuid4().int % 10**14:014d}")
    organiser = Agent.objects.create_user(
        sub=f"bench-{uuid.uuid4()}", email=f"{uuid.uuid4()}@bench.example", organisation=organisation
    )
    portal: list[float] = []
    bare: list[float] = []
    saving = 0.0
    try:
        with _workers():
            for _round in range(ROUNDS):
                began = time.perf_counter()
                meeting = _schedule(organiser)
                saving = time.perf_counter() - began
                messages = _messages(meeting)
                portal.append(_by_the_portal(meeting))
                bare.append(_by_smtplib(messages))
    finally:
        Meeting.objects.filter(organiser=organiser).delete()
        organiser.delete()
        organisation.delete()
    ours, theirs = statistics.median(portal), statistics.median(bare)
    rate = statistics.median(one / other for one, other in zip(bare, portal, strict=True))
    print(f"saving a meeting with {GUESTS} guests: {saving * 1000:.0f} ms")
    print(f"{GUESTS} invitations by the portal, {WORKERS} workers: {ours:.2f} s ({GUESTS / ours:.0f} a second)")
    print(f"{GUESTS} ready messages by bare smtplib, one connection: {theirs:.2f} s ({GUESTS / theirs:.0f} a second)")
    print(f"the portal's rate is {rate:.0%} of smtplib's (floor: 70 %)")


@contextlib.contextmanager
def _workers() -> Iterator[None]:
    """A Celery worker with two children, ready to work."""
    command = [sys.executable, "-m", "celery", "-A", "suite", "worker", "--concurrency", str(WORKERS)]
    worker = subprocess.Popen([*command, "--loglevel", "WARNING"], stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not app.control.ping(timeout=0.5):
            if worker.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the Celery worker does not answer")
        yield
    finally:
        worker.terminate()
        worker.wait(30)


def _schedule(organiser: Agent) -> Meeting:
    now = timezone.now()
    date, clock = wall_clock(now + dt.timedelta(days=1), "Europe/Paris")
    draft = MeetingDraft(
        title="Comité de suivi du déploiement",
        start_date=date,
        start_time=clock.replace(second=0, microsecond=0),
        time_zone="Europe/Paris",
        minutes=60,
        description="1. Avancement\n2. Incidents\n3. Décisions et suite",
        attendees=tuple(
            Invitee(email=f"invite{number}@bench.example", name=f"Invité {number}") for number in range(GUESTS)
        ),
    )
    with transaction.atomic():
        meeting = schedule_meeting(by=organiser, draft=draft, now=now)
        # The doorbell rings with the commit: nothing is due before the clock runs.
        meeting.deliveries.update(due_at=now + dt.timedelta(hours=1))
    return meeting


def _messages(meeting: Meeting) -> list[tuple[str, bytes]]:
    rows, now = rows_by_id(list(meeting.deliveries.values_list("pk", flat=True))), timezone.now()
    press = Press(rows, now=now)
    return [(row.recipient, render_bytes(press.letter(row, now=now))) for row in rows]


def _by_the_portal(meeting: Meeting) -> float:
    """Seconds from the doorbell until every row is marked as sent."""
    meeting.deliveries.update(due_at=timezone.now())
    began = time.perf_counter()
    deliver_invitations.delay()
    while Delivery.objects.filter(meeting=meeting).exclude(state=DeliveryState.SENT).exists():
        if time.perf_counter() - began > _PATIENCE_SECONDS:
            raise RuntimeError("not every invitation was sent")
        time.sleep(0.01)
    return time.perf_counter() - began


def _by_smtplib(messages: list[tuple[str, bytes]]) -> float:
    began = time.perf_counter()
    with smtplib.SMTP(settings.EMAIL_HOST, settings.EMAIL_PORT, local_hostname="localhost") as server:
        for recipient, message in messages:
            server.sendmail(settings.DEFAULT_FROM_EMAIL, [recipient], message)
    return time.perf_counter() - began
