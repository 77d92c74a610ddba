"""The forms of the meeting pages. The rules shared with the API live in visio.meetings.drafts; here is what only a form knows."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import replace
from typing import Any

from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from suite.agents.delegation import principals_of
from suite.agents.models import Agent
from visio.meetings import repeat_form
from visio.meetings.answer_forms import AnswerForm, CancelForm
from visio.meetings.drafts import Invitee, MeetingDraft, Problem, validate_draft
from visio.meetings.form_fields import PlanFields
from visio.meetings.form_values import blank, filled
from visio.meetings.groups import resolve_with_groups
from visio.meetings.models import Meeting, Occurrence, Privacy, Role
from visio.meetings.recurrence import aligned
from visio.meetings.repeat_form import NotChosen
from visio.meetings.scopes import Scope
from visio.meetings.wallclock import span, wall_clock
from visio.meetings.words import duration
from visio.places.models import Resource

__all__ = ["AnswerForm", "CancelForm", "PlanForm", "blank", "filled", "invitee_line"]

DURATIONS = (15, 30, 45, 60, 90, 120, 180, 240)
ONE_DAY = 24 * 60
MOST_RESOURCES = 20
# The draft's fields as the form names them.
FIELD_OF = {
    "start_date": "date",
    "start_time": "start",
    "wants_room": "visio",
    "wants_tchap": "tchap",
    "rule": "repeat",
    "rdates": "repeat",
    "exdates": "repeat",
    "is_all_day": "all_day",
}


def invitee_line(invitee: Invitee) -> str:
    return f"{invitee.name} <{invitee.email}>" if invitee.name else invitee.email


class PlanForm(PlanFields):
    """Planning and editing. `draft` is set once the form is valid; nothing here writes.

    `occurrence`: the date of a series that is edited; then the form's times are that date's. `organiser` becomes the one chosen
    among those in whose name the agent may plan.
    """

    def __init__(
        self,
        *args: Any,
        organiser: Agent,
        now: dt.datetime,
        meeting: Meeting | None = None,
        occurrence: Occurrence | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        # Who writes; `organiser` may become somebody in whose name they plan.
        self.by = organiser
        self.organiser = organiser
        self.now = now
        self.meeting = meeting
        self.occurrence = occurrence
        self.notices: list[str] = []
        self.chosen_resources: list[Resource] = []
        self.draft: MeetingDraft | None = None
        self.people: list[Invitee] = []
        self.problems: list[tuple[Problem, str]] = []
        self.span_minutes: int | None = None if self.is_bound else self.initial.get("minutes")
        if not self.is_bound:
            first = self.initial.get("attendees", ""), self.initial.get("optional", "")
            self.people, self.problems = self._resolve(*first)
            self._choose_resources(self.initial.get("resources", []))

    # --- validation ----------------------------------------------------------------------------------------------
    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        self._choose_organiser(str(cleaned.get("organiser_for", "")))
        self.people, self.problems = self._resolve(str(cleaned.get("attendees", "")), str(cleaned.get("optional", "")))
        for problem, _role in self.problems:
            self.add_error("attendees", problem.message)
        self._choose_resources(cleaned.get("resources") or [])
        if cleaned.get("all_day"):
            cleaned["start"] = dt.time()
            self.span_minutes = minutes = self._days(cleaned)
        else:
            if cleaned.get("start") is None and "start" not in self.errors:
                self.add_error("start", _("Choisissez l’heure de début."))
            self.span_minutes = minutes = self._minutes(cleaned)
        if "date" in cleaned and cleaned.get("start") is not None and minutes is not None:
            self._check(cleaned, minutes)
        else:
            self._check_words(cleaned)
        return cleaned

    def _check(self, cleaned: dict[str, Any], minutes: int) -> None:
        draft = self._draft(cleaned, cleaned["date"], cleaned["start"], minutes)
        try:
            draft = self._repeating(draft, cleaned)
        except NotChosen as fault:
            self._add({fault.field: [fault.message]})
        self._add(validate_draft(draft, now=self.now, unchanged_start=self._unchanged_start()))
        if not self.errors:
            self.draft = draft

    def _check_words(self, cleaned: dict[str, Any]) -> None:
        """The time is not known: say what is wrong with the rest all the same, so that one round is enough."""
        tomorrow = self.now + dt.timedelta(days=2)
        draft = replace(self._draft(cleaned, tomorrow.date(), tomorrow.time(), 60), is_all_day=False)
        found = validate_draft(draft, now=self.now)
        self._add({field: words for field, words in found.items() if field not in ("start_date", "start_time")})

    def _unchanged_start(self) -> dt.datetime | None:
        """A meeting that has begun keeps its start through an edit of its title."""
        if self.meeting is None:
            return None
        if self.occurrence is not None:
            return self.occurrence.starts_at
        return span(self.meeting.start_date, self.meeting.start_time, self.meeting.time_zone, self.meeting.minutes)[0]

    # --- repetition ----------------------------------------------------------------------------------------------
    @property
    def is_series(self) -> bool:
        """Whether a date of a series is edited, so that the page asks what changes."""
        return self.meeting is not None and self.meeting.is_series and self.occurrence is not None

    @property
    def reach(self) -> Scope:
        """How much changes: one date of a series unless said otherwise, everything of a one-off."""
        if not self.is_series:
            return Scope.ALL
        value = str(self.value_of("scope"))
        return Scope(value) if value in set(Scope) else Scope.ONE

    @property
    def first_start(self) -> dt.datetime | None:
        """The naive start of the date that the form began with, when a meeting is edited."""
        if self.meeting is None:
            return None
        if self.occurrence is None:
            return dt.datetime.combine(self.meeting.start_date, self.meeting.start_time)
        return dt.datetime.combine(*wall_clock(self.occurrence.starts_at, self.meeting.time_zone))

    @cached_property
    def typed_start(self) -> dt.datetime:
        """The naive start that the fields say, for the words of the list; today's when they say none."""
        try:
            date = dt.date.fromisoformat(str(self.value_of("date")))
            time = dt.time.fromisoformat(str(self.value_of("start") or "00:00"))
            return dt.datetime.combine(date, time.replace(tzinfo=None))
        except ValueError:
            # Nothing typed yet, or no such day.
            return dt.datetime.combine(*wall_clock(self.now, self.by.time_zone))

    def _repeating(self, draft: MeetingDraft, cleaned: dict[str, Any]) -> MeetingDraft:
        """The draft with its rule. An unchanged one is the meeting's own text, which then follows a move."""
        key, start, first = cleaned.get("repeat", ""), draft.start, self.first_start
        meeting = self.meeting
        if meeting is not None and meeting.is_series and first is not None:
            known = repeat_form.repeat_of(meeting, first)
            said = None if key == repeat_form.KEPT else repeat_form.chosen(cleaned, first)
            is_same = said is None or said == known
            if is_same and (key != repeat_form.CUSTOM or start.date() == first.date()):
                return replace(draft, rule="" if self.reach == Scope.ONE else meeting.rrule)
            if self.is_series and self.reach == Scope.ONE:
                if is_same:
                    return draft
                raise NotChosen(
                    "scope",
                    _("La répétition est celle de la série : choisissez « Cette date et les suivantes » ou plus."),
                )
        if key not in ("", repeat_form.CUSTOM) and cleaned.get("repeat_for") not in ("", start.date().isoformat()):
            raise NotChosen("repeat", _("La date a changé : vérifiez la répétition, puis envoyez de nouveau."))
        repeat = repeat_form.chosen(cleaned, start)
        if repeat is None or repeat.kind == "none":
            return draft
        rule = repeat_form.rule_of(repeat, start, zone=draft.time_zone, is_all_day=draft.is_all_day)
        if meeting is not None and meeting.is_series:
            kept = start == first
            exdates = tuple(dt.datetime.fromisoformat(wall) for wall in meeting.exdates) if kept else ()
            return replace(draft, rule=str(rule), exdates=exdates)
        # What the portal itself plans begins on a date that the rule makes.
        return replace(draft, rule=str(rule), start_date=aligned(rule, start).date())

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
            is_all_day=bool(cleaned.get("all_day")),
            resources=tuple(one.pk for one in self.chosen_resources),
        )

    def _days(self, cleaned: dict[str, Any]) -> int | None:
        """Whole days, the last one included, in minutes."""
        date, last = cleaned.get("date"), cleaned.get("last_day")
        if date is None or "last_day" in self.errors:
            return None
        if last is not None and last < date:
            self.add_error("last_day", _("Le dernier jour vient après le premier."))
            return None
        return ((last - date).days + 1 if last else 1) * ONE_DAY

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
            found = resolve_with_groups(text.splitlines(), viewer=self.by, organiser=self.organiser, role=role)
            for invitee in found.invitees:
                people.setdefault(invitee.email, invitee)
            problems += [(problem, role) for problem in found.problems]
            self.notices += found.notices
        return list(people.values()), problems

    # --- in whose name, and where ----------------------------------------------------------------------------------
    @cached_property
    def principals(self) -> list[Agent]:
        """In whose name the agent may plan. Two queries."""
        return list(Agent.objects.filter(pk__in=principals_of(self.by)).order_by("usual_name", "given_name", "pk"))

    def _choose_organiser(self, asked: str) -> None:
        if self.meeting is not None or asked in ("", str(self.by.public_id)):
            return
        found = next((one for one in self.principals if str(one.public_id) == asked), None)
        if found is None:
            self.add_error("organiser_for", _("Vous ne pouvez pas organiser de réunion pour cette personne."))
        else:
            self.organiser = found

    def _choose_resources(self, asked: list[str]) -> None:
        """Those of the organiser's organisation; an error when the post asks for others. One query, none without rooms."""
        wanted = {one for one in (_uuid(text) for text in asked[: MOST_RESOURCES + 1]) if one is not None}
        if len(asked) > MOST_RESOURCES:
            words = _("%(most)d salles et équipements au plus : il y en a %(count)d.")
            self.add_error("resources", words % {"most": MOST_RESOURCES, "count": len(asked)})
            return
        if not asked:
            return
        found = Resource.objects.filter(
            public_id__in=wanted, organisation=self.organiser.organisation_id, is_active=True
        )
        self.chosen_resources = list(found)
        if self.is_bound and len(self.chosen_resources) < len(set(asked)):
            self.add_error("resources", _("Une salle choisie n’est plus réservable : choisissez-en une autre."))

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

    def repeat_choices(self) -> list[repeat_form.Choice]:
        return repeat_form.preset_choices(self.typed_start)

    def monthly_choices(self) -> list[repeat_form.Choice]:
        return repeat_form.monthly_choices(self.typed_start)

    def kind_choices(self) -> list[repeat_form.Choice]:
        return repeat_form.kind_choices()

    def weekday_choices(self) -> list[repeat_form.Choice]:
        return repeat_form.weekday_choices()

    def kept_rule(self) -> str:
        """The rule of a series that the form cannot say, in words; "" when it can."""
        if self.meeting is None or self.initial_repeat != repeat_form.KEPT:
            return ""
        return repeat_form.kept_words(self.meeting)

    @property
    def initial_repeat(self) -> str:
        """What the list began with for this meeting, whatever is chosen by now."""
        first = self.first_start
        if self.meeting is None or first is None:
            return repeat_form.NONE
        return str(repeat_form.first_values(self.meeting, first)["repeat"])


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        # Not one of ours: the form says that it cannot be booked.
        return None
