"""An agent's own settings: language, time zone, theme, presence, personal tokens."""

from __future__ import annotations

from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from suite.agents.models import Agent, ChosenPresence
from suite.agents.scopes import scope_words
from suite.agents.tokens import MOST_TOKENS, TooManyTokens, issue_token, revoke_token, usable_tokens
from suite.live import presence
from suite.portal.context import frame, presence_end
from suite.portal.forms import SettingsForm, TokenForm
from suite.portal.public import on_our_host, remember
from visio.meetings.zones import zone_options

# Where the secret of a new token waits for the one page that shows it.
NEW_TOKEN = "new_token"  # noqa: S105  a name of a session entry


@require_http_methods(["GET", "HEAD", "POST"])
def settings_page(request: HttpRequest) -> HttpResponse:
    agent = cast(Agent, request.user)
    if request.method != "POST":
        return _page(request, SettingsForm.of(agent), TokenForm())
    form = SettingsForm(request.POST)
    if not form.is_valid():
        return _page(request, form, TokenForm(), status=422)
    form.save(agent)
    with translation.override(agent.language):
        messages.success(request, _("Vos réglages sont enregistrés."))
    response = redirect("portal:settings")
    # The language also holds after signing out, on this browser.
    remember(request, response, settings.LANGUAGE_COOKIE_NAME, agent.language)
    return response


def _page(request: HttpRequest, form: SettingsForm, token_form: TokenForm, status: int = 200) -> HttpResponse:
    now = timezone.now()
    agent = cast(Agent, request.user)
    context: dict[str, Any] = {
        "form": form,
        "token_form": token_form,
        "zones": zone_options(chosen=str(form["time_zone"].value() or agent.time_zone), at=now),
        "tokens": [(token, scope_words(token.scopes)) for token in usable_tokens(agent, now=now)],
        "secret": request.session.pop(NEW_TOKEN, ""),
    }
    return render(request, "portal/settings.html", context, status=status)


@require_POST
@sensitive_variables("secret")
def create_token(request: HttpRequest) -> HttpResponse:
    """Make a token; its secret is shown by the next page and by no other."""
    agent = cast(Agent, request.user)
    form = TokenForm(request.POST)
    if form.is_valid():
        try:
            _token, secret = issue_token(
                agent=agent,
                name=form.cleaned_data["name"],
                days=form.cleaned_data["days"],
                scopes=form.cleaned_data["scopes"],
                now=timezone.now(),
            )
        except TooManyTokens:
            form.add_error(
                None, _("Vous avez déjà %(count)d jetons : révoquez-en un d’abord.") % {"count": MOST_TOKENS}
            )
        else:
            request.session[NEW_TOKEN] = secret
            return HttpResponseRedirect(f"{_settings_url()}#jetons")
    return _page(request, SettingsForm.of(agent), form, status=422)


@require_POST
def revoke(request: HttpRequest, token_id: int) -> HttpResponse:
    """Revoke one of one's own tokens; another's does not exist."""
    if not revoke_token(agent=cast(Agent, request.user), token_id=token_id, now=timezone.now()):
        raise Http404
    messages.success(request, _("Le jeton est révoqué : l’outil qui l’utilisait n’a plus accès."))
    return HttpResponseRedirect(f"{_settings_url()}#jetons")


def _settings_url() -> str:
    return redirect("portal:settings").url


@require_POST
def choose_presence(request: HttpRequest) -> HttpResponse:
    """Show oneself in another state, until a moment that the form names; htmx gets the header's button again."""
    agent, now = cast(Agent, request.user), timezone.now()
    state = request.POST.get("state", "")
    if state not in ChosenPresence.values:
        return HttpResponse(status=422)
    presence.choose(agent=agent, state=state, until=presence_end(request.POST.get("until", ""), now), now=now)
    if request.headers.get("HX-Request"):
        frame(request).now = now
        return render(request, "portal/_presence_menu.html", {"open": True})
    return HttpResponseRedirect(on_our_host(request, request.POST.get("next", "")))
