"""Carry out an import: each meeting in a transaction of its own, so that it can be stopped and begun again anywhere.

Nobody is mailed (R19) unless the agent asks for it, and then only of what they organise and what is not over.
"""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import transaction

from suite.agents.models import Agent
from suite.core.events import publish
from visio.events import MeetingChanged
from visio.exchange.models import CalendarImport
from visio.exchange.planning import Plan, Step
from visio.exchange.sorting import Date
from visio.meetings import booked
from visio.meetings.acts import Act, apply_texts, locked, overtake_counters, reset_answers, worth_telling
from visio.meetings.attendance import add_attendees, apply_names, compare, guests_of, hull, sync_times
from visio.meetings.dates import current_occurrence
from visio.meetings.horizon import write_dates
from visio.meetings.laying import lay_again
from visio.meetings.models import DeliveryReason, Meeting, Role, Status
from visio.meetings.owing import owe_after_edit
from visio.meetings.refusals import DraftRefused, MeetingOver
from visio.meetings.scheduling import cancel_meeting, schedule_meeting
from visio.meetings.scopes import Notify
from visio.meetings.shifting import is_moved
from visio.meetings.timetable import Timetable
from visio.meetings.traces import index_for_search, remember_edit, times_of
from visio.meetings.whole import dates_of, let_go, take_back_dates
from visio.places.refusals import ResourcesTaken

# How long one request works; a longer import goes on with the next.
SECONDS_A_REQUEST = 12.0
KEPT = dt.timedelta(days=1)


@dataclass
class Done:
    """What came of it: how many by action, the lines that could not be carried out, and how many are left for later."""

    counts: Counter[str] = field(default_factory=Counter)
    failed: list[int] = field(default_factory=list)
    left: int = 0


def keep_file(*, agent: Agent, file_name: str, content: bytes) -> CalendarImport:
    """Until it is confirmed, or for a day. One at a time: the agent's earlier file goes."""
    CalendarImport.objects.filter(agent=agent, done_at=None).delete()
    return CalendarImport.objects.create(agent=agent, file_name=file_name[:200], content=content)


def carry_out(plan: Plan, *, agent: Agent, now: dt.datetime, invites: bool, seconds: float = SECONDS_A_REQUEST) -> Done:
    """At least one step, then as many as `seconds` allow. Doing it again does only what is left."""
    done = Done()
    stop_at = time.monotonic() + seconds
    for number, step in enumerate(plan.to_do):
        if number and time.monotonic() >= stop_at:
            done.left = len(plan.to_do) - number
            break
        try:
            _do(step, agent, now, invites=invites)
        except (DraftRefused, MeetingOver, ResourcesTaken):
            done.failed.append(step.line)
        else:
            done.counts[step.action] += 1
    return done


@transaction.atomic
def _do(step: Step, agent: Agent, now: dt.datetime, *, invites: bool) -> None:
    # Two windows that confirm at once: the second waits here, and finds what the first made.
    Agent.objects.select_for_update(of=("self",), no_key=True).get(pk=agent.pk)
    notify = Notify.DEFAULT if invites and step.is_mine and not step.is_over else Notify.NOBODY
    meeting = Meeting.objects.filter(organiser=agent, source_uid=step.source_uid).first()
    if meeting is None:
        if step.action == "create":
            _create(step, agent, now, notify)
    elif step.action == "cancel":
        cancel_meeting(meeting=meeting, by=agent, now=now, notify=notify)
    elif not meeting.is_cancelled:
        _change(locked(meeting), step, Act(agent, now, notify))


def _create(step: Step, agent: Agent, now: dt.datetime, notify: Notify) -> None:
    meeting = schedule_meeting(by=agent, draft=step.draft, now=now, notify=notify, source_uid=step.source_uid)
    if step.dates:
        _write_dates(meeting, step.timetable, step.dates)
        sync_times(meeting)


def _change(meeting: Meeting, step: Step, act: Act) -> None:
    """The whole meeting becomes what the file says, past dates too: it is a copy of another calendar's."""
    old, new, draft = Timetable.of_meeting(meeting), step.timetable, step.draft
    current = current_occurrence(meeting, act.now)
    times_before = times_of(current, meeting)
    before = times_before | {
        "title": meeting.title,
        "place": meeting.place,
        "room": meeting.room.slug if meeting.room else "",
        "is_all_day": meeting.is_all_day,
        "rule": meeting.rrule,
    }
    fields = apply_texts(meeting, draft, act.now)
    guests = guests_of(draft, meeting.organiser)
    present = meeting.attendees.exclude(role=Role.CHAIR).select_related("agent")
    once = list(present.filter(only_occurrence__isnull=False))
    roll = compare(list(present.filter(only_occurrence=None)), guests)
    apply_names(roll.kept, guests)
    retimed = old != new or "dates" in step.changes
    moved = is_moved(old, new)
    meeting.revision += 1
    if retimed or roll.removed:
        meeting.sequence += 1
    new.write(meeting)
    meeting.save()
    dates_before = dates_of(once)
    gone = lay_again(meeting, old, new, now=act.now) if old != new else set()
    if retimed:
        _write_dates(meeting, new, step.dates)
    if moved:
        reset_answers(meeting)
        overtake_counters(meeting, act.now)
    starts_at, ends_at = hull(meeting)
    there = {row.email for row in once}
    fresh = [invitee for invitee in roll.added if invitee.email not in there]
    added = add_attendees(meeting, fresh, starts_at=starts_at, ends_at=ends_at, now=act.now)
    sync_times(meeting)
    index_for_search(meeting)
    booked.follow(meeting, by=act.by, now=act.now)
    after = times_of(current_occurrence(meeting, act.now), meeting)
    remember_edit(meeting, act.by, act.now, times_before if times_before != after else None, after, fields, roll)
    reason = DeliveryReason.MOVED if moved else DeliveryReason.CHANGED
    dead = [row for row in once if row.only_occurrence_id in gone]
    take_back_dates(meeting, once, dates_before, act)
    owe_after_edit(
        meeting=meeting,
        added=added,
        removed=roll.removed,
        kept=[*roll.kept, *(row for row in once if row not in dead)],
        reason=reason if retimed or worth_telling(fields, act.notify) else None,
        telling=act.telling(before=before),
    )
    let_go(meeting, [*roll.removed, *dead])
    publish(MeetingChanged(meeting_id=meeting.pk))


def _write_dates(meeting: Meeting, timetable: Timetable, dates: Sequence[Date]) -> None:
    """The rows of a series become the file's: those that it names differ, every other is as the series has it."""
    wanted = {date.at: date for date in dates}
    ends = {at: timetable.end_of(timetable.literal(timetable.wall_of(at))) for at in wanted}
    # Beyond the horizon there is no row yet.
    write_dates([(meeting.pk, at, end) for at, end in ends.items()])
    changed = []
    for row in meeting.occurrences.all():
        date = wanted.get(row.recurrence_id) if row.recurrence_id is not None else None
        if date is None and not row.is_override and row.status == Status.CONFIRMED:
            continue
        planned = row.recurrence_id or row.starts_at
        if date is None or date.is_cancelled:
            start = timetable.literal(timetable.wall_of(planned))
            row.starts_at, row.ends_at = planned, timetable.end_of(start)
            row.title = row.place = row.description = None
        else:
            row.starts_at, row.ends_at = date.starts_at, date.ends_at
            row.title, row.place, row.description = date.title, date.place, date.description
        row.is_override = date is not None and not date.is_cancelled
        row.status = Status.CANCELLED if date is not None and date.is_cancelled else Status.CONFIRMED
        row.sequence = meeting.sequence
        changed.append(row)
    fields = ["starts_at", "ends_at", "title", "place", "description", "is_override", "status", "sequence"]
    meeting.occurrences.bulk_update(changed, fields, batch_size=500)
