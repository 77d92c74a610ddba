"""REST API of other times that attendees propose (COUNTER), and of what the organiser decides."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar, cast

from django.http import Http404, HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import generics, pagination, serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from suite.agents.strict import StrictSerializer, asked
from visio.meetings import counters, idempotency
from visio.meetings.api import my_place
from visio.meetings.api_pieces import IDEMPOTENCY_KEY, answer_with, me, refusals
from visio.meetings.dates import occurrence_by_key
from visio.meetings.dates_api import visible_dates
from visio.meetings.exception_models import CounterProposal, CounterState
from visio.meetings.input_api import CounterInputSerializer, CounterRefusalSerializer, NothingSerializer
from visio.meetings.models import AnsweredVia, Meeting, Occurrence
from visio.meetings.permissions import can_edit_meeting, visible_meeting_or_404
from visio.meetings.serializers import ONLY, CounterSerializer, MeetingSerializer

DECIDED = "It waits for no decision any more, or the meeting is over"


class NewestFirst(pagination.CursorPagination):
    ordering: Any = ("-id",)
    page_size = 50

    def decode_cursor(self, request: Request) -> Any:
        """404 for a forged cursor."""
        cursor = super().decode_cursor(request)
        position = getattr(cursor, "position", None)
        if position is not None and not (position.isascii() and position.isdigit() and len(position) < 19):
            raise NotFound(self.invalid_cursor_message)
        return cursor


class CountersQuery(StrictSerializer):
    state = serializers.ChoiceField(choices=CounterState.choices, required=False)
    cursor = serializers.CharField(required=False)


class CounterList(generics.GenericAPIView[CounterProposal]):
    scopes: ClassVar = {"GET": "meetings:read", "POST": "answers:write"}
    pagination_class = NewestFirst
    queryset = CounterProposal.objects.none()
    serializer_class = CounterSerializer

    @extend_schema(
        operation_id="counters_list",
        parameters=[OpenApiParameter("state", OpenApiTypes.STR, enum=CounterState.values)],
        responses=CounterSerializer(many=True),
    )
    def get(self, request: Request, public_id: uuid.UUID) -> Response:
        """Other times proposed, newest first: all for who organises, a guest's own for a guest."""
        query = asked(request, CountersQuery)
        meeting = visible_meeting_or_404(me(request), public_id)
        found = _visible(request, meeting)
        if "state" in query:
            found = found.filter(state=query["state"])
        page = cast("list[CounterProposal]", self.paginate_queryset(found))
        return self.get_paginated_response(CounterSerializer(page, many=True).data)

    @extend_schema(
        operation_id="counters_propose",
        parameters=[IDEMPOTENCY_KEY],
        request=CounterInputSerializer,
        responses={201: CounterSerializer, 409: OpenApiResponse(description="It is over, cancelled, or mine")},
    )
    def post(self, request: Request, public_id: uuid.UUID) -> HttpResponseBase:
        """Propose another time, in place of what I proposed before for the same date."""
        meeting = visible_meeting_or_404(me(request), public_id)
        return idempotency.once(request, me(request), lambda: self._propose(request, meeting))

    def _propose(self, request: Request, meeting: Meeting) -> Response:
        form = CounterInputSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        data = form.validated_data
        attendee = my_place(request, meeting)
        with refusals(request, meeting):
            counter = counters.propose(
                attendee=attendee,
                occurrence=_date(request, meeting, data["occurrence"]),
                starts_at=data["starts_at"],
                ends_at=data["ends_at"],
                comment=data["comment"],
                via=AnsweredVia.API,
                now=timezone.now(),
            )
        return Response(CounterSerializer(_visible(request, meeting).get(pk=counter.pk)).data, status=201)


class _Decision(APIView):
    def _counter(self, request: Request, public_id: uuid.UUID, counter_id: uuid.UUID) -> CounterProposal:
        meeting = visible_meeting_or_404(me(request), public_id)
        found: CounterProposal | None = _visible(request, meeting).filter(public_id=counter_id).first()
        if found is None:
            raise Http404
        return found


class CounterAccept(_Decision):
    scopes: ClassVar = {"POST": "meetings:write"}

    @extend_schema(
        operation_id="counters_accept",
        parameters=[IDEMPOTENCY_KEY],
        request=None,
        responses={200: MeetingSerializer, 409: OpenApiResponse(description=DECIDED)},
    )
    def post(self, request: Request, public_id: uuid.UUID, counter_id: uuid.UUID) -> HttpResponseBase:
        """The meeting, or that date, moves to the proposed time; everybody is told. The meeting that has it."""
        counter = self._counter(request, public_id, counter_id)

        def work() -> Response:
            NothingSerializer(data=request.data).is_valid(raise_exception=True)
            with refusals(request, counter.meeting):
                moved = counters.accept(counter=counter, by=me(request), now=timezone.now())
            return answer_with(request, moved)

        return idempotency.once(request, me(request), work)


class CounterRefuse(_Decision):
    scopes: ClassVar = {"POST": "meetings:write"}

    @extend_schema(
        operation_id="counters_refuse",
        parameters=[IDEMPOTENCY_KEY],
        request=CounterRefusalSerializer,
        responses={200: CounterSerializer, 409: OpenApiResponse(description=DECIDED)},
    )
    def post(self, request: Request, public_id: uuid.UUID, counter_id: uuid.UUID) -> HttpResponseBase:
        """The time stays; the attendee is told, with a word if there is one."""
        counter = self._counter(request, public_id, counter_id)

        def work() -> Response:
            form = CounterRefusalSerializer(data=request.data)
            form.is_valid(raise_exception=True)
            with refusals(request, counter.meeting):
                counters.refuse(counter=counter, by=me(request), now=timezone.now(), **form.validated_data)
            return Response(CounterSerializer(_visible(request, counter.meeting).get(pk=counter.pk)).data)

        return idempotency.once(request, me(request), work)


def _visible(request: Request, meeting: Meeting) -> Any:
    rows = CounterProposal.objects.filter(meeting=meeting).select_related("meeting", "attendee__agent", "occurrence")
    return rows if can_edit_meeting(meeting, me(request)) else rows.filter(attendee__agent=me(request))


def _date(request: Request, meeting: Meeting, key: str | None) -> Occurrence | None:
    if key is None or (key == ONLY and not meeting.is_series):
        return None
    found = occurrence_by_key(meeting, key)
    if found is None or not visible_dates(request, meeting).filter(pk=found.pk).exists():
        raise serializers.ValidationError({"occurrence": [_("Cette réunion n’a pas cette date.")]})
    return found
