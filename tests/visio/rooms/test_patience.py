"""How long a socket may say nothing, or watch without joining: the consumer itself, with less patience than in service."""

import asyncio
import datetime as dt
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.db import close_old_connections
from django.urls import path
from django.utils import timezone

from tests.visio.rooms.sockets import guest_of, seats
from visio.meetings.models import Meeting
from visio.rooms import calls
from visio.rooms.consumers import SILENT_SECONDS, WATCH_SECONDS, CallConsumer

pytestmark = pytest.mark.django_db(transaction=True)
PING = json.dumps({"type": "ping"})
JOIN = json.dumps({"type": "join", "name": "Samir"})


@pytest.fixture(autouse=True)
def _connections_end_with_their_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in service: channels' own test client would let the consumer's threads end with a connection of the pool in hand."""
    monkeypatch.setattr("channels.testing.application.no_op", close_old_connections)


class Patience:
    """A guest's socket to a consumer with its own time-outs; `closed` is how it ended: (code, the last error)."""

    def __init__(self, meeting: Meeting, **limits: float) -> None:
        self.meeting = meeting
        consumer: Any = CallConsumer.as_asgi(**limits)
        self.app = URLRouter([path("ws/appel/<slug:slug>/", consumer)])
        self.hello = json.dumps({"type": "hello", "ticket": guest_of(meeting)})
        self.closed: tuple[int, str] = (0, "")

    def run(self, talk: Callable[[WebsocketCommunicator], Awaitable[None]]) -> None:
        asyncio.run(self._run(talk))

    async def _run(self, talk: Callable[[WebsocketCommunicator], Awaitable[None]]) -> None:
        socket = WebsocketCommunicator(self.app, f"/ws/appel/{self.meeting.room.slug}/")
        assert (await socket.connect(timeout=10))[0]
        await socket.send_to(text_data=self.hello)
        talking = asyncio.create_task(talk(socket))  # type: ignore[arg-type]
        error = ""
        try:
            while True:
                message = await socket.receive_output(timeout=3 * calls.BEAT_SECONDS)
                if message["type"] == "websocket.close":
                    self.closed = (message["code"], error)
                    break
                frame = json.loads(message["text"])
                error = frame["code"] if frame["type"] == "error" else error
        except TimeoutError:
            self.closed = (0, "still open")
        finally:
            talking.cancel()
            await socket.disconnect(code=self.closed[0] or 1000)


async def say_nothing(_socket: WebsocketCommunicator) -> None:
    return


async def join_and_fall_silent(socket: WebsocketCommunicator) -> None:
    await socket.send_to(text_data=JOIN)


async def ping_on(socket: WebsocketCommunicator) -> None:
    while True:
        await socket.send_to(text_data=PING)
        await asyncio.sleep(0.2)


async def join_ping_and_leave(socket: WebsocketCommunicator) -> None:
    await socket.send_to(text_data=JOIN)
    with suppress(TimeoutError):
        await asyncio.wait_for(ping_on(socket), 2.5 * calls.BEAT_SECONDS)
    await socket.send_to(text_data=json.dumps({"type": "leave"}))


def test_a_spectator_who_says_nothing_any_more_is_let_go(meeting: Meeting) -> None:
    spectator = Patience(meeting, silent_seconds=1)
    spectator.run(say_nothing)
    assert spectator.closed == (4408, "silent")


def test_a_spectator_who_never_joins_is_let_go(meeting: Meeting) -> None:
    spectator = Patience(meeting, silent_seconds=2, watch_seconds=3)
    spectator.run(ping_on)
    assert spectator.closed == (4408, "no_join")


def test_somebody_in_the_call_who_says_nothing_any_more_is_let_go_but_may_come_back(meeting: Meeting) -> None:
    guest = Patience(meeting, silent_seconds=1)
    guest.run(join_and_fall_silent)
    assert guest.closed == (4408, "silent")
    # A browser that was only asleep finds its seat again; after the grace it is anybody's.
    assert [seat.name for seat in seats(meeting)] == ["Samir"]
    later = timezone.now() + dt.timedelta(seconds=calls.GRACE_SECONDS + 1)
    assert calls.roster(room_id=meeting.room.pk, now=later)[0] == []


def test_somebody_in_the_call_stays_as_long_as_their_browser_speaks(meeting: Meeting) -> None:
    guest = Patience(meeting, silent_seconds=2, watch_seconds=1)
    guest.run(join_ping_and_leave)
    assert guest.closed == (1000, "")


def test_a_browser_that_pings_every_ten_seconds_or_once_a_minute_in_a_hidden_tab_is_never_silent() -> None:
    assert SILENT_SECONDS > 60 + calls.BEAT_SECONDS
    assert WATCH_SECONDS > SILENT_SECONDS
