"""The part of the planning form that says how a meeting repeats: its fields, what they begin with, and the rule they mean."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any, cast

from django import forms
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from suite.core.form_fields import DayField
from visio.meetings.models import Meeting
from visio.meetings.recurrence import Rule, RuleRefused, parse_rule
from visio.meetings.repeat_choices import End, Kind, Monthly, Repeat, from_rule, presets, to_rule
from visio.meetings.rule_words import day_name, describe
from visio.meetings.rules import MAX_COUNT, MAX_INTERVAL

NONE, CUSTOM, KEPT = "", "custom", "kept"
ENDS = ("never", "until", "count")
KINDS = ("daily", "weekly", "monthly", "yearly")
MONTHLY = ("day", "weekday", "last_weekday", "last_workday")
WEEKDAYS = range(7)
USUAL_COUNT = 10


class RepeatFields(forms.Form):
    """Fields only; `PlanForm` reads them, through `chosen`."""

    repeat = forms.CharField(label=gettext_lazy("Répéter"), required=False, max_length=40)
    # The day that the labels of the list were written for ("le mardi"): without JavaScript the date may change under them.
    repeat_for = forms.CharField(required=False, max_length=10)
    repeat_kind = forms.ChoiceField(required=False, choices=[(kind, kind) for kind in KINDS])
    repeat_interval = forms.IntegerField(
        label=gettext_lazy("Tous les"),
        required=False,
        min_value=1,
        max_value=MAX_INTERVAL,
        error_messages={"invalid": gettext_lazy("Écrivez un nombre entier.")},
    )
    repeat_weekdays = forms.MultipleChoiceField(
        label=gettext_lazy("Jours de la semaine"), required=False, choices=[(str(day), str(day)) for day in WEEKDAYS]
    )
    repeat_monthly = forms.ChoiceField(required=False, choices=[(mode, mode) for mode in MONTHLY])
    repeat_end = forms.ChoiceField(required=False, choices=[(end, end) for end in ENDS])
    repeat_until = DayField(label=gettext_lazy("Dernier jour de la série"), required=False)
    repeat_count = forms.IntegerField(
        label=gettext_lazy("Nombre de dates"),
        required=False,
        min_value=1,
        max_value=MAX_COUNT,
        error_messages={"invalid": gettext_lazy("Écrivez un nombre entier.")},
    )


class NotChosen(ValueError):
    """The fields do not say a repetition. `.field` has the fault, `.message` the words."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field, self.message = field, message


def first_values(meeting: Meeting | None, start: dt.datetime) -> dict[str, Any]:
    """What the fields begin with. `start`: the naive wall clock of the date that the form shows."""
    values: dict[str, Any] = {
        "repeat": NONE,
        "repeat_for": start.date().isoformat(),
        "repeat_kind": "weekly",
        "repeat_interval": 1,
        "repeat_weekdays": [str(start.weekday())],
        "repeat_monthly": "day",
        "repeat_end": "never",
        "repeat_until": "",
        "repeat_count": USUAL_COUNT,
    }
    if meeting is None or not meeting.is_series:
        return values
    repeat = repeat_of(meeting, start)
    if repeat is None:
        return values | {"repeat": KEPT}
    bare = replace(repeat, end="never", until=None, count=None)
    key = next((preset.key for preset in presets(start) if preset.repeat == bare), CUSTOM)
    return values | {
        "repeat": key,
        "repeat_kind": repeat.kind,
        "repeat_interval": repeat.interval,
        "repeat_weekdays": [str(day) for day in repeat.weekdays] or values["repeat_weekdays"],
        "repeat_monthly": repeat.monthly,
        "repeat_end": repeat.end,
        "repeat_until": repeat.until.isoformat() if repeat.until else "",
        "repeat_count": repeat.count or USUAL_COUNT,
    }


def repeat_of(meeting: Meeting, start: dt.datetime) -> Repeat | None:
    """The choice of the form that says this series from `start` on; None when there is none."""
    if meeting.rdates:
        return None
    rule = parse_rule(meeting.rrule, is_all_day=meeting.is_all_day)
    return from_rule(rule, start, zone=meeting.time_zone, is_all_day=meeting.is_all_day)


def chosen(cleaned: dict[str, Any], start: dt.datetime) -> Repeat | None:
    """What the fields say of a meeting that begins at `start` (naive); None for the rule that is kept. Raises NotChosen."""
    key = cleaned.get("repeat", NONE)
    if key == KEPT:
        return None
    if key == NONE:
        return Repeat()
    if key == CUSTOM:
        repeat = Repeat(
            kind=cast(Kind, cleaned.get("repeat_kind") or "weekly"),
            interval=cleaned.get("repeat_interval") or 1,
            monthly=cast(Monthly, cleaned.get("repeat_monthly") or "day"),
        )
        if repeat.kind == "weekly":
            days = tuple(sorted(int(day) for day in cleaned.get("repeat_weekdays", []))) or (start.weekday(),)
            repeat = replace(repeat, weekdays=days)
    else:
        found = next((preset for preset in presets(start) if preset.key == key), None)
        if found is None:
            raise NotChosen("repeat", _("Cette répétition n’existe pas pour ce jour : choisissez-en une de la liste."))
        repeat = found.repeat
    return _ended(repeat, cleaned, start)


def _ended(repeat: Repeat, cleaned: dict[str, Any], start: dt.datetime) -> Repeat:
    end = cast(End, cleaned.get("repeat_end") or "never")
    if end == "until":
        until = cleaned.get("repeat_until")
        if until is None:
            raise NotChosen("repeat_until", _("Donnez le dernier jour de la série."))
        if until < start.date():
            raise NotChosen("repeat_until", _("Le dernier jour de la série vient après son premier."))
        return replace(repeat, end="until", until=until)
    if end == "count":
        count = cleaned.get("repeat_count")
        if count is None:
            raise NotChosen("repeat_count", _("Donnez le nombre de dates de la série."))
        return replace(repeat, end="count", count=count)
    return replace(repeat, end="never", until=None, count=None)


def rule_of(repeat: Repeat, start: dt.datetime, *, zone: str, is_all_day: bool) -> Rule:
    """Raises NotChosen where `to_rule` would refuse."""
    try:
        return to_rule(repeat, start, zone=zone, is_all_day=is_all_day)
    except (RuleRefused, OverflowError) as refused:
        raise NotChosen("repeat", getattr(refused, "message", _("Cette date est hors du calendrier."))) from refused


@dataclass(frozen=True)
class Choice:
    """One line of a list; `offered` is False for what the day of the form has not (a "fifth Tuesday")."""

    key: str
    label: str
    offered: bool = True
    short: str = ""  # of a weekday, where there is little room


def preset_choices(start: dt.datetime) -> list[Choice]:
    """The list in its order, whole whatever the day is, so that a script only has to change labels."""
    found = {preset.key: preset.label for preset in presets(start)}
    keys = (
        "daily",
        "workdays",
        "weekly",
        "fortnightly",
        "monthly_day",
        "monthly_weekday",
        "monthly_last_weekday",
        "monthly_last_workday",
        "yearly",
    )
    return [Choice(key, found.get(key, ""), key in found) for key in keys]


def monthly_choices(start: dt.datetime) -> list[Choice]:
    """How a month says that day, without "every month"."""
    choices = []
    for mode in MONTHLY:
        rule = to_rule(Repeat("monthly", monthly=cast(Monthly, mode)), start, zone="UTC")
        label = describe(rule, start, zone="UTC").partition(", ")[2]
        choices.append(Choice(mode, label[:1].upper() + label[1:]))
    return choices


def weekday_choices() -> list[Choice]:
    return [Choice(str(day), day_name(day), short=str(WEEKDAYS_ABBR[day])) for day in WEEKDAYS]


def kind_choices() -> list[Choice]:
    words = {
        "daily": _("jours"),
        "weekly": _("semaines"),
        "monthly": pgettext("tous les N", "mois"),
        "yearly": _("ans"),
    }
    return [Choice(kind, words[kind]) for kind in KINDS]


def kept_words(meeting: Meeting) -> str:
    """A rule that the form cannot say, in words."""
    start = dt.datetime.combine(meeting.start_date, meeting.start_time)
    if meeting.rdates and meeting.rrule == "FREQ=DAILY;COUNT=1":
        return _("À des dates choisies une à une")
    rule = parse_rule(meeting.rrule, is_all_day=meeting.is_all_day)
    return describe(rule, start, zone=meeting.time_zone)
