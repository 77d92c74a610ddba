"""Live news when Redis breaks, with many sockets open (PROMISES 8 and 9), and when the server is told to stop (29)."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
import redis
from django.db import connection
from django.utils import timezone

from suite.agents.models import Agent
from suite.live import presence, push
from tests import factories
from tests.processes import LivePortal
from tests.suite.live.listening import Ear, session_of
from tests.waiting import PATIENCE, until

pytestmark = pytest.mark.django_db(transaction=True)
SOCKETS = 50


@pytest.fixture
def colleagues() -> list[Agent]:
    home = factories.organisation()
    return [factories.agent(organisation=home) for _number in range(10)]


def open_pages(portal: LivePortal, agents: list[Agent]) -> list[Ear]:
    """SOCKETS pages, spread over these agents; the first watches them all."""
    sessions = [session_of(agent) for agent in agents]
    pages = [
        Ear(portal, agents[number % len(agents)], session_key=sessions[number % len(agents)])
        for number in range(SOCKETS)
    ]
    pages[0].watch(*agents)
    pages[0].until(lambda: all(pages[0].state_of(agent) == "available" for agent in agents))
    return pages


def all_of(pages: list[Ear], seen: Callable[[Ear], Any], seconds: float = PATIENCE) -> None:
    end = time.monotonic() + seconds
    for page in pages:
        page.until(lambda page=page: seen(page), max(0.2, end - time.monotonic()))


def test_redis_killed_and_restarted_under_open_sockets(
    start_portal: Callable[..., LivePortal], own_parts: Any, settings: Any, colleagues: list[Agent]
) -> None:
    valkey = own_parts.valkey()
    settings.REDIS_URL = valkey.url
    portal = start_portal(REDIS_URL=valkey.url)
    pages = open_pages(portal, colleagues)
    page_was_at = pages[0].hello["version"]

    valkey.kill()
    all_of(pages, lambda page: page.frames[-1].get("paused") is True)
    push.nudge([colleagues[0].pk], "meetings")  # missed by everybody
    presence.choose(agent=colleagues[1], state="do_not_disturb", until=None, now=timezone.now())
    assert presence.states(colleagues[:1], now=timezone.now())[colleagues[0].pk].state == "unknown"

    valkey.start()
    back = time.monotonic()
    for page in pages:
        page.frames.clear()
    all_of(pages, lambda page: page.resyncs() and page.version, 30)
    assert pages[0].version != page_was_at
    first = pages[0]
    first.until(lambda: first.state_of(colleagues[1]) == "do_not_disturb", 30)
    first.until(lambda: all(first.state_of(one) == "available" for one in colleagues if one != colleagues[1]), 30)
    assert time.monotonic() - back < 30
    assert all(page.close_code is None for page in pages)
    # The same server process hears new hints.
    push.nudge([colleagues[0].pk], "tchap")
    first.until(lambda: "tchap" in first.topics())


def test_redis_flushed_under_open_sockets(
    live_portal: LivePortal, redis_client: redis.Redis, colleagues: list[Agent]
) -> None:
    pages = open_pages(live_portal, colleagues)[:3]
    redis_client.flushall()
    pages[0].say(type="beat", idle_for=0)
    all_of(pages, lambda page: page.resyncs())
    pages[0].frames.clear()
    pages[0].watch(*colleagues)
    pages[0].until(lambda: all(pages[0].state_of(agent) == "available" for agent in colleagues))


def test_a_stopped_server_lets_pages_come_back_and_find_what_they_missed(
    start_portal: Callable[..., LivePortal], colleagues: list[Agent]
) -> None:
    """PROMISES 26 and 29."""
    portal = start_portal()
    agent = colleagues[0]
    page = Ear(portal, agent)
    portal.stop()
    page.until_closed(10)
    push.nudge([agent.pk], "meetings")
    portal.start()
    again = until(lambda: Ear(portal, agent, session_key=page.session_key))
    assert again.hello["version"] not in ("", page.hello["version"])


def test_a_page_opened_while_redis_is_down_says_so_and_recovers(
    start_portal: Callable[..., LivePortal], own_parts: Any, colleagues: list[Agent]
) -> None:
    valkey = own_parts.valkey()
    portal = start_portal(REDIS_URL=valkey.url)
    valkey.kill()
    page = Ear(portal, colleagues[0])
    assert (page.hello["version"], page.hello["paused"]) == ("", True)
    valkey.start()
    page.until(lambda: page.resyncs() and page.version)


@contextlib.contextmanager
def locked_out() -> Iterator[None]:
    """PostgreSQL ends every connection to the test's database but this process's own, and takes no new one."""
    name = connection.settings_dict["NAME"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (own,) = cursor.fetchone()
    url = os.environ["DATABASE_URL"].rpartition("/")[0] + "/postgres"
    with psycopg.connect(url, autocommit=True) as outside:
        outside.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')  # type: ignore[arg-type]
        try:
            outside.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> %s", [name, own]
            )
            yield
        finally:
            outside.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')  # type: ignore[arg-type]


def test_postgresql_away_under_open_sockets(start_portal: Callable[..., LivePortal], colleagues: list[Agent]) -> None:
    """Nobody is thrown out because their session cannot be looked up; everything works again afterwards."""
    portal = start_portal(LIVE_SWEEP_SECONDS="1")
    page = Ear(portal, colleagues[0])
    page.watch(colleagues[1])
    page.until(lambda: page.state_of(colleagues[1]) == "offline")
    with locked_out():
        page.watch(colleagues[2])
        page.until(lambda: {"type": "error", "reason": "unavailable"} in page.frames)
    assert page.close_code is None

    def works_again() -> bool:
        page.watch(colleagues[2])
        page.listen(1)
        return bool(page.state_of(colleagues[2]) == "offline")

    until(works_again)
    Agent.objects.filter(pk=colleagues[0].pk).update(is_active=False)
    assert page.until_closed(20) == 4403
