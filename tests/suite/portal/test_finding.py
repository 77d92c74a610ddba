"""The search page: my meetings by words, people by name, never another's meeting."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from suite.agents.leaves import add_leave
from suite.agents.models import Agent
from suite.portal.finding import Asked
from tests import factories
from visio.meetings.models import Attendee, Occurrence
from visio.meetings.scheduling import cancel_meeting
from visio.meetings.searching import PAGE_SIZE, marked, search_meetings, snippet

pytestmark = pytest.mark.django_db


@pytest.fixture
def agent(client: Client) -> Agent:
    made = factories.agent("Claire", "Morel")
    client.force_login(made)
    return made


def titles(agent: Agent, text: str, **filters: str) -> list[str]:
    now = timezone.now()
    asked = Asked.of(QueryDict("&".join(f"{name}={value}" for name, value in filters.items())))
    found = search_meetings(agent, text, filters=asked.filters(agent, now), now=now)
    return [row.title for row in found.meetings]


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


def test_what_a_date_says_is_found_by_those_who_are_invited_to_it(agent: Agent) -> None:
    always, once, left_out = (factories.agent() for _number in range(3))
    made = factories.meeting(agent, guests=[always, left_out], rule="FREQ=WEEKLY;COUNT=4", title="Comité")
    second, third = made.occurrences.order_by("recurrence_id")[1:3]
    Occurrence.objects.filter(pk=second.pk).update(is_override=True, title="Mutations")
    Attendee.objects.filter(meeting=made, agent=left_out).get().exceptions.create(occurrence=second, removed=True)
    guest = factories.meeting(agent, guests=[once]).attendees.get(agent=once)
    Attendee.objects.filter(pk=guest.pk).update(
        meeting=made, only_occurrence=third, starts_at=third.starts_at, ends_at=third.ends_at
    )
    found = {who: titles(who, "mutations") for who in (agent, always, once, left_out)}
    assert found == {agent: ["Comité"], always: ["Comité"], once: [], left_out: []}
    assert titles(once, "comité") == ["Comité"]


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


def test_page_after_page(client: Client, agent: Agent) -> None:
    for _index in range(PAGE_SIZE + 1):
        factories.meeting(agent, title="Revue")
    first = client.get("/recherche/?q=revue").content.decode()
    assert first.count('class="ps-find__title"') == PAGE_SIZE
    assert f'<span class="ps-count">{PAGE_SIZE + 1}</span>' in first
    second = client.get("/recherche/?q=revue&page=2").content.decode()
    assert second.count('class="ps-find__title"') == 1


@pytest.mark.parametrize("text", ["dupont", "Hélène", "helene dupont", "anne", "partenaire.example", "comite helene"])
def test_found_by_the_people_who_come(agent: Agent, text: str) -> None:
    factories.meeting(agent, title="Comité", guests=[factories.agent("Hélène", "Dupont"), "anne@partenaire.example"])
    factories.meeting(agent, title="Seule")
    assert titles(agent, text) == ["Comité"]


@pytest.mark.parametrize("text", ["reunions", "RÉUNION", "budgétaires"])
def test_found_in_its_french_forms(agent: Agent, text: str) -> None:
    factories.meeting(agent, title="Réunion budgétaire")
    assert titles(agent, text) == ["Réunion budgétaire"]


def test_filters(agent: Agent) -> None:
    now = timezone.now()
    karim = factories.agent("Karim", "Benali")
    factories.meeting(agent, title="Point A", place="Salle Fontenoy", guests=[karim])
    factories.meeting(karim, guests=[agent], title="Point B", starts_at=now + dt.timedelta(days=40))
    day = (now + dt.timedelta(days=30)).date().isoformat()
    assert titles(agent, "point") == ["Point A", "Point B"]
    assert titles(agent, "point", organisees="1") == ["Point A"]
    assert titles(agent, "", lieu="fontenoy") == ["Point A"]
    assert titles(agent, "", avec="benali") == ["Point A", "Point B"]
    assert titles(agent, "point", du=day) == ["Point B"]
    assert titles(agent, "point", au=day) == ["Point A"]
    assert titles(agent, "", avec="%") == ["Point A", "Point B"], "no word: no filter"


def test_a_series_is_found_once_with_its_next_date(client: Client, agent: Agent) -> None:
    now = timezone.now().replace(second=0, microsecond=0)
    start = now - dt.timedelta(days=10)
    meeting = factories.meeting(agent, title="Rituel", rule="FREQ=DAILY;COUNT=30", starts_at=start)
    one = meeting.occurrences.order_by("starts_at").last()
    assert one is not None
    one.title, one.is_override = "Bouquet final", True
    one.save()
    found = search_meetings(agent, "rituel", filters=Asked.of(QueryDict()).filters(agent, now), now=now)
    [row] = found.meetings
    assert row.ends_at > now
    assert row.starts_at <= now + dt.timedelta(days=1)
    html = client.get("/recherche/?q=bouquet").content.decode()
    assert f'href="/reunions/{meeting.public_id}/?date={row.recurrence_key}"' in html


def test_words_are_marked_and_everything_else_escaped(client: Client, agent: Agent) -> None:
    assert marked("<b>Comité</b> & comités", ["comite"]) == (
        "&lt;b&gt;<mark>Comité</mark>&lt;/b&gt; &amp; <mark>comités</mark>"
    )
    long = f"{'avant ' * 60}le <i>budget</i> {'après ' * 60}"
    cut = snippet(long, ["budget"])
    assert cut.startswith("… ")
    assert "budget" in cut
    assert len(cut) < 250
    factories.meeting(agent, title="<script>alert(1)</script> budget", description=long)
    html = client.get("/recherche/?q=budget").content.decode()
    assert "<script>alert" not in html
    assert "&lt;i&gt;<mark>budget</mark>" in html


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


def test_the_directory_says_who_is_away_and_until_when_to_those_who_may_see_it() -> None:
    viewer, now = factories.agent(), timezone.now()
    near = factories.agent("Hélène", "Faure", organisation=viewer.organisation)
    far = factories.agent("Hélène", "Faure")
    for one in (near, far):
        add_leave(agent=one, starts_at=now, ends_at=now + dt.timedelta(days=40), is_all_day=False, note="Cure", now=now)
    client = Client()
    client.force_login(viewer)
    page = client.get("/recherche/?q=helene+faure").content.decode()
    assert near.email in page
    assert far.email in page
    assert page.count("Absent jusqu’au") == 1
    assert f'data-presence="{near.public_id}" data-state="away"' in page
    assert str(far.public_id) not in page
    assert "Cure" not in page
    assert "Congé" not in page
    factories.meeting(viewer, guests=[far])
    assert client.get("/recherche/?q=helene+faure").content.decode().count("Absent jusqu’au") == 2
