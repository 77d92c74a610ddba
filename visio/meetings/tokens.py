"""The secret link of one attendee (suite.core.secret_links): answers without an account, and enters the call."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from django.conf import settings

from suite.core import secret_links
from visio.meetings.models import Attendee

if TYPE_CHECKING:
    from visio.meetings.models import Meeting

# The page of an invitation stays readable this long after the meeting's end.
KEPT = dt.timedelta(days=30)
_PURPOSE = "attendee-link"
# What follows the address of the invitation in the address where a guest enters the call.
GUEST_JOIN = "rejoindre/"


def new_link() -> tuple[str, str]:
    """(nonce, hash) for an attendee about to be saved."""
    return secret_links.new_secret(_PURPOSE)


def link_token(attendee: Attendee) -> str:
    """The attendee's secret. When the link in old e-mails is dead already, a new one is issued and saved."""
    return secret_links.link_token(_PURPOSE, attendee)


def attendee_by_token(token: str, *, now: dt.datetime) -> Attendee | None:
    """Whose link this is; None when it is unknown, revoked, of an agent who has left, or the meeting ended over 30 days ago."""
    return (
        Attendee.objects.filter(link_hash=secret_links.hash_of(token), ends_at__gt=now - KEPT)
        .exclude(agent__is_active=False)
        .select_related("meeting__organiser__organisation", "meeting__room", "agent")
        .first()
    )


def revoke_link(attendee: Attendee) -> None:
    """Kill the attendee's link; the next e-mail carries a new one."""
    secret_links.revoke_link(_PURPOSE, attendee)


def rsvp_url(attendee: Attendee) -> str:
    """Where the attendee answers."""
    return f"{settings.PORTAL_URL}/invitation/{link_token(attendee)}/"


def guest_join_url(attendee: Attendee) -> str:
    """Where someone without an account enters the call."""
    return f"{rsvp_url(attendee)}{GUEST_JOIN}"


def join_url(meeting: Meeting) -> str:
    """Where an agent enters the call; empty when the meeting has no room."""
    return f"{settings.PORTAL_URL}/visio/{meeting.room.slug}/" if meeting.room else ""
