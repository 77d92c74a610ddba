"""JSON into the API: shapes and conversions only; the rules are in drafts.py, shared with the page's form."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from django.db.models import Q
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from suite.agents.models import Agent
from suite.agents.strict import Faults, InstantField, StrictSerializer, add_faults
from visio.meetings import api_examples as examples
from visio.meetings import wallclock
from visio.meetings.drafts import MeetingDraft, Problem, Resolution, address_or_none, resolve_invitees, validate_draft
from visio.meetings.models import Answer, Privacy
from visio.meetings.recurrence import RuleRefused, parse_rule
from visio.meetings.rule_checks import MOST_DATES
from visio.meetings.scopes import Notify, Scope
from visio.meetings.serializers import MOST_ATTENDEES, InviteeSerializer, MeetingSerializer
from visio.meetings.timetable import DAY_MINUTES
from visio.places.bookings import MOST_RESOURCES
from visio.places.models import Resource

# As the API names the fields of MeetingDraft.
NAMES = {
    "start_date": "start",
    "start_time": "start",
    "rule": "rrule",
    "is_all_day": "all_day",
    "wants_room": "visio",
    "wants_tchap": "tchap",
}
# A fault of the first is none as long as one of the others could not be read.
_START = frozenset({"start", "time_zone", "all_day"})
RESTS_ON = {
    "start": _START,
    "minutes": _START | {"end"},
    "rrule": _START | {"minutes", "end", "rdates", "exdates"},
    "rdates": _START,
    "exdates": _START,
}
# … and of the first, already when it is read.
_ALL_DAY = frozenset({"all_day"})
READ_BY = {"start": _ALL_DAY, "end": _ALL_DAY, "minutes": _ALL_DAY | {"end"}, "resources": frozenset({"on_behalf_of"})}
_Got = TypeVar("_Got")
# What one date has no other than its series.
OF_THE_SERIES = ("rrule", "rdates", "exdates", "all_day", "privacy", "visio", "tchap", "time_zone")


@extend_schema_field({"type": "string", "examples": ["2026-11-26T10:30", "2026-11-26"]})
class WallClockField(serializers.Field[Any, Any, Any, Any]):
    """A naive datetime, or a date; never an instant."""

    def to_internal_value(self, data: Any) -> dt.datetime | dt.date:
        text = data if isinstance(data, str) else ""
        try:
            found = parse_date(text) or parse_datetime(text)
        except ValueError:
            found = None
        if found is None:
            raise serializers.ValidationError(
                _("Écrivez une date et une heure, par exemple 2026-11-26T10:30, ou une date pour une journée entière.")
            )
        if isinstance(found, dt.datetime):
            if found.tzinfo is not None:
                raise serializers.ValidationError(_("Écrivez l’heure sans décalage ; le fuseau va dans time_zone."))
            return found.replace(second=0, microsecond=0)
        return found

    def to_representation(self, value: Any) -> str:
        return str(value)


class _WrittenSerializer(StrictSerializer):
    """What an organiser writes of a meeting, new or not."""

    read_back = frozenset(MeetingSerializer.Meta.fields)

    title = serializers.CharField(max_length=2000)
    start = WallClockField(help_text="Wall clock in time_zone, 2026-11-26T10:30; a date when all_day")
    end = WallClockField(required=False, help_text="Instead of minutes; when all_day the last day, included")
    minutes = serializers.IntegerField(required=False)
    time_zone = serializers.CharField(max_length=64, required=False, help_text="Default: the organiser's")
    all_day = serializers.BooleanField(default=False)
    rrule = serializers.CharField(
        max_length=2000, required=False, allow_blank=True, default="", help_text="RFC 5545 §3.3.10, daily at most"
    )
    rdates = serializers.ListField(child=WallClockField(), max_length=MOST_DATES, required=False, default=list)
    exdates = serializers.ListField(child=WallClockField(), max_length=MOST_DATES, required=False, default=list)
    description = serializers.CharField(max_length=10_000, required=False, allow_blank=True, default="")
    place = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")
    privacy = serializers.ChoiceField(choices=Privacy.choices, default=Privacy.PUBLIC.value)
    visio = serializers.BooleanField(default=True)
    tchap = serializers.BooleanField(default=True)
    attendees = InviteeSerializer(many=True, required=False, default=list)
    resources = serializers.ListField(
        child=serializers.UUIDField(),
        max_length=MOST_RESOURCES,
        required=False,
        default=list,
        help_text="Rooms and equipment of the organiser's organisation",
    )

    def to_internal_value(self, data: Any) -> Any:
        people = data.get("attendees") if isinstance(data, dict) else None
        # Before each of them is looked at.
        if isinstance(people, list) and len(people) > MOST_ATTENDEES:
            raise serializers.ValidationError({"attendees": [_("10 000 participants au plus.")]})
        return super().to_internal_value(data)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not self.partial and not attrs["all_day"] and "minutes" not in attrs and "end" not in attrs:
            raise serializers.ValidationError({"minutes": [_("Indiquez une durée ou une fin.")]})
        return attrs


@extend_schema_serializer(component_name="MeetingInput", examples=examples.INPUTS)
class MeetingInputSerializer(_WrittenSerializer):
    """What an organiser writes. Give `minutes` or `end`; for a whole day neither, or the last day as `end`.

    A member that is none of these is refused, unless it is one that a meeting is read with: what was read may be sent back.
    """

    on_behalf_of = serializers.UUIDField(
        required=False, allow_null=True, default=None, help_text="An agent who has let me plan in their name"
    )


@extend_schema_serializer(component_name="MeetingEdit", examples=[examples.EDIT])
class MeetingEditSerializer(_WrittenSerializer):
    """All of what the organiser wrote: what is left out goes back to its default."""

    revision = serializers.IntegerField(
        min_value=1, required=False, help_text="The revision that was read, unless If-Match names it"
    )


@extend_schema_serializer(component_name="MeetingPatch", examples=[examples.PATCH])
class MeetingPatchSerializer(MeetingEditSerializer):
    """What is to change; what is left out stays. `attendees` and `resources` are whole lists."""


@extend_schema_serializer(component_name="OccurrencePatch", examples=[examples.PATCH_DATE])
class OccurrencePatchSerializer(MeetingEditSerializer):
    """What is to change, `start` being the new start of this date. With scope=one the series' own members are refused."""


@extend_schema_serializer(component_name="AnswerInput", examples=[examples.ANSWER])
class AnswerSerializer(StrictSerializer):
    answer = serializers.ChoiceField(
        choices=[(answer.value, answer.label) for answer in Answer if answer is not Answer.NEEDS_ACTION]
    )
    comment = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")


@extend_schema_serializer(component_name="CounterProposalInput", examples=[examples.COUNTER_INPUT])
class CounterInputSerializer(StrictSerializer):
    """Another time, as instants. `occurrence`: the date of a series; left out for the meeting as a whole."""

    occurrence = serializers.CharField(max_length=20, required=False, allow_null=True, default=None)
    starts_at = InstantField()
    ends_at = InstantField()
    comment = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")


@extend_schema_serializer(component_name="CounterRefusalInput", examples=[examples.REFUSAL])
class CounterRefusalSerializer(StrictSerializer):
    words = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")


class NothingSerializer(StrictSerializer):
    """No member."""


class WriteQuery(StrictSerializer):
    notify = serializers.ChoiceField(choices=[one.value for one in Notify], default=Notify.DEFAULT.value)


class ScopedQuery(WriteQuery):
    scope = serializers.ChoiceField(choices=[one.value for one in Scope], default=Scope.ONE.value)


@dataclass(frozen=True)
class Read:
    """The draft, and what was set right without asking, in the caller's language."""

    draft: MeetingDraft
    notices: tuple[str, ...] = ()


def read_draft(
    data: dict[str, Any],
    *,
    organiser: Agent,
    base: MeetingDraft | None = None,
    held: Collection[int] = (),
    wrong: Faults | None = None,
) -> Read:
    """The draft that validated `data` asks for; what it leaves out is `base`'s.

    `held`: resources that the meeting has already, which stay allowed. `wrong`: what is known to be wrong, and is not in
    `data`. ValidationError names all that is wrong, also what the rules refuse of the rest.
    """
    wrong = dict(wrong or {})

    def got(work: Callable[[], _Got], otherwise: _Got) -> _Got:
        try:
            return work()
        except serializers.ValidationError as error:
            unread = {name for name, others in READ_BY.items() if wrong.keys() & others}
            add_faults(wrong, error, but=unread)
            return otherwise

    now = timezone.now()
    zone = data.get("time_zone") or (base.time_zone if base else organiser.time_zone)
    all_day = data.get("all_day", base.is_all_day if base else False)
    some_day = dt.datetime.combine(now.date() + dt.timedelta(days=2), dt.time())
    start = (
        got(lambda: _wall(data, "start", all_day), some_day) if "start" in data else base.start if base else some_day
    )
    people = got(lambda: _invitees(data["attendees"], organiser), None) if "attendees" in data else None
    none: tuple[int, ...] = ()
    resources = got(lambda: _resources(data["resources"], organiser, held), none) if "resources" in data else None
    fresh = MeetingDraft(
        title=data.get("title", base.title if base else ""),
        start_date=start.date(),
        start_time=start.time(),
        time_zone=zone,
        minutes=got(lambda: _minutes(data, start, zone, all_day=all_day, base=base), DAY_MINUTES),
        is_all_day=all_day,
    )
    kept = base or fresh
    draft = replace(
        fresh,
        description=data.get("description", kept.description),
        place=data.get("place", kept.place),
        privacy=data.get("privacy", kept.privacy),
        wants_room=data.get("visio", kept.wants_room),
        wants_tchap=data.get("tchap", kept.wants_tchap),
        attendees=kept.attendees if people is None else people.invitees,
        rule=data.get("rrule", kept.rule).strip(),
        rdates=_dates(data, "rdates", start, all_day=all_day) if "rdates" in data else kept.rdates,
        exdates=_dates(data, "exdates", start, all_day=all_day) if "exdates" in data else kept.exdates,
        resources=kept.resources if resources is None else resources,
    )
    if wrong:
        _judge_the_rest(draft, data, wrong, now, is_new=base is None)
        raise serializers.ValidationError(wrong)
    return Read(draft, people.notices if people is not None else ())


def _judge_the_rest(
    draft: MeetingDraft, data: dict[str, Any], wrong: Faults, now: dt.datetime, *, is_new: bool
) -> None:
    """Add what the rules refuse of a draft of which some is missing; nothing that only follows from what is missing.

    A start that an edited meeting has already may be past: that is judged when nothing else is wrong.
    """
    guessed = set(wrong)
    for name, messages in by_api_name(validate_draft(draft, now=now, may_have_begun=not is_new)).items():
        told = name == "minutes" and name in data
        rests_on = frozenset() if told else RESTS_ON.get(name, frozenset())
        if not guessed & (rests_on | {name}):
            wrong[name] = messages
    if "rrule" in data and not wrong.keys() & {"rrule", "all_day"}:
        # Its grammar, at least.
        try:
            if draft.rule:
                parse_rule(draft.rule, is_all_day=draft.is_all_day)
        except RuleRefused as refused:
            wrong["rrule"] = [refused.message]


def by_api_name(errors: dict[str, list[str]]) -> dict[str, list[str]]:
    """What the rules refuse, at the members' names."""
    named: dict[str, list[str]] = {}
    for field, messages in errors.items():
        named.setdefault(NAMES.get(field, field), []).extend(messages)
    return named


def _wall(data: dict[str, Any], name: str, all_day: bool) -> dt.datetime:
    value: dt.datetime | dt.date = data[name]
    if isinstance(value, dt.datetime):
        return dt.datetime.combine(value.date(), dt.time()) if all_day else value
    if not all_day:
        raise serializers.ValidationError({name: [_("Écrivez aussi l’heure, par exemple 2026-11-26T10:30.")]})
    return dt.datetime.combine(value, dt.time())


def _dates(data: dict[str, Any], name: str, start: dt.datetime, *, all_day: bool) -> tuple[dt.datetime, ...]:
    """A date alone is that day at the hour of the start."""
    hour = dt.time() if all_day else start.time()
    return tuple(
        value if isinstance(value, dt.datetime) and not all_day else dt.datetime.combine(_day(value), hour)
        for value in data[name]
    )


def _day(value: dt.datetime | dt.date) -> dt.date:
    return value.date() if isinstance(value, dt.datetime) else value


def _minutes(data: dict[str, Any], start: dt.datetime, zone: str, *, all_day: bool, base: MeetingDraft | None) -> int:
    if "minutes" in data:
        return int(data["minutes"])
    if "end" in data:
        end = _wall(data, "end", all_day)
        if all_day:
            return ((end.date() - start.date()).days + 1) * DAY_MINUTES
        return _minutes_between(start, end, zone)
    if base is not None and base.is_all_day == all_day:
        return base.minutes
    if all_day:
        return DAY_MINUTES
    raise serializers.ValidationError({"minutes": [_("Indiquez une durée ou une fin.")]})


def _minutes_between(start: dt.datetime, end: dt.datetime, zone: str) -> int:
    """Real minutes between two wall clocks, over a change of clocks too; for an impossible zone or date, which the rules
    refuse at its own field, the difference as it stands.
    """
    try:
        starts_at, ends_at = (wallclock.instant(wall.date(), wall.time(), zone) for wall in (start, end))
    except (wallclock.UnknownZone, OverflowError):
        starts_at, ends_at = start, end
    return int((ends_at - starts_at).total_seconds() // 60)


def _invitees(entries: Sequence[dict[str, Any]], organiser: Agent) -> Resolution:
    """Who they are, each once. Addresses alone are resolved: a name is free text here, not part of a line."""
    by_address: dict[str, dict[str, Any]] = {}
    wrong: list[str] = []
    folded: dict[str, None] = {}
    for entry in entries:
        address = address_or_none(entry["email"].strip())
        if address is None:
            wrong.append(Problem(text=entry["email"], reason="not_an_address").message)
        elif address in by_address:
            folded[address] = None
        else:
            by_address[address] = entry
    if wrong:
        raise serializers.ValidationError({"attendees": wrong})
    found = resolve_invitees(list(by_address), organiser=organiser)
    invitees = tuple(
        replace(
            invitee,
            name=invitee.name or " ".join(by_address[invitee.email]["name"].split()),
            role=by_address[invitee.email]["role"],
        )
        for invitee in found.invitees
    )
    return replace(
        found, invitees=invitees, folded=(*found.folded, *(one for one in folded if one not in found.folded))
    )


def _resources(ids: Sequence[uuid.UUID], organiser: Agent, held: Collection[int]) -> tuple[int, ...]:
    """Of the organiser's organisation, each once, in the order asked. One query."""
    if not ids:
        return ()
    lent = Q(organisation=organiser.organisation_id, is_active=True) | Q(pk__in=held)
    found = {one.public_id: one.pk for one in Resource.objects.filter(lent, public_id__in=ids)}
    unknown = [str(one) for one in ids if one not in found]
    if unknown:
        words = _("Salles ou équipements inconnus : %(ids)s.") % {"ids": ", ".join(unknown)}
        raise serializers.ValidationError({"resources": [words]})
    return tuple(found[one] for one in dict.fromkeys(ids))
