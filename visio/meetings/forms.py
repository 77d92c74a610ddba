"""The forms of the meeting pages. The rules shared with the API live in visio.meetings.drafts; here is what only a form knows."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from suite.agents.models import Agent
from visio.meetings.drafts import Invitee, MeetingDraft, Problem, resolve_invitees, validate_draft
from visio.meetings.models import Answer, Attendee, Meeting, Privacy, Role
from visio.meetings.wallclock import span
from visio.meetings.words import duration, local

DURATIONS = (15, 30, 45, 60, 90, 120, 180, 240)
ONE_DAY = 24 * 60
# The draft's fields as the form names them.
FIELD_OF = {"start_date": "date", "start_time": "start", "wants_room": "visio", "wants_tchap": "tchap"}


def invitee_line(invitee: Invitee) -> str:
    return f"{invitee.name} <{invitee.email}>" if invitee.name else invitee.email


class PlanForm(forms.Form):
    """Planning and editing. `draft` is set once the form is valid; nothing here writes."""

    title = forms.CharField(
        label=gettext_lazy("Titre"), error_messages={"required": gettext_lazy("Donnez un titre à la réunion.")}
    )
    date = forms.DateField(
        label=gettext_lazy("Date"),
        error_messages={
            "required": gettext_lazy("Choisissez une date."),
            "invalid": gettext_lazy("Écrivez la date comme 26/11/2026."),
        },
    )
    start = forms.TimeField(
        label=gettext_lazy("Début"),
        error_messages={
            "required": gettext_lazy("Choisissez l’heure de début."),
            "invalid": gettext_lazy("Écrivez l’heure comme 10:30."),
        },
    )
    end = forms.TimeField(
        label=gettext_lazy("Fin"),
        required=False,
        error_messages={"invalid": gettext_lazy("Écrivez l’heure comme 10:30.")},
    )
    minutes = forms.IntegerField(
        label=gettext_lazy("Durée"),
        required=False,
        error_messages={"invalid": gettext_lazy("Choisissez une durée de la liste.")},
    )
    time_zone = forms.CharField(label=gettext_lazy("Fuseau horaire"), max_length=64)
    attendees = forms.CharField(label=gettext_lazy("Participants"), required=False)
    optional = forms.CharField(label=gettext_lazy("Participants facultatifs"), required=False)
    place = forms.CharField(label=gettext_lazy("Lieu"), required=False)
    description = forms.CharField(label=gettext_lazy("Description"), required=False)
    visio = forms.BooleanField(label=gettext_lazy("Visio"), required=False)
    tchap = forms.BooleanField(label=gettext_lazy("Salon Tchap"), required=False)
    private = forms.BooleanField(label=gettext_lazy("Réunion privée"), required=False)
    creation_key = forms.UUIDField(required=False)
    revision = forms.IntegerField(required=False)
    # The end and the duration as the page showed them ("11:30|60"): without JavaScript the one that differs is the one meant.
    shown = forms.CharField(required=False, max_length=20)

    def __init__(
        self, *args: Any, organiser: Agent, now: dt.datetime, meeting: Meeting | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.organiser = organiser
        self.now = now
        self.meeting = meeting
        self.notices: list[str] = []
        self.draft: MeetingDraft | None = None
        self.people: list[Invitee] = []
        self.problems: list[tuple[Problem, str]] = []
        self.span_minutes: int | None = None if self.is_bound else self.initial.get("minutes")
        if not self.is_bound:
            first = self.initial.get("attendees", ""), self.initial.get("optional", "")
            self.people, self.problems = self._resolve(*first)

    # --- validation ----------------------------------------------------------------------------------------------
    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        self.people, self.problems = self._resolve(str(cleaned.get("attendees", "")), str(cleaned.get("optional", "")))
        for problem, _role in self.problems:
            self.add_error("attendees", problem.message)
        self.span_minutes = minutes = self._minutes(cleaned)
        if "date" in cleaned and "start" in cleaned and minutes is not None:
            self._check(cleaned, minutes)
        else:
            self._check_words(cleaned)
        return cleaned

    def _check(self, cleaned: dict[str, Any], minutes: int) -> None:
        draft = self._draft(cleaned, cleaned["date"], cleaned["start"], minutes)
        self._add(validate_draft(draft, now=self.now, unchanged_start=self._unchanged_start()))
        if not self.errors:
            self.draft = draft

    def _check_words(self, cleaned: dict[str, Any]) -> None:
        """The time is not known: say what is wrong with the rest all the same, so that one round is enough."""
        tomorrow = self.now + dt.timedelta(days=2)
        draft = self._draft(cleaned, tomorrow.date(), tomorrow.time(), 60)
        found = validate_draft(draft, now=self.now)
        self._add({field: words for field, words in found.items() if field not in ("start_date", "start_time")})

    def _unchanged_start(self) -> dt.datetime | None:
        """A meeting that has begun keeps its start through an edit of its title."""
        if self.meeting is None:
            return None
        return span(self.meeting.start_date, self.meeting.start_time, self.meeting.time_zone, self.meeting.minutes)[0]

    def _add(self, found: dict[str, list[str]]) -> None:
        for field, messages in found.items():
            name = FIELD_OF.get(field, field)
            if name == "minutes" and self.cleaned_data.get("minutes") is None:
                name = "end"
            # What no field carries is a fault of the whole form.
            place = name if name in self.fields else None
            if place is None or place not in self.errors:
                for message in messages:
                    self.add_error(place, message)

    def _draft(self, cleaned: dict[str, Any], date: dt.date, start: dt.time, minutes: int) -> MeetingDraft:
        return MeetingDraft(
            title=cleaned.get("title", ""),
            start_date=date,
            start_time=start,
            time_zone=cleaned.get("time_zone", self.organiser.time_zone),
            minutes=minutes,
            description=cleaned.get("description", ""),
            place=cleaned.get("place", ""),
            privacy=Privacy.PRIVATE if cleaned.get("private") else Privacy.PUBLIC,
            wants_room=bool(cleaned.get("visio")),
            wants_tchap=bool(cleaned.get("tchap")),
            attendees=tuple(self.people),
        )

    def _minutes(self, cleaned: dict[str, Any]) -> int | None:
        """The duration that the person meant, or None with the error at its field."""
        if self.errors.keys() & {"start", "end", "minutes"}:
            return None
        start, end, minutes = cleaned.get("start"), cleaned.get("end"), cleaned.get("minutes")
        if start is None:
            return None
        if end is None and minutes is None:
            self.add_error("end", _("Donnez l’heure de fin ou la durée."))
            return None
        if end is None:
            return int(minutes or 0)
        until = (end.hour - start.hour) * 60 + end.minute - start.minute
        if minutes is None:
            return self._positive(until)
        if (until - minutes) % ONE_DAY == 0:
            return int(minutes)
        shown_end, _sep, shown_minutes = str(cleaned.get("shown", "")).partition("|")
        if shown_end == f"{end:%H:%M}":
            return int(minutes)
        if shown_minutes == str(minutes):
            return self._positive(until)
        self.add_error("end", _("La fin et la durée ne disent pas la même chose : corrigez l’une des deux."))
        return None

    def _positive(self, until: int) -> int | None:
        if until <= 0:
            self.add_error("end", _("La fin doit venir après le début."))
            return None
        return until

    # --- people --------------------------------------------------------------------------------------------------
    def _resolve(self, required: str, optional: str) -> tuple[list[Invitee], list[tuple[Problem, str]]]:
        people: dict[str, Invitee] = {}
        problems: list[tuple[Problem, str]] = []
        for text, role in ((required, Role.REQUIRED.value), (optional, Role.OPTIONAL.value)):
            if not text.strip():
                continue
            found = resolve_invitees(text.splitlines(), organiser=self.organiser, role=role)
            for invitee in found.invitees:
                people.setdefault(invitee.email, invitee)
            problems += [(problem, role) for problem in found.problems]
            self.notices += found.notices
        return list(people.values()), problems

    def value_of(self, name: str) -> Any:
        """What the field shows: what was typed, else what it began with."""
        value = self[name].value()
        return "" if value is None else value

    def refuse(self, errors: dict[str, list[str]]) -> None:
        """Show what the operation itself refused, at the fields."""
        self._add(errors)
        self.draft = None

    # --- what the page asks --------------------------------------------------------------------------------------
    def error_fields(self) -> list[tuple[str, str]]:
        """(field id, label) of every field with an error, in the form's order: the foot bar links to them."""
        return [(f"id_{name}", str(self.fields[name].label)) for name in self.fields if name in self.errors]

    def duration_choices(self) -> list[tuple[int, str]]:
        values = set(DURATIONS)
        raw = str(self.value_of("minutes"))
        if raw.isascii() and raw.isdigit() and 0 < int(raw) <= 14 * ONE_DAY:
            values.add(int(raw))
        return [(value, duration(value)) for value in sorted(values)]


def blank(agent: Agent, *, now: dt.datetime, date: dt.date | None, start: dt.time | None) -> dict[str, Any]:
    """What a new form begins with, in the agent's zone: the next half hour, one hour long, or the time asked for."""
    here = local(now, agent.time_zone).replace(second=0, microsecond=0)
    begin = here + dt.timedelta(minutes=30 - here.minute % 30)
    day = date or begin.date()
    hour = start or (begin.time() if date is None or date == begin.date() else dt.time(9, 0))
    end = (dt.datetime.combine(day, hour) + dt.timedelta(hours=1)).time()
    return {
        "date": day.isoformat(),
        "start": f"{hour:%H:%M}",
        "end": f"{end:%H:%M}",
        "minutes": 60,
        "time_zone": agent.time_zone,
        "visio": True,
        "tchap": True,
        "creation_key": str(uuid.uuid4()),
        "shown": f"{end:%H:%M}|60",
    }


def filled(meeting: Meeting, attendees: list[Attendee]) -> dict[str, Any]:
    """What the form begins with when `meeting` is edited."""
    begin = dt.datetime.combine(meeting.start_date, meeting.start_time)
    end = begin + dt.timedelta(minutes=meeting.minutes)

    def lines(role: str) -> str:
        people = (attendee for attendee in attendees if attendee.role == role)
        return "\n".join(
            f"{person.display_name} <{person.email}>" if person.agent or person.name else person.email
            for person in people
        )

    return {
        "title": meeting.title,
        "date": meeting.start_date.isoformat(),
        "start": f"{meeting.start_time:%H:%M}",
        "end": f"{end:%H:%M}",
        "minutes": meeting.minutes,
        "time_zone": meeting.time_zone,
        "attendees": lines(Role.REQUIRED),
        "optional": lines(Role.OPTIONAL),
        "place": meeting.place,
        "description": meeting.description,
        "visio": meeting.room_id is not None,
        "tchap": meeting.wants_tchap,
        "private": meeting.privacy == Privacy.PRIVATE,
        "revision": meeting.revision,
        "shown": f"{end:%H:%M}|{meeting.minutes}",
    }


class AnswerForm(forms.Form):
    """An answer to an invitation."""

    answer = forms.ChoiceField(
        choices=[(Answer.ACCEPTED, ""), (Answer.TENTATIVE, ""), (Answer.DECLINED, "")],
        error_messages={
            "required": gettext_lazy("Choisissez une réponse."),
            "invalid_choice": gettext_lazy("Choisissez une réponse."),
        },
    )
    comment = forms.CharField(
        required=False,
        max_length=500,
        error_messages={"max_length": gettext_lazy("Le message a %(show_value)d caractères : 500 au plus.")},
    )
    # The version of the meeting that the person saw.
    revision = forms.IntegerField(required=False)

    def clean_revision(self) -> int | None:
        """Only a version that can have been seen counts; anything else is as good as none."""
        seen: int | None = self.cleaned_data["revision"]
        return seen if seen is not None and seen > 0 else None
