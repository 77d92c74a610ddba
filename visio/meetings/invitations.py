"""Send what the ledger owes: claim rows, write the letters, mark each as soon as the server has it.

At least once, and as good as once: a row is marked right after the server's 250, so a sender killed in between leaves at
most the one message in its hand to be sent again, under the same Message-ID.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db import connection, transaction

from suite.core.events import publish
from suite.mail.message import OutgoingMail, UnsendableAddress, render_bytes
from suite.mail.smtp import Mailer, MailRefused, MailServerDown
from visio.events import DeliveriesProgressed
from visio.meetings.letters import Press
from visio.meetings.models import Delivery, DeliveryState, Meeting, Method, Occurrence
from visio.meetings.owing import WENT_OUT, owe_after_edit, owe_again, owe_cancellations, owe_invitations, resend

__all__ = [
    "BATCH",
    "DeliveryReport",
    "deliver",
    "owe_after_edit",
    "owe_cancellations",
    "owe_invitations",
    "resend",
]

logger = logging.getLogger(__name__)

BATCH = 50
# How long a sender may be silent before its rows are somebody else's; it renews its claim well before that.
LEASE = dt.timedelta(seconds=60)
_RENEW_EVERY = 15.0
# Waits after the first, second … temporary refusal; then the last one, until the row is set aside.
BACKOFF = (
    dt.timedelta(seconds=30),
    dt.timedelta(minutes=2),
    dt.timedelta(minutes=10),
    dt.timedelta(hours=1),
)
# With hourly tries: five days, after which RFC 5321 §4.5.4.1 gives up too.
MOST_ATTEMPTS = 124
# No server: its rows rest for this long.
SERVER_DOWN_REST = dt.timedelta(seconds=15)
# An earlier message to the same person is in another sender's hands: this one waits for it.
_WAIT_FOR_EARLIER = dt.timedelta(seconds=2)
_TELL_EVERY = 1.0


@dataclass(frozen=True)
class DeliveryReport:
    """What one call of `deliver` did with the rows it claimed. `server_down`: stop calling, a later sweep will."""

    claimed: int = 0
    sent: int = 0
    retried: int = 0
    failed: int = 0
    superseded: int = 0
    server_down: bool = False


def deliver(*, limit: int = BATCH, now: dt.datetime) -> DeliveryReport:
    """Claim up to `limit` due rows and send them over one connection. Any number of senders may call it at once."""
    claimed = _claim(limit, now)
    if not claimed:
        return DeliveryReport()
    batch = _Batch(claimed, now)
    try:
        batch.send()
    finally:
        # Whatever stopped the sending, what it did not do is owed again at once and not after the lease.
        batch.give_back()
        batch.tell()
    return batch.report()


@transaction.atomic
def _claim(limit: int, now: dt.datetime) -> list[int]:
    due = Delivery.objects.due(now).order_by("due_at", "pk").select_for_update(skip_locked=True)
    ids = list(due.values_list("pk", flat=True)[:limit])
    with connection.cursor() as cursor:
        cursor.execute(
            # A row found in 'sending' was in the hands of a sender that died: nobody knows whether it went out.
            "UPDATE visio_delivery SET maybe_received = maybe_received OR state = 'sending',"
            " state = 'sending', claimed_until = %s, attempts = attempts + 1 WHERE id = ANY(%s::bigint[])",
            [now + LEASE, ids],
        )
    return ids


@dataclass
class _Batch:
    """Claimed rows on their way. `waiting` are those not yet dealt with, oldest first."""

    ids: list[int]
    now: dt.datetime
    counts: dict[str, int] = field(default_factory=dict)
    touched: set[int] = field(default_factory=set)
    server_down: bool = False
    # The row being written or sent; still here afterwards when something unforeseen stopped the batch.
    in_hand: Delivery | None = None

    def __post_init__(self) -> None:
        self._started = self._told = self._renewed = time.monotonic()
        rows = Delivery.objects.filter(pk__in=self.ids).select_related(
            "meeting__organiser__organisation", "meeting__room", "attendee__agent"
        )
        self.waiting: list[Delivery] = list(rows.order_by("pk"))
        self._received = _who_received(self.waiting)

    def clock(self) -> dt.datetime:
        """Now, as time passes since `now` was given."""
        return self.now + dt.timedelta(seconds=time.monotonic() - self._started)

    def send(self) -> None:
        self._defer_behind_earlier_ones()
        letters = _Letters(self.waiting)
        if not self.waiting:
            return
        try:
            with Mailer() as mailer:
                while self.waiting:
                    self.in_hand = self.waiting[0]
                    self._send_one(self.in_hand, letters, mailer)
                    self.waiting.pop(0)
                    self.in_hand = None
                    self._renew_and_tell()
        except MailServerDown as down:
            logger.warning("mail server away, %d invitations wait: %s", len(self.waiting), down.words)
            self.server_down = True
            if self.in_hand is not None:
                # The reply to this one is lost: it may have been taken (PROMISES 2).
                Delivery.objects.filter(pk=self.in_hand.pk).update(maybe_received=True)
                self.in_hand = None

    def _send_one(self, row: Delivery, letters: _Letters, mailer: Mailer) -> None:
        self.touched.add(row.meeting_id)
        if not self._is_wanted(row):
            return
        try:
            mail = letters.write(row, now=self.clock())
            mailer.send(sender=mail.sender, recipient=mail.recipient, message=render_bytes(mail))
        except MailRefused as refused:
            self._mark_refused(row, permanent=refused.permanent, words=refused.words)
        except UnsendableAddress as unsendable:
            self._mark_refused(row, permanent=True, words=f"553 5.1.3 {unsendable}")
        else:
            self._received.add((row.meeting_id, row.recipient))
            self._mark(row, DeliveryState.SENT, sent_at=self.clock(), words="")

    def _is_wanted(self, row: Delivery) -> bool:
        """False, and the row is put aside, when it is out of date, or takes back what never went out (PROMISES 20, 21)."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT sequence, revision, status FROM visio_meeting WHERE id = %s", [row.meeting_id])
            sequence, revision, status = cursor.fetchone()
        received = (row.meeting_id, row.recipient) in self._received
        if row.method == Method.CANCEL:
            if received:
                return True
            self._supersede(row)
            return False
        if (row.sequence, row.revision, status) == (sequence, revision, "confirmed"):
            if not received and row.reason != "invited" and not row.resends:
                # Told of a change before ever being invited: it is an invitation.
                row.reason, row.before = "invited", {}
                Delivery.objects.filter(pk=row.pk).update(reason="invited", before={})
            return True
        self._supersede(row)
        return False

    def _supersede(self, row: Delivery) -> None:
        with transaction.atomic():
            meeting = Meeting.objects.select_for_update(of=("self",)).select_related("organiser").get(pk=row.meeting_id)
            row.meeting = meeting
            owe_again(row, now=self.clock())
        self._count("superseded")

    def _mark_refused(self, row: Delivery, *, permanent: bool, words: str) -> None:
        if permanent or row.attempts >= MOST_ATTEMPTS:
            self._mark(row, DeliveryState.FAILED, words=words)
        else:
            wait = BACKOFF[min(row.attempts, len(BACKOFF)) - 1]
            self._mark(row, DeliveryState.OWED, words=words, due_at=self.clock() + wait)

    def _mark(
        self,
        row: Delivery,
        state: DeliveryState,
        *,
        words: str,
        sent_at: dt.datetime | None = None,
        due_at: dt.datetime | None = None,
    ) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE visio_delivery SET state = %s, claimed_until = NULL, server_words = %s,"
                " sent_at = COALESCE(%s, sent_at), due_at = COALESCE(%s, due_at) WHERE id = %s",
                [state.value, words, sent_at, due_at, row.pk],
            )
        self._count({DeliveryState.SENT: "sent", DeliveryState.FAILED: "failed"}.get(state, "retried"))

    def _count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1

    def _defer_behind_earlier_ones(self) -> None:
        """A CANCEL must not overtake the REQUEST that another sender holds, nor a newer REQUEST an older one."""
        later = [row for row in self.waiting if row.revision > 1]
        if not later:
            return
        mine = [row.pk for row in self.waiting]
        others = Delivery.objects.filter(
            state=DeliveryState.SENDING,
            claimed_until__gte=self.now,
            meeting__in={row.meeting_id for row in later},
            recipient__in={row.recipient for row in later},
        ).exclude(pk__in=mine)
        oldest_last = others.order_by("-pk").values_list("meeting_id", "recipient", "pk")
        held = {(meeting, to): pk for meeting, to, pk in oldest_last}
        behind = [row for row in later if held.get((row.meeting_id, row.recipient), row.pk) < row.pk]
        self._release(behind, due_at=self.clock() + _WAIT_FOR_EARLIER)
        self.waiting = [row for row in self.waiting if row not in behind]

    def _renew_and_tell(self) -> None:
        beat = time.monotonic()
        if beat - self._renewed >= _RENEW_EVERY:
            self._renewed = beat
            Delivery.objects.filter(pk__in=[row.pk for row in self.waiting], state=DeliveryState.SENDING).update(
                claimed_until=self.clock() + LEASE
            )
        if beat - self._told >= _TELL_EVERY:
            self.tell()

    def tell(self) -> None:
        """Say which meetings' ledgers moved since the last time."""
        self._told = time.monotonic()
        touched, self.touched = self.touched, set()
        for meeting_id in sorted(touched):
            publish(DeliveriesProgressed(meeting_id=meeting_id))

    def give_back(self) -> None:
        """Owe the rest again, without counting an attempt; a row that broke the sender counts, and waits its turn."""
        if self.in_hand is not None:
            self._mark_refused(self.in_hand, permanent=False, words="portal: internal error")
            self.waiting.remove(self.in_hand)
        if self.waiting:
            self.touched |= {row.meeting_id for row in self.waiting}
            rest = SERVER_DOWN_REST if self.server_down else dt.timedelta(0)
            self._release(self.waiting, due_at=self.clock() + rest)
            self.waiting = []

    def _release(self, rows: Sequence[Delivery], *, due_at: dt.datetime) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE visio_delivery SET state = 'owed', claimed_until = NULL, due_at = %s,"
                " attempts = GREATEST(attempts - 1, 0) WHERE id = ANY(%s::bigint[]) AND state = 'sending'",
                [due_at, [row.pk for row in rows]],
            )

    def report(self) -> DeliveryReport:
        return DeliveryReport(claimed=len(self.ids), server_down=self.server_down, **self.counts)


class _Letters:
    """The letters of one batch, with what they share."""

    def __init__(self, rows: Iterable[Delivery]) -> None:
        self._press = Press()
        meetings = {row.meeting_id for row in rows}
        occurrences = Occurrence.objects.filter(meeting__in=meetings, recurrence_id=None)
        self._occurrences = {occurrence.meeting_id: occurrence for occurrence in occurrences}

    def write(self, row: Delivery, *, now: dt.datetime) -> OutgoingMail:
        return self._press.letter(row, occurrence=self._occurrences[row.meeting_id], now=now)


def _who_received(rows: Sequence[Delivery]) -> set[tuple[int, str]]:
    """(meeting, address) pairs that an earlier REQUEST may have reached; only asked for rows that are not a first one."""
    later = [row for row in rows if row.revision > 1 or row.resends]
    if not later:
        return set()
    earlier = Delivery.objects.filter(
        WENT_OUT,
        meeting__in={row.meeting_id for row in later},
        recipient__in={row.recipient for row in later},
    ).exclude(pk__in=[row.pk for row in rows], sent_at__isnull=True, maybe_received=False)
    return set(earlier.values_list("meeting_id", "recipient"))
