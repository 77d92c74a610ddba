"""The fields of the planning form; what they mean together is `forms.PlanForm`."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy

from suite.core.form_fields import DayField, HourField
from visio.meetings.repeat_form import RepeatFields
from visio.meetings.scopes import Notify, Scope


class PlanFields(RepeatFields):
    title = forms.CharField(
        label=gettext_lazy("Titre"), error_messages={"required": gettext_lazy("Donnez un titre à la réunion.")}
    )
    date = DayField(label=gettext_lazy("Date"))
    all_day = forms.BooleanField(label=gettext_lazy("Toute la journée"), required=False)
    start = HourField(label=gettext_lazy("Début"), required=False)
    end = HourField(label=gettext_lazy("Fin"), required=False)
    minutes = forms.IntegerField(
        label=gettext_lazy("Durée"),
        required=False,
        error_messages={"invalid": gettext_lazy("Choisissez une durée de la liste.")},
    )
    last_day = DayField(label=gettext_lazy("Dernier jour"), required=False)
    time_zone = forms.CharField(label=gettext_lazy("Fuseau horaire"), max_length=64)
    attendees = forms.CharField(label=gettext_lazy("Participants"), required=False)
    optional = forms.CharField(label=gettext_lazy("Participants facultatifs"), required=False)
    place = forms.CharField(label=gettext_lazy("Lieu"), required=False)
    description = forms.CharField(label=gettext_lazy("Description"), required=False)
    visio = forms.BooleanField(label=gettext_lazy("Visio"), required=False)
    tchap = forms.BooleanField(label=gettext_lazy("Salon Tchap"), required=False)
    private = forms.BooleanField(label=gettext_lazy("Réunion privée"), required=False)
    # public_ids of rooms and equipment, as the picker posts them.
    resources = forms.Field(
        label=gettext_lazy("Salles et équipements"), required=False, widget=forms.SelectMultiple, initial=list
    )
    organiser_for = forms.CharField(label=gettext_lazy("Organiser pour"), required=False, max_length=40)
    scope = forms.ChoiceField(
        label=gettext_lazy("Ce qui change"),
        required=False,
        choices=[(scope.value, scope.value) for scope in Scope],
        error_messages={"invalid_choice": gettext_lazy("Choisissez ce qui change.")},
    )
    notify = forms.ChoiceField(
        label=gettext_lazy("Prévenir"),
        required=False,
        choices=[(notify.value, notify.value) for notify in Notify],
        error_messages={"invalid_choice": gettext_lazy("Choisissez qui est prévenu.")},
    )
    creation_key = forms.UUIDField(required=False)
    revision = forms.IntegerField(required=False)
    # The end and the duration as the page showed them ("11:30|60"): without JavaScript the one that differs is the one meant.
    shown = forms.CharField(required=False, max_length=20)
    # What the person was warned of before this post (visio.meetings.cautions).
    warned = forms.CharField(required=False, max_length=200)
    # The order of the page: the foot bar names faults in it.
    field_order = [
        "title",
        "organiser_for",
        "scope",
        "date",
        "start",
        "end",
        "minutes",
        "all_day",
        "last_day",
        "time_zone",
        "repeat",
        "repeat_interval",
        "repeat_weekdays",
        "repeat_until",
        "repeat_count",
        "attendees",
    ]
