"""One date of a series is moved, edited or cancelled by itself: an override, told as a VEVENT of its own (R1, R3)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.utils.translation import gettext as _

from suite.core.events import publish
from suite.core.plain import clean_text, one_line
from visio.events import AttendeesRemoved, MeetingChanged
from visio.meetings import booked
from visio.meetings.acts import (
    Act,
    before_of,
    check_version,
    overtake_counters,
    reset_answers_of_date,
    worth_telling,
)
from visio.meetings.attendance import add_attendees, compare, guests_of, people_of_date, sync_times
from visio.meetings.drafts import Invitee, MeetingDraft, validate_draft
from visio.meetings.exception_models import AttendeeException
from visio.meetings.models import Attendee, ChangeKind, DeliveryReason, Meeting, Occurrence, Status
from visio.meetings.owing import owe_after_edit, owe_cancellations
from visio.meetings.refusals import DraftRefused, MeetingOver
from visio.meetings.traces import remember, remember_edit, times_of

__all__ = ["asked_of_date", "cancel", "change", "people_of_date"]


def change(*, meeting: Meeting, occurrence: Occurrence, draft: MeetingDraft, revision: int, act: Act) -> Meeting:
    """Make that date what `draft` says: times, title, place, description, people; the rest of it belongs to the series.

    `meeting` is locked. Raises MeetingOver, EditConflict, DraftRefused.
    """
    occurrence = _locked_date(meeting, occurrence, act.now)
    check_version(meeting, revision)
    draft = asked_of_date(meeting, draft)
    _validate(meeting, occurrence, draft, act.now)
    before = before_of(meeting, occurrence)
    times_before = times_of(occurrence, meeting)
    starts_at, ends_at = draft.span()
    moved = (starts_at, ends_at) != (occurrence.starts_at, occurrence.ends_at)
    fields = _apply_texts(meeting, occurrence, draft)
    if booked.held(meeting, occurrence) != tuple(sorted(set(draft.resources))):
        fields["resources"] = []
    wanted = guests_of(draft, meeting.organiser)
    roll = compare(people_of_date(meeting, occurrence), wanted)
    if not (moved or fields or roll.added or roll.removed):
        return meeting
    places = _places_for(meeting, occurrence, roll.added)

    meeting.revision += 1
    if moved or roll.removed:
        meeting.sequence += 1
    meeting.save()
    occurrence.starts_at, occurrence.ends_at = starts_at, ends_at
    if moved or fields:
        occurrence.is_override = True
        occurrence.sequence = meeting.sequence
    occurrence.save()
    if moved:
        reset_answers_of_date(meeting, occurrence)
        overtake_counters(meeting, act.now, occurrence)
    added = _add(meeting, occurrence, places, act.now)
    once = [one for one in roll.removed if one.only_occurrence_id is not None]
    _leave_out(occurrence, [one for one in roll.removed if one.only_occurrence_id is None])
    if moved or added:
        sync_times(meeting)
    booked.follow(meeting, by=act.by, now=act.now, resource_ids=draft.resources, occurrence=occurrence)
    about = {"date": _iso(occurrence)}
    after = times_of(occurrence, meeting)
    remember_edit(meeting, act.by, act.now, times_before if moved else None, after, fields, roll, about)
    told = DeliveryReason.CHANGED if worth_telling(fields, act.notify) else None
    owe_after_edit(
        meeting=meeting,
        added=added,
        removed=roll.removed,
        kept=roll.kept,
        reason=DeliveryReason.MOVED if moved else told,
        telling=act.telling(before=before, date=occurrence),
    )
    Attendee.objects.filter(pk__in=[one.pk for one in once]).delete()
    if once:
        gone = tuple(one.agent_id for one in once if one.agent_id is not None)
        publish(AttendeesRemoved(meeting_id=meeting.pk, agent_ids=gone))
    publish(MeetingChanged(meeting_id=meeting.pk))
    return meeting


def asked_of_date(meeting: Meeting, draft: MeetingDraft) -> MeetingDraft:
    """What of the draft one date can be: the rule is the series' own, and so is the zone in which its days are whole.

    An hour asked for in another zone is an instant like any other; midnights of another zone would be parts of days here.
    """
    zone = meeting.time_zone if meeting.is_all_day else draft.time_zone
    return replace(draft, rule="", rdates=(), exdates=(), time_zone=zone)


def cancel(*, meeting: Meeting, occurrence: Occurrence, act: Act) -> None:
    """That date does not take place (R1). Twice is once. `meeting` is locked. Raises MeetingOver when it has ended."""
    found = Occurrence.objects.select_for_update().get(pk=occurrence.pk)
    if found.status == Status.CANCELLED:
        return
    occurrence = _locked_date(meeting, found, act.now)
    before = before_of(meeting, occurrence)
    people = people_of_date(meeting, occurrence)
    meeting.revision += 1
    meeting.sequence += 1
    meeting.save()
    occurrence.status = Status.CANCELLED
    occurrence.sequence = meeting.sequence
    occurrence.save(update_fields=["status", "sequence"])
    overtake_counters(meeting, act.now, occurrence)
    sync_times(meeting)
    booked.release(meeting, occurrence_ids=[occurrence.pk])
    remember(meeting, act.by, act.now, ChangeKind.CANCELLED, {"date": _iso(occurrence)})
    owe_cancellations(
        meeting=meeting,
        attendees=people,
        reason=DeliveryReason.CANCELLED,
        telling=act.telling(before=before, date=occurrence),
    )
    publish(MeetingChanged(meeting_id=meeting.pk))


def _locked_date(meeting: Meeting, occurrence: Occurrence, now: dt.datetime) -> Occurrence:
    found = Occurrence.objects.select_for_update().filter(pk=occurrence.pk, meeting=meeting).first()
    if found is None or meeting.is_cancelled or found.status == Status.CANCELLED or found.ends_at <= now:
        raise MeetingOver
    return found


def _validate(meeting: Meeting, occurrence: Occurrence, draft: MeetingDraft, now: dt.datetime) -> None:
    errors = validate_draft(draft, now=now, unchanged_start=occurrence.starts_at)
    if draft.is_all_day != meeting.is_all_day:
        # RECURRENCE-ID has DTSTART's value type (R12).
        words = _("Une seule date d’une série ne peut pas devenir une journée entière, ni cesser de l’être.")
        errors.setdefault("is_all_day", []).append(words)
    if errors:
        raise DraftRefused(errors)


def _apply_texts(meeting: Meeting, occurrence: Occurrence, draft: MeetingDraft) -> dict[str, list[str]]:
    """Set the texts on the date (unsaved), NULL where they are the series'; what differed."""
    fields: dict[str, list[str]] = {}
    for name, new in (
        ("title", one_line(draft.title)),
        ("place", one_line(draft.place)),
        ("description", clean_text(draft.description)),
    ):
        inherited, own = getattr(meeting, name), getattr(occurrence, name)
        old = inherited if own is None else own
        if old != new:
            fields[name] = [] if name == "description" else [old, new]
            setattr(occurrence, name, None if new == inherited else new)
    return fields


@dataclass(frozen=True)
class _Places:
    """People to add to the date: strangers to the series, and those of the series who were left out that day."""

    new: tuple[Invitee, ...]
    back: tuple[Attendee, ...]


def _places_for(meeting: Meeting, occurrence: Occurrence, added: Sequence[Invitee]) -> _Places:
    emails = {invitee.email for invitee in added}
    agents = {invitee.agent_id for invitee in added if invitee.agent_id is not None}
    known = [
        row
        for row in meeting.attendees.select_related("agent")
        if row.email in emails or (row.agent_id is not None and row.agent_id in agents)
    ]
    elsewhere = [row.display_name for row in known if row.only_occurrence_id is not None]
    if elsewhere:
        words = _("Déjà invité à une autre date seulement : %(names)s. Invitez cette personne à toute la série.")
        raise DraftRefused({"attendees": [words % {"names": ", ".join(elsewhere)}]})
    there = {row.email for row in known}, {row.agent_id for row in known if row.agent_id is not None}
    new = tuple(one for one in added if one.email not in there[0] and one.agent_id not in there[1])
    return _Places(new, tuple(known))


def _add(meeting: Meeting, occurrence: Occurrence, places: _Places, now: dt.datetime) -> list[Attendee]:
    AttendeeException.objects.filter(occurrence=occurrence, attendee__in=places.back).update(removed=False)
    new = add_attendees(
        meeting,
        places.new,
        starts_at=occurrence.starts_at,
        ends_at=occurrence.ends_at,
        now=now,
        only=occurrence,
    )
    return [*places.back, *new]


def _leave_out(occurrence: Occurrence, people: Sequence[Attendee]) -> None:
    AttendeeException.objects.bulk_create(
        [AttendeeException(occurrence=occurrence, attendee=one, removed=True) for one in people],
        update_conflicts=True,
        unique_fields=["occurrence", "attendee"],
        update_fields=["removed", "answer"],
        batch_size=1000,
    )


def _iso(occurrence: Occurrence) -> str:
    return (occurrence.recurrence_id or occurrence.starts_at).isoformat()
