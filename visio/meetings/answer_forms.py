"""Small forms: an answer to an invitation, another time that is proposed, what is cancelled."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from suite.core.form_fields import CommentField, DayField, HourField
from visio.meetings import wallclock
from visio.meetings.models import Answer
from visio.meetings.scopes import Notify, Scope

# The fourth choice of a guest's page.
COUNTER = "counter"
MOST_YEARS = 50


class CancelForm(forms.Form):
    """What is cancelled of a series, and who hears of it."""

    scope_value = forms.ChoiceField(required=False, choices=[(scope.value, scope.value) for scope in Scope])
    notify = forms.ChoiceField(required=False, choices=[(notify.value, notify.value) for notify in Notify])
    revision = forms.IntegerField(required=False)

    def add_prefix(self, field_name: str) -> str:
        return "scope" if field_name == "scope_value" else super().add_prefix(field_name)

    @property
    def scope(self) -> Scope:
        """The narrowest unless said otherwise."""
        value = str(self["scope_value"].value() or "")
        return Scope(value) if value in set(Scope) else Scope.ONE


class AnswerForm(forms.Form):
    """An answer to an invitation."""

    answer = forms.ChoiceField(
        choices=[(Answer.ACCEPTED, ""), (Answer.TENTATIVE, ""), (Answer.DECLINED, "")],
        error_messages={
            "required": gettext_lazy("Choisissez une réponse."),
            "invalid_choice": gettext_lazy("Choisissez une réponse."),
        },
    )
    comment = CommentField()
    # The version of the meeting that the person saw.
    revision = forms.IntegerField(required=False)

    def clean_revision(self) -> int | None:
        """Only a version that can have been seen counts; anything else is as good as none."""
        seen: int | None = self.cleaned_data["revision"]
        return seen if seen is not None and seen > 0 else None


class GuestForm(AnswerForm):
    """What a guest's page posts: an answer, or another time (COUNTER), to the series or to the date that is shown."""

    answer = forms.ChoiceField(
        choices=[(Answer.ACCEPTED, ""), (Answer.TENTATIVE, ""), (Answer.DECLINED, ""), (COUNTER, "")],
        error_messages={
            "required": gettext_lazy("Choisissez une réponse."),
            "invalid_choice": gettext_lazy("Choisissez une réponse."),
        },
    )
    about = forms.ChoiceField(
        required=False,
        choices=[("date", ""), ("all", "")],
        error_messages={"invalid_choice": gettext_lazy("Choisissez une date ou toute la série.")},
    )


class ProposeForm(forms.Form):
    """Another time: a day and hours in `zone`; of a whole-day meeting (`days` long) the first day alone.

    `span` is set once the form is valid: two instants.
    """

    day = DayField()
    from_hour = HourField(required=False)
    to_hour = HourField(required=False)
    comment = CommentField()
    revision = forms.IntegerField(required=False)

    def __init__(self, *args: Any, zone: str, now: dt.datetime, days: int = 0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = zone
        self.now = now
        self.days = days
        self.span: tuple[dt.datetime, dt.datetime] | None = None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        day, begin, end = cleaned.get("day"), cleaned.get("from_hour"), cleaned.get("to_hour")
        if day is None:
            return cleaned
        if day.year > self.now.year + MOST_YEARS:
            self.add_error("day", _("Choisissez une date dans les cinquante ans."))
            return cleaned
        try:
            if self.days:
                self.span = wallclock.day_span(day, self.zone, self.days)
            elif begin is None or end is None:
                if not self.errors:
                    self.add_error("from_hour", _("Donnez l’heure de début et l’heure de fin."))
            elif end <= begin:
                self.add_error("to_hour", _("La fin doit venir après le début."))
            else:
                self.span = wallclock.instant(day, begin, self.zone), wallclock.instant(day, end, self.zone)
        except OverflowError:
            self.add_error("day", _("Cette date est hors du calendrier."))
        return cleaned

    def clean_revision(self) -> int | None:
        seen: int | None = self.cleaned_data["revision"]
        return seen if seen is not None and 0 < seen < 2**31 else None

    def faults(self) -> list[str]:
        """Every message, in the order of the fields."""
        return [str(message) for messages in self.errors.values() for message in messages]
