"""What came by mail, for administrators. The message as it arrived is a superuser's to download: it holds what people wrote."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin import display
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from suite.core.administration import LedgerAdmin, object_link
from visio.inbox.models import InboundMessage


@admin.register(InboundMessage)
class InboundMessageAdmin(LedgerAdmin[InboundMessage]):
    list_display = ["sender", "subject", "method", "meeting_link", "verdict", "words", "received_at"]
    list_select_related = ["meeting"]
    list_filter = ["verdict", "method", ("received_at", admin.DateFieldListFilter)]
    search_fields = ["sender", "subject", "uid", "message_id"]
    fields = [
        ("sender", "envelope_from"),
        "envelope_to",
        "subject",
        "message_id",
        ("method", "answer"),
        ("uid", "recurrence_id"),
        ("sequence", "stamp"),
        "meeting_link",
        "attendee_link",
        ("verdict", "words"),
        "received_at",
        "raw_link",
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[InboundMessage]:
        return super().get_queryset(request).defer("raw")

    def get_urls(self) -> list[URLPattern]:
        raw = path(
            "<int:pk>/message.eml",
            self.admin_site.admin_view(require_safe(self.raw_message)),
            name="visio_inboundmessage_raw",
        )
        return [raw, *super().get_urls()]

    def get_fields(self, request: HttpRequest, obj: InboundMessage | None = None) -> list[Any]:
        fields = list(super().get_fields(request, obj))
        return fields if _is_superuser(request) else [name for name in fields if name != "raw_link"]

    def raw_message(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The bytes as they came, never shown in the browser."""
        if not _is_superuser(request):
            raise PermissionDenied
        row = InboundMessage.objects.filter(pk=pk).first()
        if row is None:
            raise Http404
        response = HttpResponse(bytes(row.raw), content_type="application/octet-stream")
        response["Content-Disposition"] = f'attachment; filename="message-{row.pk}.eml"'
        return response

    @display(description=gettext_lazy("réunion"))
    def meeting_link(self, row: InboundMessage) -> SafeString | str:
        return object_link(row.meeting)

    @display(description=gettext_lazy("participant"))
    def attendee_link(self, row: InboundMessage) -> SafeString | str:
        return object_link(row.attendee)

    @display(description=gettext_lazy("message d’origine"))
    def raw_link(self, row: InboundMessage) -> SafeString:
        url = reverse("admin:visio_inboundmessage_raw", args=[row.pk])
        return format_html('<a href="{}">{}</a>', url, _("Télécharger"))


def _is_superuser(request: HttpRequest) -> bool:
    return bool(request.user.is_active and getattr(request.user, "is_superuser", False))
