"""Editing, moving and cancelling: who may, what is kept when somebody else was faster."""

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from suite.agents.models import Agent
from tests import factories
from tests.visio.meetings.pages import client_of, edit_form, text_of
from visio.meetings.models import Delivery, Meeting
from visio.meetings.scheduling import cancel_meeting

pytestmark = pytest.mark.django_db


@pytest.fixture
def meeting(organiser: Agent, guest: Agent) -> Meeting:
    return factories.meeting(organiser, guests=[guest, "anne@b.example"])


def url(meeting: Meeting, name: str) -> str:
    return reverse(f"meetings:{name}", args=[meeting.public_id])


@pytest.mark.parametrize("name", ["edit", "cancel"])
def test_only_the_organiser(meeting: Meeting, organiser: Agent, guest: Agent, name: str) -> None:
    colleague = factories.agent(organisation=organiser.organisation)
    stranger = factories.agent()
    address = url(meeting, name)
    for method in ("get", "post"):
        assert getattr(Client(), method)(address).status_code == 302
        assert getattr(client_of(guest), method)(address).status_code == 403
        assert getattr(client_of(colleague), method)(address).status_code == 404
        assert getattr(client_of(stranger), method)(address).status_code == 404
    assert client_of(organiser).get(address).status_code == 200
    meeting.refresh_from_db()
    assert (meeting.status, meeting.revision) == ("confirmed", 1)


def test_the_form_shows_the_meeting_as_it_is(meeting: Meeting, organiser: Agent, guest: Agent) -> None:
    page = text_of(client_of(organiser).get(url(meeting, "edit")))
    assert 'name="revision" value="1"' in page
    assert f"Karim Benali &lt;{guest.email}&gt;\nanne@b.example</textarea>" in page
    assert f'value="{meeting.start_date.isoformat()}"' in page


def test_moving_is_the_same_page_with_the_date_in_focus(meeting: Meeting, organiser: Agent) -> None:
    page = text_of(client_of(organiser).get(url(meeting, "edit") + "?champ=date"))
    assert 'data-focus="id_date"' in page
    assert "Déplacer la réunion</h1>" in page


def test_an_edit_is_saved_and_mailed(meeting: Meeting, organiser: Agent) -> None:
    response = client_of(organiser).post(url(meeting, "edit"), edit_form(meeting, title="Nouveau titre"))
    assert response["Location"] == url(meeting, "detail")
    meeting.refresh_from_db()
    assert (meeting.title, meeting.revision) == ("Nouveau titre", 2)
    assert Delivery.objects.filter(meeting=meeting, revision=2).count() == 2


def test_saving_without_a_change_does_nothing(meeting: Meeting, organiser: Agent) -> None:
    before = Delivery.objects.count()
    response = client_of(organiser).post(url(meeting, "edit"), edit_form(meeting), follow=True)
    meeting.refresh_from_db()
    assert (meeting.revision, Delivery.objects.count()) == (1, before)
    assert "aucun courriel ne part" in text_of(response)


def test_the_slower_editor_sees_what_changed_and_keeps_what_was_typed(meeting: Meeting, organiser: Agent) -> None:
    stale = edit_form(meeting, title="Titre du second")
    client = client_of(organiser)
    client.post(url(meeting, "edit"), edit_form(meeting, title="Titre du premier"))
    response = client.post(url(meeting, "edit"), stale)
    page = text_of(response)
    assert response.status_code == 409
    assert "Renommée : avant « Comité de suivi »" in page
    assert 'value="Titre du second"' in page
    assert 'name="revision" value="2"' in page  # saving again is then deliberate
    meeting.refresh_from_db()
    assert (meeting.title, meeting.revision) == ("Titre du premier", 2)
    assert client.post(url(meeting, "edit"), stale | {"revision": 2}).status_code == 302


def test_bad_input_changes_nothing(meeting: Meeting, organiser: Agent) -> None:
    response = client_of(organiser).post(url(meeting, "edit"), edit_form(meeting, title="", date="2020-01-01"))
    assert response.status_code == 422
    assert "2 champs à corriger" in text_of(response)
    meeting.refresh_from_db()
    assert meeting.revision == 1


def test_a_form_without_its_revision_is_stale(meeting: Meeting, organiser: Agent) -> None:
    sent = edit_form(meeting, title="X")
    del sent["revision"]
    assert client_of(organiser).post(url(meeting, "edit"), sent).status_code == 409


def test_a_meeting_that_is_over_does_not_change(organiser: Agent) -> None:
    over = factories.meeting(organiser, starts_at=timezone.now() - dt.timedelta(days=1))
    client = client_of(organiser)
    assert client.get(url(over, "cancel")).status_code == 302
    response = client.post(url(over, "cancel"), follow=True)
    assert "ne peut plus être annulée" in text_of(response)
    response = client.post(url(over, "edit"), edit_form(over, title="X"), follow=True)
    over.refresh_from_db()
    assert (over.status, over.title) == ("confirmed", "Comité de suivi")


def test_a_meeting_that_has_begun_keeps_its_start_through_an_edit(organiser: Agent) -> None:
    running = factories.meeting(organiser, starts_at=timezone.now() - dt.timedelta(minutes=20))
    response = client_of(organiser).post(url(running, "edit"), edit_form(running, title="Autre titre"))
    running.refresh_from_db()
    assert (response.status_code, running.title) == (302, "Autre titre")


def test_cancelling_asks_first(meeting: Meeting, organiser: Agent) -> None:
    client = client_of(organiser)
    page = text_of(client.get(url(meeting, "cancel")))
    meeting.refresh_from_db()
    assert meeting.status == "confirmed"
    assert "2 personnes invitées reçoivent l’annulation" in page
    response = client.post(url(meeting, "cancel"), follow=True)
    meeting.refresh_from_db()
    assert meeting.status == "cancelled"
    assert "Réunion annulée" in text_of(response)


def test_a_cancelled_meeting_offers_nothing_more(meeting: Meeting, organiser: Agent) -> None:
    cancel_meeting(meeting=meeting, by=organiser, now=timezone.now())
    client = client_of(organiser)
    page = text_of(client.get(url(meeting, "detail")))
    assert url(meeting, "edit") not in page
    assert url(meeting, "cancel") not in page
    assert "Rejoindre la réunion" not in page
    assert client.get(url(meeting, "cancel")).status_code == 302
    assert client.post(url(meeting, "edit"), edit_form(meeting, title="X")).status_code == 302
    meeting.refresh_from_db()
    assert meeting.title == "Comité de suivi"
