"""The portal's bridge over a relay to a real homeserver, and people with accounts there."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
from pytest_django import Settings

from suite.agents.models import Agent
from tests import factories
from tests.looking import Matrix, MatrixUser
from tests.tchap_bridge.relay import Relay, relaying


@dataclass(frozen=True)
class Person:
    """An agent with an account, who looks at the homeserver from outside the portal."""

    agent: Agent
    account: MatrixUser

    @property
    def user_id(self) -> str:
        return self.account.mxid

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        return self.account.call(method, path, body)

    def invited_to(self) -> list[str]:
        return self.account.invitations()

    def join(self, room_id: str) -> None:
        self.account.join(room_id)

    def leave(self, room_id: str) -> None:
        self.call("POST", f"/rooms/{quote(room_id)}/leave", {})

    def say(self, room_id: str, body: str) -> str:
        return self.account.say(room_id, body)

    def state(self, room_id: str, kind: str, key: str = "") -> dict[str, Any]:
        return self.account.state(room_id)[kind, key]

    def event(self, room_id: str, event_id: str) -> dict[str, Any]:
        return self.call("GET", f"/rooms/{quote(room_id)}/event/{quote(event_id)}")

    def messages(self, room_id: str) -> list[dict[str, Any]]:
        """The contents of what was said, oldest first."""
        found = self.call("GET", f"/rooms/{quote(room_id)}/messages?dir=b&limit=100")
        said = [event for event in found["chunk"] if event["type"] == "m.room.message"]
        return [event["content"] for event in reversed(said)]


MakePerson = Callable[..., Person]


def make_person(homeserver: Matrix, given_name: str = "Camille", *, email: str = "", **fields: Any) -> Person:
    email = email or f"{given_name.lower()}.{uuid.uuid4().hex[:8]}@dinum.example"
    agent = factories.agent(given_name, email=email, **fields)
    return Person(agent, homeserver.user(email, agent.full_name))


@pytest.fixture
def person(homeserver: Matrix, db: None) -> MakePerson:
    def make(given_name: str = "Camille", **fields: Any) -> Person:
        return make_person(homeserver, given_name, **fields)

    return make


@pytest.fixture
def relay(homeserver: Matrix, settings: Settings) -> Iterator[Relay]:
    """The bridge as a bot, every request of which passes here."""
    with relaying(homeserver.url) as relay:
        settings.MATRIX_TRANSPORT = "bot"
        settings.MATRIX_HOMESERVER_URL = relay.url
        settings.MATRIX_SERVER_NAME = homeserver.server_name
        settings.MATRIX_ACCESS_TOKEN = homeserver.bot_token
        settings.MATRIX_CLIENT_URL = "https://tchap.example/#/room/"
        yield relay
