"""From a socket's first frame to a person at the door of a room: who they are, and whether they may stay."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ObjectDoesNotExist

from suite.live.access import live_sessions
from visio.rooms.access import Admission, Invited, Refusal, may_enter
from visio.rooms.calls import Participant, new_participant_id
from visio.rooms.hail import session_group
from visio.rooms.models import Room
from visio.rooms.tickets import GuestPass, use_guest_ticket

if TYPE_CHECKING:
    from suite.agents.models import Agent


class NoSuchRoom(Exception):
    """No room has this code."""


@dataclass(frozen=True)
class Visitor:
    """Somebody whose first frame was read."""

    room: Room
    admission: Admission
    agent: Agent | None = None
    attendee: Invited | None = None
    guest_pass: GuestPass | None = None
    session_key: str = ""

    @property
    def name(self) -> str:
        """Their name as the portal knows it; a guest may give another when joining."""
        if self.agent is not None:
            return self.agent.full_name
        return self.attendee.display_name if self.attendee is not None else ""

    @property
    def session_group(self) -> str:
        return session_group(self.session_key) if self.session_key else ""

    def participant(self, *, name: str, mic: bool, camera: bool, connection: str, now: dt.datetime) -> Participant:
        """Them as the others see them. An agent's name is the portal's, never the browser's."""
        role = self.admission.role
        shown = name if self.agent is None else self.agent.full_name
        return Participant(
            id=new_participant_id(),
            room_id=self.room.pk,
            name=shown,
            role=role.value if role is not None else "",
            agent_id=self.agent.pk if self.agent is not None else None,
            attendee_id=self.attendee.pk if self.attendee is not None else None,
            organisation=self.agent.organisation.name if self.agent is not None else "",
            initials=self.agent.initials if self.agent is not None else initials_of(shown),
            tint=(self.agent.pk if self.agent is not None else len(shown)) % 5,
            mic=mic,
            camera=camera,
            joined_at=now.timestamp(),
            connection=connection,
        )


def initials_of(name: str) -> str:
    """Of the first and the last word: "Samir El Haddad" is SH."""
    words = [word for word in name.split() if word[0].isalnum()] or name.split()
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()


def find_room(slug: str) -> Room:
    """The room with its meeting and organiser, in one query. Raises NoSuchRoom."""
    try:
        return Room.objects.select_related("meeting__organiser__organisation").get(slug=slug)
    except Room.DoesNotExist as error:
        raise NoSuchRoom from error


def visitor(*, slug: str, ticket: str, user: Any, session: Any) -> Visitor:
    """Who stands there: a guest with a ticket, or the session's agent.

    Raises NoSuchRoom, tickets.BadTicket, and RedisError: a ticket opens nothing while Redis is away.
    """
    room = find_room(slug)
    if ticket:
        guest_pass = use_guest_ticket(ticket, room=room)
        attendee = _attendee(room, guest_pass)
        return Visitor(room, may_enter(room, None, attendee), attendee=attendee, guest_pass=guest_pass)
    agent = _agent(user.pk) if user is not None and user.is_authenticated else None
    session_key = str(session.session_key or "") if session is not None and agent is not None else ""
    return Visitor(room, may_enter(room, agent, None), agent=agent, session_key=session_key)


def still_welcome(visitor: Visitor) -> str | None:
    """None, or the refusal (a value of access.Refusal) for somebody whose right ended since."""
    try:
        room = find_room(visitor.room.slug)
    except NoSuchRoom:
        return Refusal.CLOSED.value
    agent = attendee = None
    if visitor.guest_pass is not None:
        attendee = _attendee(room, visitor.guest_pass)
    elif visitor.agent is not None and live_sessions([visitor.session_key]):
        agent = _agent(visitor.agent.pk)
    refusal = may_enter(room, agent, attendee).refusal
    return refusal.value if refusal is not None else None


def _agent(pk: int) -> Agent | None:
    agents = get_user_model().objects.filter(is_active=True).select_related("organisation")
    return agents.filter(pk=pk).first()


def _attendee(room: Room, guest_pass: GuestPass) -> Invited | None:
    """Still on the list, with the link that the ticket was given for."""
    try:
        attendees = room.meeting.attendees.select_related("agent")
    except ObjectDoesNotExist:
        return None
    found: Invited | None = attendees.filter(pk=guest_pass.attendee_id, link_hash=guest_pass.link_hash).first()
    return found
