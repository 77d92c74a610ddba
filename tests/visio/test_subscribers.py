"""Facts reach open pages and the worker: read from Redis, as they do."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator

import pytest
import redis
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from suite.agents.models import Agent
from suite.core.events import publish
from suite.live import push
from tests import factories
from tests.waiting import until
from visio.events import AttendeesRemoved, CallStarted, DeliveriesProgressed, MeetingChanged
from visio.meetings.answers import answer
from visio.meetings.links import attach_link, detach_link
from visio.meetings.scheduling import cancel_meeting, edit_meeting

pytestmark = pytest.mark.django_db(transaction=True)
Heard = Callable[[], set[tuple[str, int]]]


@pytest.fixture
def heard(redis_client: redis.Redis) -> Iterator[Heard]:
    """(topic, agent) of every hint since the last call."""
    listener = redis_client.pubsub(ignore_subscribe_messages=True)
    listener.subscribe(push.channel())
    until(lambda: redis_client.pubsub_numsub(push.channel())[0][1])

    def collect() -> set[tuple[str, int]]:
        found: set[tuple[str, int]] = set()
        while message := listener.get_message(timeout=0.2):
            said = json.loads(message["data"])
            if said["k"] == "hint":
                found |= {(said["t"], agent_id) for agent_id in said["a"]}
        return found

    collect()
    yield collect
    listener.close()


@pytest.fixture
def boss() -> Agent:
    return factories.agent()


@pytest.fixture
def anne() -> Agent:
    return factories.agent()


def queued(redis_client: redis.Redis) -> int:
    names = redis_client.keys(f"*{settings.CELERY_TASK_DEFAULT_QUEUE}")
    return sum(redis_client.llen(name) for name in names if redis_client.type(name) == b"list")


def test_scheduling_editing_cancelling_nudge_every_agent_of_it(
    boss: Agent, anne: Agent, heard: Heard, redis_client: redis.Redis
) -> None:
    now = timezone.now()
    meeting = factories.meeting(boss, guests=[anne, "ext@partenaire.example"])
    theirs = {(topic, agent.pk) for topic in ("meetings", f"meeting:{meeting.public_id}") for agent in (boss, anne)}
    assert heard() >= theirs
    assert queued(redis_client) >= 1
    draft = factories.draft(guests=[anne], title="Autre", starts_at=now + dt.timedelta(days=2))
    edit_meeting(meeting=meeting, by=boss, draft=draft, revision=1, now=now)
    assert heard() >= theirs
    cancel_meeting(meeting=meeting, by=boss, now=now)
    assert heard() >= theirs


def test_an_agent_who_was_removed_hears_of_it(boss: Agent, anne: Agent, heard: Heard) -> None:
    meeting = factories.meeting(boss, guests=[anne])
    heard()
    edit_meeting(meeting=meeting, by=boss, draft=factories.draft(), revision=1, now=timezone.now())
    assert ("meetings", anne.pk) in heard()


def test_an_answer_and_a_link_are_heard(boss: Agent, anne: Agent, heard: Heard) -> None:
    meeting = factories.meeting(boss, guests=[anne])
    heard()
    answer(attendee=meeting.attendees.get(agent=anne), answer="accepted", via="portal", now=timezone.now())
    assert (f"meeting:{meeting.public_id}", boss.pk) in heard()
    attach_link(meeting=meeting, label="tchap", url="https://tchap.example/#/room/a")
    assert ("meetings", anne.pk) in heard()
    attach_link(meeting=meeting, label="tchap", url="https://tchap.example/#/room/a")
    assert heard() == set()
    assert detach_link(meeting=meeting, label="tchap")
    assert ("meetings", anne.pk) in heard()
    assert not detach_link(meeting=meeting, label="tchap")


def test_the_ledger_nudges_the_meeting_s_page_alone(boss: Agent, heard: Heard) -> None:
    meeting = factories.meeting(boss)
    heard()
    publish(DeliveriesProgressed(meeting_id=meeting.pk))
    assert heard() == {(f"meeting:{meeting.public_id}", boss.pk)}


def test_a_call_is_heard_by_the_meeting_s_agents(boss: Agent, anne: Agent, heard: Heard) -> None:
    meeting = factories.meeting(boss, guests=[anne])
    heard()
    assert meeting.room is not None
    publish(CallStarted(room_id=meeting.room.pk))
    topics = ("meetings", f"meeting:{meeting.public_id}")
    assert heard() == {(topic, agent.pk) for topic in topics for agent in (boss, anne)}


def test_the_manager_of_an_attendee_hears_that_the_week_changed(boss: Agent, anne: Agent, heard: Heard) -> None:
    manager = factories.agent()
    factories.team(managers=[manager], members=[anne])
    meeting = factories.meeting(boss, guests=[anne])
    told = heard()
    assert ("meetings", manager.pk) in told
    assert (f"meeting:{meeting.public_id}", manager.pk) not in told


def test_facts_of_a_meeting_deleted_meanwhile_are_heard_quietly(
    anne: Agent, heard: Heard, caplog: pytest.LogCaptureFixture
) -> None:
    """A worker may tell of its progress when an administrator has deleted the meeting: lists look again, no page is left."""
    meeting = factories.meeting(guests=[anne])
    gone = meeting.pk
    heard()
    with transaction.atomic():
        publish(MeetingChanged(meeting_id=gone))
        publish(AttendeesRemoved(meeting_id=gone, agent_ids=(anne.pk,)))
        meeting.delete()
    publish(DeliveriesProgressed(meeting_id=gone))
    assert heard() == {("meetings", anne.pk)}
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
