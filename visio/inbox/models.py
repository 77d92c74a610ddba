"""Every message that came back from a guest's calendar, whatever became of it."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Verdict(models.TextChoices):
    APPLIED = "applied", _("Prise en compte")
    # Kept, and shown as an answer to an earlier version (PROMISES 34).
    EARLIER = "earlier", _("Réponse à une version précédente")
    LATE = "late", _("Plus ancienne qu’une réponse déjà reçue")
    SPOOFED = "spoofed", _("Expéditeur qui n’est pas l’invité")
    CRASHER = "crasher", _("Personne non invitée")
    UNKNOWN = "unknown", _("Réunion inconnue")
    MALFORMED = "malformed", _("Illisible")
    REFUSED = "refused", _("Sans effet")


class InboundMessage(models.Model):
    """One message as it arrived. Acted on at most once: the same bytes twice are one row."""

    digest = models.CharField(max_length=64, unique=True, editable=False)
    received_at = models.DateTimeField(_("reçu le"))
    envelope_from = models.CharField(_("expéditeur de l’enveloppe"), max_length=320, blank=True)
    envelope_to = models.CharField(_("adresse de réponse"), max_length=320)
    sender = models.CharField(_("De"), max_length=320, blank=True)
    subject = models.CharField(_("objet"), max_length=500, blank=True)
    message_id = models.CharField("Message-ID", max_length=500, blank=True)
    method = models.CharField("METHOD", max_length=20, blank=True)
    uid = models.CharField("UID", max_length=1000, blank=True)
    recurrence_id = models.DateTimeField(_("date d’origine"), null=True, blank=True)
    sequence = models.PositiveIntegerField("SEQUENCE", null=True, blank=True)
    stamp = models.DateTimeField("DTSTAMP", null=True, blank=True)
    answer = models.CharField(_("réponse"), max_length=15, blank=True)
    meeting = models.ForeignKey(
        "visio.Meeting", on_delete=models.CASCADE, null=True, blank=True, related_name="inbound_messages"
    )
    attendee = models.ForeignKey(
        "visio.Attendee", on_delete=models.SET_NULL, null=True, blank=True, related_name="inbound_messages"
    )
    verdict = models.CharField(_("suite donnée"), max_length=10, choices=Verdict.choices)
    # Why, for the organiser and the administrator.
    words = models.CharField(_("raison"), max_length=500, blank=True)
    raw = models.BinaryField(_("message"), max_length=1_048_576)

    class Meta:
        verbose_name = _("réponse reçue")
        verbose_name_plural = _("réponses reçues")
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["meeting", "-id"], name="inbound_by_meeting"),
            models.Index(fields=["received_at"], name="inbound_by_date"),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.uid}"
