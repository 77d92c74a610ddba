"""Who may see whom. Meetings have rules of their own (visio.meetings.permissions)."""

from django.db.models import QuerySet

from suite.agents.models import Agent, Team


def teams_managed_by(agent: Agent) -> QuerySet[Team]:
    """The teams whose week `agent` may open, in their own organisation only."""
    return Team.objects.filter(managers=agent, organisation=agent.organisation_id).select_related("organisation")


def can_view_team(agent: Agent, team: Team) -> bool:
    """A manager of the team, as long as both belong to one organisation."""
    return team.organisation_id == agent.organisation_id and team.managers.filter(pk=agent.pk).exists()
