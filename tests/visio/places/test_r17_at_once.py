"""R17 under concurrency: threads, each with its own connection to PostgreSQL, want the same rooms at the same time."""

from __future__ import annotations

import datetime as dt
import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from suite.agents.models import Agent
from tests import factories
from tests.visio.places.rooms import NOW, at, booked, room
from visio.meetings.models import Meeting
from visio.meetings.refusals import DraftRefused
from visio.meetings.scheduling import cancel_meeting, edit_meeting
from visio.places.deciding import decide
from visio.places.models import BookingStatus, Resource, ResourceBooking

pytestmark = pytest.mark.django_db(transaction=True)
LONGEST_WAIT = 5.0


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """What each act gave back, or the DraftRefused that it raised, all begun together; any other error fails the test."""
    gate = threading.Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        try:
            gate.wait(10)
            return act()
        except DraftRefused as refused:
            return refused
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return [future.result(60) for future in [pool.submit(run, act) for act in acts]]


def overlaps() -> list[tuple[int, int]]:
    """Pairs of live bookings of one room that share a moment; the rule is that there are none."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT a.id, b.id FROM visio_resourcebooking a JOIN visio_resourcebooking b"
            " ON a.resource_id = b.resource_id AND a.id < b.id AND a.during && b.during"
            " WHERE a.status IN ('pending', 'accepted') AND b.status IN ('pending', 'accepted')"
        )
        return list(cursor.fetchall())


def timed(act: Callable[[], Any]) -> Callable[[], Any]:
    """The same act; slower than LONGEST_WAIT is a deadlock that PostgreSQL had to break."""

    def run() -> Any:
        begun = time.monotonic()
        try:
            return act()
        finally:
            assert time.monotonic() - begun < LONGEST_WAIT

    return run


def plan(by: Agent, rooms: Sequence[Resource], starts_at: dt.datetime, rule: str) -> Callable[[], Any]:
    return timed(lambda: booked(by, *rooms, starts_at=starts_at, rule=rule, minutes=90))


def test_r17_four_writers_of_the_same_series_leave_one_winner() -> None:
    home = factories.organisation()
    rooms = [room(home, f"Salle {number}") for number in range(3)]
    people = [factories.agent(organisation=home) for _index in range(4)]
    # Each names the rooms in an order of their own: the locks do not.
    orders = [rooms, rooms[::-1], [rooms[1], rooms[0], rooms[2]], [rooms[2], rooms[0], rooms[1]]]
    acts = [plan(who, order, at(1, 10), "FREQ=WEEKLY;COUNT=30") for who, order in zip(people, orders, strict=True)]
    outcomes = at_once(*acts)
    assert sum(isinstance(one, Meeting) for one in outcomes) == 1
    assert sum(isinstance(one, DraftRefused) for one in outcomes) == 3
    assert (ResourceBooking.objects.count(), Meeting.objects.count(), overlaps()) == (3 * 30, 1, [])


@pytest.mark.parametrize("seed", range(4))
def test_r17_overlapping_series_never_share_a_room(seed: int) -> None:
    """Daily and weekly series at nearby hours on some of the rooms: whoever wins, nobody shares."""
    chance = random.Random(seed)
    home = factories.organisation()
    rooms = [room(home, f"Salle {number}") for number in range(4)]
    people = [factories.agent(organisation=home) for _index in range(4)]
    acts = []
    for who in people:
        wanted = chance.sample(rooms, chance.randint(1, 3))
        rule = chance.choice(
            ["FREQ=DAILY;COUNT=40", "FREQ=WEEKLY;BYDAY=TU,TH;COUNT=20", "FREQ=DAILY;INTERVAL=3;COUNT=15"]
        )
        acts.append(plan(who, wanted, at(1, 10, chance.choice([0, 30])), rule))
    outcomes = at_once(*acts)
    winners = [one for one in outcomes if isinstance(one, Meeting)]
    assert winners
    assert overlaps() == []
    # Whole or not at all: each winner has every date in every room, and a loser left nothing.
    assert Meeting.objects.count() == len(winners)
    for meeting in winners:
        dates = meeting.occurrences.count()
        rooms_of = ResourceBooking.objects.filter(meeting=meeting).values("resource").distinct().count()
        assert ResourceBooking.objects.filter(meeting=meeting).count() == dates * rooms_of


def test_r17_neighbours_all_get_in() -> None:
    """Ten to eleven and eleven to twelve are asked for at the same moment."""
    home = factories.organisation()
    small = room(home)
    people = {hour: factories.agent(organisation=home) for hour in (9, 10, 11, 12)}
    acts = [timed(partial(booked, who, small, starts_at=at(1, hour))) for hour, who in people.items()]
    assert all(isinstance(one, Meeting) for one in at_once(*acts))
    assert (ResourceBooking.objects.count(), overlaps()) == (4, [])


def test_r17_moves_cancellations_and_decisions_at_once() -> None:
    """Two meetings move into each other's hour, one is cancelled, and a manager decides, all together."""
    home = factories.organisation()
    boss = factories.agent(organisation=home)
    rooms = [room(home, f"Salle {number}", needs_approval=True, managers=[boss]) for number in range(2)]
    people = [factories.agent(organisation=home) for _index in range(3)]
    ids = tuple(one.pk for one in rooms)
    meetings = [
        booked(who, *rooms, starts_at=at(1, 9 + 2 * index), rule="FREQ=DAILY;COUNT=20")
        for index, who in enumerate(people)
    ]
    pending = list(ResourceBooking.objects.filter(status=BookingStatus.PENDING).values_list("pk", flat=True))

    def move(index: int, hour: int) -> Any:
        meeting = Meeting.objects.get(pk=meetings[index].pk)
        draft = factories.draft(starts_at=at(1, hour), now=NOW, rule=meeting.rrule, resources=ids)
        return edit_meeting(meeting=meeting, by=people[index], draft=draft, revision=meeting.revision, now=NOW)

    at_once(
        timed(lambda: move(0, 11)),
        timed(lambda: move(1, 9)),
        timed(lambda: cancel_meeting(meeting=Meeting.objects.get(pk=meetings[2].pk), by=people[2], now=NOW)),
        timed(lambda: decide(by=boss, booking_ids=pending, accept=True, now=NOW)),
    )
    assert overlaps() == []
    assert set(ResourceBooking.objects.filter(meeting=meetings[2]).values_list("status", flat=True)) == {"released"}


def test_r17_the_database_itself_refuses_what_takes_no_lock() -> None:
    """Rows written past the portal's operations meet the exclusion constraint."""
    home = factories.organisation()
    small = room(home)
    meeting = booked(factories.agent(organisation=home), small, starts_at=at(1, 10))
    row = ResourceBooking.objects.get(meeting=meeting)
    other = factories.meeting(factories.agent(organisation=home), starts_at=at(1, 10), now=NOW)
    occurrence = other.occurrences.get()
    with pytest.raises(IntegrityError, match="booking_never_overlaps"), transaction.atomic():
        ResourceBooking.objects.create(
            resource=small, meeting=other, occurrence=occurrence, during=row.during, status=BookingStatus.ACCEPTED
        )
    assert overlaps() == []
