"""JSON out of the API: shapes and conversions only. (What comes in is visio.meetings.input_api.)"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Sequence
from typing import Any

from django.db.models import Q
from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from suite.agents.delegation import principals_of
from suite.agents.models import Agent
from suite.agents.strict import InstantField, StrictSerializer
from visio.meetings.api_examples import COUNTER, MEETING, OCCURRENCE, OCCURRENCE_DETAIL, PEOPLE
from visio.meetings.dates import occurrence_key
from visio.meetings.exception_models import CounterProposal, CounterState
from visio.meetings.form_values import times_shown
from visio.meetings.models import Answer, Attendee, Meeting, Occurrence, Role, Status
from visio.meetings.recurrence import parse_rule
from visio.meetings.rule_words import describe
from visio.meetings.shown_dates import Shown
from visio.meetings.timetable import DAY_MINUTES, Timetable
from visio.meetings.tokens import join_url
from visio.places.bookings import ACTIVE
from visio.places.models import ResourceBooking

MOST_ATTENDEES = 10_000
# A list names so many of each meeting's attendees, and says how many there are; one meeting names them all, so that what
# was read can be written back whole.
LISTED_ATTENDEES = 50
# How the only date of a one-off is named.
ONLY = "only"


class PersonSerializer(serializers.ModelSerializer[Agent]):
    id = serializers.UUIDField(source="public_id", read_only=True)
    name = serializers.CharField(source="full_name", read_only=True)
    organisation = serializers.CharField(source="organisation.name", read_only=True)

    class Meta:
        model = Agent
        fields = ["id", "name", "email", "organisation", "job_title", "time_zone"]
        read_only_fields = fields


@extend_schema_serializer(component_name="People", examples=[PEOPLE])
class PeopleSerializer(serializers.Serializer[Any]):
    results = PersonSerializer(many=True)


class AttendeeSerializer(serializers.ModelSerializer[Attendee]):
    id = serializers.UUIDField(source="public_id", read_only=True)
    name = serializers.CharField(source="display_name", read_only=True)
    answered_at = InstantField(read_only=True, allow_null=True)

    class Meta:
        model = Attendee
        fields = ["id", "name", "email", "role", "answer", "answered_at", "answered_revision", "comment"]
        read_only_fields = fields


class InviteeSerializer(StrictSerializer):
    read_back = frozenset(AttendeeSerializer.Meta.fields)

    email = serializers.CharField(max_length=320)
    name = serializers.CharField(max_length=250, required=False, allow_blank=True, default="")
    role = serializers.ChoiceField(choices=[Role.REQUIRED.value, Role.OPTIONAL.value], default=Role.REQUIRED.value)

    def to_internal_value(self, data: Any) -> Any:
        """Each entry is whole, in a PATCH too, where the fields themselves know neither a default nor what is required."""
        found = super().to_internal_value(data)
        if "email" not in found:
            raise serializers.ValidationError({"email": [self.fields["email"].error_messages["required"]]})
        return {"name": "", "role": Role.REQUIRED.value, **found}


@extend_schema_serializer(component_name="Occurrence", examples=[OCCURRENCE])
class OccurrenceSerializer(serializers.Serializer[Any]):
    """One date of a meeting, with its own times and words where it has some, else the series'."""

    id = serializers.CharField(help_text="Its original start in UTC, 20261126T093000Z; `only` for a one-off")
    meeting = serializers.UUIDField()
    start = serializers.CharField(help_text="Wall clock in time_zone, 2026-11-26T10:30; a date when all_day")
    last_day = serializers.DateField(allow_null=True, help_text="When all_day: the last day, included")
    time_zone = serializers.CharField()
    minutes = serializers.IntegerField()
    all_day = serializers.BooleanField()
    starts_at = InstantField()
    ends_at = InstantField()
    status = serializers.ChoiceField(choices=Status.choices)
    overridden = serializers.BooleanField(help_text="Moved or edited by itself")
    title = serializers.CharField()
    place = serializers.CharField()
    answer = serializers.ChoiceField(choices=Answer.choices, allow_null=True, help_text="Mine; null: not invited")


@extend_schema_serializer(component_name="OccurrenceDetail", examples=[OCCURRENCE_DETAIL])
class OccurrenceDetailSerializer(OccurrenceSerializer):
    """One date with its people."""

    description = serializers.CharField()
    revision = serializers.IntegerField(help_text="The meeting's")
    attendees = AttendeeSerializer(many=True)
    resources = serializers.ListField(child=serializers.UUIDField())
    can_edit = serializers.BooleanField()


@extend_schema_serializer(examples=[MEETING])
class MeetingSerializer(serializers.ModelSerializer[Meeting]):
    """A meeting as one of its people sees it. Instants are RFC 3339 in UTC; `start` is the wall clock in `time_zone`.

    Of a series, `start` is the rule's first date; `starts_at` and `ends_at` are those of `occurrence`, the date that goes on
    or comes next (else the last one) of those that the caller is invited to; `attendees` are those of the whole series. Who is
    invited to one date alone reads that date as if there were no other: its words, times and people, and no rule.
    """

    id = serializers.UUIDField(source="public_id", read_only=True)
    organiser = PersonSerializer(read_only=True)
    start = serializers.SerializerMethodField()
    starts_at = serializers.SerializerMethodField()
    ends_at = serializers.SerializerMethodField()
    all_day = serializers.BooleanField(source="is_all_day", read_only=True)
    rdates = serializers.SerializerMethodField()
    exdates = serializers.SerializerMethodField()
    repeats = serializers.SerializerMethodField(help_text="The rule in words; empty for a one-off")
    occurrence = serializers.SerializerMethodField()
    split_from = serializers.UUIDField(source="split_from.public_id", read_only=True, allow_null=True, default=None)
    scheduled_by = PersonSerializer(read_only=True, allow_null=True)
    join_url = serializers.SerializerMethodField()
    tchap_url = serializers.SerializerMethodField()
    attendees = AttendeeSerializer(source="named_attendees", many=True, read_only=True)
    attendee_count = serializers.IntegerField(read_only=True)
    resources = serializers.SerializerMethodField(help_text="Rooms and equipment, by id")
    visio = serializers.SerializerMethodField()
    tchap = serializers.BooleanField(source="wants_tchap", read_only=True)
    can_edit = serializers.SerializerMethodField()
    undo_until = serializers.SerializerMethodField(help_text="Until when POST …/undo/ takes the last act back")
    notices = serializers.SerializerMethodField(help_text="After a write: what was set right without asking")

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
            "all_day",
            "rrule",
            "rdates",
            "exdates",
            "repeats",
            "is_series",
            "starts_at",
            "ends_at",
            "occurrence",
            "sequence",
            "revision",
            "split_from",
            "scheduled_by",
            "organiser",
            "attendees",
            "attendee_count",
            "resources",
            "visio",
            "tchap",
            "join_url",
            "tchap_url",
            "can_edit",
            "undo_until",
            "notices",
        ]
        read_only_fields = fields

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Read once for a whole page.
        self._editing: set[int] | None = None
        self._resources: dict[int, list[uuid.UUID]] | None = None

    @property
    def _shown(self) -> Shown:
        found: Shown = self.context["shown"]
        return found

    def to_representation(self, instance: Meeting) -> Any:
        data = super().to_representation(instance)
        if instance.pk in self._shown.alone:
            told = self._date(instance).description
            data |= {name: data["occurrence"][name] for name in ("title", "place", "start", "minutes")}
            data |= {"rrule": "", "repeats": "", "rdates": [], "exdates": []}
            data["description"] = instance.description if told is None else told
        if not data["can_edit"]:
            hide_comments(data["attendees"], vars(instance)["named_attendees"], self.context["request"].user)
        return data

    @extend_schema_field(serializers.CharField())
    def get_start(self, meeting: Meeting) -> str:
        return wall_text(dt.datetime.combine(meeting.start_date, meeting.start_time), meeting)

    def get_starts_at(self, meeting: Meeting) -> dt.datetime:
        return self._date(meeting).starts_at

    def get_ends_at(self, meeting: Meeting) -> dt.datetime:
        return self._date(meeting).ends_at

    def get_rdates(self, meeting: Meeting) -> list[str]:
        return [wall_text(wall, meeting) for wall in Timetable.of_meeting(meeting).rdates]

    def get_exdates(self, meeting: Meeting) -> list[str]:
        return [wall_text(wall, meeting) for wall in Timetable.of_meeting(meeting).exdates]

    def get_repeats(self, meeting: Meeting) -> str:
        if not meeting.rrule:
            return ""
        start = dt.datetime.combine(meeting.start_date, meeting.start_time)
        return describe(parse_rule(meeting.rrule, is_all_day=meeting.is_all_day), start, zone=meeting.time_zone)

    @extend_schema_field(OccurrenceSerializer())
    def get_occurrence(self, meeting: Meeting) -> Any:
        mine = self._shown.answers.get(meeting.pk)
        return OccurrenceSerializer(occurrence_data(meeting, self._date(meeting), answer=mine)).data

    def get_join_url(self, meeting: Meeting) -> str | None:
        return join_url(meeting) if meeting.room_id else None

    def get_tchap_url(self, meeting: Meeting) -> str | None:
        return next((link.url for link in meeting.links.all() if link.label == "tchap"), None)

    def get_resources(self, meeting: Meeting) -> list[uuid.UUID]:
        if self._resources is None:
            alone = self._shown.alone
            whole = [one.pk for one in self._all(meeting) if one.pk not in alone]
            self._resources = resources_of(whole, occurrences=self._shown.alone_dates)
        return self._resources.get(meeting.pk, [])

    def get_visio(self, meeting: Meeting) -> bool:
        return meeting.room_id is not None

    def get_can_edit(self, meeting: Meeting) -> bool:
        if self._editing is None:
            viewer = self.context["request"].user
            self._editing = {viewer.pk, *principals_of(viewer)}
        return meeting.organiser_id in self._editing

    def get_undo_until(self, meeting: Meeting) -> dt.datetime | None:
        until: dt.datetime | None = self.context.get("undo_until")
        return until

    def get_notices(self, meeting: Meeting) -> list[str]:
        return list(self.context.get("notices", ()))

    def _all(self, meeting: Meeting) -> list[Meeting]:
        listed = self.parent.instance if isinstance(self.parent, serializers.ListSerializer) else None
        return list(listed or [meeting])

    def _date(self, meeting: Meeting) -> Occurrence:
        return self._shown.dates[meeting.pk]


@extend_schema_serializer(component_name="CounterProposal", examples=[COUNTER])
class CounterSerializer(serializers.ModelSerializer[CounterProposal]):
    """Another time that an attendee proposed for the meeting, or for one date of it."""

    id = serializers.UUIDField(source="public_id", read_only=True)
    meeting = serializers.UUIDField(source="meeting.public_id", read_only=True)
    occurrence = serializers.SerializerMethodField(help_text="The date; null: the meeting as a whole")
    attendee = AttendeeSerializer(read_only=True)
    starts_at = InstantField(read_only=True)
    ends_at = InstantField(read_only=True)
    created_at = InstantField(read_only=True)
    decided_at = InstantField(read_only=True, allow_null=True)
    state = serializers.ChoiceField(choices=CounterState.choices, read_only=True)

    class Meta:
        model = CounterProposal
        fields = [
            "id",
            "meeting",
            "occurrence",
            "attendee",
            "starts_at",
            "ends_at",
            "comment",
            "revision",
            "state",
            "created_at",
            "decided_at",
        ]
        read_only_fields = fields

    def get_occurrence(self, counter: CounterProposal) -> str | None:
        return date_name(counter.occurrence) if counter.occurrence is not None else None


def date_name(occurrence: Occurrence) -> str:
    """How an address of the API names the date."""
    return occurrence_key(occurrence) or ONLY


def wall_text(wall: dt.datetime, meeting: Meeting) -> str:
    return wall.date().isoformat() if meeting.is_all_day else wall.isoformat(timespec="minutes")


def hide_comments(shown: Sequence[dict[str, Any]], people: Sequence[Attendee], reader: Agent) -> None:
    """What somebody wrote with their answer is for whoever organises, and for themselves."""
    for one, person in zip(shown, people, strict=True):
        if person.agent_id != reader.pk:
            one["comment"] = ""


def occurrence_data(meeting: Meeting, occurrence: Occurrence, *, answer: str | None) -> dict[str, Any]:
    """What OccurrenceSerializer renders; `answer`: the reader's own to that date. No query."""
    start, minutes = times_shown(meeting, occurrence)
    days = dt.timedelta(days=max(minutes // DAY_MINUTES, 1) - 1)
    return {
        "id": date_name(occurrence),
        "meeting": meeting.public_id,
        "start": wall_text(start, meeting),
        "last_day": start.date() + days if meeting.is_all_day else None,
        "time_zone": meeting.time_zone,
        "minutes": minutes,
        "all_day": meeting.is_all_day,
        "starts_at": occurrence.starts_at,
        "ends_at": occurrence.ends_at,
        "status": occurrence.status,
        "overridden": occurrence.is_override,
        "title": meeting.title if occurrence.title is None else occurrence.title,
        "place": meeting.place if occurrence.place is None else occurrence.place,
        "answer": answer,
    }


def resources_of(
    meeting_ids: Collection[int], *, occurrences: Collection[Occurrence] = ()
) -> dict[int, list[uuid.UUID]]:
    """{meeting: what it (or, of other meetings, what these dates) has booked, each once}. One query."""
    wanted = Q(meeting__in=meeting_ids) | Q(occurrence__in=occurrences) if occurrences else Q(meeting__in=meeting_ids)
    rows = ResourceBooking.objects.filter(wanted, status__in=ACTIVE)
    found: dict[int, list[uuid.UUID]] = {}
    pairs = rows.order_by("meeting_id", "resource_id").values_list("meeting_id", "resource_id", "resource__public_id")
    for meeting_id, _resource, public_id in pairs.distinct():
        found.setdefault(meeting_id, []).append(public_id)
    return found
