"""Send what the ledger owes: claim rows, write the letters, mark each as soon as the server has it.

At least once, and as good as once: a row is marked right after the server's 250, so a sender killed in between leaves at
most the one message in its hand to be sent again, under the same Message-ID.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from django.db import connection, transaction

from suite.core.events import publish
from suite.mail import throttle
from suite.mail.message import UnsendableAddress, render_bytes
from suite.mail.retrying import BACKOFF, MOST_ATTEMPTS, SERVER_DOWN_REST, wait_after
from suite.mail.smtp import Mailer, MailRefused, MailServerDown, pooled_mailer
from visio.events import DeliveriesProgressed
from visio.meetings.letter_rows import rows_by_id
from visio.meetings.letters import Press
from visio.meetings.models import Delivery, DeliveryReason, DeliveryState, Meeting, Method
from visio.meetings.standing import Standing
from visio.meetings.together import Words

__all__ = [
    "BATCH",
    "DeliveryReport",
    "deliver",
]

logger = logging.getLogger(__name__)

BATCH = 50
# One in so many of a full batch is taken from the newest end of the queue.
NEWEST_SHARE = 5
# How long a sender may be silent before its rows are somebody else's; it renews its claim well before that.
LEASE = dt.timedelta(seconds=30)
_RENEW_EVERY = 5.0
# An earlier message to the same person is in another sender's hands: this one waits for it.
_WAIT_FOR_EARLIER = dt.timedelta(seconds=2)
_TELL_EVERY = 1.0
# How old a meeting's version may be when a letter is sent.
_FRESH = 0.1

# One statement: mark, and see whether the meeting is still what the next letter says. It does not wait for the disk:
# a database that crashes in the next half second forgets the mark, and the same Message-ID goes out again.
_MARK = """
UPDATE visio_delivery d
   SET state = %s, claimed_until = NULL, server_words = %s,
       sent_at = COALESCE(%s, d.sent_at), due_at = COALESCE(%s, d.due_at)
  FROM visio_meeting m
 WHERE d.id = %s AND m.id = d.meeting_id AND set_config('synchronous_commit', 'off', true) = 'off'
RETURNING m.sequence, m.revision, m.status
"""


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


def next_due(now: dt.datetime) -> dt.datetime | None:
    """When the next owed row may go; None when none is owed."""
    owed = Delivery.objects.filter(state=DeliveryState.OWED, due_at__gt=now).order_by("due_at", "pk")
    return owed.values_list("due_at", flat=True).first()


@transaction.atomic
def _claim(limit: int, now: dt.datetime) -> dict[int, bool]:
    """The rows claimed, by id; whether each holds a slot of its limited domain."""
    due = Delivery.objects.due(now).select_for_update(skip_locked=True).values_list("pk", "state", "claimed_until")
    newest = limit // NEWEST_SHARE
    found = list(due.order_by("due_at", "pk")[: limit - newest])
    if newest and len(found) == limit - newest:
        # Behind a crowd's thousands nobody waits: the newest go along.
        others = _newest([pk for pk, *_rest in found], limit, now)
        found += due.filter(pk__in=others).order_by("-due_at", "-pk")[:newest]
        found += due.exclude(pk__in=[pk for pk, *_rest in found]).order_by("due_at", "pk")[: limit - len(found)]
    with connection.cursor() as cursor:
        cursor.execute(
            # A row found in 'sending' was in the hands of a sender that died: nobody knows whether it went out.
            "UPDATE visio_delivery SET maybe_received = maybe_received OR state = 'sending',"
            " state = 'sending', claimed_until = %s, attempts = attempts + 1 WHERE id = ANY(%s::bigint[])",
            [now + LEASE, [pk for pk, _state, _until in found]],
        )
    return {
        pk: state == DeliveryState.OWED and until is not None and now - until <= throttle.SLOT_KEEPS
        for pk, state, until in found
    }


def _newest(but: Collection[int], limit: int, now: dt.datetime) -> list[int]:
    """Of the newest due rows those that follow no unsent one to the same person. Few are looked at, however many are due."""
    due = Delivery.objects.due(now).exclude(pk__in=but).order_by("-due_at", "-pk")
    rows = list(due.values_list("pk", "meeting", "recipient", "revision")[:limit])
    later = [(meeting, recipient) for _pk, meeting, recipient, revision in rows if revision > 1]
    first: dict[tuple[int, str], int] = {}
    if later:
        unsent = Delivery.objects.filter(
            state__in=[DeliveryState.OWED, DeliveryState.SENDING],
            meeting__in={meeting for meeting, _recipient in later},
            recipient__in={recipient for _meeting, recipient in later},
        )
        newest_first = unsent.order_by("-pk").values_list("meeting", "recipient", "pk")
        first = {(meeting, recipient): pk for meeting, recipient, pk in newest_first}
    return [
        pk for pk, meeting, recipient, revision in rows if revision == 1 or first.get((meeting, recipient), pk) >= pk
    ]


@dataclass(frozen=True)
class _Letter:
    row: Delivery
    sender: str
    envelope_sender: str
    message: bytes


class _Batch:
    """Claimed rows on their way. `left`: those not yet dealt with, oldest first, by id."""

    def __init__(self, claimed: dict[int, bool], now: dt.datetime) -> None:
        self.ids = list(claimed)
        self.now = now
        self.server_down = False
        self._with_slot = {pk for pk, has_slot in claimed.items() if has_slot}
        self._counts: dict[str, int] = {}
        self._seen: dict[int, tuple[float, tuple[int, int, str]]] = {}
        self._touched: set[int] = set()
        self._started = self._told = self._renewed = time.monotonic()
        self._left: dict[int, Delivery] = {row.pk: row for row in rows_by_id(self.ids)}
        self._unwritten = list(self._left.values())
        # The row whose letter is being written; still here afterwards when something unforeseen stopped the batch.
        self._on_the_desk: Delivery | None = None

    def clock(self) -> dt.datetime:
        """Now, as time passes since `now` was given."""
        return self.now + dt.timedelta(seconds=time.monotonic() - self._started)

    def send(self) -> None:
        self._defer_over_the_rate()
        self._defer_behind_earlier_ones()
        if not self._unwritten:
            return
        # Only now: asked before, a letter in another sender's hands would count as received although that sender then
        # puts it aside, and a first invitation would be called a change.
        self._standing = Standing(self._unwritten)
        self._press = Press(self._unwritten, now=self.now)
        letter = self._next_letter()
        if letter is None:
            return
        try:
            with pooled_mailer() as mailer:
                while letter is not None:
                    letter = self._hand_over(letter, mailer)
                    self._renew_and_tell()
        except MailServerDown as down:
            logger.warning("mail server away, %d invitations wait: %s", len(self._left), down.words)
            self.server_down = True

    def _hand_over(self, letter: _Letter, mailer: Mailer) -> _Letter | None:
        """Send one letter; answer the next, written while the server stored this one."""
        row = letter.row
        try:
            # Put off for more than an hour: it may be its own address that the relay does not like.
            own = letter.envelope_sender if row.attempts <= len(BACKOFF) else ""
            mailer.begin(
                sender=own or letter.sender,
                or_sender=letter.sender,
                recipient=row.recipient,
                message=letter.message,
            )
        except MailRefused as refused:
            self._mark_refused(row, permanent=refused.permanent, words=refused.words)
            return self._next_letter()
        except MailServerDown:
            # Perhaps over this very message: the others must not wait behind it for ever.
            self._release([row], due_at=self.clock() + BACKOFF[0])
            del self._left[row.pk]
            raise
        try:
            return self._next_letter()
        finally:
            self._finish(row, mailer)

    def _finish(self, row: Delivery, mailer: Mailer) -> None:
        try:
            mailer.finish()
        except MailRefused as refused:
            self._mark_refused(row, permanent=refused.permanent, words=refused.words)
        except MailServerDown as down:
            # The reply is lost: the server may have taken the message (PROMISES 2). It counts as a try: a message over which
            # the server hangs up every time would else be sent again every few seconds, before all others.
            Delivery.objects.filter(pk=row.pk).update(maybe_received=True)
            self._mark_refused(row, permanent=False, words=down.words)
            raise
        else:
            self._standing.note_sent(row)
            self._mark(row, DeliveryState.SENT, sent_at=self.clock(), words="")

    def _next_letter(self) -> _Letter | None:
        """The next row's letter, past those that need none; None when there is no row left."""
        while self._unwritten:
            row = self._unwritten.pop(0)
            self._touched.add(row.meeting_id)
            if not self._is_wanted(row) or self._is_behind_a_cancel(row):
                continue
            self._on_the_desk = row
            try:
                mail = self._press.letter(row, now=self.clock())
                letter = _Letter(row, mail.sender, mail.envelope_sender, render_bytes(mail))
            except UnsendableAddress as unsendable:
                self._mark_refused(row, permanent=True, words=f"553 5.1.3 {unsendable}")
            else:
                self._on_the_desk = None
                return letter
        self._on_the_desk = None
        return None

    def _is_wanted(self, row: Delivery) -> bool:
        """False, and the row is put aside, when it is out of date, or takes back what never went out (PROMISES 20, 21)."""
        self._refresh(row)
        received = self._standing.received(row)
        if self._standing.is_covered(row) or not (received if row.method == Method.CANCEL else self._press.is_on(row)):
            Delivery.objects.filter(pk=row.pk).update(state=DeliveryState.SUPERSEDED, claimed_until=None)
            self._done(row, "superseded")
            return False
        if row.method == Method.REQUEST and row.reason != DeliveryReason.INVITED and not row.resends:
            said = self._standing.words(row) if received else Words(DeliveryReason.INVITED, {})
            # Told of a change before ever being invited: it is an invitation. Told of two at once: the letter names both.
            if (said.reason, said.before) != (row.reason, row.before):
                row.reason, row.before = said.reason, dict(said.before)
                Delivery.objects.filter(pk=row.pk).update(reason=row.reason, before=row.before)
        return True

    def _is_behind_a_cancel(self, row: Delivery) -> bool:
        """True, and the row is put back, while its recipient's CANCEL of the whole meeting has not left."""
        if not self._standing.waits_for_cancel(row):
            return False
        cancel = row.meeting.deliveries.filter(
            method=Method.CANCEL,
            recipient=row.recipient,
            recurrence_id=None,
            pk__lt=row.pk,
            state__in=[DeliveryState.OWED, DeliveryState.SENDING],
        ).first()
        if cancel is None:
            return False
        self._release([row], due_at=max(cancel.due_at, self.clock() + _WAIT_FOR_EARLIER))
        self._done(row, "deferred")
        return True

    def _refresh(self, row: Delivery) -> None:
        """A letter tells the meeting as it is now: read it again when it changed since it was read."""
        if self._version_now(row.meeting_id) == _version(row.meeting):
            return
        mine = [one for one in self._left.values() if one.meeting_id == row.meeting_id]
        fresh = {one.pk: one for one in rows_by_id([one.pk for one in mine])}
        for one in mine:
            one.attendee = fresh[one.pk].attendee
        meeting = self._press.forget(row.meeting_id)
        self._seen[row.meeting_id] = (time.monotonic(), _version(meeting))
        self._standing.read(mine)

    def _version_now(self, meeting_id: int) -> tuple[int, int, str]:
        """SEQUENCE, revision and status: as the last mark saw them when that was a moment ago, else asked."""
        seen = self._seen.get(meeting_id)
        if seen is None or time.monotonic() - seen[0] > _FRESH:
            with connection.cursor() as cursor:
                cursor.execute("SELECT sequence, revision, status FROM visio_meeting WHERE id = %s", [meeting_id])
                seen = self._seen[meeting_id] = (time.monotonic(), cursor.fetchone())
        return seen[1]

    def _mark_refused(self, row: Delivery, *, permanent: bool, words: str) -> None:
        if permanent or row.attempts >= MOST_ATTEMPTS:
            self._mark(row, DeliveryState.FAILED, words=words)
        else:
            wait = wait_after(row.attempts)
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
            cursor.execute(_MARK, [state.value, words, sent_at, due_at, row.pk])
            self._seen[row.meeting_id] = (time.monotonic(), cursor.fetchone())
        self._done(row, {DeliveryState.SENT: "sent", DeliveryState.FAILED: "failed"}.get(state, "retried"))

    def _done(self, row: Delivery, what: str) -> None:
        del self._left[row.pk]
        self._counts[what] = self._counts.get(what, 0) + 1

    def _defer_over_the_rate(self) -> None:
        """Rows of a domain that has had its share of this second are put back until theirs; the others go on."""
        turns = throttle.turns({row.pk: row.recipient for row in self._unwritten if row.pk not in self._with_slot})
        asked_at = self.clock()
        if turns.unknown:
            self._put_back([self._left[pk] for pk in turns.unknown], due_at=asked_at + throttle.DOWN_REST)
        for pk, wait in turns.later.items():
            self._put_back([self._left[pk]], due_at=asked_at + wait, slot=asked_at + wait)

    def _defer_behind_earlier_ones(self) -> None:
        """A CANCEL must not overtake the REQUEST that another sender holds, nor a newer REQUEST an older one."""
        later = [row for row in self._unwritten if row.revision > 1]
        if not later:
            return
        others = Delivery.objects.filter(
            state=DeliveryState.SENDING,
            claimed_until__gte=self.now,
            meeting__in={row.meeting_id for row in later},
            recipient__in={row.recipient for row in later},
        ).exclude(pk__in=self.ids)
        oldest_last = others.order_by("-pk").values_list("meeting_id", "recipient", "pk")
        held = {(meeting, to): pk for meeting, to, pk in oldest_last}
        behind = [row for row in later if held.get((row.meeting_id, row.recipient), row.pk) < row.pk]
        self._put_back(behind, due_at=self.clock() + _WAIT_FOR_EARLIER)

    def _put_back(self, rows: Sequence[Delivery], *, due_at: dt.datetime, slot: dt.datetime | None = None) -> None:
        self._release(rows, due_at=due_at, slot=slot)
        for row in rows:
            self._unwritten.remove(row)
            del self._left[row.pk]

    def _renew_and_tell(self) -> None:
        beat = time.monotonic()
        if beat - self._renewed >= _RENEW_EVERY:
            self._renewed = beat
            Delivery.objects.filter(pk__in=list(self._left), state=DeliveryState.SENDING).update(
                claimed_until=self.clock() + LEASE
            )
        if beat - self._told >= _TELL_EVERY:
            self.tell()

    def tell(self) -> None:
        """Say which meetings' ledgers moved since the last time."""
        self._told = time.monotonic()
        touched, self._touched = self._touched, set()
        for meeting_id in sorted(touched):
            publish(DeliveriesProgressed(meeting_id=meeting_id))

    def give_back(self) -> None:
        """Owe the rest again, without counting an attempt; a row that broke the sender counts, and waits its turn."""
        if self._on_the_desk is not None:
            self._mark_refused(self._on_the_desk, permanent=False, words="portal: internal error")
        if self._left:
            self._touched |= {row.meeting_id for row in self._left.values()}
            rest = SERVER_DOWN_REST if self.server_down else dt.timedelta(0)
            self._release(self._left.values(), due_at=self.clock() + rest)
            self._left = {}

    def _release(self, rows: Iterable[Delivery], *, due_at: dt.datetime, slot: dt.datetime | None = None) -> None:
        """Owe them again, as if never claimed. `slot`: when their domain's rate lets them go, kept in `claimed_until`."""
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE visio_delivery SET state = 'owed', claimed_until = %s, due_at = %s,"
                " attempts = GREATEST(attempts - 1, 0) WHERE id = ANY(%s::bigint[]) AND state = 'sending'",
                [slot, due_at, [row.pk for row in rows]],
            )

    def report(self) -> DeliveryReport:
        counts = {name: count for name, count in self._counts.items() if name != "deferred"}
        return DeliveryReport(claimed=len(self.ids), server_down=self.server_down, **counts)


def _version(meeting: Meeting) -> tuple[int, int, str]:
    return meeting.sequence, meeting.revision, meeting.status
