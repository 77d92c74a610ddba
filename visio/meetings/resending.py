"""Sending mails again that were lost or refused: one, every failure, or to everybody who is invited."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress

from django.db import transaction
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from suite.agents.models import Agent
from suite.core.events import publish
from suite.core.refusals import Refusal
from visio.events import DeliveriesProgressed
from visio.meetings.models import Delivery, DeliveryReason, DeliveryState, Meeting, Method, Role, Status
from visio.meetings.owing import owe_invitations
from visio.meetings.permissions import can_edit_meeting

UNDER_WAY = (DeliveryState.OWED, DeliveryState.SENDING)


class ResendRefused(Refusal):
    """Nothing to send again."""

    WORDS = {
        "not_allowed": _("Seule la personne qui organise peut renvoyer un courriel."),
        "removed": _("Cette personne n’est plus invitée : il n’y a rien à lui renvoyer."),
        "under_way": _("Ce courriel est déjà en route."),
        "over": _("Cette réunion n’a plus lieu : il n’y a rien à renvoyer."),
    }


@transaction.atomic
def resend(
    *, delivery: Delivery | None = None, meeting: Meeting | None = None, by: Agent, now: dt.datetime
) -> list[Delivery]:
    """Send one row again, or every failed row of a meeting. The text is today's; the Message-ID is new.

    For whoever may edit the meeting, and administrators. Raises ResendRefused.
    """
    of = meeting or (delivery.meeting if delivery else None)
    if of is None:
        raise TypeError("resend wants a delivery or a meeting")
    if not (can_edit_meeting(of, by) or by.is_staff):
        raise ResendRefused("not_allowed")
    of = Meeting.objects.select_for_update(of=("self",)).select_related("organiser", "room").get(pk=of.pk)
    if delivery is not None:
        rows = [_resend_one(of, delivery, now)]
    else:
        failed = of.deliveries.filter(state=DeliveryState.FAILED).order_by("-revision", "-pk")
        latest = {(row.recipient, row.recurrence_id): row for row in reversed(failed)}
        rows = []
        for row in latest.values():
            # Who left since, or has a newer one under way already, keeps nobody else from theirs.
            with suppress(ResendRefused):
                rows += [_resend_one(of, row, now)] if _still_counts(of, row) else []
    publish(DeliveriesProgressed(meeting_id=of.pk))
    return rows


def _still_counts(meeting: Meeting, row: Delivery) -> bool:
    """Whether what the row said is still so: an invitation to what takes place, or a CANCEL of what does not."""
    gone = meeting.is_cancelled or row.reason == DeliveryReason.REMOVED or _is_cancelled_date(meeting, row)
    return gone if row.method == Method.CANCEL else not gone


def _is_cancelled_date(meeting: Meeting, row: Delivery) -> bool:
    if row.recurrence_id is None:
        return False
    return not meeting.occurrences.filter(recurrence_id=row.recurrence_id, status=Status.CONFIRMED).exists()


def _resend_one(meeting: Meeting, delivery: Delivery, now: dt.datetime) -> Delivery:
    row = Delivery.objects.select_for_update(of=("self",)).get(pk=delivery.pk)
    if row.state in {DeliveryState.SENDING, DeliveryState.OWED}:
        raise ResendRefused("under_way")
    is_current = (row.sequence, row.revision) == (meeting.sequence, meeting.revision) and not meeting.is_cancelled
    if row.method == Method.REQUEST and not is_current:
        attendee = meeting.attendees.select_related("agent").filter(email=row.recipient).first()
        if attendee is None or not _still_counts(meeting, row):
            raise ResendRefused("removed")
        date = meeting.occurrences.filter(recurrence_id=row.recurrence_id).first() if row.recurrence_id else None
        current = meeting.deliveries.filter(
            recipient=row.recipient,
            recurrence_id=row.recurrence_id,
            method=Method.REQUEST,
            sequence=meeting.sequence,
            revision=meeting.revision,
        ).first()
        if current is not None:
            return _resend_one(meeting, current, now)
        [made] = owe_invitations(
            meeting=meeting, attendees=[attendee], reason=DeliveryReason.INVITED, now=now, date=date
        )
        return Delivery.objects.get(pk=made)
    row.state, row.due_at, row.attempts, row.server_words = DeliveryState.OWED, now, 0, ""
    row.resends += 1
    row.save(update_fields=["state", "due_at", "attempts", "server_words", "resends"])
    return row


@transaction.atomic
def resend_to_all(*, meeting: Meeting, by: Agent, now: dt.datetime) -> int:
    """Send everybody who is invited what the meeting is now; how many mails go. A handful of statements for any number of people.

    Who has a mail under way already is left out. For whoever may edit the meeting. Raises ResendRefused.
    """
    if not can_edit_meeting(meeting, by):
        raise ResendRefused("not_allowed")
    meeting = Meeting.objects.select_for_update(of=("self",)).select_related("organiser", "room").get(pk=meeting.pk)
    invited = meeting.attendees.exclude(role=Role.CHAIR).exclude(only_occurrence__status=Status.CANCELLED)
    requests = meeting.deliveries.filter(method=Method.REQUEST, attendee__isnull=False)
    served = set(requests.filter(state__in=UNDER_WAY).values_list("attendee", flat=True))
    if meeting.is_cancelled or not meeting.occurrences.filter(status=Status.CONFIRMED, ends_at__gt=now).exists():
        raise ResendRefused("over")
    about_all = Q(recurrence_id=None) | Q(attendee__only_occurrence__isnull=False)
    current = requests.filter(about_all, sequence=meeting.sequence, revision=meeting.revision, attendee__in=invited)
    again = dict(current.exclude(attendee__in=served).values_list("attendee", "pk"))
    Delivery.objects.filter(pk__in=again.values()).update(
        state=DeliveryState.OWED, due_at=now, attempts=0, server_words="", resends=F("resends") + 1
    )
    others = list(invited.exclude(pk__in=served | again.keys()).select_related("agent"))
    owe_invitations(meeting=meeting, attendees=others, reason=DeliveryReason.INVITED, now=now)
    publish(DeliveriesProgressed(meeting_id=meeting.pk))
    return len(again) + len(others)
