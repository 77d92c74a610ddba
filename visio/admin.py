"""Administration of meetings, attendees, the ledger of e-mails, and rooms.

Nothing here is edited by hand: changes go through the operations that mail and tell.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import display
from django.core.exceptions import PermissionDenied
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from suite.agents.models import Agent
from suite.core.administration import LedgerAdmin, list_link, object_link
from visio.inbox.admin import InboundMessageAdmin  # noqa: F401  registers itself
from visio.meetings.models import (
    Attendee,
    Delivery,
    DeliveryState,
    Meeting,
    MeetingChange,
    Method,
    Occurrence,
)
from visio.meetings.resending import ResendRefused, resend
from visio.meetings.tokens import revoke_link
from visio.places.admin import ResourceAdmin  # noqa: F401  registers itself
from visio.polls import admin as _polls  # noqa: F401  registers itself
from visio.reminders.admin import ReminderAdmin  # noqa: F401  registers itself
from visio.rooms.models import Room

# Other parts add what they hang on a meeting: fn(meeting) -> a link to its page here, or "".
more_links: list[Callable[[Meeting], SafeString | str]] = []


def counted(model: type[Attendee] | type[Delivery], **where: Any) -> Coalesce:
    """How many of the meeting's rows match `where`."""
    rows = model.objects.order_by().filter(meeting=OuterRef("pk"), **where).values("meeting")
    return Coalesce(Subquery(rows.annotate(number=Count("pk")).values("number")), 0)


@admin.register(Meeting)
class MeetingAdmin(LedgerAdmin[Meeting]):
    list_display = [
        "title",
        "organiser_link",
        "when",
        "status",
        "attendees_link",
        "failures_link",
        "room_link",
        "wants_tchap",
    ]
    list_select_related = ["organiser", "room"]
    list_filter = ["status", "privacy", "wants_tchap", "is_demo", ("start_date", admin.DateFieldListFilter)]
    search_fields = ["title", "organiser__search_name", "uid"]
    search_help_text = _("Titre, organisateur ou UID")
    fields = [
        "title",
        "organiser_link",
        ("start_date", "start_time", "time_zone", "minutes"),
        "place",
        "status",
        "privacy",
        ("sequence", "revision"),
        "room_link",
        "wants_tchap",
        "related",
        "history",
        "uid",
        "public_id",
        ("created_at", "changed_at", "is_demo"),
    ]
    actions = ["resend_invitations", "retry_failed"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Meeting]:
        return (
            super()
            .get_queryset(request)
            .annotate(
                attendee_count=counted(Attendee),
                failure_count=counted(Delivery, state=DeliveryState.FAILED),
            )
        )

    @display(description=_("organisateur"), ordering="organiser__usual_name")
    def organiser_link(self, meeting: Meeting) -> SafeString | str:
        return object_link(meeting.organiser)

    @display(description=_("quand"), ordering=("start_date"))
    def when(self, meeting: Meeting) -> str:
        """Its own wall clock, with the zone when that is not the reader's."""
        start = f"{date_format(meeting.start_date, 'SHORT_DATE_FORMAT')} {meeting.start_time:%H:%M}"
        return start if meeting.time_zone == str(timezone.get_current_timezone()) else f"{start} {meeting.time_zone}"

    @display(description=_("salle Visio"))
    def room_link(self, meeting: Meeting) -> SafeString | str:
        return object_link(meeting.room)

    @display(description=_("participants"), ordering="attendee_count")
    def attendees_link(self, meeting: Any) -> SafeString:
        return list_link(Attendee, meeting.attendee_count, meeting__id__exact=meeting.pk)

    @display(description=_("échecs d’envoi"), ordering="failure_count")
    def failures_link(self, meeting: Any) -> SafeString | str:
        if not meeting.failure_count:
            return "0"
        return list_link(Delivery, meeting.failure_count, meeting__id__exact=meeting.pk, state__exact="failed")

    @display(description=_("liens"))
    def related(self, meeting: Meeting) -> SafeString:
        links = [
            list_link(Attendee, _("Participants"), meeting__id__exact=meeting.pk),
            list_link(Delivery, _("Envois"), meeting__id__exact=meeting.pk),
            list_link(Occurrence, _("Occurrences"), meeting__id__exact=meeting.pk),
            *(link for part in more_links if (link := part(meeting))),
        ]
        return format_html_join(" · ", "{}", ((link,) for link in links))

    @display(description=_("historique"))
    def history(self, meeting: Meeting) -> SafeString:
        changes = MeetingChange.objects.filter(meeting=meeting).select_related("by")[:20]
        return format_html_join(
            "",
            "<div>{} – {} – {}</div>",
            (
                (
                    date_format(timezone.localtime(change.at), "SHORT_DATETIME_FORMAT"),
                    change.get_kind_display(),
                    change.by or "–",
                )
                for change in changes
            ),
        )

    @admin.action(description=_("Renvoyer les invitations"), permissions=["act"])
    def resend_invitations(self, request: HttpRequest, queryset: QuerySet[Meeting]) -> None:
        """To every attendee, as the meeting is now."""
        for meeting in queryset:
            current = meeting.deliveries.filter(
                method=Method.REQUEST, sequence=meeting.sequence, revision=meeting.revision
            )
            resend_each(self, request, current.exclude(state=DeliveryState.SUPERSEDED))

    @admin.action(description=_("Réessayer les envois en échec"), permissions=["act"])
    def retry_failed(self, request: HttpRequest, queryset: QuerySet[Meeting]) -> None:
        resend_each(self, request, Delivery.objects.filter(meeting__in=queryset, state=DeliveryState.FAILED))


class OfMeetingAdmin(LedgerAdmin[Any]):
    """Rows of a meeting."""

    list_select_related = ["meeting"]

    @display(description=_("réunion"))
    def meeting_link(self, row: Any) -> SafeString | str:
        return object_link(row.meeting)


@admin.register(Occurrence)
class OccurrenceAdmin(OfMeetingAdmin):
    list_display = ["meeting_link", "starts_at", "ends_at", "status", "recurrence_id"]
    search_fields = ["meeting__title", "title"]
    list_filter = ["status", ("starts_at", admin.DateFieldListFilter)]
    fields = ["meeting_link", "starts_at", "ends_at", "status", "recurrence_id", "title"]


@admin.register(Attendee)
class AttendeeAdmin(OfMeetingAdmin):
    list_display = ["person", "email", "meeting_link", "starts_at", "role", "answer", "answered_at", "answered_via"]
    list_select_related = ["meeting", "agent"]
    list_filter = ["answer", "role", ("agent", admin.EmptyFieldListFilter), ("starts_at", admin.DateFieldListFilter)]
    search_fields = ["email", "name", "meeting__title"]
    fields = [
        "person",
        "email",
        "name",
        "meeting_link",
        ("starts_at", "ends_at"),
        "role",
        ("answer", "answered_at", "answered_revision", "answered_via"),
        "comment",
        "deliveries_link",
        "public_id",
    ]
    actions = ["revoke_links"]

    @display(description=_("personne"))
    def person(self, attendee: Attendee) -> SafeString | str:
        return object_link(attendee.agent) if attendee.agent else attendee.display_name

    @display(description=_("envois"))
    def deliveries_link(self, attendee: Attendee) -> SafeString:
        return list_link(Delivery, _("Voir les envois"), attendee__id__exact=attendee.pk)

    @admin.action(description=_("Révoquer les liens d’invitation"), permissions=["act"])
    def revoke_links(self, request: HttpRequest, queryset: QuerySet[Attendee]) -> None:
        attendees = list(queryset)
        for attendee in attendees:
            revoke_link(attendee)
        self.record(request, attendees, gettext("Lien d’invitation révoqué"))
        number = len(attendees)
        self.message_user(request, ngettext("%(n)d lien révoqué.", "%(n)d liens révoqués.", number) % {"n": number})


@admin.register(Delivery)
class DeliveryAdmin(OfMeetingAdmin):
    """The ledger: what was mailed, what is owed, what the server said."""

    list_display = [
        "recipient",
        "meeting_link",
        "reason",
        "revision",
        "state",
        "attempts",
        "due",
        "server_words",
    ]
    list_filter = ["state", "reason", "method", ("due_at", admin.DateFieldListFilter)]
    search_fields = ["recipient", "recipient_name", "uid"]
    fields = [
        "recipient",
        "recipient_name",
        "meeting_link",
        ("reason", "method", "language"),
        ("sequence", "revision", "resends"),
        ("state", "attempts"),
        ("due_at", "claimed_until", "sent_at"),
        "server_words",
        "before",
        "uid",
        "created_at",
    ]
    actions = ["send_again", "retry_failed"]

    @display(description=_("envoyé ou à envoyer le"), ordering="due_at")
    def due(self, delivery: Delivery) -> str:
        return date_format(timezone.localtime(delivery.sent_at or delivery.due_at), "SHORT_DATETIME_FORMAT")

    @admin.action(description=_("Renvoyer ces courriels"), permissions=["act"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        resend_each(self, request, queryset)

    @admin.action(description=_("Réessayer ceux qui ont échoué"), permissions=["act"])
    def retry_failed(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        resend_each(self, request, queryset.filter(state=DeliveryState.FAILED))


def resend_each(page: LedgerAdmin[Any], request: HttpRequest, deliveries: QuerySet[Delivery]) -> None:
    """Owe each of these again and say how many; those that cannot be are counted apart, with why."""
    if not isinstance(request.user, Agent):
        raise PermissionDenied
    owed: list[Delivery] = []
    refused = Counter[str]()
    for delivery in deliveries.select_related("meeting").order_by("pk"):
        try:
            owed += resend(delivery=delivery, by=request.user, now=timezone.now())
        except ResendRefused as refusal:
            refused[refusal.reason] += 1
    page.record(request, owed, gettext("Envoi relancé"))
    sent = len(owed)
    if sent or not refused:
        page.message_user(request, ngettext("%(n)d envoi relancé.", "%(n)d envois relancés.", sent) % {"n": sent})
    for reason, number in refused.items():
        words = {
            "under_way": ngettext("%(n)d envoi est déjà en cours.", "%(n)d envois sont déjà en cours.", number),
            "removed": ngettext(
                "%(n)d destinataire n’est plus invité.", "%(n)d destinataires ne sont plus invités.", number
            ),
            "not_allowed": ngettext("%(n)d envoi vous est interdit.", "%(n)d envois vous sont interdits.", number),
        }[reason]
        page.message_user(request, words % {"n": number}, messages.WARNING)


@admin.register(Room)
class RoomAdmin(LedgerAdmin[Room]):
    list_display = ["slug", "engine", "access_level", "meeting_link", "created_at", "closed_at"]
    list_select_related = ["meeting"]
    list_filter = ["access_level", "engine", ("closed_at", admin.EmptyFieldListFilter)]
    search_fields = ["slug", "meeting__title"]
    fields = ["slug", "engine", "access_level", "meeting_link", "created_at", "closed_at", "public_id"]

    @display(description=_("réunion"))
    def meeting_link(self, room: Room) -> SafeString | str:
        return object_link(getattr(room, "meeting", None))
