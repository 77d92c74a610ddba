"""Idempotency-Key on POST: the same key and body get the same answer and do the work once (PROMISES 18)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable

from django.db import IntegrityError, transaction
from django.http import HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from suite.agents.conditional import JSON
from suite.agents.models import Agent
from suite.agents.problems import Problem
from visio.meetings.idempotency_models import IdempotentResponse

LONGEST_KEY = 200
# Headers that are part of the answer; the others are every answer's.
KEPT = ("Location", "Content-Location", "ETag")


def once(request: Request, agent: Agent, work: Callable[[], Response]) -> HttpResponseBase:
    """`work()` unless this agent has already used the request's Idempotency-Key; then what was answered to it.

    The key's row and the work share one transaction: a second request with the same key waits on the unique index, then reads
    the first one's answer, or does the work when the first was rolled back. A key used for another body is refused (422).
    """
    key = request.headers.get("Idempotency-Key", "")
    if not key:
        return work()
    if len(key) > LONGEST_KEY or not key.isprintable():
        raise Problem(400, "idempotency-key", _("Idempotency-Key : 200 caractères imprimables au plus."))
    request_hash = hashlib.sha256(
        json.dumps([request.method, request.path, request.data], sort_keys=True, default=str).encode()
    ).hexdigest()
    try:
        with transaction.atomic():
            row = IdempotentResponse.objects.create(agent=agent, key=key, request_hash=request_hash)
            response = work()
            row.status = response.status_code
            row.body = JSONRenderer().render(response.data).decode()
            row.headers = {name: response.headers[name] for name in KEPT if name in response.headers}
            row.save(update_fields=["status", "body", "headers"])
            return response
    except IntegrityError:
        earlier = IdempotentResponse.objects.filter(agent=agent, key=key).first()
        if earlier is None:
            raise
    if earlier.request_hash != request_hash:
        raise Problem(422, "idempotency-key-reused", _("Cette Idempotency-Key a servi à une autre demande."))
    body = earlier.body if isinstance(earlier.body, str) else JSONRenderer().render(earlier.body)
    headers = {**(earlier.headers or {}), "Idempotent-Replayed": "true"}
    return HttpResponse(body, status=earlier.status or 200, content_type=JSON, headers=headers)
