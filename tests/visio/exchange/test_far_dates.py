"""Dates of a file that lie beyond the horizon are rows before their neighbours, and stay what the file said."""

from __future__ import annotations

import datetime as dt
import itertools
import zoneinfo
from dataclasses import replace

import pytest

from suite.agents.models import Agent
from tests import factories
from tests.visio.exchange.files import calendar, event, timed
from visio.exchange.importing import carry_out
from visio.exchange.planning import plan_import
from visio.meetings.drafting import draft_of
from visio.meetings.horizon import HORIZON, extend_series
from visio.meetings.models import OPEN_END, Meeting, Occurrence
from visio.meetings.scopes import Scope
from visio.meetings.series import cancel, change

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 24, 9, 0, tzinfo=dt.UTC)
EDGE = NOW + HORIZON
PARIS = zoneinfo.ZoneInfo("Europe/Paris")
DAY, WEEK, HOUR = dt.timedelta(days=1), dt.timedelta(days=7), dt.timedelta(hours=1)
# Far beyond the horizon: a Tuesday on which the series takes place the day after, and one on which it does not.
FAR = dt.datetime(2029, 1, 16, 10, tzinfo=PARIS)
NOT = dt.datetime(2029, 2, 6, 10, tzinfo=PARIS)
# A Saturday that the file adds to the series, and moves by two hours.
ADDED = dt.datetime(2029, 3, 3, 10, tzinfo=PARIS)
ZONE = ";TZID=Europe/Paris"
MOVED = event(
    f"RECURRENCE-ID{ZONE}:20290116T100000",
    f"DTSTART{ZONE}:20290117T100000",
    f"DTEND{ZONE}:20290117T110000",
    summary="Bilan",
)
GONE = timed(f"RECURRENCE-ID{ZONE}:20290206T100000", "STATUS:CANCELLED", start="20290206T100000", end="20290206T110000")
EXTRA = event(f"RECURRENCE-ID{ZONE}:20290303T100000", f"DTSTART{ZONE}:20290303T120000", f"DTEND{ZONE}:20290303T130000")


@pytest.fixture
def agent() -> Agent:
    return factories.agent("Claire", "Morel")


@pytest.fixture
def meeting(agent: Agent) -> Meeting:
    """Every Tuesday at ten in Paris without end, from 12 January 2027; three dates beyond the horizon differ."""
    master = timed("RRULE:FREQ=WEEKLY;BYDAY=TU", f"RDATE{ZONE}:20290303T100000")
    content = calendar(master, MOVED, GONE, EXTRA)
    carry_out(plan_import(content, agent=agent, now=NOW), agent=agent, now=NOW, invites=False)
    return Meeting.objects.get(organiser=agent)


def at(meeting: Meeting, recurrence_id: dt.datetime) -> Occurrence:
    return meeting.occurrences.get(recurrence_id=recurrence_id)


def near(meeting: Meeting) -> list[dt.datetime]:
    """What the series itself has as rows before its edge."""
    rows = meeting.occurrences.filter(recurrence_id__lt=EDGE).order_by("recurrence_id")
    return list(rows.values_list("recurrence_id", flat=True))


def edited(meeting: Meeting, shown: Occurrence, scope: Scope = Scope.ALL, **changes: object) -> Meeting:
    meeting.refresh_from_db()
    asked = replace(draft_of(meeting, shown, scope=scope), **changes)  # type: ignore[arg-type]
    return change(
        meeting=meeting,
        occurrence=shown,
        scope=scope,
        by=meeting.organiser,
        draft=asked,
        revision=meeting.revision,
        now=NOW,
    )


def special(meeting: Meeting, later: dt.timedelta = dt.timedelta(0)) -> None:
    """The three dates are there, and as the file said, `later` than that."""
    moved, gone, extra = (at(meeting, one + later) for one in (FAR, NOT, ADDED))
    assert (moved.starts_at, moved.title, moved.is_override) == (FAR + DAY + later, "Bilan", True)
    assert gone.status == "cancelled"
    assert (extra.starts_at, extra.is_override) == (ADDED + 2 * HOUR + later, True)


def test_they_are_not_the_edge_of_the_horizon(meeting: Meeting) -> None:
    special(meeting)
    assert meeting.expanded_until == EDGE
    assert len(near(meeting)) == len(meeting.occurrences.all()) - 3
    assert extend_series(now=NOW) == 0
    # The horizon passes them by, date after date.
    for _month in range(26):
        extend_series(now=NOW + (_month + 1) * 28 * DAY)
    special(meeting)
    rows = list(meeting.occurrences.order_by("recurrence_id").values_list("recurrence_id", flat=True))
    tuesdays = [one for one in rows if one is not None and one != ADDED]
    assert {later.date() - earlier.date() for earlier, later in itertools.pairwise(tuesdays)} == {WEEK}
    assert tuesdays[-1] > ADDED


def test_they_move_with_all_of_the_series(meeting: Meeting) -> None:
    first = meeting.occurrences.order_by("starts_at")[0]
    assert edited(meeting, first, start_time=dt.time(11)) == meeting
    special(meeting, HOUR)
    meeting.refresh_from_db()
    assert meeting.expanded_until == EDGE
    assert meeting.occurrences.filter(recurrence_id__gte=EDGE).count() == 3
    assert meeting.attendees.get().ends_at == OPEN_END


def test_they_stay_when_all_of_the_series_ends_behind_them(meeting: Meeting) -> None:
    first = meeting.occurrences.order_by("starts_at")[0]
    edited(meeting, first, rule="FREQ=WEEKLY;BYDAY=TU;UNTIL=20290601T080000Z")
    special(meeting)


def test_they_go_when_all_of_the_series_ends_before_them(meeting: Meeting) -> None:
    first = meeting.occurrences.order_by("starts_at")[0]
    edited(meeting, first, rule="FREQ=WEEKLY;BYDAY=TU;COUNT=10", rdates=())
    assert meeting.occurrences.count() == 10


def test_they_go_with_what_follows_an_earlier_date(meeting: Meeting) -> None:
    third = meeting.occurrences.order_by("recurrence_id")[2]
    rest = edited(meeting, third, Scope.FOLLOWING, start_time=dt.time(11))
    special(rest, HOUR)
    meeting.refresh_from_db()
    assert (meeting.occurrences.count(), meeting.expanded_until) == (2, None)


def test_what_lies_between_is_not_lost_when_one_of_them_begins_the_rest(meeting: Meeting) -> None:
    before = near(meeting)
    rest = edited(meeting, at(meeting, FAR), Scope.FOLLOWING, title="Suite")
    assert at(rest, FAR).title == "Bilan"
    meeting.refresh_from_db()
    assert near(meeting) == before
    assert meeting.expanded_until == EDGE, "it has dates that are no rows yet"
    for month in range(12):
        extend_series(now=NOW + month * 28 * DAY)
    last = meeting.occurrences.order_by("recurrence_id").last()
    assert last is not None
    assert last.recurrence_id == FAR - WEEK


def test_what_lies_between_is_not_lost_when_one_of_them_and_the_following_are_cancelled(meeting: Meeting) -> None:
    cancel(meeting=meeting, occurrence=at(meeting, FAR), scope=Scope.FOLLOWING, by=meeting.organiser, now=NOW)
    meeting.refresh_from_db()
    assert meeting.expanded_until == EDGE
    assert meeting.attendees.get().ends_at == FAR - WEEK + HOUR
