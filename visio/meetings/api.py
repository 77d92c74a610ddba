"""REST API of meetings. Every refusal is a problem document (RFC 9457)."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, cast

from django.db.models import Count, OuterRef, Prefetch, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, pagination, serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from suite.agents.directory import search_agents
from suite.agents.models import Agent
from suite.agents.problems import Problem
from visio.meetings import answers, idempotency, scheduling
from visio.meetings.models import AnsweredVia, Attendee, Meeting
from visio.meetings.permissions import visible_meeting_or_404
from visio.meetings.serializers import (
    LISTED_ATTENDEES,
    AnswerSerializer,
    MeetingEditSerializer,
    MeetingInputSerializer,
    MeetingSerializer,
    PersonSerializer,
)

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="Repeat a POST safely: same key, same answer.",
)


def me(request: Request) -> Agent:
    """The agent behind the request: IsAuthenticated lets nobody else through."""
    return cast(Agent, request.user)


def read_again(meeting: Meeting) -> Meeting:
    """The meeting with all that MeetingSerializer reads, in a fixed number of queries."""
    return with_everything(Meeting.objects.filter(pk=meeting.pk)).get()


def with_everything(meetings: QuerySet[Meeting], *, listed: bool = False) -> QuerySet[Meeting]:
    """`listed`: the first LISTED_ATTENDEES of each alone, so that a page of large meetings stays bounded."""
    people = Attendee.objects.select_related("agent").order_by("pk")
    named = people[:LISTED_ATTENDEES] if listed else people
    counted = Attendee.objects.filter(meeting=OuterRef("pk")).order_by().values("meeting").values(number=Count("pk"))
    return (
        meetings.select_related("organiser__organisation", "room")
        .prefetch_related("links", Prefetch("attendees", named, to_attr="named_attendees"))
        .annotate(attendee_count=Coalesce(Subquery(counted), 0))
    )


class ByStart(pagination.CursorPagination):
    ordering = ("starts_at", "id")
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


class MeetingList(generics.GenericAPIView[Attendee]):
    pagination_class = ByStart
    queryset = Attendee.objects.none()
    serializer_class = MeetingSerializer  # type: ignore[assignment]

    @extend_schema(
        operation_id="meetings_list",
        parameters=[
            OpenApiParameter(
                "from", OpenApiTypes.DATETIME, description="Meetings that end after this instant (default: now)"
            ),
            OpenApiParameter("to", OpenApiTypes.DATETIME, description="Meetings that start before this instant"),
        ],
        responses=MeetingSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """My meetings, organised or attended, in order of their start. Large ones name their first attendees only."""
        mine = Attendee.objects.filter(agent=me(request), ends_at__gt=_instant(request, "from") or timezone.now())
        if until := _instant(request, "to"):
            mine = mine.filter(starts_at__lt=until)
        page = cast("list[Attendee]", self.paginate_queryset(mine))
        listed = with_everything(Meeting.objects.filter(pk__in=[row.meeting_id for row in page]), listed=True)
        meetings = {meeting.pk: meeting for meeting in listed}
        data = MeetingSerializer(
            [meetings[row.meeting_id] for row in page], many=True, context=self.get_serializer_context()
        ).data
        return self.get_paginated_response(data)

    @extend_schema(
        operation_id="meetings_create",
        parameters=[IDEMPOTENCY_KEY],
        request=MeetingInputSerializer,
        responses={201: MeetingSerializer},
    )
    def post(self, request: Request) -> Response:
        """Schedule a meeting; its invitations go out by themselves."""
        return idempotency.once(request, me(request), lambda: self._create(request))

    def _create(self, request: Request) -> Response:
        form = MeetingInputSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        draft = form.draft(organiser=me(request))
        try:
            meeting = scheduling.schedule_meeting(
                by=me(request), draft=draft, now=timezone.now(), creation_key=uuid.uuid4()
            )
        except scheduling.DraftRefused as refusal:
            raise _invalid(refusal) from refusal
        data = MeetingSerializer(read_again(meeting), context=self.get_serializer_context()).data
        return Response(data, status=201, headers={"Location": f"/api/v1/meetings/{meeting.public_id}/"})


class MeetingDetail(APIView):
    @extend_schema(operation_id="meetings_read", responses=MeetingSerializer)
    def get(self, request: Request, public_id: uuid.UUID) -> Response:
        """One meeting of mine."""
        return self._answer(request, visible_meeting_or_404(me(request), public_id))

    @extend_schema(
        operation_id="meetings_update",
        request=MeetingEditSerializer,
        responses={200: MeetingSerializer, 409: OpenApiTypes.OBJECT},
    )
    def put(self, request: Request, public_id: uuid.UUID) -> Response:
        """Replace what the organiser wrote; guests are told what changed for them."""
        meeting = visible_meeting_or_404(me(request), public_id)
        form = MeetingEditSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        try:
            meeting = scheduling.edit_meeting(
                meeting=meeting,
                by=me(request),
                draft=form.draft(organiser=meeting.organiser),
                revision=form.validated_data["revision"],
                now=timezone.now(),
            )
        except scheduling.DraftRefused as refusal:
            raise _invalid(refusal) from refusal
        except scheduling.EditConflict as conflict:
            current = read_again(visible_meeting_or_404(me(request), public_id))
            raise Problem(
                409,
                "edit-conflict",
                _("Quelqu’un a modifié cette réunion entre-temps."),
                meeting=MeetingSerializer(current, context={"request": request}).data,
            ) from conflict
        except scheduling.NotOrganiser as refusal:
            raise _not_organiser() from refusal
        except scheduling.MeetingOver as refusal:
            raise _over() from refusal
        return self._answer(request, meeting)

    @extend_schema(operation_id="meetings_cancel", responses={200: MeetingSerializer})
    def delete(self, request: Request, public_id: uuid.UUID) -> Response:
        """Cancel; the meeting stays readable, and cancelling it again changes nothing."""
        meeting = visible_meeting_or_404(me(request), public_id)
        if not meeting.is_cancelled:
            try:
                scheduling.cancel_meeting(meeting=meeting, by=me(request), now=timezone.now())
            except scheduling.NotOrganiser as refusal:
                raise _not_organiser() from refusal
            except scheduling.MeetingOver as refusal:
                raise _over() from refusal
        return self._answer(request, meeting)

    def _answer(self, request: Request, meeting: Meeting) -> Response:
        return Response(MeetingSerializer(read_again(meeting), context={"request": request}).data)


class MeetingAnswer(APIView):
    @extend_schema(
        operation_id="meetings_answer",
        parameters=[IDEMPOTENCY_KEY],
        request=AnswerSerializer,
        responses={200: MeetingSerializer},
    )
    def post(self, request: Request, public_id: uuid.UUID) -> Response:
        """My answer to an invitation; the last one counts."""
        meeting = visible_meeting_or_404(me(request), public_id)
        return idempotency.once(request, me(request), lambda: self._answer(request, meeting))

    def _answer(self, request: Request, meeting: Meeting) -> Response:
        form = AnswerSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        attendee = Attendee.objects.filter(meeting=meeting, agent=me(request)).first()
        if attendee is None:
            raise Problem(403, "not-invited", _("Seules les personnes invitées répondent."))
        try:
            answers.answer(attendee=attendee, via=AnsweredVia.API, now=timezone.now(), **form.validated_data)
        except answers.AnswerRefused as refusal:
            raise Problem(409, "answer-refused", refusal.message) from refusal
        return Response(MeetingSerializer(read_again(meeting), context={"request": request}).data)


class Directory(APIView):
    @extend_schema(
        operation_id="directory_search",
        parameters=[OpenApiParameter("q", OpenApiTypes.STR, required=True, description="Two letters at least")],
        responses=PersonSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """People by name or address, ten at most, my own organisation first."""
        found = search_agents(viewer=me(request), text=request.query_params.get("q", "")[:200])
        return Response({"results": PersonSerializer(found, many=True).data})


def _instant(request: Request, name: str) -> dt.datetime | None:
    text = request.query_params.get(name, "")
    if not text:
        return None
    try:
        value = parse_datetime(text.replace(" ", "+"))
    except ValueError:
        value = None
    if value is None or value.tzinfo is None:
        raise serializers.ValidationError({name: [_("Écrivez un instant RFC 3339, par exemple 2026-11-26T09:30:00Z.")]})
    return value


def _invalid(refusal: scheduling.DraftRefused) -> serializers.ValidationError:
    names = {"wants_room": "visio", "wants_tchap": "tchap", "start_date": "start", "start_time": "start"}
    errors: dict[str, Any] = {}
    for field, messages in refusal.errors.items():
        errors.setdefault(names.get(field, field), []).extend(messages)
    return serializers.ValidationError(errors)


def _not_organiser() -> Problem:
    return Problem(403, "not-organiser", _("Seule la personne qui organise peut modifier la réunion."))


def _over() -> Problem:
    return Problem(409, "meeting-over", _("Cette réunion est terminée ou annulée."))
