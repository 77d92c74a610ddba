"""The secret link of one person of a poll. Made and kept as an attendee's (visio.meetings.tokens): 192 bits, hashed at rest."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import secrets

from django.conf import settings
from django.db.models import Exists, OuterRef

from visio.polls.models import PollOption, PollParticipant

# The page stays readable this long after the last proposed date.
KEPT = dt.timedelta(days=30)
_BYTES = 24


def _derive(nonce: str, key: str) -> str:
    # Another prefix than the attendees': the token of one never opens the page of the other.
    digest = hmac.digest(f"poll-link:{key}".encode(), nonce.encode(), "sha256")
    return base64.urlsafe_b64encode(digest[:_BYTES]).decode()


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def new_link() -> tuple[str, str]:
    """(nonce, hash) for a participant about to be saved."""
    nonce = secrets.token_hex(16)
    return nonce, _hash(_derive(nonce, settings.SECRET_KEY))


def link_token(participant: PollParticipant) -> str:
    """The participant's secret, 32 URL-safe characters; lives through a rotation of SECRET_KEY by SECRET_KEY_FALLBACKS.

    When no known key made the stored hash, the link in old e-mails is dead already: a new one is issued and saved.
    """
    for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        token = _derive(participant.link_nonce, key)
        if hmac.compare_digest(_hash(token), participant.link_hash):
            return token
    revoke_link(participant)
    return _derive(participant.link_nonce, settings.SECRET_KEY)


def participant_by_token(token: str, *, now: dt.datetime) -> PollParticipant | None:
    """Whose link this is; None when unknown, revoked, of an agent who has left, or 30 days after the last date."""
    recent = PollOption.objects.filter(poll=OuterRef("poll"), ends_at__gt=now - KEPT)
    return (
        PollParticipant.objects.filter(Exists(recent), link_hash=_hash(token))
        .exclude(agent__is_active=False)
        .select_related("poll__organiser__organisation", "poll__meeting__room", "agent")
        .first()
    )


def revoke_link(participant: PollParticipant) -> None:
    """Kill the participant's link; the next e-mail carries a new one."""
    participant.link_nonce, participant.link_hash = new_link()
    participant.save(update_fields=["link_nonce", "link_hash"])


def poll_url(participant: PollParticipant) -> str:
    """Where the participant answers, without an account."""
    return f"{settings.PORTAL_URL}/sondage/{link_token(participant)}/"
