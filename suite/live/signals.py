"""What happens elsewhere and concerns sockets: signing out, losing the account, going on leave."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.signals import user_logged_out
from django.db.models.signals import post_delete, post_save
from django.http import HttpRequest

from suite.agents.events import AvailabilityChanged
from suite.agents.models import Agent
from suite.core.events import subscribe
from suite.live import access, push


def close_session(sender: Any, request: HttpRequest, user: Any, **_kwargs: Any) -> None:
    """Every tab of the session that is being left."""
    session_key = request.session.session_key
    if session_key:
        push.announce("session", s=access.session_name(session_key))


def close_inactive(sender: Any, instance: Agent, **_kwargs: Any) -> None:
    if not instance.is_active:
        push.announce("closed", a=[instance.pk])


def close_deleted(sender: Any, instance: Agent, **_kwargs: Any) -> None:
    push.announce("closed", a=[instance.pk])


def look_again(fact: AvailabilityChanged) -> None:
    """Whoever watches them sees an absence come and go at once."""
    push.announce("presence", a=[fact.agent_id])


def connect() -> None:
    subscribe(AvailabilityChanged, look_again)
    user_logged_out.connect(close_session, dispatch_uid="live.close_session")
    post_save.connect(close_inactive, sender=Agent, dispatch_uid="live.close_inactive")
    post_delete.connect(close_deleted, sender=Agent, dispatch_uid="live.close_deleted")
