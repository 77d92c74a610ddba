"""An instant meeting in the hour that comes twice; the invitation link of somebody who has left."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from suite.agents.deactivation import deactivate, reactivate
from suite.agents.models import Agent
from tests import factories
from visio.meetings.scheduling import start_instant_meeting
from visio.meetings.tokens import attendee_by_token, link_token

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("zone", "now"),
    [
        ("Europe/Paris", dt.datetime(2026, 10, 25, 0, 30, tzinfo=dt.UTC)),  # 02:30, the first time
        ("Europe/Paris", dt.datetime(2026, 10, 25, 1, 30, tzinfo=dt.UTC)),  # 02:30, the second
        ("Europe/Paris", dt.datetime(2027, 3, 28, 1, 0, tzinfo=dt.UTC)),
        ("America/Miquelon", dt.datetime(2026, 11, 1, 3, 15, tzinfo=dt.UTC)),
        ("America/Miquelon", dt.datetime(2026, 11, 1, 4, 15, tzinfo=dt.UTC)),
        ("Pacific/Noumea", dt.datetime(2026, 11, 22, 20, 0, tzinfo=dt.UTC)),
    ],
)
def test_an_instant_meeting_starts_now_also_when_the_clocks_change(zone: str, now: dt.datetime) -> None:
    meeting = start_instant_meeting(by=factories.agent(time_zone=zone), now=now)
    occurrence = meeting.occurrences.get()
    assert (occurrence.starts_at, occurrence.ends_at) == (now, now + dt.timedelta(hours=1))


def test_the_link_of_a_deactivated_agent_is_dead_until_they_are_back() -> None:
    agent = factories.agent()
    meeting = factories.meeting(guests=[agent, "x@ext.example"])
    token = link_token(meeting.attendees.get(agent=agent))
    stranger = link_token(meeting.attendees.get(email="x@ext.example"))
    now = timezone.now()
    deactivate(agents=Agent.objects.filter(pk=agent.pk), now=now)
    assert attendee_by_token(token, now=now) is None
    assert attendee_by_token(stranger, now=now) is not None
    reactivate(agents=Agent.objects.filter(pk=agent.pk))
    assert attendee_by_token(token, now=now) is not None
