"""The rolling horizon: every series has its dates as rows, however long ago it was planned."""

import copy
import datetime as dt
import uuid
from typing import Any

import pytest
from django.db import connection, transaction

from suite.agents.models import Agent
from tests.visio.meetings.planned_series import NOW, OPEN, START, WEEK, as_draft, changed, date, draft, series, starts
from visio.meetings.horizon import HORIZON, STEP, extend_series
from visio.meetings.models import OPEN_END, Meeting
from visio.meetings.queries import agenda
from visio.meetings.scheduling import cancel_meeting, schedule_meeting
from visio.meetings.scopes import Scope
from visio.meetings.tasks import extend_series as extend_task

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


def many(meeting: Meeting, number: int) -> None:
    """Copies of its row alone."""
    copies = []
    for _index in range(number):
        one = copy.copy(meeting)
        one.pk, one.room, one.uid = None, None, str(uuid.uuid4())
        one.public_id, one.creation_key = uuid.uuid4(), uuid.uuid4()
        copies.append(one)
    Meeting.objects.bulk_create(copies)


def test_a_series_without_end_is_in_the_calendar_of_every_year_to_come(boss: Agent) -> None:
    meeting = series(boss, rule=OPEN)
    now = NOW
    for _month in range(40):
        now += dt.timedelta(days=30)
        extend_series(now=now)

    year_later = now + dt.timedelta(days=365)
    found = agenda([boss.pk], year_later, year_later + WEEK, boss)
    assert len(found) == 1
    meeting.refresh_from_db()
    assert meeting.expanded_until is not None
    assert meeting.expanded_until > now + HORIZON - STEP - 3 * DAY
    gaps = {later - sooner for sooner, later in zip(starts(meeting), starts(meeting)[1:], strict=False)}
    hour = dt.timedelta(hours=1)
    assert gaps == {WEEK, WEEK - hour, WEEK + hour}
    assert meeting.attendees.get().ends_at == OPEN_END


def test_nothing_to_do_costs_one_look(boss: Agent, django_assert_num_queries: Any) -> None:
    series(boss, rule=OPEN)
    with django_assert_num_queries(1 + 2):  # The savepoint's.
        assert extend_series(now=NOW + STEP - DAY) == 0


def test_people_and_overrides_are_not_touched(boss: Agent) -> None:
    meeting = series(boss, rule=OPEN)
    second = date(meeting, 1)
    changed(meeting, second, Scope.ONE, as_draft(meeting, second, title="Bilan", starts_at=second.starts_at + DAY))
    before = list(meeting.attendees.values()), list(meeting.occurrences.order_by("pk").values())

    assert extend_series(now=NOW + 2 * STEP) == 1

    assert list(meeting.attendees.values()) == before[0]
    assert list(meeting.occurrences.order_by("pk").values())[: len(before[1])] == before[1]
    assert meeting.occurrences.count() == len(before[1]) + 8


def test_a_series_that_ends_beyond_the_horizon_ends_where_it_should(boss: Agent) -> None:
    meeting = series(boss, rule="FREQ=MONTHLY;COUNT=24")
    assert meeting.attendees.get().ends_at > START + 600 * DAY
    assert meeting.occurrences.count() < 24

    extend_series(now=NOW + 365 * DAY)

    meeting.refresh_from_db()
    assert meeting.occurrences.count() == 24
    assert meeting.expanded_until is None
    assert extend_series(now=NOW + 700 * DAY) == 0


def test_a_rare_series_has_its_next_date(boss: Agent) -> None:
    meeting = schedule_meeting(by=boss, draft=draft(rule="FREQ=YEARLY;INTERVAL=4"), now=NOW)
    far = schedule_meeting(by=boss, draft=draft(starts_at=START + 3000 * DAY, rule=OPEN), now=NOW)

    assert len(starts(far)) >= 1
    now = START + DAY
    extend_series(now=now)
    assert any(at > now for at in starts(meeting)) or meeting.expanded_until is not None
    now = START + 1400 * DAY
    while extend_series(now=now):
        pass
    assert any(at > now for at in starts(meeting))


def test_cancelled_series_rest(boss: Agent) -> None:
    meeting = series(boss, rule=OPEN)
    cancel_meeting(meeting=meeting, by=boss, now=NOW)

    assert extend_series(now=NOW + 2 * STEP) == 0


def test_many_series_are_extended_by_set(boss: Agent, django_assert_num_queries: Any) -> None:
    many(series(boss, rule=OPEN), 300)

    with django_assert_num_queries(8):
        assert extend_series(limit=1000, now=NOW + 2 * STEP) == 301
    assert extend_series(limit=1000, now=NOW + 2 * STEP) == 0


def test_the_task_goes_on_until_all_are_done(boss: Agent) -> None:
    meeting = series(boss, rule=OPEN)
    Meeting.objects.filter(pk=meeting.pk).update(expanded_until=NOW)

    extend_task()

    meeting.refresh_from_db()
    assert meeting.expanded_until is not None
    assert meeting.expanded_until > NOW


@pytest.mark.django_db(transaction=True)
def test_two_workers_share_the_series(boss: Agent) -> None:
    series(boss, rule=OPEN)
    series(boss, rule=OPEN)
    other = connection.copy()
    try:
        with transaction.atomic(), other.cursor() as cursor:
            assert extend_series(limit=1, now=NOW + 2 * STEP) == 1
            cursor.execute("SELECT count(*) FROM (SELECT 1 FROM visio_meeting FOR UPDATE SKIP LOCKED) free")
            assert cursor.fetchone() == (1,)
        assert extend_series(now=NOW + 2 * STEP) == 1
    finally:
        other.close()
