"""One date of a series is moved, renamed, cancelled, or has people of its own."""

import pytest

from suite.agents.models import Agent
from tests import factories
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
    starts,
    went_out,
)
from visio.meetings.answers import answer
from visio.meetings.exception_models import AttendeeException
from visio.meetings.queries import agenda
from visio.meetings.refusals import DraftRefused, MeetingOver
from visio.meetings.scopes import Scope
from visio.meetings.series import cancel

pytestmark = pytest.mark.django_db


def test_r3_one_date_moves_alone(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne)
    went_out(meeting)
    answer(attendee=meeting.attendees.get(agent=anne), answer="accepted", via="portal", now=NOW)
    third = date(meeting, 2)

    meeting = changed(meeting, third, Scope.ONE, as_draft(meeting, third, anne, starts_at=third.starts_at + HOUR))

    third.refresh_from_db()
    assert third.starts_at == START + 2 * WEEK + HOUR
    assert (third.recurrence_id, third.is_override, third.sequence) == (START + 2 * WEEK, True, 1)
    assert (meeting.sequence, meeting.revision) == (1, 2)
    assert owed(meeting) == [(anne.email, "REQUEST", "moved", "12-08")]
    row = meeting.deliveries.get(state="owed")
    assert row.before["starts_at"] == (START + 2 * WEEK).isoformat()
    # R9, for that date alone.
    assert meeting.attendees.get(agent=anne).answer == "accepted"
    assert AttendeeException.objects.get(occurrence=third).answer == "needs_action"
    found = agenda([anne.pk], START, START + 4 * WEEK, anne)
    assert [(entry.starts_at - START, entry.answer) for entry in found] == [
        (0 * WEEK, "accepted"),
        (WEEK, "accepted"),
        (2 * WEEK + HOUR, "needs_action"),
        (3 * WEEK, "accepted"),
    ]


def test_r7_words_of_one_date(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne)
    went_out(meeting)
    second = date(meeting, 1)

    meeting = changed(meeting, second, Scope.ONE, as_draft(meeting, second, anne, title="Bilan", place="Salle 3"))

    second.refresh_from_db()
    assert (second.title, second.place, second.description) == ("Bilan", "Salle 3", None)
    assert (meeting.sequence, meeting.revision, meeting.title) == (0, 2, "Comité de suivi")
    assert owed(meeting) == [(anne.email, "REQUEST", "changed", "12-01")]
    assert [entry.title for entry in agenda([anne.pk], START, START + 2 * WEEK, anne)] == ["Comité de suivi", "Bilan"]


def test_a_date_is_not_told_while_the_series_waits(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne)
    second = date(meeting, 1)

    meeting = changed(meeting, second, Scope.ONE, as_draft(meeting, second, anne, title="Bilan"))

    assert owed(meeting) == [(anne.email, "REQUEST", "invited", "")]


def test_a_date_told_twice_is_told_once(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne)
    went_out(meeting)
    second = date(meeting, 1)
    meeting = changed(meeting, second, Scope.ONE, as_draft(meeting, second, anne, starts_at=second.starts_at + HOUR))
    second.refresh_from_db()
    meeting = changed(meeting, second, Scope.ONE, as_draft(meeting, second, anne, starts_at=second.starts_at + HOUR))

    assert owed(meeting) == [(anne.email, "REQUEST", "moved", "12-01")]
    assert meeting.deliveries.get(state="owed").before["starts_at"] == (START + WEEK).isoformat()

    meeting = changed(meeting, date(meeting, 0), Scope.ALL, as_draft(meeting, date(meeting, 0), anne, title="Autre"))
    assert owed(meeting) == [(anne.email, "REQUEST", "changed", "")]


def test_r1_one_date_is_cancelled(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne)
    went_out(meeting)
    second = date(meeting, 1)

    cancel(meeting=meeting, occurrence=second, scope=Scope.ONE, by=boss, now=NOW)
    cancel(meeting=meeting, occurrence=second, scope=Scope.ONE, by=boss, now=NOW)

    assert owed(meeting) == [(anne.email, "CANCEL", "cancelled", "12-01")]
    assert (meeting.sequence, meeting.status) == (1, "confirmed")
    assert starts(meeting) == [START + count * WEEK for count in (0, 2, 3, 4, 5)]
    with pytest.raises(MeetingOver):
        changed(meeting, second, Scope.ONE, as_draft(meeting, second, anne))


def test_p21_a_date_cancelled_before_the_invitation_went_out(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne)

    cancel(meeting=meeting, occurrence=date(meeting, 1), scope=Scope.ONE, by=boss, now=NOW)

    assert owed(meeting) == [(anne.email, "REQUEST", "invited", "")]


def test_the_last_date_that_is_cancelled_cancels_the_series(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne, rule="FREQ=WEEKLY;COUNT=2")
    went_out(meeting)

    cancel(meeting=meeting, occurrence=date(meeting, 0), scope=Scope.ONE, by=boss, now=NOW)
    cancel(meeting=meeting, occurrence=date(meeting, 1), scope=Scope.ONE, by=boss, now=NOW)

    assert meeting.is_cancelled
    assert owed(meeting) == [
        (anne.email, "CANCEL", "cancelled", "11-24"),
        (anne.email, "CANCEL", "cancelled", ""),
    ]


def test_people_of_one_date(boss: Agent, anne: Agent) -> None:
    paul = factories.agent("Paul", "Petit")
    meeting = series(boss, anne)
    went_out(meeting)
    second = date(meeting, 1)

    meeting = changed(meeting, second, Scope.ONE, as_draft(meeting, second, paul))

    assert owed(meeting) == sorted(
        [(anne.email, "CANCEL", "removed", "12-01"), (paul.email, "REQUEST", "invited", "12-01")]
    )
    assert meeting.sequence == 1
    guest = meeting.attendees.get(agent=paul)
    assert (guest.only_occurrence, guest.is_series, guest.starts_at) == (second, False, START + WEEK)
    window = (START, START + 3 * WEEK)
    assert [entry.starts_at - START for entry in agenda([anne.pk], *window, anne)] == [0 * WEEK, 2 * WEEK]
    assert [entry.starts_at - START for entry in agenda([paul.pk], *window, paul)] == [WEEK]

    # And the other way round.
    went_out(meeting)
    meeting = changed(meeting, second, Scope.ONE, as_draft(meeting, second, anne))
    assert owed(meeting) == sorted(
        [(paul.email, "CANCEL", "removed", "12-01"), (anne.email, "REQUEST", "invited", "12-01")]
    )
    assert not meeting.attendees.filter(agent=paul).exists()
    assert len(agenda([anne.pk], *window, anne)) == 3


def test_a_guest_of_one_date_joins_the_series(boss: Agent, anne: Agent) -> None:
    meeting = series(boss)
    second = date(meeting, 1)
    meeting = changed(meeting, second, Scope.ONE, as_draft(meeting, second, anne))
    went_out(meeting)
    third = date(meeting, 2)
    with_anne = as_draft(meeting, third, anne)
    with pytest.raises(DraftRefused):
        changed(meeting, third, Scope.ONE, with_anne)

    meeting = changed(meeting, date(meeting, 0), Scope.ALL, as_draft(meeting, date(meeting, 0), anne))

    guest = meeting.attendees.get(agent=anne)
    assert (guest.only_occurrence, guest.is_series) == (None, True)
    assert (guest.starts_at, guest.ends_at) == (START, START + 5 * WEEK + HOUR)
    assert owed(meeting) == [(anne.email, "REQUEST", "invited", "")]


def test_a_waiting_move_of_one_date_lends_no_false_words_to_the_letter_of_the_series(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne)
    went_out(meeting)
    third = date(meeting, 2)
    changed(meeting, third, Scope.ONE, as_draft(meeting, third, anne, starts_at=third.starts_at + HOUR))
    # Before that has left, the series is cut short: one letter tells both, and the series itself did not move.
    cancel(meeting=meeting, occurrence=date(meeting, 3), scope=Scope.FOLLOWING, by=boss, now=NOW)
    [row] = meeting.deliveries.filter(state="owed")
    assert (row.recurrence_id, row.method, row.reason) == (None, "REQUEST", "changed")
    meeting.refresh_from_db()
    assert row.before["rule"] != meeting.rrule
    assert row.before["starts_at"] != third.starts_at.isoformat()
    assert third.recurrence_id is not None
    assert list(row.before["dates"]) == [third.recurrence_id.isoformat()]
