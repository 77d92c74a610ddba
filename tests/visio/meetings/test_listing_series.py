"""Series in the lists: once where an answer waits, each date elsewhere."""

import datetime as dt

import pytest

from suite.agents.models import Agent
from suite.live.presence_rules import Engaged
from suite.portal.dashboard import read_invitations
from tests.visio.meetings.planned_series import HOUR, NOW, START, WEEK, as_draft, changed, date, draft, series
from visio.meetings.answers import answer
from visio.meetings.listing import read_page
from visio.meetings.models import Attendee
from visio.meetings.scheduling import cancel_meeting, schedule_meeting
from visio.meetings.scopes import Scope
from visio.meetings.series import cancel
from visio.meetings.sources import engaged

pytestmark = pytest.mark.django_db


def shown(agent: Agent, tab: str, *, now: dt.datetime = NOW, page: int = 1) -> list[tuple[str, dt.datetime, str]]:
    listed = read_page(agent, tab=tab, page=page, now=now)
    return [(row.meeting.title, row.starts_at, row.answer) for day in listed.days for row in day.rows]


def test_each_date_comes_in_its_turn(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne, title="Point")
    schedule_meeting(by=boss, draft=draft(guests=[anne], title="Seule", starts_at=START + WEEK + HOUR), now=NOW)
    third = date(meeting, 2)
    changed(meeting, third, Scope.ONE, as_draft(meeting, third, anne, title="Bilan", starts_at=third.starts_at + HOUR))
    cancel(meeting=meeting, occurrence=date(meeting, 3), scope=Scope.ONE, by=boss, now=NOW)
    answer(attendee=meeting.attendees.get(agent=anne), answer="accepted", via="page", now=NOW - HOUR)

    later = START + WEEK + 2 * HOUR
    assert [row[:2] for row in shown(anne, "a-venir", now=later)] == [
        ("Bilan", START + 2 * WEEK + HOUR),
        ("Point", START + 4 * WEEK),
        ("Point", START + 5 * WEEK),
    ]
    assert [row[:2] for row in shown(anne, "passees", now=later)] == [
        ("Seule", START + WEEK + HOUR),
        ("Point", START + WEEK),
        ("Point", START),
    ]
    assert shown(anne, "annulees") == [("Point", START + 3 * WEEK, "accepted")]


def test_a_series_waits_once(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne)

    assert shown(anne, "a-traiter", now=START + HOUR) == [("Comité de suivi", START + WEEK, "needs_action")]
    assert Attendee.objects.unanswered_by(anne, now=NOW).count() == 1

    answer(attendee=meeting.attendees.get(agent=anne), answer="accepted", via="page", now=NOW - HOUR)
    assert shown(anne, "a-traiter") == []


def test_a_date_that_moved_since_the_answer_waits_again(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne)
    answer(attendee=meeting.attendees.get(agent=anne), answer="accepted", via="page", now=NOW - HOUR)
    third = date(meeting, 2)
    changed(meeting, third, Scope.ONE, as_draft(meeting, third, anne, starts_at=third.starts_at + HOUR))

    assert shown(anne, "a-traiter") == [("Comité de suivi", START + 2 * WEEK + HOUR, "needs_action")]
    assert Attendee.objects.unanswered_by(anne, now=NOW).count() == 1
    [invitation] = read_invitations(anne, NOW).rows
    assert invitation.attendee.starts_at == START + 2 * WEEK + HOUR
    assert read_invitations(anne, NOW).waiting == 1

    # That date gone, nothing waits.
    cancel(meeting=meeting, occurrence=third, scope=Scope.ONE, by=boss, now=NOW)
    assert Attendee.objects.unanswered_by(anne, now=NOW).count() == 0


def test_a_cancelled_series_is_one_line(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne)
    cancel_meeting(meeting=meeting, by=boss, now=START + HOUR)

    assert [row[1] for row in shown(anne, "annulees")] == [START + WEEK]


def test_pages_reach_far_into_a_series(boss: Agent) -> None:
    series(boss, rule="FREQ=DAILY;COUNT=60")

    day = dt.timedelta(days=1)
    # From March on an hour earlier by UTC; the page's own clock is the agent's.
    assert [row[1] for row in shown(boss, "a-venir", page=2)] == [START + count * day for count in range(25, 50)]
    assert not read_page(boss, tab="a-venir", page=3, now=NOW).has_next


def test_presence_knows_the_date(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne)
    mine = meeting.attendees.get(agent=anne)
    answer(attendee=mine, answer="accepted", via="page", now=NOW)
    answer(attendee=mine, answer="declined", via="page", now=NOW, occurrence=date(meeting, 1))
    minute = dt.timedelta(minutes=1)

    assert engaged([anne.pk], START + minute) == {anne.pk: Engaged(START + HOUR)}
    assert engaged([anne.pk], START + WEEK + minute) == {}
