"""Django looks here for the app's models; they live in the sub-packages."""

from visio.exchange.models import CalendarFeed, CalendarImport
from visio.inbox.models import InboundMessage
from visio.meetings.exception_models import AttendeeException, CounterProposal, Undo
from visio.meetings.idempotency_models import IdempotentResponse
from visio.meetings.models import (
    Attendee,
    Delivery,
    Meeting,
    MeetingChange,
    MeetingLink,
    Occurrence,
)
from visio.places.models import Resource, ResourceBooking
from visio.polls.models import Poll, PollOption, PollParticipant, PollVote
from visio.reminders.models import Digest, Reminder
from visio.rooms.models import Room

__all__ = [
    "Attendee",
    "AttendeeException",
    "CalendarFeed",
    "CalendarImport",
    "CounterProposal",
    "Delivery",
    "Digest",
    "IdempotentResponse",
    "InboundMessage",
    "Meeting",
    "MeetingChange",
    "MeetingLink",
    "Occurrence",
    "Poll",
    "PollOption",
    "PollParticipant",
    "PollVote",
    "Reminder",
    "Resource",
    "ResourceBooking",
    "Room",
    "Undo",
]
