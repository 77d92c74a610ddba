"""Rooms with walls and equipment, and their bookings. That two bookings never overlap is the database's own rule (R17)."""

from __future__ import annotations

import uuid

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from suite.agents.models import Agent, Organisation


class ResourceKind(models.TextChoices):
    """CUTYPE of RFC 5545 §3.2.3."""

    ROOM = "room", _("Salle")
    EQUIPMENT = "resource", _("Équipement")


class Resource(models.Model):
    """A room or a piece of equipment that one organisation lends to its agents."""

    public_id = models.UUIDField(_("identifiant public"), default=uuid.uuid4, unique=True, editable=False)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, related_name="resources", verbose_name=_("organisation")
    )
    kind = models.CharField(_("genre"), max_length=10, choices=ResourceKind.choices, default=ResourceKind.ROOM)
    name = models.CharField(_("nom"), max_length=120)
    site = models.CharField(_("site"), max_length=120, blank=True)
    floor = models.CharField(_("étage"), max_length=40, blank=True)
    capacity = models.PositiveIntegerField(_("places"), null=True, blank=True)
    # Keys of visio.places.features.
    features = ArrayField(models.CharField(max_length=30), verbose_name=_("équipements"), default=list, blank=True)
    needs_approval = models.BooleanField(_("réservation à valider"), default=False)
    managers = models.ManyToManyField(
        Agent, related_name="managed_resources", blank=True, verbose_name=_("responsables")
    )
    is_active = models.BooleanField(_("réservable"), default=True)
    is_demo = models.BooleanField(_("démonstration"), default=False)

    class Meta:
        verbose_name = _("salle ou équipement")
        verbose_name_plural = _("salles et équipements")
        ordering = ["site", "name", "pk"]
        constraints = [models.UniqueConstraint(fields=["organisation", "site", "name"], name="resource_once_per_site")]

    def __str__(self) -> str:
        return f"{self.name} ({self.site})" if self.site else self.name


class BookingStatus(models.TextChoices):
    PENDING = "pending", _("À valider")
    ACCEPTED = "accepted", _("Réservée")
    REFUSED = "refused", _("Refusée")
    RELEASED = "released", _("Libérée")


class ResourceBooking(models.Model):
    """One resource for one occurrence. `during` is half-open: 10–11 and 11–12 do not conflict."""

    resource = models.ForeignKey(Resource, on_delete=models.PROTECT, related_name="bookings")
    meeting = models.ForeignKey("visio.Meeting", on_delete=models.CASCADE, related_name="bookings")
    occurrence = models.ForeignKey("visio.Occurrence", on_delete=models.CASCADE, related_name="bookings")
    during = DateTimeRangeField(_("quand"))
    status = models.CharField(_("état"), max_length=10, choices=BookingStatus.choices)
    decided_by = models.ForeignKey(Agent, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(_("décidé le"), null=True, blank=True)
    words = models.CharField(_("message du responsable"), max_length=500, blank=True)
    created_at = models.DateTimeField(_("demandé le"), auto_now_add=True)

    class Meta:
        verbose_name = _("réservation")
        verbose_name_plural = _("réservations")
        ordering = ["-pk"]
        constraints = [
            ExclusionConstraint(
                name="booking_never_overlaps",
                expressions=[("resource", RangeOperators.EQUAL), ("during", RangeOperators.OVERLAPS)],
                condition=Q(status__in=["pending", "accepted"]),
            ),
            models.UniqueConstraint(fields=["resource", "occurrence"], name="booking_once_per_occurrence"),
        ]
        indexes = [
            models.Index(fields=["meeting", "id"], name="booking_by_meeting"),
            models.Index(fields=["resource", "id"], condition=Q(status="pending"), name="booking_to_decide"),
        ]

    def __str__(self) -> str:
        return f"{self.resource_id} {self.during}"
