"""What a test does with a meeting and its room."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone

from tchap_bridge.models import TchapMember, TchapRoom
from tchap_bridge.rooms import Outcome, reconcile
from tests import factories
from visio.meetings.models import Meeting
from visio.meetings.scheduling import edit_meeting


def room_of(meeting: Meeting) -> TchapRoom:
    return TchapRoom.objects.get(meeting=meeting)


def apply(meeting: Meeting, *, now: datetime | None = None) -> Outcome:
    return reconcile(room_id=room_of(meeting).pk, now=now or timezone.now())


def edited(meeting: Meeting, guests: tuple[Any, ...], **fields: Any) -> None:
    """Edit through the portal's own operation; what is not named stays."""
    meeting.refresh_from_db()
    values = {
        "title": meeting.title,
        "place": meeting.place,
        "start_date": meeting.start_date,
        "start_time": meeting.start_time,
        "minutes": meeting.minutes,
        "wants_tchap": meeting.wants_tchap,
        **fields,
    }
    draft = factories.draft(guests=guests, time_zone=meeting.time_zone, **values)
    edit_meeting(meeting=meeting, by=meeting.organiser, draft=draft, revision=meeting.revision, now=timezone.now())


def members(meeting: Meeting) -> dict[int, str]:
    return dict(TchapMember.objects.filter(room__meeting=meeting).values_list("agent_id", "state"))
