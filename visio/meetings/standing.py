"""Which rows of the ledger still have something to say: what reached somebody already, and what newer rows say instead.

A row covers another of the same recipient when it tells the same date or the whole meeting. A letter always tells the
meeting as it is today, so one letter is enough for all that it covers; a row for one date says nothing of the others.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from visio.meetings.models import ChangeKind, Delivery, DeliveryReason, DeliveryState, MeetingChange, Method
from visio.meetings.together import Before, Words, together

_UNSENT = {DeliveryState.OWED, DeliveryState.SENDING}


# In the order of _Other's fields.
_COLUMNS = (
    "pk",
    "method",
    "recurrence_id",
    "state",
    "sent_at",
    "maybe_received",
    "resends",
    "revision",
    "reason",
    "before",
)


@dataclass(frozen=True)
class _Other:
    """What is known of one row of the same meeting and recipient."""

    pk: int
    method: str
    recurrence_id: dt.datetime | None
    state: str
    sent_at: dt.datetime | None
    maybe_received: bool
    resends: int
    revision: int
    reason: str
    before: Before

    def tells(self, row: Delivery | _Other) -> bool:
        return self.recurrence_id is None or self.recurrence_id == row.recurrence_id

    @property
    def never_went_out(self) -> bool:
        return self.sent_at is None and not self.maybe_received

    def takes_back(self, invitation: _Other, row: Delivery) -> bool:
        """Whether this CANCEL arrived after `invitation`, and took from it what `row` would take."""
        told = self.recurrence_id is None or self.recurrence_id in {invitation.recurrence_id, row.recurrence_id}
        return self.method == Method.CANCEL and self.state == DeliveryState.SENT and self.pk > invitation.pk and told


class Standing:
    """The rows around those of a batch. `rows` are in this sender's hands: unsent, whatever their state says."""

    def __init__(self, rows: Sequence[Delivery]) -> None:
        self._own = {row.pk for row in rows}
        self._others: dict[tuple[int, str], list[_Other]] = defaultdict(list)
        # What this sender sent itself: (meeting, recipient) -> dates, None for the whole meeting.
        self._sent: dict[tuple[int, str], set[dt.datetime | None]] = defaultdict(set)
        # The first row of somebody, for a meeting that nobody changed since, has no other one beside it.
        self.read(row for row in rows if row.revision > 1 or row.resends or row.meeting.revision > row.revision)

    def read(self, rows: Iterable[Delivery]) -> None:
        """Look at what stands beside these rows, now. One statement, none without rows."""
        wanted = {(row.meeting_id, row.recipient) for row in rows}
        if not wanted:
            return
        found = Delivery.objects.filter(
            meeting__in={meeting for meeting, _recipient in wanted},
            recipient__in={recipient for _meeting, recipient in wanted},
        ).order_by("pk")
        for key in wanted:
            self._others[key] = []
        for meeting, recipient, *rest in found.values_list("meeting_id", "recipient", *_COLUMNS):
            if (meeting, recipient) in wanted:
                self._others[meeting, recipient].append(_Other(*rest))

    def note_sent(self, row: Delivery) -> None:
        if row.method == Method.REQUEST:
            self._sent[row.meeting_id, row.recipient].add(row.recurrence_id)

    def received(self, row: Delivery) -> bool:
        """Whether a REQUEST of what `row` is about may be in the recipient's mailbox; for a CANCEL, one that still stands."""
        key = (row.meeting_id, row.recipient)
        others = self._others.get(key, ())
        told = self._sent.get(key, set()) | {
            other.recurrence_id
            for other in others
            if self._went_out(other) and not (row.method == Method.CANCEL and self._is_taken_back(other, others, row))
        }
        if row.method == Method.CANCEL and row.recurrence_id is None:
            return bool(told)
        return None in told or row.recurrence_id in told

    def words(self, row: Delivery) -> Words:
        """What `row` has to say, and what rows put aside for it had: also those that a sender held when it was owed."""
        own = Words(DeliveryReason(row.reason), row.before, row.recurrence_id)
        others = self._others.get((row.meeting_id, row.recipient), ())
        lent = [other for other in others if self._is_lent(other, row, others)]
        if not lent:
            return own
        # What was taken back was never so.
        restored = MeetingChange.objects.filter(meeting=row.meeting_id, kind=ChangeKind.RESTORED)
        undone = {revision - 1 for revision in restored.values_list("revision", flat=True)}
        kept = [other for other in lent if other.revision not in undone]
        return together(
            [*(Words(DeliveryReason(other.reason), other.before, other.recurrence_id) for other in kept), own]
        )

    def _is_lent(self, other: _Other, row: Delivery, others: Iterable[_Other]) -> bool:
        return (
            other.method == Method.REQUEST
            and other.state in {DeliveryState.SUPERSEDED, DeliveryState.FAILED}
            and other.never_went_out
            and other.pk < row.pk
            and row.recurrence_id in {None, other.recurrence_id}
            and not any(one.pk > other.pk and one.tells(other) and self._went_out(one) for one in others)
        )

    def _is_taken_back(self, invitation: _Other, others: Iterable[_Other], row: Delivery) -> bool:
        """Whether a CANCEL arrived since. By the order of the rows: clocks of two senders differ."""
        if row.resends or invitation.resends or invitation.state != DeliveryState.SENT:
            return False
        return any(other.pk != row.pk and other.takes_back(invitation, row) for other in others)

    def waits_for_cancel(self, row: Delivery) -> bool:
        """Whether the recipient's CANCEL of the whole must arrive before this date: after it, the date would go as well."""
        return (
            row.method == Method.REQUEST
            and row.recurrence_id is not None
            and any(
                other.method == Method.CANCEL
                and other.recurrence_id is None
                and other.pk < row.pk
                and other.state in _UNSENT
                for other in self._others.get((row.meeting_id, row.recipient), ())
            )
        )

    def _went_out(self, other: _Other) -> bool:
        if other.method != Method.REQUEST:
            return False
        # A sender has it in hand, or died with it in hand: nobody knows.
        in_other_hands = other.state == DeliveryState.SENDING and other.pk not in self._own
        return not other.never_went_out or in_other_hands

    def is_covered(self, row: Delivery) -> bool:
        """Whether another row says all that this one had to say."""
        others = self._others.get((row.meeting_id, row.recipient), ())
        return any(self._says_more(other, row) for other in others) or (
            # Not even invited yet, and an invitation to the whole series waits: it will tell this date as it is by then.
            row.method == Method.REQUEST
            and row.recurrence_id is not None
            and any(self._is_waiting_invitation(other, row) for other in others)
            and not self.received(row)
        )

    def _says_more(self, other: _Other, row: Delivery) -> bool:
        if other.pk <= row.pk or other.state == DeliveryState.SUPERSEDED or not other.tells(row):
            return False
        if other.method == Method.DECLINECOUNTER:
            return False
        if row.method == Method.DECLINECOUNTER and other.method == Method.REQUEST:
            return False
        # Asked for again by hand, it goes again although a newer one went.
        return not (row.resends and other.state == DeliveryState.SENT)

    def _is_waiting_invitation(self, other: _Other, row: Delivery) -> bool:
        return (
            other.method == Method.REQUEST
            and other.pk < row.pk
            and other.recurrence_id is None
            and other.state in _UNSENT
            and other.never_went_out
        )
