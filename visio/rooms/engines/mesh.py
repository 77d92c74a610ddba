"""The portal's own engine: every browser sends to every other one, so nothing but signalling passes through the server.

Six people is where the upload of an ordinary office line ends (five copies of one's own picture).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time

from django.conf import settings

from visio.rooms.calls import Participant
from visio.rooms.engines.base import Ticket
from visio.rooms.models import Room

CAPACITY = 6
# How long a relay's password lasts: longer than any meeting, shorter than two days.
RELAY_SECONDS = 24 * 3600


class MeshEngine:
    name = "mesh"
    capacity = CAPACITY

    def open(self, room: Room) -> None:
        """Nothing to open: the room is the browsers in it."""

    def close(self, room: Room) -> None:
        """Nothing to close: the sockets' own access check ends the call."""

    def ticket(self, room: Room, participant: Participant) -> Ticket:
        return {
            "engine": self.name,
            "socket": f"/ws/appel/{room.slug}/",
            "ice_servers": ice_servers(participant.id, now=int(time.time())),
            "capacity": self.capacity,
            "participant": participant.id,
        }


def ice_servers(user: str, *, now: int) -> list[dict[str, str]]:
    """RTCIceServer dictionaries for the browser; `now` in epoch seconds.

    A relay (turn:, turns:) gets a password that ends by itself, derived from TURN_SECRET as coturn's `use-auth-secret` expects
    (draft-uberti-behave-turn-rest-00); without that secret relays are left out, because a browser refuses them bare.
    """
    servers: list[dict[str, str]] = []
    username = f"{now + RELAY_SECONDS}:{user}"
    for url in settings.ICE_SERVERS:
        if not url.startswith(("turn:", "turns:")):
            servers.append({"urls": url})
        elif settings.TURN_SECRET:
            digest = hmac.new(settings.TURN_SECRET.encode(), username.encode(), hashlib.sha1).digest()
            servers.append({"urls": url, "username": username, "credential": base64.b64encode(digest).decode()})
    return servers
