"""What the homeserver pushes to the application service."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from suite.local import ports
from tchap_bridge import inbound
from tchap_bridge.models import InboundEvent, RoomState, TchapMessage, TchapRoom
from tchap_bridge.views import LARGEST_BODY
from tests import factories
from tests.looking import Matrix
from tests.processes import CeleryProcess, LivePortal
from tests.tchap_bridge.fixtures import make_person
from tests.waiting import until
from visio.meetings.models import Meeting
from visio.meetings.scheduling import cancel_meeting
from visio.meetings.tokens import join_url

pytestmark = pytest.mark.django_db

TOKEN = "hs-token-of-this-test"


@pytest.fixture(autouse=True)
def hs_token(settings: Settings) -> None:
    settings.MATRIX_HS_TOKEN = TOKEN


@pytest.fixture
def room() -> TchapRoom:
    """A room that is made and up to date."""
    room = TchapRoom.objects.get(meeting=factories.meeting())
    room.room_id, room.state, room.applied = f"!{uuid.uuid4().hex}:tchap.localhost", RoomState.APPLIED, room.wanted
    room.save()
    return room


def message(room: TchapRoom, body: Any, *, event_id: str = "", **fields: Any) -> dict[str, Any]:
    return {
        "event_id": event_id or f"${uuid.uuid4().hex}",
        "room_id": room.room_id,
        "type": "m.room.message",
        "sender": "@karim-dinum.example:tchap.localhost",
        "content": {"msgtype": "m.text", "body": body},
        **fields,
    }


def push(events: Any, *, transaction: str = "", token: str = TOKEN) -> HttpResponse:
    body = events if isinstance(events, bytes) else json.dumps({"events": events}).encode()
    answer: Any = Client(enforce_csrf_checks=True).put(
        f"/_matrix/app/v1/transactions/{transaction or uuid.uuid4()}",
        body,
        content_type="application/json",
        headers={"Authorization": f"Bearer {token}"},
    )
    assert isinstance(answer, HttpResponse)
    return answer


def answers(room: TchapRoom) -> list[str]:
    return list(TchapMessage.objects.filter(room=room).order_by("pk").values_list("body", flat=True))


def test_visio_is_answered_with_the_join_link(room: TchapRoom) -> None:
    answer = push([message(room, "!visio")])
    assert (answer.status_code, answer.content) == (200, b"{}")
    assert answers(room) == [f"Rejoindre la visio : {join_url(room.meeting)}"]
    room.refresh_from_db()
    assert (room.state, room.wanted) == (RoomState.OWED, 2)


@pytest.mark.parametrize(
    "body",
    ["!visionnage", "visio", "!aide", "", "   ", "Tapez !visio", 12, None, ["!visio"]],
)
def test_anything_else_is_ignored(room: TchapRoom, body: object) -> None:
    assert push([message(room, body)]).status_code == 200
    assert answers(room) == []
    assert not InboundEvent.objects.filter(key__startswith="event:").exists()


@pytest.mark.parametrize("body", ["!visio s’il te plaît", "!Visio", " !visio\n"])
def test_a_command_may_be_capitalised_and_have_words_behind_it(room: TchapRoom, body: str) -> None:
    push([message(room, body)])
    assert len(answers(room)) == 1


def test_our_own_words_edits_and_notices_are_no_commands(room: TchapRoom) -> None:
    edit = {"msgtype": "m.text", "body": "!visio", "m.new_content": {}, "m.relates_to": {"rel_type": "m.replace"}}
    push(
        [
            message(room, "!visio", sender="@visio-bridge:tchap.localhost"),
            message(room, "!visio", content=edit),
            message(room, "!visio", content={"msgtype": "m.notice", "body": "!visio"}),
            message(room, "!visio", type="m.sticker"),
            message(room, "!visio", room_id="!inconnu:tchap.localhost"),
            message(room, "!visio", room_id=""),
            {"type": "m.room.message"},
            "no event",
            None,
        ]
    )
    assert answers(room) == []


def test_the_same_transaction_with_another_body_is_answered_once(room: TchapRoom) -> None:
    event = message(room, "!visio")
    push([{**event, "unsigned": {"age": 10}}], transaction="7")
    assert push([{**event, "unsigned": {"age": 4000}}], transaction="7").status_code == 200
    assert len(answers(room)) == 1


def test_the_same_event_in_another_transaction_is_answered_once(room: TchapRoom) -> None:
    event = message(room, "!visio")
    push([event, event], transaction="1")
    push([event], transaction="2")
    assert len(answers(room)) == 1


def test_late_and_out_of_order_ends_the_same(room: TchapRoom) -> None:
    first, second = message(room, "!visio"), message(room, "!visio")
    for transaction, event in [("2", second), ("1", first), ("2", second), ("1", first)]:
        push([event], transaction=transaction)
    assert answers(room) == [f"Rejoindre la visio : {join_url(room.meeting)}"] * 2


def test_a_cancelled_meeting_answers_that_it_is(room: TchapRoom) -> None:
    meeting = Meeting.objects.get(pk=room.meeting_id)
    cancel_meeting(meeting=meeting, by=meeting.organiser, now=timezone.now())
    push([message(room, "!visio")])
    assert answers(room) == ["La réunion est annulée."]


def test_a_meeting_without_a_call_answers_with_its_page() -> None:
    room = TchapRoom.objects.get(meeting=factories.meeting(wants_room=False))
    TchapRoom.objects.filter(pk=room.pk).update(room_id="!sans:tchap.localhost")
    room.refresh_from_db()
    push([message(room, "!visio")])
    assert answers(room)[0].startswith("Cette réunion n’a pas de salle Visio.\nPage de la réunion : http")


@pytest.mark.parametrize("path", ["transactions/1", "users/@visio-x:s", "rooms/%23visio-x:s", "ping"])
@pytest.mark.parametrize(
    ("header", "status"),
    [("", 401), (f"Basic {TOKEN}", 401), ("Bearer wrong", 403), ("Bearer ", 403), ("Bearer é", 403)],
)
def test_nobody_without_the_token_comes_in(path: str, header: str, status: int) -> None:
    headers = {"Authorization": header} if header else {}
    for method in ("GET", "PUT", "POST", "DELETE"):
        answer = Client().generic(method, f"/_matrix/app/v1/{path}", b'{"events": []}', headers=headers)
        assert answer.status_code == status
        assert answer.json()["errcode"] in ("M_UNAUTHORIZED", "M_FORBIDDEN")
    assert not InboundEvent.objects.exists()


def test_a_signed_in_agent_is_nobody_here() -> None:
    client = Client()
    client.force_login(factories.agent(is_staff=True, is_superuser=True))
    assert client.put("/_matrix/app/v1/transactions/1", b"{}", content_type="application/json").status_code == 401


def test_no_token_configured_lets_nobody_in(settings: Settings) -> None:
    settings.MATRIX_HS_TOKEN = ""
    assert push([], token="").status_code == 403


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'{"events": {}}', b'{"event": []}', b"\xff\xfe", b"[" * 100_000]
)
def test_a_malformed_body_is_told(body: bytes) -> None:
    assert push(body).status_code == 400
    assert not InboundEvent.objects.exists()


def test_a_body_beyond_the_bound_is_refused_and_a_large_one_is_not(room: TchapRoom) -> None:
    assert push(b" " * (LARGEST_BODY + 1)).status_code == 413
    large = [message(room, "x" * 60_000) for _number in range(100)]
    assert push([*large, message(room, "!visio")]).status_code == 200
    assert len(answers(room)) == 1


def test_the_service_makes_no_users_and_no_rooms_on_demand() -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    for path in ("users/@visio-x:tchap.localhost", "rooms/%23visio-x:tchap.localhost"):
        answer = Client().get(f"/_matrix/app/v1/{path}", headers=headers)
        assert (answer.status_code, answer.json()["errcode"]) == (404, "M_NOT_FOUND")
    assert Client().get("/_matrix/app/v1/ping", headers=headers).status_code == 405
    assert Client().post("/_matrix/app/v1/ping", {}, headers=headers).json() == {}


def test_a_hundred_idle_events_cost_as_many_queries_as_one(
    room: TchapRoom, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for count in (1, 100):
        events = [message(room, "Bonjour") for _number in range(count)]
        # Savepoint, transaction known?, savepoint, remember it, two releases.
        with django_assert_num_queries(6):
            inbound.receive(transaction_id=str(uuid.uuid4()), rows=events, now=timezone.now())


def test_what_was_seen_is_forgotten_after_a_week(room: TchapRoom) -> None:
    push([message(room, "!visio")])
    now = timezone.now()
    assert inbound.forget_old_events(now=now + timedelta(days=6)) == 0
    assert inbound.forget_old_events(now=now + timedelta(days=8)) == 2


@pytest.mark.django_db(transaction=True)
def test_visio_typed_in_a_room_is_answered_there(
    own_parts: Any, start_portal: Callable[..., LivePortal], start_celery: Callable[..., CeleryProcess]
) -> None:
    """From the typed word to the answer over a real homeserver that pushes to a real portal, as application service."""
    port = ports.reserve()
    part = own_parts.homeserver(appservice_url=f"http://localhost:{port}")
    access = {
        "MATRIX_TRANSPORT": "appservice",
        "MATRIX_HOMESERVER_URL": part.url,
        "MATRIX_ACCESS_TOKEN": part.as_token,
        "MATRIX_HS_TOKEN": part.hs_token,
    }
    portal: LivePortal = start_portal(port, **access)
    worker: CeleryProcess = start_celery("worker", "--concurrency", "1", variables=access)
    homeserver = Matrix(part)
    claire, karim = make_person(homeserver, "Claire"), make_person(homeserver, "Karim")
    meeting = factories.meeting(claire.agent, guests=[karim.agent])
    (room_id,) = until(karim.invited_to, what=worker.logged())
    karim.join(room_id)
    karim.say(room_id, "Bonjour")
    karim.say(room_id, "!visio")

    assert meeting.room is not None
    answer = f"Rejoindre la visio : {portal.url}/visio/{meeting.room.slug}/"
    until(lambda: karim.messages(room_id)[-1]["body"] == answer)
    assert karim.messages(room_id)[-1]["msgtype"] == "m.notice"
    assert karim.call("GET", f"/rooms/{room_id}/joined_members")["joined"].keys() >= {"@visio-bridge:tchap.localhost"}
