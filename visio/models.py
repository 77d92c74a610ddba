"""Django looks here for the app's models; they live in the sub-packages."""

from visio.meetings.models import (
    Attendee,
    Delivery,
    IdempotentResponse,
    Meeting,
    MeetingChange,
    MeetingLink,
    Occurrence,
)
from visio.rooms.models import Room

__all__ = [
    "Attendee",
    "Delivery",
    "IdempotentResponse",
    "Meeting",
    "MeetingChange",
    "MeetingLink",
    "Occurrence",
    "Room",
]
