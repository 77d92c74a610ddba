"""visio's own facts -> Celery's doorbell and the sockets."""

from suite.core.events import subscribe
from visio.events import (
    AttendeesRemoved,
    CallChanged,
    CallEnded,
    CallStarted,
    MeetingCancelled,
    MeetingChanged,
)
from visio.meetings.tokens import attendee_by_token
from visio.rooms import access, news


def connect() -> None:
    """Subscribe; called once at start-up."""
    _connect_calls()


def _connect_calls() -> None:
    access.register_invitations(attendee_by_token)
    news.connect()
    subscribe(CallStarted, _call_moved)
    subscribe(CallChanged, _call_moved)
    subscribe(CallEnded, _call_moved)
    subscribe(MeetingChanged, _check_access)
    subscribe(MeetingCancelled, _check_access)
    subscribe(AttendeesRemoved, _check_access)


def _call_moved(fact: CallStarted | CallChanged | CallEnded) -> None:
    news.tell_call(fact.room_id)


def _check_access(fact: MeetingChanged | MeetingCancelled | AttendeesRemoved) -> None:
    news.check_access(fact.meeting_id)
