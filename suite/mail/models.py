"""The outbox: plain letters (no calendar inside) that are owed, in the transaction that owes them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class OutboxState(models.TextChoices):
    OWED = "owed", _("En attente")
    SENDING = "sending", _("En cours d’envoi")
    SENT = "sent", _("Envoyé")
    FAILED = "failed", _("Échec")
    WITHDRAWN = "withdrawn", _("Retiré")


class OutboxMail(models.Model):
    """One letter to one person. `key` says what it is for; the same key twice is one letter."""

    key = models.CharField(_("clé"), max_length=200, unique=True)
    kind = models.CharField(_("genre"), max_length=30)
    recipient = models.EmailField(_("destinataire"), max_length=254)
    recipient_name = models.CharField(_("nom du destinataire"), max_length=250, blank=True)
    sender_name = models.CharField(_("nom de l’expéditeur"), max_length=250, blank=True)
    reply_to = models.EmailField(_("répondre à"), max_length=254, blank=True)
    reply_to_name = models.CharField(max_length=250, blank=True)
    subject = models.CharField(_("objet"), max_length=500)
    text = models.TextField(_("texte"))
    html = models.TextField("HTML")
    # List-Unsubscribe with one click (RFC 8058); "" for letters that are no subscription.
    unsubscribe_url = models.CharField(max_length=500, blank=True)
    state = models.CharField(_("état"), max_length=10, choices=OutboxState.choices, default=OutboxState.OWED)
    due_at = models.DateTimeField(_("à envoyer le"))
    # After this a letter is not worth sending (a reminder of a meeting that is over).
    useless_after = models.DateTimeField(null=True, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(_("essais"), default=0)
    sent_at = models.DateTimeField(_("envoyé le"), null=True, blank=True)
    server_words = models.CharField(_("réponse du serveur"), max_length=500, blank=True)
    created_at = models.DateTimeField(_("créé le"), auto_now_add=True)

    class Meta:
        verbose_name = _("courriel")
        verbose_name_plural = _("courriels")
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["due_at", "id"], condition=Q(state__in=["owed", "sending"]), name="outbox_owed"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
