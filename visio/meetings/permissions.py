"""Who may see and change a meeting's page. (What a calendar shows of others' meetings is decided in queries.py.)"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import TYPE_CHECKING

from django.db.models import QuerySet
from django.http import Http404

from suite.agents.delegation import may_act_for
from visio.meetings.exception_models import AttendeeException
from visio.meetings.models import Attendee, Meeting, Occurrence

if TYPE_CHECKING:
    from suite.agents.models import Agent


def can_view_meeting(meeting: Meeting, agent: Agent) -> bool:
    """Its organiser, its attendees, and whoever acts for the organiser."""
    return (
        meeting.organiser_id == agent.pk
        or Attendee.objects.filter(meeting_id=meeting.pk, agent_id=agent.pk).exists()
        or may_act_for(agent, meeting.organiser)
    )


def can_edit_meeting(meeting: Meeting, agent: Agent) -> bool:
    """Its organiser, and whoever acts for them. No query for the organiser, one for anybody else."""
    return meeting.organiser_id == agent.pk or may_act_for(agent, meeting.organiser)


def only_date_of(meeting: Meeting, agent: Agent) -> Occurrence | None:
    """The date that an agent who is invited to one date of the series may see; None for who may see all of them."""
    if not meeting.is_series or meeting.organiser_id == agent.pk:
        return None
    alone = Attendee.objects.filter(meeting=meeting, agent=agent, only_occurrence__isnull=False)
    mine = alone.select_related("only_occurrence").first()
    if mine is None or mine.only_occurrence is None or can_edit_meeting(meeting, agent):
        return None
    mine.only_occurrence.meeting = meeting
    return mine.only_occurrence


def dates_away(meeting: Meeting, agent: Agent) -> dict[int, dt.datetime]:
    """The dates of a series that an agent who is invited to the rest of it was left out of: {id: recurrence id}.

    They read nothing of those dates. Whoever may edit the meeting reads all of it.
    """
    if not meeting.is_series or meeting.organiser_id == agent.pk:
        return {}
    found = absences(Attendee.objects.filter(meeting=meeting, agent=agent))
    return {} if found and can_edit_meeting(meeting, agent) else found


def absences(attendees: QuerySet[Attendee]) -> dict[int, dt.datetime]:
    """Dates that these attendees of a series were left out of: {id: recurrence id}. One query."""
    removed = AttendeeException.objects.filter(attendee__in=attendees, removed=True)
    rows = removed.values_list("occurrence", "occurrence__recurrence_id")
    return {occurrence_id: at for occurrence_id, at in rows if at is not None}


def visible_meeting_or_404(agent: Agent, public_id: uuid.UUID | str) -> Meeting:
    """The meeting, when `agent` may see it; Http404 otherwise, so that a stranger cannot tell that it exists."""
    meetings = Meeting.objects.visible_to(agent).select_related("organiser__organisation", "room")
    try:
        return meetings.get(public_id=uuid.UUID(str(public_id)))
    except (Meeting.DoesNotExist, ValueError) as error:
        raise Http404 from error
