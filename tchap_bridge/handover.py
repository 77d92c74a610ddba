"""A series that continues another one takes over its room, when nothing of the other is to come (docs/decisions/016)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, Value
from django.db.models.functions import Concat

from tchap_bridge import owed, pauses
from tchap_bridge.facts import MeetingFacts, ends_at
from tchap_bridge.models import RoomState, TchapMember, TchapMessage, TchapRoom
from visio.meetings.dates import current_occurrence

# Somebody works on the other room: they are done, or dead, some time later.
LATER = timedelta(seconds=30)


def is_taken_over(facts: MeetingFacts, told: Mapping[str, Any]) -> bool:
    """Whether the room of this meeting, which was told `told`, is about to become its successor's."""
    ends = facts.is_over and facts.wants_tchap and not facts.is_cancelled
    return ends and any(one.awaits_room and not _has_own(one.public_id, told) for one in facts.successors)


def _has_own(public_id: str, told: Mapping[str, Any]) -> bool:
    """Whether the room was told that its successor has a room of its own."""
    return public_id in told.get("followed_by", [])


@dataclass(frozen=True)
class Expected:
    """The room that will be this meeting's at `at`, and its alias."""

    at: datetime
    alias_localpart: str


def take_over(claim: owed.Claim, facts: MeetingFacts) -> Expected | None:
    """Make the room of the meeting that `facts` continues this one's, if there is such a room and nothing is to come in it.

    Its people, its messages and its alias come along; the claimed row is kept up to date. While the last date there goes on,
    the room is that date's: nothing happens yet, and when it will is returned. Raises pauses.Held while somebody works on
    the other room.
    """
    if facts.split_from_id is None:
        return None
    with transaction.atomic():
        rows = TchapRoom.objects.select_for_update(of=("self",)).select_related("meeting").order_by("pk")
        rooms = {row.meeting_id: row for row in rows.filter(meeting__in=[facts.split_from_id, facts.meeting_id])}
        old = rooms.get(facts.split_from_id)
        if old is None or not _lasts(old) or _has_own(facts.public_id, old.shown.get("told", {})):
            return None
        free_at = ends_at(old.meeting, current_occurrence(old.meeting, claim.now), claim.now)
        if free_at is None or (free_at > claim.now and facts.when.starts_at < free_at):
            return None
        if free_at > claim.now:
            return Expected(free_at, old.alias_localpart)
        if old.room_id == "":
            return None
        if old.claimed_until is not None and old.claimed_until >= claim.clock():
            raise pauses.Held(claim.clock() + LATER)
        said = TchapMessage.objects.filter(room=old)
        # Topics are counted by the versions of their meeting, and this one's begin again.
        own = ~Q(about__startswith="card") & ~Q(about__startswith="answer:")
        said.filter(own).update(about=Concat(Value(f"{old.meeting_id}/"), "about"))
        said.update(room=claim.room)
        TchapMember.objects.filter(room=old).update(room=claim.room)
        TchapRoom.objects.filter(pk=old.pk).delete()
        claim.record(room_id=old.room_id, alias_localpart=old.alias_localpart, shown=old.shown)
    return None


def _lasts(room: TchapRoom) -> bool:
    """Whether the room is open and in order."""
    meeting = room.meeting
    return room.state in (RoomState.APPLIED, RoomState.OWED) and not meeting.is_cancelled and meeting.wants_tchap
