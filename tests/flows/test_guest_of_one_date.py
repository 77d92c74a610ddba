"""Guests of one date of a series: what their calendar shows when the series changes around them."""

from __future__ import annotations

import datetime as dt

import pytest

from suite.agents.models import Agent
from tests import factories
from tests.flows.itip import GuestCalendar
from tests.looking import Mailbox
from tests.visio.meetings.reading import received
from tests.visio.meetings.test_calendar_rules import (
    ANNE,
    BOB,
    HOUR,
    LATER,
    Meeting,
    Scope,
    changed,
    date,
    send_all,
    weekly,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def boss() -> Agent:
    return factories.agent("Karim", "Benali", organisation=factories.organisation("DINUM"))


def starts(mailbox: Mailbox, guest: str) -> list[str]:
    calendar = GuestCalendar(guest)
    for mail in received(mailbox, guest):
        calendar.receive(mail.ics)
    return [one.start[:16] for one in calendar.shown(dt.date(2026, 10, 1), dt.date(2026, 12, 1))]


def with_bob_once(boss: Agent) -> Meeting:
    meeting = weekly(boss, guests=[ANNE])
    meeting = changed(meeting, date(meeting, 1), Scope.ONE, guests=[ANNE, BOB])
    send_all(LATER)
    return meeting


def test_the_series_moves_and_the_old_hour_leaves_their_calendar(boss: Agent, mailbox: Mailbox) -> None:
    meeting = with_bob_once(boss)
    changed(meeting, date(meeting, 0), Scope.ALL, later=HOUR, guests=[ANNE])
    send_all(LATER)
    assert starts(mailbox, BOB) == ["2026-10-13 09:00"]
    first, cancel, again = received(mailbox, BOB)
    assert [mail.method for mail in (first, cancel, again)] == ["REQUEST", "CANCEL", "REQUEST"]
    assert cancel.event["RECURRENCE-ID"] == first.event["RECURRENCE-ID"]
    assert "l’ancien horaire est libéré, une invitation au nouveau suit" in cancel.text


def test_the_series_ends_before_their_date(boss: Agent, mailbox: Mailbox) -> None:
    meeting = with_bob_once(boss)
    changed(meeting, date(meeting, 0), Scope.ALL, guests=[ANNE], title="Bureau")
    send_all(LATER)
    # Words of the series are those of their date too.
    assert received(mailbox, BOB)[-1].subject == "Modifié (titre) : Bureau, mar. 13 oct. 10:00"
    changed(Meeting.objects.get(pk=meeting.pk), date(meeting, 1), Scope.FOLLOWING, later=HOUR, guests=[ANNE])
    send_all(LATER + dt.timedelta(minutes=1))
    assert starts(mailbox, BOB) == ["2026-10-13 09:00"]


def test_removed_from_all_and_back_for_one_before_anything_was_mailed(boss: Agent, mailbox: Mailbox) -> None:
    meeting = weekly(boss, guests=[ANNE, BOB])
    meeting = changed(meeting, date(meeting, 0), Scope.ALL, guests=[ANNE])
    changed(meeting, date(meeting, 1), Scope.ONE, guests=[ANNE, BOB])
    send_all(LATER)
    # Their date waits until what takes the series away has arrived.
    send_all(LATER + dt.timedelta(minutes=1))
    assert starts(mailbox, BOB) == ["2026-10-13 08:00"]
    assert len(starts(mailbox, ANNE)) == 5
