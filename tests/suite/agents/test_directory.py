"""Finding people by a few letters."""

import pytest
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from suite.agents.directory import search_agents
from suite.agents.folding import fold
from suite.agents.permissions import can_view_team, teams_managed_by
from tests import factories

pytestmark = pytest.mark.django_db


def names(found: object) -> list[str]:
    return [agent.full_name for agent in found]  # type: ignore[attr-defined]


def test_accents_case_and_order_of_words_do_not_matter() -> None:
    viewer = factories.agent()
    factories.agent("Hélène", "Da Silva")
    assert names(search_agents(viewer=viewer, text="da SILVA helene")) == ["Hélène Da Silva"]


def test_an_address_finds_its_owner() -> None:
    viewer = factories.agent()
    factories.agent("Paul", "Lefèvre", email="paul.lefevre@dinum.example")
    assert names(search_agents(viewer=viewer, text="lefevre@dinum")) == ["Paul Lefèvre"]


def test_my_organisation_comes_first_then_names_that_begin_so() -> None:
    home, away = factories.organisation(), factories.organisation()
    viewer = factories.agent(organisation=home)
    factories.agent("Marie", "Payet", organisation=away)
    factories.agent("Anne", "Marie", organisation=away)
    factories.agent("Zoé", "Marie", organisation=home)
    assert names(search_agents(viewer=viewer, text="marie")) == ["Zoé Marie", "Marie Payet", "Anne Marie"]


def test_who_has_left_is_not_found() -> None:
    viewer = factories.agent()
    factories.agent("Yves", "Parti", is_active=False)
    assert names(search_agents(viewer=viewer, text="parti")) == []


@pytest.mark.parametrize("text", ["", " ", "a", "%%", "__"])
def test_too_little_or_only_wildcards_find_nobody(text: str) -> None:
    viewer = factories.agent("Aa", "Bb")
    assert names(search_agents(viewer=viewer, text=text)) == []


def test_at_most_ten_are_found_in_one_query(django_assert_num_queries: object) -> None:
    viewer = factories.agent("Vera", "Voisine")
    for _number in range(12):
        factories.agent("Camille", "Dupont")
    with django_assert_num_queries(1) as queries:  # type: ignore[operator]
        found = list(search_agents(viewer=viewer, text="dupont"))
        assert all(agent.organisation.name for agent in found)
    assert isinstance(queries, CaptureQueriesContext)
    assert len(found) == 10


def test_a_new_name_is_searched_for_at_once() -> None:
    viewer = factories.agent()
    person = factories.agent("Inès", "Haddad")
    person.usual_name = "Le Bris"
    person.save(update_fields=["usual_name"])
    assert names(search_agents(viewer=viewer, text="ines le bris")) == ["Inès Le Bris"]


@given(st.text())
def test_folding_twice_changes_nothing_more(text: str) -> None:
    once = fold(text)
    assert fold(once) == once


def test_a_team_is_opened_by_its_managers_alone() -> None:
    home = factories.organisation()
    manager, member, other = (factories.agent(organisation=home) for _index in range(3))
    stranger = factories.agent()
    team = factories.team(organisation=home, managers=[manager], members=[member])
    factories.team(organisation=home, managers=[other])
    assert [can_view_team(agent, team) for agent in (manager, member, other, stranger)] == [True, False, False, False]
    assert list(teams_managed_by(manager)) == [team]


def test_a_manager_who_changed_organisation_lost_the_team() -> None:
    manager = factories.agent()
    team = factories.team(managers=[manager])
    manager.organisation = factories.organisation()
    manager.save()
    assert not can_view_team(manager, team)
    assert list(teams_managed_by(manager)) == []
