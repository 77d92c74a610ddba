"""REST API of availability and of proposed slots: hours and kinds, never a title."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any, ClassVar, cast

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from suite.agents.hours import Span, working_spans
from suite.agents.models import Agent
from suite.agents.strict import InstantField, StrictSerializer, sound
from visio.meetings import words
from visio.meetings.availability import Busy, Kind, busy
from visio.meetings.slot_search import MOST_ROOMS, Wanted, find_slots
from visio.meetings.slot_words import reason
from visio.meetings.slots import STEPS, Slot
from visio.meetings.wallclock import zone_names
from visio.places.models import Resource, ResourceKind

MOST_AGENTS = 50
LONGEST = dt.timedelta(days=31)
USUAL = dt.timedelta(days=14)
MOST_MINUTES = 24 * 60
MOST_SLOTS = 20


class WindowSerializer(StrictSerializer):
    """`from` and `to`, at most 31 days apart."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # Not class attributes: "from" is a word of the language.
        window = {
            "from": InstantField(source="start", required=self.needs_window, help_text="First instant"),
            "to": InstantField(source="end", required=self.needs_window, help_text="Last instant, excluded"),
        }
        return {**window, **super().get_fields()}

    needs_window = True

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs.setdefault("start", timezone.now())
        attrs.setdefault("end", attrs["start"] + USUAL)
        if attrs["end"] <= attrs["start"]:
            raise serializers.ValidationError({"to": _("La fin doit venir après le début.")})
        if attrs["end"] - attrs["start"] > LONGEST:
            raise serializers.ValidationError({"to": _("31 jours au plus par demande.")})
        return attrs


class AvailabilityQuery(WindowSerializer):
    agents = serializers.ListField(child=serializers.UUIDField(), min_length=1, max_length=MOST_AGENTS)


class SpanSerializer(serializers.Serializer[Span]):
    starts_at = InstantField(read_only=True)
    ends_at = InstantField(read_only=True)


class BusySerializer(serializers.Serializer[Busy]):
    starts_at = InstantField(read_only=True)
    ends_at = InstantField(read_only=True)
    kind = serializers.ChoiceField(choices=[kind.value for kind in Kind], read_only=True)


class AgentAvailabilitySerializer(serializers.Serializer[Any]):
    agent = serializers.UUIDField(read_only=True)
    time_zone = serializers.CharField(read_only=True)
    busy = BusySerializer(many=True, read_only=True)
    working = SpanSerializer(many=True, read_only=True)


class AvailabilitySerializer(serializers.Serializer[Any]):
    results = AgentAvailabilitySerializer(many=True, read_only=True)
    unknown = serializers.ListField(child=serializers.UUIDField(), read_only=True)


class SlotSearchSerializer(WindowSerializer):
    """What is looked for. Without `from` and `to`: the coming 14 days."""

    needs_window = False
    minutes = serializers.IntegerField(min_value=1, max_value=MOST_MINUTES)
    optional = serializers.ListField(child=serializers.UUIDField(), max_length=MOST_AGENTS, default=list)
    include_me = serializers.BooleanField(default=True, help_text="Count me among the required ones")
    rooms = serializers.ListField(
        child=serializers.UUIDField(),
        max_length=MOST_ROOMS,
        default=list,
        help_text="One of these must be free; in order of preference",
    )
    time_zone = serializers.CharField(max_length=64, required=False, help_text="Whose clock the steps follow")
    step = serializers.ChoiceField(choices=list(STEPS), default=15)
    limit = serializers.IntegerField(min_value=1, max_value=MOST_SLOTS, default=10)
    beyond_hours = serializers.BooleanField(
        default=False, help_text="When nothing lies within everybody's working hours, propose the nearest times"
    )

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # Not a class attribute either: every field has a `required` of its own.
        people = serializers.ListField(child=serializers.UUIDField(), max_length=MOST_AGENTS, default=list)
        return {**super().get_fields(), "required": people}

    def validate_time_zone(self, value: str) -> str:
        if value not in zone_names():
            raise serializers.ValidationError(_("Ce fuseau horaire n’existe pas."))
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        if len({*attrs["required"], *attrs["optional"]}) + attrs["include_me"] > MOST_AGENTS:
            raise serializers.ValidationError({"required": _("50 agents au plus par demande.")})
        if not attrs["required"] and not attrs["optional"] and not attrs["include_me"]:
            raise serializers.ValidationError({"required": _("Nommez au moins une personne.")})
        return attrs


class SlotSerializer(serializers.Serializer[Any]):
    starts_at = InstantField(read_only=True)
    ends_at = InstantField(read_only=True)
    start = serializers.CharField(read_only=True, help_text="The start as a wall clock in time_zone")
    time_zone = serializers.CharField(read_only=True)
    room = serializers.UUIDField(read_only=True, allow_null=True)
    coming = serializers.IntegerField(read_only=True)
    people = serializers.IntegerField(read_only=True)
    missing = serializers.ListField(child=serializers.UUIDField(), read_only=True, help_text="Optional, not free")
    outside = serializers.ListField(child=serializers.UUIDField(), read_only=True, help_text="Required, off duty")
    lunch = serializers.BooleanField(read_only=True)
    reason = serializers.CharField(read_only=True)


class SlotsSerializer(serializers.Serializer[Any]):
    results = SlotSerializer(many=True, read_only=True)


class AvailabilityApi(APIView):
    scopes: ClassVar = {"GET": "availability:read"}

    @extend_schema(
        operation_id="availability_read",
        parameters=[
            OpenApiParameter(
                "agents", OpenApiTypes.UUID, many=True, required=True, description="Whose; repeat it, 50 at most"
            ),
            OpenApiParameter("from", OpenApiTypes.DATETIME, required=True, description="First instant"),
            OpenApiParameter("to", OpenApiTypes.DATETIME, required=True, description="Last one, 31 days later at most"),
        ],
        responses=AvailabilitySerializer,
        examples=[
            OpenApiExample(
                "One agent's morning",
                response_only=True,
                value={
                    "results": [
                        {
                            "agent": "6f1c2c54-7a3e-4d0e-9b4e-2a0c3a1f9d11",
                            "time_zone": "Europe/Paris",
                            "busy": [
                                {"starts_at": "2026-11-26T09:00:00Z", "ends_at": "2026-11-26T10:00:00Z", "kind": "busy"}
                            ],
                            "working": [{"starts_at": "2026-11-26T08:00:00Z", "ends_at": "2026-11-26T11:30:00Z"}],
                        }
                    ],
                    "unknown": [],
                },
            )
        ],
    )
    def get(self, request: Request) -> Response:
        """When these agents are taken: `busy`, `tentative` or `out`, and their working hours. Never a title."""
        texts = [text for value in request.query_params.getlist("agents") for text in value.split(",") if text]
        # In a query "+" means a space: an offset of "+01:00" that was not escaped arrives as one.
        asked = {
            name: request.query_params[name].replace(" ", "+") for name in request.query_params if name != "agents"
        }
        values = sound(AvailabilityQuery(data={**asked, "agents": texts}))
        agents = _agents(values["agents"])
        viewer = cast(Agent, request.user)
        taken = busy([agent.pk for agent in agents.values()], values["start"], values["end"], viewer=viewer)
        working = working_spans(list(agents.values()), values["start"], values["end"])
        rows = [
            {
                "agent": public_id,
                "time_zone": agent.time_zone,
                "busy": taken.get(agent.pk, []),
                "working": working[agent.pk],
            }
            for public_id, agent in agents.items()
        ]
        unknown = [one for one in dict.fromkeys(values["agents"]) if one not in agents]
        return Response(AvailabilitySerializer({"results": rows, "unknown": unknown}).data)


class SlotsApi(APIView):
    scopes: ClassVar = {"POST": "availability:read"}

    @extend_schema(
        operation_id="slots_propose",
        request=SlotSearchSerializer,
        responses=SlotsSerializer,
        examples=[
            OpenApiExample(
                "An hour of three people",
                request_only=True,
                value={
                    "minutes": 60,
                    "required": ["6f1c2c54-7a3e-4d0e-9b4e-2a0c3a1f9d11"],
                    "optional": ["0b0a4e9e-5a53-4f8b-8a50-6dbb8f2f0c55"],
                    "from": "2026-11-26T00:00:00+01:00",
                    "to": "2026-12-03T00:00:00+01:00",
                },
            ),
            OpenApiExample(
                "Thursday at half past ten",
                response_only=True,
                value={
                    "results": [
                        {
                            "starts_at": "2026-11-26T09:30:00Z",
                            "ends_at": "2026-11-26T10:30:00Z",
                            "start": "2026-11-26T10:30",
                            "time_zone": "Europe/Paris",
                            "room": None,
                            "coming": 2,
                            "people": 3,
                            "missing": ["0b0a4e9e-5a53-4f8b-8a50-6dbb8f2f0c55"],
                            "outside": [],
                            "lunch": False,
                            "reason": "Sauf un invité facultatif",
                        }
                    ]
                },
            ),
        ],
    )
    def post(self, request: Request) -> Response:
        """The best times for these people and a free room, best first, each with its reason.

        Reads and writes nothing: it may be repeated without an Idempotency-Key, and answers what is true at that moment.
        """
        form = SlotSearchSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        values, viewer, now = form.validated_data, cast(Agent, request.user), timezone.now()
        agents = _agents([*values["required"], *values["optional"]])
        rooms = _rooms(viewer, values["rooms"])
        wrong = {
            name: [_("Agents inconnus : %(ids)s.") % {"ids": ", ".join(unknown)}]
            for name in ("required", "optional")
            if (unknown := [str(one) for one in values[name] if one not in agents])
        }
        if strange := [str(one) for one in values["rooms"] if one not in rooms]:
            wrong["rooms"] = [_("Salles inconnues : %(ids)s.") % {"ids": ", ".join(strange)}]
        if wrong:
            raise serializers.ValidationError(wrong)
        required = {agents[one].pk: agents[one] for one in values["required"]}
        if values["include_me"]:
            required = {viewer.pk: viewer, **required}
        optional = {agents[one].pk: agents[one] for one in values["optional"] if agents[one].pk not in required}
        zone = values.get("time_zone", viewer.time_zone)
        wanted = Wanted(
            minutes=values["minutes"],
            start=values["start"],
            end=values["end"],
            zone=zone,
            required=list(required.values()),
            optional=list(optional.values()),
            rooms=list(rooms.values()),
            step=values["step"],
            limit=values["limit"],
            beyond_hours=values["beyond_hours"],
        )
        found = find_slots(wanted, viewer=viewer, now=now)
        people = {**required, **optional}
        by_room = {room.pk: room for room in rooms.values()}
        rows = [_row(slot, people, by_room, zone) for slot in found]
        return Response(SlotsSerializer({"results": rows}).data)


def _row(slot: Slot, people: dict[int, Agent], rooms: dict[int, Resource], zone: str) -> dict[str, Any]:
    return {
        "starts_at": slot.starts_at,
        "ends_at": slot.ends_at,
        "start": f"{words.local(slot.starts_at, zone):%Y-%m-%dT%H:%M}",
        "time_zone": zone,
        "room": rooms[slot.room].public_id if slot.room is not None else None,
        "coming": len(people) - len(slot.missing) - len(slot.outside),
        "people": len(people),
        "missing": [people[one].public_id for one in slot.missing],
        "outside": [people[one].public_id for one in slot.outside],
        "lunch": slot.is_lunch,
        "reason": reason(slot, people=people, rooms=rooms),
    }


def _agents(ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Agent]:
    """Active agents by public id, in the order asked, each once. One query."""
    found = {agent.public_id: agent for agent in Agent.objects.filter(public_id__in=ids, is_active=True)}
    return {one: found[one] for one in dict.fromkeys(ids) if one in found}


def _rooms(agent: Agent, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Resource]:
    """Rooms of the agent's organisation in the order asked, without those that are none."""
    if not ids:
        return {}
    rooms = Resource.objects.filter(
        public_id__in=ids, organisation=agent.organisation_id, kind=ResourceKind.ROOM, is_active=True
    )
    found = {room.public_id: room for room in rooms}
    return {one: found[one] for one in dict.fromkeys(ids) if one in found}
