"""Who may keep a socket open: the session still exists, the agent is still active."""

from __future__ import annotations

import hashlib
import zoneinfo
from collections.abc import Collection
from importlib import import_module
from typing import Any

from django.conf import settings
from django.utils import timezone

from suite.agents.models import Agent


def session_name(session_key: str) -> str:
    """What stands for a session on the Redis channel: its key is a secret."""
    return hashlib.sha256(session_key.encode()).hexdigest()[:32]


def live_sessions(session_keys: Collection[str]) -> set[str]:
    """Those of `session_keys` that still let somebody in: one query where sessions are in the database."""
    store = import_module(settings.SESSION_ENGINE).SessionStore
    if hasattr(store, "get_model_class"):
        rows: Any = store.get_model_class().objects
        found = rows.filter(session_key__in=session_keys, expire_date__gt=timezone.now())
        return set(found.order_by().values_list("session_key", flat=True))
    return {session_key for session_key in session_keys if store().exists(session_key)}


def active_agents(agent_ids: Collection[int]) -> set[int]:
    """Those of `agent_ids` who are active."""
    return set(Agent.objects.filter(pk__in=agent_ids, is_active=True).order_by().values_list("pk", flat=True))


def known_zone(name: str) -> str:
    """`name` when this machine knows the zone, else the portal's."""
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return settings.TIME_ZONE
    return name
