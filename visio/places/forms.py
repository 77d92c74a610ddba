"""What the list of rooms is filtered by. Every field may be empty; a wrong one is said and left aside."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from suite.core.form_fields import DayField, HourField
from visio.places.features import FEATURES
from visio.places.finding import Wishes
from visio.places.models import ResourceKind
from visio.places.queries import Span

MINUTES = (30, 60, 90, 120, 240, 480)
# Years that a diary has.
YEARS = range(2000, 2100)


class RoomFilter(forms.Form):
    q = forms.CharField(required=False, max_length=100)
    site = forms.CharField(required=False, max_length=120)
    genre = forms.ChoiceField(required=False, choices=[("", ""), *ResourceKind.choices])
    places = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=10_000,
        error_messages={
            name: _("Écrivez un nombre de places, de 1 à 10 000.") for name in ("invalid", "min_value", "max_value")
        },
    )
    equipements = forms.MultipleChoiceField(required=False, choices=list(FEATURES.items()))
    date = DayField(required=False)
    debut = HourField(required=False)
    minutes = forms.TypedChoiceField(required=False, coerce=int, choices=[(value, value) for value in MINUTES])
    libres = forms.BooleanField(required=False)

    def clean_date(self) -> dt.date | None:
        date: dt.date | None = self.cleaned_data["date"]
        if date is not None and date.year not in YEARS:
            raise forms.ValidationError(self.fields["date"].error_messages["invalid"])
        return date

    def wishes(self) -> Wishes:
        """What is asked for, without the fields that are wrong."""
        self.is_valid()
        said: dict[str, Any] = self.cleaned_data
        return Wishes(
            text=said.get("q", ""),
            site=said.get("site", ""),
            kind=said.get("genre") or None,
            capacity=said.get("places"),
            features=tuple(said.get("equipements", ())),
        )

    def span(self, *, zone: str, now: dt.datetime) -> Span | None:
        """The time asked for, aware; None when only now is. A date without an hour means nine o'clock, an hour without a date today."""
        self.is_valid()
        date, hour = self.cleaned_data.get("date"), self.cleaned_data.get("debut")
        if date is None and hour is None:
            return None
        here = zoneinfo.ZoneInfo(zone)
        day = date or now.astimezone(here).date()
        start = dt.datetime.combine(day, hour or dt.time(9), here).astimezone(dt.UTC)
        return start, start + dt.timedelta(minutes=self.cleaned_data.get("minutes") or 60)

    @property
    def said_wrong(self) -> list[str]:
        return [str(message) for messages in self.errors.values() for message in messages]
