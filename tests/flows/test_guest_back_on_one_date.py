"""A guest leaves a series and comes back for one date: in that order, whatever their mail server does."""

from __future__ import annotations

import datetime as dt

import pytest

from suite.agents.models import Agent
from tests import factories
from tests.flows.test_guest_of_one_date import starts
from tests.looking import Mailbox
from tests.visio.meetings.reading import received
from tests.visio.meetings.test_calendar_rules import ANNE, BOB, LATER, Meeting, Scope, changed, date, send_all, weekly
from visio.meetings.invitations import deliver

pytestmark = pytest.mark.django_db(transaction=True)
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def meeting(mailbox: Mailbox) -> Meeting:
    boss: Agent = factories.agent("Karim", "Benali", organisation=factories.organisation("DINUM"))
    return weekly(boss, guests=[ANNE, BOB])


def without_bob(meeting: Meeting) -> Meeting:
    return changed(meeting, date(meeting, 0), Scope.ALL, guests=[ANNE])


def back_once(meeting: Meeting) -> Meeting:
    return changed(meeting, date(meeting, 1), Scope.ONE, guests=[ANNE, BOB])


def test_the_cancel_of_the_series_is_put_off_and_the_date_waits_behind_it(meeting: Meeting, mailbox: Mailbox) -> None:
    without_bob(meeting)
    mailbox.refuse(BOB, "451 4.3.0 Later", times=1)
    assert deliver(now=LATER).retried == 1
    back_once(meeting)
    send_all(LATER)
    assert len(received(mailbox, BOB)) == 1
    send_all(LATER + MINUTE)
    send_all(LATER + 2 * MINUTE)
    assert starts(mailbox, BOB) == ["2026-10-13 08:00"]


def test_both_are_due_and_the_first_is_put_off(meeting: Meeting, mailbox: Mailbox) -> None:
    without_bob(meeting)
    back_once(meeting)
    mailbox.refuse(BOB, "451 4.3.0 Later", times=1)
    for wait in range(4):
        deliver(now=LATER + wait * MINUTE)
    assert starts(mailbox, BOB) == ["2026-10-13 08:00"]


def test_invited_again_and_removed_before_the_mail_left_is_told_nothing_twice(
    meeting: Meeting, mailbox: Mailbox
) -> None:
    without_bob(meeting)
    send_all(LATER)
    back_once(meeting)
    changed(meeting, date(meeting, 1), Scope.ONE, guests=[ANNE])
    send_all(LATER + MINUTE)
    assert [mail.method for mail in received(mailbox, BOB)] == ["REQUEST", "CANCEL"]


def test_removed_from_a_date_twice_is_told_once(meeting: Meeting, mailbox: Mailbox) -> None:
    changed(meeting, date(meeting, 1), Scope.ONE, guests=[ANNE])
    send_all(LATER)
    back_once(meeting)
    changed(meeting, date(meeting, 1), Scope.ONE, guests=[ANNE])
    send_all(LATER + MINUTE)
    assert [mail.method for mail in received(mailbox, BOB)] == ["REQUEST", "CANCEL"]
    back_once(meeting)
    send_all(LATER + 2 * MINUTE)
    changed(meeting, date(meeting, 1), Scope.ONE, guests=[ANNE])
    send_all(LATER + 3 * MINUTE)
    assert [mail.method for mail in received(mailbox, BOB)] == ["REQUEST", "CANCEL"] * 2
    assert "2026-10-13 08:00" not in starts(mailbox, BOB)
