"""The room of a series, read by the people who are in it."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from tchap_bridge import messages, owed
from tchap_bridge.facts import read_facts
from tchap_bridge.messages import When
from tchap_bridge.models import MemberState, RoomState, TchapMessage, TchapRoom
from tchap_bridge.rooms import Outcome
from tests import factories
from tests.tchap_bridge.fixtures import MakePerson, Person
from tests.tchap_bridge.relay import Relay
from tests.tchap_bridge.rooms import apply, members, room_of
from tests.visio.meetings.test_series import HOUR, NOW, START, WEEK, as_draft, changed, date, series
from visio.meetings.models import Meeting
from visio.meetings.scopes import Scope
from visio.meetings.series import cancel
from visio.meetings.undo import UNDO_SECONDS, undo

pytestmark = pytest.mark.django_db
UNDONE = dt.timedelta(seconds=UNDO_SECONDS + 1)
# The room's own rows are written by the clock on the wall, wherever the test's is.
SOON = NOW + dt.timedelta(seconds=3)
LATER = NOW + UNDONE


def due(meeting: Meeting, now: dt.datetime = NOW) -> None:
    """Facts owe rooms by the clock on the wall; the test's clock is another one."""
    TchapRoom.objects.filter(meeting=meeting, state=RoomState.OWED).update(due_at=now)


def shown(meeting: Meeting, now: dt.datetime = NOW) -> Outcome:
    due(meeting, now)
    return apply(meeting, now=now)


def entered(claire: Person, meeting: Meeting, now: dt.datetime = NOW) -> str:
    assert shown(meeting, now) is Outcome.DONE
    claire.join(room_of(meeting).room_id)
    return room_of(meeting).room_id


def topic(claire: Person, room_id: str) -> str:
    return str(claire.state(room_id, "m.room.topic")["topic"])


def last_words(claire: Person, room_id: str) -> str:
    return str(claire.messages(room_id)[-1]["body"])


def said(meeting: Meeting) -> list[str]:
    news = TchapMessage.objects.filter(room__meeting=meeting).exclude(about__startswith="card").order_by("pk")
    return list(news.values_list("body", flat=True))


def test_the_room_shows_the_rule_and_the_next_date_and_rolls_on(relay: Relay, person: MakePerson) -> None:
    claire = person("Claire")
    meeting = series(claire.agent, title="Point d’équipe")
    room_id = entered(claire, meeting)
    rule = "Toutes les semaines, le mardi, 6 fois"
    assert claire.state(room_id, "m.room.name") == {"name": f"Point d’équipe · {rule}"}
    first = f"{rule} · Prochaine date : Mardi 24 novembre 2026, 10:00 – 11:00 (Paris) · Rejoindre la visio : "
    assert topic(claire, room_id).startswith(first)

    # While it goes on it is still the date that is shown.
    assert owed.owe_rolled(now=START + HOUR / 2) == 0
    after = START + HOUR
    assert owed.owe_rolled(now=after) == 1
    assert owed.owe_rolled(now=after) == 0
    assert shown(meeting, after) is Outcome.DONE

    assert "Prochaine date : Mardi 1er décembre 2026, 10:00" in topic(claire, room_id)
    assert said(meeting) == []
    assert room_of(meeting).state == RoomState.APPLIED


def test_after_its_last_date_the_room_stays_open_and_rests(relay: Relay, person: MakePerson) -> None:
    claire = person("Claire")
    meeting = series(claire.agent)
    room_id = entered(claire, meeting)
    end = START + 5 * WEEK + HOUR
    owed.owe_rolled(now=end)
    shown(meeting, end)
    assert "Dernière date : Mardi 29 décembre 2026" in topic(claire, room_id)
    room = room_of(meeting)
    assert (room.state, room.rolls_at) == (RoomState.APPLIED, None)


def test_a_date_of_its_own_is_shown_when_it_is_the_next_one(relay: Relay, person: MakePerson) -> None:
    claire = person("Claire")
    meeting = series(claire.agent, title="Point", place="Salle A")
    room_id = entered(claire, meeting)
    asked = as_draft(
        meeting, date(meeting, 0), title="Bilan", place="Salle B", starts_at=START + HOUR, minutes=30, rule=""
    )
    changed(meeting, date(meeting, 0), Scope.ONE, asked)
    shown(meeting, LATER)

    assert claire.state(room_id, "m.room.name")["name"].startswith("Bilan · ")
    (pinned,) = claire.state(room_id, "m.room.pinned_events")["pinned"]
    edit = [one for one in claire.messages(room_id) if one.get("m.relates_to", {}).get("event_id") == pinned][-1]
    lines = edit["m.new_content"]["body"].splitlines()
    assert lines[0] == "Bilan"
    assert lines[2:4] == ["Prochaine date : Mardi 24 novembre 2026, 11:00 – 11:30 (Paris)", "Lieu : Salle B"]
    assert said(meeting) == [
        "Une date de la série est déplacée.\n"
        "Avant : Mardi 24 novembre 2026, 10:00 – 11:00 (Paris)\n"
        "Maintenant : Mardi 24 novembre 2026, 11:00 – 11:30 (Paris)",
        "Mardi 24 novembre 2026, 11:00 – 11:30 (Paris) : la réunion s’appelle ce jour-là « Bilan ».",
        "Mardi 24 novembre 2026, 11:00 – 11:30 (Paris) : nouveau lieu ce jour-là : Salle B",
    ]
    # Past, it is forgotten without a word.
    owed.owe_rolled(now=START + 2 * HOUR)
    shown(meeting, START + 2 * HOUR)
    assert claire.state(room_id, "m.room.name")["name"].startswith("Point · ")
    assert len(said(meeting)) == 3


def test_a_cancelled_date_is_told_and_the_room_stays_open(relay: Relay, person: MakePerson) -> None:
    claire = person("Claire")
    meeting = series(claire.agent)
    room_id = entered(claire, meeting)
    cancel(meeting=meeting, occurrence=date(meeting, 2), scope=Scope.ONE, by=claire.agent, now=NOW)
    shown(meeting, LATER)
    assert last_words(claire, room_id) == (
        "Une date de la série est annulée.\nElle devait avoir lieu : Mardi 8 décembre 2026, 10:00 – 11:00 (Paris)"
    )
    assert room_of(meeting).state == RoomState.APPLIED
    assert claire.state(room_id, "m.room.power_levels")["events_default"] == 0


def test_a_cancelled_series_closes_its_room(relay: Relay, person: MakePerson) -> None:
    claire = person("Claire")
    meeting = series(claire.agent)
    room_id = entered(claire, meeting)
    cancel(meeting=meeting, scope=Scope.ALL, by=claire.agent, now=NOW)
    shown(meeting, LATER)
    assert last_words(claire, room_id).startswith("La série est annulée.\n")
    assert (room_of(meeting).state, room_of(meeting).rolls_at) == (RoomState.CLOSED, None)


def test_the_end_of_a_series_is_told(relay: Relay, person: MakePerson) -> None:
    claire = person("Claire")
    meeting = series(claire.agent, rule="FREQ=WEEKLY")
    room_id = entered(claire, meeting)
    cancel(meeting=meeting, occurrence=date(meeting, 2), scope=Scope.FOLLOWING, by=claire.agent, now=NOW)
    shown(meeting, LATER)
    lines = last_words(claire, room_id).splitlines()
    assert lines[:2] == ["La série change.", "Avant : Toutes les semaines, le mardi, 10:00 – 11:00 (Paris)"]
    assert lines[2].startswith("Maintenant : Toutes les semaines, le mardi, jusqu’au ")
    assert lines[3] == "Prochaine date : Mardi 24 novembre 2026, 10:00 – 11:00 (Paris)"
    assert len(said(meeting)) == 1


@pytest.mark.parametrize("scope", [Scope.ONE, Scope.FOLLOWING, Scope.ALL])
def test_what_is_taken_back_is_never_told(relay: Relay, person: MakePerson, scope: Scope) -> None:
    claire = person("Claire")
    meeting = series(claire.agent)
    room_id = entered(claire, meeting)
    cancel(meeting=meeting, occurrence=date(meeting, 1), scope=scope, by=claire.agent, now=NOW)
    relay.forget()
    assert shown(meeting) is Outcome.HELD
    assert (room_of(meeting).state, room_of(meeting).claimed_until) == (RoomState.OWED, None)
    assert room_of(meeting).due_at == NOW + dt.timedelta(seconds=UNDO_SECONDS)

    undo(meeting=meeting, by=claire.agent, now=SOON)
    assert apply(meeting, now=SOON) is Outcome.NOTHING
    assert apply(meeting, now=LATER) is Outcome.DONE

    assert relay.seen == []
    assert said(meeting) == []
    assert claire.state(room_id, "m.room.power_levels")["events_default"] == 0


def test_what_is_not_taken_back_is_told_after_the_window(relay: Relay, person: MakePerson) -> None:
    claire = person("Claire")
    meeting = factories.meeting(claire.agent, starts_at=START, now=NOW)
    room_id = entered(claire, meeting)
    cancel(meeting=meeting, by=claire.agent, now=NOW)
    assert shown(meeting) is Outcome.HELD
    assert said(meeting) == []
    assert apply(meeting, now=LATER) is Outcome.DONE
    assert last_words(claire, room_id).startswith("La réunion est annulée.")


def test_the_rest_of_a_series_that_goes_on_has_its_own_room(relay: Relay, person: MakePerson) -> None:
    claire = person("Claire")
    meeting = series(claire.agent)
    room_id = entered(claire, meeting)
    third = date(meeting, 2)
    rest = changed(meeting, third, Scope.FOLLOWING, as_draft(meeting, third, starts_at=third.starts_at + HOUR))
    # Nor is a room made for what may be taken back.
    assert shown(rest) is Outcome.HELD
    assert room_of(rest).room_id == ""

    shown(meeting, LATER)
    shown(rest, LATER)

    assert room_of(rest).room_id not in ("", room_id)
    (told,) = said(meeting)
    lines = told.splitlines()
    assert lines[0] == "La suite de cette série est maintenant une autre réunion : « Comité de suivi »."
    assert lines[1] == "À partir de : Mardi 8 décembre 2026, 11:00 – 12:00 (Paris)"
    assert lines[3] == f"Salon Tchap de la suite : {rest.links.get().url}"
    # Told once, also when its own dates are over.
    end = START + 2 * WEEK
    owed.owe_rolled(now=end)
    shown(meeting, end)
    assert said(meeting) == [told]


@pytest.mark.parametrize("old_first", [True, False])
def test_the_rest_of_a_series_that_is_over_takes_its_room(relay: Relay, person: MakePerson, old_first: bool) -> None:
    claire, karim = person("Claire"), person("Karim")
    meeting = series(claire.agent, karim.agent)
    room_id = entered(claire, meeting)
    now = START + 2 * HOUR
    owed.owe_rolled(now=now)
    shown(meeting, now)
    second = date(meeting, 1)
    asked = as_draft(meeting, second, karim.agent, starts_at=second.starts_at + HOUR)
    rest = changed(meeting, second, Scope.ALL, asked, now=now)
    assert rest.pk != meeting.pk

    if old_first:
        shown(meeting, now + UNDONE)
    assert shown(rest, now + UNDONE) is Outcome.DONE

    assert room_of(rest).room_id == room_id
    assert not TchapRoom.objects.filter(meeting=meeting).exists()
    assert members(rest) == {claire.agent.pk: MemberState.INVITED, karim.agent.pk: MemberState.INVITED}
    assert rest.links.get().url == meeting.links.get().url
    assert last_words(claire, room_id).splitlines() == [
        "La série change.",
        "Avant : Toutes les semaines, le mardi, 6 fois, 10:00 – 11:00 (Paris)",
        "Maintenant : Toutes les semaines, le mardi, 5 fois, 11:00 – 12:00 (Paris)",
        "Prochaine date : Mardi 1er décembre 2026, 11:00 – 12:00 (Paris)",
    ]
    # Its versions begin again, and are told all the same.
    changed(
        rest, date(rest, 0), Scope.ALL, as_draft(rest, date(rest, 0), karim.agent, title="Autre"), now=now + 2 * UNDONE
    )
    shown(rest, now + 3 * UNDONE)
    assert last_words(claire, room_id) == "La réunion s’appelle maintenant « Autre »."
    relay.forget()
    owed.owe_room(meeting_id=meeting.pk, now=now)
    assert not TchapRoom.objects.filter(meeting=meeting).exists()


def test_guests_of_one_date_are_there_for_that_date(relay: Relay, person: MakePerson) -> None:
    claire, guest = person("Claire"), person("Invitee")
    meeting = series(claire.agent)
    room_id = entered(claire, meeting)
    second = date(meeting, 1)
    changed(meeting, second, Scope.ONE, as_draft(meeting, second, guest.agent, rule=""))
    shown(meeting, LATER)
    assert guest.invited_to() == []

    owed.owe_rolled(now=START + HOUR)
    shown(meeting, START + HOUR)
    assert guest.invited_to() == [room_id]
    guest.join(room_id)

    owed.owe_rolled(now=START + WEEK + HOUR)
    shown(meeting, START + WEEK + HOUR)
    member = claire.state(room_id, "m.room.member", guest.user_id)
    assert member["membership"] == "leave"
    assert member["reason"] == "Vous n’êtes pas dans la liste des participants de la prochaine date."


def test_whole_days_are_dates() -> None:
    def days(count: int) -> When:
        midnight = dt.datetime(2026, 11, 23, 23, 0, tzinfo=dt.UTC)
        return When(midnight, midnight + dt.timedelta(days=count), "Europe/Paris", is_all_day=True)

    assert messages.when_words(days(1)) == "Mardi 24 novembre 2026"
    assert messages.when_words(days(3)) == "Du mardi 24 novembre 2026 au jeudi 26 novembre 2026"


def test_a_series_of_whole_days_shows_no_hours(relay: Relay, person: MakePerson) -> None:
    claire = person("Claire")
    midnight = START.replace(hour=23) - dt.timedelta(days=1)
    meeting = series(claire.agent, starts_at=midnight, minutes=24 * 60, is_all_day=True)
    room_id = entered(claire, meeting)
    assert "Prochaine date : Mardi 24 novembre 2026 · " in topic(claire, room_id)
    second = date(meeting, 1)
    cancel(meeting=meeting, occurrence=second, scope=Scope.ONE, by=claire.agent, now=NOW)
    shown(meeting, LATER)
    assert last_words(claire, room_id).endswith("Elle devait avoir lieu : Mardi 1er décembre 2026")


def test_many_dates_at_once_are_a_number(relay: Relay, person: MakePerson) -> None:
    claire = person("Claire")
    meeting = series(claire.agent, rule="FREQ=DAILY;COUNT=9")
    entered(claire, meeting)
    for index in range(6):
        cancel(meeting=meeting, occurrence=date(meeting, index), scope=Scope.ONE, by=claire.agent, now=NOW)
    shown(meeting, LATER)
    (told,) = said(meeting)
    assert told.startswith("6 dates de la série ont changé.\n")


def ask(room: TchapRoom, settings: Settings) -> str:
    settings.MATRIX_HS_TOKEN = "hs-token-of-this-test"
    event: dict[str, Any] = {
        "event_id": f"$ask{TchapMessage.objects.count()}",
        "room_id": room.room_id,
        "type": "m.room.message",
        "sender": "@karim-dinum.example:tchap.localhost",
        "content": {"msgtype": "m.text", "body": "!visio"},
    }
    Client().put(
        f"/_matrix/app/v1/transactions/{event['event_id']}",
        json.dumps({"events": [event]}),
        content_type="application/json",
        headers={"Authorization": "Bearer hs-token-of-this-test"},
    )
    return str(TchapMessage.objects.filter(room=room).latest("pk").body)


def test_visio_is_answered_with_the_next_date(settings: Settings) -> None:
    boss = factories.agent()
    meeting = factories.meeting(boss, rule="FREQ=WEEKLY")
    TchapRoom.objects.filter(meeting=meeting).update(room_id="!series:tchap.localhost", state=RoomState.APPLIED)
    lines = ask(room_of(meeting), settings).splitlines()
    assert lines[0].startswith("Prochaine date : ")
    assert lines[1].startswith("Rejoindre la visio : ")


def test_visio_is_answered_what_the_room_knows_while_a_cancel_may_be_taken_back(settings: Settings) -> None:
    from django.utils import timezone

    from tchap_bridge.news import told_of

    boss = factories.agent()
    meeting = factories.meeting(boss, rule="FREQ=WEEKLY")
    told = told_of(read_facts(meeting.pk, timezone.now()))
    TchapRoom.objects.filter(meeting=meeting).update(
        room_id="!held:tchap.localhost", state=RoomState.APPLIED, shown={"told": told}
    )
    before = ask(room_of(meeting), settings)
    cancel(meeting=meeting, by=boss, now=timezone.now())
    assert ask(room_of(meeting), settings) == before


@pytest.mark.parametrize("count", [1, 30])
def test_reading_a_meeting_costs_the_same_whatever_it_holds(
    count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    boss = factories.agent()
    meeting = series(boss, *[factories.agent() for _number in range(count)], rule=f"FREQ=DAILY;COUNT={count + 5}")
    for index in range(count):
        cancel(meeting=meeting, occurrence=date(meeting, index), scope=Scope.ONE, by=boss, now=NOW)
    with django_assert_num_queries(6):
        assert len(read_facts(meeting.pk, NOW).dates) == count


@pytest.mark.parametrize("count", [1, 5])
def test_rolling_on_many_rooms_takes_the_statements_of_one(
    count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    boss = factories.agent()
    for _number in range(count):
        room = room_of(series(boss))
        TchapRoom.objects.filter(pk=room.pk).update(state=RoomState.APPLIED, applied=room.wanted, rolls_at=START + HOUR)
    waiting = room_of(series(boss))
    # Three statements between a savepoint's two.
    with django_assert_num_queries(5):
        assert owed.owe_rolled(now=START + HOUR) == count
    waiting.refresh_from_db()
    assert waiting.wanted == 1
