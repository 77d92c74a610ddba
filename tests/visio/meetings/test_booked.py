"""Rooms follow each act on a series, and come back with its undo."""

import dataclasses
import datetime as dt

import pytest

from suite.agents.models import Agent
from tests.visio.meetings.planned_series import HOUR, NOW, START, WEEK, changed, date, owed, series, went_out
from visio.meetings import booked
from visio.meetings.drafting import draft_of
from visio.meetings.models import Meeting
from visio.meetings.scopes import Scope
from visio.meetings.series import cancel
from visio.meetings.undo import undo
from visio.places.models import Resource, ResourceBooking

pytestmark = pytest.mark.django_db


@pytest.fixture
def room(boss: Agent) -> Resource:
    return Resource.objects.create(organisation=boss.organisation, name="Fontenoy", site="Ségur")


def taken(meeting: Meeting) -> list[dt.datetime]:
    rows = ResourceBooking.objects.filter(occurrence__meeting=meeting, status="accepted")
    return sorted(row.during.lower for row in rows)


def test_a_room_goes_where_its_date_goes(boss: Agent, room: Resource) -> None:
    meeting = series(boss, "ext@partenaire.example", resources=(room.pk,))
    went_out(meeting)
    assert taken(meeting) == [START + count * WEEK for count in range(6)]
    third = date(meeting, 2)

    asked = draft_of(meeting, third, scope=Scope.ONE)
    assert asked.resources == (room.pk,)
    later = dataclasses.replace(asked, start_time=dt.time(asked.start_time.hour + 1))
    meeting = changed(meeting, third, Scope.ONE, later)
    assert taken(meeting)[2] == START + 2 * WEEK + HOUR

    meeting = undo(meeting=meeting, by=boss, now=NOW)
    assert taken(meeting) == [START + count * WEEK for count in range(6)]
    cancel(meeting=meeting, by=boss, now=NOW)
    assert taken(meeting) == []
    undo(meeting=meeting, by=boss, now=NOW)
    assert taken(meeting) == [START + count * WEEK for count in range(6)]


def test_rooms_move_to_the_rest_of_a_series(boss: Agent, room: Resource) -> None:
    meeting = series(boss, resources=(room.pk,))
    third = date(meeting, 2)

    rest = changed(meeting, third, Scope.FOLLOWING, draft_of(meeting, third, scope=Scope.FOLLOWING))

    assert taken(meeting) == [START, START + WEEK]
    assert taken(rest) == [START + count * WEEK for count in (2, 3, 4, 5)]
    assert booked.held(rest) == (room.pk,)


def test_r7_another_room_for_one_date_is_told(boss: Agent, room: Resource) -> None:
    meeting = series(boss, "ext@partenaire.example", resources=(room.pk,))
    went_out(meeting)
    third = date(meeting, 2)

    without = dataclasses.replace(draft_of(meeting, third, scope=Scope.ONE), resources=())
    meeting = changed(meeting, third, Scope.ONE, without)

    assert len(taken(meeting)) == 5
    assert owed(meeting) == [("ext@partenaire.example", "REQUEST", "changed", "12-08")]


def test_what_a_draft_says_of_an_untouched_meeting_changes_nothing(boss: Agent, room: Resource) -> None:
    meeting = series(boss, "ext@partenaire.example", resources=(room.pk,))
    for scope in (Scope.ONE, Scope.ALL):
        same = changed(meeting, date(meeting, 2), scope, draft_of(meeting, date(meeting, 2), scope=scope))
        assert (same.pk, same.revision) == (meeting.pk, 1)


@pytest.mark.parametrize("scope", [Scope.ONE, Scope.FOLLOWING, Scope.ALL])
def test_taken_back_the_dates_have_the_rooms_that_they_had(boss: Agent, room: Resource, scope: Scope) -> None:
    other = Resource.objects.create(organisation=boss.organisation, name="Ségur", site="Ségur", needs_approval=True)
    meeting = series(boss, resources=(room.pk,))
    third = date(meeting, 2)
    before = taken(meeting)

    asked = draft_of(meeting, third, scope=scope)
    later = dataclasses.replace(asked, start_time=dt.time(asked.start_time.hour + 1), resources=(other.pk,))
    moved = changed(meeting, third, scope, later)
    assert ResourceBooking.objects.filter(resource=other, status="pending").exists()

    meeting = undo(meeting=moved, by=boss, now=NOW)
    assert taken(meeting) == before
    assert not ResourceBooking.objects.exclude(resource=room, status="accepted").exists()
    assert booked.held(meeting) == (room.pk,)


def test_taken_back_a_date_whose_room_was_taken_meanwhile_goes_without(boss: Agent, room: Resource) -> None:
    meeting = series(boss, resources=(room.pk,))
    third = date(meeting, 2)
    asked = draft_of(meeting, third, scope=Scope.ONE)
    later = dataclasses.replace(asked, start_time=dt.time(asked.start_time.hour + 1), resources=())
    changed(meeting, third, Scope.ONE, later)
    quick = series(boss, rule="", starts_at=START + 2 * WEEK, resources=(room.pk,))

    meeting = undo(meeting=meeting, by=boss, now=NOW)
    assert taken(meeting) == [START + count * WEEK for count in (0, 1, 3, 4, 5)]
    assert taken(quick) == [START + 2 * WEEK]
    assert meeting.changes.filter(kind="booked", details__act="missed").count() == 1
