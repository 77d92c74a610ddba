"""The secret link of one person of a poll (suite.core.secret_links)."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db.models import Exists, OuterRef

from suite.core.secret_links import derived, hash_of, new_secret, token_behind
from visio.polls.models import PollOption, PollParticipant

# The page stays readable this long after the last proposed date.
KEPT = dt.timedelta(days=30)
_PURPOSE = "poll-link"


def new_link() -> tuple[str, str]:
    """(nonce, hash) for a participant about to be saved."""
    return new_secret(_PURPOSE)


def link_token(participant: PollParticipant) -> str:
    """The participant's secret. When the link in old e-mails is dead already, a new one is issued and saved."""
    token = token_behind(_PURPOSE, nonce=participant.link_nonce, kept_hash=participant.link_hash)
    if token is None:
        revoke_link(participant)
        return derived(_PURPOSE, participant.link_nonce)
    return token


def participant_by_token(token: str, *, now: dt.datetime) -> PollParticipant | None:
    """Whose link this is; None when unknown, revoked, of an agent who has left, or 30 days after the last date."""
    recent = PollOption.objects.filter(poll=OuterRef("poll"), ends_at__gt=now - KEPT)
    return (
        PollParticipant.objects.filter(Exists(recent), link_hash=hash_of(token))
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
