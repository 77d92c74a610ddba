"""Who plans in whose name."""

from __future__ import annotations

from suite.agents.models import Agent
from suite.agents.time_models import Delegation


def may_act_for(delegate: Agent, principal: Agent) -> bool:
    """Whether `delegate` may plan, change and cancel meetings that `principal` organises. One query."""
    return Delegation.objects.filter(delegate=delegate, principal=principal, principal__is_active=True).exists()


def principals_of(agent: Agent) -> frozenset[int]:
    """Ids of those in whose name `agent` may act, without the agent. One query."""
    held = Delegation.objects.filter(delegate=agent, principal__is_active=True).order_by()
    return frozenset(held.values_list("principal_id", flat=True))
