"""REST API of meetings. Every refusal is a problem document (RFC 9457)."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar, cast

from django.http import HttpResponse, HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from suite.agents.conditional import readable
from suite.agents.directory import search_agents
from suite.agents.models import Agent
from suite.agents.problems import Problem
from suite.agents.strict import Faults, InstantField, StrictSerializer, asked
from visio.meetings import answers, idempotency, scheduling, series, undo
from visio.meetings.api_pieces import (
    CONFLICT,
    FROM,
    IDEMPOTENCY_KEY,
    IF_MATCH,
    IF_NONE_MATCH,
    TO,
    ByStart,
    answer_with,
    first_date,
    me,
    meeting_data,
    named_attendees,
    refusals,
    revision_of,
    with_everything,
)
from visio.meetings.drafting import draft_of
from visio.meetings.input_api import (
    AnswerSerializer,
    MeetingEditSerializer,
    MeetingInputSerializer,
    MeetingPatchSerializer,
    NothingSerializer,
    WriteQuery,
    read_draft,
)
from visio.meetings.models import AnsweredVia, Attendee, Meeting
from visio.meetings.permissions import visible_meeting_or_404
from visio.meetings.serializers import MeetingSerializer, PeopleSerializer
from visio.meetings.shown_dates import answers_of_dates, shown_to


class WindowQuery(StrictSerializer):
    """`from` and `to`, and the page."""

    cursor = serializers.CharField(required=False)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # Not class attributes: "from" is a word of the language.
        window = {
            "from": InstantField(source="start", required=False),
            "to": InstantField(source="end", required=False),
        }
        return {**window, **super().get_fields()}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "start" in attrs and "end" in attrs and attrs["end"] <= attrs["start"]:
            raise serializers.ValidationError({"to": [_("La fin doit venir après le début.")]})
        return attrs


class MeetingList(generics.GenericAPIView[Attendee]):
    scopes: ClassVar = {"GET": "meetings:read", "POST": "meetings:write"}
    pagination_class = ByStart
    queryset = Attendee.objects.none()
    serializer_class = MeetingSerializer  # type: ignore[assignment]

    @extend_schema(
        operation_id="meetings_list",
        parameters=[FROM, TO],
        responses=MeetingSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """My meetings, organised or attended, each once, in order of their first start. See /agenda/ for their dates.

        Large ones name their first attendees only.
        """
        window = asked(request, WindowQuery)
        mine = Attendee.objects.filter(agent=me(request), ends_at__gt=window.get("start", timezone.now()))
        if "end" in window:
            mine = mine.filter(starts_at__lt=window["end"])
        mine = mine.select_related("meeting", "only_occurrence")
        page = cast("list[Attendee]", self.paginate_queryset(mine))
        shown = shown_to(me(request), [row.meeting for row in page], page, timezone.now())
        wanted = Meeting.objects.filter(pk__in=[row.meeting_id for row in page])
        meetings = {meeting.pk: meeting for meeting in with_everything(wanted, shown, listed=True)}
        answers_of_dates([one for pk in shown.alone for one in named_attendees(meetings[pk])], shown.alone_dates)
        context = {**self.get_serializer_context(), "shown": shown}
        data = MeetingSerializer([meetings[row.meeting_id] for row in page], many=True, context=context).data
        return self.get_paginated_response(data)

    @extend_schema(
        operation_id="meetings_create",
        parameters=[IDEMPOTENCY_KEY, WriteQuery],
        request=MeetingInputSerializer,
        responses={201: MeetingSerializer},
    )
    def post(self, request: Request) -> HttpResponseBase:
        """Schedule a meeting or a series, for me or in a principal's name; its invitations go out by themselves."""
        return idempotency.once(request, me(request), lambda: self._create(request))

    def _create(self, request: Request) -> Response:
        query = asked(request, WriteQuery)
        data, wrong = MeetingInputSerializer(data=request.data).sort_out()
        organiser = _principal(me(request), data.get("on_behalf_of"))
        read = read_draft(data, organiser=organiser, wrong=wrong)
        with refusals(request):
            meeting = scheduling.schedule_meeting(
                by=me(request),
                organiser=organiser,
                draft=read.draft,
                now=timezone.now(),
                creation_key=uuid.uuid4(),
                notify=query["notify"],
            )
        location = f"/api/v1/meetings/{meeting.public_id}/"
        return answer_with(request, meeting, notices=read.notices, status=201, Location=location)


class MeetingDetail(APIView):
    scopes: ClassVar = {
        "GET": "meetings:read",
        "PUT": "meetings:write",
        "PATCH": "meetings:write",
        "DELETE": "meetings:write",
    }

    @extend_schema(
        operation_id="meetings_read",
        parameters=[IF_NONE_MATCH],
        responses={200: MeetingSerializer, 304: OpenApiResponse(description="Nothing is new")},
    )
    def get(self, request: Request, public_id: uuid.UUID) -> HttpResponse:
        """One meeting of mine, with its running or next date."""
        meeting = visible_meeting_or_404(me(request), public_id)
        data = meeting_data(request, meeting)
        return readable(request, data, version=meeting.revision)

    @extend_schema(
        operation_id="meetings_update",
        parameters=[IF_MATCH, WriteQuery],
        request=MeetingEditSerializer,
        responses={200: MeetingSerializer, 409: OpenApiResponse(description=CONFLICT)},
    )
    def put(self, request: Request, public_id: uuid.UUID) -> Response:
        """Replace all that the organiser wrote; guests are told what changed for them.

        A series that has begun keeps its past: other times or another rule begin with its next date, in the meeting that is
        answered (`split_from` names the one before).
        """
        form = MeetingEditSerializer(data=request.data)
        meeting = visible_meeting_or_404(me(request), public_id)
        data, wrong = form.sort_out()
        if "revision" not in data and "If-Match" not in request.headers:
            wrong.setdefault("revision", [_("Indiquez la version lue, ici ou par If-Match.")])
        return self._change(request, meeting, data, wrong, partly=False)

    @extend_schema(
        operation_id="meetings_patch",
        parameters=[IF_MATCH, WriteQuery],
        request=MeetingPatchSerializer,
        responses={200: MeetingSerializer, 409: OpenApiResponse(description=CONFLICT)},
    )
    def patch(self, request: Request, public_id: uuid.UUID) -> Response:
        """Change some of what the organiser wrote; the rest stays. Otherwise as PUT."""
        form = MeetingPatchSerializer(data=request.data, partial=True)
        meeting = visible_meeting_or_404(me(request), public_id)
        return self._change(request, meeting, *form.sort_out(), partly=True)

    @extend_schema(
        operation_id="meetings_cancel",
        parameters=[IF_MATCH, WriteQuery],
        request=None,
        responses={200: MeetingSerializer, 409: OpenApiResponse(description="It is over")},
    )
    def delete(self, request: Request, public_id: uuid.UUID) -> Response:
        """Cancel all of it; the meeting stays readable, and cancelling it again changes nothing. Undo: POST …/undo/."""
        query = asked(request, WriteQuery)
        meeting = visible_meeting_or_404(me(request), public_id)
        revision = revision_of(request, meeting, None)
        if not meeting.is_cancelled:
            with refusals(request, meeting):
                series.cancel(
                    meeting=meeting,
                    by=me(request),
                    now=timezone.now(),
                    notify=query["notify"],
                    revision=revision if "If-Match" in request.headers else None,
                )
        return answer_with(request, meeting)

    def _change(
        self, request: Request, meeting: Meeting, data: dict[str, Any], wrong: Faults, *, partly: bool
    ) -> Response:
        query, now = asked(request, WriteQuery), timezone.now()
        shown = first_date(meeting, now)
        now_draft = draft_of(meeting, shown)
        base = now_draft if partly else None
        read = read_draft(data, organiser=meeting.organiser, base=base, held=now_draft.resources, wrong=wrong)
        revision = revision_of(request, meeting, data.get("revision"))
        with refusals(request, meeting):
            changed = series.change(
                meeting=meeting,
                occurrence=shown,
                by=me(request),
                draft=read.draft,
                revision=revision,
                now=now,
                notify=query["notify"],
            )
        return answer_with(request, changed, notices=read.notices)


class MeetingAnswer(APIView):
    scopes: ClassVar = {"POST": "answers:write"}

    @extend_schema(
        operation_id="meetings_answer",
        parameters=[IDEMPOTENCY_KEY],
        request=AnswerSerializer,
        responses={200: MeetingSerializer, 409: OpenApiResponse(description="It is over, cancelled, or mine")},
    )
    def post(self, request: Request, public_id: uuid.UUID) -> HttpResponseBase:
        """My answer to the meeting or to the whole series; the last one counts."""
        meeting = visible_meeting_or_404(me(request), public_id)
        return idempotency.once(request, me(request), lambda: self._answer(request, meeting))

    def _answer(self, request: Request, meeting: Meeting) -> Response:
        form = AnswerSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        attendee = my_place(request, meeting)
        with refusals(request, meeting):
            answers.answer(attendee=attendee, via=AnsweredVia.API, now=timezone.now(), **form.validated_data)
        return answer_with(request, meeting)


class MeetingUndo(APIView):
    scopes: ClassVar = {"POST": "meetings:write"}

    @extend_schema(
        operation_id="meetings_undo",
        parameters=[IDEMPOTENCY_KEY],
        request=None,
        responses={200: MeetingSerializer, 409: OpenApiResponse(description="Too late, or changed since")},
    )
    def post(self, request: Request, public_id: uuid.UUID) -> HttpResponseBase:
        """Take my last cancel or move back, while `undo_until` has not come: nothing of it was mailed."""
        meeting = visible_meeting_or_404(me(request), public_id)
        return idempotency.once(request, me(request), lambda: self._undo(request, meeting))

    def _undo(self, request: Request, meeting: Meeting) -> Response:
        NothingSerializer(data=request.data).is_valid(raise_exception=True)
        with refusals(request, meeting):
            restored = undo.undo(meeting=meeting, by=me(request), now=timezone.now())
        return answer_with(request, restored)


class DirectoryQuery(StrictSerializer):
    q = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")


class Directory(APIView):
    scopes: ClassVar = {"GET": "directory:read"}

    @extend_schema(
        operation_id="directory_search",
        parameters=[OpenApiParameter("q", OpenApiTypes.STR, required=True, description="Two letters at least")],
        responses=PeopleSerializer,
    )
    def get(self, request: Request) -> Response:
        """People by name or address, ten at most, my own organisation first."""
        found = search_agents(viewer=me(request), text=asked(request, DirectoryQuery)["q"])
        return Response(PeopleSerializer({"results": found}).data)


def my_place(request: Request, meeting: Meeting) -> Attendee:
    """The caller among the meeting's people; 403 for who only acts for the organiser."""
    attendee = Attendee.objects.filter(meeting=meeting, agent=me(request)).select_related("meeting", "agent").first()
    if attendee is None:
        raise Problem(403, "not-invited", _("Seules les personnes invitées répondent."))
    return attendee


def _principal(caller: Agent, public_id: uuid.UUID | None) -> Agent:
    """In whose name; an agent who has not let the caller plan is refused like one who does not exist."""
    if public_id is None or public_id == caller.public_id:
        return caller
    held = caller.delegations_held.filter(principal__public_id=public_id, principal__is_active=True)
    found = held.select_related("principal__organisation").first()
    if found is None:
        raise Problem(403, "not-delegate", _("Cette personne ne vous a pas confié ses réunions."))
    return found.principal
