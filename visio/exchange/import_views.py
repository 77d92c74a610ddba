"""Import a calendar file: give it, read what would happen line by line, consent."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods

from suite.agents.models import Agent
from suite.core.plain import one_line
from visio.exchange.forms import UploadForm
from visio.exchange.importing import KEPT, Done, carry_out, keep_file
from visio.exchange.models import CalendarImport
from visio.exchange.parsing import FileRefused
from visio.exchange.planning import Plan, count_words, plan_import
from visio.exchange.preview import lines_of
from visio.exchange.uploads import BoundedUpload, is_too_big
from visio.meetings.requests import page_number, signed_in

REFUSED = 422
TOO_BIG = 413
LINES_A_PAGE = 100


# The token is checked by the view behind, after the upload handler is in its place (Django reads the body for the token).
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def upload(request: HttpRequest) -> HttpResponse:
    """The page; a POST reads the file and leads to its preview. Its declared type says nothing, its content does."""
    if request.method == "POST" and is_too_big(request):
        return _upload_page(request, UploadForm(), refusal=FileRefused("too_big").message, status=TOO_BIG)
    request.upload_handlers = [BoundedUpload(request)]
    return _upload(request)


@csrf_protect
def _upload(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return _upload_page(request, UploadForm())
    form = UploadForm(request.POST, request.FILES)
    agent = signed_in(request)
    if is_too_big(request):
        return _upload_page(request, UploadForm(), refusal=FileRefused("too_big").message, status=TOO_BIG)
    if not form.is_valid():
        return _upload_page(request, form, status=REFUSED)
    given = form.cleaned_data["file"]
    content = given.read()
    try:
        plan_import(content, agent=agent, now=timezone.now())
    except FileRefused as refused:
        return _upload_page(request, form, refusal=refused.message, status=REFUSED)
    kept = keep_file(agent=agent, file_name=one_line(given.name or ""), content=content)
    return redirect("exchange:preview", kept.public_id)


@require_http_methods(["GET", "HEAD", "POST"])
def preview(request: HttpRequest, import_id: uuid.UUID) -> HttpResponse:
    """What would happen; a POST makes it happen. One's own file, for a day; another's does not exist."""
    agent, now = signed_in(request), timezone.now()
    kept = CalendarImport.objects.filter(agent=agent, public_id=import_id, created_at__gt=now - KEPT).first()
    if kept is None:
        raise Http404
    plan = plan_import(bytes(kept.content), agent=agent, now=now)
    if request.method != "POST":
        return _preview_page(request, kept, plan)
    done = carry_out(plan, agent=agent, now=now, invites=request.POST.get("invite") == "1")
    if not done.left:
        kept.done_at = now
        kept.save(update_fields=["done_at"])
    _say(request, done)
    if done.left or done.failed:
        return redirect("exchange:preview", kept.public_id)
    return redirect("meetings:list")


def _say(request: HttpRequest, done: Done) -> None:
    words = [
        ngettext("%(count)d réunion créée", "%(count)d réunions créées", done.counts["create"]),
        ngettext("%(count)d modifiée", "%(count)d modifiées", done.counts["change"]),
        ngettext("%(count)d annulée", "%(count)d annulées", done.counts["cancel"]),
    ]
    counts = [done.counts[action] for action in ("create", "change", "cancel")]
    said = ", ".join(text % {"count": count} for text, count in zip(words, counts, strict=True) if count)
    if said:
        messages.success(request, _("Import : %(what)s.") % {"what": said})
    elif not done.failed:
        messages.success(request, _("Rien à changer : tout était déjà là."))
    if done.left:
        left = ngettext(
            "Il en reste %(count)d : continuez l’import.", "Il en reste %(count)d : continuez l’import.", done.left
        )
        messages.warning(request, left % {"count": done.left})
    if done.failed:
        failed = ngettext(
            "%(count)d réunion n’a pas pu être reprise.",
            "%(count)d réunions n’ont pas pu être reprises.",
            len(done.failed),
        )
        messages.error(request, failed % {"count": len(done.failed)})


def _upload_page(request: HttpRequest, form: UploadForm, *, refusal: str = "", status: int = 200) -> HttpResponse:
    errors = [refusal] if refusal else list(form.errors.get("file", []))
    context = {"page": "meetings", "errors": errors}
    return render(request, "visio/exchange/upload.html", context, status=status)


def _preview_page(request: HttpRequest, kept: CalendarImport, plan: Plan) -> HttpResponse:
    agent: Agent = signed_in(request)
    pages = Paginator(lines_of(plan, agent=agent, now=timezone.now()), LINES_A_PAGE)
    shown = pages.get_page(page_number(request))
    context: dict[str, Any] = {
        "page": "meetings",
        "kept": kept,
        "plan": plan,
        "lines": shown,
        "counts": count_words(plan),
        "to_do": len(plan.to_do),
        "may_invite": any(step.is_mine and not step.is_over and step.draft.attendees for step in plan.to_do),
    }
    return render(request, "visio/exchange/preview.html", context)
