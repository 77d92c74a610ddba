"""What a meeting's Tchap room should be. Pure: facts in (tchap_bridge.facts), the room out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tchap_bridge import messages
from tchap_bridge.facts import MeetingFacts
from tchap_bridge.matrix import StateContent
from tchap_bridge.messages import Text
from tchap_bridge.news import told_of

# Whoever creates the room has 100 and is alone to name it, pin, and close it: what the bridge shows stays as it shows it.
# "users" is left out on purpose (see matrix.NewRoom).
POWER_LEVELS: Mapping[str, Any] = {
    "users_default": 0,
    "events_default": 0,
    "state_default": 100,
    "invite": 50,
    "kick": 50,
    "ban": 50,
    "redact": 50,
    "events": dict.fromkeys(
        (
            "m.room.name",
            "m.room.topic",
            "m.room.avatar",
            "m.room.pinned_events",
            "m.room.canonical_alias",
            "m.room.power_levels",
            "m.room.history_visibility",
            "m.room.encryption",
            "m.room.server_acl",
            "m.room.tombstone",
        ),
        100,
    ),
}
ORGANISER_POWER = 50
# Where only the organiser and the bridge may still write.
CLOSED_TO = 50
# A series whose next date is years away: its row comes some day.
LOOK_AGAIN = timedelta(days=1)

INITIAL_STATE: tuple[StateContent, ...] = (
    # Tchap: no external guests, and readable by the bridge (this cannot be changed later; see its room access rules).
    StateContent(
        "im.vector.room.access_rules",
        {"rule": "restricted", "force_unencrypted_at_creation": True, "visibility": "private"},
    ),
    # An attendee added on the last day must be able to read the pinned message.
    StateContent("m.room.history_visibility", {"history_visibility": "shared"}),
    StateContent("m.room.guest_access", {"guest_access": "forbidden"}),
)
# Also there after createRoom; put by the bridge itself when the homeserver died half-way through one.
JOIN_RULES = StateContent("m.room.join_rules", {"join_rule": "invite"})


@dataclass(frozen=True)
class RoomWanted:
    name: str
    topic: str
    card: Text
    closed: bool
    agent_ids: tuple[int, ...]
    organiser_id: int
    # What the room has been told of; the next difference becomes a message.
    told: dict[str, Any]


def wanted_room(facts: MeetingFacts) -> RoomWanted:
    title = facts.title if facts.date_title is None else facts.date_title
    return RoomWanted(
        name=messages.name(title, facts.repeat, language=facts.language),
        topic=messages.topic(
            facts.when,
            join_url=facts.join_url,
            page_url=facts.page_url,
            language=facts.language,
            repeat=facts.repeat,
            is_over=facts.is_over,
        ),
        card=messages.card(
            title,
            facts.when,
            place=facts.place if facts.date_place is None else facts.date_place,
            join_url=facts.join_url,
            page_url=facts.page_url,
            language=facts.language,
            repeat=facts.repeat,
            is_over=facts.is_over,
        ),
        closed=facts.is_cancelled or not facts.wants_tchap,
        agent_ids=facts.agent_ids,
        organiser_id=facts.organiser_id,
        told=told_of(facts),
    )


def rolls_at(facts: MeetingFacts) -> datetime | None:
    """When another date becomes the next one, without anybody's doing; None when that cannot happen any more."""
    if facts.repeat is None or facts.is_cancelled or not facts.wants_tchap or facts.is_over:
        return None
    # Over for now, but the rule makes dates beyond those that are rows.
    return facts.when.ends_at if facts.when.ends_at > facts.read_at else facts.read_at + LOOK_AGAIN


def default_levels(me: str) -> dict[str, Any]:
    """For a room whose creation was cut off before its power levels: what createRoom would have made for `me`."""
    return {**POWER_LEVELS, "users": {me: 100}}


def with_powers(levels: Mapping[str, Any], *, organiser: str, closed: bool, me: str) -> dict[str, Any]:
    """`levels` with the organiser's power in them, open or closed; never less than somebody has already."""
    users = dict(levels.get("users", {}))
    if organiser and organiser != me:
        users[organiser] = max(int(users.get(organiser, 0)), ORGANISER_POWER)
    return {**levels, "users": users, "events_default": CLOSED_TO if closed else 0}
