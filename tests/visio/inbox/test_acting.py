"""What becomes of an answer by mail: R6, R15, R20, PROMISES 34. The listener around it has its own tests."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from suite.agents.models import Agent
from suite.agents.time_models import Delegation
from tests import factories
from tests.looking import Mailbox
from tests.visio.inbox import guests
from tests.visio.inbox.conftest import ANNE, BOB, Invited, invite, take
from tests.visio.meetings.reading import received, send_all
from visio.inbox.acting import receive
from visio.inbox.models import InboundMessage, Verdict
from visio.inbox.reading import received_lines
from visio.meetings import words
from visio.meetings.answers import answer
from visio.meetings.exception_models import AttendeeException
from visio.meetings.models import Attendee, Meeting
from visio.meetings.scheduling import cancel_meeting, edit_meeting

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)
WEEK = dt.timedelta(weeks=1)


def move(invited: Invited, by: dt.timedelta = HOUR) -> None:
    """The organiser moves the meeting, and the news is in the mailboxes."""
    meeting = Meeting.objects.get(pk=invited.meeting.pk)
    only = meeting.occurrences.get()
    draft = factories.draft(guests=[ANNE, BOB], starts_at=only.starts_at + by, title=meeting.title)
    edit_meeting(meeting=meeting, by=invited.organiser, draft=draft, revision=meeting.revision, now=timezone.now())
    send_all(timezone.now() + dt.timedelta(minutes=1))


# --- what counts ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("partstat", "kept"), [("ACCEPTED", "accepted"), ("TENTATIVE", "tentative"), ("DECLINED", "declined")]
)
def test_an_answer_is_recorded_with_its_comment(invited: Invited, partstat: str, kept: str) -> None:
    row = take(invited, invited.reply(partstat, comment="Je serai\nà distance"))
    assert (row.verdict, row.words, row.answer) == (Verdict.APPLIED, "", kept)
    anne = invited.anne
    assert (anne.answer, anne.answered_via, anne.answered_revision, anne.comment) == (
        kept,
        "email",
        1,
        "Je serai à distance",
    )
    assert (anne.reply_sequence, anne.reply_stamp) == (row.sequence, row.stamp) == (0, row.stamp)
    assert (row.method, row.uid, row.meeting, row.attendee) == ("REPLY", invited.meeting.uid, invited.meeting, anne)
    assert bytes(row.raw).startswith(b"From: ")


def test_the_same_bytes_twice_act_once(invited: Invited) -> None:
    raw = invited.reply()
    first = take(invited, raw)
    answer(attendee=invited.anne, answer="declined", via="page", now=timezone.now())
    again = take(invited, raw)
    assert again.pk == first.pk
    assert InboundMessage.objects.count() == 1
    assert invited.anne.answer == "declined"


def test_a_delegation_counts_as_maybe_and_is_shown(invited: Invited) -> None:
    to, calendar = guests.answer_to(invited.request.calendar, ANNE, "DELEGATED")
    calendar.walk("VEVENT")[0]["ATTENDEE"].params["DELEGATED-TO"] = "mailto:carole@partenaire.example"
    row = take(invited, guests.letter(ANNE, to, calendar))
    assert (row.verdict, invited.anne.answer) == (Verdict.APPLIED, "tentative")
    assert "carole@partenaire.example" in row.words
    assert invited.meeting.attendees.count() == 3


def test_one_answer_by_date_in_one_message(mailbox: Mailbox, reply_domain: str) -> None:
    series = invite(mailbox, rule="FREQ=WEEKLY;COUNT=4")
    dates = list(series.meeting.occurrences.all())
    to, calendar = guests.answer_to(series.request.calendar, ANNE, "DECLINED", only=dates[1].recurrence_id)
    _to, other = guests.answer_to(series.request.calendar, ANNE, "ACCEPTED", only=dates[2].recurrence_id)
    calendar.add_component(other.walk("VEVENT")[0])
    row = take(series, guests.letter(ANNE, to, calendar))
    assert (row.verdict, row.recurrence_id) == (Verdict.APPLIED, dates[1].recurrence_id)
    kept = dict(AttendeeException.objects.filter(attendee=series.anne).values_list("occurrence", "answer"))
    assert kept == {dates[1].pk: "declined", dates[2].pk: "accepted"}
    assert series.anne.answer == "needs_action"


def test_an_answer_to_the_whole_series(mailbox: Mailbox, reply_domain: str) -> None:
    series = invite(mailbox, rule="FREQ=WEEKLY;COUNT=4")
    assert take(series, series.reply("TENTATIVE")).verdict == Verdict.APPLIED
    assert series.anne.answer == "tentative"


def test_a_date_that_the_series_does_not_have(mailbox: Mailbox, reply_domain: str) -> None:
    series = invite(mailbox, rule="FREQ=WEEKLY;COUNT=4")
    second = series.meeting.occurrences.all()[1]
    assert second.recurrence_id is not None
    row = take(series, series.reply("DECLINED", only=second.recurrence_id + HOUR))
    assert row.verdict == Verdict.UNKNOWN
    assert not AttendeeException.objects.filter(attendee=series.anne).exists()


def test_an_answer_to_a_date_and_the_following_is_shown_and_counts_for_none(
    mailbox: Mailbox, reply_domain: str
) -> None:
    series = invite(mailbox, rule="FREQ=WEEKLY;COUNT=4")
    second = series.meeting.occurrences.all()[1]
    to, calendar = guests.answer_to(series.request.calendar, ANNE, "DECLINED", only=second.recurrence_id)
    calendar.walk("VEVENT")[0]["RECURRENCE-ID"].params["RANGE"] = "THISANDFUTURE"
    raw = guests.letter(ANNE, to, calendar)
    assert b"RANGE=THISANDFUTURE" in raw
    row = take(series, raw)
    day = words.full_day(words.local(second.starts_at, series.meeting.time_zone).date())
    assert (row.verdict, row.answer) == (Verdict.REFUSED, "declined")
    assert row.words.startswith(f"Réponse donnée pour le {day.lower()} et toutes les dates suivantes : ")
    [line] = received_lines(series.meeting)
    assert (line.name, line.answer, line.words) == (ANNE, "Décline", row.words)
    assert series.anne.answer == "needs_action"
    assert not AttendeeException.objects.filter(attendee=series.anne).exists()


# --- R15: who sends ---------------------------------------------------------------------------------------------
def test_r15_somebody_else_in_an_attendees_name_is_spoofed(invited: Invited) -> None:
    raw = invited.reply().replace(f"From: {ANNE}".encode(), b"From: mallory@ailleurs.example")
    row = take(invited, raw, sender="mallory@ailleurs.example")
    assert row.verdict == Verdict.SPOOFED
    assert "mallory@ailleurs.example" in row.words
    assert invited.anne.answer == "needs_action"


def test_r15_the_envelope_says_nothing_about_who_sends(invited: Invited) -> None:
    """Forwarders and mailing services have return paths of their own."""
    assert take(invited, invited.reply(), sender="bounces+12@mailer.example").verdict == Verdict.APPLIED


def test_r15_another_attendee_cannot_answer_at_annes_address(invited: Invited) -> None:
    to, calendar = guests.answer_to(invited.request.calendar, BOB, "DECLINED")
    row = take(invited, guests.letter(BOB, to, calendar), sender=BOB)
    assert row.verdict == Verdict.SPOOFED
    assert set(invited.meeting.attendees.exclude(role="chair").values_list("answer", flat=True)) == {"needs_action"}


def test_r15_anne_cannot_answer_for_bob(invited: Invited) -> None:
    to, calendar = guests.answer_to(invited.request.calendar, BOB, "DECLINED")
    row = take(invited, guests.letter(ANNE, to, calendar))
    assert row.verdict == Verdict.SPOOFED
    assert Attendee.objects.get(meeting=invited.meeting, email=BOB).answer == "needs_action"


def test_r15_a_party_crasher_is_shown_and_never_added(invited: Invited) -> None:
    crasher = "carole@ailleurs.example"
    to, calendar = guests.answer_to(invited.request.calendar, crasher)
    row = take(invited, guests.letter(crasher, to, calendar), sender=crasher)
    assert row.verdict == Verdict.CRASHER
    assert crasher in row.words
    assert not invited.meeting.attendees.filter(email=crasher).exists()
    assert invited.anne.answer == "needs_action"


def test_r15_the_mail_servers_verdict_is_believed(invited: Invited, settings: Any) -> None:
    settings.INBOUND_AUTHSERV_ID = "mx.portail.example"
    failed = {
        "Authentication-Results": "MX.portail.example; spf=pass (ok); dmarc=fail (p=reject) header.from=x.example"
    }
    row = take(invited, invited.reply(headers=failed))
    assert (row.verdict, invited.anne.answer) == (Verdict.SPOOFED, "needs_action")
    # Anybody may write such a header in another server's name.
    foreign = {"Authentication-Results": "mx.ailleurs.example; dmarc=fail"}
    assert take(invited, invited.reply(headers=foreign)).verdict == Verdict.APPLIED


def test_r15_several_senders_are_nobody(invited: Invited) -> None:
    raw = invited.reply().replace(f"From: {ANNE}".encode(), f"From: {ANNE}, mallory@ailleurs.example".encode())
    assert take(invited, raw).verdict == Verdict.SPOOFED
    twice = invited.reply().replace(b"To: ", b"From: mallory@ailleurs.example\r\nTo: ", 1)
    assert take(invited, twice).verdict == Verdict.SPOOFED
    assert invited.anne.answer == "needs_action"


def test_r15_sent_by_a_delegate_of_the_agent(reply_domain: str, mailbox: Mailbox) -> None:
    guest, secretary, stranger = factories.agent(), factories.agent(), factories.agent()
    meeting = factories.meeting(guests=[guest])
    send_all(timezone.now())
    Delegation.objects.create(principal=guest, delegate=secretary)
    [request] = received(mailbox, guest.email)

    def sent_by(agent: Agent) -> InboundMessage:
        to, calendar = guests.answer_to(request.calendar, guest.email)
        calendar.walk("VEVENT")[0]["ATTENDEE"].params["SENT-BY"] = f"mailto:{agent.email}"
        raw = guests.letter(agent.email, to, calendar)
        return receive(envelope_from=agent.email, envelope_to=to, raw=raw, now=timezone.now())

    assert sent_by(stranger).verdict == Verdict.SPOOFED
    assert meeting.attendees.get(agent=guest).answer == "needs_action"
    assert sent_by(secretary).verdict == Verdict.APPLIED
    assert meeting.attendees.get(agent=guest).answer == "accepted"


def test_r15_a_guests_sent_by_is_not_believed(invited: Invited) -> None:
    to, calendar = guests.answer_to(invited.request.calendar, ANNE)
    calendar.walk("VEVENT")[0]["ATTENDEE"].params["SENT-BY"] = "mailto:chef@partenaire.example"
    row = take(invited, guests.letter("chef@partenaire.example", to, calendar))
    assert (row.verdict, invited.anne.answer) == (Verdict.SPOOFED, "needs_action")


def test_another_meetings_uid_is_unknown(invited: Invited) -> None:
    for uid in ("nobody@knows.example", factories.meeting(guests=[ANNE]).uid):
        row = take(invited, invited.reply(changed={"UID": uid}))
        assert (row.verdict, row.meeting) == (Verdict.UNKNOWN, invited.meeting)
    assert invited.anne.answer == "needs_action"


def test_whoever_was_removed_is_shown_and_not_added_again(invited: Invited) -> None:
    raw, to = invited.reply(), invited.address
    invited.anne.delete()
    row = take(invited, raw, to=to)
    assert (row.verdict, row.meeting, row.attendee) == (Verdict.CRASHER, invited.meeting, None)
    assert not invited.meeting.attendees.filter(email=ANNE).exists()
    Meeting.objects.filter(pk=invited.meeting.pk).delete()
    row = take(invited, raw + b"\r\n", to=to)
    assert (row.verdict, row.meeting) == (Verdict.UNKNOWN, None)


# --- R6: the order ----------------------------------------------------------------------------------------------
def test_r6_a_late_older_reply_is_ignored(invited: Invited) -> None:
    now = timezone.now().replace(microsecond=0)
    newer = invited.reply("ACCEPTED", stamp=now - dt.timedelta(minutes=1))
    older = invited.reply("DECLINED", stamp=now - dt.timedelta(minutes=5))
    assert take(invited, newer).verdict == Verdict.APPLIED
    row = take(invited, older)
    assert (row.verdict, row.answer) == (Verdict.LATE, "declined")
    assert row.words
    anne = invited.anne
    assert (anne.answer, anne.reply_stamp) == ("accepted", now - dt.timedelta(minutes=1))


def test_r6_what_was_said_on_the_page_since_is_newer(invited: Invited) -> None:
    now = timezone.now()
    delayed = invited.reply("DECLINED", stamp=now - HOUR)
    answer(attendee=invited.anne, answer="accepted", via="page", now=now)
    assert take(invited, delayed, now=now).verdict == Verdict.LATE
    assert invited.anne.answer == "accepted"
    assert take(invited, invited.reply("TENTATIVE", stamp=now + HOUR), now=now).verdict == Verdict.APPLIED


def test_r6_a_clock_that_runs_ahead_does_not_shut_out_later_answers(invited: Invited) -> None:
    now = timezone.now()
    take(invited, invited.reply("ACCEPTED", stamp=now + 52 * WEEK, changed={"SEQUENCE": 900}), now=now)
    assert take(invited, invited.reply("DECLINED", stamp=now + HOUR), now=now + HOUR).verdict == Verdict.APPLIED
    assert invited.anne.answer == "declined"


def test_r6_each_date_has_an_order_of_its_own(mailbox: Mailbox, reply_domain: str) -> None:
    series = invite(mailbox, rule="FREQ=WEEKLY;COUNT=4")
    first, second = (one.recurrence_id for one in series.meeting.occurrences.all()[:2])
    now = timezone.now()
    assert take(series, series.reply("ACCEPTED", stamp=now, only=first)).verdict == Verdict.APPLIED
    assert take(series, series.reply("DECLINED", stamp=now - HOUR, only=second)).verdict == Verdict.APPLIED
    assert take(series, series.reply("DECLINED", stamp=now - HOUR, only=first)).verdict == Verdict.LATE


# --- PROMISES 34 ------------------------------------------------------------------------------------------------
def test_an_answer_to_an_earlier_hour_is_kept_and_does_not_count(invited: Invited) -> None:
    old = invited.reply("ACCEPTED")
    move(invited)
    row = take(invited, old)
    assert (row.verdict, row.answer, row.sequence) == (Verdict.EARLIER, "accepted", 0)
    assert invited.anne.answer == "needs_action"
    assert take(invited, invited.reply("DECLINED")).verdict == Verdict.APPLIED
    assert (invited.anne.answer, invited.anne.answered_revision) == ("declined", 2)


def test_an_earlier_number_counts_when_the_hour_stayed(invited: Invited) -> None:
    """Somebody was taken off the list: SEQUENCE rose, the hour did not move (R2)."""
    old = invited.reply("ACCEPTED")
    meeting = Meeting.objects.get(pk=invited.meeting.pk)
    only = meeting.occurrences.get()
    draft = factories.draft(guests=[ANNE], starts_at=only.starts_at, title=meeting.title)
    edit_meeting(meeting=meeting, by=invited.organiser, draft=draft, revision=1, now=timezone.now())
    assert Meeting.objects.get(pk=meeting.pk).sequence == 1
    assert take(invited, old).verdict == Verdict.APPLIED
    assert invited.anne.answer == "accepted"


# --- without effect ---------------------------------------------------------------------------------------------
def test_a_cancelled_meeting_takes_no_answer(invited: Invited) -> None:
    raw = invited.reply()
    cancel_meeting(meeting=invited.meeting, by=invited.organiser, now=timezone.now())
    row = take(invited, raw)
    assert (row.verdict, row.words) == (Verdict.REFUSED, "La réunion, ou cette date, est annulée.")


def test_a_meeting_that_is_over_takes_no_answer(invited: Invited) -> None:
    after = invited.meeting.occurrences.get().ends_at + HOUR
    row = take(invited, invited.reply(), now=after)
    assert (row.verdict, row.words) == (Verdict.REFUSED, "La réunion, ou cette date, est terminée.")
    assert invited.anne.answer == "needs_action"


def test_no_answer_is_none(invited: Invited) -> None:
    take(invited, invited.reply("ACCEPTED"))
    row = take(invited, invited.reply("NEEDS-ACTION", stamp=timezone.now() + HOUR))
    assert (row.verdict, invited.anne.answer) == (Verdict.REFUSED, "accepted")


def test_an_absence_notice_is_kept_and_changes_nothing(invited: Invited) -> None:
    raw = f"From: {ANNE}\r\nSubject: Absent\r\nAuto-Submitted: auto-replied\r\n\r\nDe retour lundi.\r\n".encode()
    row = take(invited, raw, sender="<>")
    assert (row.verdict, row.subject) == (Verdict.REFUSED, "Absent")
    assert invited.anne.answer == "needs_action"


def test_a_room_that_accepts_by_itself_counts(invited: Invited) -> None:
    """Resource mailboxes answer automatically, with a calendar: that is an answer."""
    assert take(invited, invited.reply(headers={"Auto-Submitted": "auto-replied"})).verdict == Verdict.APPLIED


def test_our_own_request_coming_back_does_nothing(invited: Invited) -> None:
    row = take(invited, invited.request.raw)
    assert row.verdict == Verdict.MALFORMED
    assert invited.anne.answer == "needs_action"


# --- what the page shows ----------------------------------------------------------------------------------------
def test_nothing_typed_by_a_stranger_breaks_a_line(invited: Invited) -> None:
    """CR, LF, NEL and NUL, plain and encoded: in names, comments, subjects and addresses."""
    comment = "a\r\nATTENDEE:mailto:x@y.example\x85b"
    raw = invited.reply(comment=comment).replace(b"Subject: ", b"Subject: =?utf-8?q?a=0D=0ABcc:_x@y.example=00?= ", 1)
    row = take(invited, raw, sender="a\x00b\r\nc@d.example")
    assert row.verdict == Verdict.APPLIED
    row.refresh_from_db()
    for text in (row.words, row.subject, row.uid, row.sender, row.envelope_from, row.message_id, invited.anne.comment):
        assert not set(text) & set("\r\n\x85\0")
    assert "Bcc: x@y.example" in row.subject
