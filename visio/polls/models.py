"""A date poll: its dates, its people, their votes."""

from __future__ import annotations

import datetime as dt
import uuid

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from suite.agents.models import Agent


class PollStatus(models.TextChoices):
    OPEN = "open", _("En cours")
    CLOSED = "closed", _("Clos sans choix")
    CHOSEN = "chosen", _("Date choisie")


class Poll(models.Model):
    public_id = models.UUIDField(_("identifiant public"), default=uuid.uuid4, unique=True, editable=False)
    organiser = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="polls", verbose_name=_("organisateur"))
    title = models.CharField(_("titre"), max_length=200)
    description = models.TextField(_("description"), max_length=10_000, blank=True)
    place = models.CharField(_("lieu"), max_length=200, blank=True)
    minutes = models.PositiveIntegerField(_("durée en minutes"))
    time_zone = models.CharField(_("fuseau horaire"), max_length=64)
    # Answers are taken until then.
    deadline = models.DateTimeField(_("à répondre avant le"), null=True, blank=True)
    # Whether participants see each other's names and votes.
    shows_votes = models.BooleanField(_("réponses visibles de tous"), default=True)
    wants_room = models.BooleanField(_("salle Visio"), default=True)
    wants_tchap = models.BooleanField(_("salon Tchap"), default=True)
    status = models.CharField(_("état"), max_length=10, choices=PollStatus.choices, default=PollStatus.OPEN)
    meeting = models.ForeignKey("visio.Meeting", on_delete=models.SET_NULL, null=True, blank=True, related_name="polls")
    # One form shown makes one poll at most (PROMISES 18).
    creation_key = models.UUIDField(default=uuid.uuid4, editable=False)
    is_demo = models.BooleanField(_("démonstration"), default=False)
    created_at = models.DateTimeField(_("créé le"), auto_now_add=True)
    changed_at = models.DateTimeField(_("modifié le"), auto_now=True)

    class Meta:
        verbose_name = _("sondage de dates")
        verbose_name_plural = _("sondages de dates")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["organiser", "creation_key"], name="poll_once_per_form"),
            models.CheckConstraint(condition=Q(minutes__gte=1, minutes__lte=14 * 24 * 60), name="poll_minutes_bounded"),
        ]
        indexes = [models.Index(fields=["deadline", "id"], condition=Q(status="open"), name="poll_by_deadline")]

    def __str__(self) -> str:
        return self.title

    def takes_answers(self, now: dt.datetime) -> bool:
        """Whether a vote would be taken at `now`."""
        return self.status == PollStatus.OPEN and (self.deadline is None or now < self.deadline)


class PollOption(models.Model):
    poll = models.ForeignKey(Poll, on_delete=models.CASCADE, related_name="options")
    starts_at = models.DateTimeField(_("début"))
    ends_at = models.DateTimeField(_("fin"))
    is_chosen = models.BooleanField(_("choisie"), default=False)

    class Meta:
        verbose_name = _("date proposée")
        verbose_name_plural = _("dates proposées")
        ordering = ["starts_at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["poll", "starts_at"], name="option_once"),
            models.UniqueConstraint(fields=["poll"], condition=Q(is_chosen=True), name="option_one_chosen"),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="option_ends_after_start"),
        ]

    def __str__(self) -> str:
        return f"{self.poll_id} {self.starts_at:%Y-%m-%d %H:%M}"

    @property
    def key(self) -> str:
        """Names this date within its poll, in addresses, forms and the API: "20261126T093000Z"."""
        return f"{self.starts_at.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}"


class PollParticipant(models.Model):
    """One person asked, with or without an account. The secret link works as an attendee's (visio.meetings.tokens)."""

    poll = models.ForeignKey(Poll, on_delete=models.CASCADE, related_name="participants")
    agent = models.ForeignKey(
        Agent, on_delete=models.PROTECT, null=True, blank=True, related_name="poll_participations"
    )
    email = models.EmailField(_("adresse"), max_length=254)
    name = models.CharField(_("nom"), max_length=250, blank=True)
    is_required = models.BooleanField(_("indispensable"), default=True)
    # When the invitation was owed; again when dates were added since. Reminders due earlier are not theirs.
    asked_at = models.DateTimeField(_("sollicité le"), null=True, blank=True)
    answered_at = models.DateTimeField(_("répondu le"), null=True, blank=True)
    comment = models.CharField(_("message"), max_length=500, blank=True)
    reminded_at = models.DateTimeField(_("relancé le"), null=True, blank=True)
    link_nonce = models.CharField(max_length=32, editable=False)
    link_hash = models.CharField(max_length=64, unique=True, editable=False)

    class Meta:
        verbose_name = _("personne consultée")
        verbose_name_plural = _("personnes consultées")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["poll", "email"], name="participant_email_once"),
            models.UniqueConstraint(fields=["poll", "agent"], name="participant_agent_once"),
        ]
        indexes = [
            models.Index(fields=["agent", "poll"], condition=Q(answered_at=None), name="participant_todo"),
        ]

    def __str__(self) -> str:
        return self.display_name

    @property
    def display_name(self) -> str:
        return self.name or self.email

    @property
    def public_name(self) -> str:
        """What the other people asked may read: a name, else an address without its domain."""
        return self.name or f"{self.email.partition('@')[0]}@…"


class Choice(models.TextChoices):
    YES = "yes", _("Oui")
    IF_NEED_BE = "if_need_be", _("Si besoin")
    NO = "no", _("Non")


class PollVote(models.Model):
    option = models.ForeignKey(PollOption, on_delete=models.CASCADE, related_name="votes")
    participant = models.ForeignKey(PollParticipant, on_delete=models.CASCADE, related_name="votes")
    choice = models.CharField(_("choix"), max_length=10, choices=Choice.choices)

    class Meta:
        verbose_name = _("vote")
        verbose_name_plural = _("votes")
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["option", "participant"], name="vote_once")]

    def __str__(self) -> str:
        return f"{self.option_id} {self.participant_id} {self.choice}"
