"""Forms of the administration: what a column alone does not refuse."""

import re
import zoneinfo

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from suite.agents.models import Agent, Organisation

SIRET = re.compile(r"[0-9]{14}")
MATRIX_ID = re.compile(r"@[a-z0-9._=/+-]+:[A-Za-z0-9.:-]+")


class OrganisationForm(forms.ModelForm[Organisation]):
    siret = forms.CharField(label=_("SIRET"), max_length=20)

    class Meta:
        model = Organisation
        fields = ("name", "legal_name", "siret", "domain")

    def clean_siret(self) -> str:
        """As people copy it, with or without spaces."""
        siret = "".join(self.cleaned_data["siret"].split())
        if not SIRET.fullmatch(siret):
            raise ValidationError(_("Un SIRET compte quatorze chiffres."))
        return siret

    def clean_domain(self) -> str:
        return str(self.cleaned_data["domain"]).strip().lower()


class AgentForm(forms.ModelForm[Agent]):
    language = forms.ChoiceField(label=_("langue"), choices=settings.LANGUAGES)

    class Meta:
        model = Agent
        fields = ("team", "job_title", "matrix_id", "language", "time_zone", "theme", "is_staff", "is_superuser")

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
