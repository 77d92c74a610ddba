"""An invitation that does not arrive comes back to where it was sent from, and the organiser sees it (RFC 3464). Real SMTP."""

from __future__ import annotations

from email import message_from_bytes
from email.utils import parseaddr
from typing import Any

import pytest
from django.utils import timezone

from suite.mail.retrying import BACKOFF
from suite.mail.smtp import close_idle
from tests.looking import Mailbox
from tests.processes import MailListener
from tests.visio.inbox import guests
from tests.visio.inbox.conftest import ANNE, BOB, DOMAIN, Invited, invite, take
from tests.visio.meetings.reading import received, send_all
from visio.inbox.models import InboundMessage, Verdict
from visio.inbox.reading import received_lines
from visio.meetings.ledger import read_ledger
from visio.meetings.models import Attendee, Delivery
from visio.meetings.reply_addresses import reply_address

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def invited(transactional_db: None, reply_domain: str, mailbox: Mailbox) -> Invited:
    close_idle()
    return invite(mailbox)


def envelope_sender(mailbox: Mailbox, to: str) -> str:
    """MAIL FROM of the newest message to them."""
    return str(mailbox.messages(to)[0]["sender"])


def notice(
    original: bytes,
    *,
    action: str = "failed",
    status: str = "5.1.1",
    words: str = "smtp; 550 5.1.1 <anne@partenaire.example>:\r\n    No such user here",
    recipient: str = ANNE,
    whole: bool = True,
) -> bytes:
    """What Postfix sends back: the original whole, or its headers alone; nothing of it when `original` is empty."""
    head = original.split(b"\r\n\r\n", 1)[0] + b"\r\n"
    copy = b"--zz\r\nContent-Type: message/rfc822\r\n\r\n" + original
    if not whole:
        copy = b"--zz\r\nContent-Type: text/rfc822-headers\r\n\r\n" + head
    return (
        (
            f"From: MAILER-DAEMON@mx.partenaire.example (Mail Delivery System)\r\nSubject: Undelivered Mail\r\n"
            f"Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
            f"Content-Type: multipart/report; report-type=delivery-status; boundary=zz\r\n\r\n"
            f"--zz\r\nContent-Type: text/plain\r\n\r\nI'm sorry.\r\n"
            f"--zz\r\nContent-Type: message/delivery-status\r\n\r\n"
            f"Reporting-MTA: dns; mx.partenaire.example\r\n\r\n"
            f"Final-Recipient: rfc822; {recipient}\r\nAction: {action}\r\nStatus: {status}\r\nDiagnostic-Code: {words}\r\n\r\n"
        ).encode()
        + (copy if original else b"")
        + b"\r\n--zz--\r\n"
    )


def the_mail(invited: Invited, to: str = ANNE) -> bytes:
    return received(invited.mailbox, to)[-1].raw


def ledger(invited: Invited) -> dict[str, tuple[str, str]]:
    rows = read_ledger(invited.meeting, moved_revision=1, unfolded=True).rows
    return {row.email: (row.mail, row.server_words) for row in rows if row.email in {ANNE, BOB}}


# --- where it is sent from --------------------------------------------------------------------------------------
def test_each_invitation_leaves_from_its_reader_s_own_address(invited: Invited, settings: Any) -> None:
    for email in (ANNE, BOB):
        attendee = Attendee.objects.get(meeting=invited.meeting, email=email)
        assert envelope_sender(invited.mailbox, email) == reply_address(attendee)
        message = message_from_bytes(the_mail(invited, email))
        assert parseaddr(message["From"])[1] == parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    assert len({one["connection"] for one in invited.mailbox.messages()}) == 1


def test_without_a_reply_domain_it_leaves_from_the_portal(mailbox: Mailbox, settings: Any) -> None:
    settings.REPLY_DOMAIN = ""
    invite(mailbox)
    assert envelope_sender(mailbox, ANNE) == parseaddr(settings.DEFAULT_FROM_EMAIL)[1]


def test_what_is_put_off_again_and_again_leaves_from_the_portal(
    reply_domain: str, mailbox: Mailbox, settings: Any
) -> None:
    """Many relays say "try again later" of a sender whose domain they do not find: no invitation may be lost by that."""
    mailbox.refuse(ANNE, "450 4.1.8 Sender address rejected: Domain not found", times=len(BACKOFF))
    invited = invite(mailbox)
    row = Delivery.objects.get(recipient=ANNE)
    for tries in range(1, len(BACKOFF) + 1):
        row.refresh_from_db()
        assert (row.state, row.attempts) == ("owed", tries)
        send_all(row.due_at)
    assert ledger(invited)[ANNE] == ("sent", "")
    assert envelope_sender(mailbox, ANNE) == parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    assert envelope_sender(mailbox, BOB) == reply_address(Attendee.objects.get(meeting=invited.meeting, email=BOB))


# --- what comes back --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("whole", [True, False], ids=["whole", "headers"])
def test_a_bounce_is_a_failure_in_the_far_server_s_words(listener: MailListener, invited: Invited, whole: bool) -> None:
    to = envelope_sender(invited.mailbox, ANNE)
    raw = notice(the_mail(invited), whole=whole)
    assert guests.send(listener.port, raw, sender="", to=to)[0] == 250
    words = "550 5.1.1 <anne@partenaire.example>: No such user here"
    assert ledger(invited) == {ANNE: ("failed", words), BOB: ("sent", "")}
    row = InboundMessage.objects.get()
    assert (row.verdict, bytes(row.raw), row.meeting) == (Verdict.APPLIED, raw, invited.meeting)
    # Nobody hears of it by mail: it would go round in circles.
    before = invited.mailbox.count()
    send_all(timezone.now())
    assert invited.mailbox.count() == before


def test_given_up_after_days_of_trying_it_is_a_failure_too(invited: Invited) -> None:
    raw = notice(the_mail(invited), status="4.4.7", words="x-postfix; delivery temporarily suspended")
    assert take(invited, raw, sender="<>").verdict == Verdict.APPLIED
    assert ledger(invited)[ANNE] == ("failed", "delivery temporarily suspended")


@pytest.mark.parametrize(("action", "status"), [("delayed", "4.4.1"), ("delivered", "2.0.0"), ("relayed", "2.0.0")])
def test_what_is_only_late_or_arrived_is_kept_and_no_more(invited: Invited, action: str, status: str) -> None:
    row = take(invited, notice(the_mail(invited), action=action, status=status), sender="<>")
    assert row.verdict == Verdict.REFUSED
    assert "non-remise" not in row.words
    assert ledger(invited)[ANNE] == ("sent", "")
    assert received_lines(invited.meeting) == []


def test_a_bounce_without_the_original_counts_for_the_last_mail_to_that_address(invited: Invited) -> None:
    assert take(invited, notice(b"", recipient="autre@partenaire.example"), sender="<>").verdict == Verdict.REFUSED
    assert ledger(invited)[ANNE] == ("sent", "")
    assert take(invited, notice(b""), sender="<>").verdict == Verdict.APPLIED
    assert ledger(invited)[ANNE][0] == "failed"


def test_a_failure_can_be_sent_again_and_a_second_bounce_of_the_first_changes_nothing(invited: Invited) -> None:
    from visio.meetings.resending import resend

    first = the_mail(invited)
    take(invited, notice(first), sender="<>")
    resend(meeting=invited.meeting, by=invited.organiser, now=timezone.now())
    send_all(timezone.now())
    assert ledger(invited)[ANNE] == ("sent", "")
    take(invited, notice(first, words="smtp; 550 encore"), sender="<>")
    assert ledger(invited)[ANNE] == ("sent", "")


# --- what a forger can do ---------------------------------------------------------------------------------------
def test_at_annes_address_nothing_of_bob_s_is_marked(invited: Invited) -> None:
    assert take(invited, notice(the_mail(invited, BOB), recipient=BOB), sender="<>").verdict == Verdict.REFUSED
    assert ledger(invited) == {ANNE: ("sent", ""), BOB: ("sent", "")}


def test_a_notice_with_a_sender_is_none(invited: Invited) -> None:
    assert take(invited, notice(the_mail(invited)), sender=ANNE).verdict == Verdict.REFUSED
    assert ledger(invited)[ANNE] == ("sent", "")


def test_an_address_that_was_not_given_out_takes_none(listener: MailListener, invited: Invited) -> None:
    forged = f"r+{invited.anne.public_id.hex}.{'a' * 26}@{DOMAIN}"
    assert guests.send(listener.port, notice(the_mail(invited)), sender="", to=forged)[0] == 550
    assert not InboundMessage.objects.exists()


def test_a_bounce_changes_the_mark_and_nothing_else(invited: Invited) -> None:
    anne = invited.anne
    before = Attendee.objects.filter(pk=anne.pk).values().get()
    [row] = Delivery.objects.filter(attendee=anne).values()
    take(
        invited,
        notice(the_mail(invited), words="smtp; 550 <script>alert(1)</script>\r\n Bcc: x@y.example"),
        sender="<>",
    )
    assert Attendee.objects.filter(pk=anne.pk).values().get() == before
    [after] = Delivery.objects.filter(attendee=anne).values()
    assert {name for name, value in after.items() if value != row[name]} == {"state", "server_words"}
    assert "\n" not in after["server_words"]


def test_whoever_has_no_address_of_their_own_gets_no_answer(invited: Invited) -> None:
    """A REFRESH from the null sender would be answered to nobody, or go round in circles (RFC 5321 §4.5.5)."""
    before = invited.mailbox.count()
    row = take(invited, invited.reply(method="REFRESH"), sender="<>")
    send_all(timezone.now())
    assert (row.verdict, invited.mailbox.count()) == (Verdict.REFUSED, before)
