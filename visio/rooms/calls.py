"""Who is in which call: in Redis, with a deadline for each person, so that nobody stays after a crash.

One call is two keys: a hash (participant -> JSON) and a sorted set (participant -> deadline in epoch seconds). Whoever
touches a call first sweeps out the people whose deadline has passed, in the same script: joining is one atomic claim.
An open socket moves its deadline every BEAT_SECONDS.
"""

from __future__ import annotations

import datetime as dt
import functools
import json
import logging
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, cast

import redis
from django.conf import settings
from django.utils import timezone

from suite.core.events import publish
from visio.events import CallChanged, CallEnded, CallStarted

logger = logging.getLogger(__name__)

BEAT_SECONDS = 10
# A server that dies takes its people's beats with it: they are gone this long after the last one.
ALIVE_SECONDS = 40
# A socket lost without a goodbye may come back (a train, a restart of the server): the seat is kept this long.
GRACE_SECONDS = 15


@dataclass(frozen=True)
class Participant:
    """One browser in a call. The same person in two tabs is two participants."""

    id: str
    room_id: int
    name: str
    role: str = "agent"
    agent_id: int | None = None
    attendee_id: int | None = None
    organisation: str = ""
    initials: str = ""
    tint: int = 0
    mic: bool = False
    camera: bool = False
    # Epoch seconds; the later of two people makes the first WebRTC offer.
    joined_at: float = 0.0
    # The Channels name of their socket: never leaves the server.
    connection: str = ""

    def public(self) -> dict[str, Any]:
        """What the others' browsers may know."""
        shown = asdict(self)
        for private in ("room_id", "agent_id", "attendee_id", "connection"):
            del shown[private]
        return shown

    @property
    def person(self) -> str:
        """The same for two tabs of one person."""
        if self.agent_id is not None:
            return f"agent:{self.agent_id}"
        return f"attendee:{self.attendee_id}" if self.attendee_id is not None else self.id


class CallFull(Exception):
    """Every seat is taken. `capacity` is how many there are."""

    def __init__(self, capacity: int) -> None:
        super().__init__(capacity)
        self.capacity = capacity


def new_participant_id() -> str:
    return secrets.token_hex(8)


# KEYS people, seen, calls, since · ARGV now. Returns the JSON of everybody whose deadline has passed, having removed them.
_SWEEP = """
local gone = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', '(' .. ARGV[1])) do
  local record = redis.call('HGET', KEYS[1], id)
  if record then gone[#gone + 1] = record end
  redis.call('HDEL', KEYS[1], id)
  redis.call('ZREM', KEYS[2], id)
end
"""
_TIDY = """
if redis.call('ZCARD', KEYS[2]) == 0 then
  redis.call('DEL', KEYS[1], KEYS[2], KEYS[4])
  redis.call('ZREM', KEYS[3], ARGV[2])
end
"""
# ARGV now, room, id, deadline, capacity, record. Returns {1 taken or 0 full, people before, gone}.
_ENTER = (
    _SWEEP
    + """
local before = redis.call('ZCARD', KEYS[2])
if not redis.call('ZSCORE', KEYS[2], ARGV[3]) and before >= tonumber(ARGV[5]) then
  return {0, before, gone}
end
redis.call('HSET', KEYS[1], ARGV[3], ARGV[6])
redis.call('ZADD', KEYS[2], ARGV[4], ARGV[3])
redis.call('ZADD', KEYS[3], ARGV[4], ARGV[2])
redis.call('SET', KEYS[4], ARGV[1], 'NX')
for _, key in ipairs({KEYS[1], KEYS[2], KEYS[4]}) do redis.call('EXPIRE', key, 86400) end
return {1, before, gone}
"""
)
# ARGV now, room, id, deadline ('' leaves it), record ('' leaves it). Returns {1 known or 0 not, gone}.
_TOUCH = (
    _SWEEP
    + """
local known = redis.call('ZSCORE', KEYS[2], ARGV[3])
if known and ARGV[5] ~= '' then redis.call('HSET', KEYS[1], ARGV[3], ARGV[5]) end
if known and ARGV[4] ~= '' then
  redis.call('ZADD', KEYS[2], ARGV[4], ARGV[3])
  redis.call('ZADD', KEYS[3], 'GT', ARGV[4], ARGV[2])
  for _, key in ipairs({KEYS[1], KEYS[2], KEYS[4]}) do redis.call('EXPIRE', key, 86400) end
end
"""
    + _TIDY
    + "return {known and 1 or 0, gone}"
)
# ARGV now, room, id ('' only sweeps). Returns {1 was there or 0, people after, gone}.
_LEAVE = (
    _SWEEP
    + """
local known = redis.call('HDEL', KEYS[1], ARGV[3])
redis.call('ZREM', KEYS[2], ARGV[3])
"""
    + _TIDY
    + "return {known, redis.call('ZCARD', KEYS[2]), gone}"
)


@functools.cache
def _redis() -> redis.Redis:
    """One client a process, safe across threads; short time-outs because a page waits for it."""
    return redis.Redis.from_url(
        settings.REDIS_URL, decode_responses=True, socket_timeout=3, socket_connect_timeout=1, health_check_interval=30
    )


def _key(*parts: object) -> str:
    return ":".join([settings.REDIS_PREFIX, "call", *map(str, parts)])


def _keys(room_id: int) -> list[str]:
    return [_key(room_id, "people"), _key(room_id, "seen"), _key("rooms"), _key(room_id, "since")]


def _run(script: str, room_id: int, *args: object) -> list[Any]:
    return cast("list[Any]", _redis().register_script(script)(keys=_keys(room_id), args=[str(arg) for arg in args]))


def _read(record: str) -> Participant:
    return Participant(**json.loads(record))


def _write(participant: Participant) -> str:
    return json.dumps(asdict(participant))


def enter(*, participant: Participant, capacity: int, now: dt.datetime) -> None:
    """Take a seat, or take one's own again after a lost socket. Raises CallFull; redis.RedisError when Redis is away."""
    stamp = now.timestamp()
    taken, before, gone = _run(
        _ENTER,
        participant.room_id,
        stamp,
        participant.room_id,
        participant.id,
        stamp + ALIVE_SECONDS,
        capacity,
        _write(participant),
    )
    _say_gone(participant.room_id, gone)
    if not taken:
        raise CallFull(capacity)
    publish(CallChanged(participant.room_id) if before else CallStarted(participant.room_id))


def beat(*, participant: Participant, now: dt.datetime) -> bool:
    """Move the deadline of somebody whose socket is open. False when the call forgot them (Redis was emptied)."""
    stamp = now.timestamp()
    args = (stamp, participant.room_id, participant.id, stamp + ALIVE_SECONDS, "")
    known, gone = _run(_TOUCH, participant.room_id, *args)
    _after_sweep(participant.room_id, gone)
    return bool(known)


def update(*, participant: Participant, mic: bool, camera: bool, now: dt.datetime) -> Participant:
    """Record what somebody switched on or off, and return them as they now are."""
    changed = replace(participant, mic=mic, camera=camera)
    _known, gone = _run(
        _TOUCH, participant.room_id, now.timestamp(), participant.room_id, participant.id, "", _write(changed)
    )
    _say_gone(participant.room_id, gone)
    publish(CallChanged(participant.room_id))
    return changed


def lose(*, participant: Participant, now: dt.datetime) -> None:
    """A socket ended without a goodbye: keep the seat for GRACE_SECONDS."""
    stamp = now.timestamp()
    args = (stamp, participant.room_id, participant.id, stamp + GRACE_SECONDS, "")
    _known, gone = _run(_TOUCH, participant.room_id, *args)
    _after_sweep(participant.room_id, gone)


def leave(*, participant: Participant, now: dt.datetime) -> None:
    """Give the seat back at once. Safe to repeat."""
    known, after, gone = _run(_LEAVE, participant.room_id, now.timestamp(), participant.room_id, participant.id)
    _say_gone(participant.room_id, gone)
    if known or gone:
        publish(CallChanged(participant.room_id) if after else CallEnded(participant.room_id))


def sweep(*, now: dt.datetime) -> int:
    """Forget people whose deadline has passed in every call, so that dashboards learn it; returns how many calls changed."""
    changed = 0
    for room_id in cast("list[str]", _redis().zrange(_key("rooms"), 0, -1)):
        _known, after, gone = _run(_LEAVE, int(room_id), now.timestamp(), room_id, "")
        if gone:
            changed += 1
            _say_gone(int(room_id), gone)
            publish(CallChanged(int(room_id)) if after else CallEnded(int(room_id)))
    return changed


def people_in_rooms(room_ids: Iterable[int], *, now: dt.datetime | None = None) -> dict[int, list[Participant]]:
    """Everybody in each of these rooms, first come first, in one round trip. Redis away: nobody is known to be anywhere."""
    rooms = list(dict.fromkeys(room_ids))
    if not rooms:
        return {}
    since = (now or timezone.now()).timestamp()
    pipeline = _redis().pipeline(transaction=False)
    for room_id in rooms:
        people, seen, *_rest = _keys(room_id)
        pipeline.hgetall(people)
        pipeline.zrangebyscore(seen, since, "+inf")
    try:
        answers = pipeline.execute()
    except redis.RedisError as error:
        logger.warning("calls unknown: %s", type(error).__name__)
        return {room_id: [] for room_id in rooms}
    found: dict[int, list[Participant]] = {}
    for index, room_id in enumerate(rooms):
        records, alive = answers[2 * index], answers[2 * index + 1]
        people_here = [_read(records[name]) for name in alive if name in records]
        found[room_id] = sorted(people_here, key=lambda person: (person.joined_at, person.id))
    return found


def call_since(room_id: int) -> float | None:
    """When the call that is going on began, in epoch seconds; None when there is none. Raises redis.RedisError."""
    since = cast("str | None", _redis().get(_key(room_id, "since")))
    return float(since) if since else None


def _after_sweep(room_id: int, gone: Sequence[str]) -> None:
    _say_gone(room_id, gone)
    if gone:
        publish(CallChanged(room_id))


def _say_gone(room_id: int, gone: Sequence[str]) -> None:
    for record in gone:
        logger.info("call %s: participant %s ran out", room_id, _read(record).id)
