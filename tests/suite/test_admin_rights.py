"""The administration gives nobody more than they have: who may change, close or move whose account."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.utils import timezone

from suite.agents.models import Agent, Organisation, PersonalToken, Team
from suite.agents.tokens import issue_token
from tests import factories
from tests.suite.office import act, address

pytestmark = pytest.mark.django_db
RIGHT = {"language": "fr", "time_zone": "Europe/Paris", "theme": "dark"}
LEFT_ALONE = "1 compte a plus de droits que vous : rien n’y a changé."
Helper = Callable[..., Agent]


@pytest.fixture
def helper(client: Client) -> Agent:
    """Staff who may change agents and tokens, and nothing else; `client` is theirs."""
    agent = factories.agent("Hugo", is_staff=True)
    allow(agent, "view_agent", "change_agent", "view_personaltoken", "change_personaltoken")
    client.force_login(agent)
    return agent


def allow(agent: Agent, *codenames: str) -> None:
    agent.user_permissions.add(*Permission.objects.filter(codename__in=codenames))


def token_of(agent: Agent) -> PersonalToken:
    return issue_token(agent=agent, name="Grist", days=30, now=timezone.now())[0]


def superuser(*, is_active: bool = True) -> Agent:
    return factories.agent("Ada", is_superuser=True, is_active=is_active)


def richer(*, is_active: bool = True) -> Agent:
    """No superuser, but with a right that the helper lacks."""
    agent = factories.agent("Rita", is_staff=True, is_active=is_active)
    allow(agent, "change_organisation")
    return agent


def richer_by_group(*, is_active: bool = True) -> Agent:
    group = Group.objects.create(name="Bureau")
    group.permissions.add(Permission.objects.get(codename="change_organisation"))
    agent = factories.agent("Gaël", is_staff=True, is_active=is_active)
    agent.groups.add(group)
    return agent


above = pytest.mark.parametrize("make", [superuser, richer, richer_by_group], ids=lambda make: make.__name__)


@above
def test_the_page_of_an_account_with_more_rights_changes_nothing(client: Client, helper: Agent, make: Helper) -> None:
    target = make()

    assert client.get(address(Agent, "change", target.pk)).status_code == 200, "looking is allowed"
    posted = client.post(
        address(Agent, "change", target.pk), {**RIGHT, "matrix_id": "@thief:tchap.example", "job_title": "Rien"}
    )

    assert posted.status_code == 403
    target.refresh_from_db()
    assert (target.matrix_id, target.job_title, target.theme) == ("", "", "system")


@above
def test_no_act_reaches_an_account_with_more_rights(client: Client, helper: Agent, make: Helper) -> None:
    target = make()
    token = token_of(target)

    assert act(client, "deactivate_agents", target) == [LEFT_ALONE, "0 agent désactivé."]
    assert act(client, "revoke_tokens", target) == [LEFT_ALONE, "0 jeton révoqué."]
    assert act(client, "revoke", token) == [LEFT_ALONE, "0 jeton révoqué."]

    target.refresh_from_db()
    token.refresh_from_db()
    assert (target.is_active, token.revoked_at) == (True, None)


@above
def test_a_closed_account_with_more_rights_stays_closed(client: Client, helper: Agent, make: Helper) -> None:
    target = make(is_active=False)

    act(client, "reactivate_agents", target)

    target.refresh_from_db()
    assert not target.is_active


def test_the_others_of_a_mixed_choice_are_dealt_with(client: Client, helper: Agent) -> None:
    ordinary, target = factories.agent(), superuser()

    assert act(client, "deactivate_agents", ordinary, target) == [
        LEFT_ALONE,
        "1 agent désactivé.",
    ]
    assert set(Agent.objects.filter(is_active=True)) == {helper, target}


def test_ordinary_agents_and_equals_are_changed_and_closed(client: Client, helper: Agent) -> None:
    equal = factories.agent("Égale", is_staff=True)
    allow(equal, "change_agent")
    for target in (factories.agent(), equal):
        token = token_of(target)
        assert client.post(address(Agent, "change", target.pk), RIGHT).status_code == 302
        assert act(client, "revoke", token)[-1] == "1 jeton révoqué."
        assert act(client, "deactivate_agents", target) == ["1 agent désactivé."]
        assert act(client, "reactivate_agents", target) == ["1 agent réactivé."]


@pytest.mark.parametrize("of", ["themselves", "somebody"])
def test_no_form_hands_out_rights(client: Client, helper: Agent, of: str) -> None:
    target = helper if of == "themselves" else factories.agent()
    before = (target.is_staff, set(target.user_permissions.all()))
    group = Group.objects.create(name="Bureau")
    everything = [permission.pk for permission in Permission.objects.all()]

    posted = client.post(
        address(Agent, "change", target.pk),
        {
            **RIGHT,
            "is_staff": "on",
            "is_superuser": "on",
            "groups": [group.pk],
            "user_permissions": everything,
            "organisation": factories.organisation().pk,
            "sub": "other",
            "is_active": "",
        },
    )

    assert posted.status_code == 302
    stored = Agent.objects.get(pk=target.pk)
    assert (stored.is_staff, set(stored.user_permissions.all())) == before
    assert (stored.is_superuser, stored.groups.exists(), stored.theme) == (False, False, "dark")
    assert (stored.sub, stored.organisation, stored.is_active) == (target.sub, target.organisation, True)


def test_superusers_deal_with_each_other(client: Client) -> None:
    client.force_login(factories.agent(is_staff=True, is_superuser=True))
    other = superuser()

    assert client.post(address(Agent, "change", other.pk), {**RIGHT, "is_superuser": ""}).status_code == 302
    assert act(client, "deactivate_agents", other)[-1] == "1 agent désactivé."


# --- teams and organisations: who sees whose week -----------------------------------------------------------------
def test_an_agent_joins_teams_of_their_own_organisation_alone(client: Client, helper: Agent) -> None:
    agent = factories.agent()
    own, foreign = factories.team(organisation=agent.organisation), factories.team()

    refused = client.post(address(Agent, "change", agent.pk), {**RIGHT, "team": foreign.pk})
    assert list(refused.context["adminform"].form.errors) == ["team"]
    assert client.post(address(Agent, "change", agent.pk), {**RIGHT, "team": own.pk}).status_code == 302
    agent.refresh_from_db()
    assert agent.team == own


@pytest.fixture
def organiser_of_teams(client: Client) -> Agent:
    agent = factories.agent("Théo", is_staff=True)
    allow(agent, "view_team", "add_team", "change_team", "view_agent", "view_organisation", "change_organisation")
    client.force_login(agent)
    return agent


def test_a_team_stays_in_its_organisation(client: Client, organiser_of_teams: Agent) -> None:
    team = factories.team()
    client.post(address(Team, "change", team.pk), {"name": "Autre", "organisation": organiser_of_teams.organisation.pk})

    assert (Team.objects.get().name, Team.objects.get().organisation) == ("Autre", team.organisation)


def test_a_team_is_managed_from_its_own_organisation(client: Client, organiser_of_teams: Agent) -> None:
    team = factories.team()
    near, far = factories.agent(organisation=team.organisation), factories.agent()
    page = address(Team, "change", team.pk)

    refused = client.post(page, {"name": team.name, "managers": [near.pk, far.pk]})
    assert list(refused.context["adminform"].form.errors) == ["managers"]
    assert client.post(page, {"name": team.name, "managers": [near.pk]}).status_code == 302
    assert list(team.managers.all()) == [near]


@pytest.mark.parametrize(("is_superuser", "managers"), [(False, 0), (True, 1)])
def test_nobody_but_a_superuser_makes_themselves_a_manager(
    client: Client, organiser_of_teams: Agent, is_superuser: bool, managers: int
) -> None:
    Agent.objects.filter(pk=organiser_of_teams.pk).update(is_superuser=is_superuser)
    team = factories.team(organisation=organiser_of_teams.organisation)

    client.post(address(Team, "change", team.pk), {"name": team.name, "managers": [organiser_of_teams.pk]})
    client.post(
        address(Team, "add"),
        {
            "name": "Nouvelle",
            "organisation": organiser_of_teams.organisation.pk,
            "managers": [organiser_of_teams.pk],
        },
    )

    assert team.managers.count() == managers
    assert Team.objects.filter(name="Nouvelle").count() == managers


def test_a_manager_who_keeps_their_team_may_still_rename_it(client: Client, organiser_of_teams: Agent) -> None:
    team = factories.team(managers=[organiser_of_teams])
    client.post(address(Team, "change", team.pk), {"name": "Autre", "managers": [organiser_of_teams.pk]})

    assert Team.objects.get().name == "Autre"


@pytest.mark.parametrize(("is_superuser", "kept"), [(False, "13002526500013"), (True, "13002526500021")])
def test_a_siret_with_people_behind_it_is_changed_by_superusers_alone(
    client: Client, organiser_of_teams: Agent, is_superuser: bool, kept: str
) -> None:
    """Whoever signs in with a SIRET enters its organisation: to change it is to move people."""
    Agent.objects.filter(pk=organiser_of_teams.pk).update(is_superuser=is_superuser)
    organisation = factories.organisation(siret="13002526500013")

    client.post(address(Organisation, "change", organisation.pk), {"name": "Autre", "siret": "13002526500021"})

    organisation.refresh_from_db()
    assert (organisation.name, organisation.siret) == ("Autre", kept)
