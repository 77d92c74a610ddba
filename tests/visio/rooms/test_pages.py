"""The room's pages, for everybody who may come to them."""

import datetime as dt
import json
import re

import pytest
from django.test import Client
from django.utils import timezone

from tests import factories
from tests.visio.rooms.sockets import signed_in
from visio.meetings.models import Attendee, Meeting
from visio.meetings.scheduling import cancel_meeting, start_instant_meeting
from visio.meetings.tokens import link_token, revoke_link

pytestmark = pytest.mark.django_db


def address(meeting: Meeting) -> str:
    return f"/visio/{meeting.room.slug}/"


def guest_address(attendee: Attendee) -> str:
    return f"/invitation/{link_token(attendee)}/rejoindre/"


def config_of(response) -> dict:
    found = re.search(r'<script id="call-config" type="application/json">(.*?)</script>', response.content.decode())
    assert found
    return json.loads(found[1])


@pytest.fixture
def external() -> Attendee:
    meeting = factories.meeting(
        factories.agent("Claire", "Morel", organisation=factories.organisation("DDETS du Loiret")),
        guests=["samir.haddad@exterieur.example"],
        title="Atelier « parcours » <b>",
    )
    return meeting.attendees.get(agent=None)


# --- The agent's page -----------------------------------------------------------------------------------------------
def test_nobody_is_sent_to_sign_in_and_comes_back(client: Client) -> None:
    where = address(factories.meeting())
    response = client.get(where)
    assert response.status_code == 302
    assert response["Location"] == f"/connexion/?next={where}"


def test_organiser_and_attendee_see_the_room() -> None:
    organiser, guest = factories.agent("Claire", "Morel"), factories.agent()
    meeting = factories.meeting(organiser, guests=[guest], title="Atelier parcours usager")
    for agent in (organiser, guest):
        response = signed_in(agent).get(address(meeting))
        assert response.status_code == 200
        assert "Atelier parcours usager" in response.content.decode()
        assert config_of(response)["ticketUrl"] == ""
        assert config_of(response)["socket"] == f"/ws/appel/{meeting.room.slug}/"
        assert 'name="name"' not in response.content.decode()


def test_another_agent_and_another_organisation_are_refused_without_a_word_about_the_meeting() -> None:
    organiser = factories.agent()
    meeting = factories.meeting(organiser, title="Plan confidentiel")
    for stranger in (factories.agent(organisation=organiser.organisation), factories.agent()):
        response = signed_in(stranger).get(address(meeting))
        assert response.status_code == 403
        assert "Vous ne faites pas partie des personnes invitées" in response.content.decode()
        assert "confidentiel" not in response.content.decode()


def test_instant_room_lets_every_agent_in() -> None:
    meeting = start_instant_meeting(by=factories.agent(), now=timezone.now())
    assert signed_in(factories.agent()).get(address(meeting)).status_code == 200


def test_unknown_room() -> None:
    assert signed_in(factories.agent()).get("/visio/aaa-bbbb-ccc/").status_code == 404


def test_cancelled_and_closed_rooms_say_so() -> None:
    organiser = factories.agent()
    meeting = factories.meeting(organiser)
    client = signed_in(organiser)
    meeting.room.closed_at = timezone.now()
    meeting.room.save()
    closed = client.get(address(meeting))
    assert (closed.status_code, "Cette salle est fermée." in closed.content.decode()) == (410, True)
    cancel_meeting(meeting=meeting, by=organiser, now=timezone.now())
    cancelled = client.get(address(meeting))
    assert (cancelled.status_code, "Cette réunion est annulée." in cancelled.content.decode()) == (410, True)


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_the_agents_page_is_only_read(method: str) -> None:
    organiser = factories.agent()
    meeting = factories.meeting(organiser)
    assert getattr(signed_in(organiser), method)(address(meeting)).status_code == 405


@pytest.mark.parametrize("guests", [1, 3])
def test_queries_do_not_grow_with_the_guests(guests: int, django_assert_num_queries) -> None:
    organiser = factories.agent()
    meeting = factories.meeting(organiser, guests=[factories.agent() for _guest in range(guests)])
    client = signed_in(organiser)
    # Session, agent, room with its meeting and organiser, the meeting's next time.
    with django_assert_num_queries(4):
        client.get(address(meeting))


# --- The guest's page -----------------------------------------------------------------------------------------------
def test_guest_needs_no_account_and_gives_a_name(client: Client, external: Attendee) -> None:
    response = client.get(guest_address(external))
    page = response.content.decode()
    assert response.status_code == 200
    assert "Vous êtes invité par Claire Morel, DDETS du Loiret" in page
    assert "Atelier « parcours » &lt;b&gt;" in page
    assert 'name="name"' in page
    # The address is known to the portal, but it is no name to show to others.
    assert "samir.haddad" not in page


def test_guests_name_is_filled_in_when_it_is_known(client: Client, external: Attendee) -> None:
    external.name = "Samir Haddad"
    external.save()
    assert 'value="Samir Haddad"' in client.get(guest_address(external)).content.decode()


def test_hours_are_in_the_meetings_zone_for_a_guest_and_in_their_own_for_an_agent(client: Client) -> None:
    start = dt.datetime(2030, 7, 1, 0, 0, tzinfo=dt.UTC)  # 11:00 in Nouméa, 02:00 in Paris
    organiser = factories.agent(time_zone="Europe/Paris")
    meeting = factories.meeting(
        organiser, guests=["samir@exterieur.example"], starts_at=start, time_zone="Pacific/Noumea"
    )
    guest = client.get(guest_address(meeting.attendees.get(agent=None))).content.decode()
    agent = signed_in(organiser).get(address(meeting)).content.decode()
    assert "lundi 1er juillet, 11:00 – 12:00" in guest
    assert "lundi 1er juillet, 02:00 – 03:00" in agent


def test_the_links_secret_stays_here(client: Client, external: Attendee) -> None:
    response = client.get(guest_address(external))
    assert response["Referrer-Policy"] == "no-referrer"
    assert "no-store" in response["Cache-Control"]
    assert "script-src 'self'" in response["Content-Security-Policy"]
    assert "camera=(self)" in response["Permissions-Policy"]


def test_looking_changes_nothing(client: Client, external: Attendee) -> None:
    before = Attendee.objects.values().get(pk=external.pk)
    client.get(guest_address(external))
    client.head(guest_address(external))
    assert Attendee.objects.values().get(pk=external.pk) == before


def test_ticket_is_given_to_a_post_with_the_pages_own_token(external: Attendee) -> None:
    client = Client(enforce_csrf_checks=True)
    where = guest_address(external)
    assert client.post(where).status_code == 403
    token = config_of(client.get(where))["csrf"]
    response = client.post(where, headers={"X-CSRFToken": token})
    assert response.status_code == 200
    assert set(response.json()) == {"ticket"}
    assert response["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("method", ["get", "post"])
def test_unknown_and_revoked_links_open_nothing(client: Client, external: Attendee, method: str) -> None:
    old = guest_address(external)
    revoke_link(external)
    for where in (old, "/invitation/unknown/rejoindre/", f"/invitation/{'a' * 500}/rejoindre/"):
        response = getattr(client, method)(where)
        assert response.status_code == 404
        assert "plus valable" in response.content.decode()
        assert "Atelier" not in response.content.decode()
        assert response["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("method", ["get", "post"])
def test_link_to_a_cancelled_meeting_says_so(client: Client, external: Attendee, method: str) -> None:
    cancel_meeting(meeting=external.meeting, by=external.meeting.organiser, now=timezone.now())
    response = getattr(client, method)(guest_address(external))
    assert response.status_code == 410
    assert "Cette réunion est annulée." in response.content.decode()


def test_the_way_back_says_where_it_leads_even_to_an_agent(client: Client, external: Attendee) -> None:
    cancel_meeting(meeting=external.meeting, by=external.meeting.organiser, now=timezone.now())
    client.force_login(external.meeting.organiser)
    page = client.get(guest_address(external)).content.decode()
    assert f'href="/invitation/{link_token(external)}/">Page de l’invitation</a>' in page
    assert "Tableau de bord" not in page


def test_link_to_a_meeting_without_a_room(client: Client) -> None:
    meeting = factories.meeting(guests=["samir@exterieur.example"], wants_room=False)
    assert client.get(guest_address(meeting.attendees.get(agent=None))).status_code == 404


def test_agents_link_leads_to_their_own_door(client: Client) -> None:
    guest = factories.agent()
    meeting = factories.meeting(guests=[guest])
    response = client.get(guest_address(meeting.attendees.get(agent=guest)))
    assert response.status_code == 302
    assert response["Location"] == address(meeting)


@pytest.mark.parametrize("language", ["en", "de"])
def test_page_in_other_languages_renders(client: Client, external: Attendee, language: str) -> None:
    response = client.get(guest_address(external), headers={"Accept-Language": language})
    assert f'<html lang="{language}"' in response.content.decode()


@pytest.mark.parametrize("zone", ["Indian/Reunion", "America/Guadeloupe", "Europe/Paris"])
def test_page_opens_in_every_territory(zone: str) -> None:
    """Zones without summer time too, whose abbreviation ("+04", "AST") is no zone's name."""
    agent = factories.agent(time_zone=zone)
    assert signed_in(agent).get(address(factories.meeting(agent))).status_code == 200
