"""What every act on a meeting begins and ends with: the lock, who may, which version, what it was before."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db import connection

from suite.agents.models import Agent
from suite.core.plain import clean_text, one_line
from visio.meetings.drafts import MeetingDraft
from visio.meetings.exception_models import CounterProposal, CounterState
from visio.meetings.models import Answer, Meeting, Occurrence, Role
from visio.meetings.owing import Telling
from visio.meetings.permissions import can_edit_meeting
from visio.meetings.refusals import EditConflict, NotOrganiser
from visio.meetings.scopes import Notify
from visio.meetings.traces import times_of
from visio.rooms.models import Room

# Fields whose change is mailed without raising SEQUENCE (R7); `room` stands for the join link.
MAILED = ("title", "description", "place", "room", "resources")
# … of which these are mere words: who wants to tell those affected alone does not tell of them.
WORDS = frozenset({"title", "description"})


@dataclass(frozen=True)
class Act:
    """Who does it, when, and how it is told. `due_at`: when its e-mails may go, later than now while it can be undone."""

    by: Agent
    now: dt.datetime
    notify: Notify = Notify.DEFAULT
    due_at: dt.datetime | None = None

    def telling(self, *, before: dict[str, Any] | None = None, date: Occurrence | None = None) -> Telling:
        return Telling(self.now, Notify(self.notify), self.due_at, before or {}, date)


def locked(meeting: Meeting) -> Meeting:
    """The meeting's row, which every act locks first, always."""
    return Meeting.objects.select_for_update(of=("self",)).select_related("organiser", "room").get(pk=meeting.pk)


def lock_for(meeting: Meeting, by: Agent) -> Meeting:
    """Raises NotOrganiser."""
    if not can_edit_meeting(meeting, by):
        raise NotOrganiser
    return locked(meeting)


def check_version(meeting: Meeting, revision: int) -> None:
    """Raises EditConflict when somebody saved since `revision` (PROMISES 19)."""
    if revision != meeting.revision:
        since = meeting.changes.filter(revision__gt=revision).select_related("by", "on_behalf_of")
        raise EditConflict(meeting, list(since))


def before_of(meeting: Meeting, occurrence: Occurrence) -> dict[str, Any]:
    """Delivery.before: what the meeting, or that date of it, is now."""
    return times_of(occurrence, meeting) | {
        "title": meeting.title if occurrence.title is None else occurrence.title,
        "place": meeting.place if occurrence.place is None else occurrence.place,
        "room": meeting.room.slug if meeting.room else "",
        "is_all_day": meeting.is_all_day,
        "rule": meeting.rrule,
    }


def apply_texts(meeting: Meeting, draft: MeetingDraft, now: dt.datetime) -> dict[str, list[str]]:
    """Set what is neither time nor people on `meeting` (unsaved); what differed, as history's {"name": [old, new]}."""
    fields: dict[str, list[str]] = {}
    for name, new in (
        ("title", one_line(draft.title)),
        ("place", one_line(draft.place)),
        ("privacy", draft.privacy),
        ("description", clean_text(draft.description)),
    ):
        old = getattr(meeting, name)
        if old != new:
            fields[name] = [] if name == "description" else [old, new]
            setattr(meeting, name, new)
    if draft.wants_room != (meeting.room is not None):
        fields["room"] = []
        if draft.wants_room:
            meeting.room = Room.objects.create()
        else:
            close_room(meeting, now)
            meeting.room = None
    if draft.wants_tchap != meeting.wants_tchap:
        fields["tchap"] = []
        meeting.wants_tchap = draft.wants_tchap
    return fields


def worth_telling(fields: dict[str, list[str]], notify: str) -> bool:
    """Whether those who stay hear of it (R7)."""
    told = {name for name in fields if name in MAILED}
    return bool(told - WORDS) if notify == Notify.AFFECTED else bool(told)


def close_room(meeting: Meeting, now: dt.datetime | None) -> None:
    """Close the meeting's room; `now` None opens it again."""
    if meeting.room is not None:
        meeting.room.closed_at = now
        meeting.room.save(update_fields=["closed_at"])


# R9. Whoever never answered needs no row that says so.
_RESET_DATE = """
INSERT INTO visio_attendeeexception (occurrence_id, attendee_id, answer, answered_via, comment, removed)
SELECT %(occurrence)s, a.id, 'needs_action', '', '', FALSE
  FROM visio_attendee a
  LEFT JOIN visio_attendeeexception x ON x.occurrence_id = %(occurrence)s AND x.attendee_id = a.id
 WHERE a.meeting_id = %(meeting)s AND a.role <> 'chair' AND a.only_occurrence_id IS NULL
   AND COALESCE(x.answer, a.answer) <> 'needs_action' AND NOT COALESCE(x.removed, FALSE)
    ON CONFLICT (occurrence_id, attendee_id)
    DO UPDATE SET answer = 'needs_action', answered_at = NULL, answered_revision = NULL, answered_via = '', comment = ''
"""

# Back to what the series says; a row that says nothing else any more goes.
_FORGET_DATES = """
DELETE FROM visio_attendeeexception x USING visio_occurrence o
 WHERE o.id = x.occurrence_id AND o.meeting_id = %(meeting)s AND NOT x.removed
"""


def reset_answers(meeting: Meeting) -> None:
    """Everybody's but the organiser's, for every date (R9)."""
    meeting.attendees.exclude(role=Role.CHAIR).exclude(answer=Answer.NEEDS_ACTION).update(answer=Answer.NEEDS_ACTION)
    if meeting.is_series:
        with connection.cursor() as cursor:
            cursor.execute(_FORGET_DATES, {"meeting": meeting.pk})


def reset_answers_of_date(meeting: Meeting, occurrence: Occurrence) -> None:
    """Everybody's but the organiser's, for that date alone (R9)."""
    with connection.cursor() as cursor:
        cursor.execute(_RESET_DATE, {"meeting": meeting.pk, "occurrence": occurrence.pk})
    meeting.attendees.filter(only_occurrence=occurrence).exclude(role=Role.CHAIR).update(answer=Answer.NEEDS_ACTION)


def overtake_counters(meeting: Meeting, now: dt.datetime, occurrence: Occurrence | None = None) -> None:
    """Other times that people proposed lose their object when the meeting moves or is cancelled."""
    pending = CounterProposal.objects.filter(meeting=meeting, state=CounterState.PENDING)
    if occurrence is not None:
        pending = pending.filter(occurrence=occurrence)
    pending.update(state=CounterState.OVERTAKEN, decided_at=now)
