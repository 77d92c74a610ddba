"""What the views of the meetings' API share: reading, paging, preconditions, and refusals as problem documents."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

from django.db.models import Count, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import pagination, serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from suite.agents.conditional import versions_wanted, written
from suite.agents.models import Agent
from suite.agents.problems import Problem
from visio.meetings.answers import AnswerRefused
from visio.meetings.counters import CounterRefused
from visio.meetings.dates import current_occurrence
from visio.meetings.exception_models import AttendeeException
from visio.meetings.input_api import by_api_name
from visio.meetings.models import Attendee, Meeting, Occurrence
from visio.meetings.refusals import DraftRefused, EditConflict, MeetingOver, NotOrganiser
from visio.meetings.serializers import LISTED_ATTENDEES, MeetingSerializer
from visio.meetings.shown_dates import Shown, answers_of_dates, shown_to
from visio.meetings.timetable import Timetable
from visio.meetings.undo import UndoRefused, undo_offer

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="Repeat a POST safely: same key, same answer.",
)
IF_MATCH = OpenApiParameter(
    "If-Match",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="The ETag that was read: 412 with the current state when somebody has changed the meeting since.",
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="The ETag of an earlier answer: 304 without a body when nothing is new.",
)
FROM = OpenApiParameter("from", OpenApiTypes.DATETIME, description="What ends after this instant (default: now)")
TO = OpenApiParameter("to", OpenApiTypes.DATETIME, description="What starts before this instant")
# What PUT and DELETE answered before If-Match was known: kept for whoever sends the revision in the body.
CONFLICT = "Somebody changed the meeting since `revision` was read; `meeting` is the current state. Or it is over"


def me(request: Request) -> Agent:
    """The agent behind the request: IsAuthenticated lets nobody else through."""
    return cast(Agent, request.user)


def with_everything(meetings: QuerySet[Meeting], shown: Shown, *, listed: bool = False) -> QuerySet[Meeting]:
    """`listed`: the first LISTED_ATTENDEES of each alone, so that a page of large meetings stays bounded."""
    everybody = Attendee.objects.filter(only_occurrence=None)
    if alone := shown.alone_dates:
        away = AttendeeException.objects.filter(occurrence__in=alone, removed=True).values("attendee")
        everybody = Attendee.objects.filter(Q(only_occurrence=None) | Q(only_occurrence__in=alone)).exclude(pk__in=away)
    people = everybody.select_related("agent").order_by("pk")
    named = people[:LISTED_ATTENDEES] if listed else people
    counted = everybody.filter(meeting=OuterRef("pk")).order_by().values("meeting")
    return (
        meetings.select_related("organiser__organisation", "room", "split_from", "scheduled_by__organisation")
        .prefetch_related("links", Prefetch("attendees", named, to_attr="named_attendees"))
        .annotate(attendee_count=Coalesce(Subquery(counted.values(number=Count("pk"))), 0))
    )


def meeting_data(request: Request, meeting: Meeting, *, notices: Sequence[str] = ()) -> Any:
    """The meeting as it is now, for the caller; in a fixed number of queries."""
    now, viewer = timezone.now(), me(request)
    mine = Attendee.objects.filter(meeting=meeting, agent=viewer).select_related("only_occurrence")
    shown = shown_to(viewer, [meeting], mine, now)
    found = with_everything(Meeting.objects.filter(pk=meeting.pk), shown).get()
    answers_of_dates(named_attendees(found), shown.alone_dates)
    meeting.revision = found.revision
    offer = undo_offer(found, viewer, now)
    context = {
        "request": request,
        "shown": shown,
        "undo_until": offer.until if offer else None,
        "notices": notices,
    }
    return MeetingSerializer(found, context=context).data


def named_attendees(meeting: Meeting) -> list[Attendee]:
    """Those whom with_everything has read."""
    named: list[Attendee] = vars(meeting)["named_attendees"]
    return named


def answer_with(
    request: Request, meeting: Meeting, *, notices: Sequence[str] = (), status: int = 200, **headers: str
) -> Response:
    """The meeting as a write has left it."""
    data = meeting_data(request, meeting, notices=notices)
    headers = {"Content-Location": f"/api/v1/meetings/{meeting.public_id}/", **headers}
    return written(data, version=meeting.revision, status=status, headers=headers)


def my_answers(meeting: Meeting, occurrences: Sequence[Occurrence], viewer: Agent) -> dict[int, str]:
    """{occurrence: the viewer's own answer to it}; without those that they are not invited to. Two queries at most."""
    mine = Attendee.objects.filter(meeting=meeting, agent=viewer).first()
    if mine is None:
        return {}
    if mine.only_occurrence_id is not None:
        return {one.pk: mine.answer for one in occurrences if one.pk == mine.only_occurrence_id}
    answers: dict[int, str] = {one.pk: mine.answer for one in occurrences}
    if meeting.is_series:
        for own in AttendeeException.objects.filter(attendee=mine, occurrence__in=occurrences):
            if own.removed:
                answers.pop(own.occurrence_id, None)
            elif own.answer is not None:
                answers[own.occurrence_id] = own.answer
    return answers


def first_date(meeting: Meeting, now: dt.datetime) -> Occurrence:
    """The date whose start a meeting's representation shows: a series' first one as its rule has it, moved since or not."""
    if not meeting.is_series:
        return current_occurrence(meeting, now)
    timetable = Timetable.of_meeting(meeting)
    first = timetable.literal(timetable.start)
    return Occurrence(meeting=meeting, recurrence_id=first.at, starts_at=first.at, ends_at=timetable.end_of(first))


class ByStart(pagination.CursorPagination):
    ordering: Any = ("starts_at", "id")
    page_size = 50

    def decode_cursor(self, request: Request) -> Any:
        """404 for a forged cursor, which would otherwise reach the database as a time that is none."""
        cursor = super().decode_cursor(request)
        position = getattr(cursor, "position", None)
        if position is not None:
            try:
                at = parse_datetime(position)
            except ValueError:
                at = None
            if at is None or at.tzinfo is None:
                raise NotFound(self.invalid_cursor_message)
        return cursor


def revision_of(request: Request, meeting: Meeting, told: int | None) -> int:
    """The version that the caller edits: If-Match's, else `told` in the body, else the current one.

    412 with the current state when If-Match names another one.
    """
    wanted = versions_wanted(request)
    if wanted is None:
        return meeting.revision if told is None else told
    if meeting.revision not in wanted:
        raise _stale(request, meeting)
    return meeting.revision


@contextmanager
def refusals(request: Request, meeting: Meeting | None = None) -> Iterator[None]:
    """What the operations refuse, as problem documents."""
    try:
        yield
    except DraftRefused as refused:
        raise serializers.ValidationError(by_api_name(refused.errors)) from refused
    except EditConflict as conflict:
        raise _stale(request, conflict.meeting) from conflict
    except NotOrganiser as refused:
        raise Problem(403, "not-organiser", _("Seule la personne qui organise peut modifier la réunion.")) from refused
    except MeetingOver as refused:
        raise Problem(409, "meeting-over", _("Cette réunion est terminée ou annulée.")) from refused
    except AnswerRefused as refused:
        raise Problem(409, "answer-refused", refused.message, reason=refused.reason) from refused
    except UndoRefused as refused:
        raise Problem(409, "undo-refused", refused.message, reason=refused.reason) from refused
    except CounterRefused as refused:
        fields = {"past": "starts_at", "unchanged": "starts_at", "reversed": "ends_at", "too_long": "ends_at"}
        if refused.reason in fields:
            raise serializers.ValidationError({fields[refused.reason]: [refused.message]}) from refused
        raise Problem(409, "counter-refused", refused.message, reason=refused.reason) from refused


def _stale(request: Request, meeting: Meeting) -> Problem:
    """412 for who sent If-Match, 409 for who sent a revision; both say what is true now."""
    conditional = "If-Match" in request.headers
    return Problem(
        412 if conditional else 409,
        "precondition-failed" if conditional else "edit-conflict",
        _("Quelqu’un a modifié cette réunion entre-temps."),
        meeting=meeting_data(request, meeting),
    )
