"""The pages of rooms as somebody sees them: filters, a week with others' privacy, requests and their answers."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from suite.agents.models import Agent
from suite.agents.time_models import Delegation
from tests import factories
from tests.visio.places.rooms import client_of, monday, reserve, room, rows
from visio.meetings.models import Meeting
from visio.places.models import Resource, ResourceBooking

pytestmark = pytest.mark.django_db
LIST = "/salles/"
WAITING = "/salles/a-valider/"


def read(agent: Agent, path: str, status: int = 200) -> str:
    answer = client_of(agent).get(path)
    assert answer.status_code == status
    return answer.content.decode()


def page_of(resource: Resource) -> str:
    when = monday().date().isocalendar()
    return f"/salles/{resource.public_id}/?semaine={when.year}-W{when.week:02d}"


# --- The list ----------------------------------------------------------------------------------------------------------
def test_the_list_shows_ones_own_organisation(organiser: Agent) -> None:
    room(organiser.organisation, "Fontenoy 1.03", features=["visio"])
    room(factories.organisation(), "Ailleurs")
    page = read(organiser, LIST)
    assert "Fontenoy 1.03" in page
    assert "Visioconférence" in page
    assert "Libre le reste de la journée" in page
    assert "Ailleurs" not in page


def test_an_empty_organisation_is_told_what_to_do(organiser: Agent) -> None:
    assert "n’a pas encore enregistré de salle" in read(organiser, LIST)
    assert "Retirez un critère" in read(organiser, LIST + "?q=rien")


def test_free_at_the_time_asked_for(organiser: Agent) -> None:
    reserve(organiser, room(organiser.organisation, "Prise"))
    room(organiser.organisation, "Ouverte")
    when = f"?date={monday():%Y-%m-%d}&debut=10:30&minutes=60"
    page = read(organiser, LIST + when)
    assert (page.count("Indisponible à cette heure"), page.count("Libre à cette heure")) == (1, 1)
    only = read(organiser, LIST + when + "&libres=1")
    assert "Ouverte" in only
    assert ">Prise<" not in only


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("date=2026-13-45", "Écrivez la date comme 26/11/2026."),
        ("date=0001-01-01&debut=00:00", "Écrivez la date comme 26/11/2026."),
        ("debut=99:99", "Écrivez l’heure comme 10:30."),
        ("places=-3", "Écrivez un nombre de places"),
        ("places=" + "9" * 400, "Écrivez un nombre de places"),
        ("equipements=%27%3B--", ""),
        ("genre=x", ""),
        ("q=%00", ""),
        ("page=-1", ""),
        ("minutes=99999999999", ""),
        ("site=" + "x" * 300, ""),
    ],
)
def test_bad_filters_are_said_and_left_aside(organiser: Agent, query: str, words: str) -> None:
    room(organiser.organisation)
    page = read(organiser, f"{LIST}?{query}")
    assert "Fontenoy 1.03" in page
    assert words in page


def test_a_page_beyond_the_last(organiser: Agent) -> None:
    room(organiser.organisation)
    assert "Il n’y a pas d’autre salle." in read(organiser, LIST + "?page=99999")


def test_pages_of_fifty(organiser: Agent) -> None:
    for number in range(53):
        room(organiser.organisation, f"Salle {number:02d}")
    assert (
        read(organiser, LIST).count('class="pl-row"'),
        read(organiser, LIST + "?page=2").count('class="pl-row"'),
    ) == (50, 3)


def test_queries_do_not_grow_with_rooms(organiser: Agent) -> None:
    def queries() -> int:
        client = client_of(organiser)
        with CaptureQueriesContext(connection) as captured:
            client.get(LIST)
        return len(captured)

    room(organiser.organisation, "A")
    few = queries()
    for number in range(20):
        room(organiser.organisation, f"B{number}")
    assert queries() == few


# --- One room's week -----------------------------------------------------------------------------------------------------
def test_who_may_see_the_meeting_reads_its_title(organiser: Agent, colleague: Agent) -> None:
    small = room(organiser.organisation)
    guest = factories.agent(organisation=organiser.organisation)
    meeting = reserve(organiser, small, title="Comité secret", guests=[guest])
    assistant = factories.agent(organisation=organiser.organisation)
    Delegation.objects.create(principal=organiser, delegate=assistant)
    for who in (organiser, guest, assistant):
        page = read(who, page_of(small))
        assert "Comité secret" in page
        assert f"/reunions/{meeting.public_id}/" in page
    page = read(colleague, page_of(small))
    assert "Comité secret" not in page
    assert str(meeting.public_id) not in page
    assert "Occupé" in page
    assert "Claire Morel" in page


def test_a_private_meeting_is_nobodys(organiser: Agent, colleague: Agent) -> None:
    small = room(organiser.organisation)
    reserve(organiser, small, title="Entretien", privacy="private")
    page = read(colleague, page_of(small))
    assert "Occupé" in page
    assert "Entretien" not in page
    assert "Claire Morel" not in page
    assert "Entretien" in read(organiser, page_of(small))


def test_another_organisations_room_is_not_there(organiser: Agent) -> None:
    foreign = room(factories.organisation())
    read(organiser, f"/salles/{foreign.public_id}/", status=404)


@pytest.mark.parametrize("week", ["", "x", "2026-W60", "2026-W00", "1999-W01", "2026-W1", "٢٠٢٦-W48"])
def test_weeks_that_are_none(organiser: Agent, week: str) -> None:
    small = room(organiser.organisation)
    read(organiser, f"/salles/{small.public_id}/?semaine={week}", status=404)


def test_a_weekend_is_shown_when_it_holds_something(organiser: Agent) -> None:
    small = room(organiser.organisation)
    saturday = monday() + dt.timedelta(days=5)
    assert "pl-day__name" in read(organiser, page_of(small))
    before = read(organiser, page_of(small)).count('class="pl-day__name"')
    reserve(organiser, small, at=saturday)
    assert read(organiser, page_of(small)).count('class="pl-day__name"') == before + 1


def test_queries_do_not_grow_with_bookings(organiser: Agent, colleague: Agent) -> None:
    small = room(organiser.organisation)

    def queries() -> int:
        client = client_of(colleague)
        with CaptureQueriesContext(connection) as captured:
            client.get(page_of(small))
        return len(captured)

    reserve(organiser, small)
    few = queries()
    reserve(organiser, small, at=monday() + dt.timedelta(days=1), rule="FREQ=DAILY;COUNT=3")
    assert queries() == few


# --- Requests ------------------------------------------------------------------------------------------------------------
@pytest.fixture
def council(colleague: Agent) -> Resource:
    return room(colleague.organisation, "Salle du conseil", needs_approval=True, managers=[colleague], capacity=2)


def key(meeting: Meeting, resource: Resource) -> str:
    return f"{meeting.public_id}:{resource.public_id}"


def test_a_manager_sees_and_accepts(organiser: Agent, colleague: Agent, council: Resource) -> None:
    meeting = reserve(organiser, council, title="Conseil", guests=["a@x.example", "b@x.example"])
    assert "À valider" in read(colleague, LIST)
    page = read(colleague, WAITING)
    assert "Conseil" in page
    assert "la salle a 2 places" in page
    client = client_of(colleague)
    answer = client.post(WAITING, {"demande": key(meeting, council), "decision": "accept", "words": "Oui"}, follow=True)
    assert "Demande acceptée pour 1 date. Claire Morel en est informé par courriel." in answer.content.decode()
    assert "Rien à valider" in answer.content.decode()
    assert [row[3] for row in rows(meeting)] == ["accepted"]
    again = client.post(WAITING, {"demande": key(meeting, council), "decision": "refuse"}, follow=True)
    assert "n’attend plus de réponse" in again.content.decode()
    assert [row[3] for row in rows(meeting)] == ["accepted"]


def test_date_by_date(organiser: Agent, colleague: Agent, council: Resource) -> None:
    meeting = reserve(organiser, council, rule="FREQ=WEEKLY;COUNT=3")
    second = ResourceBooking.objects.order_by("during")[1]
    client_of(colleague).post(
        WAITING, {"demande": key(meeting, council), "decision": "refuse", "booking": [str(second.pk)]}
    )
    assert [row[3] for row in rows(meeting)] == ["pending", "refused", "pending"]


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"decision": "accept", "booking": []}, "Cochez au moins une date."),
        ({"decision": "accept", "booking": ["x", "-1", "9" * 50]}, "Cochez au moins une date."),
        ({"decision": "peut-être"}, "Acceptez ou refusez la demande."),
        ({"decision": "refuse", "words": "é" * 501}, "500 caractères au plus : il y en a 501."),
    ],
)
def test_what_a_manager_gets_wrong_is_said_and_kept(
    organiser: Agent, colleague: Agent, council: Resource, sent: dict[str, Any], words: str
) -> None:
    meeting = reserve(organiser, council, rule="FREQ=WEEKLY;COUNT=2")
    answer = client_of(colleague).post(WAITING, {"demande": key(meeting, council), **sent})
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert sent.get("words", "") in answer.content.decode()
    assert [row[3] for row in rows(meeting)] == ["pending", "pending"]


def test_others_see_no_request_and_decide_nothing(organiser: Agent, colleague: Agent, council: Resource) -> None:
    meeting = reserve(organiser, council, title="Conseil")
    stranger = factories.agent()
    peer = factories.agent(organisation=organiser.organisation)
    for who in (organiser, peer, stranger):
        assert "Conseil" not in read(who, WAITING)
        assert "responsable d’aucune salle" in read(who, WAITING)
        client_of(who).post(WAITING, {"demande": key(meeting, council), "decision": "accept"})
    assert [row[3] for row in rows(meeting)] == ["pending"]


def test_a_private_title_is_not_told_to_the_manager(organiser: Agent, colleague: Agent, council: Resource) -> None:
    reserve(organiser, council, title="Entretien", privacy="private")
    page = read(colleague, WAITING)
    assert "Entretien" not in page
    assert "Réunion privée" in page


def test_queries_do_not_grow_with_requests(organiser: Agent, colleague: Agent, council: Resource) -> None:
    def queries() -> int:
        client = client_of(colleague)
        with CaptureQueriesContext(connection) as captured:
            client.get(WAITING)
        return len(captured)

    reserve(organiser, council)
    few = queries()
    for day in range(1, 4):
        reserve(organiser, council, at=monday() + dt.timedelta(days=day))
    assert queries() == few
