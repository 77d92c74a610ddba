"""PROMISES 14, 17 and 30: what stops one Tchap room stops that room, what stops the bot stops all of them, and both are shown."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings
from redis import Redis

from suite.portal.health import ask_database, service_states
from tchap_bridge import owed, tasks
from tchap_bridge.matrix import MatrixError
from tchap_bridge.models import RoomState, TchapMessage, TchapRoom
from tchap_bridge.rooms import Outcome, reconcile
from tests import factories
from tests.looking import Matrix
from tests.tchap_bridge.fixtures import MakePerson
from tests.tchap_bridge.relay import Relay
from tests.tchap_bridge.rooms import apply, edited, room_of

pytestmark = pytest.mark.django_db

LIMIT = {"errcode": "M_LIMIT_EXCEEDED", "error": "Too Many Requests", "retry_after_ms": 60_000}
BROKEN = {"errcode": "M_UNKNOWN", "error": "Internal server error"}


def sweep(now: datetime) -> list[Outcome]:
    """What the sweep does at `now`, in this process."""
    owed.hold_back(now=now)
    return [reconcile(room_id=room_id, now=now) for room_id in owed.due_rooms(now=now, limit=100)]


def states(now: datetime) -> dict[str, tuple[str, str]]:
    return {part.name: (part.state, part.words) for part in ask_database(now)}


# --- 14 ---------------------------------------------------------------------------------------------------------
def test_a_limit_holds_back_every_room_and_the_same_transaction_comes_after_it(
    relay: Relay, person: MakePerson
) -> None:
    claire = person("Claire")
    limited, waiting = factories.meeting(claire.agent), factories.meeting(claire.agent)
    relay.fail("PUT", "/send/m.room.message/", status=429, body=LIMIT, headers={"Retry-After": "60"})
    now = timezone.now()
    assert apply(limited, now=now) is Outcome.WAITING
    relay.forget()

    assert apply(waiting, now=now) is Outcome.NOTHING
    later = factories.meeting(claire.agent)
    assert apply(later, now=now + timedelta(seconds=30)) is Outcome.NOTHING
    # Nor does an administrator's "try again" ask a homeserver that said when.
    owed.retry(room_of(limited), now=now + timedelta(seconds=30))
    owed.retry(room_of(waiting), now=now + timedelta(seconds=30))
    assert sweep(now + timedelta(seconds=59)) == []
    assert relay.seen == []
    # A limit is nobody's failure.
    assert [(room_of(one).attempts, room_of(one).state) for one in (limited, waiting, later)] == [(0, "owed")] * 3

    assert sweep(now + timedelta(seconds=75)) == [Outcome.DONE] * 3
    (card,) = TchapMessage.objects.filter(room__meeting=limited, about="card")
    sent = [seen.path.rpartition("/")[2] for seen in relay.requests("PUT", "/send/")]
    assert sent.count(str(card.transaction_id)) == 1
    claire.join(room_of(limited).room_id)
    assert len(claire.messages(room_of(limited).room_id)) == 1


@pytest.mark.django_db(transaction=True)
def test_a_limit_met_by_one_worker_stops_the_run_of_another(relay: Relay, person: MakePerson) -> None:
    """Between two requests of a run, another process is told to wait: this run stops there too, and goes on after it."""
    claire = person("Claire")
    running, limited = factories.meeting(claire.agent), factories.meeting(claire.agent)
    now = timezone.now()

    def other_worker_is_limited() -> None:
        claim = owed.claim(room_id=room_of(limited).pk, now=timezone.now())
        assert claim is not None
        owed.set_aside(claim, MatrixError("M_LIMIT_EXCEEDED", 429, "", permanent=False, retry_after=timedelta(hours=1)))
        connection.close()

    relay.fail("PUT", "m.room.pinned_events", also=other_worker_is_limited, status=200, body={"event_id": "$pinned"})
    assert apply(running) is Outcome.WAITING
    assert relay.seen[-1].path.endswith("m.room.pinned_events/")
    assert room_of(running).due_at == room_of(limited).due_at > now + timedelta(minutes=59)
    assert (room_of(running).attempts, room_of(running).claimed_until) == (0, None)
    assert sweep(now + timedelta(minutes=50)) == []
    assert sweep(now + timedelta(minutes=61)) == [Outcome.DONE] * 2


@pytest.mark.django_db(transaction=True)
def test_rooms_held_back_are_no_delay_and_nobody_rings_for_them(
    relay: Relay, person: MakePerson, redis_client: Redis, settings: Settings
) -> None:
    limited, waiting = factories.meeting(person().agent), factories.meeting()
    relay.fail("POST", "createRoom", status=429, body={**LIMIT, "retry_after_ms": 3_600_000})
    assert apply(limited) is Outcome.WAITING
    redis_client.flushall()
    new = factories.meeting()
    redis_client.flushall()
    tasks.sweep_rooms()
    assert redis_client.llen(f"{settings.REDIS_PREFIX}:{settings.CELERY_TASK_DEFAULT_QUEUE}") == 0
    assert room_of(new).due_at == room_of(waiting).due_at == room_of(limited).due_at
    assert states(timezone.now() + timedelta(minutes=50))["tchap_rooms"][0] == "up"


# --- 17 ---------------------------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_a_revoked_token_costs_one_request_and_is_shown_until_an_administrator_acts(
    relay: Relay, person: MakePerson, homeserver: Matrix, settings: Settings, redis_client: Redis
) -> None:
    revoked = homeserver.user(f"ancien.{uuid.uuid4().hex}@dinum.example")
    revoked.call("POST", "/logout", {})
    settings.MATRIX_ACCESS_TOKEN = revoked.token
    organiser = person("Claire").agent
    meetings = [factories.meeting(organiser) for _number in range(4)]
    now = timezone.now()
    assert states(now)["tchap_account"] == ("up", "fonctionne")
    outcomes = [apply(meeting) for meeting in meetings]
    assert outcomes == [Outcome.REFUSED, Outcome.NOTHING, Outcome.NOTHING, Outcome.NOTHING]
    for hour in range(48):
        sweep(now + timedelta(hours=hour))
    redis_client.flushall()
    tasks.sweep_rooms()
    assert redis_client.llen(f"{settings.REDIS_PREFIX}:{settings.CELERY_TASK_DEFAULT_QUEUE}") == 0
    assert len(relay.seen) == 1

    # The others wait, which is no delay of the portal's.
    seen = states(now + timedelta(hours=1))
    assert seen["tchap_account"] == ("refused", "compte du portail refusé")
    assert seen["tchap_rooms"][0] == "up"
    assert room_of(meetings[0]).standing == "Mis de côté : Tchap refuse le compte du portail"
    assert room_of(meetings[1]).standing == "Salon en attente"

    settings.MATRIX_ACCESS_TOKEN = homeserver.bot_token
    owed.retry(room_of(meetings[0]), now=now + timedelta(hours=1))
    assert sweep(now + timedelta(hours=1)) == [Outcome.DONE] * 4
    assert states(now + timedelta(hours=1))["tchap_account"][0] == "up"


def test_a_bot_thrown_out_of_one_room_goes_on_in_the_others(
    relay: Relay, person: MakePerson, homeserver: Matrix
) -> None:
    claire = person("Claire")
    meeting, other = factories.meeting(claire.agent), factories.meeting(claire.agent)
    apply(meeting)
    apply(other)
    homeserver.as_bot.call("POST", f"/rooms/{room_of(meeting).room_id}/leave", {})
    edited(meeting, (), title="Sans nous")
    edited(other, (), title="Avec nous")
    assert [apply(meeting), apply(other)] == [Outcome.REFUSED, Outcome.DONE]
    assert room_of(meeting).standing == "Mis de côté : Tchap refuse"
    assert "not in room" in room_of(meeting).last_error


@pytest.mark.django_db(transaction=True)
def test_the_heartbeat_counts_the_rooms_set_aside_whose_meeting_is_ahead(person: MakePerson, relay: Relay) -> None:
    now = timezone.now()
    ahead = [factories.meeting(starts_at=now + timedelta(days=1)) for _number in range(2)]
    over = factories.meeting(starts_at=now - timedelta(days=1))
    assert states(now)["tchap_set_aside"] == ("up", "fonctionne")
    for meeting in [*ahead, over]:
        TchapRoom.objects.filter(meeting=meeting).update(state=RoomState.REFUSED, last_error="403 M_FORBIDDEN no")
    assert states(now)["tchap_set_aside"] == ("aside", "2 salons mis de côté")
    body = Client().get("/__heartbeat__").json()
    assert body["parts"]["tchap_set_aside"]["set_aside"] == 2
    assert (body["state"], body["parts"]["tchap_set_aside"]["matters"]) == ("impaired", False)
    # People who sign in are told of a bot that is locked out, not of single rooms.
    assert [state.is_well for state in service_states(now) if state.name == "Tchap"] == [True]


# --- 30 ---------------------------------------------------------------------------------------------------------
def test_a_poison_room_is_set_aside_after_its_tries_while_the_others_flow(relay: Relay, person: MakePerson) -> None:
    claire = person("Claire")
    poison = factories.meeting(claire.agent, starts_at=timezone.now() + timedelta(days=3))
    apply(poison)
    edited(poison, (), title="Poison")
    others = [factories.meeting(claire.agent) for _number in range(owed.MOST_TRIES + 4)]
    name = f"{quote(room_of(poison).room_id)}/state/m.room.name"
    relay.fail("PUT", name, status=500, body=BROKEN, times=owed.MOST_TRIES)
    now = timezone.now()
    outcomes = []
    for hour, other in enumerate(others):
        at = now + timedelta(hours=hour, minutes=hour)
        outcomes.append(apply(poison, now=at))
        assert apply(other, now=at) is Outcome.DONE
    assert outcomes[: owed.MOST_TRIES] == [Outcome.WAITING] * (owed.MOST_TRIES - 1) + [Outcome.REFUSED]
    assert set(outcomes[owed.MOST_TRIES :]) == {Outcome.NOTHING}
    room = room_of(poison)
    assert (room.state, room.attempts, room.last_error) == (
        RoomState.REFUSED,
        owed.MOST_TRIES,
        "500 M_UNKNOWN Internal server error",
    )
    assert room.standing == "Mis de côté après 8 essais"

    owed.retry(room, now=now)
    assert (room_of(poison).attempts, room_of(poison).standing) == (0, "Salon en attente")
    assert apply(poison) is Outcome.DONE


def test_an_administrator_sees_it_and_has_it_tried_again(client: Client) -> None:
    client.force_login(factories.agent(is_staff=True, is_superuser=True))
    room = room_of(factories.meeting())
    words = "500 M_UNKNOWN Internal server error"
    TchapRoom.objects.filter(pk=room.pk).update(state=RoomState.REFUSED, attempts=owed.MOST_TRIES, last_error=words)
    address = reverse("admin:tchap_bridge_tchaproom_changelist")
    page = client.get(address).content.decode()
    assert "Mis de côté après 8 essais" in page
    assert words in page
    client.post(address, {"action": "reconcile_now", "_selected_action": [room.pk]})
    room.refresh_from_db()
    assert (room.state, room.attempts) == (RoomState.OWED, 0)


@pytest.mark.parametrize("others_flow", [False, True])
def test_no_answer_counts_against_a_room_only_while_others_get_one(others_flow: bool) -> None:
    """A homeserver that answers nobody is down (PROMISE 16); one that answers everybody else chokes on this room."""
    room, other = room_of(factories.meeting()), room_of(factories.meeting())
    choked = MatrixError("", 0, "no answer from the homeserver (ReadTimeout)", permanent=False)
    for _time in range(owed.MOST_TRIES + 2):
        now = room.due_at
        if others_flow:
            TchapRoom.objects.filter(pk=other.pk).update(applied_at=now)
        claim = owed.claim(room_id=room.pk, now=now)
        if claim is None:
            break
        owed.set_aside(claim, choked)
        room.refresh_from_db()
    assert room.state == (RoomState.REFUSED if others_flow else RoomState.OWED)


@pytest.mark.django_db(transaction=True)
def test_a_failure_of_a_worker_that_lost_its_room_is_the_new_workers_affair(relay: Relay, person: MakePerson) -> None:
    meeting = factories.meeting(person().agent)
    now = timezone.now()

    def taken_over() -> None:
        TchapRoom.objects.filter(meeting=meeting).update(claimed_until=now + timedelta(minutes=9))
        connection.close()

    relay.fail("POST", "createRoom", also=taken_over, status=503)
    assert apply(meeting, now=now) is Outcome.NOTHING
    assert (room_of(meeting).attempts, room_of(meeting).last_error) == (0, "")


def test_a_homeserver_that_was_down_for_long_uses_up_nobodys_tries() -> None:
    room = room_of(factories.meeting())
    for error in [MatrixError("", 503, "Service Unavailable", permanent=False)] * 30 + [
        MatrixError("M_UNKNOWN", 500, "Internal server error", permanent=False)
    ]:
        claim = owed.claim(room_id=room.pk, now=room.due_at)
        assert claim is not None
        owed.set_aside(claim, error)
        room.refresh_from_db()
    assert (room.state, room.attempts) == (RoomState.OWED, 5)
