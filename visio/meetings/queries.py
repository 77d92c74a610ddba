"""Calendar reads as SQL, since building them with the ORM costs more than running them. Privacy is decided in here."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import connection

from visio.meetings.models import LONGEST

if TYPE_CHECKING:
    from suite.agents.models import Agent


@dataclass(frozen=True, slots=True)
class Entry:
    """One occurrence in one agent's calendar, as the viewer may see it. Instants are aware (UTC).

    `is_masked`: private and none of the viewer's business; then there is no id, title, place, organiser or room.
    `is_mine`: the viewer attends too, and may open its page. `people` (how many attend) is there on the viewer's own
    calendar alone, else 0.
    """

    agent_id: int
    starts_at: dt.datetime
    ends_at: dt.datetime
    answer: str
    role: str
    is_masked: bool
    is_mine: bool
    is_private: bool
    public_id: uuid.UUID | None
    title: str
    place: str
    organiser: str
    room_slug: str
    people: int


# Two arms for two partial indexes: one-offs by their exact start, series by their hull. The 14 days are the CHECK's.
_AGENDA = """
SELECT slot.agent_id, slot.starts_at, slot.ends_at, slot.answer, slot.role,
       seen.is_masked, seen.is_mine, m.privacy = 'private',
       CASE WHEN NOT seen.is_masked THEN m.public_id END,
       CASE WHEN seen.is_masked THEN '' ELSE COALESCE(slot.title, m.title) END,
       CASE WHEN seen.is_masked THEN '' ELSE m.place END,
       CASE WHEN seen.is_masked THEN '' ELSE trim(chair.given_name || ' ' || chair.usual_name) END,
       CASE WHEN seen.is_mine THEN COALESCE(room.slug, '') ELSE '' END,
       CASE WHEN slot.agent_id = %(viewer)s
            THEN (SELECT count(*) FROM visio_attendee everybody WHERE everybody.meeting_id = m.id) ELSE 0 END
FROM (
    SELECT att.agent_id, att.meeting_id, att.answer, att.role, o.starts_at, o.ends_at, o.title
    FROM visio_attendee att
    JOIN visio_occurrence o ON o.meeting_id = att.meeting_id
        AND o.starts_at >= %(back)s AND o.starts_at < %(end)s
    WHERE NOT att.is_series AND att.agent_id = ANY(%(agents)s::bigint[])
        AND att.starts_at >= %(back)s AND att.starts_at < %(end)s AND att.ends_at > %(start)s
        AND o.ends_at > %(start)s AND o.status = 'confirmed'
        AND (att.only_occurrence_id IS NULL OR att.only_occurrence_id = o.id)
    UNION ALL
    SELECT att.agent_id, att.meeting_id, att.answer, att.role, o.starts_at, o.ends_at, o.title
    FROM visio_attendee att
    JOIN visio_occurrence o ON o.meeting_id = att.meeting_id
        AND o.starts_at >= %(back)s AND o.starts_at < %(end)s
    WHERE att.is_series AND att.agent_id = ANY(%(agents)s::bigint[])
        AND att.ends_at > %(start)s AND att.starts_at < %(end)s
        AND o.ends_at > %(start)s AND o.status = 'confirmed'
) slot
JOIN visio_meeting m ON m.id = slot.meeting_id AND m.status = 'confirmed'
JOIN agents_agent chair ON chair.id = m.organiser_id
LEFT JOIN visio_room room ON room.id = m.room_id
CROSS JOIN LATERAL (
    SELECT own.is_mine, m.privacy = 'private' AND NOT own.is_mine AS is_masked
    FROM (
        SELECT slot.agent_id = %(viewer)s OR EXISTS (
            SELECT FROM visio_attendee mine WHERE mine.meeting_id = m.id AND mine.agent_id = %(viewer)s
        ) AS is_mine
    ) own
) seen
ORDER BY slot.starts_at, slot.ends_at, m.id, slot.agent_id
"""


def agenda(agent_ids: Collection[int], start: dt.datetime, end: dt.datetime, viewer: Agent) -> list[Entry]:
    """Every confirmed occurrence in these agents' calendars that touches [start, end), by time: one statement.

    Answers of every kind come along, declined ones too: the caller says what to show. Whether `viewer` may look at
    these agents at all is the caller's question too.
    """
    if not agent_ids:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            _AGENDA,
            {
                "agents": list(agent_ids),
                "start": start,
                "back": start - LONGEST,
                "end": end,
                "viewer": viewer.pk,
            },
        )
        return [Entry(*row) for row in cursor.fetchall()]
