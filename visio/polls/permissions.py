"""Who may see and change a poll in the portal. (Secret links are visio.polls.tokens' business.)"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404

from visio.polls.models import Poll, PollParticipant

if TYPE_CHECKING:
    from suite.agents.models import Agent


def polls_of(agent: Agent) -> QuerySet[Poll]:
    """Those that the agent organises or is asked in."""
    asked = PollParticipant.objects.filter(poll=OuterRef("pk"), agent=agent)
    return Poll.objects.filter(Q(organiser=agent) | Exists(asked))


def visible_poll_or_404(agent: Agent, public_id: uuid.UUID | str) -> Poll:
    """The poll, when `agent` may see it; Http404 otherwise, so that a stranger cannot tell that it exists."""
    try:
        known = uuid.UUID(str(public_id))
    except ValueError as error:
        raise Http404 from error
    poll = polls_of(agent).select_related("organiser__organisation", "meeting").filter(public_id=known).first()
    if poll is None:
        raise Http404
    return poll


def can_edit_poll(poll: Poll, agent: Agent) -> bool:
    """Its organiser alone."""
    return poll.organiser_id == agent.pk


def editable_poll_or_404(agent: Agent, public_id: uuid.UUID | str) -> Poll:
    """404 for strangers, PermissionDenied for those who are only asked."""
    poll = visible_poll_or_404(agent, public_id)
    if not can_edit_poll(poll, agent):
        raise PermissionDenied
    return poll
