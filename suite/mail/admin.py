"""Letters that are owed, sent and set aside, for administrators. Their texts stay closed: they hold the reader's own links."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from suite.core.administration import LedgerAdmin
from suite.mail.models import OutboxMail


@admin.register(OutboxMail)
class OutboxMailAdmin(LedgerAdmin[OutboxMail]):
    list_display = ["recipient", "kind", "state", "attempts", "due_at", "sent_at", "server_words"]
    list_filter = ["state", "kind", ("due_at", admin.DateFieldListFilter)]
    search_fields = ["recipient", "recipient_name"]
    fields = [
        ("recipient", "recipient_name"),
        ("kind", "state", "attempts"),
        ("due_at", "sent_at", "created_at"),
        "server_words",
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[OutboxMail]:
        return super().get_queryset(request).defer("text", "html")
