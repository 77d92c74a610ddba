"""What a meeting's Tchap room should be. Pure, but for `read_facts`, which reads the meeting in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse

from tchap_bridge import messages
from tchap_bridge.matrix import StateContent
from tchap_bridge.messages import Text, When
from visio.meetings.tokens import join_url
from visio.models import Attendee, Meeting, Occurrence

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
class MeetingFacts:
    meeting_id: int
    public_id: str
    title: str
    place: str
    when: When
    revision: int
    language: str
    is_cancelled: bool
    wants_tchap: bool
    join_url: str  # "" without a Visio room
    page_url: str
    organiser_id: int
    agent_ids: tuple[int, ...]  # the organiser and every attendee who is an active agent


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


def read_facts(meeting_id: int) -> MeetingFacts:
    meeting = Meeting.objects.select_related("organiser", "room").get(pk=meeting_id)
    occurrence = Occurrence.objects.filter(meeting=meeting).order_by("starts_at", "pk")[0]
    agent_ids = (
        Attendee.objects.filter(meeting=meeting, agent__is_active=True)
        .order_by("pk")
        .values_list("agent_id", flat=True)
    )
    page = reverse("meetings:detail", kwargs={"public_id": meeting.public_id})
    return MeetingFacts(
        meeting_id=meeting.pk,
        public_id=str(meeting.public_id),
        title=meeting.title,
        place=meeting.place,
        when=When(occurrence.starts_at, occurrence.ends_at, meeting.time_zone),
        revision=meeting.revision,
        language=meeting.organiser.language,
        is_cancelled=meeting.is_cancelled,
        wants_tchap=meeting.wants_tchap,
        join_url=join_url(meeting) if meeting.room is not None else "",
        page_url=f"{settings.PORTAL_URL}{page}",
        organiser_id=meeting.organiser_id,
        agent_ids=tuple(dict.fromkeys([meeting.organiser_id, *(pk for pk in agent_ids if pk is not None)])),
    )


def wanted_room(facts: MeetingFacts) -> RoomWanted:
    return RoomWanted(
        name=messages.one_line(facts.title),
        topic=messages.topic(facts.when, join_url=facts.join_url, page_url=facts.page_url, language=facts.language),
        card=messages.card(
            facts.title,
            facts.when,
            place=facts.place,
            join_url=facts.join_url,
            page_url=facts.page_url,
            language=facts.language,
        ),
        closed=facts.is_cancelled or not facts.wants_tchap,
        agent_ids=facts.agent_ids,
        organiser_id=facts.organiser_id,
        told=_told(facts),
    )


def _told(facts: MeetingFacts) -> dict[str, Any]:
    return {
        "title": messages.one_line(facts.title),
        "place": messages.one_line(facts.place),
        "starts_at": facts.when.starts_at.isoformat(),
        "ends_at": facts.when.ends_at.isoformat(),
        "time_zone": facts.when.time_zone,
        "cancelled": facts.is_cancelled,
        "wanted": facts.wants_tchap,
    }


def news(facts: MeetingFacts, told: Mapping[str, Any]) -> list[tuple[str, Text]]:
    """What to tell a room that was last told `told`: (about, text), each `about` once a version. Nothing to an untold room."""
    now = _told(facts)
    if not told or dict(told) == now:
        return []
    if now["cancelled"]:
        return [] if told["cancelled"] else [("cancelled", messages.cancelled(facts.when, language=facts.language))]
    if not now["wanted"]:
        return [(f"detached:{facts.revision}", messages.detached(language=facts.language))] if told["wanted"] else []
    found = []
    if not told["wanted"]:
        found.append((f"reopened:{facts.revision}", messages.reopened(language=facts.language)))
    if now["title"] != told["title"]:
        found.append((f"renamed:{facts.revision}", messages.renamed(facts.title, language=facts.language)))
    if any(now[name] != told[name] for name in ("starts_at", "ends_at", "time_zone")):
        before = When(
            datetime.fromisoformat(told["starts_at"]), datetime.fromisoformat(told["ends_at"]), told["time_zone"]
        )
        found.append((f"moved:{facts.revision}", messages.moved(before, facts.when, language=facts.language)))
    if now["place"] != told["place"]:
        found.append((f"placed:{facts.revision}", messages.placed(facts.place, language=facts.language)))
    return found


def default_levels(me: str) -> dict[str, Any]:
    """For a room whose creation was cut off before its power levels: what createRoom would have made for `me`."""
    return {**POWER_LEVELS, "users": {me: 100}}


def with_powers(levels: Mapping[str, Any], *, organiser: str, closed: bool, me: str) -> dict[str, Any]:
    """`levels` with the organiser's power in them, open or closed; never less than somebody has already."""
    users = dict(levels.get("users", {}))
    if organiser and organiser != me:
        users[organiser] = max(int(users.get(organiser, 0)), ORGANISER_POWER)
    return {**levels, "users": users, "events_default": CLOSED_TO if closed else 0}
