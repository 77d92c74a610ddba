"""Calendar feeds, and files on their way in."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from suite.agents.models import Agent


class FeedDetail(models.TextChoices):
    FULL = "full", _("Tout")
    BUSY = "busy", _("Occupé seulement")


class CalendarFeed(models.Model):
    """A secret address where another calendar reads an agent's meetings. Only its hash is kept."""

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="feeds", verbose_name=_("agent"))
    name = models.CharField(_("nom"), max_length=80)
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    detail = models.CharField(_("contenu"), max_length=10, choices=FeedDetail.choices, default=FeedDetail.FULL)
    created_at = models.DateTimeField(_("créé le"), auto_now_add=True)
    last_used_at = models.DateTimeField(_("dernière lecture"), null=True, blank=True)
    # What was last seen of it, and since when: Last-Modified (visio.exchange.publishing).
    version = models.CharField(max_length=64, blank=True, db_default="", default="", editable=False)
    changed_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(_("révoqué le"), null=True, blank=True)

    class Meta:
        verbose_name = _("abonnement au calendrier")
        verbose_name_plural = _("abonnements au calendrier")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.name


class CalendarImport(models.Model):
    """A file that an agent gave, between its preview and their consent; removed after a day."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="+")
    file_name = models.CharField(max_length=200, blank=True)
    content = models.BinaryField(max_length=1_048_576)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.file_name
