"""This date and the following ones: the series ends before it, and the rest is a meeting of its own (R4)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import replace

from suite.core.events import publish
from suite.core.plain import clean_text, one_line
from visio.events import MeetingChanged, MeetingScheduled
from visio.meetings import booked
from visio.meetings.acts import Act, before_of
from visio.meetings.attendance import add_attendees, chair, guests_of, hull, sync_times
from visio.meetings.drafts import MeetingDraft
from visio.meetings.exception_models import AttendeeException, CounterProposal, CounterState
from visio.meetings.laying import lay
from visio.meetings.models import (
    Answer,
    Attendee,
    ChangeKind,
    DeliveryReason,
    Meeting,
    Occurrence,
    Role,
    Status,
)
from visio.meetings.owing import LostDate, owe_after_edit, owe_invitations, owe_lost_dates
from visio.meetings.recurrence import Start, parse_rule, settled
from visio.meetings.recurrence import split as split_rule
from visio.meetings.shifting import is_moved, original_wall, shift_of, shifted
from visio.meetings.timetable import Timetable
from visio.meetings.traces import index_for_search, remember
from visio.meetings.whole import let_go
from visio.rooms.models import Room


def parts(old: Timetable, occurrence: Occurrence) -> tuple[Timetable, Timetable]:
    """The series until just before that date, and from it on; together they make what it made."""
    at = Start(original_wall(old, occurrence), occurrence.recurrence_id or occurrence.starts_at)
    head_dates = [tuple(wall for wall in walls if old.literal(wall).at < at.at) for walls in (old.rdates, old.exdates)]
    tail_dates = [tuple(wall for wall in walls if old.literal(wall).at >= at.at) for walls in (old.rdates, old.exdates)]
    head = replace(old, rdates=head_dates[0], exdates=head_dates[1])
    tail = replace(old, rdates=tail_dates[0], exdates=tail_dates[1])
    made = old.next(at.at)
    if made is None:
        # Only added dates are left: the first of them begins the rest.
        return head, replace(tail, start=at.wall, rule="FREQ=DAILY;COUNT=1")
    rule = parse_rule(old.rule, is_all_day=old.is_all_day)
    before, after = split_rule(rule, start=old.start, zone=old.zone, is_all_day=old.is_all_day, at=made)
    return replace(head, rule=_text(before, old, old.start)), replace(
        tail, start=made.wall, rule=_text(after, old, made.wall)
    )


def split(*, meeting: Meeting, occurrence: Occurrence, draft: MeetingDraft, act: Act, shown: Occurrence) -> Meeting:
    """The series ends before `occurrence`; the rest, as `draft` says, is the meeting that is returned.

    `shown`: the date whose start the draft's is. `meeting` is locked, and the draft is valid. Guests keep their answers
    unless the dates move (R9). Overrides and cancelled dates move along, or die where the new rule has no such date.
    """
    old = Timetable.of_meeting(meeting)
    asked = Timetable.of_draft(draft)
    head, tail = parts(old, occurrence)
    delta = shift_of(old, asked, shown)
    if asked.rule == old.rule:
        asked = replace(asked, rule=tail.rule)
    if asked.rdates == old.rdates:
        asked = replace(asked, rdates=tail.rdates)
    if asked.exdates == old.exdates:
        asked = replace(asked, exdates=tail.exdates)
    new = shifted(tail, asked, delta) if asked.is_series else asked
    moved = is_moved(tail, new)
    before = before_of(meeting, _at(occurrence, old))
    rows = list(meeting.occurrences.filter(recurrence_id__gte=occurrence.recurrence_id).order_by("recurrence_id"))
    guests = list(meeting.attendees.exclude(role=Role.CHAIR).select_related("agent"))
    once = [one for one in guests if one.only_occurrence_id in {row.pk for row in rows}]
    _take_back(meeting, rows, once, act)

    rest = _begin(meeting, draft, new, act)
    keep = {row.pk: row for row in rows}
    gone = lay(rest, rows, tail, new, now=act.now)
    _end(meeting, head)
    people = _people(rest, draft, guests, act, moved=moved)
    agents = {one.agent_id for one in people.values() if one.agent_id is not None}
    moving = [
        one
        for one in once
        if one.only_occurrence_id not in gone and one.email not in people and one.agent_id not in agents
    ]
    _move_guests(rest, moving, moved=moved)
    let_go(meeting, [one for one in once if one not in moving])
    _move_exceptions(rest, people, keep.keys() - gone, moved=moved)
    sync_times(meeting)
    sync_times(rest)
    index_for_search(rest)

    about = {"scope": "following", "date": _iso(occurrence)}
    details = {"fields": {"rule": []}, "split_into": str(rest.public_id)} | about
    remember(meeting, act.by, act.now, ChangeKind.EDITED, details)
    remember(
        rest,
        act.by,
        act.now,
        ChangeKind.CREATED,
        {"attendees": len(people) + 1, "split_from": str(meeting.public_id)},
    )
    booked.follow(rest, by=act.by, now=act.now, resource_ids=draft.resources)
    _tell_end(meeting, guests, before, act)
    if not act.telling().is_silent:
        invited = [*people.values(), *moving]
        owe_invitations(meeting=rest, attendees=invited, reason=DeliveryReason.INVITED, now=act.now, due_at=act.due_at)
    publish(MeetingChanged(meeting_id=meeting.pk))
    publish(MeetingScheduled(meeting_id=rest.pk))
    return rest


def end_before(*, meeting: Meeting, occurrence: Occurrence, act: Act) -> None:
    """That date and the following do not take place: the series ends before. `meeting` is locked."""
    old = Timetable.of_meeting(meeting)
    head, _tail = parts(old, occurrence)
    before = before_of(meeting, _at(occurrence, old))
    rows = list(meeting.occurrences.filter(recurrence_id__gte=occurrence.recurrence_id))
    guests = list(meeting.attendees.exclude(role=Role.CHAIR).select_related("agent"))
    once = [one for one in guests if one.only_occurrence_id in {row.pk for row in rows}]
    _take_back(meeting, rows, once, act)
    let_go(meeting, once)
    booked.release(meeting, occurrence_ids=[row.pk for row in rows])
    Occurrence.objects.filter(pk__in=[row.pk for row in rows]).delete()
    _end(meeting, head)
    sync_times(meeting)
    remember(
        meeting,
        act.by,
        act.now,
        ChangeKind.CANCELLED,
        # The rule says which dates there were (visio.meetings.gone_dates).
        {"scope": "following", "date": _iso(occurrence), "rule": old.rule, "start": old.start.isoformat()},
    )
    _tell_end(meeting, guests, before, act)
    publish(MeetingChanged(meeting_id=meeting.pk))


def _take_back(meeting: Meeting, rows: Iterable[Occurrence], once: list[Attendee], act: Act) -> None:
    """Guests of one of these dates alone: their date leaves this series. The version rises here, once."""
    meeting.revision += 1
    meeting.sequence += 1
    dates = {row.pk: row for row in rows}
    told = {row.pk: before_of(meeting, row) for row in dates.values()} if once else {}
    lost = [
        LostDate(one, dates[pk], DeliveryReason.CANCELLED, told[pk])
        for one in once
        if (pk := one.only_occurrence_id) is not None
    ]
    owe_lost_dates(meeting=meeting, lost=lost, telling=act.telling())


def _end(meeting: Meeting, head: Timetable) -> None:
    """Write the shortened series. All that is left of it are rows, unless the cut is at a date beyond the horizon."""
    head.write(meeting)
    if meeting.expanded_until is not None and meeting.until is not None and meeting.until < meeting.expanded_until:
        meeting.expanded_until = None
    meeting.save()


def _tell_end(meeting: Meeting, guests: list[Attendee], before: dict[str, object], act: Act) -> None:
    """R4: the shortened series is mailed."""
    kept = [one for one in guests if one.only_occurrence_id is None]
    owe_after_edit(
        meeting=meeting,
        added=[],
        removed=[],
        kept=kept,
        reason=DeliveryReason.CHANGED,
        telling=act.telling(before=before),
    )


def _begin(meeting: Meeting, draft: MeetingDraft, new: Timetable, act: Act) -> Meeting:
    room = meeting.room
    rest = Meeting(
        organiser=meeting.organiser,
        title=one_line(draft.title),
        description=clean_text(draft.description),
        place=one_line(draft.place),
        privacy=draft.privacy,
        wants_tchap=draft.wants_tchap,
        room=Room.objects.create(**({"access_level": room.access_level} if room else {})) if draft.wants_room else None,
        scheduled_by=act.by if act.by.pk != meeting.organiser_id else meeting.scheduled_by,
        creation_key=uuid.uuid4(),
        split_from=meeting,
        is_demo=meeting.is_demo,
    )
    new.write(rest)
    rest.save()
    return rest


def _people(
    rest: Meeting, draft: MeetingDraft, guests: list[Attendee], act: Act, *, moved: bool
) -> dict[str, Attendee]:
    """The guests of the rest by address, with the answers that they gave to the series when nothing moved."""
    starts_at, ends_at = hull(rest)
    invitees = (chair(rest.organiser), *guests_of(draft, rest.organiser))
    rows = add_attendees(rest, invitees, starts_at=starts_at, ends_at=ends_at, now=act.now)[1:]
    answered = {
        one.email: one for one in guests if one.only_occurrence_id is None and one.answer != Answer.NEEDS_ACTION
    }
    same = []
    for row in rows:
        before = answered.get(row.email)
        if before is not None and not moved:
            row.answer, row.answered_at, row.comment = before.answer, before.answered_at, before.comment
            row.answered_via, row.answered_revision = before.answered_via, rest.revision
            same.append(row)
    fields = ["answer", "answered_at", "comment", "answered_via", "answered_revision"]
    Attendee.objects.bulk_update(same, fields, batch_size=1000)
    return {row.email: row for row in rows}


def _move_guests(rest: Meeting, guests: list[Attendee], *, moved: bool) -> None:
    """Guests of one date go with their date; their link stays."""
    for one in guests:
        one.meeting = rest
        if moved:
            one.answer = Answer.NEEDS_ACTION
    Attendee.objects.bulk_update(guests, ["meeting", "answer"], batch_size=1000)


def _move_exceptions(rest: Meeting, people: dict[str, Attendee], dates: Iterable[int], *, moved: bool) -> None:
    """What differed for one person on one date, now of the rest's people."""
    CounterProposal.objects.filter(occurrence__in=dates, state=CounterState.PENDING).update(
        state=CounterState.OVERTAKEN
    )
    kept, dropped = [], []
    for exception in AttendeeException.objects.filter(occurrence__in=dates).select_related("attendee"):
        row = people.get(exception.attendee.email)
        if row is None or exception.attendee.meeting_id == rest.pk or (moved and not exception.removed):
            dropped.append(exception.pk)
            continue
        exception.attendee = row
        kept.append(exception)
    AttendeeException.objects.filter(pk__in=dropped).delete()
    AttendeeException.objects.bulk_update(kept, ["attendee"], batch_size=1000)


def _at(occurrence: Occurrence, old: Timetable) -> Occurrence:
    """The date as the series had it."""
    at = occurrence.recurrence_id or occurrence.starts_at
    start = Start(original_wall(old, occurrence), at)
    return Occurrence(recurrence_id=at, starts_at=at, ends_at=old.end_of(start), status=Status.CONFIRMED)


def _text(rule: object, table: Timetable, start: dt.datetime) -> str:
    parsed = parse_rule(str(rule), is_all_day=table.is_all_day)
    return str(settled(parsed, start=start, zone=table.zone, is_all_day=table.is_all_day))


def _iso(occurrence: Occurrence) -> str:
    return (occurrence.recurrence_id or occurrence.starts_at).isoformat()
