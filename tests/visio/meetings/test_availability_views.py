"""The availability of everybody in the planning form, and proposed slots: what is read, what is said, who may ask."""

from __future__ import annotations

import datetime as dt
import html
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from suite.agents.hours import Stretch, set_hours
from suite.agents.models import Agent
from suite.agents.time_models import Leave
from tests import factories
from tests.visio.meetings.pages import PARIS, client_of, form, text_of
from visio.meetings.models import Attendee, Meeting, Privacy
from visio.places.models import Resource, ResourceBooking

pytestmark = pytest.mark.django_db

GRID = "/reunions/planifier/disponibilites/"
SLOTS = "/reunions/planifier/creneaux/"


@pytest.fixture
def claire() -> Agent:
    return factories.agent("Claire", "Morel")


@pytest.fixture
def karim() -> Agent:
    return factories.agent("Karim", "Benali")


def next_monday() -> dt.date:
    today = timezone.now().astimezone(PARIS).date()
    return today + dt.timedelta(days=7 - today.weekday())


def at(hour: int, minute: int = 0, *, days: int = 0) -> dt.datetime:
    """That hour in Paris, next Monday or so many days later."""
    return dt.datetime.combine(next_monday() + dt.timedelta(days=days), dt.time(hour, minute), PARIS)


def ask(path: str, agent: Agent, **changed: Any) -> str:
    response = client_of(agent).post(path, form(**{"date": next_monday().isoformat(), **changed}))
    assert response.status_code == 200
    found = html.unescape(text_of(response))
    assert "INVALID-TEMPLATE-VARIABLE" not in found
    return found


def rows(found: str) -> list[str]:
    """Each row of the grid as a screen reader says it."""
    body = found.split("<tbody>")[1].split("</tbody>")[0]
    spoken = re.sub(r'<span class="(av-track|ps-avatar|av-sign)[^>]*aria-hidden="true".*?</span>(?=\s*<span class="(fr-sr|av-who))',
                    "", body, flags=re.DOTALL)  # fmt: skip
    return [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in spoken.split("<tr")[1:]]


def lines(found: str) -> list[str]:
    return [" ".join(re.sub(r"<[^>]+>", " ", line).split()) for line in found.split("<li")[1:]]


# --- the grid ---------------------------------------------------------------------------------------------------
def test_every_row_says_in_words_what_its_bars_show(claire: Agent, karim: Agent) -> None:
    factories.meeting(karim, starts_at=at(10), title="TITRE", privacy=Privacy.PRIVATE)
    factories.meeting(factories.agent(), guests=[karim], starts_at=at(15), minutes=30, title="TITRE")
    Leave.objects.create(agent=claire, starts_at=at(16), ends_at=at(0, days=1), note="NOTE")
    found = ask(GRID, claire, attendees=f"{karim.email}\nanne@ailleurs.example", start="09:00", end="10:00")
    hours = "Heures de travail : 09:00 – 12:30, 13:30 – 18:00."
    assert [row.split("> ", 1)[1] for row in rows(found)] == [
        f"Claire Morel Vous Absence à partir de 16:00. {hours}",
        f"Karim Benali Indispensable Occupé de 10:00 à 11:00, à confirmer de 15:00 à 15:30. {hours}",
        "anne@ailleurs.example Externe Calendrier inconnu : réponse demandée par courriel.",
    ]
    assert "2 libres sur 2" in found
    assert "1 invité externe : calendrier inconnu." in found
    assert "TITRE" not in found
    assert "NOTE" not in found


def test_a_crowd_is_counted_whole(claire: Agent) -> None:
    crowd = "\n".join(f"invite{number}@ailleurs.example" for number in range(1_100))
    found = ask(GRID, claire, attendees=crowd, start="09:00", end="10:00")
    assert "1\u202f100 invités externes : calendriers inconnus." in found
    assert "1\u202f051 autres personnes ne sont pas montrées." in found
    told = text_of(client_of(claire).post("/reunions/planifier/recapitulatif/", form(attendees=crowd)))
    assert "1\u202f100 personnes reçoivent un courriel, dont 1\u202f100 externes" in told


def test_bars_and_the_proposed_time_stand_on_one_scale(claire: Agent, karim: Agent) -> None:
    factories.meeting(karim, starts_at=at(10), minutes=50)
    found = ask(GRID, claire, attendees=karim.email, start="07:15", end="08:00", minutes="45", shown="08:00|45")
    assert "qf28 qn44" in found, "the scale begins at seven, for the meeting's sake"
    assert "av-block--busy qs40 qd4" in found
    assert "av-column qs29 qd3" in found
    assert 'aria-valuetext="07:15 – 08:00"' in found


def test_who_is_in_the_way_of_the_proposed_time_is_said(claire: Agent, karim: Agent) -> None:
    sophie, lea = factories.agent("Sophie", "Lambert"), factories.agent("Léa", "Petit")
    factories.meeting(karim, starts_at=at(10))
    Leave.objects.create(agent=sophie, starts_at=at(0), ends_at=at(0, days=3))
    set_hours(agent=lea, stretches=[Stretch(0, dt.time(14), dt.time(18))])
    everybody = f"{karim.email}, {sophie.email}, {lea.email}"
    found = ask(GRID, claire, attendees=everybody, start="10:30", end="11:30")
    assert "1 libre sur 4" in found
    assert "Karim Benali a déjà une réunion à cette heure." in found
    assert re.search(r"Sophie Lambert : absence jusqu’au mer\. .* inclus\.", found)
    assert "Léa Petit ne travaille pas à cette heure." in found
    states = [re.search(r'av-state">([^<]*)', row) for row in found.split("<tr")[2:6]]
    assert [state and state[1] for state in states] == [None, "pris", "absence", "hors horaires"]


def test_another_day_is_looked_at_without_leaving_the_form(claire: Agent, karim: Agent) -> None:
    factories.meeting(karim, starts_at=at(14, days=1))
    tuesday = (next_monday() + dt.timedelta(days=1)).isoformat()
    found = ask(GRID, claire, attendees=karim.email, jour=tuesday)
    assert "Occupé de 14:00 à 15:00" in found
    assert f'"jour": "{next_monday().isoformat()}"' in found
    assert "av-column" not in found, "the proposed time is on another day"
    assert "2 libres sur 2" in found


@pytest.mark.parametrize("wrong", ["", "demain", "2026-02-30", "9999-12-31", "0001-01-01"])
def test_a_day_that_is_none_is_the_forms_day(claire: Agent, wrong: str) -> None:
    assert next_monday().isoformat() in ask(GRID, claire, jour=wrong)


def test_a_form_that_says_no_time_yet_still_shows_the_day(claire: Agent) -> None:
    found = ask(GRID, claire, start="", end="", minutes="")
    assert "Donnez une date et une heure" in found
    assert rows(found)[0].split("> ", 1)[1].startswith("Claire Morel Vous Libre toute la journée.")
    assert "av-column" not in ask(GRID, claire, start="25:99", time_zone="Mars/Olympus", date="")


def test_far_people_are_named_with_their_place_and_hours(claire: Agent) -> None:
    marie = factories.agent("Marie", "Payet", time_zone="Indian/Reunion")
    found = ask(GRID, claire, attendees=marie.email)
    shift = 4 - (at(12).utcoffset() or dt.timedelta()) // dt.timedelta(hours=1)
    assert "La Réunion, UTC+4" in found
    assert f"Heures de travail : {9 - shift:02d}:00 – {12 - shift:02d}:30" in found
    there = ask(GRID, claire, attendees=marie.email, time_zone="Indian/Reunion")
    assert "Heures à La Réunion" in there


def test_free_people_are_counted_hour_by_hour(claire: Agent, karim: Agent) -> None:
    factories.meeting(karim, starts_at=at(9), minutes=90)
    found = ask(GRID, claire, attendees=karim.email)
    assert "8 h : 0, 9 h : 1, 10 h : 1, 11 h : 2, 12 h : 0, 13 h : 0, 14 h : 2" in " ".join(
        re.sub(r"<[^>]+>", "", found).split()
    )


def test_a_chosen_room_has_its_row(claire: Agent) -> None:
    room = Resource.objects.create(organisation=claire.organisation, name="2.14", site="Ségur", capacity=12)
    foreign = Resource.objects.create(organisation=factories.organisation(), name="Ailleurs")
    meeting = factories.meeting(claire, starts_at=at(10))
    ResourceBooking.objects.create(
        resource=room,
        meeting=meeting,
        occurrence=meeting.occurrences.get(),
        during=(at(10), at(11)),
        status="accepted",
    )
    found = ask(GRID, claire, resources=[str(room.public_id), str(foreign.public_id), "x"], start="10:00", end="11:00")
    assert rows(found)[1].split("> ", 1)[1] == "2.14 (Ségur) déjà réservée , 12 places Occupé de 10:00 à 11:00."
    assert "Ailleurs" not in found
    own = ask(GRID, claire, resources=[str(room.public_id)], reunion=str(meeting.public_id))
    assert "déjà réservée" not in own, "the meeting's own booking is no obstacle to it"


def test_fifty_rows_at_most_and_the_others_are_told(claire: Agent) -> None:
    found = ask(GRID, claire, attendees="\n".join(f"invite{number}@ailleurs.example" for number in range(60)))
    assert len(rows(found)) == 50
    assert "11 autres personnes ne sont pas montrées." in found


@pytest.mark.parametrize("number", [1, 3])
def test_the_grid_costs_the_same_queries_for_one_and_for_three(claire: Agent, number: int) -> None:
    people = [factories.agent() for _index in range(number)]
    for person in people:
        factories.meeting(person, guests=people, starts_at=at(10))
    client = client_of(claire)
    data = form(date=next_monday().isoformat(), attendees="\n".join(person.email for person in people))
    with CaptureQueriesContext(connection) as queries:
        assert client.post(GRID, data).status_code == 200
    assert len(queries) <= 9, [query["sql"][:90] for query in queries]


def test_a_whole_day_takes_the_whole_scale_and_has_no_hour_to_move(claire: Agent) -> None:
    found = ask(GRID, claire, title="", all_day="on", last_day=next_monday().isoformat())
    assert "qf32 qn40" in found
    assert "av-column qs32 qd40" in found
    assert 'role="slider"' not in found
    assert ", toute la journée" in found
    assert "décochez-la pour chercher" in ask(SLOTS, claire, all_day="on", last_day=next_monday().isoformat())


# --- who may ask ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("path", [GRID, SLOTS])
def test_nobody_and_a_closed_account_learn_nothing(path: str, claire: Agent, karim: Agent) -> None:
    data = form(attendees=karim.email)
    assert Client().post(path, data)["Location"].startswith("/connexion/")
    client = client_of(claire)
    Agent.objects.filter(pk=claire.pk).update(is_active=False)
    assert client.post(path, data).status_code == 302


@pytest.mark.parametrize("path", [GRID, SLOTS])
def test_a_meeting_is_left_out_for_whoever_may_move_it_alone(path: str, claire: Agent, karim: Agent) -> None:
    meeting = factories.meeting(claire, guests=[karim], starts_at=at(10), minutes=60)
    data = form(date=next_monday().isoformat(), start="10:00", end="11:00", reunion=str(meeting.public_id))
    assert client_of(factories.agent()).post(path, data).status_code == 404
    assert client_of(karim).post(path, data).status_code == 403
    assert client_of(claire).post(path, {**data, "reunion": "x"}).status_code == 404
    assert client_of(claire).post(path, data).status_code == 200


def test_moving_a_meeting_it_is_no_obstacle_to_itself(claire: Agent, karim: Agent) -> None:
    meeting = factories.meeting(claire, guests=[karim], starts_at=at(10))
    moving = {"attendees": karim.email, "start": "10:30", "end": "11:30"}
    assert re.search("0 libres? sur 2", ask(GRID, claire, **moving))
    assert "2 libres sur 2" in ask(GRID, claire, reunion=str(meeting.public_id), **moving)


def test_nothing_is_written(claire: Agent, karim: Agent) -> None:
    for path in (GRID, SLOTS):
        ask(path, claire, attendees=karim.email)
    assert not Meeting.objects.exists()
    assert not Attendee.objects.exists()


# --- slots ------------------------------------------------------------------------------------------------------
def test_the_best_slots_are_explained_and_fill_the_form(claire: Agent, karim: Agent) -> None:
    thomas = factories.agent("Thomas", "Petit")
    for day in range(14):
        factories.meeting(karim, starts_at=at(8, days=day), minutes=7 * 60)
        factories.meeting(thomas, starts_at=at(16, days=day), minutes=4 * 60)
        if day:
            factories.meeting(thomas, starts_at=at(14, days=day), minutes=2 * 60)
    found = ask(SLOTS, claire, attendees=karim.email, optional=thomas.email)
    first, second = lines(found)[:2]
    assert "3 sur 3 Tous disponibles. Choisir" in first
    assert "15:00 – 16:00" in first
    assert "2 sur 3 Tous les indispensables sont libres, sauf un invité facultatif : Thomas Petit. Choisir" in second
    assert f'data-date="{next_monday().isoformat()}" data-start="15:00" data-end="16:00"' in found
    assert "Pour 1 h, sur 14 jours" in found


def test_the_forms_own_time_is_the_chosen_one(claire: Agent) -> None:
    found = ask(SLOTS, claire, start="09:00", end="10:00")
    assert found.count("av-slot--chosen") == 1
    assert 'aria-pressed="true"' in found.split('data-start="09:00"')[0].rsplit("<button", 1)[1]


def test_no_common_slot_says_so_and_offers_to_look_beyond_the_hours(claire: Agent) -> None:
    far = factories.agent("Hina", "Teva", time_zone="Pacific/Noumea")
    found = ask(SLOTS, claire, attendees=far.email)
    assert "Aucun créneau commun de 1 h sur 14 jours." in found
    assert "Chercher aussi hors des heures de travail" in found
    beyond = ask(SLOTS, claire, attendees=far.email, hors_heures="1")
    assert "Hors des heures de travail de Hina Teva." in beyond or "Hors des heures de travail de Claire" in beyond
    assert "à Nouméa" in beyond or "en Nouvelle-Calédonie" in beyond


def test_external_guests_are_said_to_be_unknown(claire: Agent) -> None:
    found = ask(SLOTS, claire, attendees="a@b.example, c@d.example")
    assert "Les calendriers de 2 invités externes sont inconnus." in found
    assert "1 sur 1" in found


def test_a_room_that_is_taken_brings_another_one(claire: Agent) -> None:
    home = claire.organisation
    room = Resource.objects.create(organisation=home, name="2.14", site="Ségur", capacity=12)
    Resource.objects.create(organisation=home, name="1.03", site="Ségur", capacity=20)
    Resource.objects.create(organisation=home, name="trop petite", site="Ségur", capacity=2)
    meeting = factories.meeting(factories.agent(), starts_at=at(9), minutes=9 * 60)
    ResourceBooking.objects.create(
        resource=room,
        meeting=meeting,
        occurrence=meeting.occurrences.get(),
        during=(at(9), at(18)),
        status="accepted",
    )
    found = ask(SLOTS, claire, resources=[str(room.public_id)], horizon="7")
    assert "La salle choisie est prise : 1.03 (Ségur) est libre." in found
    assert "La salle est libre." in found
    with_any = ask(SLOTS, claire, avec_salle="1")
    assert "Salle libre : trop petite (Ségur)." in with_any, "one person fits into the smallest"


@pytest.mark.parametrize(
    "wrong", [{"end": "", "minutes": ""}, {"end": "", "minutes": "5000"}, {"minutes": "-1", "end": ""}]
)
def test_without_a_sound_duration_it_is_asked_for(claire: Agent, wrong: dict[str, str]) -> None:
    assert "Donnez d’abord une durée" in ask(SLOTS, claire, **wrong)


def test_a_date_long_past_or_far_away_proposes_nothing_wrong(claire: Agent) -> None:
    past = ask(SLOTS, claire, date="2001-01-01")
    dates = re.findall(r'data-date="([^"]+)"', past)
    assert dates
    assert all(date >= timezone.now().astimezone(PARIS).date().isoformat() for date in dates)
    assert "data-date" in ask(SLOTS, claire, date="2099-12-28")
