"""Which date of a meeting is meant: the one that goes on or comes next, or the one that a page or an address names."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from visio.meetings.models import LONGEST, Meeting, Occurrence

_KEY = "%Y%m%dT%H%M%SZ"

# A look-up in the index (meeting, starts_at) for each arm, however long the series is. `rank` is the order of preference.
_CURRENT = """
SELECT DISTINCT ON (wanted.id) o.*
  FROM unnest(%(meetings)s::bigint[]) AS wanted (id)
  JOIN LATERAL (
        (SELECT 0 AS rank, n.* FROM visio_occurrence n
          WHERE n.meeting_id = wanted.id AND n.status = 'confirmed' AND n.starts_at > %(back)s AND n.ends_at > %(now)s
          ORDER BY n.starts_at LIMIT 1)
        UNION ALL
        (SELECT 1, p.* FROM visio_occurrence p
          WHERE p.meeting_id = wanted.id AND p.status = 'confirmed' ORDER BY p.starts_at DESC LIMIT 1)
        UNION ALL
        (SELECT 2, c.* FROM visio_occurrence c WHERE c.meeting_id = wanted.id ORDER BY c.starts_at LIMIT 1)
       ) o ON TRUE
 ORDER BY wanted.id, o.rank
"""


def current_occurrences(meeting_ids: Iterable[int], now: dt.datetime) -> dict[int, Occurrence]:
    """By meeting: the date that goes on or comes next, else the last one. Cancelled dates only when there is no other.

    One statement.
    """
    ids = list(meeting_ids)
    if not ids:
        return {}
    found = Occurrence.objects.raw(_CURRENT, {"meetings": ids, "now": now, "back": now - LONGEST})
    return {occurrence.meeting_id: occurrence for occurrence in found}


def current_occurrence(meeting: Meeting, now: dt.datetime) -> Occurrence:
    """The date of this meeting that goes on or comes next, else its last one. Every meeting has one."""
    occurrence = current_occurrences([meeting.pk], now)[meeting.pk]
    occurrence.meeting = meeting
    return occurrence


def occurrence_key(occurrence: Occurrence) -> str:
    """How an address names the date: its original start, "20261126T093000Z"; "" for a one-off's only one."""
    at = occurrence.recurrence_id
    return f"{at.astimezone(dt.UTC):{_KEY}}" if at is not None else ""


def instant_of(key: str) -> dt.datetime | None:
    """The original start that `key` names; None when it names none."""
    try:
        return dt.datetime.strptime(key, _KEY).replace(tzinfo=dt.UTC)
    except ValueError:
        return None


def occurrence_by_key(meeting: Meeting, key: str) -> Occurrence | None:
    """The date that `key` names, cancelled ones too; None when the meeting has no such date."""
    if key == "":
        found = meeting.occurrences.filter(recurrence_id=None).first()
    else:
        at = instant_of(key)
        found = meeting.occurrences.filter(recurrence_id=at).first() if at is not None else None
    if found is not None:
        found.meeting = meeting
    return found
