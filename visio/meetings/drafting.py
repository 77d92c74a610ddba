"""The draft that a meeting is: what a form shows first, and what an act that changes one thing begins with."""

from __future__ import annotations

from visio.meetings import booked
from visio.meetings.attendance import people_of_date
from visio.meetings.drafts import Invitee, MeetingDraft
from visio.meetings.models import Attendee, Meeting, Occurrence, Role
from visio.meetings.scopes import Scope
from visio.meetings.timetable import DAY_MINUTES, Timetable


def draft_of(meeting: Meeting, occurrence: Occurrence, *, scope: str = Scope.ALL) -> MeetingDraft:
    """What `scope` of the meeting is now, its start that of `occurrence`: changing nothing of it changes nothing.

    `one`: with that date's own words, people and rooms; else with those of the series. Three queries.
    """
    alone = meeting.is_series and scope == Scope.ONE
    timetable = Timetable.of_meeting(meeting)
    first = timetable.literal(timetable.start)
    starts_at = occurrence.starts_at
    wall = first.wall if starts_at == first.at else timetable.wall_of(starts_at)
    minutes = meeting.minutes
    if alone:
        length = (
            (timetable.wall_of(occurrence.ends_at) - wall) if meeting.is_all_day else occurrence.ends_at - starts_at
        )
        minutes = round(length.total_seconds() / 60)
        minutes = max(1, round(minutes / DAY_MINUTES)) * DAY_MINUTES if meeting.is_all_day else minutes
    return MeetingDraft(
        title=meeting.title if occurrence.title is None or not alone else occurrence.title,
        start_date=wall.date(),
        start_time=wall.time(),
        time_zone=meeting.time_zone,
        minutes=minutes,
        description=meeting.description if occurrence.description is None or not alone else occurrence.description,
        place=meeting.place if occurrence.place is None or not alone else occurrence.place,
        privacy=meeting.privacy,
        wants_room=meeting.room_id is not None,
        wants_tchap=meeting.wants_tchap,
        attendees=tuple(_invitee(one) for one in _people(meeting, occurrence, alone=alone)),
        is_all_day=meeting.is_all_day,
        rule="" if alone else meeting.rrule,
        rdates=() if alone else timetable.rdates,
        exdates=() if alone else timetable.exdates,
        resources=booked.held(meeting, occurrence if alone else None),
    )


def _people(meeting: Meeting, occurrence: Occurrence, *, alone: bool) -> list[Attendee]:
    if alone:
        return people_of_date(meeting, occurrence)
    guests = meeting.attendees.filter(only_occurrence=None).exclude(role=Role.CHAIR)
    return list(guests.select_related("agent").order_by("pk"))


def _invitee(attendee: Attendee) -> Invitee:
    return Invitee(attendee.email, attendee.name, attendee.agent_id, attendee.role)
