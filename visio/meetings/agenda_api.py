"""REST API of one's own agenda: every date in a window, by one statement, as plain JSON."""

from __future__ import annotations

import datetime as dt
import json
import zoneinfo
from typing import Any, ClassVar

from django.conf import settings
from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from suite.agents.conditional import readable
from suite.agents.strict import InstantField, StrictSerializer, asked
from suite.live.access import known_zone
from visio.meetings import api_examples as examples
from visio.meetings.api_pieces import IF_NONE_MATCH, me
from visio.meetings.models import Answer, Role
from visio.meetings.queries import Entry, agenda
from visio.meetings.serializers import ONLY
from visio.meetings.wallclock import zone_names

LONGEST = dt.timedelta(days=100)


class AgendaQuery(StrictSerializer):
    time_zone = serializers.CharField(max_length=64, required=False)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # Not class attributes: "from" is a word of the language.
        return {"from": InstantField(source="start"), "to": InstantField(source="end"), **super().get_fields()}

    def validate_time_zone(self, value: str) -> str:
        if value not in zone_names():
            raise serializers.ValidationError(_("Ce fuseau horaire n’existe pas."))
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["end"] <= attrs["start"]:
            raise serializers.ValidationError({"to": [_("La fin doit venir après le début.")]})
        if attrs["end"] - attrs["start"] > LONGEST:
            raise serializers.ValidationError({"to": [_("100 jours au plus par demande.")]})
        return attrs


class AgendaEntrySerializer(serializers.Serializer[Any]):
    """One date of one meeting. Of a whole day `start` and `end` are dates, both included, whatever the zone."""

    meeting = serializers.UUIDField()
    occurrence = serializers.CharField(help_text="Its name below /meetings/{id}/occurrences/")
    title = serializers.CharField()
    place = serializers.CharField()
    organiser = serializers.CharField()
    all_day = serializers.BooleanField()
    start = serializers.CharField(help_text="Wall clock in time_zone, or a date")
    end = serializers.CharField()
    starts_at = InstantField()
    ends_at = InstantField()
    is_series = serializers.BooleanField()
    private = serializers.BooleanField()
    role = serializers.ChoiceField(choices=Role.choices)
    answer = serializers.ChoiceField(choices=Answer.choices, help_text="Mine, to this date; declined ones come along")
    people = serializers.IntegerField()
    join_url = serializers.CharField(allow_null=True)


@extend_schema_serializer(component_name="Agenda", examples=[examples.AGENDA])
class AgendaSerializer(serializers.Serializer[Any]):
    """What goes on in the window, by time."""

    time_zone = serializers.CharField(help_text="Whose wall clock `start` and `end` are")
    results = AgendaEntrySerializer(many=True)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {"from": InstantField(), "to": InstantField(), **super().get_fields()}


class AgendaApi(APIView):
    scopes: ClassVar = {"GET": "meetings:read"}

    @extend_schema(
        operation_id="agenda_read",
        parameters=[
            OpenApiParameter("from", OpenApiTypes.DATETIME, required=True, description="First instant"),
            OpenApiParameter(
                "to", OpenApiTypes.DATETIME, required=True, description="Last one, 100 days later at most"
            ),
            OpenApiParameter("time_zone", OpenApiTypes.STR, description="Whose wall clock; mine when left out"),
            IF_NONE_MATCH,
        ],
        responses={200: AgendaSerializer, 304: OpenApiResponse(description="Nothing is new")},
    )
    def get(self, request: Request) -> HttpResponse:
        """My dates that touch the window, by time: one-offs, dates of series, whole days. Cancelled ones are left out."""
        window, viewer = asked(request, AgendaQuery), me(request)
        zone = window.get("time_zone") or known_zone(viewer.time_zone)
        clock = zoneinfo.ZoneInfo(zone)
        entries = agenda([viewer.pk], window["start"], window["end"], viewer)
        data = {
            "from": _instant(window["start"]),
            "to": _instant(window["end"]),
            "time_zone": zone,
            "results": [_entry(entry, clock) for entry in entries],
        }
        # Plain dictionaries, not serializers: this is what other tools ask for most.
        body = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
        return readable(request, data, version=0, body=body)


def _entry(entry: Entry, clock: zoneinfo.ZoneInfo) -> dict[str, Any]:
    if entry.first_day is not None and entry.last_day is not None:
        start, end = entry.first_day.isoformat(), entry.last_day.isoformat()
    else:
        start, end = (at.astimezone(clock).isoformat()[:16] for at in (entry.starts_at, entry.ends_at))
    return {
        "meeting": str(entry.public_id),
        "occurrence": entry.recurrence_key or ONLY,
        "title": entry.title,
        "place": entry.place,
        "organiser": entry.organiser,
        "all_day": entry.is_all_day,
        "start": start,
        "end": end,
        "starts_at": _instant(entry.starts_at),
        "ends_at": _instant(entry.ends_at),
        "is_series": entry.is_series,
        "private": entry.is_private,
        "role": entry.role,
        "answer": entry.answer,
        "people": entry.people,
        "join_url": f"{settings.PORTAL_URL}/visio/{entry.room_slug}/" if entry.room_slug else None,
    }


def _instant(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
