"""A thousand invitations, from owed rows to the catcher, beside bare smtplib handing over the same bytes.

Both in the same run, to the same server, over one reused connection at a time. The portal's figure holds everything:
claiming rows, writing the letter and the calendar, handing over, marking the row.
"""

from __future__ import annotations

import datetime as dt
import smtplib
import statistics
import time
import uuid

from django.conf import settings
from django.utils import timezone

from suite.agents.models import Agent, Organisation
from suite.local.bench import size
from suite.mail.message import render_bytes
from visio.meetings.drafts import Invitee, MeetingDraft
from visio.meetings.invitations import deliver
from visio.meetings.letters import Press
from visio.meetings.models import Delivery, DeliveryState, Meeting
from visio.meetings.scheduling import schedule_meeting
from visio.meetings.wallclock import wall_clock

GUESTS = size(1_000, 20)
ROUNDS = size(3, 1)


def main() -> None:
    """Print both times and their ratio, median of three rounds taken in turns."""
    organisation = Organisation.objects.create(name=f"Banc {uuid.uuid4()}", siret=f"{uuid.uuid4().int % 10**14:014d}")
    organiser = Agent.objects.create_user(
        sub=f"bench-{uuid.uuid4()}", email=f"{uuid.uuid4()}@bench.example", organisation=organisation
    )
    portal: list[tuple[float, float]] = []
    bare: list[tuple[float, float]] = []
    saving = 0.0
    try:
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
    (ours, our_cpu), (theirs, their_cpu) = _median(portal), _median(bare)
    print(f"saving a meeting with {GUESTS} guests: {saving * 1000:.0f} ms")
    print(f"{GUESTS} invitations by the portal: {ours:.2f} s ({GUESTS / ours:.0f} a second)")
    print(f"{GUESTS} ready messages by bare smtplib, one connection: {theirs:.2f} s ({GUESTS / theirs:.0f} a second)")
    print(f"ratio: {ours / theirs:.2f} in time; CPU a message {our_cpu:.2f} ms beside {their_cpu:.2f} ms")


def _median(rounds: list[tuple[float, float]]) -> tuple[float, float]:
    """Median seconds, and median CPU milliseconds a message, of this process."""
    return statistics.median(wall for wall, _cpu in rounds), statistics.median(
        cpu for _wall, cpu in rounds
    ) * 1000 / GUESTS


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
    return schedule_meeting(by=organiser, draft=draft, now=now)


def _messages(meeting: Meeting) -> list[tuple[str, bytes]]:
    press, occurrence = Press(), meeting.occurrences.get()
    rows = meeting.deliveries.select_related(
        "meeting__organiser__organisation", "meeting__room", "attendee__agent"
    ).order_by("pk")
    return [(row.recipient, render_bytes(press.letter(row, occurrence=occurrence, now=timezone.now()))) for row in rows]


def _by_the_portal(meeting: Meeting) -> tuple[float, float]:
    """Seconds and CPU seconds. Without a worker: one woken by the doorbell would take its share."""
    began, cpu = time.perf_counter(), time.process_time()
    while deliver(now=timezone.now()).claimed:
        pass
    took = (time.perf_counter() - began, time.process_time() - cpu)
    sent = Delivery.objects.filter(meeting=meeting, state=DeliveryState.SENT).count()
    if sent != GUESTS:
        raise RuntimeError(f"{sent} of {GUESTS} were sent")
    return took


def _by_smtplib(messages: list[tuple[str, bytes]]) -> tuple[float, float]:
    began, cpu = time.perf_counter(), time.process_time()
    with smtplib.SMTP(settings.EMAIL_HOST, settings.EMAIL_PORT, local_hostname="localhost") as server:
        for recipient, message in messages:
            server.sendmail(settings.DEFAULT_FROM_EMAIL, [recipient], message)
    return time.perf_counter() - began, time.process_time() - cpu
