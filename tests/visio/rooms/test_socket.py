"""The call's socket under a real daphne: who gets in, what is heard by whom, and what a hostile browser achieves."""

import datetime as dt
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

import pytest
from django.utils import timezone
from websockets.exceptions import ConnectionClosed, InvalidStatus

from suite.agents.deactivation import deactivate
from suite.agents.models import Agent
from suite.live import presence
from tests import factories
from tests.processes import LivePortal
from tests.visio.rooms.sockets import Caller, signed_ago, signed_in
from tests.waiting import until
from visio.meetings.models import Meeting
from visio.meetings.scheduling import cancel_meeting, edit_meeting, start_instant_meeting
from visio.meetings.tokens import revoke_link
from visio.rooms import calls
from visio.rooms.tickets import TICKET_SECONDS, guest_ticket

pytestmark = pytest.mark.django_db(transaction=True)
Call = Callable[..., Caller]


@pytest.fixture
def claire() -> Agent:
    return factories.agent("Claire", "Morel")


@pytest.fixture
def karim() -> Agent:
    return factories.agent("Karim", "Ouali")


@pytest.fixture
def meeting(claire: Agent, karim: Agent) -> Meeting:
    return factories.meeting(claire, guests=[karim, "samir@exterieur.example"])


@pytest.fixture
def call(live_portal: LivePortal, meeting: Meeting) -> Iterator[Call]:
    """`call(agent)`: a socket of that meeting's call (or of another room's, by `slug`)."""
    open_now: list[Caller] = []
    said_before = len(live_portal.logged())

    def dial(agent: Agent | None = None, *, slug: str = "", **options: object) -> Caller:
        caller = Caller(live_portal.url, slug or meeting.room.slug, agent=agent, **options)
        open_now.append(caller)
        return caller

    yield dial
    for caller in open_now:
        caller.close()
    # Whatever was said: no fault of ours in the server's log.
    assert "Traceback" not in live_portal.logged()[said_before:]


@contextmanager
def refused_handshake() -> Iterator[None]:
    with pytest.raises(InvalidStatus) as refused:
        yield
    assert refused.value.response.status_code == 403


def here(meeting: Meeting) -> list[calls.Participant]:
    return calls.people_in_rooms([meeting.room.pk])[meeting.room.pk]


def seats(meeting: Meeting) -> list[calls.Participant]:
    return calls.roster(room_id=meeting.room.pk, now=timezone.now())[0]


def guest_of(meeting: Meeting) -> str:
    return guest_ticket(meeting.room, meeting.attendees.get(agent=None))


# --- Who gets in ----------------------------------------------------------------------------------------------------
def test_agents_of_the_meeting_are_welcome(call: Call, claire: Agent, karim: Agent) -> None:
    welcome = call(claire).hello()
    assert (welcome["name"], welcome["capacity"], welcome["people"]) == ("Claire Morel", 6, [])
    assert call(karim).hello()["name"] == "Karim Ouali"


def test_guest_with_a_ticket_is_welcome_without_a_session(call: Call, meeting: Meeting) -> None:
    samir = call()
    samir.hello(guest_of(meeting))
    joined = samir.join(name="  Samir \u202eHaddad ")
    assert [(person["name"], person["role"], person["initials"]) for person in joined["people"]] == [
        ("Samir Haddad", "guest", "SH")
    ]


@pytest.mark.parametrize("same_organisation", [True, False])
def test_other_agents_are_refused(call: Call, claire: Agent, same_organisation: bool) -> None:
    stranger = factories.agent(organisation=claire.organisation if same_organisation else None)
    caller = call(stranger)
    caller.say("hello")
    assert caller.hear("refused")["code"] == "not_invited"
    assert caller.closing() == 4403


def test_other_agents_enter_a_trusted_room(call: Call, claire: Agent) -> None:
    instant = start_instant_meeting(by=claire, now=timezone.now())
    caller = call(factories.agent("Nadia", "Bensaïd"), slug=instant.room.slug)
    caller.hello()
    assert [person["role"] for person in caller.join()["people"]] == ["agent"]


def test_nobody_is_refused(call: Call) -> None:
    caller = call()
    caller.say("hello")
    assert caller.hear("refused")["code"] == "sign_in"
    assert caller.closing() == 4401


@pytest.mark.parametrize("origin", [None, "http://evil.example", "null", "http://localhost", "https://localhost"])
def test_foreign_origin_is_refused_at_the_handshake(call: Call, claire: Agent, origin: str | None) -> None:
    with refused_handshake():
        call(claire, origin=origin)


def test_bad_tickets(call: Call, meeting: Meeting, claire: Agent) -> None:
    attendee = meeting.attendees.get(agent=None)
    fields = [meeting.room.pk, attendee.pk, attendee.link_hash]
    expired = signed_ago(fields, salt="visio.rooms.guest-ticket", seconds=TICKET_SECONDS + 5)
    foreign = guest_ticket(factories.meeting(guests=["x@exterieur.example"]).room, attendee)
    for ticket in ("nonsense", expired, foreign, guest_of(meeting)[:-1]):
        # Not even with a session beside it: a ticket that is shown must be good.
        for agent in (None, claire):
            caller = call(agent)
            caller.say("hello", ticket=ticket)
            assert caller.hear("error")["code"] == "bad_ticket"
            assert caller.closing() == 4401


def test_unknown_room(call: Call, claire: Agent) -> None:
    caller = call(claire, slug="aaa-bbbb-ccc")
    caller.say("hello")
    assert caller.closing() == 4404


def test_ticket_of_a_revoked_link(call: Call, meeting: Meeting) -> None:
    ticket = guest_of(meeting)
    revoke_link(meeting.attendees.get(agent=None))
    caller = call()
    caller.say("hello", ticket=ticket)
    assert caller.hear("refused")["code"] == "sign_in"


def test_cancelled_meeting(call: Call, meeting: Meeting, claire: Agent) -> None:
    cancel_meeting(meeting=meeting, by=claire, now=timezone.now())
    caller = call(claire)
    caller.say("hello")
    assert caller.hear("refused")["code"] == "cancelled"
    assert caller.closing() == 4410


def test_a_guest_without_a_name_is_asked_for_one(call: Call, meeting: Meeting) -> None:
    samir = call()
    samir.hello(guest_of(meeting))
    samir.say("join", name=" \u200b\n ")
    assert samir.hear("refused")["code"] == "name"
    assert samir.join(name="Samir")["people"][0]["name"] == "Samir"


def test_agents_cannot_take_another_name(call: Call, claire: Agent) -> None:
    caller = call(claire)
    caller.hello()
    assert [person["name"] for person in caller.join(name="Le préfet")["people"]] == ["Claire Morel"]


def test_a_socket_that_says_nothing_is_closed(call: Call, claire: Agent) -> None:
    assert call(claire).closing(seconds=15) == 4408


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


def joined(caller: Caller, ticket: str = "", **said: object) -> str:
    caller.hello(ticket)
    return str(caller.join(**said)["ticket"]["participant"])


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


# --- Losing the right to stay ---------------------------------------------------------------------------------------
def test_cancelling_ends_the_call_within_5_seconds(call: Call, meeting: Meeting, claire: Agent, karim: Agent) -> None:
    caller, watcher = call(karim), call(claire)
    joined(caller)
    watcher.hello()
    cancel_meeting(meeting=meeting, by=claire, now=timezone.now())
    assert caller.hear("refused", seconds=5)["code"] == "cancelled"
    assert (caller.closing(), watcher.closing(seconds=5)) == (4410, 4410)
    until(lambda: here(meeting) == [])


def test_removed_attendees_are_out_within_5_seconds(call: Call, meeting: Meeting, claire: Agent, karim: Agent) -> None:
    caller, guest, host = call(karim), call(), call(claire)
    joined(host)
    joined(caller)
    joined(guest, guest_of(meeting), name="Samir")
    occurrence = meeting.occurrences.get()
    unchanged = factories.draft(title=meeting.title, starts_at=occurrence.starts_at)
    edit_meeting(meeting=meeting, by=claire, draft=unchanged, revision=meeting.revision, now=timezone.now())
    assert caller.closing(seconds=5) == 4403
    assert guest.closing(seconds=5) == 4401
    host.hear_people("Claire Morel")


def test_signing_out_ends_the_call_within_5_seconds(call: Call, karim: Agent) -> None:
    client, other = signed_in(karim), signed_in(karim)
    caller, kept = call(client=client), call(client=other)
    joined(caller)
    joined(kept)
    client.logout()
    assert caller.closing(seconds=5) == 4401
    kept.hear_people("Karim Ouali")


def test_deactivated_agents_are_out_within_5_seconds(call: Call, karim: Agent) -> None:
    caller = call(karim)
    joined(caller)
    deactivate(agents=Agent.objects.filter(pk=karim.pk), now=timezone.now())
    assert caller.closing(seconds=5) == 4401


def test_revoked_link_ends_the_guests_call_within_5_seconds(call: Call, meeting: Meeting) -> None:
    guest = call()
    joined(guest, guest_of(meeting), name="Samir")
    revoke_link(meeting.attendees.get(agent=None))
    assert guest.closing(seconds=5) == 4401


# --- Losing the socket ----------------------------------------------------------------------------------------------
def test_lost_socket_comes_back_as_the_same_participant(
    call: Call, meeting: Meeting, claire: Agent, karim: Agent
) -> None:
    host, watcher = call(claire), call(karim)
    watcher.hello()
    host.hello()
    first = host.join()
    [before] = watcher.hear_people("Claire Morel")
    host.vanish()
    again = call(claire)
    again.hello()
    second = again.join(seat=first["seat"])
    assert second["ticket"]["participant"] == first["ticket"]["participant"]
    assert [replace(person, connection="").public() for person in here(meeting)] == [before]
    # The old socket's end, whenever the server notices it, changes nothing.
    again.say("ping")
    again.hear("pong")
    assert [person.id for person in here(meeting)] == [before["id"]]


def test_somebody_whose_socket_was_lost_is_gone_within_70_seconds(call: Call, claire: Agent, karim: Agent) -> None:
    host, watcher = call(claire), call(karim)
    joined(watcher)
    joined(host)
    watcher.hear_people("Karim Ouali", "Claire Morel")
    host.vanish()
    watcher.hear_people("Karim Ouali", seconds=70)
    until(lambda: presence.states([claire], now=timezone.now())[claire.pk].state == "offline")


def test_second_socket_with_the_same_seat_takes_over(call: Call, claire: Agent) -> None:
    host, again = call(claire), call(claire)
    host.hello()
    seat = host.join()["seat"]
    again.hello()
    again.join(seat=seat)
    assert host.closing() == 4409


def test_socket_whose_seat_was_taken_elsewhere_ends_at_its_next_beat(
    call: Call, meeting: Meeting, claire: Agent
) -> None:
    host = call(claire)
    joined(host)
    [seat] = seats(meeting)
    # The word of it was lost: only Redis knows.
    calls.enter(participant=replace(seat, connection="another"), capacity=6, now=timezone.now())
    assert host.closing(seconds=calls.BEAT_SECONDS + 5) == 4409
    assert [person.connection for person in seats(meeting)] == ["another"]


def test_somebody_elses_seat_is_worth_nothing(call: Call, claire: Agent, karim: Agent) -> None:
    host, thief = call(claire), call(karim)
    host.hello()
    taken = host.join()
    thief.hello()
    assert thief.join(seat=taken["seat"])["ticket"]["participant"] != taken["ticket"]["participant"]
    thief.say("ping")
    thief.hear("pong")
    host.say("ping")
    host.hear("pong")


def test_people_of_a_killed_server_are_gone_within_70_seconds(
    start_portal: Callable[..., LivePortal], meeting: Meeting, claire: Agent
) -> None:
    portal = start_portal()
    caller = Caller(portal.url, meeting.room.slug, agent=claire)
    joined(caller)
    portal.kill()
    assert [person.name for person in here(meeting)] == ["Claire Morel"]
    later = timezone.now() + dt.timedelta(seconds=70)
    assert calls.people_in_rooms([meeting.room.pk], now=later)[meeting.room.pk] == []


def test_seat_is_taken_again_after_redis_was_emptied(call: Call, meeting: Meeting, claire: Agent, redis_client) -> None:
    caller = call(claire)
    joined(caller)
    redis_client.flushall()
    assert here(meeting) == []
    until(lambda: [person.name for person in here(meeting)] == ["Claire Morel"], calls.BEAT_SECONDS + 5)
