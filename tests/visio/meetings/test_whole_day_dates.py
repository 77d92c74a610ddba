"""A date of an all-day series stays whole days of the series' zone, whoever moves it and from where."""

import dataclasses
import datetime as dt
from typing import Any

import pytest

from suite.agents.models import Agent
from tests import factories
from visio.meetings.drafting import draft_of
from visio.meetings.models import Meeting, Occurrence
from visio.meetings.queries import agenda
from visio.meetings.scheduling import schedule_meeting
from visio.meetings.scopes import Scope
from visio.meetings.series import change
from visio.meetings.wallclock import day_span

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 10, 1, 9, 0, tzinfo=dt.UTC)
PAGO = "Pacific/Pago_Pago"
KIRITIMATI = "Pacific/Kiritimati"
PARIS = "Europe/Paris"


def planned(
    boss: Agent, first: dt.date, *, zone: str, days: int = 1, is_all_day: bool = True, rule: str = "FREQ=WEEKLY;COUNT=4"
) -> Meeting:
    asked = factories.draft(
        now=NOW,
        start_date=first,
        start_time=dt.time() if is_all_day else dt.time(10),
        time_zone=zone,
        minutes=days * 1440 if is_all_day else 60,
        is_all_day=is_all_day,
        rule=rule,
    )
    return schedule_meeting(by=boss, draft=asked, now=NOW)


def date(meeting: Meeting, index: int) -> Occurrence:
    return meeting.occurrences.order_by("recurrence_id")[index]


def changed(meeting: Meeting, index: int, scope: Scope, **fields: Any) -> Meeting:
    meeting.refresh_from_db()
    one = date(meeting, index)
    asked = dataclasses.replace(draft_of(meeting, one, scope=scope), **fields)
    return change(
        meeting=meeting,
        occurrence=one,
        scope=scope,
        by=meeting.organiser,
        draft=asked,
        revision=meeting.revision,
        now=NOW,
    )


def spans(meeting: Meeting) -> list[tuple[dt.datetime, dt.datetime]]:
    return list(meeting.occurrences.order_by("recurrence_id").values_list("starts_at", "ends_at"))


def test_one_date_moved_from_another_zone_is_the_days_that_were_asked() -> None:
    boss = factories.agent(time_zone="America/Cayenne")
    meeting = planned(boss, dt.date(2026, 12, 1), zone=PAGO, days=2)
    changed(meeting, 1, Scope.ONE, start_date=dt.date(2026, 12, 9), time_zone=KIRITIMATI)
    assert spans(meeting)[1] == day_span(dt.date(2026, 12, 9), PAGO, 2)
    start = dt.datetime(2026, 12, 7, 3, tzinfo=dt.UTC)
    found = agenda([boss.pk], start, start + dt.timedelta(days=7), boss)
    assert [(one.first_day, one.last_day) for one in found] == [(dt.date(2026, 12, 9), dt.date(2026, 12, 10))]


def test_another_zone_alone_moves_no_whole_day() -> None:
    meeting = planned(factories.agent(), dt.date(2026, 12, 1), zone=PAGO)
    before = spans(meeting), meeting.revision
    changed(meeting, 1, Scope.ONE, time_zone=KIRITIMATI)
    meeting.refresh_from_db()
    assert (spans(meeting), meeting.revision) == before
    assert not date(meeting, 1).is_override


def test_a_date_of_its_own_length_stays_whole_days_when_the_series_changes_zone_and_hours() -> None:
    """25 October 2026 has 25 hours in Paris, and 24 in the zone that the series goes to."""
    meeting = planned(factories.agent(), dt.date(2026, 10, 10), zone=PARIS)
    changed(meeting, 1, Scope.ONE, start_date=dt.date(2026, 10, 25))
    changed(meeting, 2, Scope.ONE, minutes=3 * 1440)
    changed(meeting, 0, Scope.ALL, time_zone=KIRITIMATI)
    expected = [(dt.date(2026, 10, 10), 1), (dt.date(2026, 10, 25), 1), (dt.date(2026, 10, 24), 3)]
    assert spans(meeting)[:3] == [day_span(first, KIRITIMATI, days) for first, days in expected]


def test_dates_moved_by_hours_are_whole_days_once_the_series_is() -> None:
    meeting = planned(factories.agent(), dt.date(2026, 11, 3), zone=PARIS, is_all_day=False)
    changed(meeting, 1, Scope.ONE, start_time=dt.time(8))
    changed(meeting, 2, Scope.ONE, start_time=dt.time(14), minutes=90)
    changed(meeting, 0, Scope.ALL, is_all_day=True, minutes=1440)
    assert spans(meeting) == [day_span(dt.date(2026, 11, day), PARIS, 1) for day in (3, 10, 17, 24)]
