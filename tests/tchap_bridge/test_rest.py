"""The Tchap room where "this and the following" makes the rest of a series a meeting of its own, while a date goes on."""

import pytest
from pytest_django import DjangoAssertNumQueries

from tchap_bridge import owed
from tchap_bridge.facts import read_facts
from tchap_bridge.models import MemberState, RoomState, TchapRoom
from tchap_bridge.rooms import Outcome
from tests import factories
from tests.tchap_bridge.fixtures import MakePerson, Person
from tests.tchap_bridge.relay import Relay
from tests.tchap_bridge.rooms import apply, members, room_of
from tests.tchap_bridge.test_series import UNDONE, entered, last_words, said, shown, topic
from tests.visio.meetings.planned_series import HOUR, START, WEEK, as_draft, changed, date, series
from visio.meetings.scopes import Scope

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("old_first", [True, False])
def test_the_rest_waits_for_the_room_while_the_last_date_before_it_goes_on(
    relay: Relay, person: MakePerson, old_first: bool
) -> None:
    claire, karim, paul = person("Claire"), person("Karim"), person("Paul")
    meeting = series(claire.agent, karim.agent)
    room_id = entered(claire, meeting)
    karim.join(room_id)
    now, end = START + HOUR / 2, START + HOUR
    second = date(meeting, 1)
    asked = as_draft(meeting, second, paul.agent, starts_at=second.starts_at + HOUR)
    rest = changed(meeting, second, Scope.FOLLOWING, asked, now=now)

    # The room is still that of the date that goes on: its people, its join link, and nothing is said in it.
    orders = [meeting, rest] if old_first else [rest, meeting]
    assert {shown(one, now + UNDONE) for one in orders} == {Outcome.DONE, Outcome.WAITING}
    assert (room_of(rest).room_id, room_of(rest).due_at) == ("", end)
    assert rest.links.get().url == meeting.links.get().url
    assert "Prochaine date : Mardi 24 novembre 2026, 10:00" in topic(claire, room_id)
    assert paul.invited_to() == []
    assert said(meeting) == []
    assert members(meeting)[karim.agent.pk] == MemberState.INVITED
    assert apply(rest, now=end - HOUR / 4) is Outcome.NOTHING

    owed.owe_rolled(now=end)
    if old_first:
        assert apply(meeting, now=end) is Outcome.DONE
    assert apply(rest, now=end) is Outcome.DONE

    assert room_of(rest).room_id == room_id
    assert not TchapRoom.objects.filter(meeting=meeting).exists()
    assert len(homeserver_rooms(claire, paul)) == 1
    assert paul.invited_to() == [room_id]
    assert members(rest)[karim.agent.pk] == MemberState.REMOVED
    assert "Prochaine date : Mardi 1er décembre 2026, 11:00" in topic(claire, room_id)
    assert last_words(claire, room_id).splitlines()[:3] == [
        "La série change.",
        "Avant : Toutes les semaines, le mardi, 6 fois, 10:00 – 11:00 (Paris)",
        "Maintenant : Toutes les semaines, le mardi, 5 fois, 11:00 – 12:00 (Paris)",
    ]
    assert rest.links.get().url == meeting.links.get().url


def homeserver_rooms(*people: Person) -> set[str]:
    """The rooms that these people are in or invited to."""
    found: set[str] = set()
    for one in people:
        found.update(one.call("GET", "/joined_rooms")["joined_rooms"], one.invited_to())
    return found


def test_a_rest_that_begins_before_the_date_that_goes_on_is_over_has_its_own_room(
    relay: Relay, person: MakePerson
) -> None:
    claire = person("Claire")
    meeting = series(claire.agent, minutes=5 * 24 * 60)
    room_id = entered(claire, meeting)
    second = date(meeting, 1)
    asked = as_draft(meeting, second, starts_at=START + 3 * WEEK / 7, minutes=60, rule="")
    rest = changed(meeting, second, Scope.FOLLOWING, asked, now=START + HOUR)
    shown(meeting, START + HOUR + UNDONE)
    assert shown(rest, START + HOUR + UNDONE) is Outcome.DONE
    assert room_of(rest).room_id not in ("", room_id)
    (told,) = said(meeting)
    assert told.startswith("La suite de cette série est maintenant une autre réunion")
    assert f"Salon Tchap de la suite : {rest.links.get().url}" in told.splitlines()


def test_a_room_that_could_not_be_made_in_time_is_made_once_for_the_rest(relay: Relay, person: MakePerson) -> None:
    claire = person("Claire")
    meeting = series(claire.agent)
    second = date(meeting, 1)
    now, end = START + HOUR / 2, START + HOUR
    rest = changed(
        meeting, second, Scope.FOLLOWING, as_draft(meeting, second, starts_at=second.starts_at + HOUR), now=now
    )
    assert shown(rest, now + UNDONE) is Outcome.WAITING
    assert shown(rest, end) is Outcome.DONE
    assert shown(meeting, end) is Outcome.DONE
    assert room_of(meeting).room_id == ""
    assert homeserver_rooms(claire) == {room_of(rest).room_id}
    assert rest.links.get().url.endswith(f"{room_of(rest).alias_localpart}:tchap.localhost")


def test_tchap_given_up_while_the_rest_waits_takes_its_link_down(relay: Relay, person: MakePerson) -> None:
    claire = person("Claire")
    meeting = series(claire.agent)
    room_id = entered(claire, meeting)
    second = date(meeting, 1)
    now, end = START + HOUR / 2, START + HOUR
    rest = changed(
        meeting, second, Scope.FOLLOWING, as_draft(meeting, second, starts_at=second.starts_at + HOUR), now=now
    )
    shown(rest, now + UNDONE)
    assert rest.links.exists()
    changed(rest, date(rest, 0), Scope.ALL, as_draft(rest, date(rest, 0), wants_tchap=False), now=now + 2 * UNDONE)
    assert shown(rest, end) is Outcome.DONE
    assert not rest.links.exists()
    assert (room_of(rest).state, room_of(rest).room_id) == (RoomState.CLOSED, "")
    assert (room_of(meeting).room_id, meeting.links.count()) == (room_id, 1)


def test_reading_a_series_that_was_split_twice_costs_the_same(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    meeting = series(factories.agent(), rule="FREQ=WEEKLY")
    for number in (4, 2):
        one = date(meeting, number)
        changed(meeting, one, Scope.FOLLOWING, as_draft(meeting, one, starts_at=one.starts_at + HOUR))
    with django_assert_num_queries(7):
        assert len(read_facts(meeting.pk, START).successors) == 2
