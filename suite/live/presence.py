"""Who is here: open tabs and calls in Redis with an expiry, meetings and the chosen state from PostgreSQL.

Under `here:<agent id>` Redis holds a hash, one field a connection: "<alive until> <active at> <room or 0>", instants in
milliseconds. Nothing here is precious: an empty Redis is filled again by the next heartbeats.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable
from typing import Any

from django.conf import settings
from django.utils import timezone
from redis.exceptions import RedisError

from suite.agents.models import Agent, ChosenPresence
from suite.live import push
from suite.live.presence_rules import STATES, Chosen, Connection, Engaged, Presence, State, resolve

__all__ = [
    "STATES",
    "Chosen",
    "Connection",
    "Engaged",
    "Presence",
    "State",
    "choose",
    "enter_call",
    "leave_call",
    "register_engagement_source",
    "resolve",
    "states",
]

# fn(agent ids, now) -> {agent id: what they are in}.
EngagementSource = Callable[[Collection[int], dt.datetime], dict[int, Engaged]]
_sources: list[EngagementSource] = []


def register_engagement_source(source: EngagementSource) -> None:
    """Let another part say who is in a meeting or away; called at start-up, safe to repeat."""
    if source not in _sources:
        _sources.append(source)


def here_key(agent_id: int) -> str:
    return push.key(f"here:{agent_id}")


def gone_after() -> dt.timedelta:
    """How long a connection is believed without a heartbeat."""
    return dt.timedelta(seconds=settings.LIVE_GONE_SECONDS)


def _milliseconds(moment: dt.datetime) -> int:
    return int(moment.timestamp() * 1000)


def _moment(milliseconds: str) -> dt.datetime:
    return dt.datetime.fromtimestamp(int(milliseconds) / 1000, tz=dt.UTC)


def queue_connection(
    pipe: Any,
    agent_id: int,
    field: str,
    *,
    alive_until: dt.datetime,
    active_at: dt.datetime,
    room_id: int = 0,
) -> None:
    """Queue the writing of one connection, on a synchronous or an asyncio pipeline."""
    pipe.hset(here_key(agent_id), field, f"{_milliseconds(alive_until)} {_milliseconds(active_at)} {room_id}")
    pipe.expire(here_key(agent_id), int(3 * settings.LIVE_GONE_SECONDS) + 1)


def _decode(value: str) -> Connection:
    alive_until, active_at, room_id = value.split(" ")
    return Connection(_moment(alive_until), _moment(active_at), in_call=room_id != "0")


def connections(agent_ids: Collection[int]) -> dict[int, dict[str, Connection]]:
    """{agent id: {field: connection}}, dead ones too, in one round trip; raises RedisError."""
    with push.client().pipeline(transaction=False) as pipe:
        for agent_id in agent_ids:
            pipe.hgetall(here_key(agent_id))
        answers = pipe.execute()
    return {
        agent_id: {field: _decode(value) for field, value in fields.items()}
        for agent_id, fields in zip(agent_ids, answers, strict=True)
    }


def forget_dead(agent_ids: Collection[int], *, now: dt.datetime) -> int:
    """Delete what a killed server process left behind; the number of connections deleted. Raises RedisError."""
    dead = [
        (agent_id, field)
        for agent_id, fields in connections(agent_ids).items()
        for field, connection in fields.items()
        if connection.alive_until + gone_after() < now
    ]
    if dead:
        with push.client().pipeline(transaction=False) as pipe:
            for agent_id, field in dead:
                pipe.hdel(here_key(agent_id), field)
            pipe.execute()
    return len(dead)


def states(agents: Iterable[Agent], *, now: dt.datetime) -> dict[int, Presence]:
    """{agent id: presence}: one Redis round trip and one query a source, however many agents.

    Without Redis everybody's state is "unknown": never an old state shown as the present one.
    """
    wanted = {agent.pk: agent for agent in agents}
    if not wanted:
        return {}
    ids = list(wanted)
    try:
        here = connections(ids)
    except (RedisError, OSError) as error:
        push.report(error, "reading presence")
        return {agent_id: Presence("unknown", now) for agent_id in ids}
    engaged: dict[int, Engaged] = {}
    for source in _sources:
        for agent_id, said in source(ids, now).items():
            engaged[agent_id] = said.joined(engaged.get(agent_id))
    idle = dt.timedelta(seconds=settings.LIVE_IDLE_SECONDS)
    found = {}
    for agent_id, fields in here.items():
        chosen = Chosen(wanted[agent_id].chosen_presence, wanted[agent_id].chosen_until)
        calendar = engaged.get(agent_id, Engaged())
        found[agent_id] = resolve(
            fields.values(), chosen, calendar.meeting_until, now, absence=calendar.absence, idle=idle
        )
    return found


def choose(*, agent: Agent, state: str, until: dt.datetime | None, now: dt.datetime) -> None:
    """Show `agent` as `state` until then, or until they change it; ValueError when it is no ChosenPresence."""
    chosen = ChosenPresence(state)
    agent.chosen_presence = chosen
    agent.chosen_until = until if until is not None and until > now and chosen != ChosenPresence.AUTOMATIC else None
    agent.save(update_fields=["chosen_presence", "chosen_until"])
    push.announce("presence", a=[agent.pk])
    push.nudge([agent.pk], "presence-self")


def changed(agent_ids: Iterable[int]) -> None:
    """Have every server process look again at these agents (a meeting was moved under them)."""
    push.announce("presence", a=sorted(set(agent_ids)))


def enter_call(agent_id: int, room_id: int, connection: str) -> None:
    """Mark a place in a call; call it again with every heartbeat of the call, at most LIVE_HEARTBEAT_SECONDS apart."""
    now = timezone.now()
    try:
        with push.client().pipeline(transaction=False) as pipe:
            pipe.hexists(here_key(agent_id), f"call:{connection}")
            queue_connection(
                pipe, agent_id, f"call:{connection}", alive_until=now + gone_after(), active_at=now, room_id=room_id
            )
            known, *_rest = pipe.execute()
            if not known:
                push.publish(push.encode("presence", a=[agent_id]))
    except (RedisError, OSError) as error:
        push.report(error, "entering a call")


def leave_call(agent_id: int, room_id: int, connection: str) -> None:
    """Take back what `enter_call` marked with the same connection."""
    try:
        push.client().hdel(here_key(agent_id), f"call:{connection}")
        push.publish(push.encode("presence", a=[agent_id]))
    except (RedisError, OSError) as error:
        push.report(error, f"leaving the call of room {room_id}")
