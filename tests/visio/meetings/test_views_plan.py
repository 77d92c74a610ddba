"""Planning: what the form makes, refuses and keeps."""

import datetime as dt
import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from suite.agents.models import Agent
from tests import factories
from tests.visio.meetings.pages import PARIS, client_of, form, text_of
from visio.meetings.models import Delivery, Meeting

pytestmark = pytest.mark.django_db

PLAN = "/reunions/planifier/"


@pytest.fixture
def agent() -> Agent:
    return factories.agent("Claire", "Morel")


@pytest.fixture
def client(agent: Agent) -> Client:
    return client_of(agent)


def test_nobody_is_sent_to_sign_in() -> None:
    for path in (PLAN, "/reunions/planifier/annuaire/?q=ma"):
        response = Client().get(path)
        assert response.status_code == 302
        assert response["Location"].startswith("/connexion/")


def test_the_empty_form_begins_with_the_next_half_hour_for_one_hour(client: Client) -> None:
    response = client.get(PLAN)
    here = timezone.now().astimezone(PARIS)
    next_half = here.replace(second=0, microsecond=0) + dt.timedelta(minutes=30 - here.minute % 30)
    page = text_of(response)
    assert f'name="start" type="time" required value="{next_half:%H:%M}"' in page
    assert f'name="date" type="date" required value="{next_half.date()}"' in page
    assert f'name="end" type="time" value="{next_half + dt.timedelta(hours=1):%H:%M}"' in page
    assert '<option value="60" selected>1 h</option>' in page
    assert '<option value="Europe/Paris" selected>' in page


def test_the_address_may_ask_for_a_day_and_an_hour(client: Client) -> None:
    page = text_of(client.get(PLAN + "?date=2030-05-06&start=14:30"))
    assert 'value="2030-05-06"' in page
    assert 'value="14:30"' in page
    assert 'value="15:30"' in page


def test_an_address_that_makes_no_sense_is_ignored(client: Client) -> None:
    assert client.get(PLAN + "?date=nope&start=99:99").status_code == 200


def test_a_right_form_makes_a_meeting_its_attendees_and_owed_mails(client: Client, agent: Agent) -> None:
    guest = factories.agent("Karim", "Benali")
    sent = form(
        attendees=f"{guest.email}\nAnne Le Goff <anne@bretagne.example>",
        optional="yann@bretagne.example",
        place="Salle Ségur",
        description="Ordre du jour\nDeux points",
        private="on",
    )
    response = client.post(PLAN, sent)
    meeting = Meeting.objects.get()
    assert response.status_code == 302
    assert response["Location"] == reverse("meetings:detail", args=[meeting.public_id])
    assert (meeting.title, meeting.place, meeting.privacy, meeting.minutes) == (
        "Comité de suivi",
        "Salle Ségur",
        "private",
        60,
    )
    assert meeting.room is not None
    assert {(a.email, a.role) for a in meeting.attendees.all()} == {
        (agent.email, "chair"),
        (guest.email, "required"),
        ("anne@bretagne.example", "required"),
        ("yann@bretagne.example", "optional"),
    }
    assert Delivery.objects.filter(meeting=meeting, state="owed").count() == 3


def test_visio_and_tchap_may_be_off(client: Client) -> None:
    client.post(PLAN, form(visio=None, tchap=None))
    meeting = Meeting.objects.get()
    assert (meeting.room, meeting.wants_tchap, meeting.privacy) == (None, False, "public")


def test_the_same_form_posted_twice_makes_one_meeting(client: Client) -> None:
    sent = form(attendees="a@b.example")
    first, second = client.post(PLAN, sent), client.post(PLAN, sent)
    assert first["Location"] == second["Location"]
    assert Meeting.objects.count() == 1
    assert Delivery.objects.count() == 1


@pytest.mark.parametrize(
    ("changed", "minutes"),
    [
        ({"end": "", "minutes": "90"}, 90),
        ({"end": "10:20", "minutes": ""}, 20),
        ({"end": "12:00"}, 120),  # only the end differs from what the page showed
        ({"minutes": "30"}, 30),  # only the duration differs
        ({"start": "23:30", "end": "00:30"}, 60),  # over midnight, both agree
        ({"start": "14:00"}, 60),  # without JavaScript: the start moved, the duration stays
    ],
)
def test_end_or_duration(client: Client, changed: dict[str, Any], minutes: int) -> None:
    client.post(PLAN, form(**changed))
    assert Meeting.objects.get().minutes == minutes


BAD = [
    ({"title": "x" * 300}, "id_title"),
    ({"title": ""}, "id_title"),
    ({"title": "Un\r\nDeux"}, "id_title"),
    ({"title": "Un\x85Deux"}, "id_title"),
    ({"place": "Salle\r\nBcc: x@y.example"}, "id_place"),
    ({"place": "x" * 300}, "id_place"),
    ({"description": "x" * 10_001}, "id_description"),
    ({"description": "un\x00deux"}, "id_description"),
    ({"date": "2020-01-01"}, "id_date"),
    ({"date": "31/02/2027"}, "id_date"),
    ({"date": ""}, "id_date"),
    ({"start": "25:99"}, "id_start"),
    ({"end": "09:00", "minutes": ""}, "id_end"),
    ({"end": "09:00"}, "id_end"),
    ({"end": "12:00", "minutes": "30"}, "id_end"),
    ({"end": "", "minutes": ""}, "id_end"),
    ({"end": "", "minutes": "0"}, "id_minutes"),
    ({"end": "", "minutes": "-5"}, "id_minutes"),
    ({"end": "", "minutes": "999999"}, "id_minutes"),
    ({"end": "", "minutes": "abc"}, "id_minutes"),
    ({"time_zone": "Mars/Olympus"}, "id_time_zone"),
    ({"time_zone": "../../etc/passwd"}, "id_time_zone"),
    ({"time_zone": ""}, "id_time_zone"),
    ({"attendees": "pas une adresse"}, "id_attendees"),
    ({"attendees": "m.durand@finistere"}, "id_attendees"),
    ({"attendees": "a@b.example\x0d\x0aBcc: x@@y"}, "id_attendees"),
    ({"optional": "pas-une-adresse@"}, "id_attendees"),
]


@pytest.mark.parametrize(("changed", "field"), BAD)
def test_bad_input_is_told_at_its_field_and_makes_nothing(client: Client, changed: dict[str, Any], field: str) -> None:
    response = client.post(PLAN, form(**({"attendees": "ok@b.example"} | changed)))
    page = text_of(response)
    assert response.status_code == 422
    assert f'id="{field}-erreur"' in page
    assert f'href="#{field}"' in page  # the foot bar leads there
    assert not Meeting.objects.exists()
    assert not Delivery.objects.exists()


def test_nothing_typed_is_lost(client: Client) -> None:
    sent = form(
        title="T" * 300,
        place="Salle <b>",
        description="un & deux",
        attendees="Anne <anne@b.example>\nfaux",
        optional="yann@b.example",
        tchap=None,
        private="on",
        start="17:45",
        end="18:00",
        minutes="15",
    )
    page = text_of(client.post(PLAN, sent))
    for kept in (
        "T" * 300,
        "Salle &lt;b&gt;",
        "un &amp; deux",
        "Anne &lt;anne@b.example&gt;\nfaux",
        "yann@b.example",
        'value="17:45"',
        '<option value="15" selected>',
        f'name="creation_key" value="{sent["creation_key"]}"',
    ):
        assert kept in page
    assert 'name="tchap" checked' not in page
    assert 'name="private" checked' in page


def test_every_fault_is_counted_and_named_in_the_foot_bar(client: Client) -> None:
    page = text_of(client.post(PLAN, form(title="", date="", attendees="faux")))
    assert "3 champs à corriger :" in page
    page = text_of(client.post(PLAN, form(title="")))
    assert "1 champ à corriger :" in page


def test_html_is_escaped_wherever_it_stands(client: Client) -> None:
    client.post(PLAN, form(title="<script>alert(1)</script>", place="<img src=x>", description="<svg onload=x>"))
    page = text_of(client.get(reverse("meetings:detail", args=[Meeting.objects.get().public_id])))
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "&lt;img src=x&gt;" in page
    assert "&lt;svg onload=x&gt;" in page
    assert "<script>alert" not in page


def test_the_organiser_as_attendee_is_dropped_and_told(client: Client, agent: Agent) -> None:
    response = client.post(PLAN, form(attendees=f"{agent.email}\na@b.example"), follow=True)
    assert Meeting.objects.get().attendees.count() == 2
    assert "inutile de vous inviter vous-même" in text_of(response)


def test_the_same_guest_twice_is_one_guest(client: Client) -> None:
    client.post(PLAN, form(attendees="A@b.example, a@b.example\nNom <a@B.example>", optional="a@b.example"))
    meeting = Meeting.objects.get()
    assert [a.role for a in meeting.attendees.filter(email="a@b.example")] == ["required"]
    assert Delivery.objects.count() == 1


def test_an_unknown_creation_key_shape_is_not_a_crash(client: Client) -> None:
    assert client.post(PLAN, form(creation_key="zzz")).status_code == 422


def test_the_directory_answers_the_field(client: Client) -> None:
    there = factories.agent("Marie", "Payet", time_zone="Indian/Reunion", job_title="Cheffe")
    found = client.get("/reunions/planifier/annuaire/?q=payet").json()["results"]
    assert [(one["text"], one["note"]) for one in found] == [(f"Marie Payet <{there.email}>", "UTC+4")]
    assert client.get("/reunions/planifier/annuaire/?q=p").json() == {"results": []}


def test_pasted_addresses_are_sorted_into_people_and_problems(client: Client, agent: Agent) -> None:
    known = factories.agent("Karim", "Benali")
    text = f"{known.email}; Anne <anne@b.example>, faux@\n{agent.email}"
    found = client.post("/reunions/planifier/adresses/", {"text": text}).json()
    assert [(one["text"], one["note"]) for one in found["people"]] == [
        (f"Karim Benali <{known.email}>", ""),
        ("Anne <anne@b.example>", "externe"),
    ]
    assert [one["text"] for one in found["problems"]] == ["faux@"]
    assert len(found["notices"]) == 1
    assert not Meeting.objects.exists()


def test_the_summary_tells_the_hour_where_a_guest_lives(client: Client) -> None:
    there = factories.agent("Marie", "Payet", time_zone="Indian/Reunion")
    page = text_of(
        client.post(
            "/reunions/planifier/recapitulatif/", form(date="2038-01-11", attendees=f"{there.email}\nx@y.example")
        )
    )
    assert "Lundi 11 janvier 2038" in page
    assert "10:00 – 11:00" in page
    assert "13:00 – 14:00</span> à La Réunion, pour Marie Payet" in page
    assert "2 personnes reçoivent un courriel, dont 1 externe" in page
    assert not Meeting.objects.exists()


def test_the_summary_of_a_form_without_sense_says_what_is_missing(client: Client) -> None:
    page = text_of(client.post("/reunions/planifier/recapitulatif/", {"date": "x", "minutes": "y", "time_zone": "z"}))
    assert "Donnez une date et une heure." in page


def test_instant_opens_a_room_once_per_minute(client: Client) -> None:
    first, second = client.post("/reunions/immediate/"), client.post("/reunions/immediate/")
    made = Meeting.objects.all()
    assert {first.status_code, second.status_code} == {302}
    assert len(made) in {1, 2}  # two when the minute turned between the clicks
    assert made[0].room is not None
    assert made[0].room.access_level == "trusted"
    assert f"/visio/{made.last().room.slug}/" in first["Location"]  # type: ignore[union-attr]
    assert client.get("/reunions/immediate/").status_code == 405


def test_csrf_is_asked(agent: Agent) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(agent, backend="suite.agents.login.ProConnectBackend")
    assert strict.post(PLAN, form()).status_code == 403
    assert not Meeting.objects.exists()


@pytest.mark.parametrize("guests", [1, 3])
def test_queries_do_not_grow_with_the_guests(
    client: Client, guests: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    people = "\n".join(factories.agent().email for _index in range(guests))
    client.get(PLAN)
    with django_assert_max_num_queries(9):
        client.post("/reunions/planifier/recapitulatif/", form(attendees=people))
    with django_assert_max_num_queries(30):
        assert client.post(PLAN, form(attendees=people, creation_key=str(uuid.uuid4()))).status_code == 302
