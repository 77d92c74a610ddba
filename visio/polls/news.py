"""Facts of polls -> the open pages of the people they concern."""

from __future__ import annotations

from suite.agents.events import AddressProven
from suite.agents.models import Agent
from suite.core.events import subscribe
from suite.live import push
from visio.events import PollChanged, PollPeopleRemoved, PollVoted
from visio.polls.models import Poll, PollParticipant

# Lists of polls and dashboards.
LISTS = "polls"


def topic(poll: Poll) -> str:
    """What the pages of one poll listen to."""
    return f"poll:{poll.public_id}"


def connect() -> None:
    """Subscribe; called once at start-up."""
    subscribe(AddressProven, _adopt, inside=True)
    subscribe(PollChanged, _tell_everybody)
    subscribe(PollVoted, _tell_of_a_vote)
    subscribe(PollPeopleRemoved, _tell_removed)


def _adopt(fact: AddressProven) -> None:
    """Whoever was asked by address before their first sign-in finds those polls."""
    agent = Agent.objects.get(pk=fact.agent_id)
    asked = PollParticipant.objects.filter(agent=None, email=agent.email.lower())
    asked.exclude(poll__participants__agent=agent).exclude(poll__organiser=agent).update(agent=agent)


def _tell_everybody(fact: PollChanged) -> None:
    poll = Poll.objects.filter(pk=fact.poll_id).first()
    if poll is not None:
        people = _agents(poll)
        push.nudge(people, topic(poll))
        push.nudge(people, LISTS)


def _tell_of_a_vote(fact: PollVoted) -> None:
    poll = Poll.objects.filter(pk=fact.poll_id).first()
    if poll is None:
        return
    voter = poll.participants.filter(pk=fact.participant_id).values_list("agent", flat=True).first()
    concerned = [poll.organiser_id, *([voter] if voter is not None else [])]
    push.nudge(_agents(poll) if poll.shows_votes else concerned, topic(poll))
    push.nudge(concerned, LISTS)


def _tell_removed(fact: PollPeopleRemoved) -> None:
    poll = Poll.objects.filter(pk=fact.poll_id).first()
    if poll is not None:
        push.nudge(fact.agent_ids, topic(poll))
        push.nudge(fact.agent_ids, LISTS)


def _agents(poll: Poll) -> list[int]:
    asked = poll.participants.exclude(agent=None).order_by().values_list("agent", flat=True)
    return [poll.organiser_id, *(agent_id for agent_id in asked if agent_id is not None)]
