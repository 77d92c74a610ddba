"""Close the portal to an agent. Their meetings stay."""

import datetime as dt

from django.db import transaction
from django.db.models import QuerySet

from suite.agents.models import Agent, PersonalToken


@transaction.atomic
def deactivate(*, agents: QuerySet[Agent], now: dt.datetime) -> int:
    """Nobody of `agents` can sign in, keep a session or use a token any longer; how many were active until now.

    Saved one by one, not by update(): suite.live hears of every save and closes the agent's sockets at once.
    """
    active = list(agents.filter(is_active=True).order_by("pk").select_for_update(of=("self",)))
    for agent in active:
        agent.is_active = False
        agent.save(update_fields=["is_active"])
    PersonalToken.objects.filter(agent__in=active, revoked_at=None).update(revoked_at=now)
    return len(active)


@transaction.atomic
def reactivate(*, agents: QuerySet[Agent]) -> int:
    """They may sign in again; their tokens stay revoked. How many were inactive until now."""
    return agents.filter(is_active=False).order_by().update(is_active=True)
