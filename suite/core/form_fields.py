"""Form fields that say the same words on every page: a day, an hour, a few words to somebody."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _


class DayField(forms.DateField):
    default_error_messages = {
        "required": _("Choisissez une date."),
        "invalid": _("Écrivez la date comme 26/11/2026."),
    }


class HourField(forms.TimeField):
    default_error_messages = {"invalid": _("Écrivez l’heure comme 10:30.")}


class CommentField(forms.CharField):
    """A few words, or none."""

    default_error_messages = {"max_length": _("Le message a %(show_value)d caractères : 500 au plus.")}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, max_length=500, **kwargs)
