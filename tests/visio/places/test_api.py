"""The API says which rooms are free, and never for whom."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from suite.agents.models import Agent
from tests import factories
from tests.visio.places.rooms import client_of, monday, reserve, room

pytestmark = pytest.mark.django_db


def ask(agent: Agent, query: dict[str, Any], status: int = 200) -> Any:
    answer = client_of(agent).get("/api/v1/resources/", query)
    assert answer.status_code == status, answer.content
    return answer.json()


def test_the_api_says_what_is_free_and_never_for_whom(organiser: Agent, colleague: Agent) -> None:
    small = room(organiser.organisation, features=["visio"])
    room(factories.organisation(), "Ailleurs")
    reserve(organiser, small, title="Comité secret")
    window = {"from": monday().isoformat(), "to": (monday() + dt.timedelta(minutes=30)).isoformat()}
    found = ask(colleague, window)
    assert found == {
        "results": [
            {
                "id": str(small.public_id),
                "name": "Fontenoy 1.03",
                "kind": "room",
                "site": "Fontenoy",
                "floor": "",
                "capacity": 8,
                "features": ["visio"],
                "needs_approval": False,
                "is_free": False,
                "taken": found["results"][0]["taken"],
            }
        ],
        "more": False,
    }
    [piece] = found["results"][0]["taken"]
    assert dt.datetime.fromisoformat(piece["starts_at"]) == monday()
    assert dt.datetime.fromisoformat(piece["ends_at"]) == monday() + dt.timedelta(minutes=30)
    assert ask(colleague, {**window, "free": "true"})["results"] == []
    assert len(ask(colleague, {"seats": 8, "features": "visio"})["results"]) == 1
    assert ask(colleague, {"seats": 9})["results"] == []


@pytest.mark.parametrize(
    "query",
    [
        {"from": "hier"},
        {"from": "2026-11-26T09:30:00"},
        {"from": "2026-11-26T09:30:00Z", "to": "2026-11-26T09:30:00Z"},
        {"from": "2026-11-26T09:30:00Z", "to": "2027-11-26T09:30:00Z"},
        {"from": "0001-01-01T00:00:00+14:00"},
        {"seats": "0"},
        {"seats": "9" * 100},
        {"features": "sauna"},
        {"kind": "person"},
        {"free": "peut-être"},
    ],
)
def test_the_api_refuses_in_one_shape(organiser: Agent, query: dict[str, str]) -> None:
    problem = ask(organiser, query, status=400)
    assert problem["type"] == "urn:suite:problem:invalid"
    assert set(problem["errors"]) <= {"from", "to", "seats", "features", "kind", "free"}
