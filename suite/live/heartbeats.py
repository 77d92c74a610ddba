"""Writing down who is connected to this process: many heartbeats, one Redis round trip."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable

from django.utils import timezone
from redis.exceptions import RedisError

from suite.live import presence, push
from suite.live.client import Client
from suite.live.listener import connect

GATHER_SECONDS = 0.02
RETRY_SECONDS = 0.5
# A page that is left for the next one opens a new socket within moments: nobody should see its person go.
GRACE = dt.timedelta(seconds=5)
# Agents named in one message.
MOST_NAMED = 1_000


class Heartbeats:
    """Gathers what Redis must be told. `on_version(client, version)` answers every `beat`; "" says that Redis is away."""

    def __init__(self, on_version: Callable[[Client, str], None], on_epoch: Callable[[str], None]) -> None:
        self._on_version = on_version
        self._on_epoch = on_epoch
        self._beating: dict[Client, None] = {}
        # (agent id, field) -> (last moment to believe in, last activity), or None to delete.
        self._leaving: dict[tuple[int, str], tuple[dt.datetime, dt.datetime] | None] = {}
        self._changed: set[int] = set()
        self._wake = asyncio.Event()
        self._redis = connect(timeout=2.0)

    def beat(self, client: Client, *, changed: bool) -> None:
        """`client` is alive; `changed` when others may see a difference."""
        self._beating[client] = None
        if changed:
            self._changed.add(client.agent_id)
        self._wake.set()

    def leave(self, client: Client, *, at_once: bool) -> None:
        """`client` is gone; unless `at_once` its person keeps GRACE to come back."""
        self._beating.pop(client, None)
        name = (client.agent_id, client.name)
        if at_once:
            self._leaving[name] = None
            self._changed.add(client.agent_id)
        else:
            self._leaving[name] = (timezone.now() + GRACE, client.active_at)
            loop = asyncio.get_running_loop()
            loop.call_later(GRACE.total_seconds() + 0.1, self.announce, client.agent_id)
        self._wake.set()

    def announce(self, agent_id: int) -> None:
        """Every process shall look at this agent again."""
        self._changed.add(agent_id)
        self._wake.set()

    async def run(self) -> None:
        while True:
            await self._wake.wait()
            await asyncio.sleep(GATHER_SECONDS)
            self._wake.clear()
            beating, self._beating = self._beating, {}
            leaving, self._leaving = self._leaving, {}
            changed, self._changed = self._changed, set()
            try:
                versions, epoch = await self._write(list(beating), leaving, sorted(changed))
            except (RedisError, OSError) as error:
                push.report(error, "writing heartbeats")
                still_here = {client: None for client in beating if (client.agent_id, client.name) not in self._leaving}
                self._beating = {**still_here, **self._beating}
                self._leaving = {**leaving, **self._leaving}
                self._changed |= changed
                for client in beating:
                    self._on_version(client, "")
                await asyncio.sleep(RETRY_SECONDS)
                self._wake.set()
                continue
            for client in beating:
                self._on_version(client, versions[client.agent_id])
            self._on_epoch(epoch)

    async def _write(
        self,
        beating: list[Client],
        leaving: dict[tuple[int, str], tuple[dt.datetime, dt.datetime] | None],
        changed: list[int],
    ) -> tuple[dict[int, str], str]:
        alive_until = timezone.now() + presence.gone_after()
        agent_ids = sorted({client.agent_id for client in beating})
        async with self._redis.pipeline(transaction=False) as pipe:
            for client in beating:
                presence.queue_connection(
                    pipe, client.agent_id, client.name, alive_until=alive_until, active_at=client.active_at
                )
            for (agent_id, name), moments in leaving.items():
                if moments is None:
                    pipe.hdel(presence.here_key(agent_id), name)
                else:
                    presence.queue_connection(pipe, agent_id, name, alive_until=moments[0], active_at=moments[1])
            for start in range(0, len(changed), MOST_NAMED):
                pipe.publish(push.channel(), push.encode("presence", a=changed[start : start + MOST_NAMED]))
            push.queue_versions(pipe, agent_ids)
            answers = (await pipe.execute())[-4:]
        return push.read_versions(agent_ids, answers), push.read_epoch(answers)
