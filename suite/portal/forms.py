"""The settings page's forms."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from suite.agents.models import Agent, Theme
from suite.agents.scopes import READING, SCOPES
from visio.meetings.wallclock import zone_names

TOKEN_DAYS = [(7, _("7 jours")), (30, _("30 jours")), (90, _("90 jours")), (365, _("Un an"))]


class SettingsForm(forms.Form):
    """Language, time zone and theme: what the portal shows, never who the agent is (ProConnect says that)."""

    language = forms.ChoiceField(label=_("Langue"), choices=settings.LANGUAGES)
    time_zone = forms.CharField(label=_("Fuseau horaire"), max_length=64)
    theme = forms.ChoiceField(label=_("Thème"), choices=Theme.choices)

    @classmethod
    def of(cls, agent: Agent) -> SettingsForm:
        """Unbound, showing what is stored."""
        return cls(initial={name: getattr(agent, name) for name in cls.base_fields})

    def clean_time_zone(self) -> str:
        name: str = self.cleaned_data["time_zone"]
        if name not in zone_names():
            raise forms.ValidationError(_("Choisissez un fuseau horaire de la liste."), code="unknown_zone")
        return name

    def save(self, agent: Agent) -> None:
        for name, value in self.cleaned_data.items():
            setattr(agent, name, value)
        agent.save(update_fields=list(self.cleaned_data))


class TokenForm(forms.Form):
    """A new personal token."""

    name = forms.CharField(
        label=_("Nom du jeton"),
        max_length=80,
        error_messages={"required": _("Donnez un nom à ce jeton, par exemple celui de l’outil qui l’utilisera.")},
    )
    days = forms.TypedChoiceField(label=_("Durée"), choices=TOKEN_DAYS, coerce=int, initial=90)
    scopes = forms.MultipleChoiceField(
        label=_("Droits"),
        choices=list(SCOPES.items()),
        initial=READING,
        error_messages={"required": _("Cochez au moins un droit : un jeton sans droit ne sert à rien.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("prefix", "token")
        super().__init__(*args, **kwargs)

    def clean_name(self) -> str:
        return " ".join(str(self.cleaned_data["name"]).split())
