"""The whole meeting is edited or cancelled: a one-off, or a series that has not begun, or words and people of any series."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

from suite.core.events import publish
from visio.events import AttendeesRemoved, MeetingCancelled, MeetingChanged
from visio.meetings import booked
from visio.meetings.acts import (
    Act,
    apply_texts,
    before_of,
    check_version,
    close_room,
    lock_for,
    overtake_counters,
    reset_answers,
    worth_telling,
)
from visio.meetings.attendance import add_attendees, apply_names, compare, guests_of, hull, sync_times
from visio.meetings.dates import current_occurrence
from visio.meetings.drafts import MeetingDraft, validate_draft
from visio.meetings.laying import lay_again
from visio.meetings.models import (
    Attendee,
    ChangeKind,
    DeliveryReason,
    Meeting,
    Occurrence,
    Role,
    Status,
)
from visio.meetings.owing import LostDate, owe_after_edit, owe_cancellations, owe_lost_dates
from visio.meetings.refusals import DraftRefused, MeetingOver
from visio.meetings.shifting import is_moved, whole_timetable
from visio.meetings.timetable import Timetable
from visio.meetings.traces import Roll, index_for_search, remember, remember_edit, times_of


def edit(
    *, meeting: Meeting, draft: MeetingDraft, revision: int, act: Act, occurrence: Occurrence | None = None
) -> Meeting:
    """Make the whole meeting what `draft` says. `occurrence`: the date that the form showed, whose start the draft's is.

    A series that has begun keeps its times here (it may end elsewhere): MeetingOver when the draft moves it; see
    series.change. In a transaction.
    """
    meeting = lock_for(meeting, act.by)
    current = current_occurrence(meeting, act.now)
    if meeting.is_cancelled or is_over(meeting, current, act.now):
        raise MeetingOver
    check_version(meeting, revision)
    shown = occurrence or current
    errors = validate_draft(draft, now=act.now, unchanged_start=shown.starts_at)
    if errors:
        raise DraftRefused(errors)
    old = Timetable.of_meeting(meeting)
    new = whole_timetable(old, draft, shown)
    retimed = old != new
    if meeting.is_series and is_moved(old, new) and has_begun(meeting, act.now):
        raise MeetingOver

    before = before_of(meeting, shown if not meeting.is_series else _plain(current))
    times_before = times_of(current, meeting)
    fields = apply_texts(meeting, draft, act.now)
    if old.rule != new.rule:
        fields["rule"] = []
    if booked.held(meeting) != tuple(sorted(set(draft.resources))):
        fields["resources"] = []
    guests = guests_of(draft, meeting.organiser)
    present = meeting.attendees.exclude(role=Role.CHAIR).select_related("agent")
    once = list(present.filter(only_occurrence__isnull=False))
    roll = compare(list(present.filter(only_occurrence=None)), guests)
    apply_names(roll.kept, guests)
    if not (retimed or fields or roll.added or roll.removed):
        return meeting
    meeting.revision += 1
    # R5: new times, and every CANCEL (R2: removing someone is one).
    if retimed or roll.removed:
        meeting.sequence += 1
    new.write(meeting)
    meeting.save()

    moved = is_moved(old, new)
    upgraded = _upgrade(once, roll)
    once = [row for row in once if row.pk not in {one.pk for one in upgraded}]
    dead: list[Attendee] = []
    dates_before = dates_of(once)
    if retimed:
        gone = lay_again(meeting, old, new, now=act.now)
        dead = [row for row in once if row.only_occurrence_id in gone]
        if moved:
            reset_answers(meeting)
            overtake_counters(meeting, act.now)
    starts_at, ends_at = hull(meeting)
    fresh = [invitee for invitee in roll.added if invitee.email not in {row.email for row in upgraded}]
    added = [*upgraded, *add_attendees(meeting, fresh, starts_at=starts_at, ends_at=ends_at, now=act.now)]
    if retimed or upgraded:
        sync_times(meeting)
    if fields:
        index_for_search(meeting)
    booked.follow(meeting, by=act.by, now=act.now, resource_ids=draft.resources)

    after = times_of(current_occurrence(meeting, act.now), meeting)
    moved_line = times_before if moved or (retimed and times_before != after) else None
    remember_edit(meeting, act.by, act.now, moved_line, after, fields, roll)
    reason = _reason(moved=moved, told=(retimed and not moved) or worth_telling(fields, act.notify))
    take_back_dates(meeting, once, dates_before, act)
    owe_after_edit(
        meeting=meeting,
        added=added,
        removed=roll.removed,
        kept=[*roll.kept, *(row for row in once if row not in dead)],
        reason=reason,
        telling=act.telling(before=before),
    )
    let_go(meeting, [*roll.removed, *dead])
    publish(MeetingChanged(meeting_id=meeting.pk))
    return meeting


def take_back_dates(
    meeting: Meeting, once: Sequence[Attendee], dates_before: Mapping[int, Occurrence], act: Act
) -> None:
    """Guests of one date know it by its original start: where that moved or went, the old one leaves their calendar.

    `once` as they were before, like `dates_before`. Where that date is now the whole meeting, the REQUEST for it replaces
    what they have (RFC 5546 §3.2.2).
    """
    now = _rows(dates_before)
    lost = []
    for row in once:
        pk = row.only_occurrence_id or 0
        before, after = dates_before.get(pk), now.get(pk)
        if before is None or (after is not None and after.recurrence_id in (before.recurrence_id, None)):
            continue
        reason = DeliveryReason.MOVED if after is not None else DeliveryReason.CANCELLED
        lost.append(LostDate(row, before, reason, before_of(meeting, before)))
    owe_lost_dates(meeting=meeting, lost=lost, telling=act.telling())


def dates_of(once: Iterable[Attendee]) -> dict[int, Occurrence]:
    """The dates to which these guests of one date are invited, by id."""
    return _rows(row.only_occurrence_id for row in once if row.only_occurrence_id is not None)


def _rows(dates: Iterable[int]) -> dict[int, Occurrence]:
    return Occurrence.objects.in_bulk(list(dates))


def cancel(*, meeting: Meeting, act: Act) -> None:
    """Cancel all of it; `meeting` shows it. Raises NotOrganiser, and MeetingOver when it is over. In a transaction."""
    found = lock_for(meeting, act.by)
    if not found.is_cancelled:
        current = current_occurrence(found, act.now)
        if is_over(found, current, act.now):
            raise MeetingOver
        before = before_of(found, current)
        found.status = Status.CANCELLED
        found.sequence += 1
        found.revision += 1
        found.save()
        found.occurrences.filter(ends_at__gt=act.now).update(status=Status.CANCELLED)
        sync_times(found)
        close_room(found, act.now)
        overtake_counters(found, act.now)
        booked.release(found)
        remember(found, act.by, act.now, ChangeKind.CANCELLED, {})
        guests = list(found.attendees.exclude(role=Role.CHAIR).select_related("agent"))
        owe_cancellations(
            meeting=found, attendees=guests, reason=DeliveryReason.CANCELLED, telling=act.telling(before=before)
        )
        publish(MeetingCancelled(meeting_id=found.pk))
    meeting.status, meeting.sequence, meeting.revision = found.status, found.sequence, found.revision


def is_over(meeting: Meeting, current: Occurrence, now: dt.datetime) -> bool:
    """Nothing of it is still to come, also beyond the horizon."""
    return current.ends_at <= now and meeting.expanded_until is None


def has_begun(meeting: Meeting, now: dt.datetime) -> bool:
    return meeting.occurrences.filter(starts_at__lte=now).exists()


def _plain(occurrence: Occurrence) -> Occurrence:
    """Its times with the series' own words: what a letter about the whole series compares with."""
    return Occurrence(
        recurrence_id=occurrence.recurrence_id, starts_at=occurrence.starts_at, ends_at=occurrence.ends_at
    )


def _upgrade(once: list[Attendee], roll: Roll) -> list[Attendee]:
    """Guests of one date who are on the list of the series now."""
    emails = {invitee.email for invitee in roll.added}
    agents = {invitee.agent_id for invitee in roll.added if invitee.agent_id is not None}
    upgraded = [row for row in once if row.email in emails or row.agent_id in agents]
    for row in upgraded:
        row.only_occurrence = None
        row.save(update_fields=["only_occurrence"])
    return upgraded


def let_go(meeting: Meeting, removed: list[Attendee]) -> None:
    """Their rows go, after the e-mails that needed them."""
    if removed:
        Attendee.objects.filter(pk__in=[attendee.pk for attendee in removed]).delete()
        gone = tuple(attendee.agent_id for attendee in removed if attendee.agent_id is not None)
        publish(AttendeesRemoved(meeting_id=meeting.pk, agent_ids=gone))


def _reason(*, moved: bool, told: bool) -> DeliveryReason | None:
    if moved:
        return DeliveryReason.MOVED
    return DeliveryReason.CHANGED if told else None
