"""Who: organisations, teams, agents, and the tokens agents give to other tools."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from suite.agents.folding import fold


class Organisation(models.Model):
    """A public body, known by its SIRET: the claim that ProConnect gives of every agent."""

    public_id = models.UUIDField(_("identifiant public"), default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(_("nom"), max_length=120)
    legal_name = models.CharField(_("dénomination"), max_length=250, blank=True)
    siret = models.CharField(_("SIRET"), max_length=14, unique=True)
    domain = models.CharField(_("domaine des adresses"), max_length=253, blank=True)
    is_demo = models.BooleanField(_("démonstration"), default=False)

    class Meta:
        verbose_name = _("organisation")
        verbose_name_plural = _("organisations")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Team(models.Model):
    public_id = models.UUIDField(_("identifiant public"), default=uuid.uuid4, unique=True, editable=False)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, related_name="teams", verbose_name=_("organisation")
    )
    name = models.CharField(_("nom"), max_length=120)
    managers = models.ManyToManyField(
        "agents.Agent", related_name="managed_teams", blank=True, verbose_name=_("responsables")
    )

    class Meta:
        verbose_name = _("équipe")
        verbose_name_plural = _("équipes")
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["organisation", "name"], name="team_once_per_organisation")]

    def __str__(self) -> str:
        return self.name


class AgentManager(BaseUserManager["Agent"]):
    def create_user(self, sub: str, email: str, **fields: Any) -> Agent:
        """An agent who signs in through the identity provider: no usable password."""
        agent = self.model(sub=sub, email=email.lower(), **fields)
        agent.set_unusable_password()
        agent.save(using=self._db)
        return agent


class ChosenPresence(models.TextChoices):
    AUTOMATIC = "automatic", _("Automatique")
    BUSY = "do_not_disturb", _("Ne pas déranger")
    AWAY = "away", _("Absent")
    OFFLINE = "offline", _("Hors ligne")


class Theme(models.TextChoices):
    LIGHT = "light", _("Clair")
    DARK = "dark", _("Sombre")
    SYSTEM = "system", _("Système")


def ten_minutes() -> list[int]:
    return [10]


class Agent(AbstractBaseUser, PermissionsMixin):
    """A civil servant, as the identity provider names them (`sub`)."""

    public_id = models.UUIDField(_("identifiant public"), default=uuid.uuid4, unique=True, editable=False)
    sub = models.CharField(_("identifiant ProConnect"), max_length=255, unique=True)
    email = models.EmailField(_("adresse électronique"), max_length=254)
    given_name = models.CharField(_("prénom"), max_length=120, blank=True)
    usual_name = models.CharField(_("nom d’usage"), max_length=120, blank=True)
    # What the directory searches: given name, usual name and address, folded; kept by save().
    search_name = models.CharField(max_length=500, blank=True, editable=False)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="agents", verbose_name=_("organisation")
    )
    organizational_unit = models.CharField(_("service"), max_length=250, blank=True)
    team = models.ForeignKey(
        Team, on_delete=models.SET_NULL, related_name="members", null=True, blank=True, verbose_name=_("équipe")
    )
    job_title = models.CharField(_("fonction"), max_length=120, blank=True)
    time_zone = models.CharField(_("fuseau horaire"), max_length=64, default="Europe/Paris")
    language = models.CharField(_("langue"), max_length=5, default="fr")
    theme = models.CharField(_("thème"), max_length=10, choices=Theme.choices, default=Theme.SYSTEM)
    chosen_presence = models.CharField(
        _("présence choisie"), max_length=20, choices=ChosenPresence.choices, default=ChosenPresence.AUTOMATIC
    )
    chosen_until = models.DateTimeField(_("jusqu’à"), null=True, blank=True)
    matrix_id = models.CharField(_("compte Tchap"), max_length=255, blank=True)
    # Reminders before each meeting, in minutes; none when empty.
    reminder_minutes = ArrayField(
        models.PositiveIntegerField(), verbose_name=_("rappels"), default=ten_minutes, blank=True, db_default=[10]
    )
    reminds_by_email = models.BooleanField(_("rappels par courriel"), default=False, db_default=False)
    wants_digest = models.BooleanField(_("agenda du matin"), default=False, db_default=False)
    digest_time = models.TimeField(_("heure de l’agenda du matin"), default=dt.time(7, 30), db_default=dt.time(7, 30))
    is_active = models.BooleanField(_("actif"), default=True)
    is_staff = models.BooleanField(_("administrateur"), default=False)
    is_demo = models.BooleanField(_("démonstration"), default=False)
    created_at = models.DateTimeField(_("créé le"), auto_now_add=True)

    objects: ClassVar[AgentManager] = AgentManager()

    USERNAME_FIELD = "sub"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["email"]

    class Meta:
        verbose_name = _("agent")
        verbose_name_plural = _("agents")
        ordering = ["usual_name", "given_name", "pk"]
        constraints = [
            models.UniqueConstraint(Lower("email"), name="agent_email_once"),
        ]
        indexes = [
            GinIndex(fields=["search_name"], name="agent_search_trgm", opclasses=["gin_trgm_ops"]),
            # A unit invited as a whole (visio.meetings.groups).
            models.Index(
                fields=["organisation", "organizational_unit"], condition=models.Q(is_active=True), name="agent_by_unit"
            ),
        ]

    def __str__(self) -> str:
        return self.full_name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep the folded search text and the lower-case address right, whoever saves."""
        self.email = self.email.lower()
        self.search_name = fold(f"{self.given_name} {self.usual_name} {self.email}")[:500]
        fields = kwargs.get("update_fields")
        if fields is not None and {"given_name", "usual_name", "email"} & set(fields):
            kwargs["update_fields"] = {*fields, "search_name"}
        super().save(*args, **kwargs)

    @property
    def full_name(self) -> str:
        return f"{self.given_name} {self.usual_name}".strip() or self.email

    def get_full_name(self) -> str:
        return self.full_name

    def get_short_name(self) -> str:
        return self.given_name or self.email

    @property
    def initials(self) -> str:
        letters = (self.given_name[:1] + self.usual_name[:1]) or self.email[:2]
        return letters.upper()

    @property
    def tint(self) -> int:
        """Which of the five avatar tints is theirs (0 to 4)."""
        return (self.pk or 0) % 5


class PersonalToken(models.Model):
    """A secret that lets another tool act as the agent over the REST API. Only its hash is kept."""

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="tokens", verbose_name=_("agent"))
    name = models.CharField(_("nom"), max_length=80)
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(_("créé le"), auto_now_add=True)
    last_used_at = models.DateTimeField(_("dernière utilisation"), null=True, blank=True)
    expires_at = models.DateTimeField(_("expire le"))
    # Keys of suite.agents.scopes.
    scopes = ArrayField(models.CharField(max_length=30), verbose_name=_("droits"), default=list, db_default=[])
    revoked_at = models.DateTimeField(_("révoqué le"), null=True, blank=True)

    class Meta:
        verbose_name = _("jeton personnel")
        verbose_name_plural = _("jetons personnels")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.name


# Django looks for the app's models in this module.
from suite.agents.time_models import Delegation, Leave, LeaveKind, WorkingHours  # noqa: E402, F401
