"""Administration of the Tchap rooms: what each should show, what it shows, and why it is behind."""

from typing import Any

from django.contrib import admin
from django.contrib.admin import display
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from suite.core.administration import LedgerAdmin, list_link, object_link
from suite.core.doorbell import ring
from tchap_bridge.models import InboundEvent, TchapMember, TchapMessage, TchapRoom
from tchap_bridge.owed import retry
from tchap_bridge.tasks import reconcile_room
from visio.admin import more_links
from visio.models import Meeting


class BehindFilter(admin.SimpleListFilter):
    """Whether the homeserver still shows an older state."""

    title = _("retard")
    parameter_name = "retard"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("oui", _("En retard sur la réunion")), ("non", _("À jour"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[TchapRoom]) -> QuerySet[TchapRoom]:
        if self.value() == "oui":
            return queryset.filter(wanted__gt=F("applied"))
        if self.value() == "non":
            return queryset.filter(wanted__lte=F("applied"))
        return queryset


@admin.register(TchapRoom)
class TchapRoomAdmin(LedgerAdmin[TchapRoom]):
    list_display = [
        "alias_localpart",
        "meeting_link",
        "standing",
        "wanted",
        "applied",
        "attempts",
        "due_at",
        "applied_at",
        "last_error",
    ]
    list_select_related = ["meeting"]
    list_filter = ["state", BehindFilter, ("due_at", admin.DateFieldListFilter)]
    search_fields = ["alias_localpart", "room_id", "meeting__title"]
    fields = [
        "alias_localpart",
        "room_id",
        "meeting_link",
        "standing",
        ("wanted", "applied", "applied_at"),
        ("attempts", "due_at", "claimed_until"),
        "last_error",
        "shown",
        "related",
        "created_at",
    ]
    actions = ["reconcile_now"]

    @display(description=_("réunion"))
    def meeting_link(self, room: TchapRoom) -> SafeString | str:
        return object_link(room.meeting)

    @display(description=_("liens"))
    def related(self, room: TchapRoom) -> SafeString:
        members = list_link(TchapMember, _("Membres"), room__id__exact=room.pk)
        return format_html("{} · {}", members, list_link(TchapMessage, _("Messages"), room__id__exact=room.pk))

    @admin.action(description=_("Mettre le salon à jour maintenant"), permissions=["act"])
    def reconcile_now(self, request: HttpRequest, queryset: QuerySet[TchapRoom]) -> None:
        """Due at once, refused ones too; the worker does it, or the next sweep when the doorbell is unheard."""
        rooms = list(queryset)
        for room in rooms:
            retry(room, now=timezone.now())
            ring(reconcile_room, room.pk)
        self.record(request, rooms, gettext("Mise à jour demandée"))
        number = len(rooms)
        self.message_user(
            request,
            ngettext("%(n)d salon sera mis à jour.", "%(n)d salons seront mis à jour.", number) % {"n": number},
        )


@admin.register(TchapMember)
class TchapMemberAdmin(LedgerAdmin[TchapMember]):
    list_display = ["agent_link", "matrix_id", "room_link", "state"]
    list_select_related = ["agent", "room"]
    list_filter = ["state"]
    search_fields = ["matrix_id", "agent__search_name", "room__alias_localpart"]
    fields = ["agent_link", "matrix_id", "room_link", "state"]

    @display(description=_("agent"), ordering="agent__usual_name")
    def agent_link(self, member: TchapMember) -> SafeString | str:
        return object_link(member.agent)

    @display(description=_("salon Tchap"))
    def room_link(self, member: TchapMember) -> SafeString | str:
        return object_link(member.room)


@admin.register(TchapMessage)
class TchapMessageAdmin(LedgerAdmin[TchapMessage]):
    list_display = ["room_link", "about", "body", "is_sent", "created_at"]
    list_select_related = ["room"]
    list_filter = [("created_at", admin.DateFieldListFilter)]
    search_fields = ["room__alias_localpart", "about"]
    fields = ["room_link", "about", "body", "event_id", "transaction_id", "created_at"]

    @display(description=_("salon Tchap"))
    def room_link(self, message: TchapMessage) -> SafeString | str:
        return object_link(message.room)

    @display(description=_("envoyé"), boolean=True)
    def is_sent(self, message: TchapMessage) -> bool:
        return bool(message.event_id)


@admin.register(InboundEvent)
class InboundEventAdmin(LedgerAdmin[InboundEvent]):
    list_display = ["key", "seen_at"]
    search_fields = ["key"]
    date_hierarchy = "seen_at"
    fields = ["key", "seen_at"]


def room_of(meeting: Meeting) -> SafeString | str:
    """The link that a meeting's page shows to its Tchap room."""
    room = TchapRoom.objects.filter(meeting=meeting).first()
    return object_link(room) if room else ""


more_links.append(room_of)
