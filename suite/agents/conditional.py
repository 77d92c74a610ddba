"""ETag, If-None-Match and If-Match (RFC 9110 §8.8.3, §13) for what has a version.

A tag is `"<version>-<digest of the body>"`. If-None-Match compares all of it, so that a guest's answer, which is no new
version, is read at once. If-Match compares the version alone: that answer is no conflict for whoever edits.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

from django.http import HttpResponse
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

_TAG = re.compile(r'(?:W/)?"(?:(\d{1,9})-)?([^"]*)"')
JSON = "application/json"


def tag_of(body: bytes, version: int) -> str:
    return f'"{version}-{hashlib.sha256(body).hexdigest()[:20]}"'


def readable(request: Request, data: Any, *, version: int, body: bytes | None = None) -> HttpResponse:
    """The answer to a GET, with its tag; 304 without a body when the caller has it already.

    `body`: `data` as JSON, where the view has made it itself.
    """
    raw = JSONRenderer().render(data) if body is None else body
    tag = tag_of(raw, version)
    known = request.headers.get("If-None-Match", "")
    if known.strip() == "*" or tag in {match.group(0).removeprefix("W/") for match in _TAG.finditer(known)}:
        response = HttpResponse(status=304)
        del response["Content-Type"]
    else:
        response = HttpResponse(raw, content_type=JSON)
    response["ETag"] = tag
    response["Cache-Control"] = "private, no-cache"
    return response


def written(data: Any, *, version: int, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """The answer to a write: the state that is now, and its tag."""
    tag = tag_of(JSONRenderer().render(data), version)
    return Response(data, status=status, headers={**(headers or {}), "ETag": tag})


def versions_wanted(request: Request) -> set[int] | None:
    """The versions that If-Match names; None when there is no such header or it says `*`."""
    header = request.headers.get("If-Match")
    if header is None or header.strip() == "*":
        return None
    return {int(match.group(1)) for match in _TAG.finditer(header) if match.group(1)}
