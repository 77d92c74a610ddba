"""Error pages that must come out whatever is broken: no database, no session, no context processor."""

from __future__ import annotations

from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils import translation

from suite.agents.models import Theme
from suite.agents.problems import CONTENT_TYPE
from suite.portal.context import THEME_COOKIE

API = "/api/"


def _alone(request: HttpRequest, status: int) -> HttpResponse:
    chosen = request.COOKIES.get(THEME_COOKIE, "")
    context = {
        "language": translation.get_language() or settings.LANGUAGE_CODE,
        "theme": chosen if chosen in Theme.values else Theme.SYSTEM.value,
    }
    return HttpResponse(render_to_string(f"{status}.html", context), status=status)


def _problem(status: HTTPStatus) -> HttpResponse:
    """For other tools: what suite.agents.problems says where a view still answers."""
    body = {"type": "about:blank", "title": status.phrase, "status": status.value}
    return JsonResponse(body, status=status, content_type=CONTENT_TYPE)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: the exception's words may hold what was sent, so they are not shown."""
    if request.path.startswith(API):
        return _problem(HTTPStatus.BAD_REQUEST)
    return _alone(request, 400)


def server_error(request: HttpRequest) -> HttpResponse:
    """500."""
    if request.path.startswith(API):
        return _problem(HTTPStatus.INTERNAL_SERVER_ERROR)
    return _alone(request, 500)
