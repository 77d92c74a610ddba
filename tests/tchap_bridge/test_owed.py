"""The rows that say what is owed: who writes them, when they are due, who is asked."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from suite.core.events import publish
from suite.portal.health import ask_database
from tchap_bridge import owed, tasks
from tchap_bridge.matrix import MatrixError
from tchap_bridge.models import RoomState, TchapRoom
from tests import factories
from tests.tchap_bridge.rooms import edited, room_of
from visio.events import MeetingScheduled
from visio.meetings.models import Meeting
from visio.meetings.scheduling import cancel_meeting

pytestmark = pytest.mark.django_db


def failed(room: TchapRoom, error: MatrixError) -> timedelta:
    """Let the room's next run fail by `error`; how long it then waits."""
    now = room.due_at
    claim = owed.claim(room_id=room.pk, now=now)
    assert claim is not None
    owed.set_aside(claim, error)
    room.refresh_from_db()
    return room.due_at - now


def test_every_fact_owes_and_repeating_one_makes_no_second_row() -> None:
    meeting = factories.meeting()
    assert room_of(meeting).wanted == 1
    publish(MeetingScheduled(meeting_id=meeting.pk))
    assert TchapRoom.objects.count() == 1
    edited(meeting, (), title="Autre")
    assert (room_of(meeting).wanted, room_of(meeting).meeting_revision) == (3, 2)
    meeting.refresh_from_db()
    cancel_meeting(meeting=meeting, by=meeting.organiser, now=timezone.now())
    assert room_of(meeting).wanted == 4


def test_a_room_asked_for_later_is_owed_then() -> None:
    meeting = factories.meeting(wants_tchap=False)
    assert not TchapRoom.objects.exists()
    edited(meeting, (), wants_tchap=True)
    assert room_of(meeting).state == RoomState.OWED


def test_back_off_grows_to_an_hour() -> None:
    room = room_of(factories.meeting())
    down = MatrixError("", 0, "homeserver unreachable", permanent=False)
    waits = [round(failed(room, down).total_seconds()) for _time in range(6)]
    assert waits == [30, 120, 600, 3600, 3600, 3600]
    assert room.state == RoomState.OWED


def test_a_success_forgets_the_failures() -> None:
    room = room_of(factories.meeting())
    failed(room, MatrixError("", 503, "later", permanent=False))
    claim = owed.claim(room_id=room.pk, now=room.due_at)
    assert claim is not None
    owed.finish(claim, state=RoomState.APPLIED)
    room.refresh_from_db()
    assert (room.state, room.attempts, room.last_error, room.claimed_until) == (RoomState.APPLIED, 0, "", None)


def test_a_refused_room_waits_for_an_administrator_whatever_changes() -> None:
    meeting = factories.meeting()
    room = room_of(meeting)
    failed(room, MatrixError("M_UNKNOWN_TOKEN", 401, "gone", permanent=True))
    edited(meeting, (), title="Autre")
    publish(MeetingScheduled(meeting_id=meeting.pk))
    assert owed.due_rooms(now=timezone.now() + timedelta(days=9), limit=10) == []
    assert owed.due_rooms_of(meeting_id=meeting.pk, now=timezone.now()) == []
    now = timezone.now()
    owed.retry(room, now=now)
    assert owed.due_rooms(now=now, limit=10) == [room.pk]


def test_retry_of_a_room_that_owes_nothing_looks_once_more() -> None:
    room = room_of(factories.meeting())
    claim = owed.claim(room_id=room.pk, now=timezone.now())
    assert claim is not None
    owed.finish(claim, state=RoomState.APPLIED)
    now = timezone.now()
    owed.retry(room, now=now)
    assert owed.claim(room_id=room.pk, now=now) is not None


def test_a_room_is_claimed_once() -> None:
    room = room_of(factories.meeting())
    now = timezone.now()
    assert owed.claim(room_id=room.pk, now=now) is not None
    assert owed.claim(room_id=room.pk, now=now) is None
    assert owed.due_rooms(now=now, limit=10) == []


@pytest.mark.parametrize("count", [1, 3])
def test_the_sweep_asks_the_database_as_often_for_three_rooms_as_for_one(
    count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _number in range(count):
        factories.meeting()
    with django_assert_num_queries(1):
        assert len(owed.due_rooms(now=timezone.now(), limit=100)) == count


def test_scheduling_pays_three_queries_for_its_room(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    meeting = factories.meeting(wants_tchap=False)
    Meeting.objects.filter(pk=meeting.pk).update(wants_tchap=True)
    # Is there a room, what does the meeting want, and the row.
    with django_assert_num_queries(3):
        owed.owe_room(meeting_id=meeting.pk, now=timezone.now())


def test_sweeping_without_a_homeserver_tries_nothing(settings: Settings) -> None:
    settings.MATRIX_HOMESERVER_URL = ""
    meeting = factories.meeting()
    tasks.sweep_rooms()
    tasks.reconcile_room(room_of(meeting).pk)
    assert (room_of(meeting).state, room_of(meeting).last_error) == (RoomState.OWED, "")


def test_missed_meetings_are_those_ahead() -> None:
    now = timezone.now()
    past = factories.meeting(starts_at=now - timedelta(days=2))
    ahead = factories.meeting()
    without = factories.meeting(wants_tchap=False)
    TchapRoom.objects.all().delete()
    tasks.look_for_missed()
    assert set(TchapRoom.objects.values_list("meeting_id", flat=True)) == {ahead.pk}
    assert past.pk != without.pk


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("url", "state"), [("", "off"), ("http://127.0.0.1:9", "late")])
def test_rooms_noted_down_without_a_homeserver_are_no_delay(settings: Settings, url: str, state: str) -> None:
    """A portal without Tchap is well; one whose worker leaves rooms lying is not."""
    settings.MATRIX_HOMESERVER_URL = url
    factories.meeting()
    parts = {part.name: part.state for part in ask_database(timezone.now() + timedelta(hours=1))}
    assert parts["tchap_rooms"] == state
