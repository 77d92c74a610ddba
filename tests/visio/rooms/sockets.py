"""A browser's end of a call's socket, and tickets of another time."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core import signing
from django.test import Client
from django.utils import timezone
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from suite.agents.models import Agent
from tests.waiting import PATIENCE
from visio.meetings.models import Meeting
from visio.rooms import calls
from visio.rooms.tickets import guest_ticket


class OldSigner(signing.TimestampSigner):
    """Signs as if `age` seconds ago."""

    age = 0

    def timestamp(self) -> str:
        return signing.b62_encode(int(time.time()) - self.age)


def signed_ago(fields: list[Any], *, salt: str, seconds: int) -> str:
    signer = OldSigner(salt=salt)
    signer.age = seconds
    return signer.sign_object(fields)


def signed_in(agent: Agent) -> Client:
    client = Client()
    client.force_login(agent)
    return client


def cookie_of(client: Client) -> str:
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


class Caller:
    """One socket. `say` sends a frame, `hear(kind)` waits for the next frame of that kind and keeps the others in `heard`."""

    def __init__(
        self, url: str, slug: str, *, agent: Agent | None = None, client: Client | None = None, origin: str | None = ""
    ) -> None:
        if agent is not None:
            client = signed_in(agent)
        headers = {"Cookie": cookie_of(client)} if client is not None else {}
        address = f"{url.replace('http', 'ws', 1)}/ws/appel/{slug}/"
        wanted = url if origin == "" else origin
        self.ending = contextlib.ExitStack()
        opening = connect(
            address, origin=wanted, additional_headers=headers, proxy=None, max_size=None, open_timeout=PATIENCE
        )
        self.socket: ClientConnection = self.ending.enter_context(opening)
        self.heard: list[dict[str, Any]] = []

    def say(self, kind: str, **fields: Any) -> None:
        self.socket.send(json.dumps({"type": kind, **fields}))

    def send(self, raw: str | bytes) -> None:
        self.socket.send(raw)

    def hear(self, kind: str, seconds: float = PATIENCE) -> dict[str, Any]:
        end = time.monotonic() + seconds
        while True:
            try:
                frame: dict[str, Any] = json.loads(self.socket.recv(timeout=max(0.01, end - time.monotonic())))
            except TimeoutError:
                raise AssertionError(f"no {kind!r} within {seconds} s; heard {self.heard}") from None
            self.heard.append(frame)
            if frame["type"] == kind:
                return frame

    def hear_people(self, *names: str, seconds: float = PATIENCE) -> list[dict[str, Any]]:
        """Wait for a roster of exactly these people, in order."""
        while True:
            people: list[dict[str, Any]] = self.hear("roster", seconds)["people"]
            if [person["name"] for person in people] == list(names):
                return people

    def closing(self, seconds: float = PATIENCE) -> int:
        """The code that the server closes with, within so many seconds."""
        end = time.monotonic() + seconds
        try:
            while True:
                self.heard.append(json.loads(self.socket.recv(timeout=max(0.01, end - time.monotonic()))))
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else 1006
        except TimeoutError:
            raise AssertionError(f"still open after {seconds} s; heard {self.heard}") from None

    def hello(self, ticket: str = "") -> dict[str, Any]:
        self.say("hello", ticket=ticket)
        return self.hear("welcome")

    def join(self, *, name: str = "", mic: bool = True, camera: bool = True, seat: str = "") -> dict[str, Any]:
        self.say("join", name=name, mic=mic, camera=camera, seat=seat)
        return self.hear("joined")

    def vanish(self) -> None:
        """The network goes away: no goodbye of any kind."""
        self.socket.socket.close()

    def close(self) -> None:
        self.ending.close()


# What the fixture `call` is: dials that meeting's call as somebody.
Call = Callable[..., Caller]


def joined(caller: Caller, ticket: str = "", **said: Any) -> str:
    """Says hello and joins; the participant's id."""
    caller.hello(ticket)
    return str(caller.join(**said)["ticket"]["participant"])


def guest_of(meeting: Meeting) -> str:
    """A ticket for the meeting's one external guest."""
    return guest_ticket(meeting.room, meeting.attendees.get(agent=None))


def here(meeting: Meeting) -> list[calls.Participant]:
    return calls.people_in_rooms([meeting.room.pk])[meeting.room.pk]


def seats(meeting: Meeting) -> list[calls.Participant]:
    return calls.roster(room_id=meeting.room.pk, now=timezone.now())[0]
