"""One broadcast to 1,000 and 5,000 sockets of one server process: the portal's hub beside a channel-layer group.

Both on the same daphne, in turns: milliseconds until the last client has it, and the server's CPU milliseconds. Loopback
only; every process and row it makes is gone at the end.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import resource
import secrets
import statistics
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from channels.layers import get_channel_layer
from django.test import Client

from suite.agents.models import Agent, Organisation
from suite.live import push
from suite.live.hub import MOST_SOCKETS
from suite.local import places, ports
from suite.local.bench import size
from suite.local.bench.daphne import Daphne
from suite.local.bench.hub_server import GROUP

SIZES = (size(1_000, 20), size(5_000, 40))
ROUNDS = size(5, 2)
AT_ONCE = 50
TOPIC = "bench"
DEADLINE = 60.0
SPARE_FILES = 500


class Server(Daphne):
    """Daphne with quiet timers, so that nothing but the broadcast costs CPU."""

    application = "suite.local.bench.hub_server:application"

    def environment(self) -> dict[str, str]:
        quiet = {"LIVE_HEARTBEAT_SECONDS": "600", "LIVE_GONE_SECONDS": "1800", "LIVE_SWEEP_SECONDS": "600"}
        return {**super().environment(), **quiet}

    def cpu(self) -> float:
        """CPU milliseconds it has used so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


class Listener(asyncio.Protocol):
    """The least WebSocket client there can be: shakes hands, answers pings, notes when news arrived."""

    def __init__(self, request: bytes, crowd: Crowd) -> None:
        self.request = request
        self.crowd = crowd
        self.buffer = b""
        self.open: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(self.request)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.open.done():
            self.open.set_exception(ConnectionError("refused"))

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.open.done():
            head, end, rest = self.buffer.partition(b"\r\n\r\n")
            if not end:
                return
            if not head.startswith(b"HTTP/1.1 101"):
                self.transport.close()
                return
            self.buffer = rest
            self.open.set_result(None)
        while len(self.buffer) >= 2:
            size, start = self.buffer[1] & 0x7F, 2
            if size == 126:
                size, start = int.from_bytes(self.buffer[2:4], "big"), 4
            if len(self.buffer) < start + size:
                return
            code, payload = self.buffer[0] & 0x0F, self.buffer[start : start + size]
            self.buffer = self.buffer[start + size :]
            if code == 1 and b'"bench"' in payload:
                self.crowd.heard()
            elif code == 9:
                self.transport.write(bytes([0x8A, 0x80 | size]) + bytes(4) + payload)


class Crowd:
    """Open sockets, and the wait until the last of them has heard."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.listeners: list[Listener] = []
        self.left = 0
        self.all_heard = asyncio.Event()

    def heard(self) -> None:
        self.left -= 1
        if self.left == 0:
            self.all_heard.set()

    async def join(self, path: str, cookies: list[str]) -> None:
        """One socket for each of `cookies`."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(cookie: str) -> None:
            async with gate:
                key = base64.b64encode(secrets.token_bytes(16)).decode()
                lines = [
                    f"GET {path} HTTP/1.1",
                    f"Host: localhost:{self.server.port}",
                    f"Origin: {self.server.url}",
                    f"Cookie: sessionid={cookie}",
                    "Upgrade: websocket",
                    "Connection: Upgrade",
                    "Sec-WebSocket-Version: 13",
                    f"Sec-WebSocket-Key: {key}",
                ]
                request = ("\r\n".join(lines) + "\r\n\r\n").encode()
                loop = asyncio.get_running_loop()
                _transport, listener = await loop.create_connection(
                    lambda: Listener(request, self), "127.0.0.1", self.server.port
                )
                self.listeners.append(listener)
                await listener.open

        await asyncio.gather(*(one(cookie) for cookie in cookies))

    async def measure(self, broadcast: Broadcast) -> tuple[float, float]:
        """Milliseconds until the last has heard, and the server's CPU milliseconds."""
        self.left = len(self.listeners)
        self.all_heard.clear()
        cpu, began = self.server.cpu(), time.perf_counter()
        await broadcast()
        await asyncio.wait_for(self.all_heard.wait(), DEADLINE)
        took = (time.perf_counter() - began) * 1000
        await asyncio.sleep(0.3)  # the server's own tidying up counts as well
        return took, self.server.cpu() - cpu

    async def leave(self) -> None:
        for listener in self.listeners:
            listener.transport.close()
        await asyncio.sleep(2)  # let the server finish with them before it is measured again


class Broadcast:
    """Tells everybody once: by a nudge to these agents, or to the group when there are none."""

    def __init__(self, agent_ids: list[int]) -> None:
        self.agent_ids = agent_ids

    async def __call__(self) -> None:
        if self.agent_ids:
            await asyncio.to_thread(push.nudge, self.agent_ids, TOPIC)
        else:
            text = json.dumps({"type": "news", "topics": [TOPIC], "version": secrets.token_hex(12)})
            layer: Any = get_channel_layer()
            await layer.group_send(GROUP, {"type": "bench.news", "text": text})


def main() -> None:
    """Print both for every size, and their ratios; medians of five broadcasts after one that warms up."""
    allowed = _raise_open_files()
    with (
        _people(max(1, max(SIZES) // MOST_SOCKETS)) as people,
        tempfile.TemporaryDirectory(dir=places.shared_folder()) as folder,
    ):
        server = Server(Path(folder), ports.reserve())
        server.start()
        try:
            for size in SIZES:
                if allowed < size + SPARE_FILES:
                    print(f"{size} sockets: left out, this machine allows {allowed} open files (ulimit -n)")
                    continue
                asyncio.run(_compare(server, people, size))
        finally:
            server.stop()


async def _compare(server: Server, people: dict[int, str], size: int) -> None:
    agent_ids = list(people)[: max(1, size // MOST_SOCKETS)]
    cookies = [people[agent_ids[number % len(agent_ids)]] for number in range(size)]
    hub = await _medians(server, "/ws/live/", cookies, Broadcast(agent_ids))
    group = await _medians(server, "/group/", cookies, Broadcast([]))
    print(f"{size} sockets, hub: {hub[0]:.0f} ms until the last client, server CPU {hub[1]:.0f} ms")
    print(f"{size} sockets, channel-layer group: {group[0]:.0f} ms until the last client, server CPU {group[1]:.0f} ms")
    print(f"{size} sockets, ratio: {group[0] / hub[0]:.1f} in time, {group[1] / max(hub[1], 1):.1f} in CPU")


async def _medians(server: Server, path: str, cookies: list[str], broadcast: Broadcast) -> tuple[float, float]:
    crowd = Crowd(server)
    try:
        await crowd.join(path, cookies)
        await asyncio.sleep(1)
        await crowd.measure(broadcast)
        figures = [await crowd.measure(broadcast) for _round in range(ROUNDS)]
    finally:
        await crowd.leave()
    return statistics.median(took for took, _cpu in figures), statistics.median(cpu for _took, cpu in figures)


def _raise_open_files() -> int:
    """Raise the soft limit of open files, here and in the processes to come; returns it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = max(SIZES) + SPARE_FILES
    if soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return soft


@contextlib.contextmanager
def _people(count: int) -> Iterator[dict[int, str]]:
    """{agent id: session key} of `count` agents, gone afterwards."""
    organisation = Organisation.objects.create(name=f"Banc {uuid.uuid4()}", siret=f"{uuid.uuid4().int % 10**14:014d}")
    browsers: dict[int, Client] = {}
    try:
        for _number in range(count):
            agent = Agent.objects.create_user(
                sub=f"bench-{uuid.uuid4()}", email=f"{uuid.uuid4()}@bench.example", organisation=organisation
            )
            browser = Client()
            browser.force_login(agent)
            browsers[agent.pk] = browser
        yield {agent_id: browser.cookies["sessionid"].value for agent_id, browser in browsers.items()}
    finally:
        for browser in browsers.values():
            browser.logout()
        Agent.objects.filter(organisation=organisation).delete()
        organisation.delete()
