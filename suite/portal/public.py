"""Pages and forms for people without a session: sign-in, refusal, language, theme, what the law asks for."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from mozilla_django_oidc.views import OIDCLogoutView

from suite.agents.login import REASONS, REFUSAL_KEY
from suite.agents.models import Agent, Theme
from suite.portal.context import THEME_COOKIE
from suite.portal.health import service_states

A_YEAR = 365 * 24 * 3600
# Signing out ends the session, and the way back leads past the identity provider: this is how the page knows.
LEFT_COOKIE = "left"
LEFT_SECONDS = 120


def on_our_host(request: HttpRequest, address: str) -> str:
    """`address` when it leads to a page of ours, "/" otherwise."""
    if url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure()):
        return address
    return "/"


def remember(request: HttpRequest, response: HttpResponse, name: str, value: str) -> None:
    """Keep a choice in the browser for a year; no script needs to read it."""
    response.set_cookie(name, value, max_age=A_YEAR, httponly=True, samesite="Lax", secure=request.is_secure())


@login_not_required
@never_cache
@require_safe
def sign_in(request: HttpRequest) -> HttpResponse:
    """The one button, with where to go next; an agent who has a session is already there."""
    wanted = on_our_host(request, request.GET.get("next", ""))
    if request.user.is_authenticated:
        return redirect(wanted)
    left = request.COOKIES.get(LEFT_COOKIE) == "1"
    context = {"next": wanted, "services": service_states(timezone.now()), "left": left}
    response = render(request, "portal/sign_in.html", context)
    if left:
        response.delete_cookie(LEFT_COOKIE, samesite="Lax")
    return response


@login_not_required
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the portal's session, then the identity provider's (RP-initiated logout); the sign-in page says so."""
    response: HttpResponse = OIDCLogoutView.as_view()(request)
    response.set_cookie(
        LEFT_COOKIE, "1", max_age=LEFT_SECONDS, httponly=True, samesite="Lax", secure=request.is_secure()
    )
    return response


@login_not_required
@never_cache
@require_safe
def refused(request: HttpRequest) -> HttpResponse:
    """Why the sign-in did not work. The reason stays in the session, so that reloading the page still says it."""
    reason = request.session.get(REFUSAL_KEY, "expired")
    context = {"reason": reason if reason in REASONS else "expired"}
    return render(request, "portal/refused.html", context, status=403)


@login_not_required
@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Choose the language: kept by the browser, and by the agent's settings when there is a session."""
    chosen = request.POST.get("language", "")
    response = HttpResponseRedirect(on_our_host(request, request.POST.get("next", "")))
    if chosen in dict(settings.LANGUAGES):
        if isinstance(request.user, Agent):
            request.user.language = chosen
            request.user.save(update_fields=["language"])
        remember(request, response, settings.LANGUAGE_COOKIE_NAME, chosen)
    return response


@login_not_required
@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Choose the theme; the same two places. The page's script has already shown it: htmx gets an empty answer."""
    chosen = request.POST.get("theme", "")
    if request.headers.get("HX-Request"):
        response = HttpResponse(status=204)
    else:
        response = HttpResponseRedirect(on_our_host(request, request.POST.get("next", "")))
    if chosen in Theme.values:
        if isinstance(request.user, Agent):
            request.user.theme = chosen
            request.user.save(update_fields=["theme"])
        remember(request, response, THEME_COOKIE, chosen)
    return response


@login_not_required
@require_safe
def accessibility(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/accessibility.html")


@login_not_required
@require_safe
def legal(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/legal.html")


@login_not_required
@require_safe
def personal_data(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/personal_data.html")


@login_not_required
@require_safe
def cookies(request: HttpRequest) -> HttpResponse:
    names = {
        "session": settings.SESSION_COOKIE_NAME,
        "hours": settings.SESSION_COOKIE_AGE // 3600,
        "csrf": settings.CSRF_COOKIE_NAME,
        "language": settings.LANGUAGE_COOKIE_NAME,
        "theme": THEME_COOKIE,
        "left": LEFT_COOKIE,
    }
    return render(request, "portal/cookies.html", {"names": names})
