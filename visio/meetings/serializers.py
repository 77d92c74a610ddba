"""JSON in and out of the API: shapes and conversions only; the rules are in drafts.py, shared with the page's form."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from suite.agents.delegation import principals_of
from suite.agents.models import Agent
from visio.meetings import wallclock
from visio.meetings.dates import current_occurrences
from visio.meetings.drafts import MeetingDraft, Problem, address_or_none, resolve_invitees
from visio.meetings.models import Answer, Attendee, Meeting, Occurrence, Privacy, Role
from visio.meetings.tokens import join_url

MOST_ATTENDEES = 10_000
# A list names so many of each meeting's attendees, and says how many there are; one meeting names them all, so that what
# was read can be written back whole.
LISTED_ATTENDEES = 50


class PersonSerializer(serializers.ModelSerializer[Agent]):
    id = serializers.UUIDField(source="public_id", read_only=True)
    name = serializers.CharField(source="full_name", read_only=True)
    organisation = serializers.CharField(source="organisation.name", read_only=True)

    class Meta:
        model = Agent
        fields = ["id", "name", "email", "organisation", "job_title", "time_zone"]
        read_only_fields = fields


class AttendeeSerializer(serializers.ModelSerializer[Attendee]):
    id = serializers.UUIDField(source="public_id", read_only=True)
    name = serializers.CharField(source="display_name", read_only=True)

    class Meta:
        model = Attendee
        fields = ["id", "name", "email", "role", "answer", "answered_at", "answered_revision", "comment"]
        read_only_fields = fields


class MeetingSerializer(serializers.ModelSerializer[Meeting]):
    """A meeting as one of its people sees it. Instants are RFC 3339 in UTC; `start` is the wall clock in `time_zone`."""

    id = serializers.UUIDField(source="public_id", read_only=True)
    organiser = PersonSerializer(read_only=True)
    start = serializers.SerializerMethodField()
    starts_at = serializers.SerializerMethodField()
    ends_at = serializers.SerializerMethodField()
    join_url = serializers.SerializerMethodField()
    tchap_url = serializers.SerializerMethodField()
    attendees = AttendeeSerializer(source="named_attendees", many=True, read_only=True)
    attendee_count = serializers.IntegerField(read_only=True)
    visio = serializers.SerializerMethodField()
    tchap = serializers.BooleanField(source="wants_tchap", read_only=True)
    can_edit = serializers.SerializerMethodField()

    class Meta:
        model = Meeting
        fields = [
            "id",
            "uid",
            "title",
            "description",
            "place",
            "privacy",
            "status",
            "start",
            "time_zone",
            "minutes",
            "starts_at",
            "ends_at",
            "sequence",
            "revision",
            "organiser",
            "attendees",
            "attendee_count",
            "visio",
            "tchap",
            "join_url",
            "tchap_url",
            "can_edit",
        ]
        read_only_fields = fields

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Read once for a whole page.
        self._editing: set[int] | None = None
        self._dates: dict[int, Occurrence] = {}

    @extend_schema_field(serializers.CharField())
    def get_start(self, meeting: Meeting) -> str:
        return dt.datetime.combine(meeting.start_date, meeting.start_time).isoformat(timespec="minutes")

    def get_starts_at(self, meeting: Meeting) -> dt.datetime:
        return self._date(meeting).starts_at

    def get_ends_at(self, meeting: Meeting) -> dt.datetime:
        return self._date(meeting).ends_at

    def get_join_url(self, meeting: Meeting) -> str | None:
        return join_url(meeting) if meeting.room_id else None

    def get_tchap_url(self, meeting: Meeting) -> str | None:
        return next((link.url for link in meeting.links.all() if link.label == "tchap"), None)

    def get_visio(self, meeting: Meeting) -> bool:
        return meeting.room_id is not None

    def get_can_edit(self, meeting: Meeting) -> bool:
        if self._editing is None:
            viewer = self.context["request"].user
            self._editing = {viewer.pk, *principals_of(viewer)}
        return meeting.organiser_id in self._editing

    def _date(self, meeting: Meeting) -> Occurrence:
        """The running or next date; one query for a whole page."""
        if meeting.pk not in self._dates:
            listed = self.parent.instance if isinstance(self.parent, serializers.ListSerializer) else None
            self._dates.update(current_occurrences([one.pk for one in listed or [meeting]], timezone.now()))
        return self._dates[meeting.pk]


class InviteeSerializer(serializers.Serializer[Any]):
    email = serializers.CharField(max_length=320)
    name = serializers.CharField(max_length=250, required=False, allow_blank=True, default="")
    role = serializers.ChoiceField(choices=[Role.REQUIRED.value, Role.OPTIONAL.value], default=Role.REQUIRED.value)


@extend_schema_serializer(component_name="MeetingInput")
class MeetingInputSerializer(serializers.Serializer[Any]):
    """What an organiser writes. `start` is a wall clock without offset; give `minutes` or `end`."""

    title = serializers.CharField(max_length=2000)
    start = serializers.DateTimeField(help_text="Wall clock in time_zone, e.g. 2026-11-26T10:30")
    end = serializers.DateTimeField(required=False, help_text="Wall clock in time_zone; instead of minutes")
    minutes = serializers.IntegerField(required=False)
    time_zone = serializers.CharField(max_length=64, required=False)
    description = serializers.CharField(max_length=10_000, required=False, allow_blank=True, default="")
    place = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")
    privacy = serializers.ChoiceField(choices=Privacy.choices, default=Privacy.PUBLIC.value)
    visio = serializers.BooleanField(default=True)
    tchap = serializers.BooleanField(default=True)
    attendees = InviteeSerializer(many=True, required=False, default=list)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields = super().get_fields()
        for name in ("start", "end"):
            # A wall clock is no instant: Django's zone must not touch it.
            fields[name].default_timezone = None  # type: ignore[attr-defined]
            fields[name].enforce_timezone = _as_written  # type: ignore[attr-defined]
        return fields

    def validate_start(self, value: dt.datetime) -> dt.datetime:
        return _wall_clock(value)

    def validate_end(self, value: dt.datetime) -> dt.datetime:
        return _wall_clock(value)

    def validate_attendees(self, value: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if len(value) > MOST_ATTENDEES:
            raise serializers.ValidationError(_("10 000 participants au plus."))
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "minutes" not in attrs and "end" not in attrs:
            raise serializers.ValidationError({"minutes": _("Indiquez une durée ou une fin.")})
        return attrs

    def draft(self, *, organiser: Agent) -> MeetingDraft:
        """The draft; ValidationError names each address that is none."""
        data = self.validated_data
        entries: dict[str, dict[str, Any]] = {}
        wrong = []
        for entry in data["attendees"]:
            address = address_or_none(entry["email"].strip())
            if address is None:
                wrong.append(Problem(text=entry["email"], reason="not_an_address").message)
            else:
                entries.setdefault(address, entry)
        if wrong:
            raise serializers.ValidationError({"attendees": wrong})
        # Addresses alone are resolved: a name is free text here, not part of a line to be understood.
        invitees = tuple(
            replace(
                invitee,
                name=invitee.name or " ".join(entries[invitee.email]["name"].split()),
                role=entries[invitee.email]["role"],
            )
            for invitee in resolve_invitees(list(entries), organiser=organiser).invitees
        )
        zone = data.get("time_zone") or organiser.time_zone
        return MeetingDraft(
            title=data["title"],
            start_date=data["start"].date(),
            start_time=data["start"].time(),
            time_zone=zone,
            minutes=data["minutes"] if "minutes" in data else _minutes_between(data["start"], data["end"], zone),
            description=data["description"],
            place=data["place"],
            privacy=data["privacy"],
            wants_room=data["visio"],
            wants_tchap=data["tchap"],
            attendees=invitees,
        )


@extend_schema_serializer(component_name="MeetingEdit")
class MeetingEditSerializer(MeetingInputSerializer):
    revision = serializers.IntegerField(
        min_value=1, help_text="The revision that was read; 409 when it is no longer current"
    )


class AnswerSerializer(serializers.Serializer[Any]):
    answer = serializers.ChoiceField(
        choices=[(answer.value, answer.label) for answer in Answer if answer is not Answer.NEEDS_ACTION]
    )
    comment = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")


def _as_written(value: dt.datetime) -> dt.datetime:
    return value


def _wall_clock(value: dt.datetime) -> dt.datetime:
    if value.tzinfo is not None:
        raise serializers.ValidationError(_("Écrivez l’heure sans décalage ; le fuseau va dans time_zone."))
    return value.replace(second=0, microsecond=0)


def _minutes_between(start: dt.datetime, end: dt.datetime, zone: str) -> int:
    """Real minutes between two wall clocks, over a change of clocks too; for an impossible zone or date, which the rules
    refuse at its own field, the difference as it stands.
    """
    try:
        starts_at, ends_at = (wallclock.instant(wall.date(), wall.time(), zone) for wall in (start, end))
    except (wallclock.UnknownZone, OverflowError):
        starts_at, ends_at = start, end
    return int((ends_at - starts_at).total_seconds() // 60)
