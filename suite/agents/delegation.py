"""Who plans in whose name."""

from __future__ import annotations

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from suite.agents.models import Agent
from suite.agents.time_models import Delegation
from suite.core.refusals import Refusal

MOST_DELEGATES = 20


class DelegationRefused(Refusal):
    """`.reason`: "oneself", "other_organisation", "inactive" or "too_many"."""

    WORDS = {
        "oneself": _("Vous planifiez déjà pour vous-même : choisissez une autre personne."),
        "other_organisation": _("Choisissez une personne de votre organisation."),
        "inactive": _("Cette personne n’a plus de compte actif."),
        "too_many": _("%(most)d personnes au plus planifient en votre nom : retirez-en une d’abord."),
    }


def may_act_for(delegate: Agent, principal: Agent) -> bool:
    """Whether `delegate` may plan, change and cancel meetings that `principal` organises. One query."""
    return Delegation.objects.filter(delegate=delegate, principal=principal, principal__is_active=True).exists()


def principals_of(agent: Agent) -> frozenset[int]:
    """Ids of those in whose name `agent` may act, without the agent. One query."""
    held = Delegation.objects.filter(delegate=agent, principal__is_active=True).order_by()
    return frozenset(held.values_list("principal_id", flat=True))


def delegates_of(principal: Agent) -> QuerySet[Delegation]:
    """Who may plan in this agent's name, by name."""
    given = principal.delegations_given.select_related("delegate__organisation")
    return given.order_by("delegate__usual_name", "delegate__given_name", "pk")


def held_by(delegate: Agent) -> QuerySet[Delegation]:
    """In whose names this agent may plan, by name; those who have left are left out."""
    held = delegate.delegations_held.filter(principal__is_active=True).select_related("principal__organisation")
    return held.order_by("principal__usual_name", "principal__given_name", "pk")


@transaction.atomic
def grant(*, principal: Agent, delegate: Agent, sees_private: bool = False) -> tuple[Delegation, bool]:
    """Let `delegate` plan in the name of `principal`; (the delegation, whether it is new). Raises DelegationRefused.

    Granting again only changes what the delegate sees.
    """
    if delegate.pk == principal.pk:
        raise DelegationRefused("oneself")
    if delegate.organisation_id != principal.organisation_id:
        raise DelegationRefused("other_organisation")
    if not delegate.is_active:
        raise DelegationRefused("inactive")
    # One grant at a time, so that the limit holds.
    Agent.objects.select_for_update().only("pk").get(pk=principal.pk)
    others = Delegation.objects.filter(principal=principal).exclude(delegate=delegate)
    if others.count() >= MOST_DELEGATES:
        raise DelegationRefused("too_many", most=MOST_DELEGATES)
    return Delegation.objects.update_or_create(
        principal=principal, delegate=delegate, defaults={"sees_private": sees_private}
    )


def concerning(agent: Agent, *, delegation_id: int) -> Delegation | None:
    """That delegation when the agent gave or holds it, with both people. One query."""
    row = Delegation.objects.filter(pk=delegation_id).select_related("principal", "delegate").first()
    return row if row is not None and agent.pk in {row.principal_id, row.delegate_id} else None


def revoke(*, delegation_id: int, by: Agent) -> Delegation | None:
    """End a delegation: either side may. None when there is none that concerns `by`; ending twice is ending once."""
    row = concerning(by, delegation_id=delegation_id)
    if row is not None:
        Delegation.objects.filter(pk=row.pk).delete()
    return row


def end_across_organisations(agent: Agent) -> int:
    """End what `agent`, who has changed organisations, gave to or holds from people of another one; how many those were."""
    theirs = Delegation.objects.filter(Q(principal=agent) | Q(delegate=agent))
    apart = theirs.exclude(principal__organisation=F("delegate__organisation"))
    return apart.delete()[0]
