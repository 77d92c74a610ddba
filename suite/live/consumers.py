"""`/ws/live/`: what a browser may say, and how it is let in and out.

Frames are JSON objects with a `type`. From the browser: `beat` {idle_for: seconds}, `watch` {agents: [public id]},
`ack` {ack: number}. From here: `hello` {version, heartbeat, idle, paused, now}, `news` {version, topics, resync, within,
presence, paused, beat, ack}, `alive?` (answer with a beat), `error` {reason}.

A plain ASGI application and no Channels consumer, which would subscribe to a channel layer for every socket.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import logging
import time
import uuid
from functools import partial
from typing import Any
from urllib.parse import parse_qs

from django.conf import settings
from django.db import Error as DatabaseError
from django.utils import timezone

from suite.agents.models import Agent
from suite.live import access
from suite.live.client import Client
from suite.live.hub import NOT_ALLOWED, SIGNED_OUT, Hub, running_hub
from suite.live.origin import Receive, Scope, Send
from suite.live.threads import in_thread
from suite.live.watching import MOST_WATCHED, permitted

logger = logging.getLogger(__name__)

LARGEST_FRAME = 64 * 1024
LONGEST_IDLE = 24 * 3600.0

# Servers let applications close with 1000 and 3000–4999 only (RFC 6455 §7.4.2); the last three digits are HTTP's.
MALFORMED = 4400
TOO_LARGE = 4413
BINARY = 4415
TOO_MANY = 4429


class BadFrame(Exception):
    """The browser said something that ends the conversation with `code`."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


async def live_socket(scope: Scope, receive: Receive, send: Send) -> None:
    """The ASGI application behind PortalOrigin and Channels' AuthMiddlewareStack."""
    agent = scope["user"]
    if (await receive())["type"] != "websocket.connect":
        return
    await send({"type": "websocket.accept"})
    hub = running_hub()
    refusal = _refusal(agent, hub)
    if refusal is not None:
        await send({"type": "websocket.close", "code": refusal})
        return
    client = Client(
        agent_id=agent.pk,
        session_key=scope["session"].session_key,
        language=agent.language,
        time_zone=access.known_zone(agent.time_zone),
        active_at=timezone.now() - dt.timedelta(seconds=_idle_for(scope)),
    )
    hearer = asyncio.create_task(_hear(client, hub, receive))
    speaker = asyncio.create_task(_speak(client, hub, send))
    try:
        done, _others = await asyncio.wait({hearer, speaker}, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        hub.leave(client)
        for task in (hearer, speaker):
            task.cancel()
        await asyncio.gather(hearer, speaker, return_exceptions=True)


def _refusal(agent: Any, hub: Hub) -> int | None:
    if not isinstance(agent, Agent):
        return SIGNED_OUT
    if not agent.is_active:
        return NOT_ALLOWED
    return TOO_MANY if hub.is_full_for(agent.pk) else None


def _idle_for(scope: Scope) -> float:
    """Seconds since the person's last sign, which a page says in the address when it comes back."""
    try:
        idle_for = float(parse_qs(scope["query_string"].decode("latin-1"))["idle_for"][0])
    except (KeyError, ValueError):
        return 0.0
    return min(idle_for, LONGEST_IDLE) if idle_for >= 0 else 0.0


async def _speak(client: Client, hub: Hub, send: Send) -> None:
    """Send what the client must be told, until it is told goodbye."""
    version = await hub.join(client)
    hello = {
        "type": "hello",
        "version": version,
        "heartbeat": settings.LIVE_HEARTBEAT_SECONDS,
        "idle": settings.LIVE_IDLE_SECONDS,
        "paused": not version,
        # Milliseconds since 1970: countdowns go by the server's clock.
        "now": int(time.time() * 1000),
    }
    await send({"type": "websocket.send", "text": json.dumps(hello)})
    outbox = client.outbox
    while True:
        await outbox.wake.wait()
        while outbox.close_code is None and (frame := outbox.take()) is not None:
            await send({"type": "websocket.send", "text": frame})
        if outbox.close_code is not None:
            await send({"type": "websocket.close", "code": outbox.close_code})
            return


async def _hear(client: Client, hub: Hub, receive: Receive) -> None:
    """Obey the client's frames until it goes or misbehaves."""
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            return
        try:
            frame = parse(message)
            if not client.allowance.spend():
                raise BadFrame(TOO_MANY)
        except BadFrame as bad:
            client.outbox.close(bad.code)
            await asyncio.Event().wait()  # The speaker says goodbye, which ends both.
            return
        await _obey(frame, client, hub)


def parse(message: Any) -> dict[str, Any]:
    """The frame of an ASGI message; BadFrame unless it is a JSON object of at most LARGEST_FRAME bytes."""
    text = message.get("text")
    if text is None:
        raise BadFrame(BINARY)
    if len(text) > LARGEST_FRAME or len(text.encode()) > LARGEST_FRAME:
        raise BadFrame(TOO_LARGE)
    try:
        frame = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadFrame(MALFORMED) from error
    if not isinstance(frame, dict):
        raise BadFrame(MALFORMED)
    return frame


async def _obey(frame: dict[str, Any], client: Client, hub: Hub) -> None:
    match frame:
        case {"type": "beat", "idle_for": int() | float() as idle_for} if 0 <= idle_for < float("inf"):
            hub.beat(client, idle_for=float(min(idle_for, LONGEST_IDLE)))
        case {"type": "watch", "agents": list(wanted)} if len(wanted) <= MOST_WATCHED:
            await _watch(client, hub, wanted)
        case {"type": "ack", "ack": int(number)}:
            client.outbox.confirm(number)
        case {"type": "beat" | "watch" | "ack"}:
            client.outbox.answer({"type": "error", "reason": "bad-fields"})
        case _:
            client.outbox.answer({"type": "error", "reason": "unknown-type"})


async def _watch(client: Client, hub: Hub, wanted: list[Any]) -> None:
    try:
        public_ids = sorted({str(uuid.UUID(text)) for text in wanted if isinstance(text, str)})
    except ValueError:
        client.outbox.answer({"type": "error", "reason": "bad-fields"})
        return
    try:
        allowed = await in_thread(partial(permitted, client.agent_id, public_ids))
    except DatabaseError as error:
        logger.warning("live: watch not obeyed (%s)", type(error).__name__)
        client.outbox.answer({"type": "error", "reason": "unavailable"})
        return
    hub.watching.watch(client, allowed)
