"""The socket of one call, `/ws/appel/<slug>/`: who is here, and the WebRTC negotiation between two of them.

One JSON object a frame. From the browser: hello (first; a guest's ticket), join, state (microphone, camera), signal (to one
other participant), leave, ping. From the server: welcome, roster, joined, signal, refused, error, pong. A browser that said
hello may watch who is here; only one that joined is heard by the others. Refused frames are answered with an error and
counted; nothing a browser sends raises.

Who an agent is was read from the session at the handshake, which only the portal's own pages can make (routing.py). The right
to stay is checked again at every beat, and at once when the meeting changes or the agent signs out. A socket that says nothing
any more, or watches for long without joining, is closed; a browser that is still there dials again by itself.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any, TypeVar

from channels.db import database_sync_to_async
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import DatabaseError
from django.utils import timezone
from redis.exceptions import RedisError

from visio.rooms import calls, doors, hail
from visio.rooms.calls import CallFull, Participant
from visio.rooms.engines.base import EngineUnavailable
from visio.rooms.engines.registry import engine_for
from visio.rooms.frames import Allowance, Frame, Hello, Join, Leave, Malformed, MediaState, Ping, Signal, read_frame
from visio.rooms.tickets import BadTicket, read_seat, seat_of

logger = logging.getLogger(__name__)

HELLO_SECONDS = 10
# A browser pings every 10 seconds; once a minute in a tab that nobody has looked at for long.
SILENT_SECONDS = 90
# Before joining, who is here may be watched for this long on one hello.
WATCH_SECONDS = 30 * 60
MOST_FAULTS = 5
# A newcomer of six negotiates with five people at once, about twenty candidates each.
FRAMES_AT_ONCE = 300
FRAMES_A_SECOND = 50.0

# Close codes (RFC 6455 §7.4.2, private range), after the HTTP status with the same meaning.
MALFORMED, WHO, FORBIDDEN, NO_ROOM, TIMEOUT, TAKEN_OVER, GONE, TOO_BIG, TOO_MANY, UNAVAILABLE = (
    4400, 4401, 4403, 4404, 4408, 4409, 4410, 4413, 4429, 4503
)  # fmt: skip

# Ends that are nobody's wish: the seat is kept for a moment.
INTERRUPTED = {TIMEOUT, UNAVAILABLE}

T = TypeVar("T")


def _in_thread(work: Callable[..., T]) -> Callable[..., Awaitable[T]]:
    # Not the one "thread sensitive" thread: a slow query of one socket must not hold up all others.
    wrapped: Callable[..., Awaitable[T]] = database_sync_to_async(work, thread_sensitive=False)
    return wrapped


class CallConsumer(AsyncWebsocketConsumer):
    visitor: doors.Visitor | None = None
    participant: Participant | None = None

    def __init__(self, *, silent_seconds: float = SILENT_SECONDS, watch_seconds: float = WATCH_SECONDS) -> None:
        super().__init__()
        self._silent_seconds = silent_seconds
        self._watch_seconds = watch_seconds

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self._faults = 0
        self._said_hello = False
        self._tasks: list[asyncio.Task[None]] = []
        self._closing = False
        self._interrupted = False
        self._heard_at = self._here_since = time.monotonic()
        self._allowance = Allowance(burst=FRAMES_AT_ONCE, rate=FRAMES_A_SECOND, now=time.monotonic())
        try:
            await super().__call__(scope, receive, send)
        except (RedisError, OSError) as error:
            # Redis went away under the channel layer: the browser comes back by itself, its media is not touched.
            logger.warning("call socket closed: %s", type(error).__name__)
            with suppress(StopConsumer):
                await send({"type": "websocket.close", "code": UNAVAILABLE})
        finally:
            for task in self._tasks:
                task.cancel()

    # --- The socket -------------------------------------------------------------------------------------------

    async def connect(self) -> None:
        await self.accept()
        self._tasks.append(asyncio.create_task(self._expect_hello()))

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self._closing:
            return
        self._heard_at = time.monotonic()
        if not self._allowance.take(time.monotonic()):
            await self._end(TOO_MANY, "too_many_frames")
            return
        try:
            if text_data is None:
                raise Malformed("not_text")
            frame = read_frame(text_data)
        except Malformed as fault:
            await self._fault(fault.code)
            return
        try:
            await self._hear(frame)
        except (RedisError, DatabaseError, OSError, EngineUnavailable) as error:
            logger.warning("call socket closed: %s", type(error).__name__)
            await self._end(UNAVAILABLE, "unavailable")

    async def disconnect(self, code: int) -> None:
        participant, self.participant = self.participant, None
        if participant is None:
            return
        said_goodbye = (self._closing and not self._interrupted) or code in (1000, 1001)
        depart = calls.leave if said_goodbye else calls.lose
        try:
            await _in_thread(depart)(participant=participant, now=timezone.now())
        except (RedisError, OSError) as error:
            logger.warning("a seat is left to run out: %s", type(error).__name__)

    # --- What the browser says --------------------------------------------------------------------------------

    async def _hear(self, frame: Frame) -> None:
        if isinstance(frame, Ping):
            await self._say("pong")
        elif isinstance(frame, Hello):
            await self._hello(frame)
        elif self.visitor is None:
            await self._fault("hello_first")
        elif isinstance(frame, Join):
            await self._join(self.visitor, frame)
        elif self.participant is None:
            await self._fault("join_first")
        elif isinstance(frame, MediaState):
            self.participant = await _in_thread(calls.update)(
                participant=self.participant, mic=frame.mic, camera=frame.camera, now=timezone.now()
            )
            await self.channel_layer.group_send(hail.call_group(self.participant.room_id), {"type": "call.roster"})
        elif isinstance(frame, Signal):
            await self._relay(self.participant, frame)
        elif isinstance(frame, Leave):
            await self._end(1000)

    async def _hello(self, frame: Hello) -> None:
        if self._said_hello:
            await self._fault("hello_twice")
            return
        self._said_hello = True
        slug = self.scope["url_route"]["kwargs"]["slug"]
        try:
            visitor = await _in_thread(doors.visitor)(
                slug=slug, ticket=frame.ticket, user=self.scope.get("user"), session=self.scope.get("session")
            )
        except doors.NoSuchRoom:
            await self._end(NO_ROOM, "no_room")
            return
        except BadTicket:
            await self._end(WHO, "bad_ticket")
            return
        if visitor.admission.refusal is not None:
            await self._turn_away(visitor.admission.refusal.value)
            return
        self.visitor = visitor
        for group in (hail.call_group(visitor.room.pk), visitor.session_group):
            if group:
                await self.channel_layer.group_add(group, self.channel_name)
                self.groups.append(group)
        self._tasks.append(asyncio.create_task(self._keep_alive()))
        await self._say("welcome", name=visitor.name, capacity=engine_for(visitor.room).capacity, **await self._who())

    async def _join(self, visitor: doors.Visitor, frame: Join) -> None:
        if self.participant is not None:
            await self._fault("already_joined")
            return
        participant = visitor.participant(
            name=frame.name, mic=frame.mic, camera=frame.camera, connection=self.channel_name, now=timezone.now()
        )
        if participant.name == "":
            await self._say("refused", code="name")
            return
        if frame.seat:
            # A seat that has run out costs nothing: they come in as somebody new.
            with suppress(BadTicket):
                seat = read_seat(frame.seat, participant=participant)
                participant = replace(participant, id=seat.participant_id, joined_at=seat.joined_at)
        engine = engine_for(visitor.room)
        await _in_thread(engine.open)(visitor.room)
        before = await _in_thread(calls.seated)(room_id=participant.room_id, participant_id=participant.id)
        try:
            await _in_thread(calls.enter)(participant=participant, capacity=engine.capacity, now=timezone.now())
        except CallFull as full:
            await self._say("refused", code="full", capacity=full.capacity)
            return
        self.participant = participant
        if before is not None and before.connection != self.channel_name:
            await self.channel_layer.send(before.connection, {"type": "call.taken_over"})
        ticket = engine.ticket(visitor.room, participant)
        await self._say("joined", ticket=ticket, seat=seat_of(participant), **await self._who())

    async def _relay(self, sender: Participant, frame: Signal) -> None:
        """To that one participant of this call and to nobody else; an error when they have just left."""
        receiver = await _in_thread(calls.seated)(room_id=sender.room_id, participant_id=frame.to)
        if receiver is None or receiver.id == sender.id:
            await self._say("error", code="no_such_peer", to=frame.to)
            return
        # As text: the layer's encoding refuses the lone surrogates that JSON allows.
        message = json.dumps({"type": "signal", "from": sender.id, "data": frame.data})
        await self.channel_layer.send(receiver.connection, {"type": "call.signal", "message": message})

    # --- What the server's other parts say ----------------------------------------------------------------------

    async def call_signal(self, event: dict[str, str]) -> None:
        await self._send(event["message"])

    async def call_roster(self, _event: dict[str, str]) -> None:
        if self.visitor is not None:
            await self._say("roster", **await self._who())

    async def call_access(self, _event: dict[str, str]) -> None:
        await self._check_access()

    async def session_ended(self, _event: dict[str, str]) -> None:
        await self._end(WHO, "signed_out")

    async def call_taken_over(self, _event: dict[str, str]) -> None:
        self.participant = None
        await self._end(TAKEN_OVER, "taken_over")

    # --- Time ---------------------------------------------------------------------------------------------------

    async def _expect_hello(self) -> None:
        await asyncio.sleep(HELLO_SECONDS)
        if not self._said_hello:
            await self._end(TIMEOUT, "no_hello")

    async def _keep_alive(self) -> None:
        while not self._closing:
            await asyncio.sleep(calls.BEAT_SECONDS)
            try:
                await self._check_patience()
                await self._check_access()
                if self.participant is not None and not self._closing:
                    await self._beat(self.participant)
            except (RedisError, DatabaseError, OSError) as error:
                # The seat outlives three missed beats; the call itself needs neither Redis nor PostgreSQL.
                logger.warning("a beat was missed: %s", type(error).__name__)

    async def _check_patience(self) -> None:
        now = time.monotonic()
        if now - self._heard_at > self._silent_seconds:
            await self._end(TIMEOUT, "silent")
        elif self.participant is None and now - self._here_since > self._watch_seconds:
            await self._end(TIMEOUT, "no_join")

    async def _beat(self, participant: Participant) -> None:
        if await _in_thread(calls.beat)(participant=participant, now=timezone.now()):
            return
        holder = await _in_thread(calls.seated)(room_id=participant.room_id, participant_id=participant.id)
        if holder is not None:
            await self.call_taken_over({})
        else:
            # Redis was emptied, or the seat ran out while this process was stopped: sit down again.
            await _in_thread(calls.enter)(participant=participant, capacity=calls.NO_LIMIT, now=timezone.now())

    async def _check_access(self) -> None:
        if self.visitor is None or self._closing:
            return
        refusal = await _in_thread(doors.still_welcome)(self.visitor)
        if refusal is not None:
            await self._turn_away(refusal)

    # --- Saying -------------------------------------------------------------------------------------------------

    async def _who(self) -> dict[str, Any]:
        """The people here, when the call began and the server's clock, in epoch seconds."""
        assert self.visitor is not None  # only called after hello
        now = timezone.now()
        room_id = self.visitor.room.pk
        people, since = await _in_thread(calls.roster)(room_id=room_id, now=now)
        return {"people": [person.public() for person in people], "since": since, "now": now.timestamp()}

    async def _say(self, kind: str, **fields: Any) -> None:
        await self._send(json.dumps({"type": kind, **fields}))

    async def _send(self, text: str) -> None:
        if not self._closing:
            await self.send(text_data=text)

    async def _fault(self, code: str) -> None:
        self._faults += 1
        if code == "too_large":
            await self._end(TOO_BIG, code)
        elif self._faults >= MOST_FAULTS:
            await self._end(MALFORMED, code)
        else:
            await self._say("error", code=code)

    async def _turn_away(self, refusal: str) -> None:
        await self._say("refused", code=refusal)
        await self._end({"sign_in": WHO, "not_invited": FORBIDDEN, "not_this_date": FORBIDDEN}.get(refusal, GONE))

    async def _end(self, code: int, why: str = "") -> None:
        """Say why and close; the seat is given back at once."""
        if self._closing:
            return
        if why:
            await self._say("error", code=why)
        self._closing = True
        self._interrupted = code in INTERRUPTED
        await self.close(code)
