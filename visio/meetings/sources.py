"""What calendars tell the live floor: who is in a meeting or away now, and who shares one. Read by suite.live through its registries."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db import connection

from suite.agents.leaves import absence_of
from suite.live.presence_rules import Engaged
from visio.meetings.models import LONGEST

# Two arms for two partial indexes, as in queries.py, and one for the absences, to come too, of those who are away now: every
# page of the portal asks this, so it is one statement.
_ENGAGED = """
SELECT att.agent_id, NULL::timestamptz, max(o.ends_at), false, ''
  FROM visio_attendee att
  JOIN visio_occurrence o ON o.meeting_id = att.meeting_id AND o.status = 'confirmed'
       AND o.starts_at > %(since)s AND o.starts_at <= %(now)s AND o.ends_at > %(now)s
  JOIN visio_meeting m ON m.id = att.meeting_id AND NOT m.is_all_day
  LEFT JOIN visio_attendeeexception x ON x.occurrence_id = o.id AND x.attendee_id = att.id
 WHERE COALESCE(x.answer, att.answer) = 'accepted' AND x.removed IS NOT TRUE AND att.agent_id = ANY(%(agents)s::bigint[])
   AND (att.only_occurrence_id IS NULL OR att.only_occurrence_id = o.id)
   AND (   (NOT att.is_series AND att.starts_at > %(since)s AND att.starts_at <= %(now)s
            AND att.ends_at > %(now)s)
        OR (att.is_series AND att.starts_at <= %(now)s AND att.ends_at > %(now)s))
 GROUP BY att.agent_id
 UNION ALL
SELECT coming.agent_id, coming.starts_at, coming.ends_at, coming.is_all_day, who.time_zone
  FROM agents_leave coming
  JOIN agents_agent who ON who.id = coming.agent_id
 WHERE coming.agent_id = ANY(%(agents)s::bigint[]) AND coming.ends_at > %(now)s
   AND EXISTS (SELECT FROM agents_leave away
                WHERE away.agent_id = coming.agent_id AND away.ends_at > %(now)s AND away.starts_at <= %(now)s)
"""

# Meetings that are not over, or ended less than a day ago: presence is nobody's business long after they met.
_SHARED = """
SELECT DISTINCT other.agent_id
  FROM visio_attendee mine
  JOIN visio_meeting m ON m.id = mine.meeting_id AND m.status = 'confirmed'
  JOIN visio_attendee other ON other.meeting_id = mine.meeting_id
 WHERE mine.agent_id = %(viewer)s::bigint AND mine.ends_at > now() - interval '1 day'
   AND other.agent_id = ANY(%(agents)s::bigint[])
"""


def engaged(agent_ids: Iterable[int], now: dt.datetime) -> dict[int, Engaged]:
    """Those of the agents who said yes to (or organise) a meeting that goes on now, or are away; until when. One statement."""
    wanted = list(agent_ids)
    if not wanted:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_ENGAGED, {"agents": wanted, "now": now, "since": now - LONGEST})
        rows = cursor.fetchall()
    meetings: dict[int, dt.datetime] = {}
    leaves: dict[int, list[tuple[dt.datetime, dt.datetime, bool]]] = {}
    zones: dict[int, str] = {}
    for agent_id, starts_at, ends_at, is_all_day, zone_name in rows:
        if starts_at is None:
            meetings[agent_id] = ends_at
        else:
            leaves.setdefault(agent_id, []).append((starts_at, ends_at, is_all_day))
            zones[agent_id] = zone_name
    away = {agent_id: absence_of(theirs, zone_name=zones[agent_id], now=now) for agent_id, theirs in leaves.items()}
    return {agent_id: Engaged(meetings.get(agent_id), away.get(agent_id)) for agent_id in {*meetings, *away}}


def sharing_a_meeting(viewer_id: int, agent_ids: Iterable[int]) -> set[int]:
    """Those of the agents who attend a meeting with the viewer."""
    wanted = list(agent_ids)
    if not wanted:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(_SHARED, {"viewer": viewer_id, "agents": wanted})
        return {agent_id for (agent_id,) in cursor.fetchall()}
