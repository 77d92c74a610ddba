"""The form of a poll: rows of date and hour beside its words. The rules are in visio.polls.drafts, shared with the API."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from suite.agents.models import Agent
from suite.core.form_fields import CommentField, DayField, HourField
from visio.meetings import wallclock
from visio.meetings.drafts import Invitee, Problem
from visio.meetings.groups import resolve_with_groups
from visio.meetings.models import Role
from visio.meetings.words import duration, local
from visio.polls.drafts import MOST_DATES, Faults, PollDraft, find_faults
from visio.polls.models import Poll, PollOption, PollParticipant

DURATIONS = (15, 30, 45, 60, 90, 120, 180, 240, 480)
# Without an hour a deadline is the end of the working day.
END_OF_DAY = dt.time(18, 0)
FIRST_ROWS = 3
MOST_ROWS = MOST_DATES + 5


@dataclass
class DateRow:
    """One line as it was typed; `error` says what is wrong with it alone."""

    date: str = ""
    start: str = ""
    error: str = ""

    @property
    def is_empty(self) -> bool:
        return not (self.date.strip() or self.start.strip())


class PollForm(forms.Form):
    """`draft` is set once the form is valid; nothing here writes."""

    title = forms.CharField(
        label=gettext_lazy("Titre"), error_messages={"required": gettext_lazy("Donnez un titre à la réunion.")}
    )
    minutes = forms.IntegerField(
        label=gettext_lazy("Durée"),
        error_messages={
            "required": gettext_lazy("Choisissez une durée."),
            "invalid": gettext_lazy("Choisissez une durée de la liste."),
        },
    )
    dates = forms.Field(label=gettext_lazy("Dates proposées"), required=False)
    time_zone = forms.CharField(label=gettext_lazy("Fuseau horaire"), max_length=64)
    people = forms.CharField(label=gettext_lazy("Personnes consultées"), required=False)
    optional = forms.CharField(label=gettext_lazy("Personnes facultatives"), required=False)
    deadline_date = DayField(label=gettext_lazy("Répondre avant le"), required=False)
    deadline_time = HourField(label=gettext_lazy("Heure limite"), required=False)
    place = forms.CharField(label=gettext_lazy("Lieu"), required=False)
    description = forms.CharField(label=gettext_lazy("Objet"), required=False)
    shows_votes = forms.BooleanField(label=gettext_lazy("Réponses visibles de tous"), required=False)
    visio = forms.BooleanField(label=gettext_lazy("Visio"), required=False)
    tchap = forms.BooleanField(label=gettext_lazy("Salon Tchap"), required=False)
    creation_key = forms.UUIDField(required=False)
    # When the poll that is edited was last changed, as the page showed it.
    seen = forms.CharField(required=False, max_length=40)

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        organiser: Agent,
        now: dt.datetime,
        poll: Poll | None = None,
        rows: Iterable[DateRow] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(data, **kwargs)
        self.organiser = organiser
        self.now = now
        self.poll = poll
        self.draft: PollDraft | None = None
        self.notices: list[str] = []
        self.invitees: list[Invitee] = []
        self.problems: list[tuple[Problem, str]] = []
        self.rows = list(rows) if data is None else typed_rows(data)
        if data is None:
            self._resolve(self.initial)

    # --- validation ---------------------------------------------------------------------------------------------
    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        self._resolve(cleaned)
        for problem, _role in self.problems:
            self.add_error("people", problem.message)
        dates = self._dates()
        draft = PollDraft(
            title=cleaned.get("title", ""),
            dates=tuple(wall for _row, wall in dates),
            time_zone=cleaned.get("time_zone", self.organiser.time_zone),
            minutes=cleaned.get("minutes", 60),
            description=cleaned.get("description", ""),
            place=cleaned.get("place", ""),
            deadline=self._deadline(cleaned),
            people=tuple(self.invitees),
            shows_votes=bool(cleaned.get("shows_votes")),
            wants_room=bool(cleaned.get("visio")),
            wants_tchap=bool(cleaned.get("tchap")),
        )
        kept = [option.starts_at for option in self.poll.options.all()] if self.poll else []
        faults = find_faults(draft, now=self.now, kept=kept, kept_deadline=self.poll.deadline if self.poll else None)
        self.refuse(faults, places=[row for row, _wall in dates])
        if not self.errors:
            self.draft = draft
        return cleaned

    def refuse(self, faults: Faults, *, places: list[int] | None = None) -> None:
        """Show what the rules refuse, at the fields; `places` maps the draft's dates to the form's rows."""
        self.draft = None
        for name, sentences in faults.errors.items():
            place = {"deadline": "deadline_date"}.get(name, name)
            # A field that could not be read has its own error already.
            if place in self.errors and place != "dates":
                continue
            for sentence in sentences:
                if place == "dates" and len(self.filled_rows()) < 2 and any(row.error for row in self.rows):
                    continue
                self.add_error(place, sentence)
        for row in faults.rows:
            at = places[row] if places is not None else row
            self.rows[at].error = self.rows[at].error or _("À corriger")

    def filled_rows(self) -> list[DateRow]:
        return [row for row in self.rows if not row.is_empty]

    def _dates(self) -> list[tuple[int, dt.datetime]]:
        """(row, wall clock) of every row that says one; the others are marked."""
        found: list[tuple[int, dt.datetime]] = []
        date_field, time_field = DayField(), HourField()
        for number, row in enumerate(self.rows):
            if row.is_empty:
                continue
            try:
                date = date_field.clean(row.date)
            except forms.ValidationError:
                self._mark(row, str(date_field.error_messages["invalid"]))
                continue
            try:
                time = time_field.clean(row.start)
            except forms.ValidationError:
                self._mark(row, str(time_field.error_messages["invalid"]))
                continue
            found.append((number, dt.datetime.combine(date, time.replace(second=0, microsecond=0))))
        return found

    def _mark(self, row: DateRow, sentence: str) -> None:
        row.error = sentence
        if sentence not in self.errors.get("dates", []):
            self.add_error("dates", sentence)

    def _deadline(self, cleaned: Mapping[str, Any]) -> dt.datetime | None:
        date, time = cleaned.get("deadline_date"), cleaned.get("deadline_time")
        if date is None:
            if time is not None and "deadline_date" not in self.errors:
                self.add_error("deadline_date", _("Choisissez le jour de la limite."))
            return None
        return dt.datetime.combine(date, time or END_OF_DAY)

    def _resolve(self, typed: Mapping[str, Any]) -> None:
        """Whom the two fields name, and the lines that name nobody."""
        people: dict[str, Invitee] = {}
        for name, role in (("people", Role.REQUIRED.value), ("optional", Role.OPTIONAL.value)):
            text = str(typed.get(name) or "")
            if not text.strip():
                continue
            found = resolve_with_groups(text.splitlines(), viewer=self.organiser, organiser=self.organiser, role=role)
            for invitee in found.invitees:
                people.setdefault(invitee.email, invitee)
            self.problems += [(problem, role) for problem in found.problems]
            self.notices += found.notices
        self.invitees = list(people.values())

    # --- what the page asks -------------------------------------------------------------------------------------
    def error_fields(self) -> list[tuple[str, str]]:
        """(field id, label) of every field with an error: the foot bar links to them."""
        first = next((number for number, row in enumerate(self.rows) if row.error), 0)
        ids = {"dates": f"date-{first}"}
        return [
            (ids.get(name, f"id_{name}"), str(self.fields[name].label)) for name in self.fields if name in self.errors
        ]

    def duration_choices(self) -> list[tuple[int, str]]:
        values = set(DURATIONS)
        raw = str(self["minutes"].value() or "")
        if raw.isascii() and raw.isdigit() and 0 < int(raw) <= 14 * 24 * 60:
            values.add(int(raw))
        return [(value, duration(value)) for value in sorted(values)]


def typed_rows(data: QueryDict) -> list[DateRow]:
    """The rows of dates of a posted form, at most MOST_ROWS."""
    dates, starts = data.getlist("date")[:MOST_ROWS], data.getlist("start")[:MOST_ROWS]
    longest = max(len(dates), len(starts))
    dates += [""] * (longest - len(dates))
    starts += [""] * (longest - len(starts))
    return [DateRow(date[:20], start[:20]) for date, start in zip(dates, starts, strict=True)]


def blank(agent: Agent, *, title: str = "", minutes: int = 60, people: str = "") -> dict[str, Any]:
    """What a new form begins with."""
    return {
        "title": title,
        "minutes": minutes,
        "time_zone": agent.time_zone,
        "people": people,
        "shows_votes": True,
        "visio": True,
        "tchap": True,
        "creation_key": str(uuid.uuid4()),
    }


def blank_rows(asked: Iterable[dt.datetime] = ()) -> list[DateRow]:
    """The dates that a link asks for (wall clocks), then empty rows up to three."""
    rows = [DateRow(wall.date().isoformat(), f"{wall:%H:%M}") for wall in asked][:MOST_DATES]
    return rows + [DateRow() for _number in range(FIRST_ROWS - len(rows))]


def filled(poll: Poll, people: list[PollParticipant]) -> dict[str, Any]:
    """What the form begins with when `poll` is edited."""
    deadline = local(poll.deadline, poll.time_zone) if poll.deadline else None

    def lines(required: bool) -> str:
        chosen = (person for person in people if person.is_required is required)
        return "\n".join(f"{person.name} <{person.email}>" if person.name else person.email for person in chosen)

    return {
        "title": poll.title,
        "minutes": poll.minutes,
        "time_zone": poll.time_zone,
        "people": lines(True),
        "optional": lines(False),
        "deadline_date": deadline.date().isoformat() if deadline else "",
        "deadline_time": f"{deadline:%H:%M}" if deadline else "",
        "place": poll.place,
        "description": poll.description,
        "shows_votes": poll.shows_votes,
        "visio": poll.wants_room,
        "tchap": poll.wants_tchap,
        "seen": poll.changed_at.isoformat(),
    }


def filled_rows(poll: Poll, options: Iterable[PollOption]) -> list[DateRow]:
    rows = []
    for option in options:
        date, time = wallclock.wall_clock(option.starts_at, poll.time_zone)
        rows.append(DateRow(date.isoformat(), f"{time:%H:%M}"))
    return rows


class CommentForm(forms.Form):
    """What goes with a vote."""

    comment = CommentField()


def typed_votes(data: Mapping[str, Any], options: Iterable[PollOption]) -> dict[str, str]:
    """{option key: choice} of a posted form, for dates that are still proposed; unanswered ones are left out."""
    said = {option.key: str(data.get(f"vote-{option.key}", ""))[:20] for option in options}
    return {key: choice for key, choice in said.items() if choice}
