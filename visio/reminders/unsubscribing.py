"""The link under a reminder or a digest that ends them without signing in (RFC 8058). Signed, for one agent and one kind."""

from __future__ import annotations

from django.conf import settings
from django.core import signing
from django.urls import reverse

from suite.agents.models import Agent

KINDS = ("reminders", "digest")
_SALT = "visio.reminders.unsubscribing"


def unsubscribe_url(agent_id: int, kind: str) -> str:
    token = signing.dumps([agent_id, kind], salt=_SALT)
    return f"{settings.PORTAL_URL}{reverse('reminders:stop', args=[token])}"


def read_token(token: str) -> tuple[Agent, str] | None:
    """Whose link this is and what it ends; None when it is forged or the agent has left."""
    try:
        agent_id, kind = signing.loads(token, salt=_SALT)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    agent = Agent.objects.filter(pk=agent_id, is_active=True).first()
    return (agent, kind) if agent is not None and kind in KINDS else None


def stop(agent: Agent, kind: str) -> None:
    """End the mails of that kind; those in the portal go on. Ending twice is ending once."""
    field = "reminds_by_email" if kind == "reminders" else "wants_digest"
    Agent.objects.filter(pk=agent.pk).update(**{field: False})
