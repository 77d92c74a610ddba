"""When people and rooms are taken: hours and kinds, never a title. Any agent of the portal may ask about any other."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from django.db import connection
from django.db.models import Max
from django.utils.translation import gettext as _

from suite.agents.hours import Span, working_spans
from suite.agents.time_models import Leave
from visio.meetings import words
from visio.meetings.models import LONGEST

if TYPE_CHECKING:
    from suite.agents.models import Agent


class Kind(StrEnum):
    """What others may know of a stretch of somebody's time."""

    BUSY = "busy"
    # Said "maybe", or has not answered yet.
    TENTATIVE = "tentative"
    OUT = "out"


@dataclass(frozen=True, slots=True)
class Busy:
    """Half-open, aware (UTC). All that anybody learns of another's calendar here."""

    starts_at: dt.datetime
    ends_at: dt.datetime
    kind: Kind


# The two arms of visio.meetings.queries, for the same two indexes, and one for absences; each cut at the window, so that
# nothing outside of it is told. Absent outranks busy, busy outranks provisional: the pieces of an agent never overlap.
# A closed account is in nobody's answer, and asks nothing.
_BUSY = """
SELECT who.id, piece.kind, lower(piece.during), upper(piece.during)
FROM agents_agent who
LEFT JOIN (
    SELECT taken.agent_id,
           COALESCE(range_agg(taken.during) FILTER (WHERE taken.kind = 'out'), '{}') AS away,
           COALESCE(range_agg(taken.during) FILTER (WHERE taken.kind = 'busy'), '{}') AS busy,
           COALESCE(range_agg(taken.during) FILTER (WHERE taken.kind = 'tentative'), '{}') AS tentative
    FROM (
        SELECT slot.agent_id,
               CASE WHEN slot.answer = 'accepted' OR slot.role = 'chair' THEN 'busy' ELSE 'tentative' END AS kind,
               tstzrange(GREATEST(slot.starts_at, %(start)s), LEAST(slot.ends_at, %(end)s)) AS during
        FROM (
            SELECT att.agent_id, att.meeting_id, att.role, o.starts_at, o.ends_at,
                   COALESCE(dated.answer, att.answer) AS answer
            FROM visio_attendee att
            JOIN visio_occurrence o ON o.meeting_id = att.meeting_id
                AND o.starts_at >= %(back)s AND o.starts_at < %(end)s
            LEFT JOIN visio_attendeeexception dated ON att.only_occurrence_id IS NOT NULL
                AND dated.occurrence_id = o.id AND dated.attendee_id = att.id
            WHERE NOT att.is_series AND att.agent_id = ANY(%(agents)s::bigint[])
                AND att.starts_at >= %(back)s AND att.starts_at < %(end)s AND att.ends_at > %(start)s
                AND o.ends_at > %(start)s AND o.status = 'confirmed'
                AND (att.only_occurrence_id IS NULL OR att.only_occurrence_id = o.id)
                AND dated.removed IS NOT TRUE
            UNION ALL
            SELECT att.agent_id, att.meeting_id, att.role, o.starts_at, o.ends_at, COALESCE(dated.answer, att.answer)
            FROM visio_attendee att
            JOIN visio_occurrence o ON o.meeting_id = att.meeting_id
                AND o.starts_at >= %(back)s AND o.starts_at < %(end)s
            LEFT JOIN visio_attendeeexception dated ON dated.occurrence_id = o.id AND dated.attendee_id = att.id
            WHERE att.is_series AND att.agent_id = ANY(%(agents)s::bigint[])
                AND att.ends_at > %(start)s AND att.starts_at < %(end)s
                AND o.ends_at > %(start)s AND o.status = 'confirmed'
                AND dated.removed IS NOT TRUE
        ) slot
        JOIN visio_meeting m ON m.id = slot.meeting_id AND m.status = 'confirmed'
        WHERE (slot.answer <> 'declined' OR slot.role = 'chair') AND m.id IS DISTINCT FROM %(except)s::bigint
        UNION ALL
        SELECT agent_id, 'out', tstzrange(GREATEST(starts_at, %(start)s), LEAST(ends_at, %(end)s))
        FROM agents_leave
        WHERE agent_id = ANY(%(agents)s::bigint[]) AND ends_at > %(start)s AND starts_at < %(end)s
    ) taken
    GROUP BY taken.agent_id
) total ON total.agent_id = who.id
LEFT JOIN LATERAL (
    SELECT 'out' AS kind, during FROM unnest(total.away) during
    UNION ALL
    SELECT 'busy', during FROM unnest(total.busy - total.away) during
    UNION ALL
    SELECT 'tentative', during FROM unnest(total.tentative - total.away - total.busy) during
) piece ON true
WHERE who.id = ANY(%(agents)s::bigint[]) AND who.is_active
    AND EXISTS (SELECT FROM agents_agent viewer WHERE viewer.id = %(viewer)s AND viewer.is_active)
ORDER BY who.id, lower(piece.during)
"""


def busy(
    agent_ids: Collection[int],
    start: dt.datetime,
    end: dt.datetime,
    *,
    viewer: Agent,
    except_meeting: int | None = None,
) -> dict[int, list[Busy]]:
    """{agent id: what is taken within [start, end), in order, pieces never overlapping}: one statement.

    Accepted (and whatever one organises) is busy, "maybe" and unanswered are tentative, declined is free, leave is out.
    Everybody asked has a list, an empty one when free; closed and unknown accounts are left out. `except_meeting`: the
    meeting being moved, which is no obstacle to itself.
    """
    if not agent_ids or start >= end:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            _BUSY,
            {
                "agents": list(agent_ids),
                "start": start,
                "back": start - LONGEST,
                "end": end,
                "viewer": viewer.pk,
                "except": except_meeting,
            },
        )
        found: dict[int, list[Busy]] = {}
        for agent_id, kind, starts_at, ends_at in cursor.fetchall():
            pieces = found.setdefault(agent_id, [])
            if kind is not None:
                pieces.append(Busy(starts_at, ends_at, Kind(kind)))
    return found


_RESOURCES = """
SELECT one.id, lower(piece), upper(piece), piece_kind
FROM visio_resource one
LEFT JOIN LATERAL (
    SELECT unnest(range_agg(b.during * tstzrange(%(start)s, %(end)s))) AS piece,
           CASE WHEN b.status = 'accepted' THEN 'busy' ELSE 'tentative' END AS piece_kind
    FROM visio_resourcebooking b
    WHERE b.resource_id = one.id AND b.during && tstzrange(%(start)s, %(end)s)
        AND b.status IN ('pending', 'accepted') AND b.meeting_id IS DISTINCT FROM %(except)s::bigint
    GROUP BY b.status
) taken ON true
WHERE one.id = ANY(%(resources)s::bigint[]) AND one.is_active
ORDER BY one.id, lower(piece)
"""


def resources_busy(
    resource_ids: Collection[int], start: dt.datetime, end: dt.datetime, *, except_meeting: int | None = None
) -> dict[int, list[Busy]]:
    """The same of rooms and equipment: booked is busy, waiting for approval is tentative. One statement."""
    if not resource_ids or start >= end:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            _RESOURCES, {"resources": list(resource_ids), "start": start, "end": end, "except": except_meeting}
        )
        found: dict[int, list[Busy]] = {}
        for resource_id, starts_at, ends_at, kind in cursor.fetchall():
            pieces = found.setdefault(resource_id, [])
            if kind is not None:
                pieces.append(Busy(starts_at, ends_at, Kind(kind)))
    return found


@dataclass(frozen=True, slots=True)
class Warned:
    """One person for whom a time does not suit. `reason`: a Kind's value, or "hours" (outside the working hours)."""

    agent: Agent
    reason: str
    # When that absence ends; None for the other reasons.
    until: dt.datetime | None = None

    @property
    def message(self) -> str:
        """For the organiser, in the current language."""
        name = {"name": self.agent.full_name}
        if self.until is not None:
            return _("%(name)s : absence %(until)s.") % {**name, "until": until_words(self.until, self.agent.time_zone)}
        match self.reason:
            case Kind.BUSY:
                return _("%(name)s a déjà une réunion à cette heure.") % name
            case Kind.TENTATIVE:
                return _("%(name)s a peut-être une réunion à cette heure.") % name
            case _:
                return _("%(name)s ne travaille pas à cette heure.") % name


def until_words(until: dt.datetime, zone_name: str) -> str:
    """ "jusqu’au jeu. 31 déc." when it ends at a midnight of that zone (the last day counts), else with the hour."""
    here = words.local(until, zone_name)
    if here.time() == dt.time():
        last = here.date() - dt.timedelta(days=1)
        return _("jusqu’au %(day)s inclus") % {"day": words.short_day(last, today=last)}
    day = words.short_day(here.date(), today=here.date())
    return _("jusqu’au %(day)s à %(hour)s") % {"day": day, "hour": f"{here:%H:%M}"}


def warnings(
    people: Sequence[Agent],
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    *,
    viewer: Agent,
    except_meeting: int | None = None,
) -> list[Warned]:
    """Who is away, taken or off duty at that time: one line a person (the gravest), in their order. Three queries at most."""
    taken = busy([agent.pk for agent in people], starts_at, ends_at, viewer=viewer, except_meeting=except_meeting)
    kinds = {agent_id: {piece.kind for piece in pieces} for agent_id, pieces in taken.items()}
    working = working_spans(people, starts_at, ends_at)
    backs = _back([agent_id for agent_id, found in kinds.items() if Kind.OUT in found], starts_at, ends_at)
    said: list[Warned] = []
    for agent in people:
        found = kinds.get(agent.pk)
        if found is None:
            continue
        gravest = next((kind for kind in (Kind.OUT, Kind.BUSY, Kind.TENTATIVE) if kind in found), None)
        if gravest is not None:
            said.append(Warned(agent, gravest.value, backs.get(agent.pk)))
        elif Span(starts_at, ends_at) not in working[agent.pk]:
            said.append(Warned(agent, "hours"))
    return said


def _back(agent_ids: Collection[int], starts_at: dt.datetime, ends_at: dt.datetime) -> dict[int, dt.datetime]:
    """{agent id: the last end of their absences that touch that time}."""
    if not agent_ids:
        return {}
    absences = Leave.objects.filter(agent__in=agent_ids, ends_at__gt=starts_at, starts_at__lt=ends_at)
    return dict(absences.order_by().values("agent").annotate(back=Max("ends_at")).values_list("agent", "back"))
