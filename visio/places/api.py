"""REST API of rooms and equipment: what one's organisation lends, and when it is taken; never by whom."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar, cast

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from suite.agents.models import Agent
from suite.agents.strict import InstantField, StrictSerializer, sound
from visio.places.features import FEATURES
from visio.places.finding import MOST_LOOKED_AT, Wishes, wished
from visio.places.models import ResourceKind
from visio.places.queries import busy_pieces

LONGEST = dt.timedelta(days=31)
USUAL = dt.timedelta(hours=1)


class ResourceQuery(StrictSerializer):
    """What is asked for, in the address."""

    seats = serializers.IntegerField(required=False, min_value=1, max_value=10_000, help_text="At least so many seats")
    site = serializers.CharField(required=False, max_length=120, help_text="The exact name of a site")
    kind = serializers.ChoiceField(required=False, choices=ResourceKind.choices)
    features = serializers.MultipleChoiceField(required=False, choices=list(FEATURES.items()), help_text="All of them")
    q = serializers.CharField(required=False, max_length=100, help_text="Words of the name, site or floor")
    free = serializers.BooleanField(required=False, default=False, help_text="Only what is free for the whole time")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # Not class attributes: "from" is a word of the language.
        window = {
            "from": InstantField(source="start", required=False, help_text="First instant; now by default"),
            "to": InstantField(
                source="end", required=False, help_text="Last instant, excluded; an hour later by default"
            ),
        }
        return {**window, **super().get_fields()}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs.setdefault("start", timezone.now())
        attrs.setdefault("end", attrs["start"] + USUAL)
        if attrs["end"] <= attrs["start"]:
            raise serializers.ValidationError({"to": _("La fin doit venir après le début.")})
        if attrs["end"] - attrs["start"] > LONGEST:
            raise serializers.ValidationError({"to": _("31 jours au plus par demande.")})
        return attrs


class TakenSerializer(serializers.Serializer[Any]):
    starts_at = InstantField()
    ends_at = InstantField()


class ResourceSerializer(serializers.Serializer[Any]):
    """A room or a piece of equipment; `taken` within the time asked for, back-to-back bookings joined."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=ResourceKind.choices)
    site = serializers.CharField()
    floor = serializers.CharField()
    capacity = serializers.IntegerField(allow_null=True)
    features = serializers.ListField(child=serializers.CharField())
    needs_approval = serializers.BooleanField()
    is_free = serializers.BooleanField()
    taken = TakenSerializer(many=True)


class ResourceList(serializers.Serializer[Any]):
    """`more`: there are others that the filters would find; narrow them."""

    results = ResourceSerializer(many=True)
    more = serializers.BooleanField()


EXAMPLE = OpenApiExample(
    "One room, taken until ten",
    value={
        "results": [
            {
                "id": "5f3f6a52-0f6d-4a36-9d59-3f6c6c2f3b11",
                "name": "Fontenoy 1.03",
                "kind": "room",
                "site": "Fontenoy",
                "floor": "1",
                "capacity": 8,
                "features": ["visio", "screen"],
                "needs_approval": False,
                "is_free": False,
                "taken": [{"starts_at": "2026-11-26T08:30:00Z", "ends_at": "2026-11-26T09:00:00Z"}],
            }
        ],
        "more": False,
    },
    response_only=True,
)


class ResourcesApi(APIView):
    scopes: ClassVar = {"GET": "resources:read"}

    @extend_schema(
        operation_id="resources_list",
        parameters=[
            ResourceQuery,
            OpenApiParameter("from", OpenApiTypes.DATETIME, description="First instant; now by default"),
            OpenApiParameter(
                "to", OpenApiTypes.DATETIME, description="Last instant, excluded; an hour later by default"
            ),
        ],
        responses=ResourceList,
        examples=[EXAMPLE],
    )
    def get(self, request: Request) -> Response:
        """Rooms and equipment of my organisation, the smallest that fits first, and whether they are free. Two statements."""
        said = sound(ResourceQuery(data=_spaces_mended(request)))
        wishes = Wishes(
            text=said.get("q", ""),
            site=said.get("site", ""),
            kind=said.get("kind"),
            capacity=said.get("seats"),
            features=tuple(sorted(said.get("features", ()))),
        )
        found = list(wished(cast(Agent, request.user), wishes)[: MOST_LOOKED_AT + 1])
        start, end = said["start"], said["end"]
        pieces = busy_pieces([one.pk for one in found[:MOST_LOOKED_AT]], start, end)
        lines = [
            {
                "id": one.public_id,
                "name": one.name,
                "kind": one.kind,
                "site": one.site,
                "floor": one.floor,
                "capacity": one.capacity,
                "features": one.features,
                "needs_approval": one.needs_approval,
                "is_free": one.pk not in pieces,
                "taken": [
                    {"starts_at": max(first, start), "ends_at": min(last, end)}
                    for first, last in pieces.get(one.pk, [])
                ],
            }
            for one in found[:MOST_LOOKED_AT]
            if not said["free"] or one.pk not in pieces
        ]
        return Response(ResourceList({"results": lines, "more": len(found) > MOST_LOOKED_AT}).data)


def _spaces_mended(request: Request) -> Any:
    """The parameters, with the "+" of an offset that an address says as a space."""
    data = request.query_params.copy()
    for name in ("from", "to"):
        if name in data:
            data[name] = str(data[name]).replace(" ", "+")
    return data
