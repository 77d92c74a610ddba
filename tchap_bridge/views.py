"""Where the homeserver calls the application service (https://spec.matrix.org/v1.16/application-service-api/)."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from suite.core.doorbell import ring
from tchap_bridge import inbound
from tchap_bridge.tasks import reconcile_room

# A transaction holds at most 100 events of 64 KiB and 100 ephemeral ones.
LARGEST_BODY = 10 * 1024 * 1024

P = ParamSpec("P")


def refuse(status: int, errcode: str, words: str) -> JsonResponse:
    return JsonResponse({"errcode": errcode, "error": words}, status=status)


def for_homeserver(
    method: str,
) -> Callable[
    [Callable[Concatenate[HttpRequest, P], JsonResponse]], Callable[Concatenate[HttpRequest, P], JsonResponse]
]:
    """A view for the homeserver alone: it proves itself by `hs_token`, not by a session, so CSRF does not apply.

    401 without a token, 403 with a wrong one (and always when none is configured), 405 for another method.
    """

    def decorate(
        view: Callable[Concatenate[HttpRequest, P], JsonResponse],
    ) -> Callable[Concatenate[HttpRequest, P], JsonResponse]:
        @login_not_required
        @csrf_exempt
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> JsonResponse:
            given = request.headers.get("Authorization", "")
            if not given.startswith("Bearer "):
                return refuse(401, "M_UNAUTHORIZED", "Authorization: Bearer hs_token is missing")
            expected = settings.MATRIX_HS_TOKEN.encode()
            if not expected or not hmac.compare_digest(given.removeprefix("Bearer ").encode(), expected):
                return refuse(403, "M_FORBIDDEN", "wrong hs_token")
            if request.method != method:
                return refuse(405, "M_UNRECOGNIZED", f"only {method}")
            return view(request, *args, **kwargs)

        return guarded

    return decorate


@for_homeserver("PUT")
def receive_transaction(request: HttpRequest, transaction_id: str) -> JsonResponse:
    """Take events in. 200 also for what is ignored: anything else makes the homeserver repeat it for ever."""
    body = request.read(LARGEST_BODY + 1)
    if len(body) > LARGEST_BODY:
        return refuse(413, "M_TOO_LARGE", f"at most {LARGEST_BODY} bytes")
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return refuse(400, "M_NOT_JSON", "the body is no JSON")
    rows = found.get("events") if isinstance(found, dict) else None
    if not isinstance(rows, list):
        return refuse(400, "M_BAD_JSON", "events must be a list")
    for room_id in inbound.receive(transaction_id=transaction_id, rows=rows, now=timezone.now()):
        ring(reconcile_room, room_id)
    return JsonResponse({})


@for_homeserver("POST")
def receive_ping(request: HttpRequest) -> JsonResponse:
    return JsonResponse({})


@for_homeserver("GET")
def has_user(request: HttpRequest, user_id: str) -> JsonResponse:
    """The service makes no users on demand."""
    return refuse(404, "M_NOT_FOUND", "no such user")


@for_homeserver("GET")
def has_room(request: HttpRequest, alias: str) -> JsonResponse:
    """Nor rooms: a meeting's room is made when the meeting is."""
    return refuse(404, "M_NOT_FOUND", "no such room")
