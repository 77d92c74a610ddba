"""What the operations on meetings refuse, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from visio.meetings.models import Meeting, MeetingChange


class DraftRefused(Exception):
    """The draft breaks rules. `.errors`: messages by field of MeetingDraft, in the current language."""

    def __init__(self, errors: dict[str, list[str]]) -> None:
        super().__init__(", ".join(sorted(errors)))
        self.errors = errors


class NotOrganiser(Exception):
    """Only the organiser, and whoever acts for them, may do this."""


class MeetingOver(Exception):
    """The meeting (or this date of it) has ended or is cancelled: nothing about it can change any more."""


class EditConflict(Exception):
    """Somebody saved the meeting since the form was shown. `.meeting` as it is now, `.changes` since, newest first."""

    def __init__(self, meeting: Meeting, changes: Sequence[MeetingChange]) -> None:
        super().__init__(f"meeting {meeting.pk} is at revision {meeting.revision}")
        self.meeting = meeting
        self.changes = list(changes)


class AlreadyMade(Exception):
    """This form made `.meeting` already, and now says something else: editing that meeting is what is meant."""

    def __init__(self, meeting: Meeting) -> None:
        super().__init__(f"meeting {meeting.pk}")
        self.meeting = meeting
