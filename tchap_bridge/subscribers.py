"""visio's facts -> rooms owed, in the transaction of the change; after its commit, Celery's doorbell.

visio knows nothing of this: docs/decisions/ tells why the row is written here and not there.
"""

from django.utils import timezone

from suite.core.doorbell import ring
from suite.core.events import subscribe
from tchap_bridge import owed
from tchap_bridge.rooms import LABEL
from visio.events import AttendeesRemoved, MeetingCancelled, MeetingChanged, MeetingScheduled
from visio.meetings.links import register_refusals

MeetingFact = MeetingScheduled | MeetingChanged | MeetingCancelled | AttendeesRemoved


def connect() -> None:
    """Subscribe; called once at start-up."""
    subscribe(MeetingScheduled, owe, inside=True)
    subscribe(MeetingChanged, owe, inside=True)
    subscribe(MeetingCancelled, owe, inside=True)
    subscribe(AttendeesRemoved, owe, inside=True)
    subscribe(MeetingScheduled, ring_room)
    subscribe(MeetingChanged, ring_room)
    subscribe(MeetingCancelled, ring_room)
    subscribe(AttendeesRemoved, ring_room)
    register_refusals(LABEL, owed.is_refused)


def owe(fact: MeetingFact) -> None:
    owed.owe_room(meeting_id=fact.meeting_id, now=timezone.now())


def ring_room(fact: MeetingFact) -> None:
    from tchap_bridge.tasks import reconcile_room  # Celery's application is made after the apps are ready.

    for room_id in owed.due_rooms_of(meeting_id=fact.meeting_id, now=timezone.now()):
        ring(reconcile_room, room_id)
