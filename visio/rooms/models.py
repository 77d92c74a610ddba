"""Rooms: where a call takes place."""

from __future__ import annotations

import secrets
import string
import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _


def new_slug() -> str:
    """Three, four and three letters (`kqz-mvte-wra`, 47 bits), the shape that Visio's own rooms have."""
    letters = "".join(secrets.choice(string.ascii_lowercase) for _index in range(10))
    return f"{letters[:3]}-{letters[3:7]}-{letters[7:]}"


class AccessLevel(models.TextChoices):
    """Who may enter; the words of Visio's API."""

    RESTRICTED = "restricted", _("Les personnes invitées")
    TRUSTED = "trusted", _("Tout agent connecté qui a le lien")


class Room(models.Model):
    public_id = models.UUIDField(_("identifiant public"), default=uuid.uuid4, unique=True, editable=False)
    slug = models.CharField(_("code"), max_length=12, unique=True, default=new_slug)
    engine = models.CharField(_("moteur"), max_length=20, default="mesh")
    access_level = models.CharField(
        _("accès"), max_length=12, choices=AccessLevel.choices, default=AccessLevel.RESTRICTED
    )
    created_at = models.DateTimeField(_("créée le"), auto_now_add=True)
    closed_at = models.DateTimeField(_("fermée le"), null=True, blank=True)

    class Meta:
        verbose_name = _("salle Visio")
        verbose_name_plural = _("salles Visio")
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.slug
