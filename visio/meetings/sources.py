"""What meetings tell the live floor: who is in one now, and who shares one. Read by suite.live through its registries."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db import connection

from visio.meetings.models import LONGEST

# Two arms for two partial indexes, as in queries.py.
_IN_MEETING = """
SELECT att.agent_id, max(o.ends_at)
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


def in_meeting_until(agent_ids: Iterable[int], now: dt.datetime) -> dict[int, dt.datetime]:
    """Those of the agents who said yes to (or organise) a meeting that goes on now, and when it ends."""
    wanted = list(agent_ids)
    if not wanted:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_IN_MEETING, {"agents": wanted, "now": now, "since": now - LONGEST})
        return dict(cursor.fetchall())


def sharing_a_meeting(viewer_id: int, agent_ids: Iterable[int]) -> set[int]:
    """Those of the agents who attend a meeting with the viewer."""
    wanted = list(agent_ids)
    if not wanted:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(_SHARED, {"viewer": viewer_id, "agents": wanted})
        return {agent_id for (agent_id,) in cursor.fetchall()}
