"""REST API of polls. Every refusal is a problem document (RFC 9457)."""

from __future__ import annotations

import uuid
from abc import ABC, abstractmethod
from typing import Any, ClassVar, cast

from django.http import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, pagination, serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from suite.agents.models import Agent
from suite.agents.problems import Problem
from suite.agents.strict import StrictSerializer, asked
from visio.meetings import idempotency
from visio.meetings.refusals import DraftRefused
from visio.polls.board import read_board
from visio.polls.closing import choose_date, close_poll
from visio.polls.listing import TABS, listed
from visio.polls.models import Poll
from visio.polls.opening import open_poll
from visio.polls.permissions import visible_poll_or_404
from visio.polls.refusals import ChoiceRefused, NotPollOrganiser, PollNotOpen, PollRefused, VoteRefused
from visio.polls.serializers import (
    PollChoiceSerializer,
    PollInputSerializer,
    PollSerializer,
    PollSummarySerializer,
    PollVoteSerializer,
    by_name,
    shown,
)
from visio.polls.voting import vote

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="Repeat a POST safely: same key, same answer.",
)


def me(request: Request) -> Agent:
    """The agent behind the request: IsAuthenticated lets nobody else through."""
    return cast(Agent, request.user)


def poll_data(request: Request, public_id: uuid.UUID) -> Any:
    """The poll as it is now, for the caller."""
    agent = me(request)
    poll = visible_poll_or_404(agent, public_id)
    mine = poll.participants.filter(agent=agent).first()
    board = read_board(poll, viewer=agent, me=mine, now=timezone.now(), all_rows=True)
    return PollSerializer(shown(poll, board, viewer=agent, me=mine)).data


class Newest(pagination.CursorPagination):
    ordering = "-id"
    page_size = 20

    def decode_cursor(self, request: Request) -> Any:
        """404 for a forged cursor, which would otherwise reach the database as a number that is none."""
        cursor = super().decode_cursor(request)
        position = getattr(cursor, "position", None)
        if position is not None and not (position.isascii() and position.isdigit() and len(position) < 19):
            raise NotFound(self.invalid_cursor_message)
        return cursor


class PollsQuery(StrictSerializer):
    role = serializers.ChoiceField(choices=["asked", "organiser"], default="asked")
    cursor = serializers.CharField(required=False)


class PollList(generics.GenericAPIView[Poll]):
    scopes: ClassVar = {"GET": "polls:read", "POST": "polls:write"}
    pagination_class = Newest
    queryset = Poll.objects.none()
    serializer_class = PollSummarySerializer

    @extend_schema(
        operation_id="polls_list",
        parameters=[
            OpenApiParameter("role", OpenApiTypes.STR, enum=["asked", "organiser"], description="Default: asked")
        ],
        responses=PollSummarySerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """Polls that ask me, or that I organise, newest first."""
        tab = TABS[1] if asked(request, PollsQuery)["role"] == "organiser" else TABS[0]
        page = cast("list[Poll]", self.paginate_queryset(listed(me(request), tab=tab, now=timezone.now())))
        return self.get_paginated_response(PollSummarySerializer(page, many=True).data)

    @extend_schema(
        operation_id="polls_create",
        parameters=[IDEMPOTENCY_KEY],
        request=PollInputSerializer,
        responses={201: PollSerializer},
    )
    def post(self, request: Request) -> HttpResponseBase:
        """Ask people about dates; their invitations go out by themselves."""
        return idempotency.once(request, me(request), lambda: self._create(request))

    def _create(self, request: Request) -> Response:
        now = timezone.now()
        draft = PollInputSerializer(data=request.data).draft(organiser=me(request), now=now)
        try:
            poll = open_poll(by=me(request), draft=draft, now=now, creation_key=uuid.uuid4())
        except PollRefused as refused:
            raise serializers.ValidationError(by_name(refused.faults)) from refused
        data = poll_data(request, poll.public_id)
        return Response(data, status=201, headers={"Location": f"/api/v1/polls/{poll.public_id}/"})


class PollDetail(APIView):
    scopes: ClassVar = {"GET": "polls:read"}

    @extend_schema(operation_id="polls_read", responses=PollSerializer)
    def get(self, request: Request, public_id: uuid.UUID) -> Response:
        """One poll of mine, with the votes that I may read."""
        return Response(poll_data(request, public_id))


class _Act(APIView, ABC):
    """One POST on a poll of the caller's, done once a key."""

    def _once(self, request: Request, public_id: uuid.UUID) -> HttpResponseBase:
        poll = visible_poll_or_404(me(request), public_id)

        def work() -> Response:
            self._act(request, poll)
            return Response(poll_data(request, public_id))

        return idempotency.once(request, me(request), work)

    @abstractmethod
    def _act(self, request: Request, poll: Poll) -> None: ...


class PollAnswer(_Act):
    scopes: ClassVar = {"POST": "answers:write"}

    @extend_schema(
        operation_id="polls_vote",
        parameters=[IDEMPOTENCY_KEY],
        request=PollVoteSerializer,
        responses={200: PollSerializer, 409: OpenApiTypes.OBJECT},
    )
    def post(self, request: Request, public_id: uuid.UUID) -> HttpResponseBase:
        """My answer for every date; the last one counts."""
        return self._once(request, public_id)

    def _act(self, request: Request, poll: Poll) -> None:
        form = PollVoteSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        mine = poll.participants.filter(agent=me(request)).select_related("poll").first()
        if mine is None:
            raise Problem(403, "not-asked", _("Seules les personnes consultées répondent."))
        try:
            vote(
                participant=mine,
                choices=form.validated_data["votes"],
                comment=form.validated_data["comment"],
                now=timezone.now(),
            )
        except VoteRefused as refused:
            if refused.reason in {"incomplete", "unknown_date"}:
                raise serializers.ValidationError({"votes": [refused.message]}) from refused
            raise Problem(409, "vote-refused", refused.message) from refused


class PollChoose(_Act):
    scopes: ClassVar = {"POST": "polls:write"}

    @extend_schema(
        operation_id="polls_choose",
        parameters=[IDEMPOTENCY_KEY],
        request=PollChoiceSerializer,
        responses={200: PollSerializer, 409: OpenApiTypes.OBJECT},
    )
    def post(self, request: Request, public_id: uuid.UUID) -> HttpResponseBase:
        """Turn one date into the meeting (`meeting` is its id); everybody asked is invited. Repeating it changes nothing."""
        return self._once(request, public_id)

    def _act(self, request: Request, poll: Poll) -> None:
        form = PollChoiceSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        try:
            choose_date(poll=poll, key=form.validated_data["date"], by=me(request), now=timezone.now())
        except NotPollOrganiser as refused:
            raise _not_organiser() from refused
        except ChoiceRefused as refused:
            if refused.reason == "unknown_date":
                raise serializers.ValidationError({"date": [refused.message]}) from refused
            raise Problem(409, "choice-refused", refused.message) from refused
        except DraftRefused as refused:
            raise serializers.ValidationError(refused.errors) from refused


class PollClose(_Act):
    scopes: ClassVar = {"POST": "polls:write"}

    @extend_schema(
        operation_id="polls_close",
        parameters=[IDEMPOTENCY_KEY],
        request=None,
        responses={200: PollSerializer, 409: OpenApiTypes.OBJECT},
    )
    def post(self, request: Request, public_id: uuid.UUID) -> HttpResponseBase:
        """Take no more answers, without choosing. Repeating it changes nothing."""
        return self._once(request, public_id)

    def _act(self, request: Request, poll: Poll) -> None:
        try:
            close_poll(poll=poll, by=me(request), now=timezone.now())
        except NotPollOrganiser as refused:
            raise _not_organiser() from refused
        except PollNotOpen as refused:
            raise Problem(409, "poll-not-open", refused.message) from refused


def _not_organiser() -> Problem:
    return Problem(403, "not-organiser", _("Seule la personne qui organise peut le faire."))
