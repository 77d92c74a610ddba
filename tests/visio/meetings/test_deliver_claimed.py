"""A meeting changes before its letters go out, or while a sender holds them (P20, P21)."""

from __future__ import annotations

import datetime as dt

import pytest

from suite.agents.models import Agent
from tests.looking import Mailbox
from tests.visio.meetings.mailed import EXT, NOW, START, changed, planned, states
from tests.visio.meetings.reading import received, send_all
from visio.meetings.invitations import deliver
from visio.meetings.scheduling import cancel_meeting

pytestmark = pytest.mark.django_db(transaction=True)


def test_p21_cancelled_before_it_went_out_nothing_is_sent(boss: Agent, mailbox: Mailbox) -> None:
    meeting = planned(boss, EXT)
    cancel_meeting(meeting=meeting, by=boss, now=NOW)
    assert send_all(NOW) == []
    assert states(meeting) == [(EXT, "REQUEST", "invited", "superseded")]
    assert mailbox.messages() == []


def test_p21_cancelled_while_claimed_nothing_is_sent(boss: Agent, mailbox: Mailbox) -> None:
    """A sender holds the row, the meeting is cancelled: the CANCEL is owed in case, and dropped when it proves needless."""
    meeting = planned(boss, EXT)
    meeting.deliveries.update(state="sending", claimed_until=NOW - dt.timedelta(seconds=1), attempts=1)
    cancel_meeting(meeting=meeting, by=boss, now=NOW)
    assert states(meeting)[-1] == (EXT, "CANCEL", "cancelled", "owed")
    # That sender died without a word: the guest may have the invitation, so the CANCEL goes, and no REQUEST after it.
    send_all(NOW)
    assert [m.method for m in received(mailbox, EXT)] == ["CANCEL"]
    assert [r.state for r in meeting.deliveries.order_by("pk")] == ["superseded", "sent"]


def test_p21_a_cancel_waits_for_the_request_in_another_sender_s_hands(boss: Agent, mailbox: Mailbox) -> None:
    meeting = planned(boss, EXT)
    meeting.deliveries.update(state="sending", claimed_until=NOW + dt.timedelta(seconds=60), attempts=1)
    cancel_meeting(meeting=meeting, by=boss, now=NOW)
    deliver(now=NOW)
    assert mailbox.messages() == []
    assert meeting.deliveries.get(method="CANCEL").state == "owed"
    meeting.deliveries.filter(method="REQUEST").update(state="superseded", claimed_until=None)
    send_all(NOW + dt.timedelta(seconds=10))
    assert mailbox.messages() == []
    assert meeting.deliveries.get(method="CANCEL").state == "superseded"


def test_p20_an_edit_while_the_rows_are_claimed(boss: Agent, mailbox: Mailbox) -> None:
    """The rows in a sender's hands are out of date when it comes to them: each guest gets today's version, as an invitation."""
    meeting = planned(boss, EXT)
    meeting.deliveries.update(state="sending", claimed_until=NOW - dt.timedelta(seconds=1))
    meeting = changed(meeting, EXT, starts_at=START + dt.timedelta(hours=1))
    meeting.deliveries.filter(revision=1).update(state="owed")
    send_all(NOW)
    [mail] = received(mailbox, EXT)
    assert (int(mail.event["SEQUENCE"]), mail.subject.split(" ")[0]) == (1, "Invitation")
    assert states(meeting) == [(EXT, "REQUEST", "invited", "superseded"), (EXT, "REQUEST", "invited", "sent")]


def test_p20_a_guest_added_while_the_first_rows_are_claimed(boss: Agent, mailbox: Mailbox) -> None:
    """Nobody is owed a change, yet the claimed row is out of date: it is owed anew under today's version."""
    meeting = planned(boss, EXT)
    meeting.deliveries.update(state="sending", claimed_until=NOW + dt.timedelta(seconds=60))
    meeting = changed(meeting, EXT, "autre@partenaire.example")
    meeting.deliveries.filter(revision=1).update(state="owed")
    send_all(NOW)
    assert [len(received(mailbox, to)) for to in (EXT, "autre@partenaire.example")] == [1, 1]
    assert (EXT, "REQUEST", "invited", "sent") in states(meeting)
