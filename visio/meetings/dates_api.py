"""REST API of a meeting's dates: read them, change or cancel one, this and the following or all, answer one."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar, cast

from django.db.models import Q
from django.http import Http404, HttpResponse, HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, PolymorphicProxySerializer, extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from suite.agents.conditional import readable, written
from suite.agents.strict import Faults, asked
from visio.meetings import answers, idempotency, series
from visio.meetings.api import WindowQuery, my_place
from visio.meetings.api_examples import OCCURRENCE_DETAIL, PATCH_DATE
from visio.meetings.api_pieces import (
    CONFLICT,
    FROM,
    IDEMPOTENCY_KEY,
    IF_MATCH,
    IF_NONE_MATCH,
    TO,
    ByStart,
    answer_with,
    me,
    my_answers,
    refusals,
    revision_of,
)
from visio.meetings.attendance import people_of_date
from visio.meetings.dates import occurrence_by_key
from visio.meetings.drafting import draft_of
from visio.meetings.exception_models import AttendeeException
from visio.meetings.input_api import (
    OF_THE_SERIES,
    AnswerSerializer,
    OccurrencePatchSerializer,
    ScopedQuery,
    read_draft,
)
from visio.meetings.models import AnsweredVia, Attendee, Meeting, Occurrence, Role
from visio.meetings.permissions import can_edit_meeting, visible_meeting_or_404
from visio.meetings.scopes import Scope
from visio.meetings.serializers import (
    ONLY,
    MeetingSerializer,
    OccurrenceDetailSerializer,
    OccurrenceSerializer,
    hide_comments,
    occurrence_data,
    resources_of,
)
from visio.meetings.shown_dates import answers_of_dates

WRITTEN = PolymorphicProxySerializer(
    component_name="OccurrenceOrMeeting",
    serializers=[OccurrenceDetailSerializer, MeetingSerializer],
    resource_type_field_name=None,
)


class OccurrenceList(generics.GenericAPIView[Occurrence]):
    scopes: ClassVar = {"GET": "meetings:read"}
    pagination_class = ByStart
    queryset = Occurrence.objects.none()
    serializer_class = OccurrenceSerializer

    @extend_schema(
        operation_id="occurrences_list",
        parameters=[FROM, TO],
        responses=OccurrenceSerializer(many=True),
    )
    def get(self, request: Request, public_id: uuid.UUID) -> Response:
        """The dates of a meeting that I may see, cancelled ones too, in order; of a series without end those of 18 months."""
        window = asked(request, WindowQuery)
        meeting = visible_meeting_or_404(me(request), public_id)
        dates = visible_dates(request, meeting).filter(ends_at__gt=window.get("start", timezone.now()))
        if "end" in window:
            dates = dates.filter(starts_at__lt=window["end"])
        page = cast("list[Occurrence]", self.paginate_queryset(dates))
        mine = my_answers(meeting, page, me(request))
        rows = [occurrence_data(meeting, one, answer=mine.get(one.pk)) for one in page]
        return self.get_paginated_response(OccurrenceSerializer(rows, many=True).data)


class OccurrenceDetail(APIView):
    scopes: ClassVar = {"GET": "meetings:read", "PATCH": "meetings:write", "DELETE": "meetings:write"}

    @extend_schema(
        operation_id="occurrences_read",
        parameters=[IF_NONE_MATCH],
        responses={200: OccurrenceDetailSerializer, 304: OpenApiResponse(description="Nothing is new")},
    )
    def get(self, request: Request, public_id: uuid.UUID, key: str) -> HttpResponse:
        """One date, with the people who are invited to it."""
        meeting, occurrence = _date_or_404(request, public_id, key)
        return readable(request, _detail(request, meeting, occurrence), version=meeting.revision)

    @extend_schema(
        operation_id="occurrences_update",
        parameters=[IF_MATCH, ScopedQuery],
        request=OccurrencePatchSerializer,
        examples=[OCCURRENCE_DETAIL, PATCH_DATE],
        responses={200: WRITTEN, 409: OpenApiResponse(description=CONFLICT)},
    )
    def patch(self, request: Request, public_id: uuid.UUID, key: str) -> Response:
        """Change this date (`scope=one`), this and the following, or all. What is left out stays.

        `one` answers the date; the others answer the meeting that has it now: a new one after `following`, and after `all`
        gave other times to a series that has begun.
        """
        form = OccurrencePatchSerializer(data=request.data, partial=True)
        query = asked(request, ScopedQuery)
        meeting, occurrence = _date_or_404(request, public_id, key)
        data, wrong = form.sort_out()
        scope = Scope(query["scope"]) if meeting.is_series else Scope.ALL
        if scope == Scope.ONE:
            _refuse_the_series_own(data, wrong)
        base = draft_of(meeting, occurrence, scope=scope)
        read = read_draft(data, organiser=meeting.organiser, base=base, held=base.resources, wrong=wrong)
        revision, now = revision_of(request, meeting, data.get("revision")), timezone.now()
        with refusals(request, meeting):
            changed = series.change(
                meeting=meeting,
                occurrence=occurrence,
                scope=scope,
                by=me(request),
                draft=read.draft,
                revision=revision,
                now=now,
                notify=query["notify"],
            )
        if query["scope"] == Scope.ONE and changed.pk == meeting.pk:
            return _date_as_it_is(request, changed, occurrence)
        return answer_with(request, changed, notices=read.notices)

    @extend_schema(
        operation_id="occurrences_cancel",
        parameters=[IF_MATCH, ScopedQuery],
        request=None,
        examples=[OCCURRENCE_DETAIL],
        responses={200: WRITTEN, 409: OpenApiResponse(description="It is over")},
    )
    def delete(self, request: Request, public_id: uuid.UUID, key: str) -> Response:
        """Cancel this date (it stays readable), this and the following, or all. Again changes nothing."""
        query = asked(request, ScopedQuery)
        meeting, occurrence = _date_or_404(request, public_id, key)
        scope = Scope(query["scope"]) if meeting.is_series else Scope.ALL
        revision = revision_of(request, meeting, None)
        if not meeting.is_cancelled:
            with refusals(request, meeting):
                series.cancel(
                    meeting=meeting,
                    occurrence=occurrence,
                    scope=scope,
                    by=me(request),
                    now=timezone.now(),
                    notify=query["notify"],
                    revision=revision if "If-Match" in request.headers else None,
                )
        if query["scope"] == Scope.ONE:
            return _date_as_it_is(request, meeting, occurrence)
        return answer_with(request, meeting)


class OccurrenceAnswer(APIView):
    scopes: ClassVar = {"POST": "answers:write"}

    @extend_schema(
        operation_id="occurrences_answer",
        parameters=[IDEMPOTENCY_KEY],
        request=AnswerSerializer,
        responses={200: OccurrenceDetailSerializer, 409: OpenApiResponse(description="It is over, cancelled, or mine")},
    )
    def post(self, request: Request, public_id: uuid.UUID, key: str) -> HttpResponseBase:
        """My answer to this date alone; the last one counts."""
        meeting, occurrence = _date_or_404(request, public_id, key)
        return idempotency.once(request, me(request), lambda: self._answer(request, meeting, occurrence))

    def _answer(self, request: Request, meeting: Meeting, occurrence: Occurrence) -> Response:
        form = AnswerSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        attendee = my_place(request, meeting)
        with refusals(request, meeting):
            answers.answer(
                attendee=attendee,
                occurrence=occurrence if meeting.is_series else None,
                via=AnsweredVia.API,
                now=timezone.now(),
                **form.validated_data,
            )
        return _date_as_it_is(request, meeting, occurrence)


def visible_dates(request: Request, meeting: Meeting) -> Any:
    """All dates for who organises; for a guest those that they are or were invited to."""
    dates = Occurrence.objects.filter(meeting=meeting)
    if can_edit_meeting(meeting, me(request)):
        return dates
    mine = Attendee.objects.filter(meeting=meeting, agent=me(request)).first()
    if mine is None:
        return dates
    away = AttendeeException.objects.filter(attendee=mine, removed=True).values("occurrence")
    shown = Q(pk=mine.only_occurrence_id) if mine.only_occurrence_id is not None else Q()
    return dates.filter(shown).exclude(pk__in=away)


def _date_or_404(request: Request, public_id: uuid.UUID, key: str) -> tuple[Meeting, Occurrence]:
    meeting = visible_meeting_or_404(me(request), public_id)
    occurrence = occurrence_by_key(meeting, "" if key == ONLY else key) if key else None
    if occurrence is None or not visible_dates(request, meeting).filter(pk=occurrence.pk).exists():
        raise Http404
    return meeting, occurrence


def _refuse_the_series_own(data: dict[str, Any], wrong: Faults) -> None:
    """Into `wrong`, out of `data`."""
    words = _("Cela appartient à la série : demandez scope=following ou scope=all.")
    for name in OF_THE_SERIES:
        if data.pop(name, None) is not None:
            wrong[name] = [words]


def _date_as_it_is(request: Request, meeting: Meeting, occurrence: Occurrence) -> Response:
    meeting = Meeting.objects.select_related("organiser__organisation", "room").get(pk=meeting.pk)
    occurrence = Occurrence.objects.get(pk=occurrence.pk)
    return written(_detail(request, meeting, occurrence), version=meeting.revision)


def _detail(request: Request, meeting: Meeting, occurrence: Occurrence) -> Any:
    """The date with its people: the organiser first, each with their answer to it."""
    chairs = Attendee.objects.filter(meeting=meeting, role=Role.CHAIR).select_related("agent")
    people = [*chairs, *people_of_date(meeting, occurrence)]
    answers_of_dates(people, [occurrence] if meeting.is_series else [])
    mine = next((person.answer for person in people if person.agent_id == me(request).pk), None)
    data = occurrence_data(meeting, occurrence, answer=mine) | {
        "description": meeting.description if occurrence.description is None else occurrence.description,
        "revision": meeting.revision,
        "attendees": people,
        "resources": resources_of([], occurrences=[occurrence]).get(meeting.pk, []),
        "can_edit": can_edit_meeting(meeting, me(request)),
    }
    shown = OccurrenceDetailSerializer(data).data
    if not data["can_edit"]:
        hide_comments(shown["attendees"], people, me(request))
    return shown
