"""A series becomes a single meeting: what differed on its date, and for whom, does not outlive the series."""

import pytest

from suite.agents.models import Agent
from tests import factories
from tests.looking import Mailbox
from tests.visio.exchange.files import calendar, timed
from tests.visio.meetings.planned_series import (
    HOUR,
    NOW,
    START,
    WEEK,
    as_draft,
    changed,
    date,
    owed,
    series,
    went_out,
)
from tests.visio.meetings.reading import received, send_all
from visio.exchange.importing import carry_out
from visio.exchange.planning import plan_import
from visio.meetings.drafting import draft_of
from visio.meetings.exception_models import AttendeeException
from visio.meetings.models import Meeting
from visio.meetings.queries import agenda
from visio.meetings.scopes import Scope
from visio.meetings.undo import undo

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("number", "scope"), [(0, Scope.ALL), (5, Scope.FOLLOWING)])
def test_who_was_away_on_the_date_is_invited_to_the_meeting_that_lists_them(number: int, scope: Scope) -> None:
    boss, anne, paul = (factories.agent() for _ in range(3))
    meeting = series(boss, anne, paul)
    one = date(meeting, number)
    meeting = changed(meeting, one, Scope.ONE, as_draft(meeting, one, anne))
    assert AttendeeException.objects.get().removed
    meeting = changed(meeting, one, scope, as_draft(meeting, one, anne, paul, rule=""))
    assert not meeting.is_series
    assert meeting.occurrences.count() == 1
    assert not AttendeeException.objects.exists()
    assert [entry.occurrence_id for entry in agenda([paul.pk], START, START + 6 * WEEK, paul)][-1] == one.pk


@pytest.fixture
def people() -> tuple[Agent, Agent, Agent]:
    return factories.agent("Karim", "Benali"), factories.agent("Anne", "Le Goff"), factories.agent("Zoé", "Roux")


def with_a_guest_of(meeting: Meeting, number: int, anne: Agent, zoe: Agent) -> Meeting:
    """Zoé is invited to that date alone, and knows it."""
    one = date(meeting, number)
    meeting = changed(meeting, one, Scope.ONE, as_draft(meeting, one, anne, zoe))
    went_out(meeting)
    return meeting


@pytest.mark.parametrize(("number", "scope"), [(0, Scope.ALL), (4, Scope.FOLLOWING)])
def test_whose_one_date_is_left_is_a_guest_of_the_meeting(
    people: tuple[Agent, Agent, Agent], number: int, scope: Scope
) -> None:
    boss, anne, zoe = people
    meeting = with_a_guest_of(series(boss, anne), number, anne, zoe)
    one = date(meeting, number)
    left = changed(meeting, one, scope, as_draft(meeting, one, anne, rule=""))
    assert not left.is_series
    row = left.attendees.get(agent=zoe)
    assert (row.only_occurrence, row.is_series, row.answer) == (None, False, "needs_action")
    # The whole is told anew, in place of the one date.
    assert [method for who, method, _reason, on in owed(left) if who == zoe.email and on == ""] == ["REQUEST"]
    if scope == Scope.ALL:
        assert [on for who, _method, _reason, on in owed(left) if who == zoe.email] == [""]

    # The form lists her, and whoever takes her off the list lets her go.
    shown = left.occurrences.get()
    assert {guest.agent_id for guest in draft_of(left, shown).attendees} == {anne.pk, zoe.pk}
    went_out(left)
    changed(left, shown, Scope.ALL, as_draft(left, shown, anne, rule=""))
    assert (zoe.email, "CANCEL", "removed", "") in owed(left)
    assert not left.attendees.filter(agent=zoe).exists()


def test_whose_one_date_is_gone_hears_that_date_cancelled(people: tuple[Agent, Agent, Agent], mailbox: Mailbox) -> None:
    boss, anne, zoe = people
    meeting = with_a_guest_of(series(boss, anne), 3, anne, zoe)
    known = date(meeting, 3).recurrence_id
    first = date(meeting, 0)
    meeting = changed(meeting, first, Scope.ALL, as_draft(meeting, first, anne, rule=""))
    assert not meeting.attendees.filter(agent=zoe).exists()
    send_all(NOW + 4 * HOUR)
    [mail] = received(mailbox, zoe.email)
    assert (mail.method, mail.event["RECURRENCE-ID"].dt) == ("CANCEL", known)
    assert int(mail.event["SEQUENCE"]) == meeting.sequence
    assert str(mail.event["STATUS"]) == "CANCELLED"
    [told] = received(mailbox, anne.email)
    assert (told.method, "RECURRENCE-ID" in told.event, "RRULE" in told.event) == ("REQUEST", False, False)


def test_whose_one_date_is_gone_before_they_were_told_hears_nothing(people: tuple[Agent, Agent, Agent]) -> None:
    boss, anne, zoe = people
    meeting = series(boss, anne)
    third = date(meeting, 3)
    meeting = changed(meeting, third, Scope.ONE, as_draft(meeting, third, anne, zoe))
    first = date(meeting, 0)
    meeting = changed(meeting, first, Scope.ALL, as_draft(meeting, first, anne, rule=""))
    assert [who for who, *_rest in owed(meeting)] == [anne.email]
    assert not meeting.attendees.filter(agent=zoe).exists()


def test_a_file_that_makes_the_series_one_meeting_keeps_whom_the_date_was_for(
    people: tuple[Agent, Agent, Agent],
) -> None:
    boss, anne, zoe = people

    def imported(*lines: str) -> Meeting:
        content = calendar(timed(f"ORGANIZER:mailto:{boss.email}", f"ATTENDEE:mailto:{anne.email}", *lines))
        carry_out(plan_import(content, agent=boss, now=NOW), agent=boss, now=NOW, invites=True)
        return Meeting.objects.get(organiser=boss)

    meeting = imported("RRULE:FREQ=WEEKLY;COUNT=3")
    meeting = with_a_guest_of(meeting, 0, anne, zoe)
    gone = factories.agent("Paul", "Petit")
    meeting = with_a_guest_of(meeting, 1, anne, gone)
    meeting = imported("SEQUENCE:4")
    assert meeting.attendees.get(agent=zoe).only_occurrence is None
    assert not meeting.attendees.filter(agent=gone).exists()
    assert {(who, method, on) for who, method, _reason, on in owed(meeting)} == {
        (anne.email, "REQUEST", ""),
        (zoe.email, "REQUEST", ""),
        (gone.email, "CANCEL", "01-19"),
    }


def test_taken_back_the_guest_is_one_of_that_date_alone_again(people: tuple[Agent, Agent, Agent]) -> None:
    boss, anne, zoe = people
    meeting = with_a_guest_of(series(boss, anne), 0, anne, zoe)
    one = date(meeting, 0)
    changed(meeting, one, Scope.ALL, as_draft(meeting, one, anne, rule=""))
    meeting = undo(meeting=meeting, by=boss, now=NOW)
    assert meeting.is_series
    assert meeting.attendees.get(agent=zoe).only_occurrence_id == one.pk
    assert owed(meeting) == []
