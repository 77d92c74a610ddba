"""Editors and guests of one series at the same moment."""

import dataclasses
import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from tests import factories
from tests.visio.meetings.planned_series import NOW, date, series
from visio.meetings.answers import answer
from visio.meetings.drafting import draft_of
from visio.meetings.models import Meeting
from visio.meetings.refusals import EditConflict
from visio.meetings.scopes import Scope
from visio.meetings.series import change

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*acts: Callable[[], object]) -> list[object]:
    """What each gives, or the exception that it raises."""

    def run(act: Callable[[], object]) -> object:
        try:
            return act()
        except EditConflict as conflict:
            return conflict
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def test_p19_of_editors_of_different_dates_one_wins() -> None:
    meeting = series(factories.agent())

    def edit(index: int) -> Callable[[], object]:
        occurrence = date(meeting, index)
        asked = dataclasses.replace(draft_of(meeting, occurrence, scope=Scope.ONE), start_time=dt.time(15, index))

        def act() -> object:
            return change(
                meeting=meeting,
                occurrence=occurrence,
                scope=Scope.ONE,
                by=meeting.organiser,
                draft=asked,
                revision=1,
                now=NOW,
            )

        return act

    results = at_once(*(edit(index) for index in range(4)))

    assert [isinstance(one, EditConflict) for one in results].count(False) == 1
    current = Meeting.objects.get(pk=meeting.pk)
    assert (current.sequence, current.revision) == (1, 2)
    assert meeting.occurrences.filter(is_override=True).count() == 1


def test_answers_and_a_move_do_not_lock_each_other_out() -> None:
    guests = [factories.agent() for _index in range(6)]
    meeting = series(factories.agent(), *guests)
    third = date(meeting, 2)
    asked = dataclasses.replace(draft_of(meeting, third, scope=Scope.ONE), start_time=dt.time(15))

    def answering(index: int) -> Callable[[], object]:
        attendee = meeting.attendees.get(agent=guests[index])
        return lambda: answer(attendee=attendee, answer="accepted", via="portal", now=NOW, occurrence=third)

    def move() -> object:
        return change(
            meeting=meeting,
            occurrence=third,
            scope=Scope.ONE,
            by=meeting.organiser,
            draft=asked,
            revision=1,
            now=NOW,
        )

    at_once(*(answering(index) for index in range(3)), move, *(answering(index) for index in range(3, 6)))

    assert Meeting.objects.get(pk=meeting.pk).revision == 2
    # R9 or not, by who came first: but each guest has one answer to that date at most.
    assert meeting.occurrences.get(pk=third.pk).exceptions.count() <= 6
