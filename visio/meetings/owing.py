"""Which e-mails a change owes to whom: rows of the ledger, written in the transaction of the change itself.

A row tells the whole meeting (recurrence_id NULL) or one date of a series, always as it is when the letter is written
(visio.meetings.standing says which rows still count). So:

- a recipient holds at most one unsent REQUEST for the whole meeting, and one for a date: a newer one supersedes it and takes
  over what it had to say (visio.meetings.together), so that somebody who was never invited is invited, and somebody told of
  two changes at once is told both, and how it was before the first;
- an unsent REQUEST for the whole meeting covers every date: a change of one date renews it and adds none;
- a CANCEL is owed only where a REQUEST may have arrived (PROMISES 21).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import connection
from django.db.models import Q
from psycopg.types.json import Jsonb

from visio.meetings.models import (
    Attendee,
    Delivery,
    DeliveryReason,
    DeliveryState,
    Meeting,
    Method,
    Occurrence,
    Role,
)
from visio.meetings.scopes import Notify
from visio.meetings.together import Words, known_times, together

# A REQUEST that may be in somebody's mailbox: the server took it, or a sender has it or died with it in hand.
WENT_OUT = Q(method=Method.REQUEST) & (
    Q(sent_at__isnull=False) | Q(maybe_received=True) | Q(state=DeliveryState.SENDING)
)

_INSERT = """
INSERT INTO visio_delivery (meeting_id, attendee_id, uid, recurrence_id, sequence, revision, recipient, recipient_name,
                            method, reason, language, before, state, due_at, attempts, resends, server_words, created_at)
SELECT %(meeting)s, a.id, %(uid)s, w.recurrence_id, %(sequence)s, %(revision)s, a.email,
       CASE WHEN g.id IS NULL THEN a.name
            ELSE COALESCE(NULLIF(trim(g.given_name || ' ' || g.usual_name), ''), g.email) END,
       %(method)s, w.reason, COALESCE(g.language, %(language)s),
       -- Whoever is removed leaves no other trace of the address that their calendar knows as ORGANIZER.
       CASE WHEN %(method)s::text = 'CANCEL' THEN b.before || jsonb_build_object('attendee', a.public_id) ELSE b.before END,
       'owed', %(due_at)s, 0, 0, '', %(now)s
  FROM unnest(%(attendees)s::bigint[], %(dates)s::timestamptz[], %(reasons)s::text[], %(befores)s::int[])
       WITH ORDINALITY AS w (attendee, recurrence_id, reason, before, place)
  JOIN visio_attendee a ON a.id = w.attendee
  LEFT JOIN agents_agent g ON g.id = a.agent_id
  JOIN unnest(%(texts)s::jsonb[]) WITH ORDINALITY AS b (before, place) ON b.place = w.before
 ORDER BY w.place
RETURNING id
"""

Before = Mapping[str, Any]


@dataclass(frozen=True)
class Telling:
    """How one act is told. `before`: what it was (Delivery.before). `date`: the act is about that date of a series alone.

    `due_at`: later than now while the act can still be undone.
    """

    now: dt.datetime
    notify: Notify = Notify.DEFAULT
    due_at: dt.datetime | None = None
    before: Before = field(default_factory=dict)
    date: Occurrence | None = None

    @property
    def recurrence_id(self) -> dt.datetime | None:
        return self.date.recurrence_id if self.date is not None else None

    @property
    def is_silent(self) -> bool:
        return self.notify == Notify.NOBODY


@dataclass(frozen=True)
class _Row:
    attendee: Attendee
    recurrence_id: dt.datetime | None
    reason: DeliveryReason
    before: Before


def owe_invitations(
    *,
    meeting: Meeting,
    attendees: Sequence[Attendee],
    reason: DeliveryReason,
    now: dt.datetime,
    before: Before | None = None,
    date: Occurrence | None = None,
    due_at: dt.datetime | None = None,
) -> list[int]:
    """Owe each attendee a REQUEST for the meeting (or its `date`) as it is; the rows' ids. Call it inside the transaction."""
    telling = Telling(now, due_at=due_at, date=date)
    rows = [_Row(one, telling.recurrence_id, reason, before or {}) for one in attendees]
    return _insert(meeting, rows, Method.REQUEST, telling)


def owe_after_edit(
    *,
    meeting: Meeting,
    added: Sequence[Attendee],
    removed: Sequence[Attendee],
    kept: Sequence[Attendee],
    reason: DeliveryReason | None,
    telling: Telling,
) -> None:
    """What an edit owes. `reason` None: nothing worth telling those who stay (R8); what waits for them is renewed all the same.

    `removed` are told only when an invitation may have reached them.
    """
    waiting = _supersede(meeting, [*kept, *removed], Method.REQUEST, telling)
    reached = _reached(meeting, [*kept, *removed], telling)
    if telling.is_silent:
        reason = None
    elif telling.notify == Notify.ALL:
        reason = reason or DeliveryReason.CHANGED
    rows: list[_Row] = []
    for attendee in kept:
        older = waiting.get(attendee.email, [])
        if not older and reason is None:
            continue
        is_guest_of_one = attendee.only_occurrence_id is not None
        # What waits for the whole series tells this date too, and whoever was never invited is invited to all of it.
        is_new = attendee.email not in reached or _whole(older) is not None
        recurrence_id = None if is_new and not is_guest_of_one else telling.recurrence_id
        if attendee.email not in reached:
            rows.append(_Row(attendee, recurrence_id, DeliveryReason.INVITED, {}))
        elif reason is None and not telling.is_silent:
            rows += [_Row(attendee, one.recurrence_id, DeliveryReason(one.reason), one.before) for one in older]
        else:
            of = None if is_guest_of_one else telling.recurrence_id
            said = together([*_words(older, of), Words(reason or DeliveryReason.CHANGED, telling.before, of)])
            rows.append(_Row(attendee, recurrence_id, said.reason, said.before))
    # Who leaves this one date still waits for their invitation to the others.
    for attendee in removed:
        whole = _whole(waiting.get(attendee.email, []))
        if whole is not None and telling.date is not None:
            rows.append(_Row(attendee, None, DeliveryReason(whole.reason), whole.before))
    _insert(meeting, rows, Method.REQUEST, telling)

    _supersede(meeting, added, Method.CANCEL, telling)
    if telling.is_silent:
        return
    invited = [_Row(one, telling.recurrence_id, DeliveryReason.INVITED, {}) for one in added]
    _insert(meeting, invited, Method.REQUEST, telling)
    sorry = [
        _Row(one, telling.recurrence_id, DeliveryReason.REMOVED, _as_known(one, waiting, telling))
        for one in removed
        if one.email in reached
    ]
    _insert(meeting, sorry, Method.CANCEL, telling)


def owe_cancellations(
    *, meeting: Meeting, attendees: Sequence[Attendee], reason: DeliveryReason, telling: Telling
) -> None:
    """Take back what is unsent, and owe a CANCEL to those whom an invitation may have reached (PROMISES 21)."""
    waiting = _supersede(meeting, attendees, Method.REQUEST, telling)
    reached = _reached(meeting, attendees, telling)
    if telling.date is not None:
        whole = [
            _Row(attendee, None, DeliveryReason(older.reason), older.before)
            for attendee in attendees
            if (older := _whole(waiting.get(attendee.email, []))) is not None
        ]
        _insert(meeting, whole, Method.REQUEST, telling)
    if telling.is_silent:
        return
    told = [
        _Row(one, telling.recurrence_id, reason, _as_known(one, waiting, telling))
        for one in attendees
        if one.email in reached
    ]
    _insert(meeting, told, Method.CANCEL, telling)


@dataclass(frozen=True)
class LostDate:
    """A guest of one date who loses it. `before`: what that date was (Delivery.before)."""

    attendee: Attendee
    date: Occurrence
    reason: DeliveryReason
    before: Before


def owe_lost_dates(*, meeting: Meeting, lost: Sequence[LostDate], telling: Telling) -> None:
    """`owe_cancellations` for guests of one date, each of theirs, in the statements of one."""
    attendees = [one.attendee for one in lost]
    waiting = _supersede(meeting, attendees, Method.REQUEST, telling)
    if telling.is_silent or not lost:
        return
    gone = meeting.deliveries.filter(WENT_OUT, recipient__in=[one.email for one in attendees])
    reached = set(gone.order_by().values_list("recipient", "recurrence_id").distinct())
    rows = [
        _Row(
            one.attendee,
            one.date.recurrence_id,
            one.reason,
            _as_known(one.attendee, waiting, replace(telling, before=one.before, date=one.date)),
        )
        for one in lost
        if reached & {(one.attendee.email, None), (one.attendee.email, one.date.recurrence_id)}
    ]
    _insert(meeting, rows, Method.CANCEL, telling)


def owe_refusal(*, meeting: Meeting, attendee: Attendee, telling: Telling) -> None:
    """A DECLINECOUNTER to that attendee, same SEQUENCE (R20). A second one at the same version goes again."""
    same = meeting.deliveries.filter(
        recurrence_id=telling.recurrence_id,
        sequence=meeting.sequence,
        revision=meeting.revision,
        recipient=attendee.email,
        method=Method.DECLINECOUNTER,
    ).first()
    if same is None:
        row = _Row(attendee, telling.recurrence_id, DeliveryReason.COUNTER_REFUSED, telling.before)
        _insert(meeting, [row], Method.DECLINECOUNTER, telling)
        return
    same.state, same.due_at, same.attempts, same.before = DeliveryState.OWED, telling.now, 0, dict(telling.before)
    same.resends += 1
    same.save(update_fields=["state", "due_at", "attempts", "before", "resends"])


def _whole(rows: Iterable[Delivery]) -> Delivery | None:
    """Of what waits for somebody, the row for the whole meeting."""
    return next((row for row in rows if row.recurrence_id is None), None)


def _words(rows: Iterable[Delivery], of: dt.datetime | None) -> list[Words]:
    """What they had to say, oldest first. `of`: what the new row is about; a guest of one date knows of nothing else."""
    return [
        Words(
            DeliveryReason(row.reason),
            row.before,
            of if row.attendee is not None and row.attendee.only_occurrence_id is not None else row.recurrence_id,
        )
        for row in rows
    ]


def _as_known(attendee: Attendee, waiting: Mapping[str, list[Delivery]], telling: Telling) -> Before:
    """What is taken away from them, at the hour that they know: a move whose letter never left is none to them."""
    older = waiting.get(attendee.email)
    if not older:
        return telling.before
    return known_times(telling.before, _words(older, telling.recurrence_id), telling.recurrence_id)


def _supersede(
    meeting: Meeting, attendees: Iterable[Attendee], method: Method, telling: Telling
) -> dict[str, list[Delivery]]:
    """Put aside the unsent rows of these people that the act makes out of date; those of each by recipient, oldest first.

    Rows being sent are left to their sender.
    """
    recipients = {attendee.email for attendee in attendees}
    if not recipients:
        return {}
    unsent = meeting.deliveries.select_for_update(of=("self",)).filter(state=DeliveryState.OWED, method=method)
    unsent = unsent.select_related("attendee").order_by("pk")
    if telling.date is not None:
        # Back on one date is not back on all: what takes away the whole stays owed.
        wider = Q(recurrence_id=None) if method == Method.REQUEST else Q(pk=None)
        unsent = unsent.filter(wider | Q(recurrence_id=telling.recurrence_id))
    rows = [row for row in unsent if row.recipient in recipients]
    if rows:
        Delivery.objects.filter(pk__in=[row.pk for row in rows]).update(state=DeliveryState.SUPERSEDED)
    found: dict[str, list[Delivery]] = {}
    for row in rows:
        found.setdefault(row.recipient, []).append(row)
    return found


def _reached(meeting: Meeting, attendees: Sequence[Attendee], telling: Telling) -> set[str]:
    """Addresses that a REQUEST of what the act is about may have reached."""
    if not attendees:
        return set()
    gone = meeting.deliveries.filter(WENT_OUT)
    if telling.date is not None:
        gone = gone.filter(Q(recurrence_id=None) | Q(recurrence_id=telling.recurrence_id))
    return set(gone.order_by().values_list("recipient", flat=True).distinct())


def _insert(meeting: Meeting, rows: Sequence[_Row], method: Method, telling: Telling) -> list[int]:
    """One row of the ledger for each but the organiser, in one statement; their ids."""
    rows = [row for row in rows if row.attendee.role != Role.CHAIR]
    if not rows:
        return []
    # A guest of one date is told of that date alone.
    only = {row.attendee.only_occurrence_id for row in rows if row.attendee.only_occurrence_id is not None}
    dates = dict(Occurrence.objects.filter(pk__in=only).values_list("pk", "recurrence_id")) if only else {}
    texts: dict[int, int] = {}
    befores: list[Before] = []
    for row in rows:
        if id(row.before) not in texts:
            befores.append(row.before)
            texts[id(row.before)] = len(befores)
    values: dict[str, Any] = {
        "meeting": meeting.pk,
        "uid": meeting.uid,
        "sequence": meeting.sequence,
        "revision": meeting.revision,
        "method": method.value,
        "language": meeting.organiser.language,
        "due_at": telling.due_at or telling.now,
        "now": telling.now,
        "attendees": [row.attendee.pk for row in rows],
        "dates": [row.recurrence_id or dates.get(row.attendee.only_occurrence_id or 0) for row in rows],
        "reasons": [row.reason.value for row in rows],
        "befores": [texts[id(row.before)] for row in rows],
        "texts": [Jsonb(dict(before)) for before in befores],
    }
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, values)
        return [pk for (pk,) in cursor.fetchall()]
