"""Who may see whose presence: people of the same organisation, and people who share something (a meeting)."""

from collections.abc import Callable, Iterable

from suite.agents.models import Agent

# fn(viewer id, agent ids) -> those of them who share something with the viewer.
SharedSource = Callable[[int, set[int]], set[int]]
_shared_sources: list[SharedSource] = []


def register_shared_source(source: SharedSource) -> None:
    """Let another part say who shares something with whom; called at start-up, safe to repeat."""
    if source not in _shared_sources:
        _shared_sources.append(source)


def may_see(viewer: Agent, agent_ids: Iterable[int]) -> set[int]:
    """Those of `agent_ids` whose presence `viewer` may see: one query, and one a source for the ones still missing."""
    wanted = set(agent_ids)
    if not wanted:
        return set()
    found = dict(Agent.objects.filter(pk__in=wanted, is_active=True).order_by().values_list("pk", "organisation_id"))
    seen = {agent_id for agent_id, organisation_id in found.items() if organisation_id == viewer.organisation_id}
    if viewer.pk in found:
        seen.add(viewer.pk)
    for source in _shared_sources:
        missing = set(found) - seen
        if missing:
            seen |= source(viewer.pk, missing) & missing
    return seen
