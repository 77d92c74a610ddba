"""The admin site: entered through ProConnect alone, for administrators alone."""

from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache


class Administration(AdminSite):
    """Django's admin without its password form."""

    site_title = _("Portail de la Suite – administration")
    site_header = _("Portail de la Suite – administration")
    index_title = _("Administration")
    site_url = "/"
    empty_value_display = "–"

    @method_decorator(never_cache)
    @method_decorator(login_not_required)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Nobody: to the sign-in page, then back. An agent who is no administrator: 403."""
        target = request.GET.get("next", "")
        if not url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()}):
            target = reverse("admin:index")
        if request.user.is_authenticated:
            if not self.has_permission(request):
                raise PermissionDenied(_("Cette partie est réservée à l’administration du portail."))
            return HttpResponseRedirect(target)
        return redirect_to_login(target, resolve_url(settings.LOGIN_URL))

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Signing out goes through the portal, so that the identity provider hears of it too."""
        return HttpResponseRedirect(reverse("oidc_logout"), preserve_request=True)

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Agents have no password here."""
        raise Http404

    def password_change_done(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        raise Http404
