"""Reminders in the Django admin: to look at, not to change."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from visio.reminders.models import Reminder


@admin.register(Reminder)
class ReminderAdmin(admin.ModelAdmin[Reminder]):
    list_display = ("agent", "occurrence", "minutes", "due_at", "by_email", "done_at", "dismissed_at")
    list_filter = ("by_email", ("done_at", admin.EmptyFieldListFilter))
    search_fields = ("agent__email", "agent__usual_name", "occurrence__meeting__title")
    list_select_related = ("agent", "occurrence")
    date_hierarchy = "due_at"
    ordering = ("-due_at",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Reminder | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Reminder | None = None) -> bool:
        return False
