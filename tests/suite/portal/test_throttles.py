"""Nobody asks without end: the API by token, agent or address, guests by their link. Without Redis everybody may."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import redis
from django.test import Client

from suite.live.rates import Rate, parse_rate, seconds_to_wait
from tests import factories
from tests.suite.test_settings import start
from tests.visio.meetings.test_api import LIST, api, body, post
from visio.meetings.models import Attendee, Meeting
from visio.meetings.tokens import rsvp_url

pytestmark = pytest.mark.django_db


def signed_in(agent: Any) -> Client:
    browser = Client()
    browser.force_login(agent, backend="suite.agents.login.ProConnectBackend")
    return browser


@pytest.mark.parametrize("language", ["fr", "de"])
def test_a_tool_that_asks_too_often_is_told_when_to_come_back(settings: Any, language: str) -> None:
    settings.API_READ_RATE = "3/hour"
    agent = factories.agent(language=language)
    tool = api(agent)
    assert [tool.get(LIST).status_code for _number in range(4)] == [200, 200, 200, 429]
    answer = tool.get(LIST)
    assert (answer.status_code, answer["Content-Type"]) == (429, "application/problem+json")
    assert answer.json()["type"] == "urn:suite:problem:throttled"
    assert 1100 < int(answer["Retry-After"]) <= 1200
    assert answer["Content-Language"] == language
    assert answer["Retry-After"] in answer.json()["detail"]
    # Another token of the same agent, the agent's own pages, and what writes are counted by themselves.
    assert api(agent).get(LIST).status_code == 200
    assert signed_in(agent).get(LIST).status_code == 200
    assert post(tool, body()).status_code == 201


def test_writes_have_a_rate_of_their_own_and_a_refused_one_writes_nothing(settings: Any) -> None:
    settings.API_WRITE_RATE = "2/minute"
    tool = api(factories.agent())
    assert [post(tool, body()).status_code for _number in range(3)] == [201, 201, 429]
    assert Meeting.objects.count() == 2
    assert tool.get(LIST).status_code == 200


def test_who_is_nobody_is_counted_by_address(settings: Any) -> None:
    settings.API_READ_RATE = "1/hour"
    schema = "/api/v1/schema/"
    here, there = Client(REMOTE_ADDR="192.0.2.1"), Client(REMOTE_ADDR="192.0.2.2")
    forged = {"X-Forwarded-For": "198.51.100.7"}
    assert [here.get(schema).status_code, here.get(schema, headers=forged).status_code] == [200, 429]
    assert there.get(schema).status_code == 200


@pytest.mark.parametrize(("rate", "passed"), [("0", 30), ("10/day", 10)])
def test_as_many_as_the_rate_may_come_at_once(settings: Any, rate: str, passed: int) -> None:
    settings.GUEST_POST_RATE = rate
    waits = [seconds_to_wait(parse_rate("GUEST_POST_RATE"), "guest", "x") for _number in range(30)]
    assert (waits.count(0), all(waits[passed:])) == (passed, True)


def test_a_caller_may_come_back_little_by_little(redis_client: redis.Redis, settings: Any) -> None:
    rate = Rate(4, 4000.0)
    for _number in range(4):
        assert seconds_to_wait(rate, "x", "y") == 0
    assert 990 < seconds_to_wait(rate, "x", "y") <= 1000
    key = f"{settings.REDIS_PREFIX}:rate:x:y"
    [kept] = redis_client.mget(key)
    redis_client.set(key, str(float(kept) - 1000.0))  # A quarter of the time has gone by: one more.
    assert [bool(seconds_to_wait(rate, "x", "y")) for _number in range(2)] == [False, True]
    assert redis_client.ttl(key) != -2


@pytest.mark.parametrize("text", ["x", "10", "10/year", "-1/minute", "0/minute", "1.5/minute", "²/minute"])
def test_a_rate_that_nobody_can_read_is_named_at_the_start(text: str) -> None:
    done = start(API_READ_RATE=text)
    assert done.returncode != 0
    assert "API_READ_RATE" in done.stderr


def test_without_redis_everybody_may(settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    settings.API_READ_RATE = "1/hour"
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    tool = api(factories.agent())
    assert [tool.get(LIST).status_code for _number in range(3)] == [200, 200, 200]
    assert "redis failed while counting requests" in caplog.text


def rsvp(client: Client, meeting: Meeting) -> Callable[[], Any]:
    link = rsvp_url(Attendee.objects.get(meeting=meeting, role="required"))
    path = "/" + link.split("/", 3)[3]
    return lambda: client.post(path, {"answer": "accepted"})


def test_a_guest_s_link_answers_so_often_and_no_more(settings: Any) -> None:
    settings.GUEST_POST_RATE = "2/hour"
    meetings = [factories.meeting(guests=["anne@ext.example"]) for _number in range(2)]
    first, second = (rsvp(Client(), meeting) for meeting in meetings)
    assert all(first().status_code in {200, 302, 422} for _number in range(2))
    refused = first()
    assert refused.status_code == 429
    assert 1700 < int(refused["Retry-After"]) <= 1800
    assert "Trop de demandes" in refused.content.decode()
    assert refused["Retry-After"] in refused.content.decode()
    assert second().status_code != 429
    link = rsvp_url(Attendee.objects.get(meeting=meetings[0], role="required"))
    assert Client().get("/" + link.split("/", 3)[3]).status_code == 200


def test_a_poll_s_link_answers_so_often_and_no_more(settings: Any) -> None:
    settings.GUEST_POST_RATE = "1/hour"
    path = "/sondage/aucun/"
    assert [Client().post(path).status_code for _number in range(2)] == [404, 429]
