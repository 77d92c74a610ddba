"""A series has one room: who is invited to one of its dates, or left out of one, enters around their own dates only."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from suite.agents.models import Agent
from tests import factories
from tests.visio.meetings.planned_series import HOUR, START, WEEK, as_draft, changed, date, series
from visio.meetings.models import Attendee, Meeting, Occurrence
from visio.meetings.scopes import Scope
from visio.meetings.series import cancel
from visio.rooms.access import AROUND, Admission, Refusal, Role, may_enter
from visio.rooms.models import AccessLevel, Room

pytestmark = pytest.mark.django_db
MINUTE = dt.timedelta(minutes=1)
ONCE, ALWAYS = "une-fois@exterieur.example", "toujours@exterieur.example"
ELSEWHERE = Admission(refusal=Refusal.NOT_THIS_DATE)


@pytest.fixture
def anne() -> Agent:
    return factories.agent()


@pytest.fixture
def once() -> Agent:
    return factories.agent()


@pytest.fixture
def meeting(anne: Agent, once: Agent) -> Meeting:
    """Weekly, with Anne and a guest; on the second date neither comes, and two others come alone."""
    made = series(factories.agent(), anne, ALWAYS)
    changed(made, date(made, 1), Scope.ONE, as_draft(made, date(made, 1), once, ONCE, rule=""))
    return made


def enters(meeting: Meeting, who: Agent | str, at: dt.datetime) -> Admission:
    room = Room.objects.get(meeting=meeting)
    if isinstance(who, Agent):
        return may_enter(room, who, None, now=at)
    return may_enter(room, None, Attendee.objects.get(meeting=meeting, email=who), now=at)


def test_who_is_invited_to_one_date_enters_around_it_alone(meeting: Meeting, once: Agent) -> None:
    second = START + WEEK
    for who, role in ((once, Role.AGENT), (ONCE, Role.GUEST)):
        for at in (second - AROUND, second, second + HOUR + AROUND):
            assert enters(meeting, who, at) == Admission(role=role), (who, at)
        for at in (START, second - AROUND - MINUTE, second + HOUR + AROUND + MINUTE, second + WEEK):
            assert enters(meeting, who, at) == ELSEWHERE, (who, at)


def test_who_is_left_out_of_one_date_enters_all_but_that_one(meeting: Meeting, anne: Agent) -> None:
    second = START + WEEK
    for who, role in ((anne, Role.AGENT), (ALWAYS, Role.GUEST)):
        for at in (START, second - AROUND - MINUTE, second + HOUR + AROUND + MINUTE, second + WEEK):
            assert enters(meeting, who, at) == Admission(role=role), (who, at)
        for at in (second - AROUND, second, second + HOUR + AROUND):
            assert enters(meeting, who, at) == ELSEWHERE, (who, at)


def test_the_organiser_enters_always_and_a_stranger_never(meeting: Meeting) -> None:
    for at in (START, START + WEEK):
        assert enters(meeting, meeting.organiser, at) == Admission(role=Role.HOST)
        assert enters(meeting, factories.agent(), at) == Admission(refusal=Refusal.NOT_INVITED)


def test_a_cancelled_date_lets_nobody_in_who_was_invited_to_it_alone(meeting: Meeting, once: Agent) -> None:
    second: Occurrence = date(meeting, 1)
    cancel(meeting=meeting, occurrence=second, scope=Scope.ONE, by=meeting.organiser, now=START)
    assert enters(meeting, once, second.starts_at) == ELSEWHERE


def test_a_moved_date_is_entered_when_it_takes_place(meeting: Meeting, once: Agent) -> None:
    second = date(meeting, 1)
    Occurrence.objects.filter(pk=second.pk).update(starts_at=START + 5 * HOUR, ends_at=START + 6 * HOUR)
    assert enters(meeting, once, START + 5 * HOUR).allowed
    assert enters(meeting, once, START + WEEK) == ELSEWHERE


def test_a_room_that_trusts_agents_lets_in_those_who_are_left_out_too(meeting: Meeting, anne: Agent) -> None:
    Room.objects.filter(meeting=meeting).update(access_level=AccessLevel.TRUSTED)
    assert enters(meeting, anne, START + WEEK).allowed
    assert enters(meeting, ALWAYS, START + WEEK) == ELSEWHERE


def test_two_queries_at_most(meeting: Meeting, anne: Agent, django_assert_max_num_queries: Any) -> None:
    guest = Attendee.objects.get(meeting=meeting, email=ALWAYS)
    for agent, attendee in ((anne, None), (None, guest)):
        room = Room.objects.get(meeting=meeting)
        with django_assert_max_num_queries(2):
            may_enter(room, agent, attendee)
