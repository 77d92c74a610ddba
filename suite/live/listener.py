"""The one Redis subscription of a server process, and its return after every loss."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator

import redis.asyncio
from django.conf import settings
from redis.asyncio.client import PubSub
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.retry import Retry

from suite.live import push

logger = logging.getLogger(__name__)

# A subscription that says nothing for this long is asked whether it still lives; silence again means it does not.
PING_SECONDS = 5.0
LONGEST_WAIT = 3.0


class Up:
    """The subscription has (re)started: what was published before may have been missed."""


class Down:
    """The subscription is lost."""


def connect(*, timeout: float | None) -> redis.asyncio.Redis:
    """An asyncio client that tries once more, on a fresh connection. `timeout` None waits for ever, as a subscription must."""
    return redis.asyncio.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=timeout,
        socket_connect_timeout=1.0,
        retry=Retry(NoBackoff(), 1),
        decode_responses=True,
    )


async def listen() -> AsyncIterator[Up | Down | str]:
    """For ever: Up, the channel's messages, Down when the subscription is lost, and again after a growing wait."""
    wait = 0.1
    while True:
        try:
            async with connect(timeout=None) as connection, connection.pubsub() as subscription:
                async for event in _hear(subscription):
                    wait = 0.1
                    yield event
        except (RedisError, OSError) as error:
            logger.warning("live: subscription lost (%s), trying again", type(error).__name__)
        yield Down()
        await asyncio.sleep(wait * random.uniform(0.5, 1.5))  # noqa: S311  spreads servers, guards nothing
        wait = min(LONGEST_WAIT, wait * 2)


async def _hear(subscription: PubSub) -> AsyncIterator[Up | str]:
    await subscription.subscribe(push.channel())
    asked = False
    while True:
        message = await subscription.get_message(timeout=PING_SECONDS)
        if message is None:
            if asked:
                raise RedisConnectionError("no answer to a ping")
            await subscription.ping()
            asked = True
            continue
        asked = False
        if message["type"] == "subscribe":
            yield Up()
        elif message["type"] == "message":
            yield str(message["data"])
