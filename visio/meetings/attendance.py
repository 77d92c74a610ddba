"""The list of people: who is added, removed and kept by a draft, and the rows of those who come.

The times on a row are copies (DATA, trap 5): exact for a one-off and for a guest of one date, the hull for a series.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from django.db import connection
from django.db.models import Max, Min, Q

from suite.agents.models import Agent
from suite.core.plain import one_line
from visio.meetings import tokens
from visio.meetings.drafts import Invitee, MeetingDraft, is_organiser
from visio.meetings.exception_models import AttendeeException
from visio.meetings.models import OPEN_END, Answer, Attendee, Meeting, Occurrence, Role, Status
from visio.meetings.timetable import Timetable
from visio.meetings.traces import Roll

_COPIED = (
    "id",
    "public_id",
    "meeting_id",
    "agent_id",
    "email",
    "name",
    "role",
    "answer",
    "answered_at",
    "answered_revision",
    "answered_via",
    "comment",
    "is_series",
    "starts_at",
    "ends_at",
    "only_occurrence_id",
    "link_nonce",
    "link_hash",
)

# Only rows that say something else are written.
_SYNC = """
UPDATE visio_attendee a
   SET is_series = t.is_series, starts_at = t.starts_at, ends_at = t.ends_at
  FROM (
        SELECT w.id,
               CASE WHEN o.id IS NULL THEN %(is_series)s ELSE FALSE END AS is_series,
               COALESCE(o.starts_at, %(starts_at)s) AS starts_at,
               COALESCE(o.ends_at, %(ends_at)s) AS ends_at
          FROM visio_attendee w
          LEFT JOIN visio_occurrence o ON o.id = w.only_occurrence_id
         WHERE w.meeting_id = %(meeting)s
       ) t
 WHERE a.id = t.id AND (a.is_series, a.starts_at, a.ends_at) IS DISTINCT FROM (t.is_series, t.starts_at, t.ends_at)
"""


def hull(meeting: Meeting) -> tuple[dt.datetime, dt.datetime]:
    """From the first start to the last end of the dates that take place; OPEN_END for a series that never ends.

    Where none takes place, of all dates.
    """
    confirmed = Q(status=Status.CONFIRMED)
    edges = meeting.occurrences.aggregate(
        first=Min("starts_at", filter=confirmed),
        last=Max("ends_at", filter=confirmed),
        any_first=Min("starts_at"),
        any_last=Max("ends_at"),
    )
    if meeting.is_cancelled:
        edges |= {"first": None, "last": None}
    starts_at, ends_at = edges["first"] or edges["any_first"], edges["last"] or edges["any_last"]
    if meeting.expanded_until is None:
        return starts_at, ends_at
    if meeting.until is None:
        return starts_at, OPEN_END
    timetable = Timetable.of_meeting(meeting)
    return starts_at, max(ends_at, timetable.end_of(timetable.literal(timetable.wall_of(meeting.until))))


def sync_times(meeting: Meeting) -> None:
    """Copy the dates of the meeting onto its people. One statement to read, one to write."""
    starts_at, ends_at = hull(meeting)
    values: dict[str, Any] = {
        "meeting": meeting.pk,
        "is_series": meeting.is_series,
        "starts_at": starts_at,
        "ends_at": ends_at,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SYNC, values)


def chair(organiser: Agent) -> Invitee:
    return Invitee(
        email=organiser.email.lower(), name=organiser.full_name, agent_id=organiser.pk, role=Role.CHAIR.value
    )


def guests_of(draft: MeetingDraft, organiser: Agent) -> list[Invitee]:
    """The draft's attendees, each once, without the organiser."""
    unique: dict[str, Invitee] = {}
    for invitee in draft.attendees:
        email = invitee.email.lower()
        unique.setdefault(email, invitee if invitee.email == email else replace(invitee, email=email))
    return [invitee for invitee in unique.values() if not is_organiser(invitee, organiser)]


def people_of_date(meeting: Meeting, occurrence: Occurrence) -> list[Attendee]:
    """Who is invited to that date, the organiser left out."""
    away = AttendeeException.objects.filter(occurrence=occurrence, removed=True).values("attendee")
    invited = meeting.attendees.exclude(role=Role.CHAIR).exclude(pk__in=away).select_related("agent")
    return [one for one in invited if one.only_occurrence_id in (None, occurrence.pk)]


def compare(current: Sequence[Attendee], wanted: Sequence[Invitee]) -> Roll:
    """How `current` becomes `wanted`. The same address or the same agent is the same person."""
    emails = {invitee.email for invitee in wanted}
    agents = {invitee.agent_id for invitee in wanted if invitee.agent_id is not None}
    kept = [row for row in current if row.email in emails or row.agent_id in agents]
    kept_ids = {row.pk for row in kept}
    kept_emails = {row.email for row in kept}
    kept_agents = {row.agent_id for row in kept if row.agent_id is not None}
    return Roll(
        added=tuple(i for i in wanted if i.email not in kept_emails and i.agent_id not in kept_agents),
        removed=tuple(row for row in current if row.pk not in kept_ids),
        kept=tuple(kept),
    )


def add_attendees(
    meeting: Meeting,
    invitees: Iterable[Invitee],
    *,
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    now: dt.datetime,
    only: Occurrence | None = None,
) -> list[Attendee]:
    """Rows for them, by COPY: 10,000 in a moment. `only`: the one date of a series that they are invited to."""
    rows = []
    for invitee in invitees:
        nonce, link_hash = tokens.new_link()
        is_chair = invitee.role == Role.CHAIR
        rows.append(
            Attendee(
                meeting=meeting,
                agent_id=invitee.agent_id,
                email=invitee.email,
                name=one_line(invitee.name),
                role=invitee.role,
                answer=Answer.ACCEPTED if is_chair else Answer.NEEDS_ACTION,
                answered_at=now if is_chair else None,
                answered_revision=meeting.revision if is_chair else None,
                is_series=meeting.is_series and only is None,
                starts_at=starts_at,
                ends_at=ends_at,
                only_occurrence=only,
                link_nonce=nonce,
                link_hash=link_hash,
            )
        )
    copy_in(rows)
    return rows


def copy_in(rows: Sequence[Attendee]) -> None:
    """Save new rows by COPY, and give them their ids."""
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence('visio_attendee', 'id')) FROM generate_series(1, %s)", [len(rows)]
        )
        for row, (pk,) in zip(rows, cursor.fetchall(), strict=True):
            row.pk = pk
        with cursor.copy(f"COPY visio_attendee ({', '.join(_COPIED)}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row([_plain(getattr(row, name)) for name in _COPIED])
    for row in rows:
        row._state.adding = False


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, str) else value


def apply_names(rows: Iterable[Attendee], wanted: Sequence[Invitee]) -> list[Attendee]:
    """Roles and typed names of people who stay; neither is mailed. Those that changed."""
    by_email = {invitee.email: invitee for invitee in wanted}
    changed = []
    for row in rows:
        invitee = by_email.get(row.email)
        if invitee is None:
            continue
        name = one_line(invitee.name) or row.name
        if (row.role, row.name) != (invitee.role, name):
            row.role, row.name = invitee.role, name
            changed.append(row)
    Attendee.objects.bulk_update(changed, ["role", "name"], batch_size=1000)
    return changed
