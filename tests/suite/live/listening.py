"""A browser's end of the live socket, for tests: real frames over a real connection."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from django.test import Client
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from suite.agents.models import Agent
from tests.processes import LivePortal
from tests.waiting import PATIENCE


def session_of(agent: Agent) -> str:
    """A new session of `agent`'s; its key."""
    client = Client()
    client.force_login(agent)
    return client.cookies["sessionid"].value


def open_socket(
    portal: LivePortal, session_key: str = "", *, origin: str | None = "", query: str = "", path: str = "/ws/live/"
) -> ClientConnection:
    """A connection with the portal's own Origin unless told; None sends none."""
    headers = {"Cookie": f"sessionid={session_key}"} if session_key else {}
    own = portal.url if origin == "" else origin
    return connect(
        f"ws://127.0.0.1:{portal.port}{path}{query}",
        origin=own,  # type: ignore[arg-type]
        additional_headers=headers,
        proxy=None,
        open_timeout=PATIENCE,
        max_size=2**22,
        ping_interval=None,
        legacy=True,
    )


class Ear:
    """One open page of `agent`'s: remembers every frame."""

    def __init__(self, portal: LivePortal, agent: Agent, *, session_key: str = "", query: str = "") -> None:
        self.session_key = session_key or session_of(agent)
        self.socket = open_socket(portal, self.session_key, query=query)
        self.frames: list[dict[str, Any]] = []
        self.close_code: int | None = None
        self.hello = self.until(lambda: next((frame for frame in self.frames if frame["type"] == "hello"), None))

    def say(self, **frame: Any) -> None:
        self.socket.send(json.dumps(frame))

    def listen(self, seconds: float) -> None:
        """Take in what arrives within `seconds`, confirming as a browser does."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            try:
                frame = json.loads(self.socket.recv(timeout=left))
            except TimeoutError:
                return
            except ConnectionClosed as closed:
                self.close_code = closed.rcvd.code if closed.rcvd else 1006
                return
            self.frames.append(frame)
            if "ack" in frame:
                self.say(type="ack", ack=frame["ack"])

    def until(self, seen: Callable[[], Any], seconds: float = PATIENCE) -> Any:
        """Listen until `seen()` is true; AssertionError after `seconds`."""
        end = time.monotonic() + seconds
        while not (found := seen()):
            assert time.monotonic() < end, f"not within {seconds} s; frames: {self.frames[-5:]}, {self.close_code}"
            assert self.close_code is None, f"closed by {self.close_code}; frames: {self.frames[-5:]}"
            self.listen(0.05)
        return found

    def until_closed(self, seconds: float = 5.0) -> int:
        end = time.monotonic() + seconds
        while self.close_code is None:
            assert time.monotonic() < end, f"still open after {seconds} s"
            self.listen(0.05)
        return self.close_code

    def topics(self) -> list[str]:
        return [topic for frame in self.frames for topic in frame.get("topics", ())]

    def resyncs(self) -> int:
        return sum(1 for frame in self.frames if frame.get("resync"))

    @property
    def version(self) -> str:
        """The version that a page would be at now."""
        return next((frame["version"] for frame in reversed(self.frames) if "version" in frame), "")

    def watch(self, *agents: Agent) -> None:
        self.say(type="watch", agents=[str(agent.public_id) for agent in agents])

    def state_of(self, agent: Agent) -> Any:
        """The last state told of `agent`: its name, None when taken back, "" when never told."""
        for frame in reversed(self.frames):
            told = frame.get("presence", {})
            if str(agent.public_id) in told:
                return told[str(agent.public_id)] and told[str(agent.public_id)]["state"]
        return ""

    def close(self) -> None:
        self.socket.close()
