"""Schedule, edit and cancel a meeting: one transaction writes the meeting, its history and the e-mails owed, then tells."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from suite.agents.delegation import may_act_for
from suite.agents.models import Agent
from suite.core.events import publish
from suite.core.plain import clean_text, one_line
from visio.events import MeetingScheduled
from visio.meetings import booked, whole
from visio.meetings.acts import Act
from visio.meetings.attendance import add_attendees, chair, guests_of, hull
from visio.meetings.drafts import MeetingDraft, validate_draft
from visio.meetings.horizon import expand_meeting
from visio.meetings.models import ChangeKind, DeliveryReason, Meeting
from visio.meetings.owing import owe_invitations
from visio.meetings.refusals import AlreadyMade, DraftRefused, EditConflict, MeetingOver, NotOrganiser
from visio.meetings.scopes import Notify
from visio.meetings.timetable import Timetable
from visio.meetings.traces import index_for_search, remember
from visio.meetings.wallclock import span, wall_clock
from visio.rooms.models import AccessLevel, Room

__all__ = [
    "AlreadyMade",
    "DraftRefused",
    "EditConflict",
    "MeetingOver",
    "NotOrganiser",
    "cancel_meeting",
    "edit_meeting",
    "schedule_meeting",
    "start_instant_meeting",
]

INSTANT_MINUTES = 60


def schedule_meeting(
    *,
    by: Agent,
    draft: MeetingDraft,
    now: dt.datetime,
    creation_key: uuid.UUID | None = None,
    organiser: Agent | None = None,
    is_demo: bool = False,
    notify: str = Notify.DEFAULT,
    source_uid: str = "",
) -> Meeting:
    """Create the meeting, its room, its dates, its people and the invitations that are owed.

    `organiser`: in whose name `by` acts. `source_uid`: the UID in an imported file; such a meeting may have begun.
    The same `creation_key` for the same organiser gives the meeting it first made, also when both arrive at once.
    Raises DraftRefused, NotOrganiser, AlreadyMade (the key made another draft), and visio.places.bookings.ResourcesTaken.
    """
    organiser = organiser or by
    if organiser.pk != by.pk and not may_act_for(by, organiser):
        raise NotOrganiser
    made = _made_before(organiser, creation_key, draft)
    if made is not None:
        return made
    errors = validate_draft(draft, now=now, may_have_begun=bool(source_uid))
    if errors:
        raise DraftRefused(errors)
    return _create_once(
        act=Act(by, now, Notify(notify)),
        organiser=organiser,
        draft=draft,
        creation_key=creation_key,
        is_demo=is_demo,
        source_uid=source_uid,
    )


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
    if creation_key is not None:
        made = Meeting.objects.filter(organiser=by, creation_key=creation_key).first()
        if made is not None:
            return made
    return _create_once(
        act=Act(by, now),
        organiser=by,
        draft=draft,
        creation_key=creation_key,
        access_level=AccessLevel.TRUSTED,
        same_draft=False,
    )


@transaction.atomic
def edit_meeting(
    *,
    meeting: Meeting,
    by: Agent,
    draft: MeetingDraft,
    revision: int,
    now: dt.datetime,
    notify: str = Notify.DEFAULT,
) -> Meeting:
    """Make the whole meeting what `draft` says, told at once. `revision` is the version that the form showed.

    Raises NotOrganiser, MeetingOver, EditConflict (stale revision), DraftRefused. When nothing differs, nothing happens.
    Who is mailed: everybody when the times, title, place, description or join link change (R5, R7); else only who was
    added (R8); who was removed gets a CANCEL. New times put every answer but the organiser's back to none (R9).
    For a series see visio.meetings.series.change, which can also be undone.
    """
    return whole.edit(meeting=meeting, draft=draft, revision=revision, act=Act(by, now, Notify(notify)))


@transaction.atomic
def cancel_meeting(*, meeting: Meeting, by: Agent, now: dt.datetime, notify: str = Notify.DEFAULT) -> None:
    """Cancel all of it and owe a CANCEL to everyone whose invitation went out. Cancelling twice is cancelling once.

    Raises NotOrganiser, and MeetingOver when it has already taken place.
    """
    whole.cancel(meeting=meeting, act=Act(by, now, Notify(notify)))


def draft_hash(draft: MeetingDraft) -> str:
    return hashlib.sha256(repr(draft).encode()).hexdigest()


def _made_before(organiser: Agent, creation_key: uuid.UUID | None, draft: MeetingDraft) -> Meeting | None:
    """What this form made already. Raises AlreadyMade when it made something else: "back", other words, and sent again."""
    if creation_key is None:
        return None
    made = Meeting.objects.filter(organiser=organiser, creation_key=creation_key).first()
    if made is None:
        return None
    created = made.changes.filter(kind=ChangeKind.CREATED).first()
    first = created.details.get("draft") if created is not None else None
    if first is not None and first != draft_hash(draft):
        raise AlreadyMade(made)
    return made


def _create_once(
    *,
    act: Act,
    organiser: Agent,
    draft: MeetingDraft,
    creation_key: uuid.UUID | None,
    is_demo: bool = False,
    access_level: str = AccessLevel.RESTRICTED,
    source_uid: str = "",
    same_draft: bool = True,
) -> Meeting:
    key = creation_key or uuid.uuid4()
    try:
        return _create(
            act=act,
            organiser=organiser,
            draft=draft,
            key=key,
            is_demo=is_demo,
            access_level=access_level,
            source_uid=source_uid,
        )
    except IntegrityError as error:
        # Two posts of one form at once: the loser waited on the unique index and finds the winner's meeting.
        if _broken_constraint(error) != "meeting_once_per_form":
            raise
        made = _made_before(organiser, key, draft) if same_draft else None
        return made or Meeting.objects.get(organiser=organiser, creation_key=key)


def _broken_constraint(error: IntegrityError) -> str | None:
    return getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)


@transaction.atomic
def _create(
    *,
    act: Act,
    organiser: Agent,
    draft: MeetingDraft,
    key: uuid.UUID,
    is_demo: bool,
    access_level: str,
    source_uid: str,
) -> Meeting:
    meeting = Meeting(
        organiser=organiser,
        title=one_line(draft.title),
        description=clean_text(draft.description),
        place=one_line(draft.place),
        privacy=draft.privacy,
        wants_tchap=draft.wants_tchap,
        room=Room.objects.create(access_level=access_level) if draft.wants_room else None,
        scheduled_by=act.by if act.by.pk != organiser.pk else None,
        creation_key=key,
        source_uid=source_uid,
        is_demo=is_demo,
    )
    Timetable.of_draft(draft).write(meeting)
    meeting.save()
    expand_meeting(meeting, now=act.now)
    starts_at, ends_at = hull(meeting) if meeting.is_series else draft.span()
    invitees = (chair(organiser), *guests_of(draft, organiser))
    guests = add_attendees(meeting, invitees, starts_at=starts_at, ends_at=ends_at, now=act.now)[1:]
    index_for_search(meeting)
    remember(meeting, act.by, act.now, ChangeKind.CREATED, {"attendees": len(guests) + 1, "draft": draft_hash(draft)})
    booked.book_draft(meeting, draft, by=act.by, now=act.now)
    if act.notify != Notify.NOBODY:
        owe_invitations(meeting=meeting, attendees=guests, reason=DeliveryReason.INVITED, now=act.now)
    publish(MeetingScheduled(meeting_id=meeting.pk))
    return meeting
