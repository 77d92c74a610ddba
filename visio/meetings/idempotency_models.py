"""What `idempotency` remembers."""

from __future__ import annotations

from django.db import models

from suite.agents.models import Agent


class IdempotentResponse(models.Model):
    """What the API answered to a POST with an Idempotency-Key, so that repeating it gives the same answer."""

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=200)
    request_hash = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    # The body as it was sent, as one JSON string: its ETag is of those bytes. (Rows of an earlier version hold the data.)
    body = models.JSONField(null=True)
    headers = models.JSONField(null=True)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["agent", "key"], name="idempotency_key_once")]

    def __str__(self) -> str:
        return self.key
