"""What an operation leaves behind on a meeting: a line of history, and words to be found by.

`MeetingChange.details` by kind:
- created: {"attendees": count, "draft": hash of what made it}; "split_from" (a public id) for the rest of a split series
- moved: {"before": times, "after": times}, times = {"starts_at", "ends_at" (ISO, UTC), "time_zone"}
- edited: {"fields": {name: [old, new]}}; texts longer than a title are named with [] only
- attendees: {"added": [names], "removed": [names]}, cut at 50 names each, with "added_count" and "removed_count" beside
- cancelled: {}; "scope" "following" with "date" when the series now ends before that date
- restored: {}
- countered: {"name", "starts_at", "ends_at", "via" (AnsweredVia)}; `by` is the attendee, when an agent

What is about one date of a series has "date" (its recurrence id, ISO) too. Who acts in the organiser's name is `by`, the
organiser then `on_behalf_of`.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db import connection

from suite.agents.models import Agent
from visio.meetings.drafts import Invitee
from visio.meetings.models import Attendee, ChangeKind, Meeting, MeetingChange, Occurrence

_NAMES_KEPT = 50


@dataclass(frozen=True)
class Roll:
    """How the attendees change."""

    added: tuple[Invitee, ...]
    removed: tuple[Attendee, ...]
    kept: tuple[Attendee, ...]


def times_of(occurrence: Occurrence, meeting: Meeting) -> dict[str, str]:
    return {
        "starts_at": occurrence.starts_at.isoformat(),
        "ends_at": occurrence.ends_at.isoformat(),
        "time_zone": meeting.time_zone,
    }


def remember_edit(
    meeting: Meeting,
    by: Agent,
    now: dt.datetime,
    times_before: dict[str, str] | None,
    times_after: dict[str, str],
    fields: dict[str, list[str]],
    roll: Roll,
    about: dict[str, Any] | None = None,
) -> None:
    """`about`: details that every line carries."""
    about = about or {}
    if times_before is not None:
        times = {name: times_before[name] for name in ("starts_at", "ends_at", "time_zone")}
        remember(meeting, by, now, ChangeKind.MOVED, {"before": times, "after": times_after} | about)
    if fields:
        remember(meeting, by, now, ChangeKind.EDITED, {"fields": fields} | about)
    if roll.added or roll.removed:
        details = {
            "added": [invitee.name or invitee.email for invitee in roll.added[:_NAMES_KEPT]],
            "removed": [attendee.display_name for attendee in roll.removed[:_NAMES_KEPT]],
            "added_count": len(roll.added),
            "removed_count": len(roll.removed),
        }
        remember(meeting, by, now, ChangeKind.ATTENDEES, details | about)


def remember(meeting: Meeting, by: Agent | None, now: dt.datetime, kind: ChangeKind, details: dict[str, Any]) -> None:
    MeetingChange.objects.create(
        meeting=meeting,
        at=now,
        by=by,
        on_behalf_of=meeting.organiser
        if by is not None and kind != ChangeKind.COUNTERED and by.pk != meeting.organiser_id
        else None,
        kind=kind,
        revision=meeting.revision,
        details=details,
    )


def index_for_search(*meetings: Meeting) -> None:
    """Accents and capitals do not matter; whole words in any order, and French words by their root. One statement for all."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE visio_meeting m SET search ="
            " to_tsvector('simple', unaccent(said.words)) || to_tsvector('french', unaccent(said.words))"
            " FROM (SELECT id, title || ' ' || place || ' ' || description AS words"
            "         FROM visio_meeting WHERE id = ANY(%s)) said"
            " WHERE m.id = said.id",
            [[meeting.pk for meeting in meetings]],
        )
