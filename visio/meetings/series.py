"""Change or cancel this date, this and the following, or all of them. Each act can be undone for a few seconds."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from suite.agents.models import Agent
from visio.meetings import following, one_date, whole
from visio.meetings.acts import Act, check_version, lock_for
from visio.meetings.dates import current_occurrence
from visio.meetings.drafts import MeetingDraft, validate_draft
from visio.meetings.models import Meeting, Occurrence, Status
from visio.meetings.refusals import DraftRefused, MeetingOver
from visio.meetings.scopes import Notify, Scope
from visio.meetings.shifting import is_moved, whole_timetable
from visio.meetings.timetable import Timetable
from visio.meetings.undo import UNDO_SECONDS, offer_undo, photograph

_UNDO = dt.timedelta(seconds=UNDO_SECONDS)


@transaction.atomic
def change(
    *,
    meeting: Meeting,
    occurrence: Occurrence | None = None,
    scope: str = Scope.ALL,
    by: Agent,
    draft: MeetingDraft,
    revision: int,
    now: dt.datetime,
    notify: str = Notify.DEFAULT,
    undoable: bool = True,
) -> Meeting:
    """Make what `scope` names of the meeting what `draft` says; the meeting that has it now.

    `occurrence`: the date that the form showed (None: the current one); the draft's start is that date's new start, also for
    `following` and `all`. The meeting that is returned is another one (`split_from` the first) after `following`, and after
    `all` moved a series that has begun: its past stays as it was, and the move begins with its next date.
    For `one` the draft's rule, privacy, room and Tchap are not looked at, nor its zone when days are whole. For the others its
    rule is what the series' is to be.

    When something moves, the e-mails wait for UNDO_SECONDS and `undo.undo` takes it back; `undoable` False sends at once.
    Raises NotOrganiser, MeetingOver, EditConflict, DraftRefused, and visio.places.bookings.ResourcesTaken.
    """
    found = lock_for(meeting, by)
    shown = _as_it_is(found, occurrence, now)
    if shown is None:
        # Somebody else's act took the date away, and made another version.
        check_version(found, revision)
        raise MeetingOver
    moves = _moves(found, shown, Scope(scope), draft, now)
    act = Act(by, now, Notify(notify), now + _UNDO if undoable and moves else None)
    picture = photograph(found) if act.due_at is not None else None
    result = _change(found, shown, Scope(scope), draft, revision, act)
    if picture is not None:
        offer_undo(found, picture, by=by, until=now + _UNDO, rest=result if result.pk != found.pk else None)
    return result


@transaction.atomic
def cancel(
    *,
    meeting: Meeting,
    occurrence: Occurrence | None = None,
    scope: str = Scope.ALL,
    by: Agent,
    now: dt.datetime,
    notify: str = Notify.DEFAULT,
    undoable: bool = True,
    revision: int | None = None,
) -> None:
    """What `scope` names does not take place. Twice is once. `revision`: the version that the page showed, when it matters.

    Raises NotOrganiser, MeetingOver, EditConflict.
    """
    found = lock_for(meeting, by)
    if revision is not None:
        check_version(found, revision)
    shown = _as_it_is(found, occurrence if scope != Scope.ALL else None, now)
    if shown is None:
        _check_gone(found, occurrence, Scope(scope))
        meeting.refresh_from_db()
        return
    act = Act(by, now, Notify(notify), now + _UNDO if undoable else None)
    version = found.revision
    picture = photograph(found) if undoable and not found.is_cancelled else None
    if not found.is_series or scope == Scope.ALL or _is_all(found, shown, Scope(scope), now):
        whole.cancel(meeting=found, act=act)
    elif scope == Scope.ONE:
        one_date.cancel(meeting=found, occurrence=shown, act=act)
    else:
        _check_date(found, shown, now)
        following.end_before(meeting=found, occurrence=shown, act=act)
    if picture is not None and found.revision != version:
        offer_undo(found, picture, by=by, until=now + _UNDO)
    meeting.refresh_from_db()


def _change(meeting: Meeting, shown: Occurrence, scope: Scope, draft: MeetingDraft, revision: int, act: Act) -> Meeting:
    if not meeting.is_series:
        return whole.edit(meeting=meeting, draft=draft, revision=revision, act=act, occurrence=shown)
    if scope == Scope.ONE:
        return one_date.change(meeting=meeting, occurrence=shown, draft=draft, revision=revision, act=act)
    start_with = shown if scope == Scope.FOLLOWING and not _is_first(meeting, shown) else None
    if start_with is None and _moves(meeting, shown, Scope.ALL, draft, act.now) and whole.has_begun(meeting, act.now):
        start_with = _next_date(meeting, act.now)
    if start_with is None:
        return whole.edit(meeting=meeting, draft=draft, revision=revision, act=act, occurrence=shown)
    _check_date(meeting, start_with, act.now)
    check_version(meeting, revision)
    errors = validate_draft(draft, now=act.now, unchanged_start=shown.starts_at, may_have_begun=shown != start_with)
    if errors:
        raise DraftRefused(errors)
    return following.split(meeting=meeting, occurrence=start_with, draft=draft, act=act, shown=shown)


def _as_it_is(meeting: Meeting, occurrence: Occurrence | None, now: dt.datetime) -> Occurrence | None:
    """That date now that nobody else can change it, for whoever looked at it before; None when it is the meeting's no more."""
    if occurrence is None:
        return current_occurrence(meeting, now)
    if occurrence._state.adding:
        # No row: a date as the rule has it.
        return occurrence
    found = meeting.occurrences.filter(pk=occurrence.pk).first()
    if found is not None:
        found.meeting = meeting
    return found


def _check_gone(meeting: Meeting, occurrence: Occurrence | None, scope: Scope) -> None:
    """Raises MeetingOver unless what was to be cancelled takes place no more anyway: twice is once."""
    if meeting.is_cancelled or occurrence is None:
        return
    later = meeting.occurrences.filter(recurrence_id__gte=occurrence.recurrence_id or occurrence.starts_at)
    follows = scope == Scope.FOLLOWING and (meeting.expanded_until is not None or later.exists())
    if follows or Occurrence.objects.filter(pk=occurrence.pk).exists():
        raise MeetingOver


def _moves(meeting: Meeting, shown: Occurrence, scope: Scope, draft: MeetingDraft, now: dt.datetime) -> bool:
    """Whether a valid draft moves dates that are there."""
    alone = meeting.is_series and scope == Scope.ONE
    if alone:
        draft = one_date.asked_of_date(meeting, draft)
    if validate_draft(draft, now=now, may_have_begun=True):
        return False
    if alone:
        return draft.span() != (shown.starts_at, shown.ends_at)
    old = Timetable.of_meeting(meeting)
    return scope == Scope.FOLLOWING or is_moved(old, whole_timetable(old, draft, shown))


def _is_first(meeting: Meeting, occurrence: Occurrence) -> bool:
    return not meeting.occurrences.filter(recurrence_id__lt=occurrence.recurrence_id).exists()


def _is_all(meeting: Meeting, shown: Occurrence, scope: Scope, now: dt.datetime) -> bool:
    """Whether nothing of the series would be left: its first date and the following, or the only date that takes place."""
    if meeting.is_cancelled:
        return True
    dates = meeting.occurrences.filter(status=Status.CONFIRMED).exclude(pk=shown.pk)
    if scope == Scope.ONE:
        return shown.status == Status.CONFIRMED and meeting.expanded_until is None and not dates.exists()
    return not dates.filter(recurrence_id__lt=shown.recurrence_id).exists()


def _check_date(meeting: Meeting, occurrence: Occurrence, now: dt.datetime) -> None:
    if meeting.is_cancelled or occurrence.ends_at <= now:
        raise MeetingOver


def _next_date(meeting: Meeting, now: dt.datetime) -> Occurrence:
    """The first date that has not begun, by the rule's own order. Raises MeetingOver when there is none."""
    coming = meeting.occurrences.filter(recurrence_id__gt=now, starts_at__gt=now, status=Status.CONFIRMED)
    found = coming.order_by("recurrence_id").first()
    if found is None or meeting.is_cancelled:
        raise MeetingOver
    return found
