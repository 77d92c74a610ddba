"""What an engine hands to the browser, and which engine serves a room."""

import base64
import hashlib
import hmac

import pytest

from visio.rooms.calls import Participant
from visio.rooms.engines.mesh import RELAY_SECONDS, MeshEngine, ice_servers
from visio.rooms.engines.registry import UnknownEngine, engine_for
from visio.rooms.models import Room

ROOM = Room(slug="kqz-mvte-wra")


def test_mesh_ticket(settings) -> None:
    settings.ICE_SERVERS = ["stun:stun.example:3478"]
    person = Participant(id="p1", room_id=1, name="Samir")
    assert MeshEngine().ticket(ROOM, person) == {
        "engine": "mesh",
        "socket": "/ws/appel/kqz-mvte-wra/",
        "ice_servers": [{"urls": "stun:stun.example:3478"}],
        "capacity": 6,
        "participant": "p1",
    }


def test_relays_get_a_password_that_ends(settings) -> None:
    settings.ICE_SERVERS = ["stun:a", "turn:b?transport=udp", "turns:c"]
    settings.TURN_SECRET = "shared"
    name = f"{1000 + RELAY_SECONDS}:p1"
    password = base64.b64encode(hmac.new(b"shared", name.encode(), hashlib.sha1).digest()).decode()
    assert ice_servers("p1", now=1000) == [
        {"urls": "stun:a"},
        {"urls": "turn:b?transport=udp", "username": name, "credential": password},
        {"urls": "turns:c", "username": name, "credential": password},
    ]


def test_relays_without_a_secret_are_left_out(settings) -> None:
    settings.ICE_SERVERS = ["turn:b", "stun:a"]
    settings.TURN_SECRET = ""
    assert ice_servers("p1", now=1000) == [{"urls": "stun:a"}]


def test_opening_and_closing_a_mesh_is_nothing() -> None:
    engine = engine_for(ROOM)
    engine.open(ROOM)
    engine.close(ROOM)
    assert (engine.name, engine.capacity) == ("mesh", 6)


def test_room_of_an_engine_that_is_no_more() -> None:
    with pytest.raises(UnknownEngine):
        engine_for(Room(engine="teleport"))
