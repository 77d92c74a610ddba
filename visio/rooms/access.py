"""Who may enter a room. `decide` is pure; `may_enter` reads what it needs in at most two queries.

Whoever is invited to one date of a series, or left out of one, enters around their own dates only.

Rooms know no meeting module: they reach their meeting through Django's own reverse relation, and learn how to read an
invitation link from whoever registers it (`register_invitations`, wired in VisioConfig.ready).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from django.core.exceptions import ObjectDoesNotExist
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from visio.rooms.models import AccessLevel, Room

if TYPE_CHECKING:
    from suite.agents.models import Agent
    from visio.meetings.models import Meeting

# Before the start and after the end of a date: time to try one's microphone, and to finish what took longer.
AROUND = dt.timedelta(hours=1)


class Invited(Protocol):
    """What a room must know of an attendee (visio.meetings.models.Attendee has it)."""

    pk: int
    meeting_id: int
    agent: Agent | None
    agent_id: int | None
    link_hash: str

    @property
    def display_name(self) -> str: ...


class Role(models.TextChoices):
    """How a person stands in a call; shown beside the name."""

    HOST = "host", _("hôte")
    AGENT = "agent", _("agent")
    GUEST = "guest", _("invité")


class Refusal(models.TextChoices):
    """Why somebody may not enter, as a sentence for them."""

    SIGN_IN = "sign_in", _("Connectez-vous pour rejoindre cette réunion.")
    NOT_INVITED = "not_invited", _("Vous ne faites pas partie des personnes invitées à cette réunion.")
    NOT_THIS_DATE = "not_this_date", _("Vous n’êtes pas sur la liste de cette date.")
    CANCELLED = "cancelled", _("Cette réunion est annulée.")
    CLOSED = "closed", _("Cette salle est fermée.")


@dataclass(frozen=True)
class Admission:
    """Either a role or a refusal, never both."""

    role: Role | None = None
    refusal: Refusal | None = None

    @property
    def allowed(self) -> bool:
        return self.role is not None


@dataclass(frozen=True)
class Standing:
    """The facts that a decision needs."""

    closed: bool = False
    cancelled: bool = False
    trusted: bool = False
    signed_in: bool = False
    organiser: bool = False
    invited: bool = False
    holds_link: bool = False
    # Invited, or with a link, but to other dates than the one of now.
    other_date: bool = False


def decide(standing: Standing) -> Admission:
    """The rule itself. A person who would not be let in never learns that the meeting was cancelled or its room closed."""
    if standing.organiser:
        role = Role.HOST
    elif standing.signed_in and (standing.invited or standing.trusted):
        role = Role.AGENT
    elif standing.holds_link:
        role = Role.GUEST
    elif standing.signed_in:
        return Admission(refusal=Refusal.NOT_INVITED)
    else:
        return Admission(refusal=Refusal.SIGN_IN)
    # A room that trusts every agent lets in those too who are not invited at all.
    if standing.other_date and not standing.organiser and not (standing.signed_in and standing.trusted):
        return Admission(refusal=Refusal.NOT_THIS_DATE)
    if standing.cancelled:
        return Admission(refusal=Refusal.CANCELLED)
    if standing.closed:
        return Admission(refusal=Refusal.CLOSED)
    return Admission(role=role)


def may_enter(
    room: Room, agent: Agent | None, attendee: Invited | None, *, now: dt.datetime | None = None
) -> Admission:
    """Whether `agent` (signed in) or the holder of `attendee`'s link may enter `room` now. At most two queries."""
    try:
        meeting = room.meeting
    except ObjectDoesNotExist:
        # The organiser took the room off the meeting: nobody is at home here any more.
        return Admission(refusal=Refusal.CLOSED if agent or attendee else Refusal.SIGN_IN)
    signed_in = agent is not None and agent.is_active
    organiser = agent is not None and signed_in and meeting.organiser_id == agent.pk
    trusted = room.access_level == AccessLevel.TRUSTED
    holds_link = attendee is not None and attendee.meeting_id == meeting.pk and not _has_left(attendee)
    who = None
    if agent is not None and signed_in and not organiser and not trusted:
        who = Q(agent=agent)
    elif attendee is not None and holds_link and meeting.is_series:
        who = Q(pk=attendee.pk)
    on_date = _is_on_date(meeting, who, now or timezone.now()) if who is not None else None
    return decide(
        Standing(
            closed=room.closed_at is not None,
            cancelled=meeting.is_cancelled,
            trusted=trusted,
            signed_in=signed_in,
            organiser=organiser,
            invited=signed_in and on_date is not None,
            holds_link=holds_link,
            other_date=on_date is False,
        )
    )


def _is_on_date(meeting: Meeting, who: Q, now: dt.datetime) -> bool | None:
    """Whether the date of now is one of the attendee's; None when there is no such attendee. One query."""
    near = Q(starts_at__lte=now + AROUND, ends_at__gte=now - AROUND)
    dates = meeting.occurrences.filter(near).order_by()
    left_out = dates.filter(exceptions__attendee=OuterRef("pk"), exceptions__removed=True)
    theirs = dates.filter(pk=OuterRef("only_occurrence"))
    if not meeting.is_cancelled:
        # Else `decide` says that all of it is cancelled.
        theirs = theirs.filter(status="confirmed")
    found = meeting.attendees.filter(who).annotate(is_left_out=Exists(left_out), is_theirs=Exists(theirs))
    row = found.values_list("only_occurrence", "is_left_out", "is_theirs").first()
    if row is None:
        return None
    only_occurrence, is_left_out, is_theirs = row
    return not meeting.is_series or (not is_left_out and (only_occurrence is None or is_theirs))


def _has_left(attendee: Invited) -> bool:
    """The link is an agent's, who may no longer use the portal. No query where the attendee was read with its agent."""
    return attendee.agent is not None and not attendee.agent.is_active


class ReadInvitation(Protocol):
    def __call__(self, token: str, *, now: dt.datetime) -> Invited | None: ...


_readers: list[ReadInvitation] = []


def register_invitations(reader: ReadInvitation) -> None:
    """Say how an invitation link's secret is read: called once at start-up by the app's wiring."""
    _readers[:] = [reader]


def invitation(token: str, *, now: dt.datetime) -> Invited | None:
    """The attendee whose link carries `token`; None when it is unknown, revoked or expired."""
    return _readers[0](token, now=now) if _readers else None
