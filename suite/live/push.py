"""Tell open pages that something changed: a hint (topic and version), never the state itself.

Every agent has a version, a random token replaced by every nudge. A page keeps the version it was rendered with; when
it comes back after an absence and the version differs, it fetches its fragments again. Tokens and not counters: after a
crash Redis may have forgotten its last second, and a counter would climb back to a number that a page has already seen.
The version also holds the server's run id and an epoch kept in Redis: it changes when Redis was restarted or flushed.
"""

from __future__ import annotations

import json
import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import redis
from django.conf import settings
from django.db import transaction
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

logger = logging.getLogger(__name__)

# A version nobody changed for this long is forgotten, which a page sees as a difference: it fetches once more.
VERSION_SECONDS = 30 * 24 * 3600
# After a failure, hints and reads are given up at once for this long: a Redis that hangs must not slow every page.
REST_SECONDS = 2.0
# Agents whose nudge failed, to be told as soon as Redis is back.
MOST_MISSED = 20_000
AGENTS_PER_MESSAGE = 1_000

_rest_until: dict[str, float] = {}
_missed: dict[int, set[str]] = {}
_missed_lock = threading.Lock()
_again: threading.Timer | None = None


def key(name: str) -> str:
    """The Redis key or channel `name` under this installation's prefix (pub/sub knows no database number)."""
    return f"{settings.REDIS_PREFIX}:live:{name}"


def channel() -> str:
    """The one channel every server process listens to."""
    return key("hints")


@cache
def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(
        url,
        socket_timeout=0.5,
        socket_connect_timeout=0.5,
        # One more try, on a fresh connection: pooled ones are dead after a restart. The default waits for seconds.
        retry=Retry(NoBackoff(), 1),
        decode_responses=True,
    )


class RedisResting(RedisError):
    """Redis failed less than REST_SECONDS ago; nothing was tried."""


def client() -> redis.Redis:
    """The synchronous client with short time-outs; raises RedisResting soon after a failure (see `report`)."""
    if time.monotonic() < _rest_until.get(settings.REDIS_URL, 0.0):
        raise RedisResting("Redis failed a moment ago")
    return _client(settings.REDIS_URL)


def report(error: RedisError | OSError, doing: str) -> None:
    """Log the failure's type (its words may hold an address) and let Redis rest."""
    if isinstance(error, RedisResting):
        return
    _rest_until[settings.REDIS_URL] = time.monotonic() + REST_SECONDS
    logger.warning("redis failed while %s: %s", doing, type(error).__name__)


def encode(kind: str, **fields: Any) -> str:
    """One message of the channel: JSON with `k` for its kind."""
    return json.dumps({"k": kind, **fields}, separators=(",", ":"))


def nudge(agent_ids: Iterable[int], topic: str) -> None:
    """Tell the open pages of these agents that `topic` changed, once the current transaction has committed.

    Never raises because of Redis: the failure is logged and these agents are told as soon as Redis is back.
    """
    wanted = sorted(set(agent_ids))
    if wanted:
        _after_commit(lambda: _send(wanted, topic))


def _after_commit(send: Callable[[], None]) -> None:
    # Outside a transaction on_commit would open a database connection only to call at once.
    if transaction.get_connection().in_atomic_block:
        transaction.on_commit(send, robust=True)
    else:
        send()


def _send(wanted: Iterable[int], topic: str) -> None:
    topics = _take_missed()
    topics.setdefault(topic, set()).update(wanted)
    _try(topics)


def _try(topics: dict[str, set[int]]) -> None:
    try:
        with client().pipeline(transaction=False) as pipe:
            for changed, agent_ids in topics.items():
                _queue_nudge(pipe, sorted(agent_ids), changed)
            pipe.execute()
    except (RedisError, OSError) as error:
        report(error, "nudging")
        _keep_missed(topics)


def _take_missed() -> dict[str, set[int]]:
    """{topic: agents} of every nudge that Redis has not heard."""
    with _missed_lock:
        topics: dict[str, set[int]] = {}
        for agent_id, missed in _missed.items():
            for topic in missed:
                topics.setdefault(topic, set()).add(agent_id)
        _missed.clear()
        return topics


def _keep_missed(topics: dict[str, set[int]]) -> None:
    """Say it again in a moment: pages that are back already would otherwise not learn it before the next nudge."""
    global _again
    with _missed_lock:
        for topic, agent_ids in topics.items():
            for agent_id in agent_ids:
                if agent_id in _missed or len(_missed) < MOST_MISSED:
                    _missed.setdefault(agent_id, set()).add(topic)
        if _again is None or not _again.is_alive():  # A forked child inherits a timer that does not run there.
            _again = threading.Timer(REST_SECONDS + 0.1, _try_missed)
            _again.daemon = True
            _again.start()


def _try_missed() -> None:
    global _again
    with _missed_lock:
        _again = None
    topics = _take_missed()
    if topics:
        _try(topics)


def _queue_nudge(pipe: Any, agent_ids: list[int], topic: str) -> None:
    version = secrets.token_hex(6)
    for agent_id in agent_ids:
        pipe.set(key(f"version:{agent_id}"), version, ex=VERSION_SECONDS)
    for start in range(0, len(agent_ids), AGENTS_PER_MESSAGE):
        pipe.publish(channel(), encode("hint", a=agent_ids[start : start + AGENTS_PER_MESSAGE], t=topic, v=version))


def announce(kind: str, **fields: Any) -> None:
    """Publish a message to every server process after commit; like `nudge` it never raises because of Redis."""
    message = encode(kind, **fields)
    _after_commit(lambda: publish(message))


def publish(message: str) -> None:
    """Publish an encoded message at once; a failure is logged."""
    try:
        client().publish(channel(), message)
    except (RedisError, OSError) as error:
        report(error, "announcing")


def page_version(agent_id: int) -> str:
    """The version to render into a page, read before the page's data; "", which equals none, when Redis is down."""
    try:
        return versions([agent_id])[agent_id]
    except (RedisError, OSError) as error:
        report(error, "reading a version")
        return ""


def versions(agent_ids: Iterable[int]) -> dict[int, str]:
    """The versions of several agents in one round trip; raises RedisError."""
    wanted = list(agent_ids)
    with client().pipeline(transaction=False) as pipe:
        queue_versions(pipe, wanted)
        return read_versions(wanted, pipe.execute())


def queue_versions(pipe: Any, agent_ids: list[int]) -> None:
    """Queue the reads that `read_versions` understands, on a synchronous or an asyncio pipeline."""
    pipe.set(key("epoch"), secrets.token_hex(4), nx=True)
    pipe.get(key("epoch"))
    pipe.info("server")
    pipe.mget([key("epoch"), *(key(f"version:{agent_id}") for agent_id in agent_ids)])


def read_versions(agent_ids: list[int], answers: list[Any]) -> dict[int, str]:
    """{agent id: "epoch.run.token"} from the four answers of `queue_versions`."""
    prefix = read_epoch(answers)
    return {agent_id: f"{prefix}.{token or 0}" for agent_id, token in zip(agent_ids, answers[3][1:], strict=True)}


def read_epoch(answers: list[Any]) -> str:
    """What changes when Redis was flushed or restarted, from the answers of `queue_versions`."""
    return f"{answers[1]}.{str(answers[2].get('run_id', ''))[:8]}"
