"""What a browser shows to prove who it is on the socket: signed with the server's key, short-lived, bound to one room.
A ticket is used once: whoever overhears it comes too late.

A guest has no session. Their page exchanges the invitation link for a ticket with a POST, and sends it as the socket's first
frame: never in the socket's address, which access logs keep. The name they chose comes later, with the wish to join: it
proves nothing, so it is not signed. A seat lets a browser whose socket was lost be the same participant again.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core import signing

from suite.live import push
from visio.rooms.access import Invited
from visio.rooms.calls import Participant
from visio.rooms.models import Room

# From the POST to the first frame: one round trip, with room for a slow train.
TICKET_SECONDS = 60
SEAT_SECONDS = 24 * 3600
_TICKET_SALT = "visio.rooms.guest-ticket"
_SEAT_SALT = "visio.rooms.seat"


class BadTicket(Exception):
    """Forged, expired, used before, or made for another room."""


@dataclass(frozen=True)
class GuestPass:
    """A ticket that was read: which attendee, and the link it was given for (a revoked link ends the pass)."""

    attendee_id: int
    link_hash: str


@dataclass(frozen=True)
class Seat:
    participant_id: str
    joined_at: float


def guest_ticket(room: Room, attendee: Invited) -> str:
    return signing.dumps([room.pk, attendee.pk, attendee.link_hash, secrets.token_urlsafe(12)], salt=_TICKET_SALT)


def use_guest_ticket(ticket: str, *, room: Room) -> GuestPass:
    """Read the ticket and use it up. Raises BadTicket, and RedisError when nobody can say whether it was used before."""
    room_id, attendee_id, link_hash, nonce = _load(ticket, salt=_TICKET_SALT, seconds=TICKET_SECONDS)
    if room_id != room.pk or not _is_first_use(nonce):
        raise BadTicket
    return GuestPass(attendee_id, link_hash)


def _is_first_use(nonce: str) -> bool:
    key = f"{settings.REDIS_PREFIX}:call:ticket:{nonce}"
    claim = secrets.token_hex(8)
    # Twice as long as the ticket is good for: the clocks of two machines differ.
    if push.client().set(key, claim, nx=True, ex=2 * TICKET_SECONDS):
        return True
    # The client tries again when an answer was lost: the claim that is there may be this very one.
    return bool(push.client().get(key) == claim)


def seat_of(participant: Participant) -> str:
    """The proof that `participant` may take the same seat again."""
    fields = [participant.room_id, participant.person, participant.id, participant.joined_at]
    return signing.dumps(fields, salt=_SEAT_SALT)


def read_seat(seat: str, *, participant: Participant) -> Seat:
    """The seat that `participant` (same room, same person) held before. Raises BadTicket."""
    room_id, person, participant_id, joined_at = _load(seat, salt=_SEAT_SALT, seconds=SEAT_SECONDS)
    if (room_id, person) != (participant.room_id, participant.person):
        raise BadTicket
    return Seat(participant_id, joined_at)


def _load(signed: str, *, salt: str, seconds: int) -> list[Any]:
    try:
        fields: list[Any] = signing.loads(signed, salt=salt, max_age=seconds)
    except signing.BadSignature as error:
        raise BadTicket from error
    return fields
