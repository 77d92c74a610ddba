"""What Celery calls. Every task is safe to repeat; the rows say what is owed."""

from celery import shared_task
from django.utils import timezone

from suite.core.doorbell import ring
from tchap_bridge import inbound, owed, pauses, rooms
from visio.meetings.undo import UNDO_SECONDS

ROOMS_PER_SWEEP = 100


@shared_task(name="tchap_bridge.reconcile_room")
def reconcile_room(room_id: int) -> None:
    """Bring one room (TchapRoom) to its desired state; rings again when it changed meanwhile."""
    match rooms.reconcile(room_id=room_id, now=timezone.now()):
        case rooms.Outcome.AGAIN:
            ring(reconcile_room, room_id)
        case rooms.Outcome.HELD:
            ring(reconcile_room, room_id, countdown=UNDO_SECONDS)
        case _:
            pass


@shared_task(name="tchap_bridge.sweep_rooms")
def sweep_rooms() -> None:
    """The guarantee behind the doorbell: ring for every room that is due."""
    now = timezone.now()
    inbound.forget_old_events(now=now)
    if not rooms.is_configured() or pauses.is_locked_out() or owed.hold_back(now=now):
        return
    inbound.ask_for_backlog(now=now)
    owed.owe_rolled(now=now)
    owed.owe_look_ups(now=now)
    for room_id in owed.due_rooms(now=now, limit=ROOMS_PER_SWEEP):
        if not ring(reconcile_room, room_id):
            return


@shared_task(name="tchap_bridge.look_for_missed")
def look_for_missed() -> None:
    """Owe the rooms of meetings that were written by other means than visio's operations."""
    owed.owe_missed(now=timezone.now())
