"""Meetings whose letters a test sends."""

from __future__ import annotations

import datetime as dt
from typing import Any

from suite.agents.models import Agent
from tests import factories
from visio.meetings.models import Meeting
from visio.meetings.scheduling import edit_meeting, schedule_meeting

NOW = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)
START = dt.datetime(2026, 11, 24, 13, 0, tzinfo=dt.UTC)
EXT = "anne@partenaire.example"


def planned(boss: Agent, *guests: Agent | str, **fields: Any) -> Meeting:
    fields.setdefault("starts_at", START)
    return schedule_meeting(by=boss, draft=factories.draft(guests=guests, now=NOW, **fields), now=NOW)


def changed(meeting: Meeting, *guests: Agent | str, **fields: Any) -> Meeting:
    fields.setdefault("starts_at", START)
    draft = factories.draft(guests=guests, now=NOW, **fields)
    return edit_meeting(meeting=meeting, by=meeting.organiser, draft=draft, revision=meeting.revision, now=NOW)


def states(meeting: Meeting) -> list[tuple[str, str, str, str]]:
    return [(r.recipient, r.method, r.reason, r.state) for r in meeting.deliveries.order_by("pk")]
