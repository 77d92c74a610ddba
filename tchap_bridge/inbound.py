"""What the homeserver pushes to the application service -> answers owed to rooms.

A transaction may come twice, late, out of order, and the second time with another body: what was acted on is remembered by
transaction and by event, in the transaction that writes the answer.
"""

from __future__ import annotations

import hashlib
import logging
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from tchap_bridge import messages, owed
from tchap_bridge.facts import read_facts
from tchap_bridge.matrix import Event, Matrix, MatrixError, configured_access, read_event
from tchap_bridge.models import InboundEvent, TchapMessage, TchapRoom
from tchap_bridge.news import next_told

logger = logging.getLogger(__name__)

COMMAND = "!visio"
# The homeserver repeats a transaction for as long as we did not answer it, a few minutes apart.
REMEMBERED = timedelta(days=7)
# After an outage of ours the homeserver waits up to 512 s before it pushes again; a ping makes it begin at once.
PING_EVERY = timedelta(minutes=1)
_last_ping: datetime | None = None


@transaction.atomic
def receive(*, transaction_id: str, rows: Sequence[object], now: datetime) -> list[int]:
    """Act on a pushed transaction's events, once; the rooms (TchapRoom ids) that owe an answer now."""
    if not _is_first_time(f"transaction:{transaction_id}"):
        return []
    events = [event for row in rows if (event := read_event(row)) is not None and _is_command(event)]
    # All of them before anything is written about one, and in one order: two pushes wait for each other in turn.
    named = TchapRoom.objects.select_for_update().filter(room_id__in={event.room_id for event in events})
    rooms = {room.room_id: room for room in named.order_by("pk")}
    answered = []
    for event in events:
        room = rooms.get(event.room_id) if event.room_id else None
        if room is not None and _is_first_time(f"event:{event.event_id}"):
            _owe_answer(room, event, now)
            answered.append(room.pk)
    return list(dict.fromkeys(answered))


def _is_command(event: Event) -> bool:
    """ "!visio", alone or with more behind it, by somebody who is not us. Edits repeat a message and do not count."""
    body = event.content.get("body")
    if event.type != "m.room.message" or not isinstance(body, str):
        return False
    if "m.relates_to" in event.content and "m.new_content" in event.content:
        return False
    is_ours = event.sender.startswith(f"@{settings.MATRIX_APPSERVICE_ID}:")
    return not is_ours and event.content.get("msgtype") == "m.text" and body.casefold().split()[:1] == [COMMAND]


def _owe_answer(room: TchapRoom, event: Event, now: datetime) -> None:
    facts = read_facts(room.meeting_id, now)
    told = room.shown.get("told", {})
    # What may still be taken back is nobody's business yet: the room hears what it knows.
    is_held = facts.held_until is not None and bool(told)
    coming = next_told(told) if is_held else facts.when
    text = messages.answer_to_visio(
        join_url=facts.join_url,
        page_url=facts.page_url,
        is_cancelled=bool(told["cancelled"]) if is_held else facts.is_cancelled,
        language=facts.language,
        coming=coming if facts.repeat is not None else None,
        is_over=coming is not None and coming.ends_at <= now,
    )
    TchapMessage.objects.create(
        room=room,
        about=f"answer:{_short(event.event_id)}",
        body=text.body,
        formatted_body=text.html,
        quiet=True,
    )
    owed.owe_again(room_id=room.pk, now=now)


def _is_first_time(key: str) -> bool:
    """Remember `key`; False when it was known. Two at once: the second waits for the first one's commit."""
    _event, created = InboundEvent.objects.get_or_create(key=key if len(key) <= 250 else _short(key))
    return created


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def forget_old_events(*, now: datetime) -> int:
    """Drop what was remembered for longer than the homeserver repeats itself; how many."""
    deleted, _per_model = InboundEvent.objects.filter(seen_at__lt=now - REMEMBERED).delete()
    return deleted


def ask_for_backlog(*, now: datetime) -> None:
    """Ping the homeserver, at most once a minute from this process. Failing is logged: its own repetition is the guarantee."""
    global _last_ping
    access = configured_access()
    if access is None or access.transport != "appservice":
        return
    if _last_ping is not None and _last_ping <= now < _last_ping + PING_EVERY:
        return
    _last_ping = now
    try:
        with Matrix(access) as matrix:
            matrix.ping(settings.MATRIX_APPSERVICE_ID, transaction_id=str(uuid.uuid4()))
    except MatrixError as error:
        logger.warning("the homeserver cannot push to the portal: %s %s", error.status, error.errcode)
