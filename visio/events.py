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
class DeliveriesProgressed:
    """The ledger of one meeting moved: rows were sent, refused, or set aside."""

    meeting_id: int


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
