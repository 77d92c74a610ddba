"""Idempotency-Key on POST: the same key and body get the same answer and do the work once (PROMISES 18)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from suite.agents.models import Agent
from suite.agents.problems import Problem
from visio.meetings.idempotency_models import IdempotentResponse

LONGEST_KEY = 200


def once(request: Request, agent: Agent, work: Callable[[], Response]) -> Response:
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
            row.body = _plain(response.data)
            row.save(update_fields=["status", "body"])
            return response
    except IntegrityError:
        earlier = IdempotentResponse.objects.filter(agent=agent, key=key).first()
        if earlier is None:
            raise
    if earlier.request_hash != request_hash:
        raise Problem(422, "idempotency-key-reused", _("Cette Idempotency-Key a servi à une autre demande."))
    return Response(earlier.body, status=earlier.status or 200, headers={"Idempotent-Replayed": "true"})


def _plain(data: Any) -> Any:
    return json.loads(JSONRenderer().render(data))
