"""Schedule, edit and cancel a meeting: one transaction writes the meeting, its history and the e-mails owed, then tells."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import replace

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from suite.agents.models import Agent
from suite.core.events import publish
from suite.core.plain import clean_text, one_line
from visio.events import AttendeesRemoved, MeetingCancelled, MeetingChanged, MeetingScheduled
from visio.meetings import invitations, tokens
from visio.meetings.drafts import Invitee, MeetingDraft, is_organiser, validate_draft
from visio.meetings.models import (
    Answer,
    Attendee,
    ChangeKind,
    DeliveryReason,
    Meeting,
    MeetingChange,
    Occurrence,
    Role,
    Status,
)
from visio.meetings.permissions import can_edit_meeting
from visio.meetings.traces import Roll, index_for_search, remember, remember_edit, times_of
from visio.meetings.wallclock import span, wall_clock
from visio.rooms.models import AccessLevel, Room

INSTANT_MINUTES = 60
# Fields whose change is mailed without raising SEQUENCE (R7); `room` stands for the join link.
_MAILED = ("title", "description", "place", "room")


class DraftRefused(Exception):
    """The draft breaks rules. `.errors`: messages by field, in the current language."""

    def __init__(self, errors: dict[str, list[str]]) -> None:
        super().__init__(", ".join(sorted(errors)))
        self.errors = errors


class NotOrganiser(Exception):
    """Only the organiser may do this."""


class MeetingOver(Exception):
    """The meeting has ended or is cancelled: nothing about it can change any more."""


class EditConflict(Exception):
    """Somebody saved the meeting since the form was shown. `.meeting` as it is now, `.changes` since, newest first."""

    def __init__(self, meeting: Meeting, changes: Sequence[MeetingChange]) -> None:
        super().__init__(f"meeting {meeting.pk} is at revision {meeting.revision}")
        self.meeting = meeting
        self.changes = list(changes)


def schedule_meeting(
    *, by: Agent, draft: MeetingDraft, now: dt.datetime, creation_key: uuid.UUID | None = None, is_demo: bool = False
) -> Meeting:
    """Create the meeting, its room, its attendees and their owed invitations. Raises DraftRefused.

    The same `creation_key` by the same agent gives the meeting it first made, also when both arrive at once.
    """
    errors = validate_draft(draft, now=now)
    if errors:
        raise DraftRefused(errors)
    return _create_once(by=by, draft=draft, now=now, creation_key=creation_key, is_demo=is_demo)


def start_instant_meeting(*, by: Agent, now: dt.datetime, creation_key: uuid.UUID | None = None) -> Meeting:
    """A meeting from this minute on, for an hour, whose room any signed-in agent with the link may enter."""
    starts_at, zone = now.replace(second=0, microsecond=0), by.time_zone
    date, time = wall_clock(starts_at, zone)
    if span(date, time, zone, INSTANT_MINUTES)[0] != starts_at:
        # The hour that comes twice: a wall clock always means its first time (RFC 5545 §3.3.5), and now is the second.
        zone = "UTC"
        date, time = wall_clock(starts_at, zone)
    draft = MeetingDraft(
        title=_("Réunion immédiate"),
        start_date=date,
        start_time=time,
        time_zone=zone,
        minutes=INSTANT_MINUTES,
        wants_tchap=False,
    )
    return _create_once(by=by, draft=draft, now=now, creation_key=creation_key, access_level=AccessLevel.TRUSTED)


def _create_once(
    *,
    by: Agent,
    draft: MeetingDraft,
    now: dt.datetime,
    creation_key: uuid.UUID | None,
    is_demo: bool = False,
    access_level: str = AccessLevel.RESTRICTED,
) -> Meeting:
    key = creation_key or uuid.uuid4()
    if creation_key is not None:
        made = Meeting.objects.filter(organiser=by, creation_key=key).first()
        if made is not None:
            return made
    try:
        return _create(by=by, draft=draft, now=now, key=key, is_demo=is_demo, access_level=access_level)
    except IntegrityError as error:
        # Two posts of one form at once: the loser waited on the unique index and finds the winner's meeting.
        if _broken_constraint(error) != "meeting_once_per_form":
            raise
        return Meeting.objects.get(organiser=by, creation_key=key)


def _broken_constraint(error: IntegrityError) -> str | None:
    return getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)


@transaction.atomic
def _create(
    *, by: Agent, draft: MeetingDraft, now: dt.datetime, key: uuid.UUID, is_demo: bool, access_level: str
) -> Meeting:
    starts_at, ends_at = draft.span()
    meeting = Meeting.objects.create(
        organiser=by,
        title=one_line(draft.title),
        description=clean_text(draft.description),
        place=one_line(draft.place),
        privacy=draft.privacy,
        start_date=draft.start_date,
        start_time=draft.start_time,
        time_zone=draft.time_zone,
        minutes=draft.minutes,
        wants_tchap=draft.wants_tchap,
        room=Room.objects.create(access_level=access_level) if draft.wants_room else None,
        creation_key=key,
        is_demo=is_demo,
    )
    Occurrence.objects.create(meeting=meeting, starts_at=starts_at, ends_at=ends_at)
    chair = Invitee(email=by.email.lower(), name=by.full_name, agent_id=by.pk, role=Role.CHAIR)
    guests = _add_attendees(meeting, (chair, *_guests(draft, by)), starts_at, ends_at, now)[1:]
    index_for_search(meeting)
    remember(meeting, by, now, ChangeKind.CREATED, {"attendees": len(guests) + 1})
    invitations.owe_invitations(meeting=meeting, attendees=guests, reason=DeliveryReason.INVITED, now=now)
    publish(MeetingScheduled(meeting_id=meeting.pk))
    return meeting


def _guests(draft: MeetingDraft, organiser: Agent) -> list[Invitee]:
    """The draft's attendees, each once, without the organiser."""
    unique = {replace(invitee, email=invitee.email.lower()).email: invitee for invitee in reversed(draft.attendees)}
    return [
        replace(invitee, email=email)
        for email, invitee in reversed(unique.items())
        if not is_organiser(replace(invitee, email=email), organiser)
    ]


def _add_attendees(
    meeting: Meeting, invitees: Iterable[Invitee], starts_at: dt.datetime, ends_at: dt.datetime, now: dt.datetime
) -> list[Attendee]:
    rows = []
    for invitee in invitees:
        nonce, link_hash = tokens.new_link()
        is_chair = invitee.role == Role.CHAIR
        rows.append(
            Attendee(
                meeting=meeting,
                agent_id=invitee.agent_id,
                email=invitee.email,
                name=one_line(invitee.name),
                role=invitee.role,
                answer=Answer.ACCEPTED if is_chair else Answer.NEEDS_ACTION,
                answered_at=now if is_chair else None,
                answered_revision=meeting.revision if is_chair else None,
                starts_at=starts_at,
                ends_at=ends_at,
                link_nonce=nonce,
                link_hash=link_hash,
            )
        )
    return Attendee.objects.bulk_create(rows, batch_size=1000)


@transaction.atomic
def edit_meeting(*, meeting: Meeting, by: Agent, draft: MeetingDraft, revision: int, now: dt.datetime) -> Meeting:
    """Make the meeting what `draft` says. `revision` is the version that the form showed.

    Raises NotOrganiser, MeetingOver, EditConflict (stale revision), DraftRefused. When nothing differs, nothing happens.
    Who is mailed: everybody when the times, title, place, description or join link change (R5, R7); else only who was
    added (R8); who was removed gets a CANCEL. New times put every answer but the organiser's back to none (R9).
    """
    if not can_edit_meeting(meeting, by):
        raise NotOrganiser
    meeting = _locked(meeting)
    occurrence = meeting.occurrences.get(recurrence_id=None)
    if meeting.is_cancelled or occurrence.ends_at <= now:
        raise MeetingOver
    if revision != meeting.revision:
        since = meeting.changes.filter(revision__gt=revision).select_related("by")
        raise EditConflict(meeting, list(since))
    errors = validate_draft(draft, now=now, unchanged_start=occurrence.starts_at)
    if errors:
        raise DraftRefused(errors)

    before = times_of(occurrence, meeting) | {
        "title": meeting.title,
        "place": meeting.place,
        "room": meeting.room.slug if meeting.room else "",
    }
    retimed = (meeting.start_date, meeting.start_time, meeting.time_zone, meeting.minutes) != (
        draft.start_date,
        draft.start_time,
        draft.time_zone,
        draft.minutes,
    )
    fields = _apply_texts(meeting, draft, now)
    roll = _roll(meeting, draft)
    if not (retimed or fields or roll.added or roll.removed):
        _apply_names(meeting, draft)
        return meeting

    starts_at, ends_at = draft.span()
    moved = (starts_at, ends_at) != (occurrence.starts_at, occurrence.ends_at)
    meeting.revision += 1
    # R5: new times, and every CANCEL (R2: removing someone is one).
    if retimed or roll.removed:
        meeting.sequence += 1
    meeting.start_date, meeting.start_time = draft.start_date, draft.start_time
    meeting.time_zone, meeting.minutes = draft.time_zone, draft.minutes
    meeting.save()
    if moved:
        occurrence.starts_at, occurrence.ends_at = starts_at, ends_at
        occurrence.save(update_fields=["starts_at", "ends_at"])
        _reset_answers(meeting, starts_at, ends_at)
    _apply_names(meeting, draft)
    added = _add_attendees(meeting, roll.added, starts_at, ends_at, now)
    if fields:
        index_for_search(meeting)

    remember_edit(meeting, by, now, before if retimed else None, times_of(occurrence, meeting), fields, roll)
    invitations.owe_after_edit(
        meeting=meeting,
        added=added,
        removed=roll.removed,
        kept=roll.kept,
        reason=_reason(moved=moved, told=retimed or any(name in fields for name in _MAILED)),
        before=before,
        now=now,
    )
    if roll.removed:
        Attendee.objects.filter(pk__in=[attendee.pk for attendee in roll.removed]).delete()
        gone = tuple(attendee.agent_id for attendee in roll.removed if attendee.agent_id is not None)
        publish(AttendeesRemoved(meeting_id=meeting.pk, agent_ids=gone))
    publish(MeetingChanged(meeting_id=meeting.pk))
    return meeting


@transaction.atomic
def cancel_meeting(*, meeting: Meeting, by: Agent, now: dt.datetime) -> None:
    """Cancel it and owe a CANCEL to everyone whose invitation went out. Cancelling twice is cancelling once.

    Raises NotOrganiser, and MeetingOver when it has already taken place.
    """
    if not can_edit_meeting(meeting, by):
        raise NotOrganiser
    locked = _locked(meeting)
    if not locked.is_cancelled:
        occurrence = locked.occurrences.get(recurrence_id=None)
        if occurrence.ends_at <= now:
            raise MeetingOver
        locked.status = Status.CANCELLED
        locked.sequence += 1
        locked.revision += 1
        locked.save()
        locked.occurrences.update(status=Status.CANCELLED)
        _close_room(locked, now)
        remember(locked, by, now, ChangeKind.CANCELLED, {})
        guests = list(locked.attendees.exclude(role=Role.CHAIR).select_related("agent"))
        invitations.owe_cancellations(
            meeting=locked,
            attendees=guests,
            reason=DeliveryReason.CANCELLED,
            before=times_of(occurrence, locked),
            now=now,
        )
        publish(MeetingCancelled(meeting_id=locked.pk))
    meeting.status, meeting.sequence, meeting.revision = locked.status, locked.sequence, locked.revision


def _locked(meeting: Meeting) -> Meeting:
    return Meeting.objects.select_for_update(of=("self",)).select_related("organiser", "room").get(pk=meeting.pk)


def _reason(*, moved: bool, told: bool) -> DeliveryReason | None:
    if moved:
        return DeliveryReason.MOVED
    return DeliveryReason.CHANGED if told else None


def _apply_texts(meeting: Meeting, draft: MeetingDraft, now: dt.datetime) -> dict[str, list[str]]:
    """Set what is neither time nor people on `meeting` (unsaved); what differed, as history's {"name": [old, new]}."""
    fields: dict[str, list[str]] = {}
    for name, new in (
        ("title", one_line(draft.title)),
        ("place", one_line(draft.place)),
        ("privacy", draft.privacy),
        ("description", clean_text(draft.description)),
    ):
        old = getattr(meeting, name)
        if old != new:
            fields[name] = [] if name == "description" else [old, new]
            setattr(meeting, name, new)
    if draft.wants_room != (meeting.room is not None):
        fields["room"] = []
        if draft.wants_room:
            meeting.room = Room.objects.create()
        else:
            _close_room(meeting, now)
            meeting.room = None
    if draft.wants_tchap != meeting.wants_tchap:
        fields["tchap"] = []
        meeting.wants_tchap = draft.wants_tchap
    return fields


def _close_room(meeting: Meeting, now: dt.datetime) -> None:
    if meeting.room is not None:
        meeting.room.closed_at = now
        meeting.room.save(update_fields=["closed_at"])


def _roll(meeting: Meeting, draft: MeetingDraft) -> Roll:
    current = list(meeting.attendees.exclude(role=Role.CHAIR).select_related("agent"))
    wanted = _guests(draft, meeting.organiser)
    emails = {invitee.email for invitee in wanted}
    agents = {invitee.agent_id for invitee in wanted if invitee.agent_id is not None}
    kept = [row for row in current if row.email in emails or row.agent_id in agents]
    kept_ids = {row.pk for row in kept}
    kept_emails = {row.email for row in kept}
    kept_agents = {row.agent_id for row in kept if row.agent_id is not None}
    return Roll(
        added=tuple(i for i in wanted if i.email not in kept_emails and i.agent_id not in kept_agents),
        removed=tuple(row for row in current if row.pk not in kept_ids),
        kept=tuple(kept),
    )


def _apply_names(meeting: Meeting, draft: MeetingDraft) -> None:
    """Roles and typed names of people who stay; neither is mailed."""
    wanted = {invitee.email: invitee for invitee in _guests(draft, meeting.organiser)}
    changed = []
    for row in meeting.attendees.filter(email__in=wanted).exclude(role=Role.CHAIR):
        invitee = wanted[row.email]
        name = one_line(invitee.name) or row.name
        if (row.role, row.name) != (invitee.role, name):
            row.role, row.name = invitee.role, name
            changed.append(row)
    Attendee.objects.bulk_update(changed, ["role", "name"], batch_size=1000)


def _reset_answers(meeting: Meeting, starts_at: dt.datetime, ends_at: dt.datetime) -> None:
    meeting.attendees.update(starts_at=starts_at, ends_at=ends_at)
    meeting.attendees.exclude(role=Role.CHAIR).update(answer=Answer.NEEDS_ACTION)
