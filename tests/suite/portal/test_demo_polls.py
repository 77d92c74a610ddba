"""The demonstration's polls: there once a week, half answered, and never mailed."""

import datetime as dt

import pytest
from django.utils import timezone

from suite.agents.models import Agent
from suite.mail.models import OutboxMail
from suite.portal.demo import load_demo
from visio.polls.listing import waiting_for
from visio.polls.models import Poll, PollVote


@pytest.mark.django_db
def test_two_polls_a_week_and_no_mail() -> None:
    now = timezone.now()
    load_demo(now=now)
    assert Poll.objects.filter(is_demo=True, status="open").count() == 2
    claire = Agent.objects.get(sub="demo-claire-morel")
    mine = Poll.objects.get(organiser=claire)
    assert (mine.participants.count(), mine.participants.filter(answered_at=None).count()) == (4, 2)
    assert [row.poll.organiser.given_name for row in waiting_for(claire, now)] == ["Karim"]
    votes = PollVote.objects.count()
    load_demo(now=now + dt.timedelta(minutes=3))
    assert (Poll.objects.count(), PollVote.objects.count()) == (2, votes)
    assert not OutboxMail.objects.exists()
