"""An attendee says whether they come."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext as _

from suite.core.events import publish
from suite.core.plain import one_line
from visio.events import AttendeeAnswered
from visio.meetings.models import Answer, Attendee, Role

COMMENT_LENGTH = 500


class AnswerRefused(Exception):
    """The answer cannot be taken. `.reason`: "cancelled", "over", "organiser" or "unknown_answer"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    @property
    def message(self) -> str:
        """For the person, in the current language."""
        return {
            "cancelled": _("Cette réunion est annulée : aucune réponse n’est attendue."),
            "over": _("Cette réunion est terminée : il n’est plus possible d’y répondre."),
            "organiser": _("Vous organisez cette réunion : votre présence est déjà acquise."),
            "unknown_answer": _("Choisissez une réponse : accepter, peut-être ou décliner."),
        }[self.reason]


@transaction.atomic
def answer(
    *, attendee: Attendee, answer: str, comment: str = "", via: str, now: dt.datetime, revision: int | None = None
) -> Attendee:
    """Record the attendee's answer (a value of Answer; needs_action takes it back). The last one counts.

    `revision` is the version of the meeting that the person saw, when known. Raises AnswerRefused.
    """
    if answer not in Answer.values:
        raise AnswerRefused("unknown_answer")
    attendee = Attendee.objects.select_for_update(of=("self",)).select_related("meeting").get(pk=attendee.pk)
    meeting = attendee.meeting
    if meeting.is_cancelled:
        raise AnswerRefused("cancelled")
    if attendee.ends_at <= now:
        raise AnswerRefused("over")
    if attendee.role == Role.CHAIR:
        raise AnswerRefused("organiser")
    taken_back = answer == Answer.NEEDS_ACTION
    attendee.answer = answer
    attendee.answered_at = None if taken_back else now
    attendee.answered_revision = None if taken_back else min(revision or meeting.revision, meeting.revision)
    attendee.answered_via = "" if taken_back else via
    attendee.comment = one_line(comment)[:COMMENT_LENGTH]
    attendee.save(update_fields=["answer", "answered_at", "answered_revision", "answered_via", "comment"])
    publish(AttendeeAnswered(meeting_id=meeting.pk, attendee_id=attendee.pk))
    return attendee
