"""Series whose horizon grows: the new dates get what the series has, and what they cannot have is written down, not raised."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from visio.places.bookings import held_resources
from visio.places.models import Resource


@dataclass(frozen=True)
class Missed:
    """One new date that could not have a resource of its series."""

    meeting_id: int
    occurrence_id: int
    resource_id: int
    name: str
    starts_at: dt.datetime
    ends_at: dt.datetime


# The state of the series' last booking of that resource is the new dates': who accepted the series accepted them.
_EXTEND = """
WITH held AS (
    SELECT h.meeting, h.resource,
           (SELECT b.status FROM visio_resourcebooking b
             WHERE b.meeting_id = h.meeting AND b.resource_id = h.resource AND b.status IN ('pending', 'accepted')
             ORDER BY lower(b.during) DESC LIMIT 1) AS status
      FROM unnest(%(meetings)s::bigint[], %(resources)s::bigint[]) AS h (meeting, resource)
), fresh AS (
    SELECT o.id AS occurrence, o.meeting_id AS meeting, o.starts_at, o.ends_at
      FROM unnest(%(extended)s::bigint[], %(after)s::timestamptz[]) AS e (meeting, after)
      JOIN visio_occurrence o ON o.meeting_id = e.meeting AND o.starts_at >= e.after AND o.status = 'confirmed'
       AND o.ends_at > %(now)s
     WHERE NOT EXISTS (SELECT FROM visio_resourcebooking b WHERE b.occurrence_id = o.id)
)
INSERT INTO visio_resourcebooking
       (resource_id, meeting_id, occurrence_id, during, status, words, created_at)
SELECT h.resource, f.meeting, f.occurrence, tstzrange(f.starts_at, f.ends_at), h.status, '', %(now)s
  FROM fresh f JOIN held h ON h.meeting = f.meeting
 ORDER BY f.starts_at, h.resource
    ON CONFLICT DO NOTHING
"""

# A refused row without anybody who refused it: the date is shown without its room, and an edit of it asks again.
_MISSED = """
INSERT INTO visio_resourcebooking (resource_id, meeting_id, occurrence_id, during, status, words, created_at)
SELECT h.resource, o.meeting_id, o.id, tstzrange(o.starts_at, o.ends_at), 'refused', '', %(now)s
  FROM unnest(%(meetings)s::bigint[], %(resources)s::bigint[]) AS h (meeting, resource)
  JOIN unnest(%(extended)s::bigint[], %(after)s::timestamptz[]) AS e (meeting, after) ON e.meeting = h.meeting
  JOIN visio_occurrence o ON o.meeting_id = h.meeting AND o.starts_at >= e.after AND o.status = 'confirmed'
   AND o.ends_at > %(now)s
 WHERE o.id = ANY(%(fresh)s::bigint[])
   AND NOT EXISTS (
    SELECT FROM visio_resourcebooking b WHERE b.occurrence_id = o.id AND b.resource_id = h.resource
 )
RETURNING meeting_id, occurrence_id, resource_id, lower(during), upper(during)
"""

_FRESH = """
SELECT o.id FROM unnest(%(extended)s::bigint[], %(after)s::timestamptz[]) AS e (meeting, after)
  JOIN visio_occurrence o ON o.meeting_id = e.meeting AND o.starts_at >= e.after AND o.status = 'confirmed'
   AND o.ends_at > %(now)s
 WHERE NOT EXISTS (SELECT FROM visio_resourcebooking b WHERE b.occurrence_id = o.id)
"""


@transaction.atomic
def book_dates(*, after: Mapping[int, dt.datetime], now: dt.datetime) -> list[Missed]:
    """Book for the new dates of these series what their other dates have; the dates that could not have it, in order.

    `after`: {meeting: where its new dates begin}. Dates that have any booking row already are left alone, so that calling it
    twice changes nothing. A closed resource is missed too.
    Never raises for a conflict.
    """
    held = held_resources(list(after))
    pairs = [(meeting, resource) for meeting, found in sorted(held.items()) for resource in sorted(found)]
    if not pairs:
        return []
    locked = Resource.objects.filter(pk__in={resource for _meeting, resource in pairs}).order_by("pk")
    resources = {one.pk: one for one in locked.select_for_update(no_key=True, of=("self",))}
    asked: dict[str, Any] = {
        "extended": list(after),
        "after": list(after.values()),
        "meetings": [meeting for meeting, _resource in pairs],
        "resources": [resource for _meeting, resource in pairs],
        "now": now,
    }
    open_pairs = [pair for pair in pairs if resources[pair[1]].is_active]
    with connection.cursor() as cursor:
        cursor.execute(_FRESH, asked)
        fresh = [occurrence for (occurrence,) in cursor.fetchall()]
        if not fresh:
            return []
        cursor.execute(
            _EXTEND,
            asked
            | {
                "meetings": [meeting for meeting, _resource in open_pairs],
                "resources": [resource for _meeting, resource in open_pairs],
            },
        )
        cursor.execute(_MISSED, asked | {"fresh": fresh})
        missed = [
            Missed(meeting, occurrence, resource, str(resources[resource]), starts_at, ends_at)
            for meeting, occurrence, resource, starts_at, ends_at in cursor.fetchall()
        ]
    return sorted(missed, key=lambda one: (one.meeting_id, one.resource_id, one.starts_at))
