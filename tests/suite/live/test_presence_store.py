"""Who is here, from real Redis and PostgreSQL."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from typing import Any

import pytest
from django.utils import timezone, translation
from pytest_django import DjangoAssertNumQueries

from suite.agents.leaves import add_leave, whole_days
from suite.agents.models import Agent
from suite.live import presence, push
from suite.local import ports
from tests import factories

pytestmark = pytest.mark.django_db
MINUTE = dt.timedelta(minutes=1)


def connect(agent: Agent, name: str, *, now: dt.datetime, active: dt.timedelta = dt.timedelta(0)) -> None:
    with push.client().pipeline() as pipe:
        presence.queue_connection(pipe, agent.pk, name, alive_until=now + presence.gone_after(), active_at=now - active)
        pipe.execute()


def state_of(agent: Agent, now: dt.datetime) -> str:
    return presence.states([agent], now=now)[agent.pk].state


def test_a_connection_is_believed_as_long_as_it_lives() -> None:
    agent, now = factories.agent(), timezone.now()
    assert state_of(agent, now) == "offline"
    connect(agent, "tab", now=now)
    assert state_of(agent, now) == "available"
    assert state_of(agent, now + presence.gone_after() + MINUTE) == "offline"


def test_idle_tabs_are_away_until_one_is_not() -> None:
    agent, now = factories.agent(), timezone.now()
    connect(agent, "phone", now=now, active=20 * MINUTE)
    shown = presence.states([agent], now=now)[agent.pk]
    assert (shown.state, shown.words) == ("away", "Absent depuis 20\u00a0min")
    connect(agent, "desk", now=now)
    assert state_of(agent, now) == "available"


def test_a_call_is_entered_and_left() -> None:
    agent, now = factories.agent(), timezone.now()
    presence.enter_call(agent.pk, 5, "browser")
    presence.enter_call(agent.pk, 5, "browser")
    assert state_of(agent, now) == "in_meeting"
    presence.leave_call(agent.pk, 5, "another")
    assert state_of(agent, now) == "in_meeting"
    presence.leave_call(agent.pk, 5, "browser")
    assert state_of(agent, now) == "offline"


def test_in_a_meeting_now() -> None:
    now = timezone.now()
    meeting = factories.meeting(starts_at=now - 10 * MINUTE)
    shown = presence.states([meeting.organiser], now=now)[meeting.organiser_id]
    ends_at = meeting.occurrences.get().ends_at
    assert (shown.state, shown.until) == ("in_meeting", ends_at)


def test_on_leave_until_the_last_day_of_ones_own_zone() -> None:
    """The 24th ends at 20:00 UTC on Réunion; absences that follow each other are one; nobody reads why."""
    agent = factories.agent(time_zone="Indian/Reunion")
    now = dt.datetime(2026, 11, 23, 9, 0, tzinfo=dt.UTC)
    for first, last in ((dt.date(2026, 11, 23), dt.date(2026, 11, 23)), (dt.date(2026, 11, 24), dt.date(2026, 11, 25))):
        starts_at, ends_at = whole_days(first, last, zone_name=agent.time_zone)
        add_leave(agent=agent, starts_at=starts_at, ends_at=ends_at, is_all_day=True, note="Cure", now=now)
    connect(agent, "tab", now=now)
    factories.meeting(agent, starts_at=now - 10 * MINUTE, now=now - 20 * MINUTE)
    shown = presence.states([agent], now=now)[agent.pk]
    assert (shown.state, shown.words) == ("away", "Absent jusqu’au 25 novembre")
    assert shown.until == dt.datetime(2026, 11, 25, 20, tzinfo=dt.UTC)
    with translation.override("de"):
        assert "25. November" in shown.words
    presence.enter_call(agent.pk, 5, "browser")
    assert state_of(agent, timezone.now()) == "in_meeting"
    presence.leave_call(agent.pk, 5, "browser")
    assert state_of(agent, dt.datetime(2026, 11, 25, 20, tzinfo=dt.UTC)) != "away"
    later = now + dt.timedelta(hours=6)
    other = factories.agent()
    add_leave(agent=other, starts_at=now, ends_at=later, is_all_day=False, now=now)
    with timezone.override(zoneinfo.ZoneInfo("Europe/Paris")):
        assert presence.states([other], now=now)[other.pk].words == "Absent jusqu’à 16\u00a0h"


def test_choosing_and_giving_the_choice_back() -> None:
    agent, now = factories.agent(), timezone.now()
    connect(agent, "tab", now=now)
    presence.choose(agent=agent, state="do_not_disturb", until=now + 30 * MINUTE, now=now)
    agent.refresh_from_db()
    assert state_of(agent, now) == "do_not_disturb"
    assert state_of(agent, now + 31 * MINUTE) == "offline"
    presence.choose(agent=agent, state="automatic", until=now + MINUTE, now=now)
    agent.refresh_from_db()
    assert (agent.chosen_presence, agent.chosen_until) == ("automatic", None)
    assert state_of(agent, now) == "available"


def test_an_end_in_the_past_and_an_unknown_state_are_not_kept() -> None:
    agent, now = factories.agent(), timezone.now()
    presence.choose(agent=agent, state="away", until=now - MINUTE, now=now)
    agent.refresh_from_db()
    assert (agent.chosen_presence, agent.chosen_until) == ("away", None)
    with pytest.raises(ValueError, match="asleep"):
        presence.choose(agent=agent, state="asleep", until=None, now=now)


@pytest.mark.parametrize("count", [1, 3])
def test_many_agents_cost_one_query(count: int, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    home, now = factories.organisation(), timezone.now()
    agents = [factories.agent(organisation=home) for _number in range(count)]
    with django_assert_num_queries(1):  # the meetings that are going on, and absences
        assert len(presence.states(agents, now=now)) == count


def test_nobody_asks_nothing(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(0):
        assert presence.states([], now=timezone.now()) == {}


def test_without_redis_nobody_is_shown_in_an_old_state(settings: Any) -> None:
    agent, now = factories.agent(), timezone.now()
    connect(agent, "tab", now=now)
    settings.REDIS_URL = f"redis://127.0.0.1:{ports.reserve()}/0"
    shown = presence.states([agent], now=now)[agent.pk]
    assert (shown.state, shown.words) == ("unknown", "Présence en pause")
    presence.enter_call(agent.pk, 1, "browser")
    presence.leave_call(agent.pk, 1, "browser")


def test_what_a_killed_server_left_is_forgotten() -> None:
    agent, now = factories.agent(), timezone.now()
    long_ago = now - 3 * presence.gone_after()
    connect(agent, "lost", now=long_ago)
    connect(agent, "tab", now=now)
    assert presence.forget_dead([agent.pk], now=now) == 1
    assert list(presence.connections([agent.pk])[agent.pk]) == ["tab"]
    assert presence.forget_dead([agent.pk], now=now) == 0
