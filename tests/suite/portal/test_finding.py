"""The search page: my meetings by words, people by name, never another's meeting."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from suite.agents.models import Agent
from suite.portal.finding import MOST_MEETINGS, find_meetings
from tests import factories
from visio.meetings.scheduling import cancel_meeting

pytestmark = pytest.mark.django_db


@pytest.fixture
def agent(client: Client) -> Agent:
    made = factories.agent("Claire", "Morel")
    client.force_login(made)
    return made


def titles(agent: Agent, text: str) -> list[str]:
    return [row.meeting.title for row in find_meetings(agent, text, now=timezone.now())]


@pytest.mark.parametrize(
    "text", ["sécurité", "SECURITE", "secur", "revue sécurité", "fontenoy", "homologation", "revue, fontenoy"]
)
def test_found_by_any_word_whatever_its_accents(agent: Agent, text: str) -> None:
    factories.meeting(agent, title="Revue de sécurité", place="Salle Fontenoy", description="Homologation du portail")
    factories.meeting(agent, title="Autre chose")
    assert titles(agent, text) == ["Revue de sécurité"]


@pytest.mark.parametrize("text", ["absent", "revue absent", "& | !", "')", "a:*|b", "\\", "' OR 1=1 --"])
def test_nothing_found_and_nothing_broken(client: Client, agent: Agent, text: str) -> None:
    factories.meeting(agent, title="Revue de sécurité")
    assert titles(agent, text) == []
    response = client.get("/recherche/", {"q": text})
    assert response.status_code == 200
    assert "INVALID-TEMPLATE-VARIABLE" not in response.content.decode()


def test_anothers_meeting_is_not_found(agent: Agent) -> None:
    colleague = factories.agent(organisation=agent.organisation)
    factories.meeting(colleague, title="Revue des autres")
    factories.meeting(colleague, guests=[agent], title="Revue commune")
    assert titles(agent, "revue") == ["Revue commune"]


def test_nearest_first_and_past_last(agent: Agent) -> None:
    now = timezone.now()
    for days in (5, -1, 1):
        factories.meeting(agent, starts_at=now + dt.timedelta(days=days), title=f"Point {days}")
    assert titles(agent, "point") == ["Point 1", "Point 5", "Point -1"]


def test_page_shows_meetings_and_people(client: Client, agent: Agent) -> None:
    meeting = factories.meeting(agent, title="Point avec Hélène")
    cancel_meeting(meeting=meeting, by=agent, now=timezone.now())
    factories.agent("Hélène", "Dupont")
    html = client.get("/recherche/", {"q": "helene"}).content.decode()
    assert "INVALID-TEMPLATE-VARIABLE" not in html
    assert f'href="/reunions/{meeting.public_id}/"' in html
    assert "Annulée" in html
    assert "Hélène Dupont" in html


@pytest.mark.parametrize(
    ("asked", "words"),
    [("", "Écrivez un mot du titre"), ("a", "au moins deux lettres"), ("zzzz", "Rien ne correspond à « zzzz »")],
)
def test_empty_states(client: Client, agent: Agent, asked: str, words: str) -> None:
    assert words in " ".join(client.get("/recherche/", {"q": asked}).content.decode().split())


def test_question_is_escaped_and_bounded(client: Client, agent: Agent) -> None:
    html = client.get("/recherche/", {"q": "<script>alert(1)</script>" + "x" * 500}).content.decode()
    assert "<script>alert" not in html
    assert "x" * 201 not in html.split("<h1")[1].split("</h1>")[0]


def test_nul_byte_is_harmless(client: Client, agent: Agent) -> None:
    assert client.get("/recherche/?q=re%00vue").status_code == 200


def test_at_most_so_many(client: Client, agent: Agent) -> None:
    for _index in range(MOST_MEETINGS + 1):
        factories.meeting(agent, title="Revue")
    assert len(titles(agent, "revue")) == MOST_MEETINGS
    assert "précisez votre recherche" in client.get("/recherche/?q=revue").content.decode()


def test_same_cost_with_one_and_three(client: Client, agent: Agent) -> None:
    counts = []
    for number in (1, 2):
        for _index in range(number):
            factories.meeting(agent, title="Revue")
            factories.agent("Revue", "Personne")
        with CaptureQueriesContext(connection) as captured:
            client.get("/recherche/?q=revue")
        counts.append(len(captured))
    assert counts[0] == counts[1]
