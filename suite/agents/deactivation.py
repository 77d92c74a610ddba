"""Close the portal to an agent. Their meetings stay; sockets close by themselves (suite.live looks at `is_active`)."""

import datetime as dt

from django.db import transaction
from django.db.models import QuerySet

from suite.agents.models import Agent, PersonalToken


@transaction.atomic
def deactivate(*, agents: QuerySet[Agent], now: dt.datetime) -> int:
    """Nobody of `agents` can sign in, keep a session or use a token any longer; how many were active until now."""
    ids = list(agents.filter(is_active=True).order_by("pk").values_list("pk", flat=True))
    PersonalToken.objects.filter(agent__in=ids, revoked_at=None).update(revoked_at=now)
    return Agent.objects.filter(pk__in=ids).update(is_active=False)


@transaction.atomic
def reactivate(*, agents: QuerySet[Agent]) -> int:
    """They may sign in again; their tokens stay revoked. How many were inactive until now."""
    return agents.filter(is_active=False).order_by().update(is_active=True)
