"""Which e-mails a change owes to whom: rows of the ledger, written in the transaction of the change itself.

A recipient holds at most one unsent REQUEST: a newer one supersedes it and takes over what it had to say, so that
somebody who was never invited is invited, and somebody told of two moves at once is told where it was before the first.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Q

from suite.agents.models import Agent
from suite.core.events import publish
from visio.events import DeliveriesProgressed
from visio.meetings.models import (
    Attendee,
    Delivery,
    DeliveryReason,
    DeliveryState,
    Meeting,
    Method,
    Role,
)
from visio.meetings.permissions import can_edit_meeting

# A REQUEST that may be in somebody's mailbox: the server took it, or a sender has it or died with it in hand.
WENT_OUT = Q(method=Method.REQUEST) & (
    Q(sent_at__isnull=False) | Q(maybe_received=True) | Q(state=DeliveryState.SENDING)
)


class ResendRefused(Exception):
    """Nothing to send again. `.reason`: "not_allowed", "removed" (no longer invited) or "under_way"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def owe_invitations(
    *, meeting: Meeting, attendees: Sequence[Attendee], reason: DeliveryReason, now: dt.datetime
) -> list[Delivery]:
    """Owe each attendee a REQUEST for the meeting as it is. Call it inside the transaction that made it so."""
    return _owe(meeting, attendees, Method.REQUEST, {}, default=(reason, {}), now=now)


def owe_after_edit(
    *,
    meeting: Meeting,
    added: Sequence[Attendee],
    removed: Sequence[Attendee],
    kept: Sequence[Attendee],
    reason: DeliveryReason | None,
    before: Mapping[str, str],
    now: dt.datetime,
) -> None:
    """What an edit owes. `reason` None: nothing worth telling those who stay (R8).

    `removed` are told only when an invitation may have reached them. `before`: times, title and place until now.
    """
    waiting = _supersede(meeting, [*kept, *removed], Method.REQUEST)
    gone_out = _went_out(meeting, [*kept, *removed])
    inherited: dict[str, tuple[DeliveryReason, Mapping[str, str]]] = {}
    for attendee in kept:
        older = waiting.get(attendee.email)
        if attendee.email not in gone_out:
            inherited[attendee.email] = (DeliveryReason.INVITED, {})
        elif older is not None:
            inherited[attendee.email] = (_stronger(DeliveryReason(older.reason), reason), older.before or before)
    told = [attendee for attendee in kept if reason is not None or attendee.email in waiting]
    _owe(meeting, told, Method.REQUEST, inherited, default=(reason or DeliveryReason.CHANGED, before), now=now)

    _supersede(meeting, added, Method.CANCEL)
    owe_invitations(meeting=meeting, attendees=added, reason=DeliveryReason.INVITED, now=now)
    sorry = [attendee for attendee in removed if attendee.email in gone_out]
    _owe(meeting, sorry, Method.CANCEL, {}, default=(DeliveryReason.REMOVED, before), now=now)


def owe_cancellations(
    *,
    meeting: Meeting,
    attendees: Sequence[Attendee],
    reason: DeliveryReason,
    before: Mapping[str, str],
    now: dt.datetime,
) -> None:
    """Take back what is unsent, and owe a CANCEL to those whom an invitation may have reached (PROMISES 21)."""
    _supersede(meeting, attendees, Method.REQUEST)
    gone_out = _went_out(meeting, attendees)
    told = [attendee for attendee in attendees if attendee.email in gone_out]
    _owe(meeting, told, Method.CANCEL, {}, default=(reason, before), now=now)


def owe_again(delivery: Delivery, *, now: dt.datetime) -> None:
    """Put a claimed row aside. A REQUEST that is out of date is owed anew, unless a newer one is owed or gone already."""
    delivery.state = DeliveryState.SUPERSEDED
    delivery.claimed_until = None
    delivery.save(update_fields=["state", "claimed_until"])
    meeting = delivery.meeting
    if delivery.method != Method.REQUEST or delivery.attendee_id is None or meeting.is_cancelled:
        return
    attendee = Attendee.objects.get(pk=delivery.attendee_id)
    newer = Delivery.objects.filter(
        meeting=meeting, recipient=delivery.recipient, method=Method.REQUEST, revision__gt=delivery.revision
    )
    if not newer.exists():
        _owe(
            meeting,
            [attendee],
            Method.REQUEST,
            {},
            default=(DeliveryReason(delivery.reason), delivery.before),
            now=now,
        )


@transaction.atomic
def resend(
    *, delivery: Delivery | None = None, meeting: Meeting | None = None, by: Agent, now: dt.datetime
) -> list[Delivery]:
    """Send one row again, or every failed row of a meeting. The text is today's; the Message-ID is new.

    For the organiser and administrators. Raises ResendRefused.
    """
    of = meeting or (delivery.meeting if delivery else None)
    if of is None:
        raise TypeError("resend wants a delivery or a meeting")
    if not (can_edit_meeting(of, by) or by.is_staff):
        raise ResendRefused("not_allowed")
    of = Meeting.objects.select_for_update(of=("self",)).select_related("organiser", "room").get(pk=of.pk)
    if delivery is not None:
        rows = [_resend_one(of, delivery, now)]
    else:
        failed = of.deliveries.filter(state=DeliveryState.FAILED).order_by("recipient", "-revision", "-pk")
        latest = {row.recipient: row for row in reversed(failed)}
        rows = [_resend_one(of, row, now) for row in latest.values() if row.method == _method(of, row)]
    publish(DeliveriesProgressed(meeting_id=of.pk))
    return rows


def _method(meeting: Meeting, row: Delivery) -> str:
    return Method.CANCEL if meeting.is_cancelled or row.reason == DeliveryReason.REMOVED else Method.REQUEST


def _resend_one(meeting: Meeting, delivery: Delivery, now: dt.datetime) -> Delivery:
    row = Delivery.objects.select_for_update(of=("self",)).get(pk=delivery.pk)
    if row.state in {DeliveryState.SENDING, DeliveryState.OWED}:
        raise ResendRefused("under_way")
    if row.method == Method.REQUEST and not _is_current(row, meeting):
        attendee = meeting.attendees.select_related("agent").filter(email=row.recipient).first()
        if attendee is None or meeting.is_cancelled:
            raise ResendRefused("removed")
        current = meeting.deliveries.filter(
            recipient=row.recipient, method=Method.REQUEST, sequence=meeting.sequence, revision=meeting.revision
        ).first()
        if current is None:
            [made] = owe_invitations(meeting=meeting, attendees=[attendee], reason=DeliveryReason.INVITED, now=now)
            return made
        return _resend_one(meeting, current, now)
    row.state, row.due_at, row.attempts, row.server_words = DeliveryState.OWED, now, 0, ""
    row.resends += 1
    row.save(update_fields=["state", "due_at", "attempts", "server_words", "resends"])
    return row


def _is_current(row: Delivery, meeting: Meeting) -> bool:
    return (row.sequence, row.revision, meeting.is_cancelled) == (meeting.sequence, meeting.revision, False)


def _stronger(older: DeliveryReason, newer: DeliveryReason | None) -> DeliveryReason:
    for reason in (DeliveryReason.INVITED, DeliveryReason.MOVED):
        if reason in {older, newer}:
            return reason
    return DeliveryReason.CHANGED


def _supersede(meeting: Meeting, attendees: Iterable[Attendee], method: Method) -> dict[str, Delivery]:
    """Put the unsent rows of these people aside; those rows by recipient. Rows being sent are left to their sender."""
    recipients = {attendee.email for attendee in attendees}
    if not recipients:
        return {}
    rows = [
        row
        for row in meeting.deliveries.select_for_update().filter(state=DeliveryState.OWED, method=method).order_by("pk")
        if row.recipient in recipients
    ]
    Delivery.objects.filter(pk__in=[row.pk for row in rows]).update(state=DeliveryState.SUPERSEDED)
    return {row.recipient: row for row in rows}


def _went_out(meeting: Meeting, attendees: Iterable[Attendee]) -> set[str]:
    if not attendees:
        return set()
    return set(meeting.deliveries.filter(WENT_OUT).order_by().values_list("recipient", flat=True))


def _owe(
    meeting: Meeting,
    attendees: Sequence[Attendee],
    method: Method,
    inherited: Mapping[str, tuple[DeliveryReason, Mapping[str, Any]]],
    *,
    default: tuple[DeliveryReason, Mapping[str, Any]],
    now: dt.datetime,
) -> list[Delivery]:
    """One row for each attendee but the organiser; reason and `before` from `inherited` by address, else `default`."""
    guests = [attendee for attendee in attendees if attendee.role != Role.CHAIR]
    agent_ids = {attendee.agent_id for attendee in guests if attendee.agent_id is not None}
    known = Agent.objects.filter(pk__in=agent_ids).only("given_name", "usual_name", "email", "language")
    agents = {agent.pk: agent for agent in known} if agent_ids else {}
    rows = []
    for attendee in guests:
        agent = agents.get(attendee.agent_id) if attendee.agent_id is not None else None
        reason, before = inherited.get(attendee.email, default)
        rows.append(
            Delivery(
                meeting=meeting,
                attendee=attendee,
                uid=meeting.uid,
                sequence=meeting.sequence,
                revision=meeting.revision,
                recipient=attendee.email,
                recipient_name=agent.full_name if agent else attendee.name,
                method=method,
                reason=reason,
                language=agent.language if agent else meeting.organiser.language,
                before=dict(before),
                due_at=now,
            )
        )
    return Delivery.objects.bulk_create(rows, batch_size=1000)
