"""When an agent wants to be reminded, and how."""

from __future__ import annotations

import datetime as dt

from django import forms
from django.utils.translation import gettext_lazy as _

from suite.agents.models import Agent
from visio.reminders.due import CHOICES


class RemindersForm(forms.Form):
    minutes = forms.TypedMultipleChoiceField(
        label=_("Me rappeler une réunion"),
        choices=[(value, value) for value in CHOICES],
        coerce=int,
        required=False,
        error_messages={"invalid_choice": _("Choisissez des rappels de la liste.")},
    )
    by_email = forms.BooleanField(label=_("Aussi par courriel"), required=False)
    digest = forms.BooleanField(label=_("Recevoir ma journée le matin"), required=False)
    digest_time = forms.TimeField(
        label=_("Heure d’envoi"),
        required=False,
        error_messages={"invalid": _("Écrivez l’heure comme 07:30.")},
    )

    def clean_digest_time(self) -> dt.time:
        """Without an hour: the usual one. Not so late that the day could end before the mail is no morning mail any more."""
        chosen: dt.time | None = self.cleaned_data["digest_time"]
        if chosen is None:
            return dt.time(7, 30)
        if chosen > dt.time(12, 0):
            raise forms.ValidationError(_("Choisissez une heure du matin, midi au plus tard."))
        return chosen.replace(second=0, microsecond=0)

    def save(self, agent: Agent) -> None:
        data = self.cleaned_data
        agent.reminder_minutes = sorted(set(data["minutes"]))
        agent.reminds_by_email = data["by_email"]
        agent.wants_digest = data["digest"]
        agent.digest_time = data["digest_time"]
        agent.save(update_fields=["reminder_minutes", "reminds_by_email", "wants_digest", "digest_time"])

    @classmethod
    def of(cls, agent: Agent) -> RemindersForm:
        return cls(
            initial={
                "minutes": agent.reminder_minutes,
                "by_email": agent.reminds_by_email,
                "digest": agent.wants_digest,
                "digest_time": f"{agent.digest_time:%H:%M}",
            }
        )
