"""A series is planned, changed and cancelled as a whole."""

import dataclasses
import datetime as dt
from typing import Any

import pytest

from suite.agents.models import Agent
from suite.agents.time_models import Delegation
from tests import factories
from tests.visio.meetings.planned_series import (
    HOUR,
    NOW,
    OPEN,
    START,
    WEEK,
    WEEKLY,
    as_draft,
    changed,
    date,
    draft,
    owed,
    series,
    starts,
    went_out,
)
from visio.meetings.answers import answer
from visio.meetings.dates import occurrence_key
from visio.meetings.drafts import validate_draft
from visio.meetings.exception_models import AttendeeException
from visio.meetings.horizon import HORIZON
from visio.meetings.models import OPEN_END, Attendee
from visio.meetings.refusals import EditConflict, NotOrganiser
from visio.meetings.scheduling import schedule_meeting
from visio.meetings.scopes import Notify, Scope
from visio.meetings.series import cancel, change

pytestmark = pytest.mark.django_db


def test_a_series_is_rows_over_its_dates(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne)

    assert starts(meeting) == [START + count * WEEK for count in range(6)]
    assert (meeting.is_series, meeting.rrule, meeting.until, meeting.expanded_until) == (
        True,
        WEEKLY,
        START + 5 * WEEK,
        None,
    )
    assert {(one.is_series, one.starts_at, one.ends_at) for one in meeting.attendees.all()} == {
        (True, START, START + 5 * WEEK + HOUR)
    }
    assert owed(meeting) == [(anne.email, "REQUEST", "invited", "")]
    assert [occurrence_key(one) for one in meeting.occurrences.all()[:2]] == ["20261124T090000Z", "20261201T090000Z"]


def test_a_series_without_end_reaches_to_the_horizon_and_its_hull_for_ever(boss: Agent) -> None:
    meeting = series(boss, rule=OPEN)

    assert meeting.occurrences.count() == 79
    assert meeting.expanded_until == NOW + HORIZON
    assert meeting.until is None
    assert meeting.attendees.get().ends_at == OPEN_END


def test_ten_o_clock_stays_ten_o_clock(boss: Agent) -> None:
    meeting = series(boss, rule="FREQ=MONTHLY;COUNT=7")

    assert [at.hour for at in starts(meeting)] == [9, 9, 9, 9, 9, 8, 8]


def test_whole_days_are_days_of_the_zone(boss: Agent) -> None:
    meeting = series(boss, rule="", is_all_day=True, minutes=2 * 1440, start_date=dt.date(2027, 3, 28))

    occurrence = meeting.occurrences.get()
    # The night when clocks go forward: 47 hours.
    assert (occurrence.starts_at, occurrence.ends_at) == (
        dt.datetime(2027, 3, 27, 23, tzinfo=dt.UTC),
        dt.datetime(2027, 3, 29, 22, tzinfo=dt.UTC),
    )
    assert (meeting.start_time, meeting.is_all_day) == (dt.time(), True)


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"rule": "FREQ=HOURLY"}, "rule"),
        ({"rule": "FREQ=WEEKLY;UNTIL=20261101T000000Z"}, "rule"),
        ({"rule": "pas une règle"}, "rule"),
        ({"rule": "FREQ=DAILY;COUNT=1", "exdates": (dt.datetime.fromisoformat("2026-11-24T10:00"),)}, "rule"),
        ({"is_all_day": True, "minutes": 90}, "minutes"),
        ({"is_all_day": True, "minutes": 14 * 1440}, "minutes"),
        ({"rdates": (dt.datetime.fromisoformat("2026-11-24T10:00"),) * 1001}, "rdates"),
    ],
)
def test_what_cannot_be_a_series_is_refused(fields: dict[str, Any], wrong: str) -> None:
    assert set(validate_draft(draft(**fields), now=NOW)) == {wrong}


def test_a_whole_day_that_has_begun_may_still_be_planned() -> None:
    today = draft(is_all_day=True, minutes=1440, start_date=dt.date(2026, 11, 22))

    assert validate_draft(today, now=NOW) == {}
    assert set(validate_draft(dataclasses.replace(today, start_date=dt.date(2026, 11, 21)), now=NOW)) == {"start_date"}


def test_a_delegate_plans_in_the_name_of_another(boss: Agent, anne: Agent) -> None:
    with pytest.raises(NotOrganiser):
        schedule_meeting(by=anne, draft=draft(), now=NOW, organiser=boss)
    Delegation.objects.create(principal=boss, delegate=anne)

    meeting = schedule_meeting(by=anne, draft=draft(), now=NOW, organiser=boss)

    assert (meeting.organiser, meeting.scheduled_by) == (boss, anne)
    created = meeting.changes.get()
    assert (created.by, created.on_behalf_of) == (anne, boss)


def test_r2_the_series_is_cancelled(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne)
    went_out(meeting)

    cancel(meeting=meeting, occurrence=date(meeting, 3), scope=Scope.ALL, by=boss, now=NOW)

    assert (meeting.is_cancelled, meeting.sequence) == (True, 1)
    assert owed(meeting) == [(anne.email, "CANCEL", "cancelled", "")]
    assert starts(meeting) == []


def test_a_series_that_has_not_begun_moves_as_a_whole(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne)
    went_out(meeting)
    answer(attendee=meeting.attendees.get(agent=anne), answer="accepted", via="portal", now=NOW)
    third = date(meeting, 2)
    meeting = changed(meeting, third, Scope.ONE, as_draft(meeting, third, anne, starts_at=third.starts_at + 2 * HOUR))
    cancel(meeting=meeting, occurrence=date(meeting, 3), scope=Scope.ONE, by=boss, now=NOW)
    went_out(meeting)
    first = date(meeting, 0)

    # To Wednesday at eleven.
    day = dt.timedelta(days=1)
    moved = changed(meeting, first, Scope.ALL, as_draft(meeting, first, anne, starts_at=START + day + HOUR))

    assert moved.pk == meeting.pk
    assert [at - START - day - HOUR for at in starts(moved)] == [
        0 * WEEK,
        WEEK,
        2 * WEEK + 2 * HOUR,
        4 * WEEK,
        5 * WEEK,
    ]
    assert moved.rrule == WEEKLY
    assert owed(moved) == [(anne.email, "REQUEST", "moved", "")]
    assert moved.attendees.get(agent=anne).answer == "needs_action"
    assert not AttendeeException.objects.exists()
    hull = moved.attendees.get(agent=anne)
    assert (hull.starts_at, hull.ends_at) == (START + day + HOUR, START + day + 5 * WEEK + 2 * HOUR)


def test_a_one_off_becomes_a_series_and_back(boss: Agent, anne: Agent) -> None:
    meeting = schedule_meeting(by=boss, draft=draft(guests=[anne]), now=NOW)
    only = meeting.occurrences.get()

    meeting = changed(meeting, only, Scope.ALL, draft(guests=[anne], rule=WEEKLY))
    assert len(starts(meeting)) == 6
    assert {one.is_series for one in meeting.attendees.all()} == {True}
    assert date(meeting, 0).pk == only.pk

    meeting = changed(meeting, date(meeting, 0), Scope.ALL, draft(guests=[anne]))
    assert [(one.pk, one.recurrence_id) for one in meeting.occurrences.all()] == [(only.pk, None)]
    assert not meeting.is_series
    assert {(one.is_series, one.ends_at) for one in meeting.attendees.all()} == {(False, START + HOUR)}


def test_p19_two_editors_of_dates(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne)
    second, third = date(meeting, 1), date(meeting, 2)
    changed(meeting, second, Scope.ONE, as_draft(meeting, second, anne, title="Bilan"))

    for scope in Scope:
        with pytest.raises(EditConflict) as conflict:
            change(
                meeting=meeting,
                occurrence=third,
                scope=scope,
                by=boss,
                draft=as_draft(meeting, third, anne, title="Autre"),
                revision=1,
                now=NOW,
            )
        assert [one.kind for one in conflict.value.changes] == ["edited"]


@pytest.mark.parametrize(
    ("notify", "told"),
    [(Notify.DEFAULT, 1), (Notify.ALL, 1), (Notify.AFFECTED, 0), (Notify.NOBODY, 0)],
)
def test_whom_a_new_title_is_told(boss: Agent, anne: Agent, notify: Notify, told: int) -> None:
    meeting = series(boss, anne)
    went_out(meeting)

    asked = as_draft(meeting, date(meeting, 0), anne, title="Autre")
    meeting = changed(meeting, date(meeting, 0), Scope.ALL, asked, notify=notify)

    assert len(owed(meeting)) == told


def test_nobody_is_told_but_those_who_wait(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne)

    asked = as_draft(meeting, date(meeting, 0), anne, starts_at=START + HOUR)
    meeting = changed(meeting, date(meeting, 0), Scope.ALL, asked, notify=Notify.NOBODY)
    assert owed(meeting) == [(anne.email, "REQUEST", "invited", "")]

    cancel(meeting=meeting, scope=Scope.ALL, by=boss, now=NOW, notify=Notify.NOBODY)
    assert owed(meeting) == []


def test_all_hear_when_all_are_to_hear(boss: Agent, anne: Agent) -> None:
    paul = factories.agent("Paul", "Petit")
    meeting = series(boss, anne)
    went_out(meeting)

    asked = as_draft(meeting, date(meeting, 0), anne, paul)
    meeting = changed(meeting, date(meeting, 0), Scope.ALL, asked, notify=Notify.ALL)

    assert owed(meeting) == sorted([(anne.email, "REQUEST", "changed", ""), (paul.email, "REQUEST", "invited", "")])


def test_strangers_change_nothing(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne)
    first = date(meeting, 0)
    for scope in Scope:
        with pytest.raises(NotOrganiser):
            changed(meeting, first, scope, as_draft(meeting, first, anne), by=anne)
        with pytest.raises(NotOrganiser):
            cancel(meeting=meeting, occurrence=first, scope=scope, by=anne, now=NOW)
    assert Attendee.objects.filter(meeting=meeting).count() == 2
