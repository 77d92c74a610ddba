"""Who gets through the door of a call's socket, under a real daphne."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.utils import timezone
from websockets.exceptions import InvalidStatus

from suite.agents.models import Agent
from tests import factories
from tests.processes import LivePortal
from tests.visio.rooms.sockets import Call, Caller, guest_of, signed_ago
from visio.meetings.models import Meeting
from visio.meetings.scheduling import cancel_meeting, start_instant_meeting
from visio.meetings.tokens import revoke_link
from visio.rooms.tickets import TICKET_SECONDS, guest_ticket

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def refused_handshake() -> Iterator[None]:
    with pytest.raises(InvalidStatus) as refused:
        yield
    assert refused.value.response.status_code == 403


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
    fields = [meeting.room.pk, attendee.pk, attendee.link_hash, "nonce"]
    expired = signed_ago(fields, salt="visio.rooms.guest-ticket", seconds=TICKET_SECONDS + 5)
    foreign = guest_ticket(factories.meeting(guests=["x@exterieur.example"]).room, attendee)
    for ticket in ("nonsense", expired, foreign, guest_of(meeting)[:-1]):
        # Not even with a session beside it: a ticket that is shown must be good.
        for agent in (None, claire):
            caller = call(agent)
            caller.say("hello", ticket=ticket)
            assert caller.hear("error")["code"] == "bad_ticket"
            assert caller.closing() == 4401


def test_ticket_that_was_overheard_opens_nothing(call: Call, meeting: Meeting) -> None:
    ticket = guest_of(meeting)
    call().hello(ticket)
    thief = call()
    thief.say("hello", ticket=ticket)
    assert thief.hear("error")["code"] == "bad_ticket"
    assert thief.closing() == 4401


def test_without_redis_guests_are_told_that_the_call_is_unavailable(
    start_portal: Callable[..., LivePortal], own_parts: Any, meeting: Meeting
) -> None:
    valkey = own_parts.valkey()
    portal = start_portal(REDIS_URL=valkey.url)
    samir = Caller(portal.url, meeting.room.slug)
    samir.say("ping")
    samir.hear("pong")
    valkey.kill()
    samir.say("hello", ticket=guest_of(meeting))
    assert samir.closing(seconds=20) == 4503
    assert [frame["code"] for frame in samir.heard if frame["type"] == "error"] == ["unavailable"]
    samir.close()


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
