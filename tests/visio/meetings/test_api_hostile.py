"""The REST API under hostile or unlucky callers: nothing is a 500, nothing grows without bound, nobody is lost."""

from __future__ import annotations

import base64
import datetime as dt
import json
import zoneinfo
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings
from django.utils import timezone

from suite.agents.deactivation import deactivate
from suite.agents.models import Agent
from tests import factories
from tests.visio.meetings.test_api import LIST, api, body, post, url
from visio.meetings.models import Attendee, Meeting
from visio.meetings.serializers import LISTED_ATTENDEES

pytestmark = pytest.mark.django_db


def test_json_nested_too_deep_is_no_json() -> None:
    answer = post(api(factories.agent()), '{"title": ' + "[" * 100_000 + "]" * 100_000 + "}")
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")


def test_a_body_over_the_limit_is_refused_unread() -> None:
    agent = factories.agent()
    large = json.dumps(body(description="x" * settings.DATA_UPLOAD_MAX_MEMORY_SIZE))
    answer = post(api(agent), large)
    assert (answer.status_code, answer.json()["status"]) == (413, 413)
    assert not Meeting.objects.exists()


@pytest.mark.parametrize("inside", ["p=yesterday", "o=x", "p=\x00", "\xff", "p=2026-13-45 00:00:00+00:00"])
def test_a_forged_cursor_is_no_page(inside: str) -> None:
    cursor = quote(base64.b64encode(inside.encode("latin-1")))
    answer = api(factories.agent()).get(f"{LIST}?cursor={cursor}")
    assert (answer.status_code, answer["Content-Type"]) in [
        (404, "application/problem+json"),
        (200, "application/json"),
    ]


def test_the_list_names_the_first_attendees_and_one_meeting_names_them_all() -> None:
    agent = factories.agent()
    guests = [f"g{number}@ext.example" for number in range(LISTED_ATTENDEES + 20)]
    meeting = factories.meeting(organiser=agent, guests=guests)
    [listed] = api(agent).get(LIST).json()["results"]
    assert (len(listed["attendees"]), listed["attendee_count"]) == (LISTED_ATTENDEES, len(guests) + 1)
    read = api(agent).get(url(meeting)).json()
    assert (len(read["attendees"]), read["attendee_count"]) == (len(guests) + 1, len(guests) + 1)


def test_what_was_read_can_be_written_back_without_losing_anybody() -> None:
    agent = factories.agent()
    guests = [f"g{number}@ext.example" for number in range(620)]
    meeting = factories.meeting(organiser=agent, guests=guests)
    tool = api(agent)
    read = tool.get(url(meeting)).json()
    read |= {"title": "Autre titre", "attendees": [p for p in read["attendees"] if p["role"] != "chair"]}
    for name in ("place", "description"):
        read[name] = read[name] or ""
    answer = tool.put(url(meeting), read, content_type="application/json")
    assert answer.status_code == 200, answer.json()
    assert Attendee.objects.filter(meeting=meeting).count() == 621


@pytest.mark.parametrize(
    ("start", "end", "minutes"),
    [
        ("2038-03-28T01:00", "2038-03-28T04:00", 120),  # 02:00–03:00 does not exist in Paris
        ("2038-10-31T01:00", "2038-10-31T04:00", 240),  # 02:00–03:00 comes twice
        ("2038-10-30T22:00", "2038-10-31T08:00", 660),
    ],
)
def test_an_end_is_the_wall_clock_s_also_when_the_clocks_change(start: str, end: str, minutes: int) -> None:
    asked = body(start=start, end=end, time_zone="Europe/Paris")
    del asked["minutes"]
    made = post(api(factories.agent()), asked)
    assert (made.status_code, made.json()["minutes"]) == (201, minutes)
    ends_at = dt.datetime.fromisoformat(made.json()["ends_at"])
    paris = zoneinfo.ZoneInfo("Europe/Paris")
    assert f"{ends_at.astimezone(paris):%Y-%m-%dT%H:%M}" == end


@pytest.mark.parametrize(
    "name", ['Jean "Le Grand', "Jean (DSI", "Martin, Jean", "Jean @ DSI", "Jean; <b>", "J\r\nBcc: x"]
)
def test_a_name_may_hold_what_an_address_line_may_not(name: str) -> None:
    made = post(api(factories.agent()), body(attendees=[{"email": "Jean@Ext.example", "name": name}]))
    assert made.status_code == 201, made.json()
    [guest] = Attendee.objects.exclude(role="chair")
    assert (guest.email, guest.name) == ("jean@ext.example", " ".join(name.split()))


@pytest.mark.parametrize(
    "email", ["a@ext.example, b@ext.example", "a@ext.example;b@ext.example", "Karim Benali", "<a@ext.example>"]
)
def test_one_attendee_is_one_address(email: str) -> None:
    factories.agent("Karim", "Benali")
    answer = post(api(factories.agent()), body(attendees=[{"email": email}]))
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["attendees"])
    assert not Meeting.objects.exists()


def test_a_deactivated_agent_s_token_opens_nothing() -> None:
    agent = factories.agent()
    tool = api(agent)
    assert tool.get(LIST).status_code == 200
    deactivate(agents=Agent.objects.filter(pk=agent.pk), now=timezone.now())
    assert tool.get(LIST).status_code == 401


def test_an_unknown_zone_with_an_end_is_refused_at_its_field() -> None:
    asked: dict[str, Any] = body(end="2038-03-28T04:00", start="2038-03-28T01:00", time_zone="Mars/Olympus")
    del asked["minutes"]
    answer = post(api(factories.agent()), asked)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["time_zone"])
