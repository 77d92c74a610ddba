"""Who may see and change a meeting's page. (What a calendar shows of others' meetings is decided in queries.py.)"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.http import Http404

from visio.meetings.models import Attendee, Meeting

if TYPE_CHECKING:
    from suite.agents.models import Agent


def can_view_meeting(meeting: Meeting, agent: Agent) -> bool:
    """Its organiser and its attendees."""
    return (
        meeting.organiser_id == agent.pk or Attendee.objects.filter(meeting_id=meeting.pk, agent_id=agent.pk).exists()
    )


def can_edit_meeting(meeting: Meeting, agent: Agent) -> bool:
    """Its organiser."""
    return meeting.organiser_id == agent.pk


def visible_meeting_or_404(agent: Agent, public_id: uuid.UUID | str) -> Meeting:
    """The meeting, when `agent` may see it; Http404 otherwise, so that a stranger cannot tell that it exists."""
    meetings = Meeting.objects.involving(agent).select_related("organiser__organisation", "room")
    try:
        return meetings.get(public_id=uuid.UUID(str(public_id)))
    except (Meeting.DoesNotExist, ValueError) as error:
        raise Http404 from error
