"""Take back the last cancel or move, while nothing of it was mailed.

The rows are photographed before the act and put back as they were; the version rises once more, SEQUENCE never falls. What
the act owed is superseded, and what it had superseded is owed again.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from psycopg.types.json import Jsonb

from suite.agents.models import Agent
from suite.core.events import publish
from suite.core.refusals import Refusal
from visio.events import MeetingCancelled, MeetingChanged
from visio.meetings import booked
from visio.meetings.acts import close_room, locked
from visio.meetings.attendance import sync_times
from visio.meetings.exception_models import Undo
from visio.meetings.models import ChangeKind, Delivery, DeliveryState, Meeting, Role, Status
from visio.meetings.permissions import can_edit_meeting
from visio.meetings.timetable import Timetable
from visio.meetings.traces import index_for_search, remember

UNDO_SECONDS = 10

_MEETING = (
    "title",
    "description",
    "place",
    "privacy",
    "status",
    "start_date",
    "start_time",
    "time_zone",
    "minutes",
    "is_all_day",
    "is_series",
    "rrule",
    "until",
    "rdates",
    "exdates",
    "expanded_until",
    "room_id",
    "wants_tchap",
)

_PHOTOGRAPH = """
SELECT jsonb_build_object(
    'meeting', (SELECT to_jsonb(m) - 'search' FROM visio_meeting m WHERE m.id = %(meeting)s),
    'occurrences', (SELECT jsonb_agg(to_jsonb(o)) FROM visio_occurrence o WHERE o.meeting_id = %(meeting)s),
    'attendees', (SELECT jsonb_agg(to_jsonb(a)) FROM visio_attendee a WHERE a.meeting_id = %(meeting)s),
    'exceptions', (SELECT jsonb_agg(to_jsonb(x)) FROM visio_attendeeexception x
                     JOIN visio_occurrence o ON o.id = x.occurrence_id WHERE o.meeting_id = %(meeting)s),
    'bookings', (SELECT jsonb_agg(to_jsonb(b)) FROM visio_resourcebooking b WHERE b.meeting_id = %(meeting)s),
    'counters', (SELECT jsonb_agg(to_jsonb(c)) FROM visio_counterproposal c
                  WHERE c.meeting_id = %(meeting)s AND c.state = 'pending'),
    'unsent', (SELECT jsonb_agg(d.id) FROM visio_delivery d
                WHERE d.meeting_id = %(meeting)s AND d.state IN ('owed', 'sending'))
)::text
"""

_RESTORE_MEETING = f"""
UPDATE visio_meeting m SET {", ".join(f"{name} = old.{name}" for name in _MEETING)}
  FROM jsonb_populate_record(NULL::visio_meeting, %(before)s) old WHERE m.id = %(meeting)s
"""  # noqa: S608  our own names

# What was put aside because of the act, by itself or by a sender that had the row in its hands, at the version that is now;
# addresses find their rows again. A row still in somebody's hands may be put aside in a moment: this one comes after it. One
# for the whole that went out meanwhile may have told the act on one date.
_OWE_AGAIN = """
INSERT INTO visio_delivery (meeting_id, attendee_id, uid, recurrence_id, sequence, revision, recipient, recipient_name,
                            method, reason, language, before, state, due_at, attempts, resends, server_words, created_at)
SELECT d.meeting_id, a.id, d.uid, d.recurrence_id, %(sequence)s, %(revision)s, d.recipient, d.recipient_name,
       d.method, CASE d.state WHEN 'sent' THEN 'changed' ELSE d.reason END, d.language,
       CASE d.state WHEN 'sent' THEN '{}'::jsonb ELSE d.before END, 'owed', %(now)s, 0, 0, '', %(now)s
  FROM visio_delivery d
  LEFT JOIN visio_attendee a ON a.meeting_id = d.meeting_id AND a.email = d.recipient
 WHERE d.id = ANY(%(ids)s::bigint[]) AND (
       d.state IN ('superseded', 'sending') OR (d.state, d.method) = ('sent', 'REQUEST') AND d.recurrence_id IS NULL
   )
 ORDER BY d.id
    ON CONFLICT DO NOTHING
"""


_ANSWER = ("answer", "answered_at", "answered_revision", "answered_via", "comment", "reply_sequence", "reply_stamp")

# Answers to the whole when the act left its times, and to each date that it left where it was.
_ANSWERED_SINCE = """
WITH old AS (
    SELECT o.* FROM jsonb_populate_recordset(NULL::visio_occurrence, %(before)s -> 'occurrences') o
), was AS (
    SELECT m.* FROM jsonb_populate_record(NULL::visio_meeting, %(before)s -> 'meeting') m
)
SELECT (SELECT COALESCE(jsonb_agg(to_jsonb(a)), '[]')::text FROM visio_attendee a JOIN visio_meeting m ON m.id = a.meeting_id, was
         WHERE a.meeting_id = %(meeting)s AND a.answered_at >= %(since)s AND a.role <> 'chair'
           AND (m.start_date, m.start_time, m.time_zone, m.minutes, m.is_all_day, m.is_series)
             = (was.start_date, was.start_time, was.time_zone, was.minutes, was.is_all_day, was.is_series)),
       (SELECT COALESCE(jsonb_agg(to_jsonb(x)), '[]')::text FROM visio_attendeeexception x
          JOIN visio_occurrence o ON o.id = x.occurrence_id
          JOIN old ON old.id = o.id AND (old.starts_at, old.ends_at) = (o.starts_at, o.ends_at)
         WHERE o.meeting_id = %(meeting)s AND x.answered_at >= %(since)s
           AND EXISTS (SELECT FROM jsonb_array_elements(%(before)s -> 'attendees') p WHERE (p ->> 'id')::bigint = x.attendee_id))
"""


class UndoRefused(Refusal):
    """It cannot be taken back any more. `.reason`: "too_late" or "changed"."""

    WORDS = {
        "too_late": _("Trop tard : les courriels sont partis."),
        "changed": _("La réunion a changé depuis : ce qui a été fait ne peut plus être annulé."),
    }


def photograph(meeting: Meeting) -> str:
    """All rows of the meeting that an act may touch, as JSON. One statement; `meeting` is locked."""
    with connection.cursor() as cursor:
        cursor.execute(_PHOTOGRAPH, {"meeting": meeting.pk})
        return str(cursor.fetchone()[0])


def offer_undo(meeting: Meeting, picture: str, *, by: Agent, until: dt.datetime, rest: Meeting | None = None) -> None:
    """Keep the picture for the act that made today's version; `rest`: the meeting that the act split off."""
    revision = Meeting.objects.values_list("revision", flat=True).get(pk=meeting.pk)
    Undo.objects.filter(meeting=meeting, until__lt=until).delete()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO visio_undo (meeting_id, by_id, revision, until, before)"
            " SELECT %s, %s, %s, %s, %s::jsonb || jsonb_build_object('rest', %s::bigint)"
            " ON CONFLICT (meeting_id, revision) DO NOTHING",
            [meeting.pk, by.pk, revision, until, picture, rest.pk if rest is not None else None],
        )


def undo_offer(meeting: Meeting, by: Agent, now: dt.datetime) -> Undo | None:
    """What `by` may take back now, seen from the meeting or from the one that the act split off it. Without its picture."""
    mine = Undo.objects.filter(by=by, until__gt=now, done_at=None).defer("before").select_related("meeting")
    found = mine.filter(Q(meeting=meeting) | Q(meeting=meeting.split_from_id, before__rest=meeting.pk))
    for offer in found.annotate(rest_id=F("before__rest")).order_by("-pk"):
        rest_id = vars(offer)["rest_id"]
        if offer.revision == offer.meeting.revision and (rest_id is None or _is_untouched(rest_id)):
            return offer
    return None


def _is_untouched(rest_id: int) -> bool:
    return Meeting.objects.filter(pk=rest_id, revision=1).exists()


@transaction.atomic
def undo(*, meeting: Meeting, by: Agent, now: dt.datetime) -> Meeting:
    """Take the last act back; the meeting as it was. Raises UndoRefused. Twice is refused, and changes nothing."""
    offer = undo_offer(meeting, by, now)
    if offer is None or not can_edit_meeting(meeting, by):
        raise UndoRefused("too_late")
    found = locked(offer.meeting)
    kept = Undo.objects.select_for_update(of=("self",)).get(pk=offer.pk)
    rest_id = kept.before["rest"]
    rest = locked(Meeting(pk=rest_id)) if rest_id is not None else None
    if kept.done_at is not None or found.revision != kept.revision or (rest is not None and rest.revision != 1):
        raise UndoRefused("changed")
    act = Q(meeting=found, revision=kept.revision) | Q(meeting=rest_id)
    made = Delivery.objects.select_for_update(of=("self",)).filter(act).order_by("pk")
    if any(row.state in {DeliveryState.SENDING, DeliveryState.SENT} or row.attempts for row in made):
        raise UndoRefused("too_late")
    made.filter(state=DeliveryState.OWED).update(state=DeliveryState.SUPERSEDED)

    since = kept.until - dt.timedelta(seconds=UNDO_SECONDS)
    _restore(found, _with_answers_since(found, kept.before, since))
    restored = locked(found)
    restored.revision = kept.revision + 1
    restored.save(update_fields=["revision", "changed_at"])
    if not restored.is_cancelled:
        close_room(restored, None)
    # Rooms are locked in one order, for both meetings at once.
    booked.put_back(restored, kept.before["bookings"] or [], rest=rest)
    if rest is not None:
        _end(rest, now)
    sync_times(restored)
    index_for_search(restored)
    # Taking back is never refused because somebody was quick to take the room.
    booked.follow(restored, by=by, now=now, or_without=True)
    _owe_again(restored, kept.before["unsent"] or [], now)
    remember(restored, by, now, ChangeKind.RESTORED, {})
    kept.done_at = now
    kept.save(update_fields=["done_at"])
    publish(MeetingChanged(meeting_id=restored.pk))
    if rest is not None:
        # In this order, as the rows of both are locked everywhere.
        publish(MeetingCancelled(meeting_id=rest.pk))
    return restored


def _with_answers_since(meeting: Meeting, before: dict[str, Any], since: dt.datetime) -> dict[str, Any]:
    """`before`, with what people answered after the act to what it did not move: their answers are not the act's."""
    with connection.cursor() as cursor:
        values: dict[str, Any] = {"meeting": meeting.pk, "since": since, "before": Jsonb(before)}
        cursor.execute(_ANSWERED_SINCE, values)
        [(answers, dates)] = [[json.loads(found) for found in row] for row in cursor.fetchall()]
    people = {row["id"]: row for row in answers}
    attendees = [_answered(row, people.get(row["id"])) for row in before["attendees"] or []]
    given = {(row["occurrence_id"], row["attendee_id"]): row for row in dates}
    exceptions = [
        _answered(row, given.pop((row["occurrence_id"], row["attendee_id"]), None))
        for row in before["exceptions"] or []
    ]
    return before | {"attendees": attendees, "exceptions": [*exceptions, *given.values()]}


def _answered(row: dict[str, Any], since: dict[str, Any] | None) -> dict[str, Any]:
    return row if since is None else row | {name: since[name] for name in _ANSWER}


def _restore(meeting: Meeting, before: dict[str, Any]) -> None:
    values: dict[str, Any] = {"meeting": meeting.pk, "before": Jsonb(before["meeting"])}
    with connection.cursor() as cursor:
        cursor.execute(_RESTORE_MEETING, values)
        ids = [row["id"] for row in before["occurrences"] or []]
        # Nobody stands on a date while the dates are put back.
        cursor.execute(
            "UPDATE visio_occurrence SET recurrence_id = recurrence_id - interval '1900 years'"
            " WHERE meeting_id = %s OR id = ANY(%s::bigint[])",
            [meeting.pk, ids],
        )
        _put_back(cursor, "visio_occurrence", before["occurrences"] or [])
        people = [row["id"] for row in before["attendees"] or []]
        cursor.execute(
            "DELETE FROM visio_attendeeexception x USING visio_occurrence o"
            " WHERE o.id = x.occurrence_id AND o.meeting_id = %s",
            [meeting.pk],
        )
        # The rows of those whom the act added have e-mails in the ledger that only the ORM knows how to let go of.
        meeting.attendees.exclude(pk__in=people).delete()
        _put_back(cursor, "visio_attendee", before["attendees"] or [])
        meeting.occurrences.exclude(pk__in=ids).delete()
        # Rows of the ledger forgot whom they were for when the act removed them.
        cursor.execute(
            "UPDATE visio_delivery d SET attendee_id = a.id FROM visio_attendee a WHERE d.meeting_id = %s"
            " AND d.attendee_id IS NULL AND a.meeting_id = d.meeting_id AND a.email = d.recipient",
            [meeting.pk],
        )
        _put_back(cursor, "visio_attendeeexception", before["exceptions"] or [])
        _put_back(cursor, "visio_counterproposal", before["counters"] or [])


def _put_back(cursor: Any, table: str, rows: list[dict[str, Any]]) -> None:
    """Write these rows as they were, whether they are still there or not."""
    if not rows:
        return
    columns = [name for name in rows[0] if name != "id"]
    kept = ", ".join(f"{name} = EXCLUDED.{name}" for name in columns)
    cursor.execute(
        f"INSERT INTO {table} SELECT * FROM jsonb_populate_recordset(NULL::{table}, %s)"  # noqa: S608  our own names
        f" ON CONFLICT (id) DO UPDATE SET {kept}",
        [Jsonb(rows)],
    )


def _end(rest: Meeting, now: dt.datetime) -> None:
    """The meeting that was split off never was: nobody but the organiser had heard of it."""
    rest.deliveries.filter(state=DeliveryState.OWED).update(state=DeliveryState.SUPERSEDED)
    rest.attendees.exclude(role=Role.CHAIR).delete()
    rest.status = Status.CANCELLED
    rest.revision += 1
    rest.save(update_fields=["status", "revision", "changed_at"])
    if not rest.occurrences.exists():
        # Its dates went back: a meeting has one at least, whatever became of it.
        timetable = Timetable.of_meeting(rest)
        start = timetable.first() or timetable.literal(timetable.start)
        rest.occurrences.create(
            recurrence_id=start.at if rest.is_series else None, starts_at=start.at, ends_at=timetable.end_of(start)
        )
    rest.occurrences.update(status=Status.CANCELLED)
    sync_times(rest)
    close_room(rest, now)
    booked.release(rest)


def _owe_again(meeting: Meeting, ids: list[int], now: dt.datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_OWE_AGAIN, {"ids": ids, "sequence": meeting.sequence, "revision": meeting.revision, "now": now})
