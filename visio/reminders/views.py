"""The reminders on a page, their settings, and the link that ends the mails."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from visio.meetings.requests import from_htmx, signed_in
from visio.meetings.words import duration
from visio.reminders import due, unsubscribing
from visio.reminders.forms import RemindersForm

REFUSED = 422


@never_cache
@require_GET
def shown(request: HttpRequest) -> HttpResponse:
    """The fragment that stands on every page."""
    agent, now = signed_in(request), timezone.now()
    rows = due.shown_to(agent.pk, now=now)
    return render(request, "visio/reminders/_shown.html", {"reminders": rows, "zone": agent.time_zone, "now": now})


@require_POST
def dismiss(request: HttpRequest, reminder_id: int) -> HttpResponse:
    """Close one's own reminder; another's does not exist."""
    agent = signed_in(request)
    if not due.dismiss(agent_id=agent.pk, reminder_id=reminder_id, now=timezone.now()):
        raise Http404
    return HttpResponse(status=204) if from_htmx(request) else redirect("portal:dashboard")


@require_http_methods(["GET", "HEAD", "POST"])
def settings_page(request: HttpRequest) -> HttpResponse:
    agent = signed_in(request)
    form = RemindersForm(request.POST) if request.method == "POST" else RemindersForm.of(agent)
    if request.method == "POST" and form.is_valid():
        form.save(agent)
        messages.success(request, _("Vos rappels sont enregistrés."))
        return redirect("reminders:settings")
    chosen = {int(value) for value in form["minutes"].value() or [] if str(value).isdigit()}
    context = {
        "form": form,
        "choices": [(value, capfirst(before_words(value)), value in chosen) for value in due.CHOICES],
    }
    return render(request, "visio/reminders/settings.html", context, status=REFUSED if form.errors else 200)


def before_words(minutes: int) -> str:
    """ "10 min avant", "2 h avant", "1 j avant"."""
    return _("%(duration)s avant") % {"duration": duration(minutes)}


@csrf_exempt  # The mail program posts by itself (RFC 8058 §3.2); the signed address is the permission.
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_not_required
def stop(request: HttpRequest, token: str) -> HttpResponse:
    """GET asks and changes nothing: scanners follow links. POST ends these mails."""
    found = unsubscribing.read_token(token)
    if found is None:
        raise Http404
    agent, kind = found
    if request.method == "POST":
        unsubscribing.stop(agent, kind)
    with translation.override(agent.language):
        context = {"done": request.method == "POST", "kind": kind, "agent": agent}
        return render(request, "visio/reminders/stop.html", context)
