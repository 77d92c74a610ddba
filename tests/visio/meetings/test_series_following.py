"""This date of a series and the following are changed or cancelled; a series that has begun."""

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
from visio.meetings.scopes import Scope
from visio.meetings.series import cancel

pytestmark = pytest.mark.django_db


def test_r4_this_and_the_following(boss: Agent, anne: Agent) -> None:
    paul = factories.agent("Paul", "Petit")
    meeting = series(boss, anne)
    went_out(meeting)
    answer(attendee=meeting.attendees.get(agent=anne), answer="accepted", via="portal", now=NOW)
    cancel(meeting=meeting, occurrence=date(meeting, 4), scope=Scope.ONE, by=boss, now=NOW)
    went_out(meeting)
    third = date(meeting, 2)

    asked = as_draft(meeting, third, anne, paul, starts_at=third.starts_at + HOUR)
    rest = changed(meeting, third, Scope.FOLLOWING, asked)

    meeting.refresh_from_db()
    assert rest.pk != meeting.pk
    assert rest.uid != meeting.uid
    assert rest.split_from == meeting
    assert starts(meeting) == [START, START + WEEK]
    assert meeting.rrule == "FREQ=WEEKLY;UNTIL=20261208T085959Z"
    assert (meeting.sequence, meeting.attendees.get(agent=anne).ends_at) == (2, START + WEEK + HOUR)
    assert starts(rest) == [START + count * WEEK + HOUR for count in (2, 3, 5)]
    assert rest.rrule == "FREQ=WEEKLY;COUNT=4"
    assert owed(meeting) == [(anne.email, "REQUEST", "changed", "")]
    assert owed(rest) == sorted([(anne.email, "REQUEST", "invited", ""), (paul.email, "REQUEST", "invited", "")])
    # R9: nothing of the first part moved, all of the rest did.
    assert meeting.attendees.get(agent=anne).answer == "accepted"
    assert rest.attendees.get(agent=anne).answer == "needs_action"


def test_r4_other_words_keep_the_answers(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne)
    answer(attendee=meeting.attendees.get(agent=anne), answer="accepted", via="portal", now=NOW)
    third = date(meeting, 2)

    rest = changed(meeting, third, Scope.FOLLOWING, as_draft(meeting, third, anne, title="Suite"))

    assert (rest.title, rest.attendees.get(agent=anne).answer) == ("Suite", "accepted")
    assert starts(rest) == [START + count * WEEK for count in (2, 3, 4, 5)]


def test_from_the_first_date_on_is_all(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne)
    first = date(meeting, 0)

    same = changed(meeting, first, Scope.FOLLOWING, as_draft(meeting, first, anne, title="Autre"))

    assert (same.pk, same.title) == (meeting.pk, "Autre")


def test_a_series_that_has_begun_moves_from_its_next_date_on(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne)
    later = START + WEEK + 2 * HOUR
    fifth = date(meeting, 4)

    asked = as_draft(meeting, fifth, anne, starts_at=fifth.starts_at + HOUR)
    rest = changed(meeting, fifth, Scope.ALL, asked, now=later)

    assert starts(meeting) == [START, START + WEEK]
    assert starts(rest) == [START + count * WEEK + HOUR for count in (2, 3, 4, 5)]


def test_a_series_that_has_begun_is_renamed_as_a_whole(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne)
    third = date(meeting, 2)

    asked = as_draft(meeting, third, anne, title="Autre", rule="FREQ=WEEKLY;COUNT=8")
    same = changed(meeting, third, Scope.ALL, asked, now=START + HOUR)

    assert (same.pk, same.title, len(starts(same))) == (meeting.pk, "Autre", 8)


def test_cancelling_this_and_the_following_ends_the_series(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne)
    went_out(meeting)

    cancel(meeting=meeting, occurrence=date(meeting, 2), scope=Scope.FOLLOWING, by=boss, now=NOW)

    assert starts(meeting) == [START, START + WEEK]
    assert (meeting.is_cancelled, meeting.until) == (False, START + WEEK)
    assert owed(meeting) == [(anne.email, "REQUEST", "changed", "")]
    cancel(meeting=meeting, occurrence=date(meeting, 0), scope=Scope.FOLLOWING, by=boss, now=NOW)
    assert meeting.is_cancelled
