"""The API refuses in the reader's language: what the request asks for, else the agent's own; the framework's sentences too."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests import factories
from tests.visio.meetings.test_api import LIST, api, body, post

pytestmark = pytest.mark.django_db

# (what is sent, what is wrong) and the words in French; none of them may come in English.
BODIES = [
    ("{", "Le corps de la demande n’est pas du JSON valable : ligne 1, colonne 2."),
    ("\n  {]", "Le corps de la demande n’est pas du JSON valable : ligne 2, colonne 4."),
    (b"\xff\xfe", "Le corps de la demande n’est pas du JSON valable."),
    ('{"title": NaN}', "Le corps de la demande n’est pas du JSON valable."),
]


@pytest.mark.parametrize(("raw", "words"), BODIES)
def test_what_is_no_json_is_said_in_the_reader_s_language(raw: Any, words: str) -> None:
    tool = api(factories.agent())
    answer = tool.post(LIST, raw, content_type="application/json", headers={"Accept-Language": "fr"})
    assert (answer.status_code, answer.json()["detail"]) == (400, words)


def test_nothing_at_all_is_said_in_the_reader_s_language() -> None:
    nothing = api(factories.agent()).post(LIST, "null", content_type="application/json")
    assert nothing.status_code == 400
    assert "La demande n’a pas de contenu." in str(nothing.json())


def test_a_forged_form_is_refused_in_the_reader_s_language() -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(factories.agent(), backend="suite.agents.login.ProConnectBackend")
    answer = post(browser, body())
    assert (answer.status_code, answer["Content-Type"]) == (403, "application/problem+json")
    assert (answer.json()["type"], answer.json()["detail"]) == (
        "urn:suite:problem:csrf",
        "La demande ne vient pas d’une page du portail : joignez son jeton CSRF, ou un jeton personnel.",
    )


@pytest.mark.parametrize(
    ("asked", "own", "words"),
    [
        ({}, "fr", "Méthode «\xa0PUT\xa0» non autorisée."),
        ({}, "en", 'Method "PUT" not allowed.'),
        ({}, "de", 'Methode "PUT" nicht erlaubt.'),
        ({"Accept-Language": "fr"}, "de", "Méthode «\xa0PUT\xa0» non autorisée."),
        ({"Accept-Language": "de-AT, en;q=0.5"}, "fr", 'Methode "PUT" nicht erlaubt.'),
        ({"Accept-Language": "sv"}, "en", "Méthode «\xa0PUT\xa0» non autorisée."),
    ],
)
def test_the_request_says_the_language_else_the_agent_s_own(asked: dict[str, str], own: str, words: str) -> None:
    answer = api(factories.agent(language=own)).put(LIST, "{}", content_type="application/json", headers=asked)
    assert (answer.status_code, answer.json()["detail"]) == (405, words)
