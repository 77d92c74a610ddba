"""What the organiser sees of the messages that came: those that did not count, and why. One statement."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Q

from visio.inbox.models import InboundMessage, Verdict
from visio.meetings.models import Answer, Meeting

SHOWN = 20
# Whose name the message bears is not who sent it.
_STRANGERS = {Verdict.SPOOFED, Verdict.CRASHER, Verdict.UNKNOWN}
_OVERTAKEN = {Verdict.EARLIER, Verdict.LATE}


@dataclass(frozen=True)
class ReceivedLine:
    """One message. `answer`: what it answers, in words; "" when that is not known. `weight`: "error", "warn" or ""."""

    pk: int
    name: str
    verdict: str
    weight: str
    answer: str
    words: str
    received_at: dt.datetime


def received_lines(meeting: Meeting) -> list[ReceivedLine]:
    """Newest first. An answer to an earlier version is told until the person answers again.

    What no calendar wrote and has no effect is kept and not told: absence notices, news of late or unknown mail.
    """
    rows = (
        InboundMessage.objects.filter(~Q(verdict=Verdict.APPLIED) | ~Q(words=""), meeting=meeting)
        .exclude(verdict=Verdict.REFUSED, method="")
        .select_related("attendee__agent")
        .defer("raw")
        .order_by("-pk")[:SHOWN]
    )
    return [_line(row) for row in rows if not _is_overtaken(row)]


def _is_overtaken(row: InboundMessage) -> bool:
    attendee = row.attendee
    return (
        row.verdict in _OVERTAKEN
        and row.recurrence_id is None
        and attendee is not None
        and attendee.answered_at is not None
        and attendee.answered_at > row.received_at
    )


def _line(row: InboundMessage) -> ReceivedLine:
    known = row.attendee if row.verdict not in _STRANGERS else None
    verdict = Verdict(row.verdict)
    return ReceivedLine(
        pk=row.pk,
        name=known.display_name if known is not None else (row.sender or row.envelope_from),
        verdict=str(verdict.label),
        weight="error" if verdict in _STRANGERS else "" if verdict == Verdict.APPLIED else "warn",
        answer=str(Answer(row.answer).label) if row.answer in Answer.values else "",
        words=row.words,
        received_at=row.received_at,
    )
