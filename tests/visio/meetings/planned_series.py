"""Series that are planned and changed through the portal's own operations, and what is owed then."""

import datetime as dt
from typing import Any

from suite.agents.models import Agent
from tests import factories
from visio.meetings.drafts import MeetingDraft
from visio.meetings.models import Meeting, Occurrence
from visio.meetings.scheduling import schedule_meeting
from visio.meetings.scopes import Scope
from visio.meetings.series import change

NOW = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)
# A Tuesday, 10:00 in Paris.
START = dt.datetime(2026, 11, 24, 9, 0, tzinfo=dt.UTC)
WEEK = dt.timedelta(days=7)
HOUR = dt.timedelta(hours=1)
WEEKLY = "FREQ=WEEKLY;COUNT=6"
OPEN = "FREQ=WEEKLY"


def draft(**fields: Any) -> MeetingDraft:
    fields.setdefault("starts_at", START)
    return factories.draft(now=NOW, **fields)


def series(boss: Agent, *guests: Agent | str, rule: str = WEEKLY, **fields: Any) -> Meeting:
    return schedule_meeting(by=boss, draft=draft(guests=guests, rule=rule, **fields), now=NOW)


def went_out(meeting: Meeting) -> None:
    meeting.deliveries.filter(state="owed").update(state="sent", sent_at=NOW, attempts=1)


def owed(meeting: Meeting) -> list[tuple[str, str, str, str]]:
    rows = meeting.deliveries.filter(state="owed").order_by("recipient", "pk")
    return [
        (row.recipient, row.method, row.reason, f"{row.recurrence_id:%m-%d}" if row.recurrence_id else "")
        for row in rows
    ]


def starts(meeting: Meeting) -> list[dt.datetime]:
    return list(
        meeting.occurrences.filter(status="confirmed").order_by("starts_at").values_list("starts_at", flat=True)
    )


def date(meeting: Meeting, index: int) -> Occurrence:
    return meeting.occurrences.order_by("recurrence_id")[index]


def as_draft(meeting: Meeting, occurrence: Occurrence, *guests: Agent | str, **fields: Any) -> MeetingDraft:
    """What the form shows for that date, with changes."""
    fields.setdefault("title", occurrence.title or meeting.title)
    fields.setdefault("rule", meeting.rrule)
    fields.setdefault("starts_at", occurrence.starts_at)
    return draft(guests=guests, **fields)


def changed(meeting: Meeting, occurrence: Occurrence, scope: Scope, asked: MeetingDraft, **fields: Any) -> Meeting:
    return change(
        meeting=meeting,
        occurrence=occurrence,
        scope=scope,
        by=fields.pop("by", meeting.organiser),
        draft=asked,
        revision=Meeting.objects.get(pk=meeting.pk).revision,
        now=fields.pop("now", NOW),
        **fields,
    )
