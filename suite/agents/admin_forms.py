"""Forms of the administration: what a column alone does not refuse."""

import re
import zoneinfo
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from suite.agents.models import Agent, Organisation, Team

SIRET = re.compile(r"[0-9]{14}")
MATRIX_ID = re.compile(r"@[a-z0-9._=/+-]+:[A-Za-z0-9.:-]+")


class OrganisationForm(forms.ModelForm[Organisation]):
    # The administrator who fills it in, set by OrganisationAdmin.
    by: ClassVar[Agent]
    siret = forms.CharField(label=_("SIRET"), max_length=20)

    class Meta:
        model = Organisation
        fields = ("name", "legal_name", "siret", "domain")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "siret" in self.fields and self.instance.pk and not self.by.is_superuser:
            # Whoever signs in with a SIRET enters its organisation: another one would move people.
            self.fields["siret"].disabled = True

    def clean_siret(self) -> str:
        """As people copy it, with or without spaces."""
        siret = "".join(self.cleaned_data["siret"].split())
        if not SIRET.fullmatch(siret):
            raise ValidationError(_("Un SIRET compte quatorze chiffres."))
        return siret

    def clean_domain(self) -> str:
        return str(self.cleaned_data["domain"]).strip().lower()


class TeamForm(forms.ModelForm[Team]):
    # The administrator who fills it in, set by TeamAdmin.
    by: ClassVar[Agent]

    class Meta:
        model = Team
        fields = ("organisation", "name", "managers")

    def clean(self) -> dict[str, Any]:
        """Managers open the week of every member: they come from the organisation, and nobody names themselves."""
        data = super().clean() or self.cleaned_data
        managers, organisation = data.get("managers"), data.get("organisation")
        home = organisation.pk if organisation else self.instance.organisation_id
        if managers is None or home is None:
            return data
        strangers = [manager.full_name for manager in managers if manager.organisation_id != home]
        if strangers:
            words = _("Un responsable vient de l’organisation de l’équipe. À retirer : %(names)s.")
            self.add_error("managers", ValidationError(words, params={"names": ", ".join(strangers)}))
        if self.by in managers and not self.by.is_superuser and not self._is_managed_by(self.by):
            self.add_error("managers", _("Demandez à un autre administrateur de vous désigner responsable."))
        return data

    def _is_managed_by(self, agent: Agent) -> bool:
        return self.instance.pk is not None and self.instance.managers.filter(pk=agent.pk).exists()


class AgentForm(forms.ModelForm[Agent]):
    language = forms.ChoiceField(label=_("langue"), choices=settings.LANGUAGES)

    class Meta:
        model = Agent
        fields = ("team", "job_title", "matrix_id", "language", "time_zone", "theme", "is_staff", "is_superuser")

    def clean_team(self) -> Team | None:
        """A team's manager opens the week of its members, within one organisation."""
        team: Team | None = self.cleaned_data["team"]
        if team is not None and team.organisation_id != self.instance.organisation_id:
            raise ValidationError(_("Cette équipe est celle d’une autre organisation."))
        return team

    def clean_time_zone(self) -> str:
        """Every page of theirs is drawn in this zone, so that it must exist."""
        zone = str(self.cleaned_data["time_zone"])
        if zone not in zoneinfo.available_timezones():
            raise ValidationError(_("Ce fuseau horaire n’existe pas. Exemple : Europe/Paris."))
        return zone

    def clean_matrix_id(self) -> str:
        matrix_id = str(self.cleaned_data["matrix_id"]).strip()
        if matrix_id and not MATRIX_ID.fullmatch(matrix_id):
            raise ValidationError(_("Écrivez le compte entier, par exemple @prenom.nom-domaine:serveur."))
        return matrix_id
