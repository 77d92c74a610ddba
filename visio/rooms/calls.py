"""Who is in which call: in Redis, with a deadline for each person, so that nobody stays after a crash.

One call is two keys: a hash (participant -> JSON) and a sorted set (participant -> deadline in epoch seconds). Whoever
touches a call first sweeps out the people whose deadline has passed, in the same script: joining is one atomic claim.
An open socket moves its deadline, and has its right to stay checked, every BEAT_SECONDS.
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any, cast

from django.conf import settings
from django.utils import timezone
from redis.exceptions import RedisError

from suite.core.events import publish
from suite.live import presence, push
from visio.events import CallChanged, CallEnded, CallStarted

BEAT_SECONDS = 4
# A server that dies takes its people's beats with it: they are gone this long after the last one.
ALIVE_SECONDS = 30
# A socket lost without a goodbye may come back (a train, a restart of the server): the seat is kept this long.
GRACE_SECONDS = 15
# For somebody who is in the call already and only sits down again.
NO_LIMIT = 10_000


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
if before == 0 then redis.call('SET', KEYS[4], ARGV[1]) end
for _, key in ipairs({KEYS[1], KEYS[2], KEYS[4]}) do redis.call('EXPIRE', key, 86400) end
return {1, before, gone}
"""
)
# A seat taken again by a new socket no longer belongs to the old one, whose late goodbye must change nothing.
_OWNED = """
local record = redis.call('HGET', KEYS[1], ARGV[3])
local known = record and cjson.decode(record).connection == ARGV[4]
"""
# ARGV now, room, id, connection, deadline ('' leaves it), record ('' leaves it). Returns {1 known or 0 not, gone}.
_TOUCH = (
    _SWEEP
    + _OWNED
    + """
if known and ARGV[6] ~= '' then redis.call('HSET', KEYS[1], ARGV[3], ARGV[6]) end
if known and ARGV[5] ~= '' then
  redis.call('ZADD', KEYS[2], ARGV[5], ARGV[3])
  redis.call('ZADD', KEYS[3], 'GT', ARGV[5], ARGV[2])
  for _, key in ipairs({KEYS[1], KEYS[2], KEYS[4]}) do redis.call('EXPIRE', key, 86400) end
end
"""
    + _TIDY
    + "return {known and 1 or 0, gone}"
)
# ARGV now, room, id, connection ('' and '' only sweep). Returns {1 was there or 0, people after, gone}.
_LEAVE = (
    _SWEEP
    + _OWNED
    + """
if known then
  redis.call('HDEL', KEYS[1], ARGV[3])
  redis.call('ZREM', KEYS[2], ARGV[3])
end
"""
    + _TIDY
    + "return {known and 1 or 0, redis.call('ZCARD', KEYS[2]), gone}"
)


def _key(*parts: object) -> str:
    return ":".join([settings.REDIS_PREFIX, "call", *map(str, parts)])


def _keys(room_id: int) -> list[str]:
    return [_key(room_id, "people"), _key(room_id, "seen"), _key("rooms"), _key(room_id, "since")]


def _run(script: str, room_id: int, *args: object) -> list[Any]:
    return cast(
        "list[Any]", push.client().register_script(script)(keys=_keys(room_id), args=[str(arg) for arg in args])
    )


def _read(record: str) -> Participant:
    return Participant(**json.loads(record))


def _write(participant: Participant) -> str:
    return json.dumps(asdict(participant))


def enter(*, participant: Participant, capacity: int, now: dt.datetime) -> None:
    """Take a seat, or one's own again after a lost socket. Raises CallFull, and RedisError when Redis is away."""
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
    _forget(gone)
    if not taken:
        raise CallFull(capacity)
    if participant.agent_id is not None:
        presence.enter_call(participant.agent_id, participant.room_id, participant.id)
    publish(CallChanged(participant.room_id) if before else CallStarted(participant.room_id))


def beat(*, participant: Participant, now: dt.datetime) -> bool:
    """Move the deadline of somebody whose socket is open. False when the seat is no longer theirs (Redis was emptied)."""
    known = _touch(participant, now, seconds=ALIVE_SECONDS)
    if known and participant.agent_id is not None:
        presence.enter_call(participant.agent_id, participant.room_id, participant.id)
    return known


def update(*, participant: Participant, mic: bool, camera: bool, now: dt.datetime) -> Participant:
    """Record what somebody switched on or off, and return them as they now are. No fact: it concerns the call's people only."""
    changed = replace(participant, mic=mic, camera=camera)
    _touch(participant, now, record=_write(changed))
    return changed


def lose(*, participant: Participant, now: dt.datetime) -> None:
    """A socket ended without a goodbye: keep the seat for GRACE_SECONDS."""
    _touch(participant, now, seconds=GRACE_SECONDS)


def leave(*, participant: Participant, now: dt.datetime) -> None:
    """Give the seat back at once. Safe to repeat."""
    room_id = participant.room_id
    known, after, gone = _run(_LEAVE, room_id, now.timestamp(), room_id, participant.id, participant.connection)
    _forget(gone)
    if known:
        _forget([_write(participant)])
    if known or gone:
        publish(CallChanged(room_id) if after else CallEnded(room_id))


def sweep(*, now: dt.datetime) -> int:
    """Forget people whose deadline has passed in every call, so that dashboards learn it; returns how many calls changed."""
    changed = 0
    for room in cast("list[str]", push.client().zrange(_key("rooms"), 0, -1)):
        room_id = int(room)
        _known, after, gone = _run(_LEAVE, room_id, now.timestamp(), room_id, "", "")
        if gone:
            changed += 1
            _forget(gone)
            publish(CallChanged(room_id) if after else CallEnded(room_id))
    return changed


def people_in_rooms(room_ids: Iterable[int], *, now: dt.datetime | None = None) -> dict[int, list[Participant]]:
    """Everybody in each of these rooms, first come first, in one round trip. Redis away: nobody is known to be anywhere.

    People, not seats: somebody with two tabs is there once.
    """
    rooms = list(dict.fromkeys(room_ids))
    if not rooms:
        return {}
    since = (now or timezone.now()).timestamp()
    pipeline = push.client().pipeline(transaction=False)
    for room_id in rooms:
        people, seen, *_rest = _keys(room_id)
        pipeline.hgetall(people)
        pipeline.zrangebyscore(seen, since, "+inf")
    try:
        answers = pipeline.execute()
    except (RedisError, OSError) as error:
        push.report(error, "reading calls")
        return {room_id: [] for room_id in rooms}
    found: dict[int, list[Participant]] = {}
    for index, room_id in enumerate(rooms):
        once: dict[str, Participant] = {}
        for participant in _sorted(answers[2 * index], answers[2 * index + 1]):
            once.setdefault(participant.person, participant)
        found[room_id] = list(once.values())
    return found


def roster(*, room_id: int, now: dt.datetime) -> tuple[list[Participant], float | None]:
    """The people of one call, and when it began (epoch seconds; None when nobody is there). Raises RedisError."""
    people, seen, _rooms, began = _keys(room_id)
    with push.client().pipeline(transaction=True) as pipeline:
        pipeline.hgetall(people)
        pipeline.zrangebyscore(seen, now.timestamp(), "+inf")
        pipeline.get(began)
        records, alive, since = pipeline.execute()
    found = _sorted(records, alive)
    return found, float(since) if since and found else None


def seated(*, room_id: int, participant_id: str) -> Participant | None:
    """That participant of that call; None for anybody else's id. Raises RedisError."""
    record = cast("str | None", push.client().hget(_keys(room_id)[0], participant_id))
    return _read(record) if record else None


def _sorted(records: dict[str, str], alive: list[str]) -> list[Participant]:
    found = [_read(records[name]) for name in alive if name in records]
    return sorted(found, key=lambda person: (person.joined_at, person.id))


def _touch(participant: Participant, now: dt.datetime, *, seconds: int | None = None, record: str = "") -> bool:
    stamp = now.timestamp()
    deadline = "" if seconds is None else stamp + seconds
    room_id = participant.room_id
    known, gone = _run(_TOUCH, room_id, stamp, room_id, participant.id, participant.connection, deadline, record)
    _forget(gone)
    if gone:
        publish(CallChanged(room_id))
    return bool(known)


def _forget(records: Iterable[str]) -> None:
    """Their presence follows them out of the call."""
    for record in records:
        person = _read(record)
        if person.agent_id is not None:
            presence.leave_call(person.agent_id, person.room_id, person.id)
