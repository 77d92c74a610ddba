"""Dates that an address names and of which there is nothing to read: cancelled or cut off with those that followed, or without
the reader.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import replace

from django.http import Http404

from visio.meetings.dates import instant_of
from visio.meetings.models import ChangeKind, Meeting, MeetingChange, Occurrence
from visio.meetings.scopes import Scope
from visio.meetings.timetable import Timetable

# Further ahead no date of a series was ever a row (visio.meetings.horizon), so that no address names one.
_SHOWN_AHEAD = dt.timedelta(days=600)


class NoSuchDate(Http404):
    """The meeting has no such date (any more). `.change`: the act that took it away together with those that followed."""

    def __init__(self, meeting: Meeting, key: str) -> None:
        super().__init__(key)
        self.meeting = meeting
        self.at = instant_of(key)
        self.change = _cut(meeting, self.at) if self.at is not None else None

    @property
    def moved_to(self) -> uuid.UUID | None:
        """The public id of the meeting that has the date now, or has one instead of it."""
        into = self.change.details.get("split_into") if self.change is not None else None
        return uuid.UUID(into) if into else None


class NotInvited(Http404):
    """The reader is invited to the series, and was left out of this date."""

    def __init__(self, meeting: Meeting, occurrence: Occurrence) -> None:
        super().__init__("left out")
        self.meeting = meeting
        self.occurrence = occurrence


def _cut(meeting: Meeting, at: dt.datetime) -> MeetingChange | None:
    """The last act on "this and the following" that took the date `at` away and was not taken back; None when none did."""
    acts = meeting.changes.filter(
        kind__in=[ChangeKind.CANCELLED, ChangeKind.EDITED], details__contains={"scope": Scope.FOLLOWING.value}
    )
    restored = set(meeting.changes.filter(kind=ChangeKind.RESTORED).values_list("revision", flat=True))
    for act in acts.select_related("by").order_by("-revision"):
        if act.revision + 1 in restored or dt.datetime.fromisoformat(act.details["date"]) > at:
            continue
        if act.kind == ChangeKind.EDITED or _was_date(meeting, act, at):
            return act
    return None


def _was_date(meeting: Meeting, act: MeetingChange, at: dt.datetime) -> bool:
    """Whether the series had that date, by the rule that it had. Of added dates nothing is remembered."""
    details = act.details
    if "rule" not in details or at > act.at + _SHOWN_AHEAD:
        return False
    before = replace(
        Timetable.of_meeting(meeting), rule=details["rule"], start=dt.datetime.fromisoformat(details["start"])
    )
    found = before.next(at)
    return found is not None and found.at == at
