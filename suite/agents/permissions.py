"""Who may see whom. Meetings have rules of their own (visio.meetings.permissions)."""

from django.contrib.auth.models import Group, Permission
from django.db.models import Exists, OuterRef, QuerySet

from suite.agents.models import Agent, Team


def teams_managed_by(agent: Agent) -> QuerySet[Team]:
    """The teams whose week `agent` may open, in their own organisation only."""
    return Team.objects.filter(managers=agent, organisation=agent.organisation_id).select_related("organisation")


def can_view_team(agent: Agent, team: Team) -> bool:
    """A manager of the team, as long as both belong to one organisation."""
    return team.organisation_id == agent.organisation_id and team.managers.filter(pk=agent.pk).exists()


def governable_by(agent: Agent, among: QuerySet[Agent]) -> QuerySet[Agent]:
    """Those `among` whose account `agent` may change, close or open: nobody with a right that `agent` lacks.

    Asked of the tables, not of has_perm(): a closed account holds its rights for the day when it is opened again.
    """
    if agent.is_superuser:
        return among
    held = Permission.objects.filter(user=agent) | Permission.objects.filter(group__user=agent)
    lacking = Permission.objects.exclude(pk__in=held.order_by().values("pk"))
    granted = Agent.user_permissions.through.objects.filter(agent=OuterRef("pk"), permission__in=lacking.values("pk"))
    grouped = Agent.groups.through.objects.filter(
        agent=OuterRef("pk"), group__in=Group.objects.filter(permissions__in=lacking.values("pk")).values("pk")
    )
    return among.filter(~Exists(granted), ~Exists(grouped), is_superuser=False)


def can_govern(agent: Agent, other: Agent) -> bool:
    """Whether `agent`, an administrator, may change the account of `other`."""
    return governable_by(agent, Agent.objects.filter(pk=other.pk)).exists()
