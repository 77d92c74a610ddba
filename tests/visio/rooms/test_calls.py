"""Who is in which call: seats, deadlines, and that seven at once are six."""

import datetime as dt
import threading
from dataclasses import replace

import pytest
from django.db import connection
from django.utils import timezone

from suite.core.events import subscribe
from suite.live import presence
from tests import factories
from visio.events import CallChanged, CallEnded, CallStarted
from visio.rooms import calls
from visio.rooms.calls import CallFull, Participant

# Facts are told after commit: these tests commit.
pytestmark = pytest.mark.django_db(transaction=True)
NOW = dt.datetime(2026, 11, 26, 14, 30, tzinfo=dt.UTC)


def someone(number: int = 1, *, room_id: int = 7, at: dt.datetime = NOW) -> Participant:
    return Participant(
        id=f"p{number}",
        room_id=room_id,
        name=f"Personne {number}",
        joined_at=at.timestamp() + number,
        connection=f"channel-{number}",
    )


def seconds(number: float) -> dt.timedelta:
    return dt.timedelta(seconds=number)


def here(room_id: int = 7, *, now: dt.datetime = NOW) -> list[str]:
    return [person.id for person in calls.people_in_rooms([room_id], now=now)[room_id]]


HEARD: list[object] = []
for kind in (CallStarted, CallChanged, CallEnded):
    subscribe(kind, HEARD.append)


@pytest.fixture
def told() -> list[object]:
    """Every fact about calls, in the order it was published."""
    HEARD.clear()
    return HEARD


def test_nobody_at_first() -> None:
    assert calls.people_in_rooms([1, 2], now=NOW) == {1: [], 2: []}
    assert calls.people_in_rooms([], now=NOW) == {}


def test_people_come_in_order_and_leave_at_once(told) -> None:
    for number in (2, 1):
        calls.enter(participant=someone(number), capacity=6, now=NOW)
    assert here() == ["p1", "p2"]
    calls.leave(participant=someone(1), now=NOW)
    assert here() == ["p2"]
    calls.leave(participant=someone(2), now=NOW)
    assert here() == []
    assert told == [CallStarted(7), CallChanged(7), CallChanged(7), CallEnded(7)]


def test_leaving_twice_is_leaving_once(told) -> None:
    calls.enter(participant=someone(), capacity=6, now=NOW)
    calls.leave(participant=someone(), now=NOW)
    calls.leave(participant=someone(), now=NOW)
    assert told == [CallStarted(7), CallEnded(7)]


def test_rooms_are_apart() -> None:
    calls.enter(participant=someone(1, room_id=7), capacity=6, now=NOW)
    calls.enter(participant=someone(2, room_id=8), capacity=6, now=NOW)
    assert (here(7), here(8)) == (["p1"], ["p2"])
    assert calls.seated(room_id=7, participant_id="p2") is None
    assert calls.seated(room_id=8, participant_id="p2") == someone(2, room_id=8)


@pytest.mark.parametrize("_round", range(5))
def test_seven_at_once_are_six(_round: int) -> None:
    start = threading.Barrier(7)
    refused: list[int] = []

    def join(number: int) -> None:
        start.wait()
        try:
            calls.enter(participant=someone(number), capacity=6, now=NOW)
        except CallFull as full:
            refused.append(full.capacity)
        finally:
            connection.close()

    threads = [threading.Thread(target=join, args=[number]) for number in range(7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refused == [6]
    assert len(here()) == 6


def test_own_seat_is_taken_again_even_when_all_are() -> None:
    for number in range(6):
        calls.enter(participant=someone(number), capacity=6, now=NOW)
    calls.enter(participant=replace(someone(3), connection="a-new-socket"), capacity=6, now=NOW)
    assert len(here()) == 6


def test_old_socket_cannot_take_the_new_one_away() -> None:
    old = someone()
    new = replace(old, connection="a-new-socket")
    calls.enter(participant=old, capacity=6, now=NOW)
    calls.enter(participant=new, capacity=6, now=NOW)
    calls.leave(participant=old, now=NOW)
    calls.lose(participant=old, now=NOW)
    assert not calls.beat(participant=old, now=NOW)
    assert here(now=NOW + seconds(calls.GRACE_SECONDS + 1)) == ["p1"]


def test_silence_ends_a_seat_and_beats_keep_it(told) -> None:
    calls.enter(participant=someone(1), capacity=6, now=NOW)
    calls.enter(participant=someone(2), capacity=6, now=NOW)
    later = NOW + seconds(calls.ALIVE_SECONDS - 1)
    assert calls.beat(participant=someone(1), now=later)
    gone = NOW + seconds(calls.ALIVE_SECONDS + 1)
    assert here(now=gone) == ["p1"]
    assert calls.beat(participant=someone(1), now=gone)
    assert told == [CallStarted(7), CallChanged(7), CallChanged(7)]
    assert not calls.beat(participant=someone(2), now=gone)


def test_a_seat_that_ran_out_is_free() -> None:
    calls.enter(participant=someone(1), capacity=1, now=NOW)
    with pytest.raises(CallFull):
        calls.enter(participant=someone(2), capacity=1, now=NOW)
    calls.enter(participant=someone(2), capacity=1, now=NOW + seconds(calls.ALIVE_SECONDS + 1))


def test_lost_socket_keeps_the_seat_for_a_while() -> None:
    calls.enter(participant=someone(), capacity=6, now=NOW)
    calls.lose(participant=someone(), now=NOW)
    assert here(now=NOW + seconds(calls.GRACE_SECONDS - 1)) == ["p1"]
    assert here(now=NOW + seconds(calls.GRACE_SECONDS + 1)) == []
    assert calls.ALIVE_SECONDS < 70


def test_sweep_tells_of_calls_whose_server_died(told) -> None:
    calls.enter(participant=someone(1, room_id=7), capacity=6, now=NOW)
    calls.enter(participant=someone(2, room_id=8), capacity=6, now=NOW + seconds(20))
    told.clear()
    assert calls.sweep(now=NOW + seconds(10)) == 0
    assert calls.sweep(now=NOW + seconds(calls.ALIVE_SECONDS + 1)) == 1
    assert told == [CallEnded(7)]
    assert calls.sweep(now=NOW + seconds(calls.ALIVE_SECONDS + 1)) == 0


def test_sweep_task_is_known_to_celery() -> None:
    from suite.celery import app
    from visio.rooms.tasks import sweep_calls

    assert sweep_calls() == 0
    app.loader.import_default_modules()
    assert "visio.sweep_calls" in app.tasks


def test_microphone_and_camera_are_remembered() -> None:
    calls.enter(participant=someone(), capacity=6, now=NOW)
    changed = calls.update(participant=someone(), mic=True, camera=False, now=NOW)
    assert calls.people_in_rooms([7], now=NOW)[7] == [changed]
    assert (changed.mic, changed.camera) == (True, False)


def test_call_began_with_its_first_person() -> None:
    assert calls.roster(room_id=7, now=NOW) == ([], None)
    calls.enter(participant=someone(1), capacity=6, now=NOW)
    calls.enter(participant=someone(2), capacity=6, now=NOW + seconds(5))
    assert calls.roster(room_id=7, now=NOW)[1] == NOW.timestamp()
    calls.leave(participant=someone(1), now=NOW)
    calls.leave(participant=someone(2), now=NOW)
    again = NOW + seconds(3600)
    calls.enter(participant=someone(1), capacity=6, now=again)
    assert calls.roster(room_id=7, now=again)[1] == again.timestamp()


def test_others_learn_no_identifier_and_no_channel() -> None:
    person = replace(someone(), agent_id=3, attendee_id=4)
    assert set(person.public()) == {
        "id", "name", "role", "organisation", "initials", "tint", "mic", "camera", "joined_at"
    }  # fmt: skip


def test_two_tabs_are_one_person() -> None:
    assert replace(someone(1), agent_id=3).person == replace(someone(2), agent_id=3).person
    assert replace(someone(1), agent_id=3).person != replace(someone(1), attendee_id=3).person


def test_one_round_trip_for_many_rooms(redis_client) -> None:
    calls.enter(participant=someone(), capacity=6, now=NOW)
    calls.people_in_rooms([7], now=NOW)

    def clients_turns() -> int:
        return int(redis_client.info("stats")["total_reads_processed"])

    before = clients_turns()
    assert len(calls.people_in_rooms(range(1, 101), now=NOW)) == 100
    # One read of the server's for the pipeline (two hundred commands), one for each of our own questions.
    assert clients_turns() - before <= 4


def test_without_redis_nobody_is_anywhere(settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert calls.people_in_rooms([7]) == {7: []}


def test_presence_follows_the_call_and_counts_two_tabs_once() -> None:
    agent = factories.agent()
    now = timezone.now()
    tabs = [replace(someone(number), agent_id=agent.pk) for number in (1, 2)]

    def state() -> str:
        return presence.states([agent], now=timezone.now())[agent.pk].state

    assert state() == "offline"
    for tab in tabs:
        calls.enter(participant=tab, capacity=6, now=now)
    assert state() == "in_meeting"
    calls.leave(participant=tabs[0], now=now)
    assert state() == "in_meeting"
    calls.lose(participant=tabs[1], now=now)
    calls.sweep(now=now + seconds(calls.GRACE_SECONDS + 1))
    assert state() == "offline"
