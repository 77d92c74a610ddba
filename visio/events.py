"""Every fact that others may hear. Past tense, frozen, ids only; published inside the transaction, heard after commit."""

from dataclasses import dataclass


@dataclass(frozen=True)
class MeetingScheduled:
    meeting_id: int


@dataclass(frozen=True)
class MeetingChanged:
    """Title, time, place, description, attendees, Visio or Tchap: anything that the organiser edited."""

    meeting_id: int


@dataclass(frozen=True)
class MeetingCancelled:
    meeting_id: int


@dataclass(frozen=True)
class AttendeesRemoved:
    """Agents who no longer belong to the meeting: their pages must forget it."""

    meeting_id: int
    agent_ids: tuple[int, ...]


@dataclass(frozen=True)
class AttendeeAnswered:
    meeting_id: int
    attendee_id: int


@dataclass(frozen=True)
class CounterProposed:
    """An attendee proposed another time."""

    meeting_id: int
    counter_id: int


@dataclass(frozen=True)
class CounterDecided:
    """The organiser took or refused it."""

    meeting_id: int
    counter_id: int


@dataclass(frozen=True)
class ReplyReceived:
    """A message came from a guest's calendar and is kept, whether it counts or not."""

    meeting_id: int


@dataclass(frozen=True)
class DeliveriesProgressed:
    """The ledger of one meeting moved: rows were sent, refused, or set aside."""

    meeting_id: int


@dataclass(frozen=True)
class BookingsDecided:
    """A manager accepted or refused a room for dates of one meeting; the rows say which."""

    meeting_id: int
    booking_ids: tuple[int, ...]


@dataclass(frozen=True)
class LinkAttached:
    meeting_id: int
    label: str


@dataclass(frozen=True)
class CallStarted:
    room_id: int


@dataclass(frozen=True)
class CallChanged:
    """Somebody came into or left a call that goes on."""

    room_id: int


@dataclass(frozen=True)
class CallEnded:
    room_id: int


@dataclass(frozen=True)
class PollChanged:
    """A date poll was opened, edited, closed, reopened, or its date chosen."""

    poll_id: int


@dataclass(frozen=True)
class PollVoted:
    poll_id: int
    participant_id: int


@dataclass(frozen=True)
class PollPeopleRemoved:
    """Agents who are no longer asked: their pages must forget the poll."""

    poll_id: int
    agent_ids: tuple[int, ...]
