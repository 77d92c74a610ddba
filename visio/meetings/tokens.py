"""The secret link of one attendee: answers without an account, and enters the call.

The token is 192 bits of HMAC-SHA256 over the attendee's nonce with the server's key. The database holds the nonce and the
token's hash: neither a dump of the database nor a page can be turned into a link without the key.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING

from django.conf import settings

from visio.meetings.models import Attendee

if TYPE_CHECKING:
    from visio.meetings.models import Meeting

# The page of an invitation stays readable this long after the meeting's end.
KEPT = dt.timedelta(days=30)
_BYTES = 24
# What follows the address of the invitation in the address where a guest enters the call.
GUEST_JOIN = "rejoindre/"


def _derive(nonce: str, key: str) -> str:
    digest = hmac.digest(f"attendee-link:{key}".encode(), nonce.encode(), "sha256")
    return base64.urlsafe_b64encode(digest[:_BYTES]).decode()


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def new_link() -> tuple[str, str]:
    """(nonce, hash) for an attendee about to be saved."""
    nonce = secrets.token_hex(16)
    return nonce, _hash(_derive(nonce, settings.SECRET_KEY))


def link_token(attendee: Attendee) -> str:
    """The attendee's secret, 32 URL-safe characters. Survives a rotation of SECRET_KEY through SECRET_KEY_FALLBACKS.

    When no known key made the stored hash, the link in old e-mails is dead already: a new one is issued and saved.
    """
    for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        token = _derive(attendee.link_nonce, key)
        if hmac.compare_digest(_hash(token), attendee.link_hash):
            return token
    revoke_link(attendee)
    return _derive(attendee.link_nonce, settings.SECRET_KEY)


def attendee_by_token(token: str, *, now: dt.datetime) -> Attendee | None:
    """Whose link this is; None when it is unknown, revoked, of an agent who has left, or the meeting ended over 30 days ago."""
    return (
        Attendee.objects.filter(link_hash=_hash(token), ends_at__gt=now - KEPT)
        .exclude(agent__is_active=False)
        .select_related("meeting__organiser__organisation", "meeting__room", "agent")
        .first()
    )


def revoke_link(attendee: Attendee) -> None:
    """Kill the attendee's link; the next e-mail carries a new one."""
    attendee.link_nonce, attendee.link_hash = new_link()
    attendee.save(update_fields=["link_nonce", "link_hash"])


def rsvp_url(attendee: Attendee) -> str:
    """Where the attendee answers."""
    return f"{settings.PORTAL_URL}/invitation/{link_token(attendee)}/"


def guest_join_url(attendee: Attendee) -> str:
    """Where someone without an account enters the call."""
    return f"{rsvp_url(attendee)}{GUEST_JOIN}"


def join_url(meeting: Meeting) -> str:
    """Where an agent enters the call; empty when the meeting has no room."""
    return f"{settings.PORTAL_URL}/visio/{meeting.room.slug}/" if meeting.room else ""
