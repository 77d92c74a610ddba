"""An attendee says whether they come: to the meeting, or to one date of a series."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from suite.core.events import publish
from suite.core.plain import one_line
from suite.core.refusals import Refusal
from visio.events import AttendeeAnswered
from visio.meetings.exception_models import AttendeeException
from visio.meetings.models import Answer, Attendee, Occurrence, Role, Status

COMMENT_LENGTH = 500


class AnswerRefused(Refusal):
    """The answer cannot be taken. `.reason`: "cancelled", "over", "organiser", "not_invited" or "unknown_answer"."""

    WORDS = {
        "cancelled": _("Cette réunion est annulée : aucune réponse n’est attendue."),
        "over": _("Cette réunion est terminée : il n’est plus possible d’y répondre."),
        "organiser": _("Vous organisez cette réunion : votre présence est déjà acquise."),
        "not_invited": _("Vous n’êtes pas sur la liste de cette date."),
        "unknown_answer": _("Choisissez une réponse : accepter, peut-être ou décliner."),
    }


@transaction.atomic
def answer(
    *,
    attendee: Attendee,
    answer: str,
    comment: str = "",
    via: str,
    now: dt.datetime,
    revision: int | None = None,
    occurrence: Occurrence | None = None,
) -> Attendee:
    """Record the attendee's answer (a value of Answer; needs_action takes it back). The last one counts.

    `occurrence`: the one date of a series that the answer is about; its answer is then an AttendeeException. An answer to the
    series is also one to each date that waited for its own; what was said of single dates stays.
    `revision` is the version of the meeting that the person saw, when known. Raises AnswerRefused.
    """
    if answer not in Answer.values:
        raise AnswerRefused("unknown_answer")
    lock_gently(attendee.meeting_id)
    attendee = Attendee.objects.select_for_update(of=("self",)).select_related("meeting").get(pk=attendee.pk)
    meeting = attendee.meeting
    if attendee.role == Role.CHAIR and not meeting.is_cancelled and attendee.ends_at > now:
        raise AnswerRefused("organiser")
    date = check_open(attendee, occurrence, now)
    given: dict[str, Any] = {
        "answer": answer,
        "answered_at": now,
        "answered_revision": min(revision or meeting.revision, meeting.revision),
        "answered_via": via,
        "comment": one_line(comment)[:COMMENT_LENGTH],
    }
    if answer == Answer.NEEDS_ACTION:
        given |= {"answered_at": None, "answered_revision": None, "answered_via": ""}
    if date is not None:
        AttendeeException.objects.update_or_create(occurrence=date, attendee=attendee, defaults=given)
    else:
        for name, value in given.items():
            setattr(attendee, name, value)
        attendee.save(update_fields=list(given))
        if attendee.is_series and answer != Answer.NEEDS_ACTION:
            waiting = AttendeeException.objects.filter(attendee=attendee, answer=Answer.NEEDS_ACTION, removed=False)
            waiting.delete()
    publish(AttendeeAnswered(meeting_id=meeting.pk, attendee_id=attendee.pk))
    return attendee


def check_open(attendee: Attendee, occurrence: Occurrence | None, now: dt.datetime) -> Occurrence | None:
    """The date whose answer is kept by itself; None: the attendee's row holds it. Raises AnswerRefused."""
    meeting = attendee.meeting
    if meeting.is_cancelled:
        raise AnswerRefused("cancelled")
    if attendee.ends_at <= now:
        raise AnswerRefused("over")
    if occurrence is None:
        return None
    date = Occurrence.objects.filter(pk=occurrence.pk, meeting=meeting).first()
    if date is None or attendee.only_occurrence_id not in (None, date.pk):
        raise AnswerRefused("not_invited")
    if date.status == Status.CANCELLED:
        raise AnswerRefused("cancelled")
    if date.ends_at <= now:
        raise AnswerRefused("over")
    if AttendeeException.objects.filter(occurrence=date, attendee=attendee, removed=True).exists():
        raise AnswerRefused("not_invited")
    return date if attendee.is_series else None


def lock_gently(meeting_id: int) -> None:
    """Wait for whoever edits the meeting, but for nobody who answers: the meeting's row first, always."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM visio_meeting WHERE id = %s FOR KEY SHARE", [meeting_id])
