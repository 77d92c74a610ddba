"""Another time is proposed, taken, refused (R20); answers to one date."""

import datetime as dt

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
    draft,
    owed,
    series,
    starts,
    went_out,
)
from visio.meetings.answers import AnswerRefused, answer
from visio.meetings.counters import CounterRefused, accept, propose, refuse
from visio.meetings.exception_models import AttendeeException, CounterProposal
from visio.meetings.models import Meeting, Occurrence
from visio.meetings.queries import agenda
from visio.meetings.refusals import NotOrganiser
from visio.meetings.scheduling import schedule_meeting
from visio.meetings.scopes import Scope
from visio.meetings.series import cancel

pytestmark = pytest.mark.django_db


def proposed(
    meeting: Meeting, who: Agent, occurrence: Occurrence | None = None, *, at: dt.datetime = START + HOUR
) -> CounterProposal:
    return propose(
        attendee=meeting.attendees.get(agent=who),
        occurrence=occurrence,
        starts_at=at,
        ends_at=at + HOUR,
        comment="Plutôt\nplus tard",
        via="page",
        revision=1,
        now=NOW,
    )


def test_r20_accepted_is_a_move_for_all(boss: Agent, anne: Agent) -> None:
    paul = factories.agent("Paul", "Petit")
    meeting = schedule_meeting(by=boss, draft=draft(guests=[anne, paul]), now=NOW)
    went_out(meeting)
    counter = proposed(meeting, anne)
    assert counter.comment == "Plutôt plus tard"
    assert meeting.sequence == 0

    moved = accept(counter=counter, by=boss, now=NOW)

    assert starts(moved) == [START + HOUR]
    assert moved.sequence == 1
    assert owed(moved) == sorted([(one.email, "REQUEST", "moved", "") for one in (anne, paul)])
    counter.refresh_from_db()
    assert (counter.state, counter.decided_by) == ("accepted", boss)
    with pytest.raises(CounterRefused):
        accept(counter=counter, by=boss, now=NOW)


def test_r20_refused_is_told_to_that_attendee_alone(boss: Agent, anne: Agent) -> None:
    meeting = schedule_meeting(by=boss, draft=draft(guests=[anne, "ext@partenaire.example"]), now=NOW)
    went_out(meeting)

    refuse(counter=proposed(meeting, anne), by=boss, now=NOW, words="Impossible")

    assert owed(meeting) == [(anne.email, "DECLINECOUNTER", "refused", "")]
    row = meeting.deliveries.get(state="owed")
    assert row.sequence == 0
    assert row.before["words"] == "Impossible"
    assert row.before["proposed_starts_at"] == (START + HOUR).isoformat()

    # Once more, at the same version.
    went_out(meeting)
    refuse(counter=proposed(meeting, anne), by=boss, now=NOW)
    assert owed(meeting) == [(anne.email, "DECLINECOUNTER", "refused", "")]


def test_r20_one_date_of_a_series(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne)
    went_out(meeting)
    second = date(meeting, 1)

    accept(counter=proposed(meeting, anne, second, at=START + WEEK + HOUR), by=boss, now=NOW)

    assert starts(meeting)[:3] == [START, START + WEEK + HOUR, START + 2 * WEEK]
    assert owed(meeting) == [(anne.email, "REQUEST", "moved", "12-01")]


def test_a_newer_proposal_and_a_move_overtake(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne)
    first = proposed(meeting, anne, date(meeting, 1))
    second = proposed(meeting, anne, date(meeting, 1), at=START + 2 * HOUR)
    first.refresh_from_db()
    assert first.state == "overtaken"

    cancel(meeting=meeting, occurrence=date(meeting, 1), scope=Scope.ONE, by=boss, now=NOW)
    with pytest.raises(CounterRefused) as refused:
        accept(counter=second, by=boss, now=NOW)
    assert refused.value.reason == "decided"
    assert refused.value.message


def test_what_cannot_be_proposed(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne)
    for at, reason in [(NOW - HOUR, "past"), (START, "unchanged")]:
        with pytest.raises(CounterRefused) as refused:
            proposed(meeting, anne, date(meeting, 0), at=at)
        assert refused.value.reason == reason
    with pytest.raises(CounterRefused) as refused:
        proposed(meeting, boss)
    assert refused.value.reason == "organiser"
    with pytest.raises(NotOrganiser):
        accept(counter=proposed(meeting, anne), by=anne, now=NOW)


def test_an_answer_to_one_date(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne)
    mine = meeting.attendees.get(agent=anne)
    answer(attendee=mine, answer="accepted", via="portal", now=NOW)
    answer(attendee=mine, answer="declined", comment="Absente", via="page", now=NOW, occurrence=date(meeting, 1))

    assert [entry.answer for entry in agenda([anne.pk], START, START + 3 * WEEK, anne)] == [
        "accepted",
        "declined",
        "accepted",
    ]
    exception = AttendeeException.objects.get()
    assert (exception.comment, exception.answered_via, exception.answered_revision) == ("Absente", "page", 1)
    # What was said of one date stays when the series is answered again.
    answer(attendee=mine, answer="tentative", via="portal", now=NOW)
    assert AttendeeException.objects.get().answer == "declined"


def test_an_answer_to_the_series_answers_dates_that_wait(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne)
    mine = meeting.attendees.get(agent=anne)
    AttendeeException.objects.create(occurrence=date(meeting, 1), attendee=mine, answer="needs_action")

    answer(attendee=mine, answer="accepted", via="portal", now=NOW)

    assert not AttendeeException.objects.exists()


def test_dates_that_take_no_answer(boss: Agent, anne: Agent) -> None:
    meeting, other = series(boss, anne), series(boss, anne)
    mine = meeting.attendees.get(agent=anne)
    cancel(meeting=meeting, occurrence=date(meeting, 1), scope=Scope.ONE, by=boss, now=NOW)
    AttendeeException.objects.create(occurrence=date(meeting, 2), attendee=mine, removed=True)
    for occurrence, now, reason in [
        (date(meeting, 1), NOW, "cancelled"),
        (date(meeting, 2), NOW, "not_invited"),
        (date(other, 0), NOW, "not_invited"),
        (date(meeting, 0), START + HOUR, "over"),
    ]:
        with pytest.raises(AnswerRefused) as refused:
            answer(attendee=mine, answer="accepted", via="portal", now=now, occurrence=occurrence)
        assert refused.value.reason == reason
        assert refused.value.message


def test_the_guest_of_one_date_answers_on_their_own_row(boss: Agent, anne: Agent) -> None:
    meeting = series(boss)
    second = date(meeting, 1)
    changed(meeting, second, Scope.ONE, as_draft(meeting, second, anne))
    mine = meeting.attendees.get(agent=anne)

    answer(attendee=mine, answer="accepted", via="portal", now=NOW, occurrence=second)

    mine.refresh_from_db()
    assert mine.answer == "accepted"
    with pytest.raises(AnswerRefused):
        answer(attendee=mine, answer="accepted", via="portal", now=NOW, occurrence=date(meeting, 2))
