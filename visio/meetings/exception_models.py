"""What differs on one date of a series, for one person; other times that guests proposed; what an undo brings back."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from suite.agents.models import Agent
from visio.meetings.models import Answer, AnsweredVia, Attendee, Meeting, Occurrence


class AttendeeException(models.Model):
    """One attendee on one date, where it differs from the series: another answer, or not invited that day."""

    occurrence = models.ForeignKey(Occurrence, on_delete=models.CASCADE, related_name="exceptions")
    attendee = models.ForeignKey(Attendee, on_delete=models.CASCADE, related_name="exceptions")
    # NULL: as the series.
    answer = models.CharField(  # noqa: DJ001
        _("réponse"), max_length=15, choices=Answer.choices, null=True, blank=True
    )
    answered_at = models.DateTimeField(_("répondu le"), null=True, blank=True)
    answered_revision = models.PositiveIntegerField(_("version répondue"), null=True, blank=True)
    answered_via = models.CharField(_("répondu par"), max_length=10, choices=AnsweredVia.choices, blank=True)
    comment = models.CharField(_("message"), max_length=500, blank=True)
    removed = models.BooleanField(_("retiré ce jour-là"), default=False)
    reply_sequence = models.PositiveIntegerField(null=True, blank=True, editable=False)
    reply_stamp = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("exception")
        verbose_name_plural = _("exceptions")
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["occurrence", "attendee"], name="exception_once")]

    def __str__(self) -> str:
        return f"{self.occurrence_id} {self.attendee_id}"


class CounterState(models.TextChoices):
    PENDING = "pending", _("À décider")
    ACCEPTED = "accepted", _("Acceptée")
    REFUSED = "refused", _("Refusée")
    # The meeting moved, was cancelled, or the same person proposed something else.
    OVERTAKEN = "overtaken", _("Dépassée")


class CounterProposal(models.Model):
    """Another time that an attendee proposes (COUNTER, RFC 5546 §3.2.7). At most one is pending for a person and a date."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, related_name="counters")
    # NULL: the one-off, or the whole series.
    occurrence = models.ForeignKey(Occurrence, on_delete=models.CASCADE, null=True, blank=True, related_name="counters")
    attendee = models.ForeignKey(Attendee, on_delete=models.CASCADE, related_name="counters")
    starts_at = models.DateTimeField(_("début proposé"))
    ends_at = models.DateTimeField(_("fin proposée"))
    comment = models.CharField(_("message"), max_length=500, blank=True)
    via = models.CharField(_("proposé par"), max_length=10, choices=AnsweredVia.choices)
    # The meeting's revision that the person saw.
    revision = models.PositiveIntegerField()
    state = models.CharField(_("état"), max_length=10, choices=CounterState.choices, default=CounterState.PENDING)
    created_at = models.DateTimeField(_("proposé le"), auto_now_add=True)
    decided_at = models.DateTimeField(_("décidé le"), null=True, blank=True)
    decided_by = models.ForeignKey(Agent, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("autre horaire proposé")
        verbose_name_plural = _("autres horaires proposés")
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="counter_ends_after_start"),
            models.UniqueConstraint(
                fields=["attendee", "occurrence"],
                condition=Q(state="pending"),
                nulls_distinct=False,
                name="counter_one_pending",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.meeting_id} {self.starts_at:%Y-%m-%d %H:%M}"


class Undo(models.Model):
    """How to take back the last cancel or move, while nothing of it was mailed."""

    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, related_name="undos")
    by = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="+")
    # The revision that the act made; a later edit makes the undo void.
    revision = models.PositiveIntegerField()
    until = models.DateTimeField()
    # Rows as they were before the act (visio.meetings.undo).
    before = models.JSONField()
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["meeting", "revision"], name="undo_once")]

    def __str__(self) -> str:
        return f"{self.meeting_id} {self.revision}"
