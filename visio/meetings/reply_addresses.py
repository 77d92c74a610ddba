"""The address that an attendee's calendar answers to: one for each attendee, which nobody can guess.

`r+<attendee's public id>.<seal>@REPLY_DOMAIN`. The seal is an HMAC with the server's key, so an address that was not given
out opens nothing; it is no secret from the attendee themself and says nothing about who sends (R15 is the reader's work).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import uuid
from email.utils import parseaddr

from django.conf import settings

from visio.meetings.models import Attendee

_SEAL_BYTES = 16
# Mail systems may change the case of what is left of the @: hexadecimal and base32 do not mind.
_LOCAL_PART = re.compile(r"r\+(?P<id>[0-9a-f]{32})\.(?P<seal>[a-z2-7]{26})", re.IGNORECASE)


def reply_address(attendee: Attendee) -> str:
    """Where this attendee's REPLY, COUNTER and REFRESH go; "" when the portal receives no mail. Stable as long as the key."""
    return address_of(attendee.public_id)


def address_of(public_id: uuid.UUID) -> str:
    """The same for an attendee who was removed: their calendar knows the meeting by this ORGANIZER."""
    if not settings.REPLY_DOMAIN:
        return ""
    return f"r+{public_id.hex}.{_seal(public_id.hex, settings.SECRET_KEY)}@{settings.REPLY_DOMAIN}"


def public_id_by_reply_address(address: str) -> uuid.UUID | None:
    """Whose address this is, also when they are no attendee any more; None when we never gave it out. Asks no database."""
    local_part, _at, domain = parseaddr(address)[1].rpartition("@")
    parts = _LOCAL_PART.fullmatch(local_part)
    if not settings.REPLY_DOMAIN or parts is None or domain.lower() != settings.REPLY_DOMAIN.lower():
        return None
    public_id, seal = parts["id"].lower(), parts["seal"].lower()
    if not any(
        hmac.compare_digest(_seal(public_id, key), seal)
        for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    ):
        return None
    return uuid.UUID(public_id)


def attendee_by_reply_address(address: str) -> Attendee | None:
    """Whose address this is ("<…>" and a display name may be around it); None when it is not one of ours."""
    public_id = public_id_by_reply_address(address)
    if public_id is None:
        return None
    return (
        Attendee.objects.filter(public_id=public_id)
        .select_related("meeting__organiser", "meeting__room", "agent")
        .first()
    )


def _seal(public_id: str, key: str) -> str:
    digest = hmac.digest(f"reply-address:{key}".encode(), public_id.encode(), hashlib.sha256)
    return base64.b32encode(digest[:_SEAL_BYTES]).decode().rstrip("=").lower()
