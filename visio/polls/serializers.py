"""JSON of polls, in and out: shapes and conversions; the rules are in visio.polls.drafts, shared with the page's form."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from suite.agents.models import Agent
from suite.agents.strict import InstantField, StrictSerializer
from visio.meetings.drafts import Problem, address_or_none, resolve_invitees
from visio.meetings.serializers import InviteeSerializer, PersonSerializer
from visio.polls.api_examples import CHOICE, POLL, SUMMARY, VOTE
from visio.polls.board import Board
from visio.polls.drafts import MOST_DATES, MOST_PEOPLE, Faults, PollDraft, find_faults
from visio.polls.models import Choice, Poll, PollParticipant, PollStatus

# PollDraft's fields as the API names them.
FIELDS = {"wants_room": "visio", "wants_tchap": "tchap"}
# A fault of the first is none as long as one of the others could not be read.
RESTS_ON = {"dates": ("time_zone", "minutes"), "deadline": ("time_zone", "dates", "minutes")}


class PollDateSerializer(serializers.Serializer[Any]):
    """One proposed date; the counts are null when the caller may not read others' votes."""

    id = serializers.CharField(help_text="Its start in UTC, e.g. 20261126T093000Z")
    starts_at = InstantField()
    ends_at = InstantField()
    yes = serializers.IntegerField(allow_null=True)
    if_need_be = serializers.IntegerField(allow_null=True)
    no = serializers.IntegerField(allow_null=True)
    best = serializers.BooleanField()
    chosen = serializers.BooleanField()


class PollPersonSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    email = serializers.CharField(allow_null=True, help_text="For the organiser alone")
    required = serializers.BooleanField()  # type: ignore[assignment]  # the name of an argument of every field, too
    answered_at = InstantField(allow_null=True)
    comment = serializers.CharField(help_text="For the organiser alone")
    votes = serializers.DictField(child=serializers.ChoiceField(choices=Choice.choices), help_text="By date id")


@extend_schema_serializer(examples=[POLL])
class PollSerializer(serializers.Serializer[Any]):
    """A poll as one of its people sees it. `people` holds oneself alone where votes are not shown."""

    id = serializers.UUIDField()
    title = serializers.CharField()
    description = serializers.CharField()
    place = serializers.CharField()
    minutes = serializers.IntegerField()
    time_zone = serializers.CharField()
    deadline = InstantField(allow_null=True)
    status = serializers.ChoiceField(choices=PollStatus.choices)
    shows_votes = serializers.BooleanField()
    visio = serializers.BooleanField()
    tchap = serializers.BooleanField()
    organiser = PersonSerializer()
    asked = serializers.IntegerField()
    answered = serializers.IntegerField()
    dates = PollDateSerializer(many=True)
    people = PollPersonSerializer(many=True)
    meeting = serializers.UUIDField(allow_null=True)
    can_edit = serializers.BooleanField()


@extend_schema_serializer(examples=[SUMMARY])
class PollSummarySerializer(serializers.Serializer[Any]):
    """One line of the list."""

    id = serializers.UUIDField(source="public_id")
    title = serializers.CharField()
    status = serializers.ChoiceField(choices=PollStatus.choices)
    deadline = InstantField(allow_null=True)
    organiser = PersonSerializer()
    asked = serializers.IntegerField()
    answered = serializers.IntegerField()
    waits_for_me = serializers.BooleanField()


def shown(poll: Poll, board: Board, *, viewer: Agent, me: PollParticipant | None) -> dict[str, Any]:
    """What PollSerializer renders of `poll` for `viewer`."""
    is_organiser = poll.organiser_id == viewer.pk
    return {
        "id": poll.public_id,
        "title": poll.title,
        "description": poll.description,
        "place": poll.place,
        "minutes": poll.minutes,
        "time_zone": poll.time_zone,
        "deadline": poll.deadline,
        "status": poll.status,
        "shows_votes": poll.shows_votes,
        "visio": poll.wants_room,
        "tchap": poll.wants_tchap,
        "organiser": poll.organiser,
        "asked": board.asked,
        "answered": board.answered,
        "dates": [
            {
                "id": line.key,
                "starts_at": line.option.starts_at,
                "ends_at": line.option.ends_at,
                "yes": line.tally.yes if board.shows_all else None,
                "if_need_be": line.tally.if_need_be if board.shows_all else None,
                "no": line.tally.no if board.shows_all else None,
                "best": line.is_best,
                "chosen": line.option.is_chosen,
            }
            for line in board.dates
        ],
        "people": [
            {
                "name": row.name,
                "email": row.participant.email if is_organiser or row.is_me else None,
                "required": row.participant.is_required,
                "answered_at": row.participant.answered_at,
                "comment": row.participant.comment if is_organiser or row.is_me else "",
                "votes": {line.key: vote for line, vote in zip(board.dates, row.votes, strict=True) if vote},
            }
            for row in board.everybody
        ],
        "meeting": poll.meeting.public_id if poll.meeting else None,
        "can_edit": is_organiser,
    }


class _WallClock(serializers.DateTimeField):
    """A date and hour without offset, which Django's zone must not touch."""

    def enforce_timezone(self, value: dt.datetime) -> dt.datetime:
        if value.tzinfo is not None:
            raise serializers.ValidationError(_("Écrivez l’heure sans décalage ; le fuseau va dans time_zone."))
        return value.replace(second=0, microsecond=0)


@extend_schema_serializer(
    component_name="PollInput",
    examples=[
        OpenApiExample(
            "Three dates",
            value={
                "title": "Comité de suivi",
                "dates": ["2026-12-01T10:00", "2026-12-02T10:00", "2026-12-03T14:00"],
                "minutes": 60,
                "time_zone": "Europe/Paris",
                "deadline": "2026-11-27T18:00",
                "people": [{"email": "anne.le-goff@bretagne.example"}],
            },
        )
    ],
)
class PollInputSerializer(StrictSerializer):
    """What an organiser asks. `dates` and `deadline` are wall clocks without offset in `time_zone`."""

    title = serializers.CharField(max_length=2000)
    dates = serializers.ListField(child=_WallClock(), max_length=MOST_DATES * 10)
    minutes = serializers.IntegerField(default=60)
    time_zone = serializers.CharField(max_length=64, required=False)
    description = serializers.CharField(max_length=10_000, required=False, allow_blank=True, default="")
    place = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")
    deadline = _WallClock(required=False, allow_null=True, default=None)
    people = serializers.ListField(child=InviteeSerializer(), max_length=MOST_PEOPLE * 2)
    shows_votes = serializers.BooleanField(default=True)
    visio = serializers.BooleanField(default=True)
    tchap = serializers.BooleanField(default=True)

    def draft(self, *, organiser: Agent, now: dt.datetime) -> PollDraft:
        """The draft; ValidationError names all that is wrong, also what the rules refuse of the rest."""
        data, wrong = self.sort_out()
        entries: dict[str, dict[str, Any]] = {}
        for entry in data.get("people", ()):
            address = address_or_none(entry["email"].strip())
            if address is None:
                words = Problem(text=entry["email"], reason="not_an_address").message
                wrong["people"] = [*wrong.get("people", ()), words]
            else:
                entries.setdefault(address, entry)
        people = tuple(
            replace(
                invitee,
                name=invitee.name or " ".join(entries[invitee.email]["name"].split()),
                role=entries[invitee.email]["role"],
            )
            for invitee in resolve_invitees(list(entries), organiser=organiser).invitees
        )
        draft = PollDraft(
            title=data.get("title", ""),
            dates=tuple(data.get("dates", ())),
            time_zone=data.get("time_zone") or organiser.time_zone,
            minutes=data.get("minutes", 60),
            description=data.get("description", ""),
            place=data.get("place", ""),
            deadline=data.get("deadline"),
            people=people,
            shows_votes=data.get("shows_votes", True),
            wants_room=data.get("visio", True),
            wants_tchap=data.get("tchap", True),
        )
        if wrong:
            guessed = set(wrong)
            for name, messages in by_name(find_faults(draft, now=now)).items():
                if not guessed & {name, *RESTS_ON.get(name, ())}:
                    wrong[name] = messages
            raise serializers.ValidationError(wrong)
        return draft


def by_name(faults: Faults) -> dict[str, list[str]]:
    """What the rules refuse, at the members' names."""
    return {FIELDS.get(name, name): words for name, words in faults.errors.items()}


@extend_schema_serializer(component_name="PollVoteInput", examples=[VOTE])
class PollVoteSerializer(StrictSerializer):
    """An answer for every date, by its id."""

    votes = serializers.DictField(child=serializers.ChoiceField(choices=Choice.choices))
    comment = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")


@extend_schema_serializer(component_name="PollChoiceInput", examples=[CHOICE])
class PollChoiceSerializer(StrictSerializer):
    date = serializers.CharField(max_length=32, help_text="The id of a proposed date")
