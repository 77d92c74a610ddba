"""Calendar reads as SQL, since building them with the ORM costs more than running them. Privacy is decided in here."""

from __future__ import annotations

import datetime as dt
import uuid
import zoneinfo
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import connection

from suite.live.access import known_zone
from visio.meetings.models import LONGEST

if TYPE_CHECKING:
    from suite.agents.models import Agent


# One more than it takes: the arms' comparisons are strict.
_FURTHER = dt.timedelta(hours=3)
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Entry:
    """One occurrence in one agent's calendar, as the viewer may see it. Instants are aware (UTC).

    `is_masked`: private and none of the viewer's business; then there is no id, title, place, organiser or room.
    `is_mine`: the viewer is invited to this date too, or acts for its organiser, and may open its page. `people` (how many
    attend the meeting) is there on the viewer's own calendar alone, else 0. `answer` is the one to this date.

    All-day: `first_day` and `last_day` (inclusive) are dates, whatever the zone of who looks; the instants are the midnights
    around them in the viewer's zone.
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
    # Names the date in addresses (visio.meetings.dates.occurrence_key); "" for a one-off, and when masked.
    recurrence_key: str = ""
    occurrence_id: int | None = None
    is_series: bool = False
    is_all_day: bool = False
    first_day: dt.date | None = None
    last_day: dt.date | None = None


# Two arms for two partial indexes: one-offs by their exact start, series by their hull. The 14 days are the CHECK's.
# The arms look further on both sides: dates of an all-day meeting and of the viewer's zone lie up to 26 hours apart (UTC-12 to
# UTC+14), two more than a day has. They rely on its instants being midnights of its zone.
_AGENDA = """
WITH principal AS MATERIALIZED (
    SELECT d.principal_id, d.sees_private
      FROM agents_delegation d JOIN agents_agent p ON p.id = d.principal_id AND p.is_active
     WHERE d.delegate_id = %(viewer)s::bigint
)
SELECT slot.agent_id, shown.starts_at, shown.ends_at, slot.answer, slot.role,
       seen.is_masked, seen.is_mine, m.privacy = 'private',
       CASE WHEN NOT seen.is_masked THEN m.public_id END,
       CASE WHEN seen.is_masked THEN '' ELSE COALESCE(slot.title, m.title) END,
       CASE WHEN seen.is_masked THEN '' ELSE COALESCE(slot.place, m.place) END,
       CASE WHEN seen.is_masked THEN '' ELSE trim(chair.given_name || ' ' || chair.usual_name) END,
       CASE WHEN seen.is_mine THEN COALESCE(room.slug, '') ELSE '' END,
       CASE WHEN slot.agent_id = %(viewer)s
            THEN (SELECT count(*) FROM visio_attendee everybody WHERE everybody.meeting_id = m.id) ELSE 0 END,
       CASE WHEN seen.is_masked OR slot.recurrence_id IS NULL THEN ''
            ELSE to_char(slot.recurrence_id AT TIME ZONE 'UTC', 'YYYYMMDD"T"HH24MISS"Z"') END,
       CASE WHEN NOT seen.is_masked THEN slot.occurrence_id END,
       m.is_series, m.is_all_day, day.first_day, day.last_day
FROM (
    SELECT att.agent_id, att.meeting_id, att.answer, att.role, o.id AS occurrence_id, o.recurrence_id,
           o.starts_at, o.ends_at, o.title, o.place
    FROM visio_attendee att
    JOIN visio_occurrence o ON o.meeting_id = att.meeting_id
        AND o.starts_at >= %(back)s AND o.starts_at < %(late)s
    WHERE NOT att.is_series AND att.agent_id = ANY(%(agents)s::bigint[])
        AND att.starts_at >= %(back)s AND att.starts_at < %(late)s AND att.ends_at > %(early)s
        AND o.ends_at > %(early)s AND o.status = 'confirmed'
        AND (att.only_occurrence_id IS NULL OR att.only_occurrence_id = o.id)
    UNION ALL
    SELECT att.agent_id, att.meeting_id, COALESCE(x.answer, att.answer), att.role, o.id, o.recurrence_id,
           o.starts_at, o.ends_at, o.title, o.place
    FROM visio_attendee att
    JOIN visio_occurrence o ON o.meeting_id = att.meeting_id
        AND o.starts_at >= %(back)s AND o.starts_at < %(late)s
    LEFT JOIN visio_attendeeexception x ON x.occurrence_id = o.id AND x.attendee_id = att.id
    WHERE att.is_series AND att.agent_id = ANY(%(agents)s::bigint[])
        AND att.ends_at > %(early)s AND att.starts_at < %(late)s
        AND o.ends_at > %(early)s AND o.status = 'confirmed' AND x.removed IS NOT TRUE
) slot
JOIN visio_meeting m ON m.id = slot.meeting_id AND m.status = 'confirmed'
JOIN agents_agent chair ON chair.id = m.organiser_id
LEFT JOIN visio_room room ON room.id = m.room_id
CROSS JOIN LATERAL (
    SELECT CASE WHEN m.is_all_day THEN (slot.starts_at AT TIME ZONE m.time_zone)::date END AS first_day,
           CASE WHEN m.is_all_day
                THEN ((slot.ends_at - interval '1 microsecond') AT TIME ZONE m.time_zone)::date END AS last_day
) day
CROSS JOIN LATERAL (
    SELECT CASE WHEN m.is_all_day THEN day.first_day::timestamp AT TIME ZONE %(zone)s ELSE slot.starts_at END AS starts_at,
           CASE WHEN m.is_all_day THEN (day.last_day + 1)::timestamp AT TIME ZONE %(zone)s ELSE slot.ends_at END AS ends_at
) shown
CROSS JOIN LATERAL (
    SELECT own.is_mine, m.privacy = 'private' AND NOT own.is_mine
           AND slot.agent_id NOT IN (SELECT principal_id FROM principal WHERE sees_private) AS is_masked
    FROM (
        SELECT slot.agent_id = %(viewer)s OR EXISTS (
            SELECT FROM visio_attendee mine
             WHERE mine.meeting_id = m.id AND mine.agent_id = %(viewer)s
               AND (mine.only_occurrence_id IS NULL OR mine.only_occurrence_id = slot.occurrence_id)
        ) OR m.organiser_id IN (SELECT principal_id FROM principal) AS is_mine
    ) own
) seen
WHERE CASE WHEN m.is_all_day THEN day.first_day <= %(last_day)s AND day.last_day >= %(first_day)s
           ELSE slot.starts_at < %(end)s AND slot.ends_at > %(start)s END
ORDER BY shown.starts_at, shown.ends_at, m.id, slot.agent_id
"""


def agenda(agent_ids: Collection[int], start: dt.datetime, end: dt.datetime, viewer: Agent) -> list[Entry]:
    """Every confirmed occurrence in these agents' calendars that touches [start, end), by time: one statement.

    All-day ones are those whose dates touch the dates of [start, end) in the viewer's zone. Answers of every kind come along,
    declined ones too: the caller says what to show. Whether `viewer` may look at these agents at all is the caller's question
    too.
    """
    if not agent_ids:
        return []
    zone = zoneinfo.ZoneInfo(known_zone(viewer.time_zone))
    first_day = start.astimezone(zone).date()
    last_day = (end - dt.timedelta(microseconds=1)).astimezone(zone).date()
    # Whole days count however little of them the window holds.
    early = min(start, dt.datetime.combine(first_day, dt.time(), zone)) - _FURTHER
    late = max(end, dt.datetime.combine(last_day + _DAY, dt.time(), zone)) + _FURTHER
    values: dict[str, Any] = {
        "agents": list(agent_ids),
        "start": start,
        "end": end,
        "early": early,
        "late": late,
        "back": early - LONGEST,
        "first_day": first_day,
        "last_day": last_day,
        "zone": zone.key,
        "viewer": viewer.pk,
    }
    with connection.cursor() as cursor:
        cursor.execute(_AGENDA, values)
        return [Entry(*row) for row in cursor.fetchall()]
