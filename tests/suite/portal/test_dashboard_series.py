"""What the dashboard says of one date of a series is about that date."""

import datetime as dt

import pytest

from suite.live.presence_rules import Engaged
from suite.portal.dashboard import read_hero
from tests import factories
from tests.visio.meetings.planned_series import HOUR, NOW, START, WEEK, as_draft, changed, date, series
from visio.calendars.day import dashboard_day
from visio.meetings.answers import answer
from visio.meetings.scopes import Scope
from visio.meetings.sources import engaged
from visio.meetings.tokens import attendee_by_token, link_token
from visio.rooms.access import may_enter
from visio.rooms.models import Room

pytestmark = pytest.mark.django_db


def test_who_comes_is_counted_for_the_date_that_is_shown() -> None:
    boss, anne, karim, guest = (factories.agent() for _number in range(4))
    meeting = series(boss, anne, karim)
    first, second = date(meeting, 0), date(meeting, 1)
    for who in (anne, karim):
        answer(attendee=meeting.attendees.get(agent=who), answer="accepted", via="portal", now=NOW)
    anne_there = meeting.attendees.get(agent=anne)
    answer(attendee=anne_there, answer="declined", via="portal", now=NOW, occurrence=first)
    # Karim is left out of the second date, to which a guest comes alone.
    changed(meeting, second, Scope.ONE, as_draft(meeting, second, anne, guest, rule=""))

    def shown(at: dt.datetime) -> tuple[int, int]:
        hero = read_hero(boss, dashboard_day(boss, at))
        assert hero is not None
        return hero.accepted, hero.guests

    assert shown(START - HOUR) == (2, 3)
    assert shown(START + WEEK - HOUR) == (2, 3)
    answer(attendee=meeting.attendees.get(agent=guest), answer="accepted", via="portal", now=NOW)
    assert shown(START - HOUR) == (2, 3)
    assert shown(START + WEEK - HOUR) == (3, 3)


@pytest.mark.parametrize("week", [0, 1, 5])
def test_each_date_is_a_meeting_one_is_in(week: int) -> None:
    boss = factories.agent()
    meeting = series(boss, "dehors@example.org")
    starts_at = START + week * WEEK
    assert engaged([boss.pk], starts_at + HOUR / 2) == {boss.pk: Engaged(starts_at + HOUR)}
    assert engaged([boss.pk], starts_at + 2 * HOUR) == {}
    # The guest's link and the room are good on each date.
    there = attendee_by_token(link_token(meeting.attendees.get(email="dehors@example.org")), now=starts_at)
    assert there is not None
    assert may_enter(Room.objects.get(meeting=meeting), None, there).allowed
