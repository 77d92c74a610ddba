"""A calendar asks for the meeting as it is today (REFRESH, RFC 5546 §3.2.6)."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from suite.core import doorbell
from suite.core.events import publish
from visio.events import DeliveriesProgressed
from visio.inbox.models import InboundMessage, Verdict
from visio.meetings.answers import check_open
from visio.meetings.models import Attendee, DeliveryReason, DeliveryState, Meeting, Method, Occurrence
from visio.meetings.owing import owe_invitations
from visio.meetings.tasks import deliver_invitations

# A calendar that asks in a loop gets this many letters, and then none for a while.
MOST = 3
WITHIN = dt.timedelta(hours=1)


def owe_refresh(*, meeting: Meeting, attendee: Attendee, date: Occurrence | None, now: dt.datetime) -> bool:
    """Owe the attendee today's REQUEST again; False when they had enough of them. SEQUENCE stays (R5). In a transaction.

    `meeting` is locked. Raises AnswerRefused when there is nothing to send: cancelled, over, not invited.
    """
    check_open(attendee, date, now)
    asked = InboundMessage.objects.filter(
        attendee=attendee, method="REFRESH", verdict=Verdict.APPLIED, received_at__gt=now - WITHIN
    )
    if asked.count() >= MOST:
        return False
    recurrence_id = date.recurrence_id if date is not None else None
    current = meeting.deliveries.select_for_update().filter(
        recurrence_id=recurrence_id,
        sequence=meeting.sequence,
        revision=meeting.revision,
        recipient=attendee.email,
        method=Method.REQUEST,
    )
    row = current.first()
    if row is None:
        owe_invitations(meeting=meeting, attendees=[attendee], reason=DeliveryReason.REFRESHED, now=now, date=date)
    elif row.state not in {DeliveryState.OWED, DeliveryState.SENDING}:
        row.state, row.reason, row.before = DeliveryState.OWED, DeliveryReason.REFRESHED, {}
        row.due_at, row.attempts, row.server_words = now, 0, ""
        row.resends += 1
        row.save(update_fields=["state", "reason", "before", "due_at", "attempts", "server_words", "resends"])
    publish(DeliveriesProgressed(meeting_id=meeting.pk))
    transaction.on_commit(_ring, robust=True)
    return True


def _ring() -> None:
    doorbell.ring(deliver_invitations)
