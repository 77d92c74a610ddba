"""Call out to the sockets of a call: look again at who is here, or at whether you may stay. Hints, never state."""

from __future__ import annotations

from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from redis.exceptions import RedisError

from suite.live import push
from suite.live.access import session_name


def call_group(room_id: int) -> str:
    return f"call.{room_id}"


def session_group(session_key: str) -> str:
    """The sockets of one sign-in; the key itself never reaches Redis."""
    return f"session.{session_name(session_key)}"


def roster_changed(room_id: int) -> None:
    """Somebody came, left, or switched something."""
    _send(call_group(room_id), {"type": "call.roster"})


def access_changed(room_id: int) -> None:
    """The meeting or its guest list was edited: every socket checks its right to stay."""
    _send(call_group(room_id), {"type": "call.access"})


def session_ended(session_key: str) -> None:
    """Signed out: the sockets of that sign-in close."""
    _send(session_group(session_key), {"type": "session.ended"})


def _send(group: str, message: dict[str, Any]) -> None:
    layer = get_channel_layer()
    if layer is None:
        return
    try:
        # The channel layer retries for seconds when Redis is down: ask first, with our own short time-out.
        push.client().ping()
        async_to_sync(layer.group_send)(group, message)
    except (RedisError, OSError) as error:
        push.report(error, "hailing a call")
