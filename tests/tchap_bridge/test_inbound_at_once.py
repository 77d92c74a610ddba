"""Two pushes at the same moment, on two connections to PostgreSQL."""

from __future__ import annotations

import threading
import uuid

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from tchap_bridge import inbound
from tchap_bridge.models import InboundEvent, RoomState, TchapMessage, TchapRoom
from tests import factories
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)


def made_room() -> TchapRoom:
    room = TchapRoom.objects.get(meeting=factories.meeting())
    room.room_id, room.state, room.applied = f"!{uuid.uuid4().hex}:tchap.localhost", RoomState.APPLIED, room.wanted
    room.save()
    return room


def command(room: TchapRoom, event_id: str) -> dict[str, object]:
    return {
        "event_id": event_id,
        "room_id": room.room_id,
        "type": "m.room.message",
        "sender": "@karim-dinum.example:tchap.localhost",
        "content": {"msgtype": "m.text", "body": "!visio"},
    }


def waiting_for_a_lock() -> int:
    with connection.cursor() as cursor:
        # Within a transaction the first look would be the last one.
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return int(cursor.fetchone()[0])


class Push(threading.Thread):
    """One transaction of the homeserver, in a thread and on a connection of its own."""

    def __init__(self, *rows: dict[str, object]) -> None:
        super().__init__(daemon=True)
        self.rows = rows
        self.owing: list[int] = []
        self.error: OperationalError | None = None

    def run(self) -> None:
        try:
            self.owing = inbound.receive(transaction_id=str(uuid.uuid4()), rows=self.rows, now=timezone.now())
        except OperationalError as error:
            self.error = error
        finally:
            connection.close()


def test_two_pushes_that_name_two_rooms_in_opposite_order_wait_for_each_other_in_turn() -> None:
    """Each is stopped half-way by an event that a third transaction holds, then let go: nobody may hold what the other needs."""
    one, other = made_room(), made_room()
    pushes = [
        Push(command(one, "$1"), command(one, "$gate-1"), command(other, "$2")),
        Push(command(other, "$3"), command(other, "$gate-2"), command(one, "$4")),
    ]
    with transaction.atomic():
        for gate in ("event:$gate-1", "event:$gate-2"):
            InboundEvent.objects.create(key=gate)
        for push in pushes:
            push.start()
        until(lambda: waiting_for_a_lock() == 2, 10, what="both wait")
        transaction.set_rollback(True)
    for push in pushes:
        push.join(20)
    assert [push.error for push in pushes] == [None, None]
    assert [sorted(push.owing) for push in pushes] == [[one.pk, other.pk]] * 2
    assert TchapMessage.objects.filter(room=one).count() == TchapMessage.objects.filter(room=other).count() == 3
