"""What every part's Django admin shares: read-only ledgers, links between objects, lists that stay quick when large."""

from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.paginator import Paginator
from django.db import connection, models
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

M = TypeVar("M", bound=models.Model)

if TYPE_CHECKING:
    _Paginator = Paginator[Any]

    class _ModelAdmin(admin.ModelAdmin[M]):
        """Generic in the stubs alone."""

else:
    _Paginator = Paginator

    class _ModelAdmin(admin.ModelAdmin, Generic[M]):
        """Takes the stubs' parameter at run time too."""


class EstimatedPaginator(_Paginator):
    """Counts exactly up to `exact_up_to` rows; beyond, PostgreSQL's own estimate of the query's rows will do."""

    exact_up_to = 10_000

    @cached_property
    def count(self) -> int:
        rows = self.object_list
        if not isinstance(rows, models.QuerySet):
            return len(rows)
        bounded = rows.order_by().values("pk")[: self.exact_up_to + 1].count()
        if bounded <= self.exact_up_to:
            return bounded
        sql, parameters = rows.order_by().values("pk").query.sql_with_params()
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", parameters)
            plan = cursor.fetchone()[0]
        return max(int(plan[0]["Plan"]["Plan Rows"]), bounded)


class PortalAdmin(_ModelAdmin[M]):
    """A list page that neither counts a whole table nor fetches row by row."""

    paginator = EstimatedPaginator
    show_full_result_count = False
    list_per_page = 50

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        """Text, which is found with and without its accents."""
        return [f"{name}__unaccent" for name in super().get_search_fields(request)]

    def record(self, request: HttpRequest, rows: Iterable[M], act: str) -> None:
        """Write into each row's history who did `act`."""
        LogEntry.objects.log_actions(cast(int, request.user.pk), list(rows), CHANGE, act)


class LedgerAdmin(PortalAdmin[M]):
    """Looked at, acted on, never edited by hand: these rows change only through the operations that mail and tell.

    Acts ask for the permission "act": whoever may change the model.
    """

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return super().has_view_permission(request, obj)

    def has_act_permission(self, request: HttpRequest) -> bool:
        return super().has_change_permission(request)


def admin_url(model: type[models.Model], pk: object) -> str:
    """The address of one object's page in the admin."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[pk])


def object_link(target: models.Model | None) -> SafeString | str:
    """A link to the object's page, in its own words; a dash for nothing."""
    if target is None:
        return "–"
    return format_html('<a href="{}">{}</a>', admin_url(type(target), target.pk), target)


def list_link(model: type[models.Model], words: object, **where: object) -> SafeString:
    """A link to the model's list, narrowed by `where` (look-ups as in a filter)."""
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return format_html('<a href="{}?{}">{}</a>', url, urlencode(where), words)
