import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from suite.live.presence_rules import Engaged
from tests import factories
from visio.meetings.answers import answer
from visio.meetings.models import Attendee
from visio.meetings.scheduling import cancel_meeting
from visio.meetings.sources import engaged, sharing_a_meeting

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)
START = dt.datetime(2026, 11, 24, 13, 0, tzinfo=dt.UTC)


def test_in_a_meeting_are_those_who_said_yes_while_it_lasts() -> None:
    boss, anne, maybe = factories.agent(), factories.agent(), factories.agent()
    everybody = [boss.pk, anne.pk, maybe.pk]
    meeting = factories.meeting(boss, guests=[anne, maybe], now=NOW, starts_at=START)
    answer(attendee=meeting.attendees.get(agent=anne), answer="accepted", via="portal", now=NOW)
    answer(attendee=meeting.attendees.get(agent=maybe), answer="tentative", via="portal", now=NOW)
    end = START + dt.timedelta(hours=1)
    assert engaged(everybody, START) == {boss.pk: Engaged(end), anne.pk: Engaged(end)}
    assert engaged([anne.pk], end - dt.timedelta(seconds=1)) == {anne.pk: Engaged(end)}
    assert engaged(everybody, START - dt.timedelta(seconds=1)) == {}
    assert engaged(everybody, end) == {}
    assert engaged([], START) == {}
    cancel_meeting(meeting=meeting, by=boss, now=NOW)
    assert engaged(everybody, START) == {}


def test_of_two_meetings_at_once_the_later_end_counts() -> None:
    boss = factories.agent()
    factories.meeting(boss, now=NOW, starts_at=START)
    factories.meeting(boss, now=NOW, starts_at=START, minutes=90)
    assert engaged([boss.pk], START) == {boss.pk: Engaged(START + dt.timedelta(minutes=90))}


def test_a_series_counts_on_its_dates_alone() -> None:
    boss = factories.agent()
    meeting = factories.meeting(boss, now=NOW, starts_at=START)
    Attendee.objects.filter(meeting=meeting).update(is_series=True, ends_at=START + dt.timedelta(days=60))
    assert engaged([boss.pk], START) == {boss.pk: Engaged(START + dt.timedelta(hours=1))}
    assert engaged([boss.pk], START + dt.timedelta(hours=2)) == {}


def test_sharing_a_meeting(django_assert_num_queries: Any) -> None:
    now = timezone.now()
    boss, anne, past, cancelled, stranger = (factories.agent() for _ in range(5))
    factories.meeting(boss, guests=[anne])
    factories.meeting(boss, guests=[past], starts_at=now - dt.timedelta(days=3))
    gone = factories.meeting(boss, guests=[cancelled])
    cancel_meeting(meeting=gone, by=boss, now=now)
    others = [agent.pk for agent in (anne, past, cancelled, stranger)]
    with django_assert_num_queries(1):
        assert sharing_a_meeting(boss.pk, others) == {anne.pk}
    assert sharing_a_meeting(anne.pk, [boss.pk]) == {boss.pk}
    assert sharing_a_meeting(anne.pk, []) == set()
