"""The API of availability and slots: answers, bounds and refusals."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from suite.agents.models import Agent
from suite.agents.time_models import Leave
from tests import factories
from tests.visio.meetings.pages import PARIS, client_of
from visio.meetings.models import Meeting, Privacy
from visio.places.models import Resource, ResourceBooking

pytestmark = pytest.mark.django_db


@pytest.fixture
def claire() -> Agent:
    return factories.agent("Claire", "Morel")


@pytest.fixture
def karim() -> Agent:
    return factories.agent("Karim", "Benali")


def at(hour: int, minute: int = 0, *, days: int = 0) -> dt.datetime:
    today = timezone.now().astimezone(PARIS).date()
    monday = today + dt.timedelta(days=7 - today.weekday())
    return dt.datetime.combine(monday + dt.timedelta(days=days), dt.time(hour, minute), PARIS).astimezone(dt.UTC)


def read(agent: Agent, *agents: Agent, **changed: Any) -> Any:
    query = {
        "agents": [str(one.public_id) for one in agents],
        "from": at(0).isoformat(),
        "to": at(0, days=1).isoformat(),
    }
    return client_of(agent).get("/api/v1/availability/", {**query, **changed})


def propose(agent: Agent, **asked: Any) -> Any:
    body = {"minutes": 60, "from": at(0).isoformat(), "to": at(0, days=1).isoformat(), **asked}
    return client_of(agent).post("/api/v1/slots/", json.dumps(body), content_type="application/json")


def instants(pieces: list[dict[str, str]]) -> list[tuple[dt.datetime, dt.datetime]]:
    return [tuple(dt.datetime.fromisoformat(one[name]) for name in ("starts_at", "ends_at")) for one in pieces]  # type: ignore[misc]


# --- availability -----------------------------------------------------------------------------------------------
def test_hours_and_kinds_of_anybody_and_no_word_more(claire: Agent, karim: Agent) -> None:
    factories.meeting(karim, starts_at=at(10), title="TITRE", place="LIEU", privacy=Privacy.PRIVATE)
    Leave.objects.create(agent=karim, starts_at=at(16), ends_at=at(0, days=4), note="NOTE")
    answer = read(claire, karim)
    assert answer.status_code == 200
    [row] = answer.json()["results"]
    assert set(row) == {"agent", "time_zone", "busy", "working"}
    assert instants(row["busy"]) == [(at(10), at(11)), (at(16), at(0, days=1))]
    assert [one["kind"] for one in row["busy"]] == ["busy", "out"]
    assert instants(row["working"]) == [(at(9), at(12, 30)), (at(13, 30), at(18))]
    assert not [word for word in ("TITRE", "LIEU", "NOTE", "leave", "private") if word in answer.content.decode()]


def test_closed_and_unknown_agents_are_named_apart(claire: Agent, karim: Agent) -> None:
    closed = factories.agent(is_active=False)
    nobody = str(uuid.uuid4())
    answer = read(claire, karim, closed, karim, agents=[f"{karim.public_id},{closed.public_id}", nobody]).json()
    assert [row["agent"] for row in answer["results"]] == [str(karim.public_id)]
    assert answer["unknown"] == [str(closed.public_id), nobody]


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"agents": []}, "agents"),
        ({"agents": ["x"]}, "agents"),
        ({"agents": [str(uuid.uuid4()) for _index in range(51)]}, "agents"),
        ({"from": "2026-11-26T10:00"}, "from"),
        ({"from": "hier"}, "from"),
        ({"to": ""}, "to"),
        ({"from": "2026-11-26T10:00:00Z", "to": "2026-11-26T10:00:00Z"}, "to"),
        ({"from": "2026-01-01T10:00:00Z", "to": "2026-02-01T10:00:01Z"}, "to"),
        ({"from": "0001-01-01T00:00:00+14:00"}, "from"),
    ],
)
def test_what_cannot_be_asked_is_a_problem_at_its_field(claire: Agent, changed: dict[str, Any], field: str) -> None:
    answer = read(claire, claire, **changed)
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert list(answer.json()["errors"]) == [field]


def test_an_offset_with_an_unescaped_plus_is_understood(claire: Agent) -> None:
    path = (
        f"/api/v1/availability/?agents={claire.public_id}&from=2026-11-26T00:00:00+01:00&to=2026-11-27T00:00:00+01:00"
    )
    assert client_of(claire).get(path).status_code == 200


@pytest.mark.parametrize("number", [1, 3])
def test_availability_costs_the_same_queries_for_one_and_for_three(claire: Agent, number: int) -> None:
    client = client_of(claire)
    ids = [str(factories.agent().public_id) for _index in range(number)]
    query = {"agents": ids, "from": at(0).isoformat(), "to": at(0, days=1).isoformat()}
    with CaptureQueriesContext(connection) as queries:
        assert client.get("/api/v1/availability/", query).status_code == 200
    # Session, agent, and three of this page: whose, taken when, working when.
    assert len(queries) == 5


def test_nobody_is_answered_without_signing_in(karim: Agent) -> None:
    assert Client().get("/api/v1/availability/", {"agents": str(karim.public_id)}).status_code == 401
    assert Client().post("/api/v1/slots/", "{}", content_type="application/json").status_code in {401, 403}


# --- slots ------------------------------------------------------------------------------------------------------
def test_the_best_slots_with_their_reasons(claire: Agent, karim: Agent) -> None:
    thomas = factories.agent("Thomas", "Petit")
    factories.meeting(karim, starts_at=at(8), minutes=7 * 60)
    factories.meeting(thomas, starts_at=at(16), minutes=60)
    answer = propose(claire, required=[str(karim.public_id)], optional=[str(thomas.public_id)])
    assert answer.status_code == 200
    first, _second, third = answer.json()["results"]
    assert dt.datetime.fromisoformat(first["starts_at"]) == at(15)
    assert first["start"] == f"{at(15).astimezone(PARIS):%Y-%m-%dT%H:%M}"
    assert {name: first[name] for name in ("coming", "people", "missing", "outside", "room", "lunch", "reason")} == {
        "coming": 3,
        "people": 3,
        "missing": [],
        "outside": [],
        "room": None,
        "lunch": False,
        "reason": "Tous disponibles.",
    }
    assert third["missing"] == [str(thomas.public_id)]
    assert third["reason"].endswith("sauf un invité facultatif : Thomas Petit.")
    assert not Meeting.objects.filter(organiser=claire).exists()


def test_rooms_in_order_of_preference_and_only_ones_own(claire: Agent) -> None:
    first, second = (Resource.objects.create(organisation=claire.organisation, name=name) for name in ("A", "B"))
    foreign = Resource.objects.create(organisation=factories.organisation(), name="C")
    meeting = factories.meeting(factories.agent(), starts_at=at(9), minutes=180)
    ResourceBooking.objects.create(
        resource=first, meeting=meeting, occurrence=meeting.occurrences.get(), during=(at(9), at(12)), status="pending"
    )
    rooms = [str(first.public_id), str(second.public_id)]
    found = propose(claire, rooms=rooms).json()["results"]
    assert {one["start"][-5:]: one["room"] for one in found}["09:00"] == rooms[1]
    assert {one["start"][-5:]: one["room"] for one in found}["14:00"] == rooms[0]
    refused = propose(claire, rooms=[str(foreign.public_id)])
    assert refused.status_code == 400
    assert list(refused.json()["errors"]) == ["rooms"]


def test_without_a_window_the_coming_fortnight_is_searched(claire: Agent) -> None:
    body = json.dumps({"minutes": 30})
    found = client_of(claire).post("/api/v1/slots/", body, content_type="application/json").json()["results"]
    assert len(found) == 10
    now = timezone.now()
    assert all(now < dt.datetime.fromisoformat(one["starts_at"]) < now + dt.timedelta(days=14) for one in found)


def test_beyond_the_hours_says_for_whom(claire: Agent) -> None:
    far = factories.agent(time_zone="Pacific/Noumea")
    asked = {"required": [str(far.public_id)]}
    assert propose(claire, **asked).json()["results"] == []
    [first, *_others] = propose(claire, beyond_hours=True, **asked).json()["results"]
    assert first["outside"] in ([str(far.public_id)], [str(claire.public_id)])


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"minutes": 0}, "minutes"),
        ({"minutes": 1441}, "minutes"),
        ({"minutes": "une heure"}, "minutes"),
        ({"required": [str(uuid.uuid4())]}, "required"),
        ({"required": [str(uuid.uuid4()) for _index in range(51)]}, "required"),
        (
            {"required": [str(uuid.uuid4()) for _i in range(30)], "optional": [str(uuid.uuid4()) for _i in range(30)]},
            "required",
        ),
        ({"include_me": False}, "required"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"step": 7}, "step"),
        ({"limit": 21}, "limit"),
        ({"from": "2026-11-26T10:00"}, "from"),
        ({"to": "2030-11-26T10:00:00Z"}, "to"),
    ],
)
def test_a_wrong_search_is_a_problem_at_its_field(claire: Agent, changed: dict[str, Any], field: str) -> None:
    answer = propose(claire, **changed)
    assert answer.status_code == 400, answer.content
    assert list(answer.json()["errors"]) == [field]
