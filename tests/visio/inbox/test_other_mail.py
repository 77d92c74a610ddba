"""Proposals, requests for today's version, bounces, and too much of anything: what else comes by mail (R20, RFC 5546 §3.2.6)."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from tests.visio.inbox.conftest import ANNE, BOB, Invited, take
from tests.visio.meetings.reading import received, send_all
from visio.inbox.acting import MOST_A_DAY, TooManyMessages
from visio.inbox.models import InboundMessage, Verdict
from visio.inbox.refreshing import MOST
from visio.meetings.exception_models import CounterProposal
from visio.meetings.history import history_lines
from visio.meetings.models import DeliveryState, Meeting

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)


# --- R20: another time ------------------------------------------------------------------------------------------
def test_r20_a_counter_becomes_a_proposal_for_the_organiser(invited: Invited) -> None:
    only = invited.meeting.occurrences.get()
    wanted = {"DTSTART": only.starts_at + HOUR, "DTEND": only.ends_at + HOUR}
    row = take(invited, invited.reply("TENTATIVE", method="COUNTER", changed=wanted, comment="Plus tard ?"))
    assert (row.verdict, row.method) == (Verdict.APPLIED, "COUNTER")
    counter = CounterProposal.objects.get()
    assert (counter.attendee, counter.starts_at, counter.ends_at, counter.comment, counter.via, counter.revision) == (
        invited.anne,
        only.starts_at + HOUR,
        only.ends_at + HOUR,
        "Plus tard ?",
        "email",
        1,
    )
    assert Meeting.objects.get(pk=invited.meeting.pk).sequence == 0


def test_the_history_says_who_proposed_and_how(invited: Invited) -> None:
    only = invited.meeting.occurrences.get()
    take(invited, invited.reply(method="COUNTER", changed={"DTSTART": only.starts_at + HOUR}))
    [line] = history_lines(
        invited.meeting.changes.filter(kind="countered"), viewer=invited.organiser, today=timezone.now().date()
    )
    assert line.by == f"{ANNE}, par courriel"
    assert line.text.startswith(f"Autre horaire proposé par {ANNE} : ")


def test_r20_a_counter_by_somebody_else_proposes_nothing(invited: Invited) -> None:
    only = invited.meeting.occurrences.get()
    raw = invited.reply(method="COUNTER", changed={"DTSTART": only.starts_at + HOUR, "DTEND": only.ends_at + HOUR})
    row = take(invited, raw.replace(f"From: {ANNE}".encode(), b"From: mallory@ailleurs.example"))
    assert row.verdict == Verdict.SPOOFED
    assert not CounterProposal.objects.exists()


@pytest.mark.parametrize("hours", [(0, 1), (2, 1), (-48, -47)], ids=["as it is", "reversed", "past"])
def test_r20_times_that_make_no_sense_are_refused_with_words(invited: Invited, hours: tuple[int, int]) -> None:
    only = invited.meeting.occurrences.get()
    starts, ends = only.starts_at + hours[0] * HOUR, only.starts_at + hours[1] * HOUR
    row = take(invited, invited.reply(method="COUNTER", changed={"DTSTART": starts, "DTEND": ends}))
    assert row.verdict in {Verdict.REFUSED, Verdict.MALFORMED}
    assert row.words
    assert not CounterProposal.objects.exists()


# --- REFRESH ----------------------------------------------------------------------------------------------------
def test_a_refresh_gets_todays_request_with_the_same_number(invited: Invited) -> None:
    before = len(received(invited.mailbox, ANNE))
    assert take(invited, invited.reply(method="REFRESH")).verdict == Verdict.APPLIED
    send_all(timezone.now())
    mails = received(invited.mailbox, ANNE)
    assert len(mails) == before + 1
    assert (mails[-1].method, int(mails[-1].event["SEQUENCE"])) == ("REQUEST", 0)
    assert mails[-1].message["Message-ID"] != mails[0].message["Message-ID"]
    assert len(received(invited.mailbox, BOB)) == 1


def test_a_calendar_that_asks_in_a_loop_gets_a_few(invited: Invited) -> None:
    before = len(received(invited.mailbox, ANNE))
    verdicts = []
    for second in range(MOST + 2):
        stamp = timezone.now() + dt.timedelta(seconds=second)
        verdicts.append(take(invited, invited.reply(method="REFRESH", stamp=stamp)).verdict)
        send_all(timezone.now())
    assert verdicts == [Verdict.APPLIED] * MOST + [Verdict.REFUSED] * 2
    assert len(received(invited.mailbox, ANNE)) == before + MOST


# --- bounces ----------------------------------------------------------------------------------------------------
BOUNCE = """From: MAILER-DAEMON@mx.example\r
Subject: Undelivered\r
MIME-Version: 1.0\r
Content-Type: multipart/report; report-type=delivery-status; boundary=zz\r
\r
--zz\r
Content-Type: text/plain\r
\r
Sorry.\r
--zz\r
Content-Type: message/delivery-status\r
\r
Reporting-MTA: dns; mx.example\r
\r
Final-Recipient: rfc822; anne@partenaire.example\r
Action: failed\r
Status: 5.1.1\r
Diagnostic-Code: smtp; 550 5.1.1 No such user\r
\r
--zz\r
Content-Type: text/rfc822-headers\r
\r
Message-ID: {message_id}\r
\r
--zz--\r
"""


def test_a_bounce_marks_the_mail_as_failed_in_the_servers_words(invited: Invited) -> None:
    message_id = str(invited.request.message["Message-ID"])
    row = take(invited, BOUNCE.format(message_id=message_id).encode(), sender="<>")
    assert row.verdict == Verdict.APPLIED
    sent = invited.anne.deliveries.get()
    assert (sent.state, sent.server_words) == (DeliveryState.FAILED, "550 5.1.1 No such user")


@pytest.mark.parametrize(("sender", "message_id"), [(ANNE, ""), ("<>", "<other@x.example>")])
def test_a_bounce_of_something_else_changes_nothing(invited: Invited, sender: str, message_id: str) -> None:
    known = message_id or str(invited.request.message["Message-ID"])
    row = take(invited, BOUNCE.format(message_id=known).encode(), sender=sender)
    assert row.verdict == Verdict.REFUSED
    assert invited.anne.deliveries.get().state == DeliveryState.SENT


def test_nobody_fills_the_disk(invited: Invited) -> None:
    now, to, raw = timezone.now(), invited.address, invited.reply()
    junk = [
        InboundMessage(digest=f"{number}", envelope_to=to, received_at=now, meeting=invited.meeting, raw=b"x",
                       attendee=invited.anne, verdict=Verdict.MALFORMED)
        for number in range(MOST_A_DAY)
    ]  # fmt: skip
    InboundMessage.objects.bulk_create(junk)
    with pytest.raises(TooManyMessages):
        take(invited, raw, now=now)
    assert take(invited, raw, now=now + dt.timedelta(hours=25)).pk
