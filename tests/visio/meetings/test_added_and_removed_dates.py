"""Dates added to a series (RDATE) and removed from it (EXDATE) move with it, whoever moves it and however."""

import dataclasses
import datetime as dt

import pytest

from tests import factories
from tests.visio.meetings.planned_series import HOUR, NOW, START, WEEK, date, series, starts
from visio.meetings.counters import accept, propose
from visio.meetings.drafting import draft_of
from visio.meetings.models import Meeting
from visio.meetings.scopes import Scope
from visio.meetings.series import change

pytestmark = pytest.mark.django_db
FIRST = dt.datetime.combine(dt.date(2026, 11, 24), dt.time(10))
DAY = dt.timedelta(days=1)


@pytest.fixture
def meeting() -> Meeting:
    """Six Tuesdays without the third, and the day after the fourth."""
    boss, anne = factories.agent("Karim", "Benali"), factories.agent("Anne", "Le Goff")
    return series(boss, anne, rdates=(FIRST + 3 * WEEK + DAY,), exdates=(FIRST + 2 * WEEK,))


def tuesdays(first: int, later: dt.timedelta) -> list[dt.datetime]:
    weeks = [START + number * WEEK for number in range(first, 6) if number != 2]
    return sorted(one + later for one in [*weeks, START + 3 * WEEK + DAY])


def move(meeting: Meeting, number: int, scope: Scope) -> Meeting:
    shown = date(meeting, number)
    asked = draft_of(meeting, shown, scope=scope)
    later = dataclasses.replace(asked, start_time=dt.time(asked.start_time.hour + 1))
    return change(
        meeting=meeting,
        occurrence=shown,
        scope=scope,
        by=meeting.organiser,
        draft=later,
        revision=meeting.revision,
        now=NOW,
    )


def test_with_all_of_it(meeting: Meeting) -> None:
    kept = list(meeting.occurrences.order_by("starts_at").values_list("pk", flat=True))
    move(meeting, 0, Scope.ALL)
    assert starts(meeting) == tuesdays(0, HOUR)
    assert list(meeting.occurrences.order_by("starts_at").values_list("pk", flat=True)) == kept


def test_with_this_and_the_following(meeting: Meeting) -> None:
    rest = move(meeting, 2, Scope.FOLLOWING)
    assert starts(meeting) == [START, START + WEEK]
    assert starts(rest) == tuesdays(3, HOUR)
    rest.refresh_from_db()
    assert (rest.rdates, rest.exdates) == (["2026-12-16T11:00:00"], [])


def test_with_a_proposed_time_for_all_that_is_taken(meeting: Meeting) -> None:
    guest = meeting.attendees.get(agent__given_name="Anne")
    counter = propose(
        attendee=guest, occurrence=None, starts_at=START + HOUR, ends_at=START + 2 * HOUR, via="portal", now=NOW
    )
    accept(counter=counter, by=meeting.organiser, now=NOW)
    assert starts(meeting) == tuesdays(0, HOUR)


def test_others_that_are_asked_for_are_meant_as_they_are_written(meeting: Meeting) -> None:
    shown = date(meeting, 0)
    asked = draft_of(meeting, shown)
    other = FIRST + WEEK + DAY
    later = dataclasses.replace(asked, start_time=dt.time(11), rdates=(other,))
    change(
        meeting=meeting,
        occurrence=shown,
        scope=Scope.ALL,
        by=meeting.organiser,
        draft=later,
        revision=meeting.revision,
        now=NOW,
    )
    meeting.refresh_from_db()
    assert meeting.rdates == [other.isoformat()]
    assert START + WEEK + DAY in starts(meeting)
