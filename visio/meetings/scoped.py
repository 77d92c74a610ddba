"""A form shows one date of a series as it is; what was not touched there must not spread to the whole series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from visio.meetings.drafts import Invitee, MeetingDraft
from visio.meetings.form_values import times_shown
from visio.meetings.models import Attendee, Meeting, Occurrence, Role


def for_the_series(
    draft: MeetingDraft, *, meeting: Meeting, occurrence: Occurrence, shown: Sequence[Attendee]
) -> MeetingDraft:
    """The draft of "all" or "following", from the form of one date: its own words, length and guests stay its own.

    `shown`: who the form showed (visio.meetings.attendance.people_of_date).
    """

    def text(name: str) -> str:
        own, typed = getattr(occurrence, name), str(getattr(draft, name))
        return str(getattr(meeting, name)) if own is not None and _plain(typed) == _plain(own) else typed

    _start, minutes = times_shown(meeting, occurrence)
    length = meeting.minutes if draft.minutes == minutes and not draft.is_all_day else draft.minutes
    return replace(
        draft,
        title=text("title"),
        place=text("place"),
        description=text("description"),
        minutes=length,
        attendees=_people(draft.attendees, meeting, shown),
    )


def _people(wanted: Sequence[Invitee], meeting: Meeting, shown: Sequence[Attendee]) -> tuple[Invitee, ...]:
    once = {one.email for one in shown if one.only_occurrence_id is not None}
    listed = {one.email for one in shown}
    away = [
        Invitee(email=one.email, name=one.name, agent_id=one.agent_id, role=one.role)
        for one in meeting.attendees.filter(only_occurrence=None).exclude(role=Role.CHAIR)
        if one.email not in listed
    ]
    there = {one.email for one in wanted}
    return (*(one for one in wanted if one.email not in once), *(one for one in away if one.email not in there))


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").strip()
