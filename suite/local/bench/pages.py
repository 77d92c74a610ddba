"""What the two heaviest pages cost the server: CPU milliseconds of the dashboard, and of planning with ten attendees.

Through Django's whole stack (middleware, session, templates) without sockets, in this process, against the real
PostgreSQL and Redis. CPU, not wall clock: it does not move with what else the machine does. Beside each stands the
floor: the smallest page of the portal that asks for nothing.
"""

from __future__ import annotations

import datetime as dt
import re
import statistics
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from suite.agents.models import Agent, Organisation, Team
from suite.local.bench import size
from tchap_bridge.models import TchapRoom
from visio.meetings.drafts import Invitee, MeetingDraft
from visio.meetings.models import Meeting
from visio.meetings.scheduling import schedule_meeting
from visio.meetings.wallclock import wall_clock

ROUNDS = size(40, 3)
WARM_UP = size(5, 1)
ATTENDEES = 10
MEETINGS = 8


@dataclass(frozen=True)
class Cost:
    """CPU milliseconds of one request (median, 95th percentile) and its queries."""

    median: float
    p95: float
    queries: int


def main() -> None:
    """Print the costs and their ratio to the floor."""
    with _people() as (agent, colleagues):
        client = Client(SERVER_NAME="localhost", HTTP_HOST=_host())
        client.force_login(agent)
        for index in range(MEETINGS):
            _meeting(colleagues[index % len(colleagues)], [agent, *colleagues[:3]], minutes=15 + 60 * index)
        floor = _measure(lambda: _get(client, reverse("portal:lb_heartbeat")))
        dashboard = _measure(lambda: _get(client, reverse("portal:dashboard")))
        fields = _fields(colleagues[:ATTENDEES])
        fields["warned"] = _seen(client, fields)
        planning = _measure(lambda: _plan(client, fields))
    _say("floor (/__lbheartbeat__)", floor, floor)
    _say(f"dashboard, {MEETINGS} meetings", dashboard, floor)
    _say(f"planning a meeting with {ATTENDEES} attendees", planning, floor)
    print(f"dashboard queries: {dashboard.queries} (promised: at most 10)")


def _say(what: str, cost: Cost, floor: Cost) -> None:
    print(
        f"{what}: {cost.median:.1f} ms CPU (p95 {cost.p95:.1f}), {cost.queries} queries,"
        f" {cost.median / floor.median:.1f} times the floor"
    )


def _measure(ask: Callable[[], None]) -> Cost:
    for _round in range(WARM_UP):
        ask()
    with CaptureQueriesContext(connection) as captured:
        ask()
    queries = len(captured)  # At once: the next request empties the log.
    spent = []
    for _round in range(ROUNDS):
        began = time.process_time()
        ask()
        spent.append((time.process_time() - began) * 1000)
    return Cost(statistics.median(spent), statistics.quantiles(spent, n=20)[-1], queries)


def _get(client: Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 200, (path, response.status_code)


def _fields(guests: list[Agent]) -> dict[str, str]:
    start = timezone.localtime() + dt.timedelta(days=2)
    return {
        "title": "Banc",
        "date": start.strftime("%Y-%m-%d"),
        "start": "10:00",
        "minutes": "60",
        "end": "11:00",
        "time_zone": "Europe/Paris",
        "attendees": ", ".join(guest.email for guest in guests),
        "visio": "on",
        "tchap": "on",
    }


def _seen(client: Client, fields: dict[str, str]) -> str:
    """What the summary beside the form warns of, as plan.js puts it into the form: so many in a call, for one."""
    response = client.post(reverse("meetings:recap"), fields)
    found = re.search(r'data-warned="([^"]*)"', response.content.decode())
    assert found, (response.status_code, "no data-warned in the summary")
    return found[1]


def _plan(client: Client, fields: dict[str, str]) -> None:
    response = client.post(reverse("meetings:plan"), {**fields, "creation_key": str(uuid.uuid4())})
    assert response.status_code == 302, re.sub(r"\s+", " ", response.content.decode())[:2000]


def _host() -> str:
    return settings.PORTAL_URL.split("://", 1)[1]


def _meeting(by: Agent, guests: list[Agent], *, minutes: int) -> Meeting:
    now = timezone.now()
    date, clock = wall_clock(now + dt.timedelta(minutes=minutes), "Europe/Paris")
    invited = tuple(Invitee(guest.email, guest.full_name, guest.pk) for guest in guests if guest != by)
    draft = MeetingDraft(
        title="Banc", start_date=date, start_time=clock, time_zone="Europe/Paris", minutes=45, attendees=invited
    )
    return schedule_meeting(by=by, draft=draft, now=now)


@contextmanager
def _people() -> Iterator[tuple[Agent, list[Agent]]]:
    """An agent with a team of eleven; everything they make is gone at the end."""
    organisation = Organisation.objects.create(name=f"Banc {uuid.uuid4()}", siret=f"{uuid.uuid4().int % 10**14:014d}")
    team = Team.objects.create(name="Banc", organisation=organisation)
    people = [
        Agent.objects.create_user(
            sub=f"bench-{uuid.uuid4()}",
            email=f"{uuid.uuid4()}@bench.example",
            given_name="Banc",
            usual_name=str(number),
            organisation=organisation,
            team=team,
        )
        for number in range(ATTENDEES + 1)
    ]
    try:
        yield people[0], people[1:]
    finally:
        mine = Meeting.objects.filter(organiser__in=people)
        TchapRoom.objects.filter(meeting__in=mine).delete()
        mine.delete()
        Agent.objects.filter(pk__in=[person.pk for person in people]).delete()
        team.delete()
        organisation.delete()
