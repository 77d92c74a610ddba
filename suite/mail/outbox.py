"""The outbox: letters without a calendar, owed as rows in the transaction that owes them, sent by Celery.

At least once, and as good as once: a row is marked right after the server's 250, and its Message-ID is derived from its key,
so that a letter sent again by a sender killed in between is recognised as the same.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
import time
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from email.utils import parseaddr

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q

from suite.core import doorbell
from suite.core.plain import one_line
from suite.mail import throttle
from suite.mail.message import OutgoingMail, UnsendableAddress, render_bytes
from suite.mail.models import OutboxMail, OutboxState
from suite.mail.retrying import MOST_ATTEMPTS, SERVER_DOWN_REST, wait_after
from suite.mail.smtp import Mailer, MailRefused, MailServerDown, pooled_mailer

logger = logging.getLogger(__name__)

BATCH = 50
# How long a sender may be silent before its letters are somebody else's; it renews its claim this many times meanwhile.
LEASE = dt.timedelta(minutes=2)
_RENEWALS = 24
_LONGEST_SUBJECT = 500


@dataclass(frozen=True)
class OutboxReport:
    """What one call of `deliver_outbox` did. `server_down`: stop calling, a later sweep will."""

    claimed: int = 0
    sent: int = 0
    retried: int = 0
    failed: int = 0
    withdrawn: int = 0
    server_down: bool = False


def owe(
    *,
    key: str,
    kind: str,
    recipient: str,
    recipient_name: str = "",
    subject: str,
    text: str,
    html: str,
    due_at: dt.datetime,
    sender_name: str = "",
    reply_to: str = "",
    reply_to_name: str = "",
    unsubscribe_url: str = "",
    useless_after: dt.datetime | None = None,
) -> bool:
    """Owe one letter; False when this `key` was owed before, whatever became of it. Rings the doorbell after commit.

    `unsubscribe_url`: where one POST ends the subscription (RFC 8058). `useless_after`: when it is no longer worth sending.
    """
    _mail, is_new = OutboxMail.objects.get_or_create(
        key=key,
        defaults={
            "kind": kind,
            "recipient": recipient,
            "recipient_name": one_line(recipient_name)[:250],
            "sender_name": one_line(sender_name)[:250],
            "reply_to": reply_to,
            "reply_to_name": one_line(reply_to_name)[:250],
            "subject": one_line(subject)[:_LONGEST_SUBJECT],
            "text": text,
            "html": html,
            "unsubscribe_url": unsubscribe_url,
            "due_at": due_at,
            "useless_after": useless_after,
        },
    )
    transaction.on_commit(_ring)
    return is_new


def withdraw(prefix: str) -> int:
    """Take back the unsent letters whose key begins with `prefix`; how many there were.

    Also those that a sender has claimed: it looks once more just before it speaks to the server, and waits for a transaction
    that is about to take the letter back. What the server is being told by then goes, and its row says so ("sent").
    """
    unsent = OutboxMail.objects.filter(key__startswith=prefix, state__in=[OutboxState.OWED, OutboxState.SENDING])
    return unsent.update(state=OutboxState.WITHDRAWN)


def deliver_outbox(*, limit: int = BATCH, lease: dt.timedelta = LEASE, now: dt.datetime) -> OutboxReport:
    """Claim up to `limit` due letters and send them over one connection. Any number of senders may call it at once."""
    claimed = _claim(limit, now + lease, now)
    if not claimed:
        return OutboxReport()
    left = {mail.pk: mail for mail in OutboxMail.objects.filter(pk__in=list(claimed)).order_by("pk")}
    counts: dict[str, int] = {}
    down = False
    started = renewed = time.monotonic()

    def clock() -> dt.datetime:
        return now + dt.timedelta(seconds=time.monotonic() - started)

    # The letter that is being sent; still here afterwards when something stopped the batch at it.
    in_hand: OutboxMail | None = None
    words = "portal: internal error"
    try:
        _defer_over_the_rate(left, claimed, now)
        with pooled_mailer() if left else nullcontext(Mailer()) as mailer:
            for mail in list(left.values()):
                if time.monotonic() - renewed >= lease.total_seconds() / _RENEWALS:
                    renewed = time.monotonic()
                    _renew(list(left), clock() + lease)
                if _is_still_ours(mail, clock() + lease):
                    in_hand = mail
                    outcome = _send(mail, mailer, now)
                    in_hand = None
                else:
                    outcome = "withdrawn"
                counts[outcome] = counts.get(outcome, 0) + 1
                del left[mail.pk]
    except MailServerDown as error:
        logger.warning("mail server away, %d letters wait: %s", len(left), error.words)
        down, words = True, error.words
    finally:
        if in_hand is not None:
            # Perhaps over this very letter: it counts as a try, and the others must not wait behind it for ever.
            counts_as = _put_off(in_hand, permanent=False, words=words, now=now)
            counts[counts_as] = counts.get(counts_as, 0) + 1
            del left[in_hand.pk]
        # Whatever stopped the sending: what it did not do is owed again, and counts as no try.
        _release(list(left), due_at=now + SERVER_DOWN_REST)
    return OutboxReport(claimed=len(claimed), server_down=down, **counts)


def next_due(now: dt.datetime) -> dt.datetime | None:
    """When the next owed letter may go; None when none is owed."""
    owed = OutboxMail.objects.filter(state=OutboxState.OWED, due_at__gt=now).order_by("due_at", "pk")
    return owed.values_list("due_at", flat=True).first()


def due_letters(now: dt.datetime) -> Q:
    """Owed letters whose time has come, and letters whose sender died (their claim ran out)."""
    return Q(state=OutboxState.OWED, due_at__lte=now) | Q(state=OutboxState.SENDING, claimed_until__lt=now)


@transaction.atomic
def _claim(limit: int, until: dt.datetime, now: dt.datetime) -> dict[int, bool]:
    """The letters claimed, by id; whether each holds a slot of its limited domain."""
    due = OutboxMail.objects.filter(due_letters(now)).order_by("due_at", "pk").select_for_update(skip_locked=True)
    found = list(due.values_list("pk", "state", "claimed_until")[:limit])
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE mail_outboxmail SET state = 'sending', claimed_until = %s, attempts = attempts + 1"
            " WHERE id = ANY(%s::bigint[])",
            [until, [pk for pk, _state, _slot in found]],
        )
    return {
        pk: state == OutboxState.OWED and slot is not None and now - slot <= throttle.SLOT_KEEPS
        for pk, state, slot in found
    }


def _defer_over_the_rate(left: dict[int, OutboxMail], claimed: Mapping[int, bool], now: dt.datetime) -> None:
    """Letters to a domain that has had its share of this second leave `left` until theirs; the others go on."""
    turns = throttle.turns({pk: mail.recipient for pk, mail in left.items() if not claimed[pk]})
    if turns.unknown:
        _release(list(turns.unknown), due_at=now + throttle.DOWN_REST)
    for pk, wait in turns.later.items():
        _release([pk], due_at=now + wait, slot=now + wait)
    for pk in (*turns.unknown, *turns.later):
        del left[pk]


def _is_still_ours(mail: OutboxMail, until: dt.datetime) -> bool:
    """False when it was taken back since it was claimed, or is another sender's; else the claim holds until then."""
    ours = OutboxMail.objects.filter(pk=mail.pk, state=OutboxState.SENDING, attempts=mail.attempts)
    return bool(ours.update(claimed_until=until))


def _send(mail: OutboxMail, mailer: Mailer, now: dt.datetime) -> str:
    """Send one letter and mark it; "sent", "retried", "failed" or "withdrawn". Raises MailServerDown."""
    if mail.useless_after is not None and mail.useless_after <= now:
        _mark(mail, OutboxState.WITHDRAWN)
        return "withdrawn"
    sender = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    try:
        message = render_bytes(_outgoing(mail, sender, now))
        mailer.send(sender=sender, recipient=mail.recipient, message=message)
    except UnsendableAddress as unsendable:
        _mark(mail, OutboxState.FAILED, words=f"553 5.1.3 {unsendable}")
        return "failed"
    except MailRefused as refused:
        return _put_off(mail, permanent=refused.permanent, words=refused.words, now=now)
    _mark(mail, OutboxState.SENT, sent_at=now)
    return "sent"


def _put_off(mail: OutboxMail, *, permanent: bool, words: str, now: dt.datetime) -> str:
    """Not this time: "retried" after a rest, or "failed" for good; "withdrawn" when it was taken back meanwhile."""
    if permanent or mail.attempts >= MOST_ATTEMPTS:
        return "failed" if _mark(mail, OutboxState.FAILED, words=words) else "withdrawn"
    wait = wait_after(mail.attempts)
    return "retried" if _mark(mail, OutboxState.OWED, words=words, due_at=now + wait) else "withdrawn"


def _outgoing(mail: OutboxMail, sender: str, now: dt.datetime) -> OutgoingMail:
    digest = hashlib.sha256(f"outbox:{mail.key}".encode()).hexdigest()[:40]
    return OutgoingMail(
        message_id=f"<{digest}@{settings.UID_DOMAIN}>",
        date=now,
        sender=sender,
        sender_name=mail.sender_name or "Visio",
        recipient=mail.recipient,
        recipient_name=mail.recipient_name,
        subject=mail.subject,
        text=mail.text,
        html=mail.html,
        reply_to=mail.reply_to,
        reply_to_name=mail.reply_to_name,
        unsubscribe_url=mail.unsubscribe_url,
    )


def _mark(
    mail: OutboxMail,
    state: OutboxState,
    *,
    words: str = "",
    sent_at: dt.datetime | None = None,
    due_at: dt.datetime | None = None,
) -> bool:
    """What became of it; False, and nothing is written, when it was taken back meanwhile. What has gone has gone."""
    rows = OutboxMail.objects.filter(pk=mail.pk)
    if state != OutboxState.SENT:
        rows = rows.filter(state=OutboxState.SENDING)
    return bool(
        rows.update(
            state=state, server_words=words[:500], sent_at=sent_at, claimed_until=None, due_at=due_at or mail.due_at
        )
    )


def _renew(ids: list[int], until: dt.datetime) -> None:
    """However slow the server: what a living sender holds is nobody else's to send."""
    OutboxMail.objects.filter(pk__in=ids, state=OutboxState.SENDING).update(claimed_until=until)


def _release(ids: list[int], *, due_at: dt.datetime, slot: dt.datetime | None = None) -> None:
    """Owe them again, as if never claimed. `slot`: when their domain's rate lets them go, kept in `claimed_until`."""
    if ids:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE mail_outboxmail SET state = 'owed', claimed_until = %s, due_at = %s,"
                " attempts = GREATEST(attempts - 1, 0) WHERE id = ANY(%s::bigint[]) AND state = 'sending'",
                [slot, due_at, ids],
            )


def _ring() -> None:
    from suite.mail.tasks import deliver_letters  # the task calls this module

    doorbell.ring(deliver_letters)
