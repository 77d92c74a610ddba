"""Tickets and seats: bound to one room and one person, for a time."""

from typing import Any

import pytest
import redis
from redis.exceptions import RedisError

from tests.visio.rooms.sockets import signed_ago
from visio.meetings.models import Attendee
from visio.rooms.calls import Participant
from visio.rooms.models import Room
from visio.rooms.tickets import (
    SEAT_SECONDS,
    TICKET_SECONDS,
    BadTicket,
    GuestPass,
    Seat,
    guest_ticket,
    read_seat,
    seat_of,
    use_guest_ticket,
)

ROOM = Room(pk=1)
GUEST = Attendee(pk=5, link_hash="h" * 64)
SAMIR = Participant(id="p1", room_id=1, name="Samir", attendee_id=5, joined_at=12.5)


def test_ticket_names_its_attendee_and_link() -> None:
    assert use_guest_ticket(guest_ticket(ROOM, GUEST), room=ROOM) == GuestPass(5, "h" * 64)


def test_ticket_of_another_room() -> None:
    with pytest.raises(BadTicket):
        use_guest_ticket(guest_ticket(ROOM, GUEST), room=Room(pk=2))


@pytest.mark.parametrize("ticket", ["", "x", "a:b:c"])
def test_forged_ticket(ticket: str) -> None:
    with pytest.raises(BadTicket):
        use_guest_ticket(ticket, room=ROOM)


def test_ticket_is_used_once() -> None:
    ticket, other = guest_ticket(ROOM, GUEST), guest_ticket(ROOM, GUEST)
    use_guest_ticket(ticket, room=ROOM)
    with pytest.raises(BadTicket):
        use_guest_ticket(ticket, room=ROOM)
    assert use_guest_ticket(other, room=ROOM) == GuestPass(5, "h" * 64)


def test_ticket_shown_at_the_wrong_door_is_not_used_up() -> None:
    ticket = guest_ticket(ROOM, GUEST)
    with pytest.raises(BadTicket):
        use_guest_ticket(ticket, room=Room(pk=2))
    assert use_guest_ticket(ticket, room=ROOM) == GuestPass(5, "h" * 64)


def test_used_tickets_are_remembered_until_they_have_run_out(redis_client: redis.Redis) -> None:
    use_guest_ticket(guest_ticket(ROOM, GUEST), room=ROOM)
    [key] = redis_client.keys("*ticket*")
    assert TICKET_SECONDS <= redis_client.ttl(key) <= 2 * TICKET_SECONDS


def test_nobody_enters_while_nobody_can_say_whether_the_ticket_was_used(own_parts: Any, settings: Any) -> None:
    valkey = own_parts.valkey()
    settings.REDIS_URL = valkey.url
    ticket = guest_ticket(ROOM, GUEST)
    valkey.kill()
    with pytest.raises(RedisError):
        use_guest_ticket(ticket, room=ROOM)


def test_seat_is_no_ticket() -> None:
    with pytest.raises(BadTicket):
        use_guest_ticket(seat_of(SAMIR), room=ROOM)


def test_ticket_runs_out() -> None:
    fields = [1, 5, "h" * 64, "nonce"]
    fresh = signed_ago(fields, salt="visio.rooms.guest-ticket", seconds=TICKET_SECONDS - 5)
    assert use_guest_ticket(fresh, room=ROOM) == GuestPass(5, "h" * 64)
    with pytest.raises(BadTicket):
        use_guest_ticket(signed_ago(fields, salt="visio.rooms.guest-ticket", seconds=TICKET_SECONDS + 5), room=ROOM)


def test_seat_is_for_the_same_person_in_the_same_room() -> None:
    seat = seat_of(SAMIR)
    assert read_seat(seat, participant=Participant(id="p2", room_id=1, name="S.", attendee_id=5)) == Seat("p1", 12.5)
    for other in (
        Participant(id="p2", room_id=2, name="Samir", attendee_id=5),
        Participant(id="p2", room_id=1, name="Samir", attendee_id=6),
        Participant(id="p2", room_id=1, name="Samir", agent_id=5),
    ):
        with pytest.raises(BadTicket):
            read_seat(seat, participant=other)


def test_seat_runs_out() -> None:
    old = signed_ago([1, "attendee:5", "p1", 12.5], salt="visio.rooms.seat", seconds=SEAT_SECONDS + 5)
    with pytest.raises(BadTicket):
        read_seat(old, participant=SAMIR)
