"""A letter that is refused is tried again or fails for its guest alone; a letter is sent again by hand."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from suite.agents.models import Agent
from tests import factories
from tests.looking import Mailbox
from tests.visio.meetings.mailed import EXT, NOW, START, changed, planned, states
from tests.visio.meetings.reading import send_all
from visio.meetings.invitations import BACKOFF, deliver
from visio.meetings.models import Delivery
from visio.meetings.resending import ResendRefused, resend
from visio.meetings.scheduling import cancel_meeting

pytestmark = pytest.mark.django_db(transaction=True)


def test_4xx_is_tried_again_later_and_only_for_that_guest(boss: Agent, mailbox: Mailbox) -> None:
    meeting = planned(boss, EXT, "autre@partenaire.example")
    mailbox.refuse(EXT, "451 4.3.0 Revenez plus tard", times=2)
    [report] = send_all(NOW)
    assert (report.sent, report.retried) == (1, 1)
    row = meeting.deliveries.get(recipient=EXT)
    assert (row.state, row.attempts, row.server_words) == ("owed", 1, "451 4.3.0 Revenez plus tard")
    assert abs(row.due_at - (NOW + BACKOFF[0])) < dt.timedelta(seconds=5)
    assert send_all(NOW + BACKOFF[0] - dt.timedelta(seconds=10)) == []
    again = NOW + BACKOFF[0] + dt.timedelta(seconds=5)
    send_all(again)
    row.refresh_from_db()
    assert (row.state, row.attempts) == ("owed", 2)
    assert abs(row.due_at - (again + BACKOFF[1])) < dt.timedelta(seconds=5)
    send_all(again + BACKOFF[1] + dt.timedelta(seconds=5))
    row.refresh_from_db()
    assert (row.state, row.attempts, row.server_words) == ("sent", 3, "")
    assert len(mailbox.messages(EXT)) == len(mailbox.messages("autre@partenaire.example")) == 1


def test_5xx_is_a_failure_with_the_server_s_words(boss: Agent, mailbox: Mailbox) -> None:
    meeting = planned(boss, EXT)
    mailbox.refuse(EXT, "550 5.1.1 Adresse inconnue")
    [report] = send_all(NOW)
    assert (report.failed, report.sent) == (1, 0)
    row = meeting.deliveries.get()
    assert (row.state, row.server_words, row.sent_at) == ("failed", "550 5.1.1 Adresse inconnue", None)
    assert send_all(NOW + dt.timedelta(days=2)) == []


def test_a_guest_who_never_got_the_invitation_is_invited_by_the_next_change_and_told_of_no_cancel(
    boss: Agent, mailbox: Mailbox
) -> None:
    meeting = planned(boss, EXT)
    mailbox.refuse(EXT, "550 5.1.1 Adresse inconnue", times=1)
    send_all(NOW)
    meeting = changed(meeting, EXT, starts_at=START + dt.timedelta(hours=1))
    assert states(meeting)[-1] == (EXT, "REQUEST", "invited", "owed")
    cancel_meeting(meeting=meeting, by=boss, now=NOW)
    assert send_all(NOW) == []
    assert mailbox.messages() == []


def test_a_server_that_is_down_costs_no_attempt(boss: Agent, mailbox: Mailbox, settings: Any) -> None:
    meeting = planned(boss, EXT, "autre@partenaire.example")
    port = settings.EMAIL_PORT
    settings.EMAIL_PORT = 9
    [report] = send_all(NOW)
    assert report.server_down
    assert {(r.state, r.attempts, r.maybe_received) for r in meeting.deliveries.all()} == {("owed", 0, False)}
    settings.EMAIL_PORT = port
    assert send_all(NOW) == []
    send_all(NOW + dt.timedelta(seconds=20))
    assert len(mailbox.messages()) == 2


def test_resend_makes_a_failed_row_owed_again(boss: Agent, mailbox: Mailbox) -> None:
    meeting = planned(boss, EXT, "autre@partenaire.example")
    mailbox.refuse("*", "550 5.7.1 Non", times=2)
    send_all(NOW)
    rows = resend(meeting=meeting, by=boss, now=NOW)
    assert {row.recipient for row in rows} == {EXT, "autre@partenaire.example"}
    send_all(NOW)
    assert {row.state for row in meeting.deliveries.all()} == {"sent"}
    assert len(mailbox.messages()) == 2


def test_who_left_since_keeps_no_failure_of_the_others_from_going_again(boss: Agent, mailbox: Mailbox) -> None:
    gone = "parti@partenaire.example"
    meeting = planned(boss, EXT, gone)
    mailbox.refuse("*", "550 5.7.1 Non", times=3)
    send_all(NOW)
    meeting = changed(meeting, EXT)
    send_all(NOW)
    assert {(row.recipient, row.state) for row in meeting.deliveries.all()} == {(EXT, "failed"), (gone, "failed")}
    [row] = resend(meeting=meeting, by=boss, now=NOW)
    assert (row.recipient, row.state) == (EXT, "owed")


def test_resend_of_an_old_version_sends_today_s(boss: Agent, mailbox: Mailbox) -> None:
    meeting = planned(boss, EXT)
    send_all(NOW)
    first = meeting.deliveries.get()
    meeting = changed(meeting, EXT, "autre@partenaire.example")
    send_all(NOW)
    [row] = resend(delivery=first, by=boss, now=NOW)
    assert (row.revision, row.recipient) == (2, EXT)
    send_all(NOW)
    assert len(mailbox.messages(EXT)) == 2


def test_resend_refusals(boss: Agent, mailbox: Mailbox) -> None:
    stranger = factories.agent()
    meeting = planned(boss, EXT)
    row = meeting.deliveries.get()
    for by, reason in ((stranger, "not_allowed"), (boss, "under_way")):
        with pytest.raises(ResendRefused) as refused:
            resend(delivery=row, by=by, now=NOW)
        assert refused.value.reason == reason
    send_all(NOW)
    changed(meeting)
    with pytest.raises(ResendRefused) as refused:
        resend(delivery=row, by=boss, now=NOW)
    assert refused.value.reason == "removed"


def test_a_row_that_cannot_be_written_lets_the_others_pass(boss: Agent, mailbox: Mailbox) -> None:
    broken = planned(boss, EXT)
    Delivery.objects.filter(meeting=broken).update(reason="moved", before={})
    Delivery.objects.filter(meeting=broken).update(maybe_received=True, revision=1, resends=1)
    fine = planned(boss, "autre@partenaire.example")
    with pytest.raises(KeyError):
        deliver(now=NOW)
    row = broken.deliveries.get()
    assert (row.state, row.attempts, row.server_words) == ("owed", 1, "portal: internal error")
    assert row.due_at > NOW
    send_all(NOW + dt.timedelta(seconds=5))
    assert [r.state for r in fine.deliveries.all()] == ["sent"]
