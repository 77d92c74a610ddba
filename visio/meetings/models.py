"""Meetings, their occurrences, attendees and the ledger of what was mailed. The model of DATA, measured at 100,000 agents.

Times: a meeting stores its wall clock (`start_date`, `start_time`, `time_zone`, `minutes`); its occurrences store instants (UTC).
Ten o'clock in Paris stays ten o'clock across daylight saving because the instants are derived from the wall clock.
"""

from __future__ import annotations

import datetime as dt
import uuid

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from suite.agents.models import Agent
from visio.meetings.querysets import AttendeeQuerySet, DeliveryQuerySet, MeetingQuerySet
from visio.rooms.models import Room

# psycopg cannot load `infinity`: the hull of a series without end reaches to here.
OPEN_END = dt.datetime(9999, 12, 1, tzinfo=dt.UTC)
# The calendar statements look back this far for what is still going on; the CHECK on occurrence makes that right.
LONGEST = dt.timedelta(days=14)


def new_uid() -> str:
    """A globally unique iCalendar UID (RFC 5545 §3.8.4.7, RFC 7986 §5.3)."""
    return f"{uuid.uuid4()}@{settings.UID_DOMAIN}"


class Privacy(models.TextChoices):
    PUBLIC = "public", _("Visible par mon équipe")
    PRIVATE = "private", _("Privée : affichée « occupé »")


class Status(models.TextChoices):
    CONFIRMED = "confirmed", _("Confirmée")
    CANCELLED = "cancelled", _("Annulée")


class Meeting(models.Model):
    public_id = models.UUIDField(_("identifiant public"), default=uuid.uuid4, unique=True, editable=False)
    uid = models.CharField("UID", max_length=255, unique=True, default=new_uid, editable=False)
    organiser = models.ForeignKey(
        Agent, on_delete=models.PROTECT, related_name="organised_meetings", verbose_name=_("organisateur")
    )
    title = models.CharField(_("titre"), max_length=200)
    description = models.TextField(_("description"), max_length=10_000, blank=True)
    place = models.CharField(_("lieu"), max_length=200, blank=True)
    privacy = models.CharField(_("visibilité"), max_length=10, choices=Privacy.choices, default=Privacy.PUBLIC)
    status = models.CharField(_("état"), max_length=10, choices=Status.choices, default=Status.CONFIRMED)

    start_date = models.DateField(_("date"))
    start_time = models.TimeField(_("début"))
    time_zone = models.CharField(_("fuseau horaire"), max_length=64, default="Europe/Paris")
    minutes = models.PositiveIntegerField(_("durée en minutes"))
    # All-day: start_time is midnight, minutes whole days, and no zone ever converts it (R14).
    is_all_day = models.BooleanField(_("journée entière"), default=False, db_default=False)
    is_series = models.BooleanField(_("série"), default=False)
    # RRULE of RFC 5545 §3.3.10 without its name, as visio.meetings.recurrence writes it.
    rrule = models.TextField(_("règle de répétition"), blank=True)
    # The last start that the rule makes; NULL when it never ends.
    until = models.DateTimeField(_("jusqu’à"), null=True, blank=True)
    # RDATE and EXDATE as wall clocks in `time_zone`, ISO 8601 without offset.
    rdates = models.JSONField(_("dates ajoutées"), default=list, blank=True, db_default=[])
    exdates = models.JSONField(_("dates retirées"), default=list, blank=True, db_default=[])
    # Occurrences that start before this are rows; NULL once every date of the rule is one (and for a one-off).
    expanded_until = models.DateTimeField(_("étendue jusqu’à"), null=True, blank=True)
    # "This and the following" ended that series and began this one.
    split_from = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="split_into", verbose_name=_("suite de")
    )
    # Who planned it in the organiser's name (delegation); NULL when the organiser did.
    scheduled_by = models.ForeignKey(
        Agent, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("planifiée par")
    )
    # UID in the file that it was imported from; "" when it was made here.
    source_uid = models.CharField(_("UID d’origine"), max_length=1000, blank=True, db_default="", editable=False)

    # RFC 5546 §2.1.4: rises when time or status change, and on every CANCEL.
    sequence = models.PositiveIntegerField(_("SEQUENCE"), default=0)
    # Rises with every edit: "version 3" on the page, and the guard against two editors at once.
    revision = models.PositiveIntegerField(_("version"), default=1)

    room = models.OneToOneField(
        Room, on_delete=models.SET_NULL, null=True, blank=True, related_name="meeting", verbose_name=_("salle Visio")
    )
    wants_tchap = models.BooleanField(_("salon Tchap"), default=True)
    # One form shown makes one meeting at most, however often it is posted (PROMISES 18).
    creation_key = models.UUIDField(default=uuid.uuid4, editable=False)
    is_demo = models.BooleanField(_("démonstration"), default=False)
    search = SearchVectorField(null=True, editable=False)
    created_at = models.DateTimeField(_("créée le"), auto_now_add=True)
    changed_at = models.DateTimeField(_("modifiée le"), auto_now=True)

    objects = MeetingQuerySet.as_manager()

    class Meta:
        verbose_name = _("réunion")
        verbose_name_plural = _("réunions")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["organiser", "creation_key"], name="meeting_once_per_form"),
            models.CheckConstraint(
                condition=Q(minutes__gte=1, minutes__lte=14 * 24 * 60), name="meeting_minutes_bounded"
            ),
            models.UniqueConstraint(
                fields=["organiser", "source_uid"], condition=~Q(source_uid=""), name="meeting_once_per_import"
            ),
        ]
        indexes = [
            GinIndex(fields=["search"], name="meeting_search"),
            models.Index(
                fields=["expanded_until", "id"],
                condition=Q(is_series=True, status="confirmed", expanded_until__isnull=False),
                name="meeting_to_extend",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_cancelled(self) -> bool:
        return self.status == Status.CANCELLED


class Occurrence(models.Model):
    """One time that a meeting takes place. A one-off has exactly one, with no recurrence id."""

    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, related_name="occurrences")
    # The original start (RFC 5545 §3.8.4.4); NULL for a one-off.
    recurrence_id = models.DateTimeField(_("date d’origine"), null=True, blank=True)
    starts_at = models.DateTimeField(_("début"))
    ends_at = models.DateTimeField(_("fin"))
    status = models.CharField(_("état"), max_length=10, choices=Status.choices, default=Status.CONFIRMED)
    # What differs from the series on this date. NULL says inherited.
    title = models.CharField(_("titre"), max_length=200, null=True, blank=True)  # noqa: DJ001
    place = models.CharField(_("lieu"), max_length=200, null=True, blank=True)  # noqa: DJ001
    description = models.TextField(_("description"), max_length=10_000, null=True, blank=True)  # noqa: DJ001
    # Moved or edited by itself: told as a VEVENT of its own (RECURRENCE-ID) and kept when the rule is expanded again.
    is_override = models.BooleanField(_("modifiée seule"), default=False, db_default=False)
    # The meeting's SEQUENCE when this date last changed by itself (R1, R3).
    sequence = models.PositiveIntegerField("SEQUENCE", default=0, db_default=0)

    class Meta:
        verbose_name = _("occurrence")
        verbose_name_plural = _("occurrences")
        ordering = ["starts_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["meeting", "recurrence_id"], nulls_distinct=False, name="occurrence_once_per_recurrence_id"
            ),
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")) & Q(ends_at__lte=F("starts_at") + LONGEST),
                name="occurrence_at_most_14_days",
            ),
        ]
        indexes = [
            models.Index(
                fields=["meeting", "starts_at"], include=["ends_at", "id", "status"], name="occurrence_by_meeting_start"
            ),
            # Reminders look for what begins soon, whoever's it is.
            models.Index(fields=["starts_at"], condition=Q(status="confirmed"), name="occurrence_by_start"),
        ]

    def __str__(self) -> str:
        return f"{self.meeting_id} {self.starts_at:%Y-%m-%d %H:%M}"


class Role(models.TextChoices):
    """ROLE of RFC 5545 §3.2.16."""

    CHAIR = "chair", _("Organisateur")
    REQUIRED = "required", _("Indispensable")
    OPTIONAL = "optional", _("Facultatif")


class Answer(models.TextChoices):
    """PARTSTAT of RFC 5545 §3.2.12."""

    NEEDS_ACTION = "needs_action", _("Sans réponse")
    ACCEPTED = "accepted", _("Accepte")
    TENTATIVE = "tentative", _("Peut-être")
    DECLINED = "declined", _("Décline")


class AnsweredVia(models.TextChoices):
    PORTAL = "portal", _("Portail")
    PAGE = "page", _("Page d’invitation")
    API = "api", _("API")
    EMAIL = "email", _("Courriel")


class Attendee(models.Model):
    """One person of a meeting; the organiser too (role chair). Agents carry their address as well, so that it is unique."""

    public_id = models.UUIDField(_("identifiant public"), default=uuid.uuid4, unique=True, editable=False)
    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, related_name="attendees")
    agent = models.ForeignKey(
        Agent, on_delete=models.PROTECT, null=True, blank=True, related_name="attendances", verbose_name=_("agent")
    )
    email = models.EmailField(_("adresse"), max_length=254)
    name = models.CharField(_("nom"), max_length=250, blank=True)
    role = models.CharField(_("rôle"), max_length=10, choices=Role.choices, default=Role.REQUIRED)
    answer = models.CharField(_("réponse"), max_length=15, choices=Answer.choices, default=Answer.NEEDS_ACTION)
    answered_at = models.DateTimeField(_("répondu le"), null=True, blank=True)
    answered_revision = models.PositiveIntegerField(_("version répondue"), null=True, blank=True)
    answered_via = models.CharField(_("répondu par"), max_length=10, choices=AnsweredVia.choices, blank=True)
    comment = models.CharField(_("message"), max_length=500, blank=True)

    # The last REPLY that came by mail: an older one changes nothing (R6).
    reply_sequence = models.PositiveIntegerField(null=True, blank=True, editable=False)
    reply_stamp = models.DateTimeField(null=True, blank=True, editable=False)

    # Copied from the occurrences so that an agent's week is one index range: exact for a one-off, the hull for a series.
    is_series = models.BooleanField(default=False)
    starts_at = models.DateTimeField(_("début"))
    ends_at = models.DateTimeField(_("fin"))
    only_occurrence = models.ForeignKey(Occurrence, on_delete=models.CASCADE, null=True, blank=True, related_name="+")

    # The link's secret is derived from this nonce with the server's key; only its hash can be looked up (visio.meetings.tokens).
    link_nonce = models.CharField(max_length=32, editable=False)
    link_hash = models.CharField(max_length=64, unique=True, editable=False)

    # The date of a series that this copy of the row shows (visio.meetings.waiting); not a column.
    shown_date: Occurrence | None = None
    # … and whether that date alone asks for an answer.
    date_waits: bool = False

    objects = AttendeeQuerySet.as_manager()

    class Meta:
        verbose_name = _("participant")
        verbose_name_plural = _("participants")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["meeting", "agent"], name="attendee_agent_once"),
            models.UniqueConstraint(fields=["meeting", "email"], name="attendee_email_once"),
        ]
        indexes = [
            models.Index(
                fields=["agent", "starts_at"],
                include=["ends_at", "meeting", "id", "answer", "only_occurrence"],
                condition=Q(is_series=False),
                name="attendee_one",
            ),
            models.Index(
                fields=["agent", "ends_at"],
                include=["starts_at", "meeting", "id", "answer"],
                condition=Q(is_series=True),
                name="attendee_ser",
            ),
            models.Index(fields=["agent", "ends_at"], condition=Q(answer="needs_action"), name="attendee_todo"),
            models.Index(fields=["meeting", "id"], name="attendee_by_meeting"),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def display_name(self) -> str:
        return self.agent.full_name if self.agent else (self.name or self.email)


class Method(models.TextChoices):
    """METHOD of RFC 5546 §1.4 that the portal sends."""

    REQUEST = "REQUEST", "REQUEST"
    CANCEL = "CANCEL", "CANCEL"
    DECLINECOUNTER = "DECLINECOUNTER", "DECLINECOUNTER"


class DeliveryState(models.TextChoices):
    OWED = "owed", _("En attente")
    SENDING = "sending", _("En cours d’envoi")
    SENT = "sent", _("Envoyé")
    FAILED = "failed", _("Échec")
    SUPERSEDED = "superseded", _("Remplacé par une version plus récente")


class DeliveryReason(models.TextChoices):
    INVITED = "invited", _("Invitation")
    MOVED = "moved", _("Horaire modifié")
    CHANGED = "changed", _("Modification")
    CANCELLED = "cancelled", _("Annulation")
    REMOVED = "removed", _("Retrait de la liste")
    COUNTER_REFUSED = "refused", _("Autre horaire refusé")
    REFRESHED = "refreshed", _("Renvoi demandé par le calendrier")


class Delivery(models.Model):
    """One e-mail that is or was owed to one recipient: the queue and the ledger in one row."""

    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, related_name="deliveries")
    attendee = models.ForeignKey(Attendee, on_delete=models.SET_NULL, null=True, blank=True, related_name="deliveries")
    uid = models.CharField("UID", max_length=255)
    recurrence_id = models.DateTimeField(_("date d’origine"), null=True, blank=True)
    sequence = models.PositiveIntegerField("SEQUENCE")
    # A rename is mailed without raising SEQUENCE (R7), so the version is part of what makes a row unique.
    revision = models.PositiveIntegerField(_("version"))
    recipient = models.EmailField(_("destinataire"), max_length=254)
    recipient_name = models.CharField(_("nom du destinataire"), max_length=250, blank=True)
    method = models.CharField(_("méthode"), max_length=15, choices=Method.choices)
    reason = models.CharField(_("motif"), max_length=10, choices=DeliveryReason.choices)
    language = models.CharField(_("langue"), max_length=5, default="fr")
    # What the text compares with: {"starts_at", "ends_at", "time_zone", "title", "place"} before the change (ISO instants).
    # "dates": the same for single dates of a series, by recurrence id, whose own letters this one takes the place of.
    before = models.JSONField(_("avant la modification"), default=dict, blank=True)
    state = models.CharField(_("état"), max_length=10, choices=DeliveryState.choices, default=DeliveryState.OWED)
    due_at = models.DateTimeField(_("à envoyer le"))
    claimed_until = models.DateTimeField(_("réservé jusqu’à"), null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(_("essais"), default=0)
    # Raised by "renvoyer": part of the Message-ID, or mail systems would drop the second copy as a duplicate.
    resends = models.PositiveSmallIntegerField(_("renvois"), default=0)
    sent_at = models.DateTimeField(_("envoyé le"), null=True, blank=True)
    # An attempt ended without an answer (sender killed, connection lost): the server may have taken the message.
    maybe_received = models.BooleanField(_("peut-être reçu"), default=False, db_default=False)
    server_words = models.CharField(_("réponse du serveur"), max_length=500, blank=True)
    created_at = models.DateTimeField(_("créé le"), auto_now_add=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = _("envoi")
        verbose_name_plural = _("envois")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["uid", "recurrence_id", "sequence", "revision", "recipient", "method"],
                nulls_distinct=False,
                name="delivery_once",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at", "id"], condition=Q(state__in=["owed", "sending"]), name="delivery_owed"),
            models.Index(fields=["meeting", "id"], name="delivery_by_meeting"),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.uid} {self.sequence}"


class MeetingLink(models.Model):
    """A link that another part hung on the meeting: its Tchap room today, documents tomorrow."""

    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, related_name="links")
    label = models.CharField(max_length=30)
    url = models.URLField(max_length=500)

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["meeting", "label"], name="link_once_per_label")]

    def __str__(self) -> str:
        return f"{self.label}: {self.url}"


class ChangeKind(models.TextChoices):
    CREATED = "created", _("Réunion créée")
    MOVED = "moved", _("Réunion déplacée")
    EDITED = "edited", _("Réunion modifiée")
    ATTENDEES = "attendees", _("Participants modifiés")
    CANCELLED = "cancelled", _("Réunion annulée")
    TCHAP_LINKED = "tchap_linked", _("Salon Tchap lié")
    RESTORED = "restored", _("Modification annulée")
    COUNTERED = "countered", _("Autre horaire proposé")
    BOOKED = "booked", _("Salle ou équipement")


class MeetingChange(models.Model):
    """One line of a meeting's history; `details` depends on the kind (see visio.meetings.scheduling)."""

    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, related_name="changes")
    at = models.DateTimeField()
    by = models.ForeignKey(Agent, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    # In whose name, when `by` acted as a delegate.
    on_behalf_of = models.ForeignKey(Agent, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    kind = models.CharField(max_length=15, choices=ChangeKind.choices)
    revision = models.PositiveIntegerField()
    details = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["meeting", "-at"], name="change_by_meeting")]

    def __str__(self) -> str:
        return f"{self.meeting_id} {self.kind}"
