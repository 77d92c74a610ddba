"""A guest known by address becomes an agent: the invitations that wait for that address are theirs."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import Q

from suite.agents.models import Agent
from suite.core.events import publish
from visio.events import MeetingChanged
from visio.meetings.exception_models import AttendeeException
from visio.meetings.models import LONGEST, Answer, Attendee, Delivery, Meeting, Status


@transaction.atomic
def adopt_invitations(*, agent: Agent, now: dt.datetime) -> list[int]:
    """Link the guests of `agent`'s address to the agent, in every meeting that is neither over nor cancelled; those meetings.

    The address must be proven (suite.agents.events.AddressProven): whoever has it reads what was sent to it. The places keep
    their answers, their links and their times. Where the agent has a place already, the two become that one.
    """
    # Two arms, as the partial indexes on (agent, time) are two; there is none on the address alone.
    one_off = Q(is_series=False, starts_at__gt=now - LONGEST, ends_at__gt=now)
    waiting = Attendee.objects.filter(
        one_off | Q(is_series=True, ends_at__gt=now), agent=None, email=agent.email, meeting__status=Status.CONFIRMED
    )
    # Editing a meeting locks it first as well: nobody adds or removes its people meanwhile.
    meetings = Meeting.objects.select_for_update(of=("self",)).order_by("pk")
    locked = [meeting.pk for meeting in meetings.filter(pk__in=waiting.order_by().values("meeting"))]
    guests = list(waiting.filter(meeting__in=locked).order_by("meeting"))
    own = {place.meeting_id: place for place in Attendee.objects.filter(meeting__in=locked, agent=agent)}
    alone = [guest.pk for guest in guests if guest.meeting_id not in own]
    Attendee.objects.filter(pk__in=alone).update(agent=agent)
    changed = [
        guest.meeting_id for guest in guests if guest.meeting_id not in own or _merge(own[guest.meeting_id], guest)
    ]
    for meeting_id in changed:
        publish(MeetingChanged(meeting_id=meeting_id))
    return changed


def _merge(own: Attendee, guest: Attendee) -> bool:
    """The guest's place becomes part of the agent's `own`; False when they are invited to different dates of a series."""
    if own.only_occurrence_id and guest.only_occurrence_id not in (None, own.only_occurrence_id):
        return False
    if own.only_occurrence_id and not guest.only_occurrence_id:
        own.only_occurrence = None
        own.is_series, own.starts_at, own.ends_at = guest.is_series, guest.starts_at, guest.ends_at
    if own.answer == Answer.NEEDS_ACTION:
        own.answer, own.answered_at, own.comment = guest.answer, guest.answered_at, guest.comment
        own.answered_revision, own.answered_via = guest.answered_revision, guest.answered_via
    Delivery.objects.filter(attendee=guest).update(attendee=own)
    told = AttendeeException.objects.filter(attendee=own).values("occurrence")
    AttendeeException.objects.filter(attendee=guest).exclude(occurrence__in=told).update(attendee=own)
    # Mail goes on to the address that is the agent's now, so that what was sent there can be taken back there.
    own.email = guest.email
    guest.delete()
    own.save()
    return True
