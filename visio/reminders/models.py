"""Which reminders were owed to whom: each exactly once, whatever the clock and however many Beats (PROMISES 23, 24)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from suite.agents.models import Agent


class Reminder(models.Model):
    """One agent, one date, one time before it. A date that moves is another `starts_at`, and reminds anew."""

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="reminders")
    occurrence = models.ForeignKey("visio.Occurrence", on_delete=models.CASCADE, related_name="reminders")
    starts_at = models.DateTimeField(_("début de la réunion"))
    minutes = models.PositiveIntegerField(_("minutes avant"))
    due_at = models.DateTimeField(_("à rappeler à"))
    by_email = models.BooleanField(_("par courriel"), default=False)
    # Said (or found pointless: declined, cancelled, moved) at.
    done_at = models.DateTimeField(_("fait à"), null=True, blank=True)
    # The agent closed it in the portal.
    dismissed_at = models.DateTimeField(_("fermé à"), null=True, blank=True)

    class Meta:
        verbose_name = _("rappel")
        verbose_name_plural = _("rappels")
        ordering = ["due_at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["agent", "occurrence", "starts_at", "minutes"], name="reminder_once"),
        ]
        indexes = [
            models.Index(fields=["due_at", "id"], condition=Q(done_at=None), name="reminder_due"),
            models.Index(fields=["agent", "starts_at"], condition=Q(dismissed_at=None), name="reminder_shown"),
        ]

    def __str__(self) -> str:
        return f"{self.agent_id} {self.occurrence_id} −{self.minutes}"


class Digest(models.Model):
    """The morning mail of one agent for one of their days."""

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="+")
    day = models.DateField(_("jour"))
    made_at = models.DateTimeField(_("fait à"))

    class Meta:
        verbose_name = _("agenda du matin")
        verbose_name_plural = _("agendas du matin")
        ordering = ["-day", "pk"]
        constraints = [models.UniqueConstraint(fields=["agent", "day"], name="digest_once")]

    def __str__(self) -> str:
        return f"{self.agent_id} {self.day}"
