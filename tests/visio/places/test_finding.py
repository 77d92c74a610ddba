"""Finding a free room, and another when the wanted one is taken."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.agents.models import Agent
from tests import factories
from tests.visio.places.rooms import NOW, at, booked, room
from visio.places.finding import Wishes, alternatives, choices, free_resources, states_at, wished
from visio.places.models import Resource
from visio.places.queries import _touched, busy_pieces, taken_spans

pytestmark = pytest.mark.django_db


@pytest.fixture
def viewer() -> Agent:
    return factories.agent()


def names(found: list[Resource]) -> list[str]:
    return [one.name for one in found]


def test_free_ones_of_ones_own_organisation(viewer: Agent) -> None:
    home = viewer.organisation
    small, large = room(home, "Petite", capacity=4), room(home, "Grande", capacity=40)
    room(home, "Fermée", is_active=False)
    room(factories.organisation(), "Ailleurs")
    booked(viewer, small, starts_at=at(1, 10))
    assert names(free_resources(viewer, at(1, 9), at(1, 10))) == ["Petite", "Grande"]
    assert names(free_resources(viewer, at(1, 10, 30), at(1, 12))) == ["Grande"]
    assert names(free_resources(viewer, at(1, 11), at(1, 12), capacity=5)) == ["Grande"]
    assert free_resources(viewer, at(1, 11), at(1, 12), capacity=41) == []
    assert large.capacity == 40


def test_ones_own_meeting_is_no_obstacle_to_itself(viewer: Agent) -> None:
    small = room(viewer.organisation)
    meeting = booked(viewer, small, starts_at=at(1, 10))
    assert free_resources(viewer, at(1, 10, 30), at(1, 11, 30), except_meeting=meeting.pk) == [small]


@pytest.mark.parametrize(
    ("wishes", "expected"),
    [
        (Wishes(), ["Bréhat", "Ségur 3.12", "Écran mobile"]),
        (Wishes(text="segur"), ["Ségur 3.12"]),
        (Wishes(text="BREHAT quimper"), ["Bréhat"]),
        (Wishes(text="' OR 1=1 --"), []),
        (Wishes(site="Paris"), ["Ségur 3.12"]),
        (Wishes(kind="resource"), ["Écran mobile"]),
        (Wishes(features=("visio", "accessible")), ["Ségur 3.12"]),
        (Wishes(capacity=10), ["Ségur 3.12", "Écran mobile"]),
    ],
)
def test_wishes(viewer: Agent, wishes: Wishes, expected: list[str]) -> None:
    home = viewer.organisation
    room(home, "Ségur 3.12", site="Paris", capacity=20, features=["visio", "screen", "accessible"])
    room(home, "Bréhat", site="Quimper", capacity=6, features=["visio"])
    room(home, "Écran mobile", site="", capacity=None, kind="resource")
    assert names(list(wished(viewer, wishes))) == expected


def make(name: str, capacity: int | None, site: str = "A", features: tuple[str, ...] = (), **fields: Any) -> Resource:
    return Resource(name=name, capacity=capacity, site=site, features=list(features), kind="room", **fields)


def number(*made: Resource) -> list[Resource]:
    for pk, one in enumerate(made, 1):
        one.pk = pk
    return list(made)


def test_alternatives_are_near_and_large_enough() -> None:
    taken, *free = number(
        make("Prise", 10, features=("visio",)),
        make("Trop petite", 4),
        make("Sans visio", 10),
        make("Pareille", 10, features=("visio",)),
        make("Plus grande", 14, features=("visio",)),
        make("Énorme", 200),
        make("Ailleurs", 10, site="B", features=("visio",)),
    )
    assert names(alternatives(taken, free)) == ["Pareille", "Sans visio", "Plus grande"]
    assert names(alternatives(taken, free, seats=12)) == ["Plus grande", "Énorme"]
    assert names(alternatives(taken, free, seats=4))[:2] == ["Pareille", "Sans visio"]
    assert names(alternatives(taken, free[-1:])) == ["Ailleurs"]
    assert alternatives(taken, [], seats=3) == []


def test_choices_put_free_ones_first(viewer: Agent) -> None:
    home = viewer.organisation
    one, two, three = (room(home, name) for name in ("A", "B", "C"))
    booked(viewer, one, starts_at=at(8, 10))
    weekly = [(at(1 + 7 * week, 10), at(1 + 7 * week, 11)) for week in range(3)]
    offered = choices([one, two, three], weekly)
    assert [(choice.resource.name, choice.is_free) for choice in offered] == [("B", True), ("C", True), ("A", False)]
    assert (offered[2].taken, names(list(offered[2].others))) == (((at(8, 10), at(8, 11)),), ["B", "C"])


def test_one_statement_however_many(viewer: Agent, django_assert_num_queries: Any) -> None:
    found = [room(viewer.organisation, f"Salle {index}") for index in range(30)]
    spans = [(at(day, 10), at(day, 11)) for day in range(1, 400)]
    with django_assert_num_queries(1):
        assert len(choices(found, spans)) == 30
    with django_assert_num_queries(1):
        states_at(found, NOW)
    with django_assert_num_queries(2):
        free_resources(viewer, at(1, 10), at(1, 11))


def test_states(viewer: Agent) -> None:
    small = room(viewer.organisation)
    booked(viewer, small, starts_at=at(0, 10))
    booked(viewer, small, starts_at=at(0, 11))

    def state(hour: int) -> tuple[bool, dt.datetime | None]:
        found = states_at([small], at(0, hour))[small.pk]
        return found.is_free, found.until

    assert state(9) == (True, at(0, 10))
    # Back-to-back meetings are one stretch.
    assert state(10) == (False, at(0, 12))
    assert state(12) == (True, None)


def test_nothing_asked_nothing_read(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert (taken_spans([], [(at(1, 1), at(1, 2))]), taken_spans([1], []), busy_pieces([], NOW, at(1, 1))) == (
            {},
            {},
            {},
        )


hours = st.integers(0, 200).map(lambda number: NOW + dt.timedelta(minutes=number))
lengths = st.integers(1, 40).map(lambda number: dt.timedelta(minutes=number))
spans = st.lists(st.tuples(hours, lengths).map(lambda pair: (pair[0], pair[0] + pair[1])), max_size=12).map(sorted)


def apart(found: list[tuple[dt.datetime, dt.datetime]]) -> list[tuple[dt.datetime, dt.datetime]]:
    """Those that do not overlap one before: what the constraint lets into the table."""
    kept: list[tuple[dt.datetime, dt.datetime]] = []
    for start, end in found:
        if not kept or start >= kept[-1][1]:
            kept.append((start, end))
    return kept


@given(asked=spans, taken=spans.map(apart))
def test_touched_is_what_overlap_means(
    asked: list[tuple[dt.datetime, dt.datetime]], taken: list[tuple[dt.datetime, dt.datetime]]
) -> None:
    slow = [one for one in asked if any(one[0] < end and start < one[1] for start, end in taken)]
    assert _touched(asked, taken) == slow
