"""The secret link of one person of a poll (suite.core.secret_links)."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db.models import Exists, OuterRef

from suite.core import secret_links
from visio.polls.models import PollOption, PollParticipant

# The page stays readable this long after the last proposed date.
KEPT = dt.timedelta(days=30)
_PURPOSE = "poll-link"


def new_link() -> tuple[str, str]:
    """(nonce, hash) for a participant about to be saved."""
    return secret_links.new_secret(_PURPOSE)


def link_token(participant: PollParticipant) -> str:
    """The participant's secret. When the link in old e-mails is dead already, a new one is issued and saved."""
    return secret_links.link_token(_PURPOSE, participant)


def participant_by_token(token: str, *, now: dt.datetime) -> PollParticipant | None:
    """Whose link this is; None when unknown, revoked, of an agent who has left, or 30 days after the last date."""
    recent = PollOption.objects.filter(poll=OuterRef("poll"), ends_at__gt=now - KEPT)
    return (
        PollParticipant.objects.filter(Exists(recent), link_hash=secret_links.hash_of(token))
        .exclude(agent__is_active=False)
        .select_related("poll__organiser__organisation", "poll__meeting__room", "agent")
        .first()
    )


def revoke_link(participant: PollParticipant) -> None:
    """Kill the participant's link; the next e-mail carries a new one."""
    secret_links.revoke_link(_PURPOSE, participant)


def poll_url(participant: PollParticipant) -> str:
    """Where the participant answers, without an account."""
    return f"{settings.PORTAL_URL}/sondage/{link_token(participant)}/"
