"""Another time that an attendee proposes (COUNTER); the organiser takes it or keeps the one there is (R20)."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from suite.agents.models import Agent
from suite.core.events import publish
from suite.core.plain import one_line
from suite.core.refusals import Refusal
from visio.events import CounterDecided, CounterProposed
from visio.meetings import series
from visio.meetings.acts import Act, before_of, lock_for, locked
from visio.meetings.answers import AnswerRefused, check_open
from visio.meetings.dates import current_occurrence
from visio.meetings.drafting import draft_of
from visio.meetings.drafts import DAY_MINUTES
from visio.meetings.exception_models import CounterProposal, CounterState
from visio.meetings.models import LONGEST, Attendee, ChangeKind, Meeting, Occurrence, Role
from visio.meetings.owing import owe_refusal
from visio.meetings.refusals import DraftRefused
from visio.meetings.scopes import Scope
from visio.meetings.timetable import Timetable
from visio.meetings.traces import remember

COMMENT_LENGTH = 500


class CounterRefused(Refusal):
    """The proposal, or what is decided of it, is not taken. `why`: what the rules of meetings say, of "taken" (the meeting's
    room is, at that time) and "impossible".
    """

    WORDS = {
        "cancelled": _("Cette réunion est annulée."),
        "over": _("Cette réunion est terminée."),
        "organiser": _("Vous organisez cette réunion : déplacez-la."),
        "not_invited": _("Vous n’êtes pas sur la liste de cette date."),
        "past": _("L’horaire proposé est déjà passé."),
        "reversed": _("La fin doit venir après le début."),
        "too_long": _("Une réunion dure quatorze jours au plus."),
        "unchanged": _("C’est déjà l’horaire de la réunion."),
        "decided": _("Cette proposition n’attend plus de décision."),
        "taken": _("L’horaire proposé n’a pas pu être retenu, la réunion n’a pas changé. %(why)s"),
        "impossible": _("L’horaire proposé n’a pas pu être retenu, la réunion n’a pas changé. %(why)s"),
    }


@transaction.atomic
def propose(
    *,
    attendee: Attendee,
    occurrence: Occurrence | None,
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    comment: str = "",
    via: str,
    revision: int | None = None,
    now: dt.datetime,
) -> CounterProposal:
    """Keep the proposal, in place of the one that the same person had pending for the same date. SEQUENCE stays (R5).

    `occurrence`: the date of a series; None for a one-off, or for all dates of a series, whose next date the times are.
    `revision`: the version that the person saw. Raises CounterRefused.
    """
    meeting = locked(attendee.meeting)
    attendee = Attendee.objects.select_related("meeting", "agent").get(pk=attendee.pk)
    date = _date_of(meeting, attendee, occurrence, now)
    shown = date or current_occurrence(meeting, now)
    if ends_at <= starts_at:
        raise CounterRefused("reversed")
    if ends_at - starts_at > LONGEST:
        raise CounterRefused("too_long")
    if starts_at <= now:
        raise CounterRefused("past")
    if (starts_at, ends_at) == (shown.starts_at, shown.ends_at):
        raise CounterRefused("unchanged")
    CounterProposal.objects.filter(attendee=attendee, occurrence=date, state=CounterState.PENDING).update(
        state=CounterState.OVERTAKEN, decided_at=now
    )
    counter = CounterProposal.objects.create(
        meeting=meeting,
        occurrence=date,
        attendee=attendee,
        starts_at=starts_at,
        ends_at=ends_at,
        comment=one_line(comment)[:COMMENT_LENGTH],
        via=via,
        revision=min(revision or meeting.revision, meeting.revision),
    )
    details = {
        "name": attendee.display_name,
        "starts_at": starts_at.isoformat(),
        "ends_at": ends_at.isoformat(),
        "via": via,
    }
    if date is not None and date.recurrence_id is not None:
        details["date"] = date.recurrence_id.isoformat()
    remember(meeting, attendee.agent, now, ChangeKind.COUNTERED, details)
    publish(CounterProposed(meeting_id=meeting.pk, counter_id=counter.pk))
    return counter


@transaction.atomic
def accept(*, counter: CounterProposal, by: Agent, now: dt.datetime) -> Meeting:
    """The meeting (or that date) moves to the proposed time: a REQUEST with SEQUENCE+1 to all. The meeting that has it.

    Raises NotOrganiser, MeetingOver, CounterRefused("decided", "taken" or "impossible"); then nothing was written.
    """
    meeting = lock_for(counter.meeting, by)
    found = _pending(counter)
    scope = Scope.ONE if meeting.is_series and found.occurrence is not None else Scope.ALL
    shown = found.occurrence or current_occurrence(meeting, now)
    timetable = Timetable.of_meeting(meeting)
    wall = timetable.wall_of(found.starts_at)
    minutes = round((found.ends_at - found.starts_at).total_seconds() / 60)
    if meeting.is_all_day:
        minutes = max(1, round(minutes / DAY_MINUTES)) * DAY_MINUTES
    draft = replace(
        draft_of(meeting, shown, scope=scope), start_date=wall.date(), start_time=wall.time(), minutes=minutes
    )
    try:
        moved = series.change(
            meeting=meeting,
            occurrence=shown,
            scope=scope,
            by=by,
            draft=draft,
            revision=meeting.revision,
            now=now,
            undoable=False,
        )
    except DraftRefused as refused:
        why = " ".join(line for lines in refused.errors.values() for line in lines)
        raise CounterRefused("taken" if "resources" in refused.errors else "impossible", why=why) from refused
    _decide(found, CounterState.ACCEPTED, by, now)
    return moved


@transaction.atomic
def refuse(*, counter: CounterProposal, by: Agent, now: dt.datetime, words: str = "") -> None:
    """The time stays: a DECLINECOUNTER to that attendee, same SEQUENCE. Raises NotOrganiser, CounterRefused("decided")."""
    meeting = lock_for(counter.meeting, by)
    found = _pending(counter)
    shown = found.occurrence or current_occurrence(meeting, now)
    before = before_of(meeting, shown) | {
        "proposed_starts_at": found.starts_at.isoformat(),
        "proposed_ends_at": found.ends_at.isoformat(),
        "words": one_line(words)[:COMMENT_LENGTH],
    }
    date = found.occurrence if meeting.is_series else None
    owe_refusal(meeting=meeting, attendee=found.attendee, telling=Act(by, now).telling(before=before, date=date))
    _decide(found, CounterState.REFUSED, by, now)


def _date_of(
    meeting: Meeting, attendee: Attendee, occurrence: Occurrence | None, now: dt.datetime
) -> Occurrence | None:
    if attendee.role == Role.CHAIR:
        raise CounterRefused("organiser")
    wanted = occurrence or attendee.only_occurrence
    try:
        check_open(attendee, wanted, now)
    except AnswerRefused as refused:
        raise CounterRefused(refused.reason) from refused
    return wanted if meeting.is_series else None


def _pending(counter: CounterProposal) -> CounterProposal:
    found = CounterProposal.objects.select_related("attendee__agent", "occurrence").get(pk=counter.pk)
    if found.state != CounterState.PENDING:
        raise CounterRefused("decided")
    return found


def _decide(counter: CounterProposal, state: CounterState, by: Agent, now: dt.datetime) -> None:
    counter.state, counter.decided_at, counter.decided_by = state, now, by
    counter.save(update_fields=["state", "decided_at", "decided_by"])
    publish(CounterDecided(meeting_id=counter.meeting_id, counter_id=counter.pk))
