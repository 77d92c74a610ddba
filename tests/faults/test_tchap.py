"""PROMISES 12 to 17 and 32: the Tchap room of a meeting, when the homeserver or the portal breaks."""

from __future__ import annotations

import threading
import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django import Settings

from suite.local.parts.homeserver import Homeserver
from tchap_bridge import owed
from tchap_bridge.models import MemberState, RoomState, TchapMessage, TchapRoom
from tchap_bridge.rooms import Outcome, reconcile
from tests import factories
from tests.looking import Matrix
from tests.processes import CeleryProcess
from tests.tchap_bridge.fixtures import MakePerson, Person, make_person
from tests.tchap_bridge.relay import Relay, relaying
from tests.tchap_bridge.rooms import apply, edited, members, room_of
from tests.waiting import until
from visio.meetings.models import Meeting
from visio.meetings.scheduling import cancel_meeting
from visio.meetings.tokens import join_url

pytestmark = pytest.mark.django_db


def sweep(now: datetime) -> list[Outcome]:
    """What the sweep does at `now`, in this process."""
    return [reconcile(room_id=room_id, now=now) for room_id in owed.due_rooms(now=now, limit=100)]


def assert_one_whole_room(homeserver: Matrix, meeting: Meeting, guest: Person) -> None:
    room_id = room_of(meeting).room_id
    assert [room["room_id"] for room in homeserver.rooms_named(meeting.title)] == [room_id]
    assert guest.invited_to() == [room_id]
    guest.join(room_id)
    assert join_url(meeting) in guest.state(room_id, "m.room.topic")["topic"]
    assert guest.state(room_id, "m.room.join_rules") == {"join_rule": "invite"}
    assert guest.state(room_id, "m.room.history_visibility") == {"history_visibility": "shared"}
    assert guest.state(room_id, "im.vector.room.access_rules")["rule"] == "restricted"
    assert guest.state(room_id, "m.room.canonical_alias")["alias"].startswith("#visio-")
    (pinned,) = guest.state(room_id, "m.room.pinned_events")["pinned"]
    assert join_url(meeting) in guest.event(room_id, pinned)["content"]["body"]
    assert [message["body"] for message in guest.messages(room_id)] == [guest.event(room_id, pinned)["content"]["body"]]


# --- 12, 13 -----------------------------------------------------------------------------------------------------
def test_a_rolled_back_meeting_owes_no_room() -> None:
    organiser = factories.agent()
    with transaction.atomic():
        factories.meeting(organiser)
        assert TchapRoom.objects.count() == 1
        transaction.set_rollback(True)
    assert not TchapRoom.objects.exists()


def test_a_crash_between_commit_and_doorbell_loses_no_room(relay: Relay, person: MakePerson) -> None:
    """Nothing after the commit ever runs in this test: the row that the change itself wrote is enough."""
    meeting = factories.meeting(person().agent)
    assert sweep(timezone.now()) == [Outcome.DONE]
    edited(meeting, (), title="Autre titre")
    assert sweep(timezone.now()) == [Outcome.DONE]
    assert [seen.body for seen in relay.requests("PUT", "m.room.name")] == [{"name": "Autre titre"}]


def test_a_meeting_changed_behind_the_portals_back_is_found(relay: Relay, person: MakePerson) -> None:
    meeting = factories.meeting(person().agent)
    apply(meeting)
    Meeting.objects.filter(pk=meeting.pk).update(title="Par ailleurs", revision=7)
    assert owed.owe_missed(now=timezone.now()) == 1
    assert sweep(timezone.now()) == [Outcome.DONE]
    TchapRoom.objects.filter(meeting=meeting).delete()
    assert owed.owe_missed(now=timezone.now()) == 1
    assert owed.owe_missed(now=timezone.now()) == 0


# --- 14 ---------------------------------------------------------------------------------------------------------
def test_a_limit_is_waited_for_and_the_same_transaction_sent_again(relay: Relay, person: MakePerson) -> None:
    claire = person("Claire")
    meeting = factories.meeting(claire.agent)
    limit = {"errcode": "M_LIMIT_EXCEEDED", "error": "Too Many Requests", "retry_after_ms": 60_000}
    relay.fail("PUT", "/send/m.room.message/", status=429, body=limit, headers={"Retry-After": "60"})
    now = timezone.now()

    assert apply(meeting, now=now) is Outcome.WAITING
    relay.forget()
    assert sweep(now + timedelta(seconds=59)) == []
    edited(meeting, (), title="Changée entre-temps")
    assert sweep(now + timedelta(seconds=59)) == []
    assert relay.seen == []
    assert sweep(now + timedelta(seconds=75)) == [Outcome.DONE]

    (card,) = TchapMessage.objects.filter(room__meeting=meeting, about="card")
    sent = [seen.path.rpartition("/")[2] for seen in relay.requests("PUT", "/send/")]
    assert sent[0] == str(card.transaction_id)
    claire.join(room_of(meeting).room_id)
    bodies = [message["body"].splitlines()[0] for message in claire.messages(room_of(meeting).room_id)]
    assert bodies.count("Comité de suivi") == 1


def test_a_homeserver_that_limits_an_ordinary_bot(own_parts: Any, settings: Settings) -> None:
    """The limits of a fresh Synapse: ten rooms at once, then 429. The eleventh waits as long as it was told to."""
    part: Homeserver = own_parts.homeserver(rate_limited=True)
    settings.MATRIX_HOMESERVER_URL = part.url
    settings.MATRIX_ACCESS_TOKEN = part.bot_token
    organiser = factories.agent()
    meetings = [factories.meeting(organiser, title=f"Réunion {number}") for number in range(14)]
    now = timezone.now()
    outcomes = [apply(meeting, now=now) for meeting in meetings]
    done = outcomes.index(Outcome.WAITING)
    # One request is refused; the rooms behind it do not even ask.
    assert outcomes == [Outcome.DONE] * done + [Outcome.WAITING] + [Outcome.NOTHING] * (13 - done)
    waiting = TchapRoom.objects.filter(state=RoomState.OWED).order_by("pk")
    assert [room.last_error[:21] for room in waiting] == ["429 M_LIMIT_EXCEEDED "] + [""] * (13 - done)
    # They are all due when the homeserver said, and not before.
    (hour,) = {room.due_at for room in waiting}
    assert owed.due_rooms(now=hour - timedelta(microseconds=1), limit=100) == []
    assert hour > now


# --- 15 ---------------------------------------------------------------------------------------------------------
def test_a_room_whose_creation_was_not_answered_is_adopted(
    relay: Relay, person: MakePerson, homeserver: Matrix
) -> None:
    karim = person("Karim")
    meeting = factories.meeting(person("Claire").agent, guests=[karim.agent], title=f"Perdue {uuid.uuid4()}")
    relay.fail("POST", "createRoom")
    now = timezone.now()
    assert apply(meeting, now=now) is Outcome.WAITING
    assert room_of(meeting).room_id == ""
    assert apply(meeting, now=now + timedelta(seconds=45)) is Outcome.DONE
    assert_one_whole_room(homeserver, meeting, karim)


@pytest.mark.parametrize("milliseconds", [5, 15, 30, 60])
def test_a_homeserver_killed_while_creating_makes_exactly_one_room(
    own_parts: Any, settings: Settings, milliseconds: int
) -> None:
    part: Homeserver = own_parts.homeserver()
    homeserver = Matrix(part)
    karim = make_person(homeserver, "Karim")
    meeting = factories.meeting(make_person(homeserver).agent, guests=[karim.agent], title=f"Tuée {milliseconds}")
    settings.MATRIX_ACCESS_TOKEN = part.bot_token
    with relaying(part.url) as relay:
        settings.MATRIX_HOMESERVER_URL = relay.url
        killer = threading.Timer(milliseconds / 1000, part.kill)
        relay.fail("POST", "createRoom", status=0, also=killer.start)
        now = timezone.now()
        assert apply(meeting, now=now) is Outcome.WAITING
        killer.join()
        part.start()
        for minute in range(1, 4):
            sweep(now + timedelta(minutes=10 * minute))
    assert room_of(meeting).state == RoomState.APPLIED
    assert_one_whole_room(homeserver, meeting, karim)


def half_made(homeserver: Matrix, alias: str, *, leave: bool) -> str:
    """What a homeserver that died early leaves behind: an alias and a bare room, which we may not even be in."""
    room_id = str(homeserver.as_bot.call("POST", "/createRoom", {"room_alias_name": alias})["room_id"])
    if leave:
        homeserver.as_bot.call("POST", f"/rooms/{room_id}/leave", {})
    return room_id


def test_a_half_made_room_is_completed(relay: Relay, person: MakePerson, homeserver: Matrix) -> None:
    karim = person("Karim")
    meeting = factories.meeting(person("Claire").agent, guests=[karim.agent], title=f"Inachevée {uuid.uuid4()}")
    room_id = half_made(homeserver, room_of(meeting).alias_localpart, leave=False)
    # Without power levels either, which no request can take away.
    relay.fail("GET", "m.room.power_levels", status=404, body={"errcode": "M_NOT_FOUND"})
    assert apply(meeting) is Outcome.DONE
    assert room_of(meeting).room_id == room_id
    assert_one_whole_room(homeserver, meeting, karim)
    assert karim.state(room_id, "m.room.guest_access") == {"guest_access": "can_join"}
    assert karim.state(room_id, "m.room.power_levels")["state_default"] == 100


def test_an_alias_that_leads_nowhere_is_freed_and_used_again(
    relay: Relay, person: MakePerson, homeserver: Matrix
) -> None:
    karim = person("Karim")
    meeting = factories.meeting(person("Claire").agent, guests=[karim.agent], title=f"Impasse {uuid.uuid4()}")
    alias = room_of(meeting).alias_localpart
    dead = half_made(homeserver, alias, leave=True)
    now = timezone.now()
    assert apply(meeting, now=now) is Outcome.WAITING
    assert apply(meeting, now=now + timedelta(minutes=1)) is Outcome.DONE
    assert (room_of(meeting).alias_localpart, room_of(meeting).room_id == dead) == (alias, False)
    assert_one_whole_room(homeserver, meeting, karim)


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/state$"), ("GET", "directory/room"), ("DELETE", "directory/room")]
)
def test_trouble_while_adopting_is_waited_for(
    relay: Relay, person: MakePerson, homeserver: Matrix, method: str, path: str
) -> None:
    karim = person("Karim")
    meeting = factories.meeting(person("Claire").agent, guests=[karim.agent], title=f"Reprise {uuid.uuid4()}")
    half_made(homeserver, room_of(meeting).alias_localpart, leave=method == "DELETE")
    relay.fail(method, path, status=503)
    now = timezone.now()
    for minute in range(3):
        apply(meeting, now=now + timedelta(minutes=10 * minute))
    assert room_of(meeting).state == RoomState.APPLIED
    assert_one_whole_room(homeserver, meeting, karim)


def test_an_edit_of_the_pinned_message_that_came_too_late_is_dropped(relay: Relay, person: MakePerson) -> None:
    """Sent after the newer one it would win, and show an hour that no longer holds."""
    claire = person("Claire")
    meeting = factories.meeting(claire.agent)
    apply(meeting)
    room_id = room_of(meeting).room_id
    claire.join(room_id)
    relay.fail("PUT", "/send/m.room.message/", status=503)
    edited(meeting, (), title="Deuxième")
    now = timezone.now()
    assert apply(meeting, now=now) is Outcome.WAITING
    edited(meeting, (), title="Troisième")
    assert apply(meeting, now=now + timedelta(minutes=1)) is Outcome.DONE
    edits = [
        said["m.new_content"]["body"].splitlines()[0] for said in claire.messages(room_id) if "m.new_content" in said
    ]
    assert edits == ["Troisième"]


def test_a_name_that_somebody_else_took_is_left_to_them(relay: Relay, person: MakePerson, homeserver: Matrix) -> None:
    """Whoever made that room could read what is said there: it is never adopted, even when we are invited into it."""
    stranger, karim = person("Stranger"), person("Karim")
    meeting = factories.meeting(person("Claire").agent, guests=[karim.agent], title=f"Convoitée {uuid.uuid4()}")
    alias = room_of(meeting).alias_localpart
    trap = stranger.call("POST", "/createRoom", {"room_alias_name": alias, "invite": [homeserver.bot]})["room_id"]
    homeserver.as_bot.join(trap)
    now = timezone.now()
    assert apply(meeting, now=now) is Outcome.WAITING
    assert apply(meeting, now=now + timedelta(minutes=1)) is Outcome.DONE
    assert room_of(meeting).room_id != trap
    assert room_of(meeting).alias_localpart.startswith(f"{alias}-")
    assert_one_whole_room(homeserver, meeting, karim)


def test_a_message_whose_sending_was_not_answered_is_not_sent_twice(relay: Relay, person: MakePerson) -> None:
    """Also when the homeserver has forgotten the transaction id meanwhile: the message is looked for, not sent again."""
    claire = person("Claire")
    meeting = factories.meeting(claire.agent)
    relay.fail("PUT", "/send/m.room.message/")
    now = timezone.now()
    assert apply(meeting, now=now) is Outcome.WAITING
    relay.forget()
    assert apply(meeting, now=now + timedelta(seconds=45)) is Outcome.DONE
    assert relay.requests("PUT", "/send/") == []
    claire.join(room_of(meeting).room_id)
    assert len(claire.messages(room_of(meeting).room_id)) == 1


# --- 16 ---------------------------------------------------------------------------------------------------------
def test_a_homeserver_down_for_a_day_costs_a_day(person: MakePerson, homeserver: Matrix, settings: Settings) -> None:
    karim = person("Karim")
    settings.MATRIX_HOMESERVER_URL = "http://127.0.0.1:9"
    now = timezone.now()
    in_two_days = now + timedelta(days=2)
    meeting = factories.meeting(
        person("Claire").agent, guests=[karim.agent], title=f"Patiente {uuid.uuid4()}", starts_at=in_two_days
    )
    other = factories.meeting(person("Sophie").agent, title=f"Patiente {uuid.uuid4()}", starts_at=in_two_days)
    tries = 0
    for minute in range(24 * 60):
        tries += len(sweep(now + timedelta(minutes=minute)))
    assert tries <= 2 * 30
    assert room_of(meeting).get_state_display() == "Salon en attente"
    assert room_of(meeting).last_error.startswith("homeserver unreachable")
    # Meanwhile the meeting lives: moved, its room will be made as it is then.
    edited(meeting, (karim.agent,), title=f"{meeting.title} bis")

    settings.MATRIX_HOMESERVER_URL = homeserver.url
    later = now + timedelta(hours=25)
    settings.MATRIX_ACCESS_TOKEN = homeserver.bot_token
    assert reconcile(room_id=room_of(meeting).pk, now=later) is Outcome.DONE
    # The first room that gets through wakes the others.
    assert owed.due_rooms(now=later, limit=10) == [room_of(other).pk]
    meeting.refresh_from_db()
    assert_one_whole_room(homeserver, meeting, karim)


# --- 17 ---------------------------------------------------------------------------------------------------------
def test_a_revoked_token_is_told_once_and_tried_no_more(
    relay: Relay, person: MakePerson, homeserver: Matrix, settings: Settings
) -> None:
    claire = person("Claire")
    revoked = homeserver.user(f"ancien.{uuid.uuid4().hex}@dinum.example")
    revoked.call("POST", "/logout", {})
    settings.MATRIX_ACCESS_TOKEN = revoked.token
    meeting = factories.meeting(claire.agent)
    assert apply(meeting) is Outcome.REFUSED
    assert len(relay.seen) == 1
    assert room_of(meeting).last_error.startswith("401 M_UNKNOWN_TOKEN")

    relay.forget()
    for hour in range(48):
        assert sweep(timezone.now() + timedelta(hours=hour)) == []
    edited(meeting, (), title="Modifiée")
    assert sweep(timezone.now()) == []
    assert relay.seen == []

    settings.MATRIX_ACCESS_TOKEN = homeserver.bot_token
    owed.retry(room_of(meeting), now=timezone.now())
    assert sweep(timezone.now()) == [Outcome.DONE]
    claire.join(room_of(meeting).room_id)
    assert claire.state(room_of(meeting).room_id, "m.room.name") == {"name": "Modifiée"}


def test_a_bot_thrown_out_asks_for_an_administrator_and_comes_back_when_invited(
    relay: Relay, person: MakePerson, homeserver: Matrix
) -> None:
    claire = person("Claire")
    meeting = factories.meeting(claire.agent)
    apply(meeting)
    room_id = room_of(meeting).room_id
    claire.join(room_id)
    homeserver.as_bot.call("POST", f"/rooms/{room_id}/leave", {})
    relay.forget()

    edited(meeting, (), title="Sans nous")
    assert apply(meeting) is Outcome.REFUSED
    assert room_of(meeting).last_error.startswith("403 M_FORBIDDEN")
    # The refused step, and one look whether somebody invited us back.
    assert len(relay.seen) == 2
    assert sweep(timezone.now() + timedelta(days=1)) == []
    assert len(relay.seen) == 2

    claire.call("POST", f"/rooms/{room_id}/invite", {"user_id": homeserver.bot})
    relay.fail("POST", "/join$", status=503)
    owed.retry(room_of(meeting), now=timezone.now())
    assert apply(meeting) is Outcome.WAITING
    owed.retry(room_of(meeting), now=timezone.now())
    assert apply(meeting) is Outcome.DONE
    assert claire.state(room_id, "m.room.name") == {"name": "Sans nous"}


def test_a_blocked_room_is_refused(relay: Relay, person: MakePerson) -> None:
    meeting = factories.meeting(person().agent)
    apply(meeting)
    blocked = {"errcode": "M_UNKNOWN", "error": "This room has been blocked on this server"}
    relay.fail("PUT", "m.room.name", status=403, body=blocked, times=2)
    edited(meeting, (), title="Bloquée")
    assert apply(meeting) is Outcome.REFUSED
    assert "blocked" in room_of(meeting).last_error


# --- The worker -------------------------------------------------------------------------------------------------
def test_a_worker_killed_at_any_request_leaves_work_that_another_finishes(
    relay: Relay, person: MakePerson, homeserver: Matrix
) -> None:
    """Cut off after each request in turn, as a SIGKILL would: a later run ends with the same one room."""
    karim = person("Karim")
    reference = factories.meeting(person("Claire").agent, guests=[karim.agent], title=f"Repère {uuid.uuid4()}")
    relay.forget()
    apply(reference)
    steps = len(relay.seen)
    karim.join(room_of(reference).room_id)
    assert steps > 8
    for step in range(steps):
        guest = person("Karim")
        meeting = factories.meeting(person("Claire").agent, guests=[guest.agent], title=f"Coupée {uuid.uuid4()}")
        relay.fail_from(step)
        now = timezone.now()
        assert apply(meeting, now=now) is Outcome.WAITING
        assert apply(meeting, now=now + timedelta(seconds=45)) is Outcome.DONE
        assert_one_whole_room(homeserver, meeting, guest)
        assert set(members(meeting).values()) == {MemberState.INVITED}


def test_cancelled_while_the_homeserver_was_down_makes_no_room(
    person: MakePerson, relay: Relay, homeserver: Matrix
) -> None:
    meeting = factories.meeting(person().agent, title=f"Vaine {uuid.uuid4()}")
    relay.fail("POST", "createRoom", status=503)
    now = timezone.now()
    assert apply(meeting, now=now) is Outcome.WAITING
    cancel_meeting(meeting=meeting, by=meeting.organiser, now=now)
    assert apply(meeting, now=now + timedelta(minutes=1)) is Outcome.DONE
    assert homeserver.rooms_named(meeting.title) == []


@pytest.mark.django_db(transaction=True)
def test_scheduled_moved_cancelled_without_anybody_calling_the_bridge(
    homeserver: Matrix, celery_worker: CeleryProcess
) -> None:
    """Commit, doorbell, worker, homeserver: only the portal's own operations are called here."""
    claire, karim = make_person(homeserver, "Claire"), make_person(homeserver, "Karim")
    meeting = factories.meeting(claire.agent, guests=[karim.agent])
    (room_id,) = until(karim.invited_to)
    karim.join(room_id)
    edited(meeting, (karim.agent,), title="Renommée")
    until(lambda: karim.state(room_id, "m.room.name") == {"name": "Renommée"})
    meeting.refresh_from_db()
    cancel_meeting(meeting=meeting, by=claire.agent, now=timezone.now())
    until(lambda: "annulée" in karim.messages(room_id)[-1]["body"])


@pytest.mark.django_db(transaction=True)
def test_beat_finds_what_no_doorbell_told(
    homeserver: Matrix, celery_worker: CeleryProcess, celery_beat: CeleryProcess
) -> None:
    """The web process dies right after the commit: the sweep makes the room."""
    claire = make_person(homeserver, "Claire")
    with transaction.atomic():
        meeting = factories.meeting(claire.agent)
        # What follows the commit is thrown away, as by a process that dies there.
        transaction.get_connection().run_on_commit.clear()
    (room_id,) = until(claire.invited_to)
    until(lambda: room_of(meeting).state == RoomState.APPLIED)
    assert room_of(meeting).room_id == room_id
