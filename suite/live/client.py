"""One open socket: whose it is, and what it still has to be told.

What is to be told is a set of facts and not a queue of messages: a topic that changed ten times is told once, and a client
with too much to hear is told to fetch everything. So a slow client costs a bounded amount of memory and still ends right.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

# More topics than this at once: "fetch everything" is shorter.
MOST_TOPICS = 32
# Every so many frames the client is asked to confirm; this many more may leave before it does. The server below us buffers
# without bound, so nothing else would tell that a client does not read.
ACK_EVERY = 16
MOST_UNCONFIRMED = 32
MOST_ANSWERS = 64


@lru_cache(maxsize=256)
def _encode_hint(topics: tuple[str, ...], version: str) -> str:
    # The same hint goes to a thousand sockets.
    return json.dumps({"type": "news", "topics": list(topics), "version": version})


class Outbox:
    """What one client has still to be told; `wake` is set while there is something to send."""

    def __init__(self) -> None:
        self.wake = asyncio.Event()
        self.close_code: int | None = None
        self._topics: dict[str, None] = {}
        self._presence: dict[str, Mapping[str, Any] | None] = {}
        self._version = ""
        self._resync = False
        self._within = 0.0
        self._beat = False
        self._paused: bool | None = None
        self._answers: list[dict[str, Any]] = []
        self._sent = 0
        self._confirmed = 0

    # --- telling ------------------------------------------------------------------------------------------------
    def hint(self, topic: str, version: str) -> None:
        """`topic` changed; `version` is the agent's from now on."""
        self._version = version
        if not self._resync:
            self._topics[topic] = None
            if len(self._topics) > MOST_TOPICS:
                self._resync = True
                self._topics.clear()
        self.wake.set()

    def resync(self, version: str, *, within: float = 0.0) -> None:
        """Something may have been missed: fetch everything at a moment within so many seconds, then be at `version`."""
        self._version = version
        self._within = within
        self._resync = True
        self._topics.clear()
        self._paused = False
        self.wake.set()

    def pause(self) -> None:
        """Live news have stopped; what is shown may be old."""
        self._paused = True
        self._presence.clear()
        self.wake.set()

    def presence(self, public_id: str, state: Mapping[str, Any] | None) -> None:
        """A watched person's state, the newest one wins; None when it may be seen no more."""
        self._presence[public_id] = state
        self.wake.set()

    def beat(self, version: str) -> None:
        """The answer to a heartbeat: the version the client should be at."""
        if not self._topics and not self._resync:
            self._version = version
        self._beat = True
        self.wake.set()

    def answer(self, frame: dict[str, Any]) -> None:
        """A frame in answer to the client's own; whoever lets too many pile up is sent away."""
        self._answers.append(frame)
        if len(self._answers) > MOST_ANSWERS:
            self.close_code = 4429
        self.wake.set()

    def close(self, code: int) -> None:
        """Say goodbye with `code` and send nothing more."""
        self.close_code = code
        self.wake.set()

    # --- sending ------------------------------------------------------------------------------------------------
    def confirm(self, number: int) -> None:
        """The client has read everything up to frame `number`."""
        if self._confirmed < number <= self._sent:
            self._confirmed = number
            self.wake.set()

    @property
    def held(self) -> bool:
        """The client has too much on its way: nothing leaves before it confirms."""
        return self._sent - self._confirmed >= MOST_UNCONFIRMED

    def take(self) -> str | None:
        """The next frame to send, None when there is nothing or too much on its way."""
        if self.held:
            self.wake.clear()
            return None
        if self._answers:
            return json.dumps(self._answers.pop(0))
        frame = self._news()
        if frame is None:
            self.wake.clear()
        return frame

    def _news(self) -> str | None:
        if not (self._topics or self._presence or self._resync or self._beat or self._paused is not None):
            return None
        self._sent += 1
        confirm = self._sent % ACK_EVERY == 0
        topics, self._topics = tuple(self._topics), {}
        if topics and not (self._presence or self._resync or self._beat or confirm or self._paused is not None):
            return _encode_hint(topics, self._version)
        frame: dict[str, Any] = {"type": "news"}
        if self._version and (topics or self._resync or self._beat):
            frame["version"] = self._version
        if topics:
            frame["topics"] = topics
        if self._resync:
            frame["resync"] = True
            if self._within:
                frame["within"] = self._within
        if self._paused is not None:
            frame["paused"] = self._paused
        if self._presence:
            frame["presence"] = self._presence
        if self._beat:
            frame["beat"] = True
        if confirm:
            frame["ack"] = self._sent
        self._presence, self._resync, self._within, self._beat, self._paused = {}, False, 0.0, False, None
        return json.dumps(frame)


class Allowance:
    """How many frames a client may send: `burst` at once, `rate` a second for ever."""

    def __init__(self, *, burst: int = 40, rate: float = 4.0) -> None:
        self.burst = burst
        self.rate = rate
        self._left = float(burst)
        self._at = time.monotonic()

    def spend(self) -> bool:
        """Whether one more frame is allowed."""
        now = time.monotonic()
        self._left = min(self.burst, self._left + (now - self._at) * self.rate)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


@dataclass(eq=False)
class Client:
    """One socket of an agent."""

    agent_id: int
    session_key: str
    language: str
    time_zone: str
    active_at: dt.datetime
    name: str = field(default_factory=lambda: secrets.token_hex(8))
    outbox: Outbox = field(default_factory=Outbox)
    allowance: Allowance = field(default_factory=Allowance)
    heard_at: float = field(default_factory=time.monotonic)
    idle: bool = False
    # {agent id: public id} of the people whose presence this client asked for and may see.
    watched: dict[int, str] = field(default_factory=dict)
    watches_strangers: bool = False

    @property
    def voice(self) -> tuple[str, str]:
        """The language and zone that words are put in for this client."""
        return (self.language, self.time_zone)
