"""The invitation's page: reading changes nothing, a POST answers, and the link's secret stays here."""

import datetime as dt
from dataclasses import replace

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from suite.agents.models import Agent
from tests import factories
from tests.visio.meetings.pages import text_of
from visio.meetings.models import Attendee, Meeting
from visio.meetings.scheduling import cancel_meeting, edit_meeting
from visio.meetings.tokens import link_token, revoke_link
from visio.places.models import BookingStatus, Resource, ResourceBooking, ResourceKind

pytestmark = pytest.mark.django_db


@pytest.fixture
def organiser() -> Agent:
    return factories.agent("Claire", "Morel")


@pytest.fixture
def meeting(organiser: Agent) -> Meeting:
    return factories.meeting(
        organiser,
        guests=["anne@b.example", "yann@b.example"],
        start_date=dt.date(2038, 1, 11),
        start_time=dt.time(10, 0),
        title="Comité <b>",
    )


@pytest.fixture
def guest(meeting: Meeting) -> Attendee:
    return meeting.attendees.get(email="anne@b.example")


def url(attendee: Attendee) -> str:
    return f"/invitation/{link_token(attendee)}/"


@pytest.mark.parametrize("query", ["", "?reponse=accepted", "?reponse=declined&answer=declined", "?merci=1"])
@pytest.mark.parametrize("method", ["get", "head"])
def test_reading_never_changes_anything(client: Client, guest: Attendee, query: str, method: str) -> None:
    before = Attendee.objects.values().get(pk=guest.pk)
    assert getattr(client, method)(url(guest) + query).status_code == 200
    assert Attendee.objects.values().get(pk=guest.pk) == before


def test_the_mails_button_only_prepares_the_answer(client: Client, guest: Attendee) -> None:
    assert 'name="answer"' in text_of(client.get(url(guest)))
    for value in ("accepted", "tentative", "declined"):
        assert f'value="{value}" checked' not in text_of(client.get(url(guest)))
    page = text_of(client.get(url(guest) + "?reponse=tentative"))
    assert 'value="tentative" checked' in page
    assert "Envoyer ma réponse" in page


def test_a_post_answers_and_comes_back(client: Client, guest: Attendee) -> None:
    response = client.post(url(guest), {"answer": "accepted", "comment": "Avec\nplaisir", "revision": "1"})
    assert response.status_code == 302
    assert response["Location"] == url(guest) + "?merci=1"
    guest.refresh_from_db()
    assert (guest.answer, guest.comment, guest.answered_via, guest.answered_revision) == (
        "accepted",
        "Avec plaisir",
        "page",
        1,
    )
    page = text_of(client.get(response["Location"]))
    assert "Merci, votre réponse est enregistrée." in page
    assert "Changer ma réponse" in page


def test_the_answer_can_change(client: Client, guest: Attendee) -> None:
    client.post(url(guest), {"answer": "accepted"})
    client.post(url(guest), {"answer": "declined"})
    guest.refresh_from_db()
    assert guest.answer == "declined"


@pytest.mark.parametrize(
    "sent", [{}, {"answer": "needs_action"}, {"answer": "x"}, {"answer": "accepted", "comment": "x" * 501}]
)
def test_a_bad_answer_is_told_and_kept_out(client: Client, guest: Attendee, sent: dict[str, str]) -> None:
    response = client.post(url(guest), sent)
    guest.refresh_from_db()
    assert response.status_code == 422
    assert "fr-error-text" in text_of(response)
    assert guest.answer == "needs_action"


def test_an_answer_to_an_earlier_version_is_kept_as_one(
    client: Client, meeting: Meeting, organiser: Agent, guest: Attendee
) -> None:
    asked = factories.draft(
        guests=["anne@b.example", "yann@b.example"], start_date=dt.date(2038, 1, 12), start_time=dt.time(10, 0)
    )
    edit_meeting(meeting=meeting, by=organiser, draft=asked, revision=1, now=timezone.now())
    client.post(url(guest), {"answer": "accepted", "revision": "1"})
    guest.refresh_from_db()
    assert (guest.answer, guest.answered_revision) == ("accepted", 1)
    assert "L’horaire a changé" in text_of(client.get(url(guest) + "?merci=1"))


def test_todays_time_stands_with_the_old_one_struck(
    client: Client, meeting: Meeting, organiser: Agent, guest: Attendee
) -> None:
    client.post(url(guest), {"answer": "accepted"})
    asked = factories.draft(
        guests=["anne@b.example", "yann@b.example"], start_date=dt.date(2038, 1, 11), start_time=dt.time(14, 0)
    )
    edit_meeting(meeting=meeting, by=organiser, draft=asked, revision=1, now=timezone.now())
    page = text_of(client.get(url(guest)))
    assert "14:00 – 15:00" in page
    assert '<s class="ps-nums">10:00 – 11:00</s>' in page
    assert "Votre réponse précédente ne compte plus." in page
    client.post(url(guest), {"answer": "accepted", "revision": "2"})
    assert "<s class" not in text_of(client.get(url(guest)))
    edit_meeting(
        meeting=meeting,
        by=organiser,
        draft=replace(asked, start_date=dt.date(2038, 1, 13)),
        revision=2,
        now=timezone.now(),
    )
    assert '<s class="ps-nums">lun. 11 jan., 14:00 – 15:00</s>' in text_of(client.get(url(guest)))


def test_another_zone_for_the_eyes_alone(client: Client, guest: Attendee) -> None:
    page = text_of(client.get(url(guest) + "?fuseau=Indian/Reunion"))
    assert "13:00 – 14:00" in page
    assert "Heure de La Réunion." in page
    assert "10:00 – 11:00 à Paris." in page
    for nonsense in ("../../etc/passwd", "Mars/Olympus", "%00", "Europe"):
        assert "Heure de Paris." in text_of(client.get(f"{url(guest)}?fuseau={nonsense}"))


def test_an_agents_link_shows_the_agents_zone(client: Client, organiser: Agent) -> None:
    there = factories.agent("Marie", "Payet", time_zone="Indian/Reunion")
    meeting = factories.meeting(organiser, guests=[there], start_date=dt.date(2038, 1, 11), start_time=dt.time(10, 0))
    assert "13:00 – 14:00" in text_of(client.get(url(meeting.attendees.get(agent=there))))


def test_a_cancelled_meeting_is_gone(client: Client, meeting: Meeting, organiser: Agent, guest: Attendee) -> None:
    cancel_meeting(meeting=meeting, by=organiser, now=timezone.now())
    response = client.get(url(guest))
    assert response.status_code == 410
    assert "Cette réunion est annulée." in text_of(response)
    posted = client.post(url(guest), {"answer": "accepted"})
    guest.refresh_from_db()
    assert (posted.status_code, guest.answer) == (409, "needs_action")
    assert client.get(url(guest) + "reunion.ics").status_code == 404


def test_a_meeting_that_is_over_is_readable_and_closed(client: Client, organiser: Agent) -> None:
    over = factories.meeting(organiser, guests=["a@b.example"], starts_at=timezone.now() - dt.timedelta(days=2))
    guest = over.attendees.get(email="a@b.example")
    response = client.get(url(guest))
    assert response.status_code == 410
    assert "Cette réunion est terminée." in text_of(response)
    assert client.post(url(guest), {"answer": "accepted"}).status_code == 409


def test_unknown_revoked_and_expired_links_look_the_same(client: Client, organiser: Agent, guest: Attendee) -> None:
    old = factories.meeting(organiser, guests=["a@b.example"], starts_at=timezone.now() - dt.timedelta(days=40))
    revoked = url(guest)
    revoke_link(guest)
    addresses = [
        revoked,
        url(old.attendees.get(email="a@b.example")),
        "/invitation/x/",
        f"/invitation/{'A' * 32}/",
        f"/invitation/{'A' * 5000}/",
        "/invitation/%00/",
        f"/invitation/{guest.link_hash}/",
    ]
    for address in addresses:
        for response in (client.get(address), client.post(address, {"answer": "accepted"})):
            assert response.status_code == 404
            assert "Ce lien d’invitation n’ouvre rien" in text_of(response)
            assert "Comité" not in text_of(response)


def test_the_secret_does_not_leave(client: Client, guest: Attendee) -> None:
    page, unknown = client.get(url(guest)), client.get("/invitation/x/")
    assert page["Referrer-Policy"] == "strict-origin"
    assert unknown["Referrer-Policy"] == "no-referrer"
    for response in (page, unknown, client.get(url(guest) + "reunion.ics")):
        assert "noindex" in response["X-Robots-Tag"]
        assert "no-store" in response["Cache-Control"]


def test_one_guest_never_sees_anothers_link(client: Client, meeting: Meeting, guest: Attendee) -> None:
    other = meeting.attendees.get(email="yann@b.example")
    page = text_of(client.get(url(guest)))
    assert link_token(other) not in page
    assert link_token(guest) in page  # its own form and join button


def test_csrf_is_asked(guest: Attendee) -> None:
    response = Client(enforce_csrf_checks=True).post(url(guest), {"answer": "accepted"})
    guest.refresh_from_db()
    assert (response.status_code, guest.answer) == (403, "needs_action")


def test_everything_is_escaped(client: Client, guest: Attendee) -> None:
    page = text_of(client.get(url(guest)))
    assert "Comité &lt;b&gt;" in page
    assert "Comité <b>" not in page


def test_the_calendar_file_carries_the_guests_own_link(client: Client, guest: Attendee) -> None:
    response = client.get(url(guest) + "reunion.ics")
    unfolded = response.content.replace(b"\r\n ", b"").decode()
    assert response["Content-Type"].startswith("text/calendar")
    assert f"/invitation/{link_token(guest)}/rejoindre/" in unfolded


def test_the_organisers_own_link_asks_nothing(client: Client, meeting: Meeting, organiser: Agent) -> None:
    page = text_of(client.get(url(meeting.attendees.get(agent=organiser))))
    assert "Votre présence est acquise" in page
    assert 'name="answer"' not in page


def test_the_reader_chooses_the_language(client: Client, guest: Attendee) -> None:
    page = text_of(client.get(url(guest), HTTP_ACCEPT_LANGUAGE="de"))
    assert '<html lang="de"' in page


@pytest.mark.parametrize("guests", [1, 3])
def test_queries_do_not_grow_with_the_guests(
    client: Client, organiser: Agent, guests: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    meeting = factories.meeting(organiser, guests=[f"g{number}@b.example" for number in range(guests)])
    address = url(meeting.attendees.get(email="g0@b.example"))
    with django_assert_num_queries(7):
        client.get(address)


def test_the_room_is_told_where_people_meet(client: Client, organiser: Agent) -> None:
    room = Resource.objects.create(organisation=organiser.organisation, name="Fontenoy 1.03", site="Ségur")
    camera = Resource.objects.create(
        organisation=organiser.organisation, name="Caméra", site="Ségur", kind=ResourceKind.EQUIPMENT
    )
    meeting = factories.meeting(organiser, guests=["anne@b.example"], resources=(room.pk, camera.pk))
    address = url(meeting.attendees.get(email="anne@b.example"))
    page = text_of(client.get(address))
    assert "Fontenoy 1.03 (Ségur)" in page
    assert "Caméra" not in page
    assert "à confirmer" not in page
    ResourceBooking.objects.update(status=BookingStatus.PENDING)
    assert "Fontenoy 1.03 (Ségur) (à confirmer)" in text_of(client.get(address))
    ResourceBooking.objects.update(status=BookingStatus.RELEASED)
    assert "Fontenoy" not in text_of(client.get(address))
