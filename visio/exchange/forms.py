"""The forms of feeds and imports."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from suite.core.plain import one_line
from visio.exchange.feeds import NAME_LENGTH
from visio.exchange.models import FeedDetail


class FeedForm(forms.Form):
    name = forms.CharField(
        label=_("Où il servira"),
        max_length=NAME_LENGTH,
        error_messages={"required": _("Donnez un nom à cet abonnement, par exemple « Outlook du bureau ».")},
    )
    detail = forms.ChoiceField(label=_("Contenu"), choices=FeedDetail.choices, initial=FeedDetail.FULL)

    def clean_name(self) -> str:
        return one_line(self.cleaned_data["name"])


class UploadForm(forms.Form):
    file = forms.FileField(
        label=_("Fichier de calendrier"),
        error_messages={
            "required": _("Choisissez un fichier de calendrier (.ics)."),
            "missing": _("Choisissez un fichier de calendrier (.ics)."),
            "empty": _("Ce fichier est vide."),
            "max_length": _("Le nom de ce fichier est trop long."),
        },
        max_length=200,
    )
