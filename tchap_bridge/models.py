"""What the homeserver should show, what it shows, and what is owed to it."""

from __future__ import annotations

import uuid

from django.contrib.admin import display
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from visio.models import Meeting


class RoomState(models.TextChoices):
    OWED = "owed", _("Salon en attente")
    APPLIED = "applied", _("À jour")
    REFUSED = "refused", _("Refusé, à voir par un administrateur")
    CLOSED = "closed", _("Fermé")


class TchapRoom(models.Model):
    """The Tchap room of one meeting. `wanted` > `applied` means that the homeserver is behind: a reconciliation is owed."""

    meeting = models.OneToOneField(
        Meeting, on_delete=models.CASCADE, related_name="tchap_room", verbose_name=_("réunion")
    )
    # The alias is what makes creation safe to repeat: createRoom itself has no transaction id.
    alias_localpart = models.CharField(_("alias"), max_length=80, unique=True)
    room_id = models.CharField(_("identifiant Matrix"), max_length=255, blank=True, db_index=True)
    state = models.CharField(_("état"), max_length=10, choices=RoomState.choices, default=RoomState.OWED)
    # The meeting's version when the room was last owed: a meeting at another one was changed without a fact.
    meeting_revision = models.PositiveIntegerField(default=0, db_default=0)
    wanted = models.PositiveIntegerField(_("version voulue"), default=1)
    applied = models.PositiveIntegerField(_("version appliquée"), default=0)
    # What was last applied: {"name", "topic", "card", "pinned", "powers", "told"} (see tchap_bridge.rooms).
    shown = models.JSONField(_("ce que montre le salon"), default=dict, blank=True)
    due_at = models.DateTimeField(_("prochain essai"))
    claimed_until = models.DateTimeField(_("réservé jusqu’à"), null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(_("essais"), default=0)
    last_error = models.CharField(_("dernière erreur"), max_length=500, blank=True)
    # Of a series: when the date that the room shows is over, and the next one is to be shown.
    rolls_at = models.DateTimeField(_("date suivante à montrer le"), null=True, blank=True)
    created_at = models.DateTimeField(_("créé le"), auto_now_add=True)
    applied_at = models.DateTimeField(_("appliqué le"), null=True, blank=True)

    class Meta:
        verbose_name = _("salon Tchap")
        verbose_name_plural = _("salons Tchap")
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["due_at", "id"], condition=Q(state="owed"), name="tchap_room_owed"),
            models.Index(
                fields=["rolls_at", "id"],
                condition=Q(state="applied", rolls_at__isnull=False),
                name="tchap_room_rolls",
            ),
        ]

    def __str__(self) -> str:
        return self.alias_localpart

    @property
    @display(description=_("état"), ordering="state")
    def standing(self) -> str:
        """The state in an administrator's words: a refused room was set aside, and why."""
        if self.state != RoomState.REFUSED:
            return str(RoomState(self.state).label)
        if self.last_error.startswith("401 "):
            return gettext("Mis de côté : Tchap refuse le compte du portail")
        if self.last_error.startswith("4"):
            return gettext("Mis de côté : Tchap refuse")
        words = ngettext("Mis de côté après %(count)d essai", "Mis de côté après %(count)d essais", self.attempts)
        return words % {"count": self.attempts}


class MemberState(models.TextChoices):
    INVITED = "invited", _("Invité par le portail")
    PRESENT = "present", _("Déjà membre")
    NO_ACCOUNT = "no_account", _("Sans compte Tchap")
    REMOVED = "removed", _("Retiré")
    REFUSED = "refused", _("Invitation refusée par le serveur")


class TchapMember(models.Model):
    """One attendee's place in the room. The portal removes only whom it invited itself."""

    room = models.ForeignKey(TchapRoom, on_delete=models.CASCADE, related_name="members")
    agent = models.ForeignKey("agents.Agent", on_delete=models.CASCADE, related_name="+", verbose_name=_("agent"))
    matrix_id = models.CharField(_("compte Tchap"), max_length=255, blank=True)
    state = models.CharField(_("état"), max_length=12, choices=MemberState.choices)
    looked_up_at = models.DateTimeField(_("vérifié le"), null=True, blank=True)

    class Meta:
        verbose_name = _("membre")
        verbose_name_plural = _("membres")
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["room", "agent"], name="tchap_member_once")]

    def __str__(self) -> str:
        return self.matrix_id


class TchapMessage(models.Model):
    """A message owed to a room. Its transaction id is fixed here, so that sending it twice shows it once."""

    room = models.ForeignKey(
        TchapRoom, on_delete=models.CASCADE, related_name="messages", verbose_name=_("salon Tchap")
    )
    # What the message is about; one row a topic and version ("moved:3"), so that a repeated fact owes nothing twice.
    about = models.CharField(_("sujet"), max_length=80)
    transaction_id = models.UUIDField(_("transaction"), default=uuid.uuid4, unique=True)
    body = models.TextField(_("texte"))
    formatted_body = models.TextField(blank=True)
    # The event that this message edits, "" when it is one of its own.
    replaces = models.CharField(max_length=255, blank=True, default="", db_default="")
    # m.notice rings nobody; m.text does.
    quiet = models.BooleanField(default=False, db_default=False)
    # Set before the first try: a homeserver forgets transaction ids, so a second try looks for the first one's event.
    tried_at = models.DateTimeField(null=True, blank=True)
    event_id = models.CharField(_("événement"), max_length=255, blank=True)
    created_at = models.DateTimeField(_("créé le"), auto_now_add=True)

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["room", "about"], name="tchap_message_once")]

    def __str__(self) -> str:
        return self.about


class InboundEvent(models.Model):
    """A transaction or an event that the homeserver pushed and that was acted on (they come more than once)."""

    key = models.CharField(_("clé"), max_length=300, unique=True)
    seen_at = models.DateTimeField(_("reçu le"), auto_now_add=True, db_index=True)

    class Meta:
        verbose_name = _("événement reçu")
        verbose_name_plural = _("événements reçus")
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.key
