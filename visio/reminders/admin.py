"""Reminders in the Django admin: to look at, not to change."""

from __future__ import annotations

from django.contrib import admin

from suite.core.administration import LedgerAdmin
from visio.reminders.models import Reminder


@admin.register(Reminder)
class ReminderAdmin(LedgerAdmin[Reminder]):
    list_display = ("agent", "occurrence", "minutes", "due_at", "by_email", "done_at", "dismissed_at")
    list_filter = ("by_email", ("done_at", admin.EmptyFieldListFilter))
    search_fields = ("agent__email", "agent__search_name", "occurrence__meeting__title")
    list_select_related = ("agent", "occurrence")
    date_hierarchy = "due_at"
    ordering = ("-due_at",)
