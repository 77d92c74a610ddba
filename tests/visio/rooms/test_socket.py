"""The call's socket under a real daphne: who is here, what is heard by whom, and what a hostile browser achieves."""

import json
import threading
from contextlib import suppress

import pytest
from django.utils import timezone
from websockets.exceptions import ConnectionClosed

from suite.agents.models import Agent
from suite.live import presence
from tests.visio.rooms.sockets import Call, Caller, guest_of, here, joined, seats
from tests.waiting import until
from visio.meetings.models import Meeting
from visio.meetings.scheduling import start_instant_meeting
from visio.rooms import calls

pytestmark = pytest.mark.django_db(transaction=True)


# --- Who is here ----------------------------------------------------------------------------------------------------
def test_people_are_seen_before_joining_and_as_they_come_and_go(call: Call, claire: Agent, karim: Agent) -> None:
    watcher = call(karim)
    assert watcher.hello()["people"] == []
    host = call(claire)
    host.hello()
    joined = host.join(mic=True, camera=False)
    assert joined["ticket"]["participant"] == joined["people"][0]["id"]
    assert joined["ticket"]["engine"] == "mesh"
    [seen] = watcher.hear_people("Claire Morel")
    assert (seen["role"], seen["mic"], seen["camera"]) == ("host", True, False)
    assert "connection" not in seen
    host.say("state", mic=False, camera=True)
    [seen] = watcher.hear_people("Claire Morel")
    assert (seen["mic"], seen["camera"]) == (False, True)
    host.say("leave")
    assert host.closing() == 1000
    watcher.hear_people()


def test_closing_the_tab_is_leaving_at_once(call: Call, meeting: Meeting, claire: Agent, karim: Agent) -> None:
    watcher = call(karim)
    watcher.hello()
    host = call(claire)
    host.hello()
    host.join()
    watcher.hear_people("Claire Morel")
    host.close()
    watcher.hear_people()
    assert calls.people_in_rooms([meeting.room.pk]) == {meeting.room.pk: []}


def test_two_tabs_are_two_participants_and_one_presence(call: Call, meeting: Meeting, claire: Agent) -> None:
    tabs = [call(claire), call(claire)]
    for tab in tabs:
        tab.hello()
        tab.join()
    assert len(seats(meeting)) == 2
    assert [person.name for person in here(meeting)] == ["Claire Morel"]

    def state() -> str:
        return presence.states([claire], now=timezone.now())[claire.pk].state

    assert state() == "in_meeting"
    tabs[0].close()
    until(lambda: len(seats(meeting)) == 1)
    assert state() == "in_meeting"
    tabs[1].close()
    until(lambda: state() == "offline")


def test_joining_twice_is_a_fault(call: Call, claire: Agent) -> None:
    host = call(claire)
    host.hello()
    host.join()
    host.say("join", mic=True, camera=True)
    assert host.hear("error")["code"] == "already_joined"


def test_seven_at_once_are_six(call: Call, meeting: Meeting, claire: Agent) -> None:
    callers = [call(claire) for _tab in range(7)]
    for caller in callers:
        caller.hello()
    start = threading.Barrier(7)
    answers: list[dict] = []

    def join(caller: Caller) -> None:
        start.wait()
        caller.say("join", mic=False, camera=False)
        while True:
            frame = json.loads(caller.socket.recv(timeout=20))
            if frame["type"] in ("joined", "refused"):
                answers.append(frame)
                return

    threads = [threading.Thread(target=join, args=[caller]) for caller in callers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer["type"] for answer in answers) == ["joined"] * 6 + ["refused"]
    assert [(answer["code"], answer["capacity"]) for answer in answers if answer["type"] == "refused"] == [("full", 6)]
    assert len(seats(meeting)) == 6


# --- Negotiation ----------------------------------------------------------------------------------------------------
OFFER = {"description": {"type": "offer", "sdp": "v=0\r\n…\ud800"}, "attempt": 1}


def test_signal_reaches_that_peer_and_nobody_else(call: Call, meeting: Meeting, claire: Agent, karim: Agent) -> None:
    host, guest, third = call(claire), call(karim), call()
    here = joined(host)
    there = joined(guest)
    joined(third, guest_of(meeting), name="Samir")
    host.say("signal", to=there, data={**OFFER, "extra": "dropped"})
    assert guest.hear("signal") == {"type": "signal", "from": here, "data": OFFER}
    guest.say("signal", to=here, data={"candidate": None})
    assert host.hear("signal") == {"type": "signal", "from": there, "data": {"candidate": None, "attempt": 0}}
    third.say("ping")
    third.hear("pong")
    assert [frame for frame in third.heard if frame["type"] == "signal"] == []


def test_signal_to_another_room_or_to_nobody(call: Call, claire: Agent) -> None:
    other = start_instant_meeting(by=claire, now=timezone.now())
    elsewhere = call(claire, slug=other.room.slug)
    far = joined(elsewhere)
    host = call(claire)
    own = joined(host)
    for receiver in (far, "nobody", "", own):
        host.say("signal", to=receiver, data=OFFER)
        assert host.hear("error")["code"] == "no_such_peer"
    elsewhere.say("ping")
    elsewhere.hear("pong")
    assert [frame for frame in elsewhere.heard if frame["type"] == "signal"] == []


@pytest.mark.parametrize("frame", [{"type": "state", "mic": True, "camera": True}, {"type": "leave"}])
def test_nothing_is_heard_before_joining(call: Call, claire: Agent, frame: dict) -> None:
    caller = call(claire)
    caller.hello()
    caller.send(json.dumps(frame))
    assert caller.hear("error")["code"] == "join_first"


def test_hello_comes_first_and_once(call: Call, claire: Agent) -> None:
    caller = call(claire)
    caller.say("join")
    assert caller.hear("error")["code"] == "hello_first"
    caller.hello()
    caller.say("hello")
    assert caller.hear("error")["code"] == "hello_twice"


# --- Hostile frames -------------------------------------------------------------------------------------------------
def test_malformed_frames_are_answered_then_closed(call: Call, claire: Agent) -> None:
    caller = call(claire)
    caller.hello()
    for raw, code in [("{", "not_json"), ("[" * 20_000, "not_json"), ("3", "not_an_object"), (b"\x00\xff", "not_text")]:
        caller.send(raw)
        assert caller.hear("error")["code"] == code
    caller.send('{"type": "sudo"}')
    assert caller.closing() == 4400


def test_frames_over_64_kib_are_refused(call: Call, claire: Agent) -> None:
    caller = call(claire)
    caller.hello()
    caller.send(json.dumps({"type": "ping", "x": "a" * 64 * 1024}))
    assert caller.closing() in (4413, 1009)


def test_a_flood_is_stopped(call: Call, claire: Agent) -> None:
    caller = call(claire)
    caller.hello()
    for _frame in range(2_000):
        with suppress(ConnectionClosed):
            caller.say("ping")
    assert caller.closing() == 4429
