"""Pages without a session: sign-in, refusal, language, theme, the law's pages, error pages."""

from __future__ import annotations

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client
from django.urls import reverse

from suite.agents.login import REASONS, REFUSAL_KEY
from tests import factories

pytestmark = pytest.mark.django_db

LAW = ["accessibility", "legal", "personal_data", "cookies"]


def test_sign_in_page(client: Client) -> None:
    response = client.get("/connexion/")
    html = response.content.decode()
    assert response.status_code == 200
    assert 'href="/oidc/authenticate/"' in html
    assert "S’identifier avec" in html
    assert "État des services" in html
    assert "INVALID-TEMPLATE-VARIABLE" not in html
    assert "no-store" in response["Cache-Control"]


def test_sign_in_remembers_where_to(client: Client) -> None:
    assert "/oidc/authenticate/?next=%2Freunions%2F" in client.get("/connexion/?next=/reunions/").content.decode()


@pytest.mark.parametrize(
    "foreign", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example"]
)
def test_sign_in_never_leads_to_another_host(client: Client, foreign: str) -> None:
    html = client.get("/connexion/", {"next": foreign}).content.decode()
    assert 'href="/oidc/authenticate/"' in html


def test_signed_in_agent_is_there_already(client: Client) -> None:
    client.force_login(factories.agent())
    assert client.get("/connexion/?next=/reunions/")["Location"] == "/reunions/"
    assert client.get("/connexion/?next=https://evil.example/")["Location"] == "/"


def test_sign_in_is_only_read(client: Client) -> None:
    assert client.post("/connexion/").status_code == 405


def test_signing_out_is_confirmed_once(client: Client) -> None:
    client.force_login(factories.agent())
    assert client.post("/deconnexion/").status_code == 302
    assert client.get("/")["Location"].startswith("/connexion/")
    assert "Vous êtes déconnecté." in client.get("/connexion/").content.decode()
    assert "Vous êtes déconnecté." not in client.get("/connexion/").content.decode()


def test_signing_out_wants_a_post(client: Client) -> None:
    client.force_login(factories.agent())
    assert client.get("/deconnexion/").status_code == 405
    assert client.get("/").status_code == 200


@pytest.mark.parametrize("reason", REASONS)
def test_refusal_says_why(client: Client, reason: str) -> None:
    session = client.session
    assert isinstance(session, SessionStore)
    session[REFUSAL_KEY] = reason
    session.save()
    response = client.get("/connexion/refus/")
    html = response.content.decode()
    words = {
        "unknown_organisation": "n’a pas encore accès",
        "missing_claims": "Il manque une information",
        "unusable_claims": "est inutilisable",
        "disabled": "Votre compte est désactivé",
        "address_taken": "appartient déjà à un autre compte",
        "provider": "n’a pas pu vous identifier",
        "expired": "n’a pas abouti",
    }[reason]
    assert response.status_code == 403
    assert words in html
    assert words in client.get("/connexion/refus/").content.decode()


def test_refusal_without_a_reason(client: Client) -> None:
    assert "n’a pas abouti" in client.get("/connexion/refus/").content.decode()


# --- language and theme -----------------------------------------------------------------------------------------
def test_language_of_a_guest(client: Client) -> None:
    response = client.post("/langue/", {"language": "de", "next": "/connexion/"})
    assert response["Location"] == "/connexion/"
    assert '<html lang="de"' in client.get("/connexion/").content.decode()


def test_language_of_an_agent_is_kept_in_their_settings(client: Client) -> None:
    agent = factories.agent()
    client.force_login(agent)
    client.post("/langue/", {"language": "en"})
    agent.refresh_from_db()
    assert agent.language == "en"


def test_unknown_language_changes_nothing(client: Client) -> None:
    response = client.post("/langue/", {"language": "xx", "next": "//evil.example/"})
    assert response["Location"] == "/"
    assert not response.cookies


@pytest.mark.parametrize(("theme", "expected"), [("dark", 'data-fr-theme="dark"'), ("light", 'data-fr-theme="light"')])
def test_theme_of_a_guest_is_rendered_by_the_server(client: Client, theme: str, expected: str) -> None:
    client.post("/theme/", {"theme": theme})
    assert expected in client.get("/connexion/").content.decode()


def test_theme_of_the_system_is_left_to_the_browser(client: Client) -> None:
    html = client.get("/connexion/").content.decode()
    assert 'data-ps-theme="system"' in html
    assert "data-fr-theme=" not in html


def test_theme_of_an_agent(client: Client) -> None:
    agent = factories.agent()
    client.force_login(agent)
    assert client.post("/theme/", {"theme": "dark"}, headers={"HX-Request": "true"}).status_code == 204
    agent.refresh_from_db()
    assert agent.theme == "dark"
    client.post("/theme/", {"theme": "purple"})
    agent.refresh_from_db()
    assert agent.theme == "dark"


@pytest.mark.parametrize("path", ["/langue/", "/theme/"])
def test_choices_want_a_post_with_a_token(path: str) -> None:
    strict = Client(enforce_csrf_checks=True)
    assert strict.get(path).status_code == 405
    response = strict.post(path, {"language": "de", "theme": "dark"})
    assert response.status_code == 403
    assert "Ce formulaire a expiré" in response.content.decode()


# --- the law, and errors ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", LAW)
@pytest.mark.parametrize("signed_in", [False, True])
def test_law_pages_for_everybody(client: Client, name: str, signed_in: bool) -> None:
    if signed_in:
        client.force_login(factories.agent())
    response = client.get(reverse(f"portal:{name}"))
    html = response.content.decode()
    assert response.status_code == 200
    assert "<h1" in html
    assert "INVALID-TEMPLATE-VARIABLE" not in html
    assert ('id="navigation"' in html) is signed_in


@pytest.mark.parametrize("name", LAW)
def test_every_page_links_to_the_law(client: Client, name: str) -> None:
    assert f'href="{reverse(f"portal:{name}")}"' in client.get("/connexion/").content.decode()


def test_page_not_found(client: Client) -> None:
    response = client.get("/nulle-part/")
    assert response.status_code == 404
    assert "Cette page n’existe pas" in response.content.decode()
    client.force_login(factories.agent())
    assert 'id="navigation"' in client.get("/nulle-part/").content.decode()


def test_bad_request_is_told_without_the_words_sent(client: Client) -> None:
    response = client.get("/connexion/", headers={"host": "evil.example"})
    html = response.content.decode()
    assert response.status_code == 400
    assert "n’a pas été comprise" in html
    assert "evil" not in html


def test_error_page_asks_nobody(client: Client, django_assert_num_queries: object) -> None:
    from django.test import RequestFactory

    from suite.portal.errors import server_error

    request = RequestFactory().get("/")
    request.COOKIES["theme"] = "dark"
    with django_assert_num_queries(0):  # type: ignore[operator]
        response = server_error(request)
    html = response.content.decode()
    assert response.status_code == 500
    assert "Le portail a rencontré une erreur" in html
    assert 'data-ps-theme="dark"' in html
    assert "INVALID-TEMPLATE-VARIABLE" not in html
