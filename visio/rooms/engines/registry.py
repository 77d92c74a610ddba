"""Which engine serves a room: LiveKit's and Visio's own will be two more lines here."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings

from visio.rooms.engines.base import RoomEngine
from visio.rooms.engines.mesh import MeshEngine
from visio.rooms.models import Room

# By the value of Room.engine and of the setting ROOM_ENGINE.
ENGINES: dict[str, Callable[[], RoomEngine]] = {"mesh": MeshEngine}


class UnknownEngine(Exception):
    """The room names an engine that this portal does not have."""


def engine_for(room: Room) -> RoomEngine:
    """The room's engine. Raises UnknownEngine."""
    name = room.engine or settings.ROOM_ENGINE
    if name not in ENGINES:
        raise UnknownEngine(name)
    return ENGINES[name]()
