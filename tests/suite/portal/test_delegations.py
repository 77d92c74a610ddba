"""Naming who plans in one's name: by name or address, within one organisation, told once, ended by either side."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from suite.agents.delegation import MOST_DELEGATES, DelegationRefused, grant, may_act_for, principals_of
from suite.agents.login import agent_from_claims
from suite.agents.models import Agent
from suite.agents.time_models import Delegation
from suite.mail.models import OutboxMail
from tests import factories

pytestmark = pytest.mark.django_db
PAGE = "/reglages/delegations/"


def as_(agent: Agent) -> Client:
    client = Client()
    client.force_login(agent)
    return client


@pytest.fixture
def people() -> tuple[Agent, Agent]:
    dinum = factories.organisation()
    return factories.agent("Claire", "Morel", organisation=dinum), factories.agent(
        "Karim", "Benali", organisation=dinum
    )


@pytest.mark.parametrize("typed", ["Karim Benali", "benali karim", "email"])
def test_a_name_or_an_address_names_one_person(people: tuple[Agent, Agent], typed: str) -> None:
    claire, karim = people
    answer = as_(claire).post(PAGE, {"person": karim.email.upper() if typed == "email" else typed}, follow=True)
    assert "Karim Benali peut planifier en votre nom." in answer.content.decode()
    assert may_act_for(karim, claire)
    assert not may_act_for(claire, karim)
    assert principals_of(karim) == {claire.pk}


def test_the_delegate_is_told_once_in_their_language(people: tuple[Agent, Agent]) -> None:
    claire, karim = people
    Agent.objects.filter(pk=karim.pk).update(language="fr")
    for _time in range(2):
        as_(claire).post(PAGE, {"person": karim.email, "sees_private": "on"})
    mail = OutboxMail.objects.get()
    assert mail.recipient == karim.email
    assert mail.subject == "Claire Morel vous confie son agenda"
    assert Delegation.objects.get().sees_private


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "Écrivez le nom"),
        ("Personne Inconnue", "n’est pas dans l’annuaire"),
        ("ana@ailleurs.example", "aucun agent du portail"),
        ("pas une adresse@", "n’est pas une adresse complète"),
        ("Claire Morel", "Vous planifiez déjà pour vous-même"),
        ("étranger", "n’est pas dans l’annuaire"),
    ],
)
def test_what_is_wrong_stands_at_the_field_and_nothing_is_lost(
    people: tuple[Agent, Agent], typed: str, words: str
) -> None:
    claire, _karim = people
    answer = as_(claire).post(PAGE, {"person": typed, "sees_private": "on"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert words in page
    assert 'name="sees_private" checked' in page
    if typed:
        assert f'value="{typed}"' in page
    assert not Delegation.objects.exists()


def test_another_organisation_is_refused(people: tuple[Agent, Agent]) -> None:
    claire, _karim = people
    stranger = factories.agent("Sofia", "Marchal", organisation=factories.organisation())
    answer = as_(claire).post(PAGE, {"person": stranger.email})
    assert "Choisissez une personne de votre organisation." in answer.content.decode()
    assert not Delegation.objects.exists()


def test_those_who_left_plan_for_nobody(people: tuple[Agent, Agent]) -> None:
    claire, karim = people
    grant(principal=claire, delegate=karim)
    Agent.objects.filter(pk=claire.pk).update(is_active=False)
    assert principals_of(karim) == frozenset()
    assert not may_act_for(karim, claire)
    Agent.objects.filter(pk=karim.pk).update(is_active=False)
    karim.refresh_from_db()
    with pytest.raises(DelegationRefused, match="inactive"):
        grant(principal=claire, delegate=karim)


def test_there_is_a_limit(people: tuple[Agent, Agent]) -> None:
    claire, karim = people
    for number in range(MOST_DELEGATES):
        grant(principal=claire, delegate=factories.agent("D", f"N{number}", organisation=claire.organisation))
    answer = as_(claire).post(PAGE, {"person": karim.email})
    assert f"{MOST_DELEGATES} personnes au plus" in answer.content.decode()


def test_either_side_ends_it_and_nobody_else(people: tuple[Agent, Agent]) -> None:
    claire, karim = people
    stranger = factories.agent("Sofia", "Marchal", organisation=claire.organisation)
    for ender, said in ((claire, "ne planifie plus en votre nom"), (karim, "Vous ne planifiez plus au nom de")):
        row, is_new = grant(principal=claire, delegate=karim)
        assert is_new
        path = f"{PAGE}{row.pk}/retirer/"
        assert as_(stranger).post(path).status_code == 404
        assert said in as_(ender).post(path, follow=True).content.decode()
        assert not Delegation.objects.exists()
        assert as_(ender).post(path).status_code == 404


def test_nothing_ends_before_one_is_asked(people: tuple[Agent, Agent]) -> None:
    claire, karim = people
    row, _is_new = grant(principal=claire, delegate=karim)
    path = f"{PAGE}{row.pk}/retirer/"
    for asked, title, act in (
        (karim, "Ne plus planifier au nom de Claire Morel ?", "Renoncer"),
        (claire, "Retirer la délégation de Karim Benali ?", "Retirer"),
    ):
        # The list only leads to the question; it holds no button that ends anything.
        assert f'href="{path}"' in as_(asked).get(PAGE).content.decode()
        assert f'action="{path}"' not in as_(asked).get(PAGE).content.decode()
        answer = as_(asked).get(path)
        page = " ".join(answer.content.decode().split())
        assert answer.status_code == 200
        assert f'<h1 class="ps-h1">{title}</h1>' in page
        assert f">{act}</button>" in page
        assert f'href="{PAGE}"' in page
        assert answer.headers["Cache-Control"].startswith("max-age=0")
    stranger = factories.agent("Sofia", "Marchal", organisation=claire.organisation)
    assert as_(stranger).get(path).status_code == 404
    assert Delegation.objects.filter(pk=row.pk).exists()


def test_the_page_shows_both_sides_in_a_fixed_number_of_queries(people: tuple[Agent, Agent]) -> None:
    claire, karim = people
    grant(principal=claire, delegate=karim)
    client = as_(claire)

    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            page = client.get(PAGE).content.decode()
        assert "Karim Benali" in page
        return len(seen)

    with_one = queries()
    for number in range(3):
        other = factories.agent("D", f"N{number}", organisation=claire.organisation)
        grant(principal=claire, delegate=other)
        grant(principal=other, delegate=claire)
    assert queries() == with_one


@pytest.mark.parametrize("leaver", ["principal", "delegate"])
def test_who_changes_organisations_plans_for_nobody_of_the_former_one(people: tuple[Agent, Agent], leaver: str) -> None:
    claire, karim = people
    colleague = factories.agent(organisation=claire.organisation)
    for principal, delegate in ((claire, karim), (claire, colleague), (colleague, karim)):
        grant(principal=principal, delegate=delegate)
    gone = claire if leaver == "principal" else karim
    elsewhere = factories.organisation()

    def signs_in(siret: str) -> None:
        claims = {"sub": gone.sub, "email": gone.email, "siret": siret}
        claims |= {"given_name": gone.given_name, "usual_name": gone.usual_name}
        agent_from_claims(claims, expected_sub=gone.sub)

    signs_in(claire.organisation.siret)
    assert Delegation.objects.count() == 3
    signs_in(elsewhere.siret)
    assert not may_act_for(karim, claire)
    # What others gave each other stays.
    left = {(row.principal_id, row.delegate_id) for row in Delegation.objects.all()}
    assert left == ({(colleague.pk, karim.pk)} if gone == claire else {(claire.pk, colleague.pk)})
