"""Settings, presence, personal tokens: one's own and nobody else's."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from suite.agents.models import Agent, PersonalToken
from suite.agents.scopes import READING, SCOPES
from suite.agents.tokens import MOST_TOKENS, hash_secret, issue_token
from suite.portal.context import presence_end
from tests import factories

pytestmark = pytest.mark.django_db

SIGNED_IN_ONLY = ["/reglages/", "/reglages/jetons/", "/reglages/jetons/1/revoquer/", "/presence/", "/recherche/"]


@pytest.fixture
def agent(client: Client) -> Agent:
    made = factories.agent()
    client.force_login(made)
    return made


@pytest.mark.parametrize("path", SIGNED_IN_ONLY)
@pytest.mark.parametrize("method", ["get", "post"])
def test_nobody_is_sent_to_sign_in(path: str, method: str) -> None:
    response = getattr(Client(), method)(path)
    assert response.status_code == 302
    assert response["Location"].startswith("/connexion/")


# --- settings ---------------------------------------------------------------------------------------------------
def test_settings_are_shown(client: Client, agent: Agent) -> None:
    html = client.get("/reglages/").content.decode()
    assert "INVALID-TEMPLATE-VARIABLE" not in html
    assert agent.email in html
    assert '<option value="fr" lang="fr" selected>Français</option>' in html
    assert 'value="Europe/Paris" selected' in html


def test_settings_are_saved_and_said_in_the_new_language(client: Client, agent: Agent) -> None:
    response = client.post("/reglages/", {"language": "en", "time_zone": "Indian/Reunion", "theme": "dark"})
    assert response["Location"] == "/reglages/"
    agent.refresh_from_db()
    assert (agent.language, agent.time_zone, agent.theme) == ("en", "Indian/Reunion", "dark")
    html = client.get("/reglages/").content.decode()
    assert "fr-alert--success" in html
    assert 'data-fr-theme="dark"' in html


@pytest.mark.parametrize(
    "wrong",
    [{"language": "xx"}, {"time_zone": "Mars/Olympus"}, {"time_zone": "../../etc/passwd"}, {"theme": "purple"}],
)
def test_wrong_settings_save_nothing(client: Client, agent: Agent, wrong: dict[str, str]) -> None:
    sent = {"language": "en", "time_zone": "Europe/Paris", "theme": "dark", **wrong}
    response = client.post("/reglages/", sent)
    assert response.status_code == 422
    assert "fr-error-text" in response.content.decode()
    agent.refresh_from_db()
    assert (agent.language, agent.theme) == ("fr", "system")


# --- tokens -----------------------------------------------------------------------------------------------------
def asked(**changes: Any) -> dict[str, Any]:
    return {"token-name": "Outil", "token-days": "30", "token-scopes": ["meetings:read"]} | {
        f"token-{name}": value for name, value in changes.items()
    }


def test_token_is_shown_once(client: Client, agent: Agent) -> None:
    response = client.post("/reglages/jetons/", asked(name=" Outil  de suivi "))
    assert response["Location"] == "/reglages/#jetons"
    token = PersonalToken.objects.get(agent=agent)
    assert token.name == "Outil de suivi"
    assert dt.timedelta(days=29) < token.expires_at - timezone.now() <= dt.timedelta(days=30)
    shown = client.get("/reglages/").content.decode()
    secret = shown.split('value="suite_')[1].split('"')[0]
    assert hash_secret(f"suite_{secret}") == token.token_hash
    again = client.get("/reglages/").content.decode()
    assert secret not in again
    assert "Outil de suivi" in again


def test_a_token_has_the_rights_that_were_ticked_and_the_list_says_which(client: Client, agent: Agent) -> None:
    blank = client.get("/reglages/").content.decode()
    ticked = {part.split('"')[0] for part in blank.split('name="token-scopes" value="')[1:] if " checked>" in part[:60]}
    assert ticked == set(READING), "reading is ticked, writing is not"
    client.post("/reglages/jetons/", asked(scopes=["meetings:read", "answers:write"]))
    assert PersonalToken.objects.get(agent=agent).scopes == ["meetings:read", "answers:write"]
    [row] = re.findall(r"<details.*?</details>", client.get("/reglages/").content.decode(), re.DOTALL)
    assert re.findall("<li>(.*?)</li>", row) == [str(SCOPES["meetings:read"]), str(SCOPES["answers:write"])]


@pytest.mark.parametrize(
    "wrong",
    [{"name": ""}, {"days": "4000"}, {"name": "x" * 81}, {"scopes": []}, {"scopes": ["meetings:read", "all"]}],
)
def test_wrong_token_is_refused_at_its_field(client: Client, agent: Agent, wrong: dict[str, Any]) -> None:
    response = client.post("/reglages/jetons/", asked(**wrong))
    assert response.status_code == 422
    assert not PersonalToken.objects.exists()


def test_too_many_tokens(client: Client, agent: Agent) -> None:
    for number in range(MOST_TOKENS):
        issue_token(agent=agent, name=str(number), days=1, now=timezone.now())
    response = client.post("/reglages/jetons/", asked(name="Un de trop"))
    assert response.status_code == 422
    assert "révoquez-en un" in response.content.decode()


def test_revoked_token_is_gone(client: Client, agent: Agent) -> None:
    token, _secret = issue_token(agent=agent, name="Outil", days=1, now=timezone.now())
    assert client.post(f"/reglages/jetons/{token.pk}/revoquer/")["Location"] == "/reglages/#jetons"
    token.refresh_from_db()
    assert token.revoked_at is not None
    assert client.post(f"/reglages/jetons/{token.pk}/revoquer/").status_code == 404


def test_anothers_token_does_not_exist(client: Client, agent: Agent) -> None:
    other = factories.agent(organisation=agent.organisation)
    token, _secret = issue_token(agent=other, name="Secret de l’autre", days=1, now=timezone.now())
    assert client.post(f"/reglages/jetons/{token.pk}/revoquer/").status_code == 404
    token.refresh_from_db()
    assert token.revoked_at is None
    assert "Secret de l’autre" not in client.get("/reglages/").content.decode()


# --- presence ---------------------------------------------------------------------------------------------------
def test_presence_is_chosen_until_a_moment(client: Client, agent: Agent) -> None:
    response = client.post("/presence/", {"state": "do_not_disturb", "until": "hour", "next": "/reunions/"})
    assert response["Location"] == "/reunions/"
    agent.refresh_from_db()
    assert agent.chosen_presence == "do_not_disturb"
    assert agent.chosen_until is not None
    assert dt.timedelta(minutes=59) < agent.chosen_until - timezone.now() <= dt.timedelta(minutes=65)


def test_presence_comes_back_as_the_headers_button(client: Client, agent: Agent) -> None:
    response = client.post("/presence/", {"state": "away"}, headers={"HX-Request": "true"})
    html = response.content.decode()
    assert response.status_code == 200
    assert 'id="ma-presence"' in html
    assert 'value="away" checked' in html
    assert "INVALID-TEMPLATE-VARIABLE" not in html


def test_unknown_presence_changes_nothing(client: Client, agent: Agent) -> None:
    assert client.post("/presence/", {"state": "invisible"}).status_code == 422
    agent.refresh_from_db()
    assert agent.chosen_presence == "automatic"


def test_presence_wants_a_post(client: Client, agent: Agent) -> None:
    assert client.get("/presence/").status_code == 405


def test_ends_of_a_presence() -> None:
    now = dt.datetime(2026, 11, 24, 9, 48, 20, tzinfo=dt.UTC)
    with timezone.override(dt.timezone(dt.timedelta(hours=1))):
        assert presence_end("hour", now) == dt.datetime(2026, 11, 24, 10, 50, tzinfo=dt.UTC)
        assert presence_end("evening", now) == dt.datetime(2026, 11, 24, 17, tzinfo=dt.UTC)
        assert presence_end("evening", now + dt.timedelta(hours=9)) is None
        assert presence_end("", now) is None
        assert presence_end("hour", now.replace(minute=45, second=0)) == now.replace(hour=10, minute=45, second=0)
