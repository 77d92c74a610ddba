"""Who watches whose presence in this process, and telling them when it changes."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import zoneinfo
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db import Error as DatabaseError
from django.utils import timezone, translation

from suite.agents.models import Agent
from suite.live import presence
from suite.live.client import Client
from suite.live.threads import in_thread
from suite.live.visibility import may_see

logger = logging.getLogger(__name__)

# One client may watch this many people.
MOST_WATCHED = 500
# Looks asked for within this time become one.
GATHER_SECONDS = 0.05
# Heartbeats report a moment of last activity that trembles by seconds.
SAME_SINCE = dt.timedelta(seconds=60)


def read(agent_ids: set[int]) -> dict[int, presence.Presence]:
    """The presence of these agents now: one query for their choices and what `presence.states` takes."""
    agents = Agent.objects.filter(pk__in=agent_ids, is_active=True).order_by()
    return presence.states(agents.only("pk", "chosen_presence", "chosen_until"), now=timezone.now())


@dataclass(frozen=True)
class Permitted:
    """{agent id: public id} of people whose presence a viewer may see; whether some are of another organisation."""

    people: dict[int, str]
    strangers: bool


def permitted(viewer_id: int, public_ids: list[str]) -> Permitted:
    """Those among `public_ids` whose presence the viewer may see."""
    viewer = Agent.objects.filter(pk=viewer_id, is_active=True).first()
    if viewer is None:
        return Permitted({}, strangers=False)
    asked = Agent.objects.filter(public_id__in=public_ids, is_active=True).order_by()
    rows = asked.values_list("pk", "public_id", "organisation_id")
    seen = may_see(viewer, [agent_id for agent_id, *_rest in rows])
    people = {agent_id: str(public_id) for agent_id, public_id, _organisation in rows if agent_id in seen}
    return Permitted(people, any(row[0] in seen and row[2] != viewer.organisation_id for row in rows))


def same(old: presence.Presence | None, new: presence.Presence) -> bool:
    """Whether a person who was shown `old` need not be told `new`."""
    if old is None or (old.state, old.until) != (new.state, new.until):
        return False
    if old.since is None or new.since is None:
        return old.since == new.since
    return abs(old.since - new.since) < SAME_SINCE


def in_words(state: presence.Presence, language: str, time_zone: str) -> dict[str, Any]:
    """What a browser is told of `state`, worded in the viewer's language and zone; instants in ISO 8601."""
    with translation.override(language), timezone.override(zoneinfo.ZoneInfo(time_zone)):
        told: dict[str, Any] = {"state": state.state, "words": state.words}
    if state.since is not None and state.until is None:
        told["since"] = state.since.isoformat(timespec="seconds")
    return told


class Watching:
    """The watchers of one process. All reads pass through `run`, one after the other, so none overtakes a newer one."""

    def __init__(self) -> None:
        self._watchers: dict[int, set[Client]] = defaultdict(set)
        self._known: dict[int, presence.Presence] = {}
        self._to_look: set[int] = set()
        self._newcomers: dict[Client, set[int]] = {}
        self._wake = asyncio.Event()

    def watch(self, client: Client, allowed: Permitted) -> None:
        """From now on `client` watches exactly these people; it is told their states soon."""
        self.forget(client)
        client.watched = allowed.people
        client.watches_strangers = allowed.strangers
        for agent_id in allowed.people:
            self._watchers[agent_id].add(client)
        self._newcomers[client] = set(allowed.people)
        self._wake.set()

    def forget(self, client: Client) -> None:
        for agent_id in client.watched:
            watchers = self._watchers.get(agent_id, set())
            watchers.discard(client)
            if not watchers:
                self._watchers.pop(agent_id, None)
                self._known.pop(agent_id, None)
        client.watched = {}
        self._newcomers.pop(client, None)

    def look(self, agent_ids: Iterable[int]) -> None:
        """These may have changed."""
        self._to_look.update(agent_id for agent_id in agent_ids if agent_id in self._watchers)
        if self._to_look:
            self._wake.set()

    def look_at_all(self) -> None:
        """Time has passed: meetings begin, choices end, heartbeats fail to come."""
        self.look(list(self._watchers))

    def tell_all_again(self) -> None:
        """What clients were told may be gone from their screens."""
        self._known.clear()
        self.look_at_all()

    async def run(self) -> None:
        while True:
            await self._wake.wait()
            await asyncio.sleep(GATHER_SECONDS)
            self._wake.clear()
            looks, self._to_look = self._to_look, set()
            newcomers, self._newcomers = self._newcomers, {}
            wanted = looks.union(*newcomers.values())
            if not wanted:
                continue
            try:
                states = await in_thread(partial(read, wanted))
            except DatabaseError as error:
                logger.warning("live: presence not read (%s)", type(error).__name__)
                await asyncio.sleep(1)
                self._to_look |= looks
                self._newcomers = {**newcomers, **self._newcomers}
                self._wake.set()
                continue
            self._tell(states, newcomers)

    def _tell(self, states: dict[int, presence.Presence], newcomers: dict[Client, set[int]]) -> None:
        worded: dict[tuple[int, tuple[str, str]], dict[str, Any]] = {}
        for agent_id, state in states.items():
            told_before = same(self._known.get(agent_id), state)
            if not told_before and agent_id in self._watchers:
                self._known[agent_id] = state
            for client in self._watchers.get(agent_id, ()):
                if told_before and agent_id not in newcomers.get(client, ()):
                    continue
                key = (agent_id, client.voice)
                if key not in worded:
                    worded[key] = in_words(state, *client.voice)
                client.outbox.presence(client.watched[agent_id], worded[key])
