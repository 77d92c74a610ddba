"""API errors as problem details (RFC 9457): one shape for every refusal."""

from __future__ import annotations

import math
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from suite.agents.strict import BadParameters

CONTENT_TYPE = "application/problem+json"


class Problem(exceptions.APIException):
    """A refusal with members of its own: `raise Problem(409, "edit-conflict", detail, revision=4)`."""

    def __init__(self, status: int, kind: str, detail: str, **members: Any) -> None:
        super().__init__(detail)
        self.status_code = status
        self.kind = kind
        self.headers: dict[str, str] = {}
        self.members = members


def problem_json(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler. None (a 500, and the log's business) for what is no refusal of ours."""
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    elif isinstance(error, RequestDataTooBig):
        error = Problem(413, "too-large", _("Le corps de la demande est trop volumineux."))
    elif isinstance(error, exceptions.Throttled):
        error = _too_often(math.ceil(getattr(error, "wait", None) or 1))
    if not isinstance(error, exceptions.APIException):
        return None
    set_rollback()
    headers: dict[str, str] = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if isinstance(error, Problem):
        headers |= error.headers
    body: dict[str, Any] = {
        "type": f"urn:suite:problem:{error.kind}" if isinstance(error, Problem) else "about:blank",
        "title": HTTPStatus(error.status_code).phrase,
        "status": error.status_code,
    }
    if isinstance(error, exceptions.ValidationError):
        body |= {
            "type": "urn:suite:problem:invalid",
            "detail": _("Des champs sont à corriger."),
            "errors": error.detail,
            "pointers": list(_places(error.detail, isinstance(error, BadParameters))),
        }
    elif isinstance(error.detail, str):
        body["detail"] = str(error.detail)
    if isinstance(error, Problem):
        body |= error.members
    return Response(body, status=error.status_code, headers=headers, content_type=CONTENT_TYPE)


def _too_often(seconds: int) -> Problem:
    words = ngettext(
        "Trop de demandes : réessayez dans %(count)d seconde.",
        "Trop de demandes : réessayez dans %(count)d secondes.",
        seconds,
    )
    problem = Problem(429, "throttled", words % {"count": seconds})
    problem.headers["Retry-After"] = str(seconds)
    return problem


def _places(detail: Any, in_address: bool, path: tuple[str, ...] = ()) -> Iterator[dict[str, str]]:
    """Each message of a ValidationError with its place: a JSON pointer into the body (RFC 6901 §6), or a parameter."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            here = path if name == "non_field_errors" else (*path, str(name))
            yield from _places(inner, in_address, here)
    elif isinstance(detail, list):
        for number, inner in enumerate(detail):
            yield from _places(inner, in_address, path if isinstance(inner, str) else (*path, str(number)))
    elif in_address:
        yield {"parameter": path[0] if path else "", "detail": str(detail)}
    else:
        steps = "".join(f"/{quote(step.replace('~', '~0').replace('/', '~1'))}" for step in path)
        yield {"pointer": f"#{steps}", "detail": str(detail)}
