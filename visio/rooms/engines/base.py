"""The port between the portal and whatever carries a call's sound and picture.

An engine is the only part that speaks to its own server (or, for the mesh, knows that there is none). Views, consumers
and templates see this protocol and the JSON ticket that it hands to the browser, nothing else.
"""

from __future__ import annotations

from typing import Any, Protocol

from visio.rooms.calls import Participant
from visio.rooms.models import Room

Ticket = dict[str, Any]


class EngineUnavailable(Exception):
    """The engine cannot serve this room now. `permanent` says that trying again will not help."""

    def __init__(self, reason: str, *, permanent: bool = False) -> None:
        super().__init__(reason)
        self.permanent = permanent


class RoomEngine(Protocol):
    name: str
    # How many people one call holds.
    capacity: int

    def open(self, room: Room) -> None:
        """Make the room ready at the engine. Safe to repeat. Raises EngineUnavailable."""

    def ticket(self, room: Room, participant: Participant) -> Ticket:
        """What `participant`'s browser needs to join, as plain JSON. `engine` and `capacity` are always in it."""

    def close(self, room: Room) -> None:
        """End the room at the engine. Safe to repeat. Raises EngineUnavailable."""
