"""The client over the wire: against a real homeserver where it answers, through the relay where it misbehaves."""

from __future__ import annotations

import logging
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.utils import timezone
from pytest_django import Settings

from suite.local.parts.homeserver import MatrixRefused
from tchap_bridge import inbound
from tchap_bridge.matrix import Matrix, MatrixAccess, MatrixError, NewRoom, StateContent, configured_access, read_event
from tests import looking
from tests.tchap_bridge.relay import Relay

PATH = "account/whoami"


@pytest.fixture
def matrix(relay: Relay) -> Matrix:
    access = configured_access()
    assert access is not None
    return Matrix(access)


@pytest.mark.parametrize(
    ("status", "body", "permanent"),
    [
        (400, {"errcode": "M_INVALID_PARAM", "error": "no"}, True),
        (401, {"errcode": "M_UNKNOWN_TOKEN", "error": "gone"}, True),
        (403, {"errcode": "M_FORBIDDEN", "error": "no"}, True),
        (404, {"errcode": "M_UNRECOGNIZED", "error": "what"}, True),
        (413, {"errcode": "M_TOO_LARGE", "error": "big"}, True),
        (408, {}, False),
        (500, {"errcode": "M_UNKNOWN", "error": "oops"}, False),
        (502, {}, False),
        (503, {}, False),
        (302, {}, False),
    ],
)
def test_errors_say_whether_trying_again_helps(
    matrix: Matrix, relay: Relay, status: int, body: dict[str, str], permanent: bool
) -> None:
    relay.fail("GET", PATH, status=status, body=body)
    with pytest.raises(MatrixError) as caught:
        matrix.whoami()
    error = caught.value
    assert (error.status, error.errcode, error.permanent) == (status, body.get("errcode", ""), permanent)
    assert error.retry_after is None


@pytest.mark.parametrize(
    ("body", "headers", "wait"),
    [
        ({"retry_after_ms": 1500}, {"Retry-After": "9"}, timedelta(seconds=1.5)),
        ({}, {"Retry-After": "9"}, timedelta(seconds=9)),
        ({"retry_after_ms": "soon"}, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        ({"retry_after_ms": -5}, {}, None),
        ({}, {}, None),
    ],
)
def test_a_limit_says_for_how_long(
    matrix: Matrix, relay: Relay, body: dict[str, Any], headers: dict[str, str], wait: timedelta | None
) -> None:
    relay.fail("GET", PATH, status=429, body={"errcode": "M_LIMIT_EXCEEDED", **body}, headers=headers)
    with pytest.raises(MatrixError) as caught:
        matrix.whoami()
    assert (caught.value.permanent, caught.value.retry_after) == (False, wait)


def test_no_answer_is_temporary(matrix: Matrix, relay: Relay) -> None:
    relay.fail("GET", PATH)
    with pytest.raises(MatrixError) as cut_off:
        matrix.whoami()
    with pytest.raises(MatrixError) as unreachable:
        Matrix(MatrixAccess("http://127.0.0.1:9", "t", "s")).whoami()
    assert (cut_off.value.status, cut_off.value.permanent) == (0, False)
    assert str(unreachable.value) == "homeserver unreachable (ConnectError)"


@pytest.mark.parametrize("body", [{}, {"user_id": 3}])
def test_an_answer_that_lacks_what_it_promised_is_temporary(matrix: Matrix, relay: Relay, body: dict[str, Any]) -> None:
    relay.fail("GET", PATH, status=200, body=body)
    with pytest.raises(MatrixError) as caught:
        matrix.whoami()
    assert caught.value.permanent is False


def test_the_token_never_shows(relay: Relay, caplog: pytest.LogCaptureFixture) -> None:
    access = configured_access()
    assert access is not None
    relay.fail("GET", PATH, status=401, body={"errcode": "M_UNKNOWN_TOKEN", "error": "Unrecognised"})
    with caplog.at_level(logging.INFO), Matrix(access) as matrix:
        with pytest.raises(MatrixError) as caught:
            matrix.whoami()
        matrix.profile("@claire.morel-dinum.example:tchap.localhost")
    assert access.token not in str(caught.value) + caplog.text
    assert "claire" not in caplog.text
    assert all(access.token not in seen.path for seen in relay.seen)


def test_ids_with_reserved_characters_reach_their_place(matrix: Matrix, homeserver: looking.Matrix) -> None:
    name = f"visio-{uuid.uuid4().hex}/é ?%#&"[:60].replace(" ", "_")
    room_id = matrix.create_room(NewRoom(name, "Salon", "", (), {}))
    assert matrix.room_of_alias(f"#{name}:{homeserver.server_name}") == room_id
    assert matrix.room_of_alias(f"#visio-{uuid.uuid4().hex}:{homeserver.server_name}") is None
    state = StateContent("fr.example/kind?", {"a": 1}, "key/with #?%2F")
    matrix.put_state(room_id, state)
    assert matrix.state_content(room_id, state.type, state.state_key) == {"a": 1}
    assert matrix.state_content(room_id, state.type) is None
    matrix.forget_alias(f"#{name}:{homeserver.server_name}")
    assert matrix.room_of_alias(f"#{name}:{homeserver.server_name}") is None


def test_an_identical_state_gives_the_same_event(matrix: Matrix) -> None:
    room_id = matrix.create_room(NewRoom(f"visio-{uuid.uuid4().hex}", "Salon", "", (), {}))
    first, second = (matrix.put_state(room_id, StateContent("m.room.topic", {"topic": "x"})) for _time in range(2))
    assert first == second


def test_profiles_tell_accounts_from_names(matrix: Matrix, homeserver: looking.Matrix) -> None:
    user = homeserver.user(f"p.{uuid.uuid4().hex}@dinum.example", "Pauline Petit")
    found = matrix.profile(user.mxid)
    assert found is not None
    assert found.display_name == "Pauline Petit"
    assert matrix.profile(f"@nobody-{uuid.uuid4().hex}:{homeserver.server_name}") is None
    assert matrix.profile("no id at all") is None


def test_a_homeserver_without_tchaps_directory_names_no_server(matrix: Matrix, relay: Relay) -> None:
    assert matrix.server_of_address("claire@dinum.example") is None
    relay.fail("GET", "identity/api/v1/info", status=200, body={"hs": "agent.x.example"})
    assert matrix.server_of_address("claire+a&b@dinum.example") == "agent.x.example"
    assert "address=claire%2Ba%26b%40dinum.example" in relay.seen[-1].path
    relay.fail("GET", "identity/api/v1/info", status=503)
    with pytest.raises(MatrixError):
        matrix.server_of_address("claire@dinum.example")


@pytest.mark.parametrize(
    "user_id",
    [
        "@claire-dinum.example:tchap.localhost",
        "@visio-x:elsewhere.example",
        "@visio:tchap.localhost",
        "@visio-:x:tchap.localhost",
        "@Visio-x:tchap.localhost",
        "visio-x",
        "",
    ],
)
def test_nobody_outside_our_namespace_is_spoken_for(user_id: str) -> None:
    access = MatrixAccess("http://127.0.0.1:9", "t", "tchap.localhost", "appservice")
    with pytest.raises(ValueError, match="outside our namespace"):
        Matrix(access, user_id=user_id)


def test_a_bot_speaks_for_nobody() -> None:
    with pytest.raises(ValueError, match="outside our namespace"):
        Matrix(MatrixAccess("http://127.0.0.1:9", "t", "tchap.localhost"), user_id="@visio-x:tchap.localhost")


def test_an_application_service_speaks_as_itself_and_as_its_own_users(relay: Relay, homeserver: looking.Matrix) -> None:
    access = MatrixAccess(relay.url, homeserver.as_token, homeserver.server_name, "appservice")
    with Matrix(access) as matrix:
        assert matrix.whoami() == f"@visio-bridge:{homeserver.server_name}"
    user_id = f"@visio-{uuid.uuid4().hex[:8]}:{homeserver.server_name}"
    with Matrix(access, user_id=user_id) as matrix, pytest.raises(MatrixError) as caught:
        matrix.whoami()
    # Not registered there: what matters is that the homeserver was asked as that user, and took it as ours.
    assert "user_id=%40visio-" in relay.seen[-1].path
    assert "registered" in caught.value.words


def test_the_homeserver_itself_refuses_what_lies_outside_the_namespaces(homeserver: looking.Matrix) -> None:
    """The registration that the embedded homeserver reads: the bridge cannot act as an agent, even if it tried."""
    victim = homeserver.user(f"victime.{uuid.uuid4().hex}@dinum.example")
    path = f"/_matrix/client/v3/account/whoami?user_id={victim.mxid}"
    with pytest.raises(MatrixRefused) as caught:
        homeserver.part.call("GET", path, token=homeserver.as_token)
    assert (caught.value.status, caught.value.errcode) == (403, "M_FORBIDDEN")
    assert "masquerade" in str(caught.value)


@pytest.mark.parametrize("row", [None, 3, "x", [], {}, {"event_id": 1, "type": "t", "sender": "s"}])
def test_what_is_no_event_is_none(row: object) -> None:
    assert read_event(row) is None


def test_a_ping_is_asked_for_once_a_minute_and_its_failure_is_survived(
    relay: Relay, homeserver: looking.Matrix, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    now = timezone.now() + timedelta(days=1)
    inbound.ask_for_backlog(now=now)
    assert relay.requests("POST", "/ping") == []  # a bot has nothing to ask
    settings.MATRIX_TRANSPORT = "appservice"
    settings.MATRIX_ACCESS_TOKEN = homeserver.as_token
    inbound.ask_for_backlog(now=now)
    inbound.ask_for_backlog(now=now + timedelta(seconds=59))
    (ping,) = relay.requests("POST", "/ping")
    assert ping.path == f"/_matrix/client/v1/appservice/{django_settings.MATRIX_APPSERVICE_ID}/ping"
    # The shared homeserver pushes to a port where nobody listens: 502 M_CONNECTION_FAILED.
    assert "cannot push" in caplog.text
    inbound.ask_for_backlog(now=now + timedelta(seconds=60))
    assert len(relay.requests("POST", "/ping")) == 2
