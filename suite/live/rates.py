"""How often one caller may ask: kept in Redis, so that all processes count together.

A caller may ask `most` times at once, and then as often as that many are spread over the period (the generic cell rate
algorithm, one key a caller). Without Redis everybody may: a limit protects the portal, and must not be what stops it.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Concatenate, ParamSpec

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from redis.exceptions import RedisError

from suite.live import push

P = ParamSpec("P")

PERIODS = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0}

# KEYS: the caller. ARGV: seconds between two, and how many at once. Answers the seconds to wait, 0 for a request that is let in.
_TAKE = """
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local every, most = tonumber(ARGV[1]), tonumber(ARGV[2])
local next = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now) + every
local wait = next - now - every * most
if wait > 0.000001 then return string.format('%.6f', wait) end
redis.call('SET', KEYS[1], string.format('%.6f', next), 'EX', math.ceil(next - now) + 1)
return '0'
"""


@dataclass(frozen=True)
class Rate:
    """`most` in `seconds`; 0 is no limit."""

    most: int
    seconds: float


def parse_rate(name: str) -> Rate:
    """The setting `name`, written "600/minute" (second, minute, hour, day) or "0"."""
    number, _slash, period = str(getattr(settings, name)).partition("/")
    return Rate(int(number), PERIODS[period or "second"])


def seconds_to_wait(rate: Rate, kind: str, caller: str) -> int:
    """0 when the caller may go on, and that is counted; else how many whole seconds they had better wait."""
    if rate.most == 0:
        return 0
    key = f"{settings.REDIS_PREFIX}:rate:{kind}:{caller}"
    try:
        wait = push.client().eval(_TAKE, 1, key, str(rate.seconds / rate.most), str(rate.most))
    except (RedisError, OSError) as error:
        push.report(error, "counting requests")
        return 0
    return math.ceil(float(str(wait)))


def guest_posts_bounded(
    view: Callable[Concatenate[HttpRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """For a page whose address holds a secret `token`: each may POST at GUEST_POST_RATE, then reads a 429 page."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if request.method == "POST":
            # Redis holds no secret.
            caller = hashlib.sha256(str(kwargs["token"]).encode()).hexdigest()[:32]
            wait = seconds_to_wait(parse_rate("GUEST_POST_RATE"), "guest", caller)
            if wait:
                response = render(request, "429.html", {"seconds": wait}, status=429)
                response["Retry-After"] = str(wait)
                return response
        return view(request, *args, **kwargs)

    return guarded
