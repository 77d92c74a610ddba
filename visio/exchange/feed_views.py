"""The feed itself, for calendars, and the page where an agent makes and revokes its address."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.cache import get_conditional_response
from django.utils.http import http_date, quote_etag
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from visio.exchange.feeds import (
    MOST_FEEDS,
    TooManyFeeds,
    create_feed,
    feed_by_token,
    feed_url,
    note_use,
    revoke_feed,
    usable_feeds,
    webcal_url,
)
from visio.exchange.forms import FeedForm
from visio.exchange.publishing import read_version, render_feed
from visio.meetings.requests import signed_in

# Where the secret of a new address waits for the one page that shows it.
NEW_FEED = "new_feed"
REFUSED = 422


@login_not_required
@gzip_page
@require_safe
@sensitive_variables("token")
def feed(request: HttpRequest, token: str) -> HttpResponse:
    """The agent's meetings, for whoever holds the address; 304 when the reader has them already.

    ?declinees=1 keeps the meetings that the agent declined. Nothing here depends on a session.
    """
    found = feed_by_token(token)
    if found is None:
        raise Http404
    now = timezone.now()
    note_use(found, now=now)
    declined = request.GET.get("declinees") == "1"
    version = read_version(found, declined=declined, now=now)
    etag, since = quote_etag(version.tag), int(version.since.timestamp())
    response = get_conditional_response(request, etag=etag, last_modified=since)
    if response is None:
        with translation.override(found.agent.language):
            content = render_feed(found, declined=declined, now=now)
        response = HttpResponse(content, content_type="text/calendar; charset=utf-8")
        response["Content-Disposition"] = 'inline; filename="agenda.ics"'
    response["ETag"], response["Last-Modified"] = etag, http_date(since)
    # Ask again each time: a 304 costs next to nothing.
    response["Cache-Control"] = "private, no-cache"
    response["X-Robots-Tag"] = "noindex"
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_variables("secret")
def feeds(request: HttpRequest) -> HttpResponse:
    """The page; a POST makes an address, which the next page shows once."""
    if request.method != "POST":
        return _page(request, FeedForm())
    form = FeedForm(request.POST)
    if form.is_valid():
        try:
            _feed, secret = create_feed(
                agent=signed_in(request), name=form.cleaned_data["name"], detail=form.cleaned_data["detail"]
            )
        except TooManyFeeds:
            form.add_error(
                None,
                ngettext(
                    "Vous avez déjà %(count)d abonnement : révoquez-le d’abord.",
                    "Vous avez déjà %(count)d abonnements : révoquez-en un d’abord.",
                    MOST_FEEDS,
                )
                % {"count": MOST_FEEDS},
            )
        else:
            request.session[NEW_FEED] = secret
            return redirect("exchange:feeds")
    return _page(request, form, status=REFUSED)


@require_POST
def revoke(request: HttpRequest, feed_id: int) -> HttpResponse:
    """Revoke one of one's own; another's does not exist."""
    if not revoke_feed(agent=signed_in(request), feed_id=feed_id, now=timezone.now()):
        raise Http404
    messages.success(request, _("L’abonnement est révoqué : son adresse ne répond plus."))
    return redirect("exchange:feeds")


def _page(request: HttpRequest, form: FeedForm, status: int = 200) -> HttpResponse:
    secret = request.session.pop(NEW_FEED, "") if request.method == "GET" else ""
    url = feed_url(secret) if secret else ""
    context: dict[str, Any] = {
        "form": form,
        "feeds": usable_feeds(signed_in(request)),
        "url": url,
        "webcal": webcal_url(url) if url else "",
    }
    return render(request, "visio/exchange/feeds.html", context, status=status)
