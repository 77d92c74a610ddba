"""The sockets of one server process, and everything they are told.

One subscription a process hears every hint and hands it to the local sockets of the agents it names: a channel-layer
subscription per socket costs six times the CPU for ten thousand of them.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import logging
import time
from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from typing import TypeVar
from weakref import WeakKeyDictionary

from django.conf import settings
from django.db import Error as DatabaseError
from django.utils import timezone
from redis.exceptions import RedisError

from suite.live import access, presence, push
from suite.live.client import Client
from suite.live.heartbeats import Heartbeats
from suite.live.listener import Down, listen
from suite.live.threads import in_thread
from suite.live.watching import Watching, permitted

logger = logging.getLogger(__name__)

# Logout and deactivation are published; this finds what was done behind the portal's back (SQL, another server's crash).
GUARD_SECONDS = 2.0
# More sockets of one agent than this in one process is a fault or an attack.
MOST_SOCKETS = 50

LONGEST_SPREAD = 15.0

RESTART = 4503
SIGNED_OUT = 4401
NOT_ALLOWED = 4403
SILENT = 4408

K = TypeVar("K")
_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def running_hub() -> Hub:
    """The hub of the running event loop, started by the first who asks."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = Hub()
        _hubs[loop].start()
    return _hubs[loop]


class Hub:
    def __init__(self) -> None:
        self.up = False
        self._epoch = ""
        self._clients: dict[int, set[Client]] = defaultdict(set)
        self._by_session: dict[str, set[Client]] = defaultdict(set)
        self._joining: dict[Client, asyncio.Future[str]] = {}
        self._asked: set[Client] = set()
        self._to_check: set[Client] = set()
        self._to_resync: set[Client] = set()
        self._heartbeats = Heartbeats(self._answer_beat, self._hear_epoch)
        self.watching = Watching()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to listen, write, watch, sweep and guard; for as long as the event loop runs."""
        works = [self._listen(), self._heartbeats.run(), self.watching.run(), self._sweep(), self._guard()]
        self._tasks = [asyncio.create_task(work) for work in works]
        for task in self._tasks:
            task.add_done_callback(self._fail)

    def _fail(self, task: asyncio.Task[None]) -> None:
        """A part of the hub has ended, which none should: let every socket come back to a new hub."""
        if task.cancelled() or _hubs.get(task.get_loop()) is not self:
            return
        logger.critical("live: the hub failed, starting another", exc_info=task.exception())
        del _hubs[task.get_loop()]
        for other in self._tasks:
            other.cancel()
        for client in self.clients():
            client.outbox.close(RESTART)

    # --- sockets come and go ------------------------------------------------------------------------------------
    async def join(self, client: Client) -> str:
        """Register `client`; its agent's version read afterwards, so that no hint falls between ("" without Redis)."""
        self._clients[client.agent_id].add(client)
        self._by_session[access.session_name(client.session_key)].add(client)
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._joining[client] = future
        self._heartbeats.beat(client, changed=True)
        try:
            return await future
        finally:
            self._joining.pop(client, None)

    def is_full_for(self, agent_id: int) -> bool:
        return len(self._clients.get(agent_id, ())) >= MOST_SOCKETS

    def leave(self, client: Client) -> None:
        """Forget `client`; safe to repeat."""
        if client not in self._clients.get(client.agent_id, ()):
            return
        _discard(self._clients, client.agent_id, client)
        _discard(self._by_session, access.session_name(client.session_key), client)
        self._asked.discard(client)
        self._to_check.discard(client)
        self._to_resync.discard(client)
        self.watching.forget(client)
        self._heartbeats.leave(client, at_once=client.outbox.close_code in (SIGNED_OUT, NOT_ALLOWED, SILENT))

    def clients(self) -> Iterator[Client]:
        for clients in self._clients.values():
            yield from clients

    def beat(self, client: Client, *, idle_for: float) -> None:
        """`client` is alive; its person last touched a key or a pointer `idle_for` seconds ago."""
        client.heard_at = time.monotonic()
        self._asked.discard(client)
        idle = idle_for >= settings.LIVE_IDLE_SECONDS
        changed = idle != client.idle
        client.idle = idle
        client.active_at = timezone.now() - dt.timedelta(seconds=idle_for)
        self._heartbeats.beat(client, changed=changed)

    def _answer_beat(self, client: Client, version: str) -> None:
        joining = self._joining.get(client)
        if joining is not None and not joining.done():
            joining.set_result(version)
        elif version and client in self._to_resync:
            self._to_resync.discard(client)
            client.outbox.resync(version, within=self._spread())
        elif version:
            client.outbox.beat(version)

    def _spread(self) -> float:
        """Seconds over which everybody fetches again, so that a thousand pages are not one blow: 100 a second."""
        return min(LONGEST_SPREAD, sum(map(len, self._clients.values())) / 100)

    # --- what Redis says ----------------------------------------------------------------------------------------
    async def _listen(self) -> None:
        async for event in listen():
            if isinstance(event, str):
                self._hear(event)
            elif isinstance(event, Down):
                self._pause()
            else:
                self._resume()

    def _hear(self, message: str) -> None:
        try:
            said = json.loads(message)
        except ValueError:
            said = None
        match said:
            case {"k": "hint", "a": list(agent_ids), "t": str(topic), "v": str(token)}:
                version = f"{self._epoch}.{token}"
                for agent_id in agent_ids:
                    for client in self._clients.get(agent_id, ()):
                        client.outbox.hint(topic, version)
                        if topic == "meetings" and client.watches_strangers:
                            self._to_check.add(client)
            case {"k": "presence", "a": list(agent_ids)}:
                self.watching.look(agent_ids)
            case {"k": "session", "s": str(name)}:
                for client in self._by_session.get(name, ()):
                    client.outbox.close(SIGNED_OUT)
            case {"k": "closed", "a": list(agent_ids)}:
                for agent_id in agent_ids:
                    for client in self._clients.get(agent_id, ()):
                        client.outbox.close(NOT_ALLOWED)
            case _:
                logger.warning("live: a message of no known kind")

    def _pause(self) -> None:
        if self.up:
            for client in self.clients():
                client.outbox.pause()
        self.up = False

    def _resume(self) -> None:
        """Hints may have been missed and presence forgotten: write everybody down, let every page fetch again."""
        self.up = True
        self._epoch = ""
        for client in self.clients():
            self._to_resync.add(client)
            self._heartbeats.beat(client, changed=True)
        self.watching.tell_all_again()

    def _hear_epoch(self, epoch: str) -> None:
        """A new epoch under a living subscription: Redis was flushed, and what it knew of this process is gone."""
        before, self._epoch = self._epoch, epoch
        if before not in ("", epoch):
            for client in self.clients():
                self._to_resync.add(client)
                self._heartbeats.beat(client, changed=True)

    # --- time passes --------------------------------------------------------------------------------------------
    async def _sweep(self) -> None:
        """Find the silent, look at everybody watched again, take back what may no longer be seen."""
        rounds = 0
        while True:
            await asyncio.sleep(settings.LIVE_SWEEP_SECONDS / 2)
            rounds += 1
            self._find_silent(time.monotonic())
            await self._take_back()
            if rounds % 2 == 0:
                self.watching.look_at_all()
            if rounds % 20 == 0:
                await self._tidy()

    def _find_silent(self, now: float) -> None:
        for client in list(self.clients()):
            silence = now - client.heard_at
            if silence > settings.LIVE_GONE_SECONDS:
                client.outbox.close(SILENT)
                self.leave(client)
            elif silence > settings.LIVE_HEARTBEAT_SECONDS * 1.1 and client not in self._asked:
                # Browsers slow the timers of hidden pages down to one a minute, but let messages through.
                self._asked.add(client)
                client.outbox.answer({"type": "alive?"})

    async def _take_back(self) -> None:
        """Whoever watched somebody for a shared meeting may have left it."""
        checks, self._to_check = self._to_check, set()
        for client in checks:
            watched = dict(client.watched)
            try:
                allowed = await in_thread(partial(permitted, client.agent_id, list(watched.values())))
            except DatabaseError as error:
                logger.warning("live: visibility not checked (%s)", type(error).__name__)
                self._to_check.add(client)
                continue
            if client.watched == watched and set(allowed.people) != set(watched):
                for lost in set(watched.values()) - set(allowed.people.values()):
                    client.outbox.presence(lost, None)
                self.watching.watch(client, allowed)

    async def _tidy(self) -> None:
        try:
            await in_thread(partial(presence.forget_dead, list(self._clients), now=timezone.now()))
        except (RedisError, OSError) as error:
            push.report(error, "tidying presence")

    async def _guard(self) -> None:
        """Close what belongs to a session or an agent that is no more."""
        while True:
            await asyncio.sleep(GUARD_SECONDS)
            present = list(self.clients())
            if not present:
                continue
            try:
                live = await in_thread(partial(access.live_sessions, {client.session_key for client in present}))
                active = await in_thread(partial(access.active_agents, {client.agent_id for client in present}))
            except DatabaseError as error:
                logger.warning("live: sessions not checked (%s)", type(error).__name__)
                continue
            for client in present:
                if client.session_key not in live:
                    client.outbox.close(SIGNED_OUT)
                elif client.agent_id not in active:
                    client.outbox.close(NOT_ALLOWED)


def _discard(index: dict[K, set[Client]], key: K, client: Client) -> None:
    index[key].discard(client)
    if not index[key]:
        del index[key]
