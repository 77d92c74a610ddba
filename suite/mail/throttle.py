"""How many messages a second each domain gets, from all workers together (MAIL_DOMAIN_RATES).

`"gouv.fr=50,*=0"`: 50 a second for gouv.fr and its subdomains together, no limit for each other domain. Slots are reserved
in Redis by one script, so that any number of workers share them; a message whose slot lies ahead is put back until then.
"""

from __future__ import annotations

import datetime as dt
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

import redis
from django.conf import settings

logger = logging.getLogger(__name__)

# A slot that lies less than this ahead may be used now: a domain gets its messages second by second, not one by one.
AHEAD = 1.0
_OTHERS = "*"

# A slot of a limited domain that was reserved for a letter serves it this long; then it asks for another.
SLOT_KEEPS = dt.timedelta(seconds=5)
# Without Redis nobody knows what a limited domain has had: its letters wait.
DOWN_REST = dt.timedelta(seconds=5)

# KEYS: buckets. ARGV: rate and number of slots wanted, for each. Answers seconds from now until each bucket's first slot.
_RESERVE = """
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local waits = {}
for index, key in ipairs(KEYS) do
  local rate, count = tonumber(ARGV[2 * index - 1]), tonumber(ARGV[2 * index])
  local first = math.max(tonumber(redis.call('GET', key) or now), now)
  redis.call('SET', key, string.format('%.6f', first + count / rate), 'EX', math.ceil(first - now + count / rate) + 60)
  waits[index] = string.format('%.6f', first - now)
end
return waits
"""


class ThrottleDown(Exception):
    """Redis does not answer: nobody knows how much the limited domains have had."""


class BadRates(ValueError):
    """MAIL_DOMAIN_RATES is not written as domain=number, comma separated."""


@dataclass(frozen=True)
class Bucket:
    """Recipients that share one rate (messages a second)."""

    name: str
    rate: float


@cache
def parse_rates(text: str) -> dict[str, float]:
    """Messages a second by domain, "*" for each other one. Raises BadRates."""
    rates = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        domain, equals, number = (word.strip() for word in part.partition("="))
        try:
            rate = float(number)
        except ValueError:
            rate = math.nan
        if not domain or not equals or not math.isfinite(rate) or rate < 0:
            raise BadRates(part)
        rates[domain.lower().removeprefix("@")] = rate
    return rates


def bucket(address: str) -> Bucket | None:
    """What limits this recipient; None when nothing does. The most precise domain of the settings counts."""
    rates = parse_rates(settings.MAIL_DOMAIN_RATES)
    if not rates:
        return None
    domain = address.rpartition("@")[2].lower()
    name = domain
    while name:
        if name in rates:
            return Bucket(name, rates[name]) if rates[name] else None
        name = name.partition(".")[2]
    rate = rates.get(_OTHERS, 0.0)
    return Bucket(f"{_OTHERS}{domain}", rate) if rate else None


def reserve(wanted: Sequence[tuple[Bucket, int]]) -> list[list[float]]:
    """For each bucket, as many slots as wanted: seconds from now, rising. Raises ThrottleDown."""
    keys = [f"{settings.REDIS_PREFIX}:mail:{bucket.name}" for bucket, _count in wanted]
    numbers = [str(number) for bucket, count in wanted for number in (bucket.rate, count)]
    try:
        waits = _client(settings.REDIS_URL).eval(_RESERVE, len(keys), *keys, *numbers)
    except (redis.RedisError, OSError) as error:
        raise ThrottleDown(type(error).__name__) from error
    return [
        [float(wait) + number / bucket.rate for number in range(count)]
        for (bucket, count), wait in zip(wanted, waits, strict=True)
    ]


@dataclass(frozen=True)
class Turns:
    """Who does not go now. `later`: when a slot is theirs, by key; `unknown`: whose domain's rate nobody can tell now."""

    later: Mapping[int, dt.timedelta] = field(default_factory=dict)
    unknown: frozenset[int] = frozenset()


def turns(recipients: Mapping[int, str]) -> Turns:
    """Reserve a slot for each recipient (an address by any key) whose domain is limited."""
    limited: dict[Bucket, list[int]] = {}
    for key, address in recipients.items():
        of = bucket(address)
        if of is not None:
            limited.setdefault(of, []).append(key)
    if not limited:
        return Turns()
    try:
        waits = reserve([(of, len(keys)) for of, keys in limited.items()])
    except ThrottleDown as down:
        logger.warning("rates of limited domains unknown (%s): their mail waits", down)
        return Turns(unknown=frozenset(key for keys in limited.values() for key in keys))
    return Turns(
        later={
            key: dt.timedelta(seconds=wait - AHEAD)
            for keys, waited in zip(limited.values(), waits, strict=True)
            for key, wait in zip(keys, waited, strict=True)
            if wait >= AHEAD
        }
    )


def may_wake(second: int, of: str = "") -> bool:
    """True for one caller of all workers: who rings for what is due by that second (epoch), so that rings do not multiply.

    `of`: what rings; each kind of mail has rings of its own. False without Redis, where nobody could ring either.
    """
    try:
        return bool(
            _client(settings.REDIS_URL).set(f"{settings.REDIS_PREFIX}:mail:wake{of}:{second}", "1", nx=True, ex=60)
        )
    except (redis.RedisError, OSError):
        return False


@cache
def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1, decode_responses=True)
