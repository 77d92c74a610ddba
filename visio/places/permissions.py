"""Who may book what, and who decides: an organisation lends to its own agents, a resource's managers decide."""

from __future__ import annotations

import uuid

from django.db.models import QuerySet
from django.http import Http404

from suite.agents.models import Agent
from visio.places.models import BookingStatus, Resource, ResourceBooking


def bookable_by(agent: Agent) -> QuerySet[Resource]:
    """What `agent` may book, and so may see: the active resources of their own organisation."""
    return Resource.objects.filter(organisation=agent.organisation_id, is_active=True)


def visible_resource_or_404(agent: Agent, public_id: uuid.UUID) -> Resource:
    """The resource, when it is of the agent's organisation; Http404 otherwise. One query."""
    try:
        return Resource.objects.get(public_id=public_id, organisation=agent.organisation_id)
    except Resource.DoesNotExist as error:
        raise Http404 from error


def managed_by(agent: Agent) -> QuerySet[Resource]:
    """The resources on whose requests `agent` decides, in their own organisation alone."""
    return Resource.objects.filter(managers=agent, organisation=agent.organisation_id)


def is_manager(agent: Agent) -> bool:
    return managed_by(agent).exists()


def waiting_for(agent: Agent) -> QuerySet[ResourceBooking]:
    """Requests that wait for `agent`'s decision, those over included."""
    return ResourceBooking.objects.filter(
        status=BookingStatus.PENDING, resource__in=managed_by(agent).order_by().values("pk")
    )
