"""REST API of presence: read who is here, choose my own state."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar, cast

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from suite.agents.models import Agent, ChosenPresence
from suite.agents.strict import InstantField, StrictSerializer
from suite.live import presence
from suite.live.visibility import may_see

MOST_ASKED = 100


_IN_A_MEETING = {
    "agent": "0b0a4e9e-5a53-4f8b-8a50-6dbb8f2f0c55",
    "state": "in_meeting",
    "until": "2026-11-26T10:15:00Z",
    "since": None,
    "words": "En réunion jusqu’à 11 h 15",
}


@extend_schema_serializer(examples=[OpenApiExample("In a meeting", value=_IN_A_MEETING, response_only=True)])
class PresenceSerializer(serializers.Serializer[Any]):
    agent = serializers.UUIDField(read_only=True)
    state = serializers.ChoiceField(choices=list(presence.STATES), read_only=True)
    until = InstantField(read_only=True, allow_null=True)
    since = InstantField(read_only=True, allow_null=True)
    words = serializers.CharField(read_only=True)


@extend_schema_serializer(
    examples=[OpenApiExample("One agent, in a meeting", value={"results": [_IN_A_MEETING]}, response_only=True)]
)
class PresencesSerializer(serializers.Serializer[Any]):
    results = PresenceSerializer(many=True)


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Do not disturb until noon",
            value={"state": "do_not_disturb", "until": "2026-11-26T11:00:00Z"},
            request_only=True,
        )
    ]
)
class ChosenPresenceSerializer(StrictSerializer):
    state = serializers.ChoiceField(choices=ChosenPresence.choices)
    until = InstantField(required=False, allow_null=True, default=None)


class PresenceApi(APIView):
    scopes: ClassVar = {"GET": "presence:read", "PUT": "presence:write"}

    @extend_schema(
        operation_id="presence_read",
        parameters=[
            OpenApiParameter(
                "agent", OpenApiTypes.UUID, many=True, description="Whose; repeat it, 100 at most. Mine when left out."
            )
        ],
        responses=PresencesSerializer,
    )
    def get(self, request: Request) -> Response:
        """Presence of people of my organisation or of my meetings; others are left out of the answer."""
        viewer = cast(Agent, request.user)
        asked = _asked(request)
        agents = list(Agent.objects.filter(public_id__in=asked, is_active=True)) if asked else [viewer]
        seen = may_see(viewer, [agent.pk for agent in agents])
        return Response({"results": _states([agent for agent in agents if agent.pk in seen])})

    @extend_schema(
        operation_id="presence_choose", request=ChosenPresenceSerializer, responses={200: PresenceSerializer}
    )
    def put(self, request: Request) -> Response:
        """Choose how I am shown; `automatic` gives the choice back."""
        form = ChosenPresenceSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        viewer = cast(Agent, request.user)
        presence.choose(agent=viewer, now=timezone.now(), **form.validated_data)
        return Response(_states([viewer])[0])


def _asked(request: Request) -> list[uuid.UUID]:
    texts = request.query_params.getlist("agent")
    if len(texts) > MOST_ASKED:
        raise serializers.ValidationError({"agent": [_("100 agents au plus par demande.")]})
    try:
        return [uuid.UUID(text) for text in texts]
    except ValueError as error:
        raise serializers.ValidationError({"agent": [_("Identifiant d’agent mal écrit.")]}) from error


def _states(agents: list[Agent]) -> Any:
    known = presence.states(agents, now=timezone.now())
    rows = [
        {
            "agent": agent.public_id,
            "state": known[agent.pk].state,
            "until": known[agent.pk].until,
            "since": known[agent.pk].since,
            "words": known[agent.pk].words,
        }
        for agent in agents
    ]
    return PresenceSerializer(rows, many=True).data
