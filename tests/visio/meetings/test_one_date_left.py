"""A series becomes a single meeting: what differed on its date for one person does not outlive the series."""

import pytest

from tests import factories
from tests.visio.meetings.test_series import START, WEEK, as_draft, changed, date, series
from visio.meetings.exception_models import AttendeeException
from visio.meetings.queries import agenda
from visio.meetings.scopes import Scope

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
