"""Many people at once: a team, or a unit of the organisation, by its name. Only those of one's own organisation are shown."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from django.db.models import Count, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from suite.agents.folding import fold
from suite.agents.models import Agent, Team
from visio.meetings.drafts import MOST_ATTENDEES, Problem, Resolution, pieces, resolve_invitees

SHORTEST = 2
MOST_WORDS = 5
_TEAM, _UNIT = "equipe", "service"
# How somebody may call a team or a unit, before its name.
_CALLED = frozenset({"equipe", "team", "service", "unite"})


@dataclass(frozen=True)
class Group:
    """`key` names it to `members`; `label` and `count` are for the person who chooses."""

    key: str
    label: str
    count: int

    @property
    def size(self) -> str:
        """ "8 personnes"."""
        return ngettext("%(count)d personne", "%(count)d personnes", self.count) % {"count": self.count}


def find_groups(*, viewer: Agent, text: str, limit: int = 3) -> list[Group]:
    """Teams, then units, whose name holds all the words of `text`; empty ones are left out. Two queries."""
    words = fold(text).split()[:MOST_WORDS]
    if len(words) > 1 and words[0] in _CALLED:
        words = words[1:]
    if sum(map(len, words)) < SHORTEST:
        return []
    teams, units = _teams(viewer), _units(viewer)
    for word in words:
        teams = teams.filter(name__unaccent__icontains=word)
        units = units.filter(organizational_unit__unaccent__icontains=word)
    rows = teams.values_list("public_id", "name").annotate(people=Count("members")).order_by("name", "pk")
    found = [Group(f"{_TEAM}:{public_id}", team_label(name), people) for public_id, name, people in rows[:limit]]
    counted = (
        units.values_list("organizational_unit").annotate(people=Count("pk")).order_by("-people", "organizational_unit")
    )
    found += [Group(f"{_UNIT}:{name}", name, people) for name, people in counted[:limit]]
    return found[:limit]


def members(*, viewer: Agent, key: str) -> tuple[Group, list[Agent]] | None:
    """The group that `key` names, with its active agents by name, the viewer left out; None when there is none to see."""
    kind, _sep, name = key.partition(":")
    if kind == _TEAM:
        team = _team(viewer, name)
        if team is None:
            return None
        people, label = Agent.objects.filter(team=team), team_label(team.name)
    elif kind == _UNIT and name:
        people = Agent.objects.filter(organisation=viewer.organisation_id, organizational_unit=name)
        label = name
    else:
        return None
    listed = people.filter(is_active=True).exclude(pk=viewer.pk).order_by("usual_name", "given_name", "pk")
    found = list(listed[:MOST_ATTENDEES])
    return (Group(key, label, len(found)), found) if found else None


def resolve_with_groups(lines: Sequence[str], *, viewer: Agent, organiser: Agent, role: str) -> Resolution:
    """As `drafts.resolve_invitees`; a line that names a team or a unit, and nobody, means its members."""
    found = resolve_invitees(lines, organiser=organiser, role=role)
    unknown = [problem for problem in found.problems if problem.reason == "unknown_name"]
    expanded = _expand(viewer, unknown)
    if not expanded:
        return found
    unfolded = [line for piece in pieces(lines) for line in expanded.get(piece, [piece])]
    again = resolve_invitees(unfolded, organiser=organiser, role=role)
    # Who plans for their own team did not invite themselves by mistake.
    return replace(again, organiser_dropped=found.organiser_dropped, folded=found.folded)


def team_label(name: str) -> str:
    """ "Équipe Portail", said once."""
    return name if fold(name).startswith("equipe") else _("Équipe %(name)s") % {"name": name}


def _expand(viewer: Agent, problems: Iterable[Problem]) -> dict[str, list[str]]:
    expanded: dict[str, list[str]] = {}
    for problem in list(problems)[:MOST_WORDS]:
        named = [
            group
            for group in find_groups(viewer=viewer, text=problem.text, limit=20)
            if fold(problem.text) in (fold(group.label), fold(group.label.partition(" ")[2]))
        ]
        found = members(viewer=viewer, key=named[0].key) if len(named) == 1 else None
        if found is not None:
            expanded[problem.text] = [f'"{agent.full_name}" <{agent.email}>' for agent in found[1]]
    return expanded


def _teams(viewer: Agent) -> QuerySet[Team]:
    # The join on active members drops empty teams, and is what is counted.
    return Team.objects.filter(organisation=viewer.organisation_id, members__is_active=True).order_by()


def _units(viewer: Agent) -> QuerySet[Agent]:
    return (
        Agent.objects.filter(organisation=viewer.organisation_id, is_active=True)
        .exclude(organizational_unit="")
        .order_by()
    )


def _team(viewer: Agent, name: str) -> Team | None:
    try:
        wanted = uuid.UUID(name)
    except ValueError:
        return None
    return Team.objects.filter(public_id=wanted, organisation=viewer.organisation_id).first()
