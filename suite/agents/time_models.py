"""When an agent works, when they are away, and who may plan for them."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from suite.agents.models import Agent


class WorkingHours(models.Model):
    """One stretch of one weekday, in the agent's own zone. An agent without any works as everybody (suite.agents.hours)."""

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="working_hours")
    # 0 is Monday.
    weekday = models.PositiveSmallIntegerField(_("jour"))
    starts = models.TimeField(_("de"))
    ends = models.TimeField(_("à"))

    class Meta:
        verbose_name = _("heures de travail")
        verbose_name_plural = _("heures de travail")
        ordering = ["weekday", "starts"]
        constraints = [
            models.CheckConstraint(condition=Q(weekday__lte=6), name="hours_weekday"),
            models.CheckConstraint(condition=Q(ends__gt=F("starts")), name="hours_end_after_start"),
            models.UniqueConstraint(fields=["agent", "weekday", "starts"], name="hours_once"),
        ]

    def __str__(self) -> str:
        return f"{self.weekday} {self.starts:%H:%M}–{self.ends:%H:%M}"


class LeaveKind(models.TextChoices):
    LEAVE = "leave", _("Congé")
    OUT_OF_OFFICE = "out_of_office", _("Absence du bureau")


class Leave(models.Model):
    """An absence. Others see "absent" and until when, never the note."""

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="leaves")
    kind = models.CharField(_("genre"), max_length=15, choices=LeaveKind.choices, default=LeaveKind.LEAVE)
    starts_at = models.DateTimeField(_("début"))
    ends_at = models.DateTimeField(_("fin"))
    # Whole days are shown as days; the instants are midnights of the agent's zone.
    is_all_day = models.BooleanField(_("journées entières"), default=True)
    note = models.CharField(_("note pour soi"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("créé le"), auto_now_add=True)

    class Meta:
        verbose_name = _("absence")
        verbose_name_plural = _("absences")
        ordering = ["starts_at", "pk"]
        constraints = [models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="leave_ends_after_start")]
        indexes = [models.Index(fields=["agent", "ends_at"], include=["starts_at", "kind"], name="leave_by_agent")]

    def __str__(self) -> str:
        return f"{self.agent_id} {self.starts_at:%Y-%m-%d}"


class Delegation(models.Model):
    """`delegate` may plan, change and cancel meetings in the name of `principal`."""

    principal = models.ForeignKey(
        Agent, on_delete=models.CASCADE, related_name="delegations_given", verbose_name=_("agent")
    )
    delegate = models.ForeignKey(
        Agent, on_delete=models.CASCADE, related_name="delegations_held", verbose_name=_("délégué")
    )
    # Whether the delegate sees private titles of the principal's calendar too.
    sees_private = models.BooleanField(_("voit les réunions privées"), default=False)
    created_at = models.DateTimeField(_("depuis"), auto_now_add=True)

    class Meta:
        verbose_name = _("délégation")
        verbose_name_plural = _("délégations")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["principal", "delegate"], name="delegation_once"),
            models.CheckConstraint(condition=~Q(principal=F("delegate")), name="delegation_to_another"),
        ]

    def __str__(self) -> str:
        return f"{self.delegate_id} → {self.principal_id}"
