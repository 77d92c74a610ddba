"""Sign-in against a real identity provider: what a browser sees, and what the portal then knows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from suite.agents import login
from suite.agents.models import Agent, Organisation, Team
from tests import factories

pytestmark = pytest.mark.django_db
HOST = urlsplit(settings.PORTAL_URL).netloc


@pytest.fixture
def provider(identity_provider: object) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=settings.OIDC_OP_URL, follow_redirects=False, timeout=10) as client:
        yield client


@pytest.fixture
def dinum() -> Organisation:
    return factories.organisation("DINUM", siret="13002526500013")


def portal() -> Client:
    return Client(HTTP_HOST=HOST)


def walk_to_callback(browser: Client, provider: httpx.Client, sub: str, **start: str) -> str:
    """From the ProConnect button to the address that the provider sends the browser back to."""
    begun = browser.get(reverse("oidc_authentication_init"), start)
    answer = provider.get(begun["Location"])
    if "/interaction/" in answer.headers.get("location", ""):
        page = str(httpx.URL(settings.OIDC_OP_URL).join(answer.headers["location"]))
        assert provider.get(page).status_code == 200
        answer = provider.post(page, data={"sub": sub})
        answer = provider.get(str(httpx.URL(settings.OIDC_OP_URL).join(answer.headers["location"])))
    return str(answer.headers["location"])


def come_back(browser: Client, location: str) -> Any:
    parts = urlsplit(location)
    assert f"{parts.scheme}://{parts.netloc}" == settings.PORTAL_URL
    return browser.get(f"{parts.path}?{parts.query}")


def sign_in(browser: Client, provider: httpx.Client, sub: str, **start: str) -> Any:
    return come_back(browser, walk_to_callback(browser, provider, sub, **start))


def test_the_request_carries_pkce_state_and_nonce() -> None:
    query = parse_qs(urlsplit(portal().get(reverse("oidc_authentication_init"))["Location"]).query)
    assert query["code_challenge_method"] == ["S256"]
    assert len(query["state"][0]) >= 32
    assert len(query["nonce"][0]) >= 32
    assert query["response_type"] == ["code"]


def test_first_sign_in_makes_the_agent_with_organisation_and_team(provider: httpx.Client, dinum: Organisation) -> None:
    team = Team.objects.create(organisation=dinum, name="Portail")
    browser = portal()
    answer = sign_in(browser, provider, "demo-karim-benali")
    agent = Agent.objects.get()
    assert answer["Location"] == reverse("portal:dashboard")
    assert (agent.sub, agent.full_name, agent.email) == (
        "demo-karim-benali",
        "Karim Benali",
        "karim.benali@dinum.example",
    )
    assert (agent.organisation, agent.team, agent.has_usable_password()) == (dinum, team, False)
    assert browser.session["_auth_user_id"] == str(agent.pk)


def test_the_session_key_changes_at_login(provider: httpx.Client, dinum: Organisation) -> None:
    browser = portal()
    location = walk_to_callback(browser, provider, "demo-karim-benali")
    before = browser.session.session_key
    come_back(browser, location)
    assert browser.session.session_key != before


def test_what_the_provider_says_replaces_what_was_known(provider: httpx.Client, dinum: Organisation) -> None:
    factories.agent("Ancien", "Nom", sub="demo-karim-benali", email="old@dinum.example", organisation=dinum)
    sign_in(portal(), provider, "demo-karim-benali")
    agent = Agent.objects.get()
    assert (agent.full_name, agent.email) == ("Karim Benali", "karim.benali@dinum.example")


def test_an_unknown_organisation_is_refused_with_the_reason(provider: httpx.Client) -> None:
    browser = portal()
    answer = sign_in(browser, provider, "demo-karim-benali")
    assert answer["Location"] == settings.LOGIN_REDIRECT_URL_FAILURE
    assert browser.session[login.REFUSAL_KEY] == "unknown_organisation"
    assert not Agent.objects.exists()


def test_a_deactivated_agent_is_refused(provider: httpx.Client, dinum: Organisation) -> None:
    factories.agent(sub="demo-karim-benali", organisation=dinum, is_active=False)
    browser = portal()
    sign_in(browser, provider, "demo-karim-benali")
    assert browser.session[login.REFUSAL_KEY] == "disabled"
    assert "_auth_user_id" not in browser.session


def test_an_address_that_belongs_to_another_agent_is_refused(provider: httpx.Client, dinum: Organisation) -> None:
    factories.agent(sub="someone-else", email="karim.benali@dinum.example", organisation=dinum)
    browser = portal()
    sign_in(browser, provider, "demo-karim-benali")
    assert browser.session[login.REFUSAL_KEY] == "address_taken"
    assert Agent.objects.get().sub == "someone-else"


def test_a_replayed_callback_signs_nobody_in(provider: httpx.Client, dinum: Organisation) -> None:
    browser = portal()
    location = walk_to_callback(browser, provider, "demo-karim-benali")
    come_back(browser, location)
    browser.post(reverse("oidc_logout"))
    answer = come_back(browser, location)
    assert answer["Location"] == settings.LOGIN_REDIRECT_URL_FAILURE
    assert "_auth_user_id" not in browser.session


def test_a_callback_stolen_by_another_browser_signs_nobody_in(provider: httpx.Client, dinum: Organisation) -> None:
    location = walk_to_callback(portal(), provider, "demo-karim-benali")
    thief = portal()
    thief.get(reverse("oidc_authentication_init"))
    answer = come_back(thief, location)
    assert answer["Location"] == settings.LOGIN_REDIRECT_URL_FAILURE
    assert thief.session[login.REFUSAL_KEY] == "expired"
    assert "_auth_user_id" not in thief.session


def test_the_provider_refusing_leads_to_the_page_that_says_so() -> None:
    browser = portal()
    answer = browser.get(reverse("oidc_authentication_callback"), {"error": "access_denied", "state": "x"})
    assert answer["Location"] == settings.LOGIN_REDIRECT_URL_FAILURE
    assert browser.session[login.REFUSAL_KEY] == "provider"


@pytest.mark.parametrize(
    ("wanted", "reached"),
    [
        ("/reunions/", "/reunions/"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("javascript:alert(1)", "/"),
    ],
)
def test_next_stays_on_our_host(provider: httpx.Client, dinum: Organisation, wanted: str, reached: str) -> None:
    answer = sign_in(portal(), provider, "demo-karim-benali", next=wanted)
    assert answer["Location"] == reached


def test_logout_ends_here_first_then_at_the_provider(provider: httpx.Client, dinum: Organisation) -> None:
    browser = portal()
    sign_in(browser, provider, "demo-karim-benali")
    answer = browser.post(reverse("oidc_logout"))
    assert "_auth_user_id" not in browser.session
    assert answer["Location"].startswith(settings.OIDC_OP_LOGOUT_ENDPOINT)
    back = provider.get(answer["Location"])
    while back.is_redirect and back.headers["location"].startswith(settings.OIDC_OP_URL):
        back = provider.get(back.headers["location"])
    assert back.headers["location"].startswith(f"{settings.PORTAL_URL}/")


def test_logout_by_link_is_refused(client: Client) -> None:
    client.force_login(factories.agent(), backend="suite.agents.login.ProConnectBackend")
    assert client.get(reverse("oidc_logout")).status_code == 405
    assert "_auth_user_id" in client.session


def test_a_session_ends_when_the_agent_is_deactivated(client: Client) -> None:
    agent = factories.agent()
    client.force_login(agent, backend="suite.agents.login.ProConnectBackend")
    agent.is_active = False
    agent.save()
    answer = client.get(reverse("portal:dashboard"))
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("portal:sign_in"))


CLAIMS = {
    "sub": "s-1",
    "email": "Lea.Nguyen@dinum.example",
    "siret": "130 025 265 00013",
    "given_name": "Léa",
    "usual_name": "Nguyen",
}


def test_claims_are_tidied(dinum: Organisation) -> None:
    agent = login.agent_from_claims(CLAIMS, expected_sub="s-1")
    assert (agent.email, agent.organisation) == ("lea.nguyen@dinum.example", dinum)


@pytest.mark.parametrize("name", login.ESSENTIAL_CLAIMS)
@pytest.mark.parametrize("value", [None, "", "  ", 5])
def test_a_missing_or_odd_claim_is_refused(dinum: Organisation, name: str, value: object) -> None:
    with pytest.raises(login.SignInRefused) as refusal:
        login.agent_from_claims(CLAIMS | {name: value}, expected_sub="s-1")
    assert refusal.value.reason == "missing_claims"


def test_userinfo_of_somebody_else_is_refused(dinum: Organisation) -> None:
    with pytest.raises(login.SignInRefused):
        login.agent_from_claims(CLAIMS, expected_sub="s-2")
    assert not Agent.objects.exists()


def test_changing_organisation_leaves_the_team(dinum: Organisation) -> None:
    agent = factories.agent(sub="s-1", organisation=factories.organisation())
    factories.team(organisation=agent.organisation, members=[agent])
    again = login.agent_from_claims(CLAIMS, expected_sub="s-1")
    assert (again.pk, again.team, again.organisation) == (agent.pk, None, dinum)


def test_signing_in_again_writes_nothing_when_nothing_changed(
    dinum: Organisation, django_assert_max_num_queries: Any
) -> None:
    login.agent_from_claims(CLAIMS, expected_sub="s-1")
    with django_assert_max_num_queries(4) as queries:
        login.agent_from_claims(CLAIMS, expected_sub="s-1")
    assert not [query for query in queries if query["sql"].startswith("UPDATE")]
