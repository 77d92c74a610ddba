"""An act is taken back while a sender has a letter of the meeting in its hands, which may tell the act."""

import datetime as dt

import pytest

from suite.agents.models import Agent
from tests import factories
from tests.flows.itip import GuestCalendar
from tests.looking import Mailbox
from tests.visio.meetings.planned_series import HOUR, NOW, START, as_draft, changed, date, owed, series
from tests.visio.meetings.reading import received, send_all
from visio.meetings.invitations import deliver
from visio.meetings.ledger import read_ledger
from visio.meetings.models import Meeting
from visio.meetings.scopes import Scope
from visio.meetings.series import cancel
from visio.meetings.undo import undo

pytestmark = pytest.mark.django_db(transaction=True)
SOON = NOW + dt.timedelta(seconds=3)
ANNE = "anne@partenaire.example"


@pytest.fixture
def in_hand() -> Meeting:
    """Its invitation was claimed, and its sender is about to write the letter."""
    boss: Agent = factories.agent("Karim", "Benali")
    meeting = series(boss, ANNE)
    meeting.deliveries.update(state="sending", attempts=1, claimed_until=NOW - dt.timedelta(seconds=1))
    return meeting


def shown(mailbox: Mailbox) -> list[str]:
    calendar = GuestCalendar(ANNE)
    for mail in received(mailbox, ANNE):
        calendar.receive(mail.ics)
    return [one.start for one in calendar.shown(dt.date(2026, 11, 1), dt.date(2026, 12, 1))]


def test_an_invitation_put_aside_because_of_a_cancel_is_owed_again(in_hand: Meeting, mailbox: Mailbox) -> None:
    cancel(meeting=in_hand, by=in_hand.organiser, now=NOW)
    assert deliver(now=NOW).superseded == 1
    undo(meeting=in_hand, by=in_hand.organiser, now=SOON)
    send_all(SOON)
    assert shown(mailbox) == [str(START)]
    assert [mail.method for mail in received(mailbox, ANNE)] == ["REQUEST"]


def test_an_invitation_put_aside_for_a_move_is_owed_again(in_hand: Meeting, mailbox: Mailbox) -> None:
    first = date(in_hand, 0)
    changed(in_hand, first, Scope.ALL, as_draft(in_hand, first, ANNE, starts_at=first.starts_at + HOUR))
    assert deliver(now=NOW).superseded == 1
    undo(meeting=in_hand, by=in_hand.organiser, now=SOON)
    send_all(SOON)
    assert shown(mailbox) == [str(START)]
    assert [mail.subject.split(" ")[0] for mail in received(mailbox, ANNE)] == ["Invitation"]


def test_a_row_still_in_hand_goes_once(in_hand: Meeting, mailbox: Mailbox) -> None:
    """Its sender may have seen the act just before it was taken back."""
    cancel(meeting=in_hand, by=in_hand.organiser, now=NOW)
    undo(meeting=in_hand, by=in_hand.organiser, now=SOON)
    assert owed(in_hand) == [(ANNE, "REQUEST", "invited", "")]
    send_all(SOON)
    assert shown(mailbox) == [str(START)]
    assert len(received(mailbox, ANNE)) == 1


@pytest.mark.parametrize("what", ["move", "cancel"])
def test_who_was_told_of_the_one_date_already_is_told_again(in_hand: Meeting, mailbox: Mailbox, what: str) -> None:
    """The invitation in hand tells the series, and with it the date that has just been moved, or does not take place."""
    first = date(in_hand, 0)
    if what == "move":
        changed(in_hand, first, Scope.ONE, as_draft(in_hand, first, ANNE, starts_at=first.starts_at + HOUR))
    else:
        cancel(meeting=in_hand, occurrence=first, scope=Scope.ONE, by=in_hand.organiser, now=NOW)
    assert deliver(now=NOW).sent == 1
    assert str(START) not in shown(mailbox)
    undo(meeting=in_hand, by=in_hand.organiser, now=SOON)
    assert owed(in_hand) == [(ANNE, "REQUEST", "changed", "")]
    send_all(SOON)
    assert shown(mailbox) == [str(START)]


def test_who_the_act_removed_and_undo_brought_back_still_has_their_mail_in_the_ledger(
    in_hand: Meeting, mailbox: Mailbox
) -> None:
    send_all(NOW)
    first = date(in_hand, 0)
    changed(in_hand, first, Scope.ALL, as_draft(in_hand, first, starts_at=first.starts_at + HOUR))
    undo(meeting=in_hand, by=in_hand.organiser, now=SOON)
    [row] = [one for one in read_ledger(in_hand, moved_revision=1).rows if one.email == ANNE]
    assert row.mail == "sent"
