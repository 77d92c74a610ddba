"""An agent for whom it is about noon, whenever the tests run: a day's picture needs a day around it."""

import datetime as dt
from typing import Any

from suite.agents.models import Agent
from tests import factories


def zone_at_noon(now: dt.datetime) -> str:
    """The fixed-offset zone (POSIX sign: Etc/GMT-3 is UTC+3) where the clock shows 12:xx at the instant `now`."""
    ahead = 12 - now.astimezone(dt.UTC).hour
    return f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"


def agent_at_noon(now: dt.datetime, **fields: Any) -> Agent:
    return factories.agent(time_zone=zone_at_noon(now), **fields)
