"""The list of meetings and answering in place."""

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from suite.agents.models import Agent
from tests import factories
from tests.visio.meetings.pages import client_of, text_of
from visio.meetings.models import Attendee, Meeting
from visio.meetings.scheduling import cancel_meeting

pytestmark = pytest.mark.django_db
LIST = "/reunions/"
# Session, agent, rows, the header's count and team, the version that the page was read at.
LIST_QUERIES = 6


@pytest.fixture
def organiser() -> Agent:
    return factories.agent("Claire", "Morel")


@pytest.fixture
def guest() -> Agent:
    return factories.agent("Karim", "Benali")


@pytest.fixture
def meeting(organiser: Agent, guest: Agent) -> Meeting:
    return factories.meeting(organiser, guests=[guest], title="Revue budgétaire")


def mine(meeting: Meeting, agent: Agent) -> Attendee:
    return meeting.attendees.get(agent=agent)


def answer_url(meeting: Meeting) -> str:
    return reverse("meetings:answer", args=[meeting.public_id])


def test_one_sees_ones_own_meetings_alone(meeting: Meeting, organiser: Agent, guest: Agent) -> None:
    colleague = factories.agent(organisation=organiser.organisation)
    assert "Revue budgétaire" in text_of(client_of(organiser).get(LIST))
    assert "Revue budgétaire" in text_of(client_of(guest).get(LIST))
    for who in (colleague, factories.agent()):
        for tab in ("a-venir", "a-traiter", "passees", "annulees"):
            assert "Revue budgétaire" not in text_of(client_of(who).get(f"{LIST}?onglet={tab}"))
    assert Client().get(LIST).status_code == 302


def test_tabs(organiser: Agent, guest: Agent) -> None:
    now = timezone.now()
    factories.meeting(organiser, guests=[guest], title="Celle de demain")
    factories.meeting(organiser, guests=[guest], title="Celle d’hier", starts_at=now - dt.timedelta(days=1))
    factories.meeting(organiser, guests=[guest], title="Celle en cours", starts_at=now - dt.timedelta(minutes=10))
    gone = factories.meeting(organiser, guests=[guest], title="Celle annulée")
    cancel_meeting(meeting=gone, by=organiser, now=now)
    answered = factories.meeting(organiser, guests=[guest], title="Celle répondue")
    Attendee.objects.filter(meeting=answered, agent=guest).update(answer="accepted", answered_via="page")
    client = client_of(guest)

    def titles(tab: str) -> set[str]:
        page = text_of(client.get(f"{LIST}?onglet={tab}"))
        return {
            title
            for title in ("Celle de demain", "Celle d’hier", "Celle en cours", "Celle annulée", "Celle répondue")
            if title in page
        }

    assert titles("a-venir") == {"Celle de demain", "Celle en cours", "Celle répondue"}
    assert titles("a-traiter") == {"Celle de demain", "Celle en cours"}
    assert titles("passees") == {"Celle d’hier"}
    assert titles("annulees") == {"Celle annulée"}
    assert titles("nimporte") == titles("a-venir")


@pytest.mark.parametrize(
    ("tab", "words"),
    [
        ("a-venir", "Aucune réunion à venir."),
        ("a-traiter", "Rien à traiter"),
        ("passees", "Aucune réunion passée"),
        ("annulees", "Aucune réunion annulée."),
    ],
)
def test_empty_tabs_say_so(tab: str, words: str) -> None:
    assert words in text_of(client_of(factories.agent()).get(f"{LIST}?onglet={tab}"))


def test_pages_of_twenty_five(organiser: Agent) -> None:
    for number in range(27):
        factories.meeting(
            organiser, title=f"Point {number:02d}", starts_at=timezone.now() + dt.timedelta(days=number + 1)
        )
    client = client_of(organiser)
    first, second = text_of(client.get(LIST)), text_of(client.get(f"{LIST}?page=2"))
    assert (first.count("mt-line__title"), second.count("mt-line__title")) == (25, 2)
    assert "Point 00" in first
    assert "Point 26" in second
    assert "?onglet=a-venir&amp;page=2" in first
    assert client.get(f"{LIST}?page=-1").status_code == 200


@pytest.mark.parametrize("tab", ["a-venir", "a-traiter"])
def test_queries_do_not_grow_with_the_rows(
    organiser: Agent, guest: Agent, tab: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = client_of(guest)
    counts = []
    for more in (1, 2):
        for _index in range(more):
            factories.meeting(organiser, guests=[guest])
        client.get(LIST)
        with django_assert_num_queries(LIST_QUERIES + (tab == "a-venir")) as captured:
            client.get(f"{LIST}?onglet={tab}")
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_the_fragment_is_the_list_alone(meeting: Meeting, guest: Agent) -> None:
    page = text_of(client_of(guest).get(f"{LIST}?fragment=1"))
    assert "Revue budgétaire" in page
    assert "<html" not in page


# --- answering --------------------------------------------------------------------------------------------------------
def test_htmx_gets_the_row_that_replaces_the_buttons(meeting: Meeting, guest: Agent) -> None:
    client = client_of(guest)
    page = text_of(client.post(answer_url(meeting), {"answer": "accepted"}, HTTP_HX_REQUEST="true"))
    assert "Vous participez." in page
    assert 'data-undo-seconds="10"' in page
    assert 'value="needs_action"' in page
    assert mine(meeting, guest).answer == "accepted"
    # Meanwhile a page that is fetched again keeps the row, with its way back.
    assert 'data-undo-seconds="10"' in text_of(client.get(f"{LIST}?onglet=a-traiter&fragment=1"))
    back = text_of(client.post(answer_url(meeting), {"answer": "needs_action"}, HTTP_HX_REQUEST="true"))
    assert 'value="accepted"' in back
    assert mine(meeting, guest).answer == "needs_action"


@pytest.mark.parametrize(
    ("sent_from", "where"), [("list", "/reunions/?onglet=a-traiter"), ("dashboard", "/"), ("", None), ("//evil", None)]
)
def test_without_htmx_one_comes_back(meeting: Meeting, guest: Agent, sent_from: str, where: str | None) -> None:
    response = client_of(guest).post(
        answer_url(meeting), {"answer": "declined", "from": sent_from, "comment": "Léa vient."}
    )
    assert response["Location"] == (where or reverse("meetings:detail", args=[meeting.public_id]))
    given = mine(meeting, guest)
    assert (given.answer, given.comment, given.answered_via, given.answered_revision) == (
        "declined",
        "Léa vient.",
        "portal",
        1,
    )


def test_who_may_answer(meeting: Meeting, organiser: Agent) -> None:
    sent = {"answer": "accepted"}
    assert client_of(organiser).post(answer_url(meeting), sent).status_code == 404  # organises, was not asked
    assert client_of(factories.agent()).post(answer_url(meeting), sent).status_code == 404
    assert (
        client_of(factories.agent(organisation=organiser.organisation)).post(answer_url(meeting), sent).status_code
        == 404
    )
    assert Client().post(answer_url(meeting), sent).status_code == 302
    assert not meeting.attendees.exclude(role="chair").exclude(answer="needs_action").exists()


def test_an_answer_by_get_changes_nothing(meeting: Meeting, guest: Agent) -> None:
    assert client_of(guest).get(answer_url(meeting) + "?answer=accepted").status_code == 405
    assert mine(meeting, guest).answer == "needs_action"


def test_no_such_answer(meeting: Meeting, guest: Agent) -> None:
    assert client_of(guest).post(answer_url(meeting), {"answer": "maybe"}).status_code == 422
    assert mine(meeting, guest).answer == "needs_action"


def test_a_cancelled_meeting_takes_no_answer(meeting: Meeting, organiser: Agent, guest: Agent) -> None:
    cancel_meeting(meeting=meeting, by=organiser, now=timezone.now())
    client = client_of(guest)
    words = "Cette réunion est annulée"
    assert words in text_of(client.post(answer_url(meeting), {"answer": "accepted"}, HTTP_HX_REQUEST="true"))
    assert words in text_of(client.post(answer_url(meeting), {"answer": "accepted"}, follow=True))
    assert mine(meeting, guest).answer == "needs_action"
