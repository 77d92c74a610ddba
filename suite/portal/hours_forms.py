"""The forms of "Horaires et absences": what is typed, and what it means. Nothing here writes but `save()`."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.utils.dates import WEEKDAYS
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from suite.agents import leaves
from suite.agents.hours import DAYS_A_WEEK, MOST_STRETCHES, USUAL, HoursRefused, Stretch, own_stretches, set_hours
from suite.agents.models import Agent
from suite.agents.time_models import Leave, LeaveKind
from suite.core.form_fields import DayField, HourField

WORKING_DAYS = 5


@dataclass
class TypedStretch:
    """Two fields as they were typed; `starts_name` and `ends_name` are the fields' names."""

    starts_name: str
    ends_name: str
    starts: str = ""
    ends: str = ""
    is_new: bool = False


@dataclass
class TypedDay:
    weekday: int
    rows: list[TypedStretch]
    errors: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return capfirst(str(WEEKDAYS[self.weekday]))

    @property
    def may_grow(self) -> bool:
        return len(self.rows) < MOST_STRETCHES


class HoursForm:
    """A week of stretches. Empty lines do not count; each day has one line at least."""

    def __init__(self, days: list[TypedDay]) -> None:
        self.days = days
        self.error = ""

    @classmethod
    def of(cls, agent: Agent) -> HoursForm:
        """What is in force: the agent's own week, else the usual one."""
        week = own_stretches([agent]).get(agent.pk, USUAL)
        return cls([_day(weekday, [one for one in week if one.weekday == weekday]) for weekday in range(DAYS_A_WEEK)])

    @classmethod
    def typed(cls, data: Mapping[str, str]) -> HoursForm:
        days = []
        for weekday in range(DAYS_A_WEEK):
            rows = [_row(weekday, index) for index in range(MOST_STRETCHES)]
            for row in rows:
                row.starts, row.ends = data.get(row.starts_name, "")[:8], data.get(row.ends_name, "")[:8]
            used = [index for index, row in enumerate(rows) if row.starts or row.ends]
            days.append(TypedDay(weekday, rows[: max(used, default=0) + 1]))
        return cls(days)

    def add_line(self, weekday: int) -> None:
        """One more line for that day, which gets the focus."""
        day = self.days[weekday]
        if day.may_grow:
            row = _row(weekday, len(day.rows))
            row.is_new = True
            day.rows.append(row)

    def copy_monday(self) -> None:
        """Tuesday to Friday become as Monday."""
        for day in self.days[1:WORKING_DAYS]:
            day.rows = []
            for index, row in enumerate(self.days[0].rows):
                copy = _row(day.weekday, index)
                copy.starts, copy.ends = row.starts, row.ends
                day.rows.append(copy)

    def save(self, agent: Agent) -> bool:
        """True when the week is stored; otherwise `error` and the days' `errors` say what is wrong."""
        stretches: list[Stretch] = []
        for day in self.days:
            for row in day.rows:
                if not row.starts and not row.ends:
                    continue
                starts, ends = _time(row.starts), _time(row.ends)
                if starts is None or ends is None:
                    day.errors.append(_("Donnez un début et une fin, comme 09:00 et 12:30."))
                else:
                    stretches.append(Stretch(day.weekday, starts, ends))
        if any(day.errors for day in self.days):
            return False
        if not stretches:
            self.error = _("Donnez au moins une plage, ou revenez aux horaires habituels.")
            return False
        try:
            set_hours(agent=agent, stretches=stretches)
        except HoursRefused as refused:
            for weekday, messages in refused.errors.items():
                self.days[weekday].errors += messages
            return False
        return True

    @property
    def wrong_days(self) -> list[TypedDay]:
        return [day for day in self.days if day.errors]


def _day(weekday: int, stretches: list[Stretch]) -> TypedDay:
    rows = []
    for index, one in enumerate(stretches):
        row = _row(weekday, index)
        row.starts, row.ends = f"{one.starts:%H:%M}", f"{one.ends:%H:%M}"
        rows.append(row)
    return TypedDay(weekday, rows or [_row(weekday, 0)])


def _row(weekday: int, index: int) -> TypedStretch:
    return TypedStretch(f"d{weekday}-{index}-from", f"d{weekday}-{index}-to")


def _time(text: str) -> dt.time | None:
    try:
        return dt.time.fromisoformat(text).replace(second=0, microsecond=0, tzinfo=None)
    except ValueError:
        # Nothing there, or no time that exists.
        return None


class LeaveForm(forms.Form):
    """A new absence: whole days, or from an hour to an hour."""

    FIELD_OF = {"starts_at": "first", "ends_at": "last"}

    kind = forms.ChoiceField(label=gettext_lazy("Genre"), choices=LeaveKind.choices, initial=LeaveKind.LEAVE)
    first = DayField(
        label=gettext_lazy("Premier jour"),
        error_messages={
            "required": gettext_lazy("Choisissez le premier jour."),
        },
    )
    first_time = HourField(label=gettext_lazy("À partir de"), required=False)
    last = DayField(label=gettext_lazy("Dernier jour"), required=False)
    last_time = HourField(label=gettext_lazy("Jusqu’à"), required=False)
    note = forms.CharField(
        label=gettext_lazy("Note pour vous"),
        required=False,
        max_length=leaves.NOTE_LENGTH,
        error_messages={"max_length": gettext_lazy("200 caractères au plus.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("prefix", "leave")
        super().__init__(*args, **kwargs)

    def save(self, agent: Agent, *, now: dt.datetime) -> Leave | None:
        """The absence; None with the errors at their fields."""
        if not self.is_valid():
            return None
        starts_at, ends_at, is_all_day = self._span(agent.time_zone)
        try:
            return leaves.add_leave(
                agent=agent,
                starts_at=starts_at,
                ends_at=ends_at,
                is_all_day=is_all_day,
                kind=self.cleaned_data["kind"],
                note=self.cleaned_data["note"],
                now=now,
            )
        except leaves.LeaveRefused as refused:
            for name, messages in refused.errors.items():
                self.add_error(self.FIELD_OF.get(name, name), messages)
            return None

    def clean_first(self) -> dt.date:
        return _in_reach(self.cleaned_data["first"])

    def clean_last(self) -> dt.date | None:
        last: dt.date | None = self.cleaned_data["last"]
        return _in_reach(last) if last else None

    def _span(self, zone_name: str) -> tuple[dt.datetime, dt.datetime, bool]:
        values = self.cleaned_data
        first, last = values["first"], values["last"] or values["first"]
        starts_at, ends_at = leaves.whole_days(first, last, zone_name=zone_name)
        zone = zoneinfo.ZoneInfo(zone_name)
        if values["first_time"]:
            starts_at = dt.datetime.combine(first, values["first_time"], zone).astimezone(dt.UTC)
        if values["last_time"]:
            ends_at = dt.datetime.combine(last, values["last_time"], zone).astimezone(dt.UTC)
        return starts_at, ends_at, not (values["first_time"] or values["last_time"])


def _in_reach(date: dt.date) -> dt.date:
    """A diary's date; the calendar's ends have no next midnight."""
    if date.year not in range(2000, 2200):
        raise forms.ValidationError(_("Choisissez une date dans les cinq ans."), code="far")
    return date
