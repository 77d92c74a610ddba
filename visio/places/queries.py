"""Reads of bookings as SQL: who has what, and what is taken. Privacy is decided in the statements."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db import connection

from suite.agents.models import Agent
from visio.places.models import Resource

# Aware instants, half-open.
Span = tuple[dt.datetime, dt.datetime]

# A multirange is looked up by its hull in the index of the exclusion constraint, and compared exactly after.
_TAKEN = """
WITH asked AS MATERIALIZED (
    SELECT range_agg(tstzrange(s, e)) AS spans FROM unnest(%(starts)s::timestamptz[], %(ends)s::timestamptz[]) AS d (s, e)
)
SELECT r.id, lower(b.during), upper(b.during)
  FROM asked
 CROSS JOIN unnest(%(resources)s::bigint[]) AS r (id)
  JOIN visio_resourcebooking b ON b.resource_id = r.id AND b.during && asked.spans
   AND b.status IN ('pending', 'accepted') AND b.meeting_id IS DISTINCT FROM %(except)s::bigint
 ORDER BY r.id, lower(b.during)
"""


def taken_spans(
    resource_ids: Collection[int], spans: Sequence[Span], *, except_meeting: int | None = None
) -> dict[int, list[Span]]:
    """{resource: those of `spans` in which somebody has it}, in their order; what is free is left out. One statement.

    `except_meeting`: the meeting being moved, which is no obstacle to itself.
    """
    if not resource_ids or not spans:
        return {}
    ordered = sorted(spans)
    booked: dict[int, list[Span]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            _TAKEN,
            {
                "resources": list(resource_ids),
                "starts": [start for start, _end in ordered],
                "ends": [end for _start, end in ordered],
                "except": except_meeting,
            },
        )
        for resource_id, starts_at, ends_at in cursor.fetchall():
            booked.setdefault(resource_id, []).append((starts_at, ends_at))
    return {resource_id: _touched(ordered, taken) for resource_id, taken in booked.items()}


def _touched(spans: list[Span], taken: list[Span]) -> list[Span]:
    """Those of `spans` that overlap one of `taken`; both in order, `taken` without overlaps, so that one pass is enough."""
    found, first = [], 0
    for start, end in spans:
        while first < len(taken) and taken[first][1] <= start:
            first += 1
        if first < len(taken) and taken[first][0] < end:
            found.append((start, end))
    return found


_BUSY = """
SELECT r.id, lower(piece), upper(piece)
  FROM unnest(%(resources)s::bigint[]) AS r (id)
 CROSS JOIN LATERAL (
    SELECT unnest(range_agg(b.during)) AS piece FROM visio_resourcebooking b
     WHERE b.resource_id = r.id AND b.during && tstzrange(%(start)s, %(end)s) AND b.status IN ('pending', 'accepted')
 ) taken
 ORDER BY r.id, lower(piece)
"""


def busy_pieces(resource_ids: Collection[int], start: dt.datetime, end: dt.datetime) -> dict[int, list[Span]]:
    """{resource: when it is taken, back-to-back bookings joined} around [start, end); one statement."""
    if not resource_ids or start >= end:
        return {}
    found: dict[int, list[Span]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_BUSY, {"resources": list(resource_ids), "start": start, "end": end})
        for resource_id, starts_at, ends_at in cursor.fetchall():
            found.setdefault(resource_id, []).append((starts_at, ends_at))
    return found


@dataclass(frozen=True, slots=True)
class Taken:
    """One booking of a resource as the viewer may see it.

    `public_id` and `title` only when the viewer may open the meeting; `organiser` is "" for a private meeting of others.
    """

    starts_at: dt.datetime
    ends_at: dt.datetime
    is_pending: bool
    public_id: uuid.UUID | None
    title: str
    organiser: str


# visible: as MeetingQuerySet.visible_to says, in SQL, since this is read for a whole week at once.
_WEEK = """
SELECT lower(b.during), upper(b.during), b.status = 'pending',
       CASE WHEN seen.visible THEN m.public_id END,
       CASE WHEN seen.visible THEN COALESCE(o.title, m.title) ELSE '' END,
       CASE WHEN seen.visible OR m.privacy <> 'private'
            THEN trim(chair.given_name || ' ' || chair.usual_name) ELSE '' END
  FROM visio_resourcebooking b
  JOIN visio_occurrence o ON o.id = b.occurrence_id
  JOIN visio_meeting m ON m.id = b.meeting_id
  JOIN agents_agent chair ON chair.id = m.organiser_id
 CROSS JOIN LATERAL (
    SELECT m.organiser_id = %(viewer)s
        OR EXISTS (SELECT FROM visio_attendee a WHERE a.meeting_id = m.id AND a.agent_id = %(viewer)s)
        OR EXISTS (SELECT FROM agents_delegation g WHERE g.delegate_id = %(viewer)s
                      AND g.principal_id = m.organiser_id AND chair.is_active) AS visible
 ) seen
 WHERE b.resource_id = %(resource)s::bigint AND b.during && tstzrange(%(start)s, %(end)s)
   AND b.status IN ('pending', 'accepted')
 ORDER BY lower(b.during)
"""


def bookings_between(resource: Resource, start: dt.datetime, end: dt.datetime, *, viewer: Agent) -> list[Taken]:
    """Who has it within [start, end), by time. Whether `viewer` may see the resource is the caller's question."""
    with connection.cursor() as cursor:
        cursor.execute(_WEEK, {"resource": resource.pk, "start": start, "end": end, "viewer": viewer.pk})
        return [Taken(*row) for row in cursor.fetchall()]


@dataclass(frozen=True, slots=True)
class MeetingResource:
    """A resource of a meeting: how its coming dates stand. `words`: what the manager wrote last, "" for nothing."""

    public_id: uuid.UUID
    name: str
    accepted: int
    pending: int
    refused: int
    words: str

    @property
    def state(self) -> str:
        """ "accepted", "pending", "refused", or "partly" when some dates have it and others were refused."""
        if self.refused:
            return "partly" if self.accepted or self.pending else "refused"
        return "pending" if self.pending else "accepted"


_OF_MEETING = """
SELECT r.public_id, CASE WHEN r.site = '' THEN r.name ELSE r.name || ' (' || r.site || ')' END,
       count(*) FILTER (WHERE b.status = 'accepted'), count(*) FILTER (WHERE b.status = 'pending'),
       count(*) FILTER (WHERE b.status = 'refused'),
       COALESCE((array_agg(b.words ORDER BY b.decided_at DESC NULLS LAST) FILTER (WHERE b.words <> ''))[1], '')
  FROM visio_resourcebooking b
  JOIN visio_resource r ON r.id = b.resource_id
 WHERE b.meeting_id = %(meeting)s::bigint AND b.status <> 'released' AND upper(b.during) > %(after)s
   AND (%(occurrence)s::bigint IS NULL OR b.occurrence_id = %(occurrence)s::bigint)
   AND b.occurrence_id <> ALL (%(without)s::bigint[])
 GROUP BY r.id
 ORDER BY r.kind DESC, r.site, r.name, r.id
"""


def resources_of(
    meeting_id: int, *, after: dt.datetime, occurrence_id: int | None = None, without: Collection[int] = ()
) -> list[MeetingResource]:
    """The resources of a meeting's dates that end after `after`, or of one date; rooms first. One statement.

    `without`: dates (ids) of which nothing is told.

    For the people of the meeting: whether the viewer is one of them is the caller's question.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _OF_MEETING, {"meeting": meeting_id, "after": after, "occurrence": occurrence_id, "without": list(without)}
        )
        return [MeetingResource(*row) for row in cursor.fetchall()]
