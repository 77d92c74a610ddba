"""Hints and versions, on a real Redis."""

from __future__ import annotations

import datetime as dt
import json
import threading
import time
from typing import Any

import pytest
import redis
from django.db import transaction
from django.utils import timezone

from suite.agents.leaves import add_leave, remove_leave
from suite.live import push
from suite.local import ports
from tests import factories
from tests.waiting import until


@pytest.fixture
def channel(redis_client: redis.Redis) -> Any:
    """A subscription that is already heard."""
    with redis_client.pubsub() as subscription:
        subscription.subscribe(push.channel())
        until(lambda: subscription.get_message(timeout=0.1))
        yield subscription


def heard(channel: Any) -> list[dict[str, Any]]:
    messages = []
    while (message := channel.get_message(timeout=0.1)) is not None:
        messages.append(json.loads(message["data"]))
    return messages


class Undone(Exception):
    pass


@transaction.atomic
def nudge_and_fail() -> None:
    push.nudge([1], "meetings")
    raise Undone


@pytest.mark.django_db(transaction=True)
def test_a_nudge_is_sent_after_commit_and_never_after_rollback(channel: Any) -> None:
    before = push.page_version(1)
    with pytest.raises(Undone):
        nudge_and_fail()
    assert heard(channel) == []
    assert push.page_version(1) == before
    with transaction.atomic():
        push.nudge([2, 1, 1], "meetings")
        assert heard(channel) == []
    (message,) = heard(channel)
    assert (message["k"], message["a"], message["t"]) == ("hint", [1, 2], "meetings")
    assert push.page_version(1).endswith(f".{message['v']}")


def test_a_nudge_changes_the_version_of_those_it_names() -> None:
    before = push.versions([1, 2, 3])
    push.nudge([1, 2], "meetings")
    after = push.versions([1, 2, 3])
    assert [before[agent_id] == after[agent_id] for agent_id in (1, 2, 3)] == [False, False, True]
    push.nudge([1], "meetings")
    assert push.page_version(1) != after[1]


def test_nobody_to_nudge_asks_nothing(channel: Any) -> None:
    push.nudge([], "meetings")
    assert heard(channel) == []


def test_a_thousand_agents_are_one_round_of_messages(channel: Any) -> None:
    push.nudge(list(range(2500)), "meetings")
    messages = heard(channel)
    assert sorted(agent_id for message in messages for agent_id in message["a"]) == list(range(2500))
    assert len(messages) == 3


def test_an_emptied_redis_changes_every_version(redis_client: redis.Redis) -> None:
    before = push.page_version(7)
    assert push.page_version(7) == before
    redis_client.flushall()
    assert push.page_version(7) != before


def test_a_restarted_redis_changes_every_version(own_parts: Any, settings: Any) -> None:
    valkey = own_parts.valkey()
    settings.REDIS_URL = valkey.url
    before = push.page_version(7)
    valkey.kill()
    valkey.start()
    after = until(lambda: push.page_version(7), 5)
    assert after != before


def test_without_redis_nothing_raises_and_nothing_waits(settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    settings.REDIS_URL = f"redis://:secret-word@127.0.0.1:{ports.reserve()}/0"
    began = time.monotonic()
    threads = threading.active_count()
    for _number in range(20):
        push.nudge([1], "meetings")
    assert threading.active_count() <= threads + 1
    assert push.page_version(1) == ""
    assert time.monotonic() - began < 5
    assert "ConnectionError" in caplog.text
    assert "secret-word" not in caplog.text
    push._missed.clear()


def test_what_redis_missed_is_told_once_when_it_is_back(own_parts: Any, settings: Any) -> None:
    valkey = own_parts.valkey()
    settings.REDIS_URL = valkey.url
    valkey.kill()
    push.nudge([1, 2], "meetings")
    push.nudge([2], "tchap")
    valkey.start()
    told: list[tuple[list[int], str]] = []
    with redis.Redis.from_url(valkey.url) as client, client.pubsub() as subscription:
        subscription.subscribe(push.channel())
        until(lambda: subscription.get_message(timeout=0.1))

        def both() -> bool:
            told.extend((message["a"], message["t"]) for message in heard(subscription))
            return len(told) >= 2

        until(both, 10)
        push.nudge([3], "tchap")
        until(lambda: both() and len(told) == 3, 5)
    assert told == [([1, 2], "meetings"), ([2], "tchap"), ([3], "tchap")]


@pytest.mark.django_db(transaction=True)
def test_an_absence_is_told_when_it_comes_and_when_it_goes(channel: Any) -> None:
    agent, now = factories.agent(), timezone.now()
    heard(channel)
    leave = add_leave(agent=agent, starts_at=now, ends_at=now + dt.timedelta(hours=1), is_all_day=False, now=now)
    assert {"k": "presence", "a": [agent.pk]} in heard(channel)
    remove_leave(agent=agent, leave_id=leave.pk)
    assert {"k": "presence", "a": [agent.pk]} in heard(channel)
