"""A guest's link to a series: reading changes nothing (R16); one date or all of them is answered; another time is proposed."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from suite.agents.models import Agent
from tests import factories
from tests.visio.meetings.pages import client_of, text_of
from tests.visio.meetings.test_views_series import after, date_form, dates, day_of, days, url, weekly
from visio.meetings.exception_models import AttendeeException, CounterProposal
from visio.meetings.models import Attendee, Meeting, MeetingChange
from visio.meetings.series import cancel
from visio.meetings.tokens import link_token

pytestmark = pytest.mark.django_db


@pytest.fixture
def organiser() -> Agent:
    return factories.agent("Claire", "Morel")


@pytest.fixture
def meeting(organiser: Agent) -> Meeting:
    return weekly(organiser)


@pytest.fixture
def guest(meeting: Meeting) -> Attendee:
    return meeting.attendees.get(email="anne@b.example")


def link(guest: Attendee, number: int | None = None, **asked: str) -> str:
    """The guest's address, of the date with that number."""
    key = "" if number is None else url(guest.meeting, "detail", dates(guest.meeting)[number]).rpartition("=")[2]
    values = ({"date": key} if key else {}) | asked
    return f"/invitation/{link_token(guest)}/?" + "&".join(f"{name}={value}" for name, value in values.items())


def proposal(**changed: str) -> dict[str, str]:
    sent = {"answer": "counter", "about": "date", "day": after(15), "from_hour": "14:00", "to_hour": "15:00"}
    return sent | {"comment": "Je suis en commission."} | changed


def everything() -> list[Any]:
    tables = (Attendee, AttendeeException, CounterProposal, MeetingChange)
    return [list(table.objects.order_by("pk").values()) for table in tables]


@pytest.mark.parametrize("method", ["get", "head"])
def test_r16_reading_the_link_of_a_series_changes_nothing(
    client: Client, meeting: Meeting, guest: Attendee, method: str
) -> None:
    before = everything()
    for number in (None, 0, 2):
        for asked in ({}, {"reponse": "declined"}, {"reponse": "counter"} | proposal(comment="x"), {"merci": "2"}):
            assert getattr(client, method)(link(guest, number, **asked)).status_code == 200
    assert everything() == before
    assert days(meeting)[2] == "+14 10:00"


def test_the_link_shows_the_series_and_its_dates(client: Client, meeting: Meeting, guest: Attendee) -> None:
    page = text_of(client.get(link(guest)))
    assert "Toutes les semaines, le mardi, 6 fois" in page
    assert f"{day_of(dates(meeting)[2])}, " in page
    assert 'name="about" value="all" checked' in page
    page = text_of(client.get(link(guest, 2)))
    assert day_of(dates(meeting)[2]) in page
    assert 'name="about" value="date" checked' in page


def test_a_date_that_the_series_has_not_opens_nothing(client: Client, guest: Attendee) -> None:
    for key in ("zzz", "20290101T100000Z", "%00", "x" * 500):
        response = client.get(f"/invitation/{link_token(guest)}/?date={key}")
        assert response.status_code == 404
        assert "Comité" not in text_of(response)


def test_one_date_is_declined_and_the_series_accepted(client: Client, meeting: Meeting, guest: Attendee) -> None:
    client.post(link(guest), {"answer": "accepted", "about": "all", "revision": "1"})
    response = client.post(link(guest, 2), {"answer": "declined", "about": "date", "revision": "1"})
    guest.refresh_from_db()
    assert guest.answer == "accepted"
    assert AttendeeException.objects.get(attendee=guest).answer == "declined"
    thanks = text_of(client.get(response["Location"]))
    assert "Vous avez décliné." in thanks
    assert day_of(dates(meeting)[2]) in thanks
    assert 'value="accepted" checked' in text_of(client.get(link(guest)))
    assert 'value="declined" checked' in text_of(client.get(link(guest, 2)))


def test_todays_time_of_the_date_stands_and_not_the_mailed_one(
    client: Client, meeting: Meeting, organiser: Agent, guest: Attendee
) -> None:
    third = dates(meeting)[2]
    address = link(guest, 2)
    client_of(organiser).post(
        url(meeting, "edit", third), date_form(meeting, third, start="14:00", end="15:00", title="Comité exceptionnel")
    )
    page = text_of(client.get(address))
    assert "14:00 – 15:00" in page
    assert '<s class="ps-nums">10:00 – 11:00</s>' in page
    assert "Comité exceptionnel</h1>" in page
    assert "<s class" not in text_of(client.get(link(guest)))  # the others did not move


def test_a_cancelled_date_is_gone_and_the_others_open(
    client: Client, meeting: Meeting, organiser: Agent, guest: Attendee
) -> None:
    address = link(guest, 2)
    cancel(meeting=meeting, occurrence=dates(meeting)[2], scope="one", by=organiser, now=timezone.now())
    response = client.get(address)
    assert response.status_code == 410
    assert "Cette date est annulée." in text_of(response)
    assert client.post(address, {"answer": "accepted", "about": "date"}).status_code == 409
    assert client.post(link(guest, 3), {"answer": "accepted", "about": "date"}).status_code == 302


def test_who_is_left_out_of_a_date_is_told(client: Client, meeting: Meeting, organiser: Agent, guest: Attendee) -> None:
    third = dates(meeting)[2]
    client_of(organiser).post(url(meeting, "edit", third), date_form(meeting, third, attendees="yann@b.example"))
    page = text_of(client.get(link(guest, 2)))
    assert "Vous n’êtes pas sur la liste de cette date." in page
    assert 'name="answer"' not in page
    assert client.post(link(guest, 2), {"answer": "accepted", "about": "date"}).status_code == 409


def test_another_time_is_kept_for_the_organiser_and_moves_nothing(
    client: Client, meeting: Meeting, guest: Attendee
) -> None:
    response = client.post(link(guest, 2), proposal())
    counter = CounterProposal.objects.get()
    assert (counter.attendee, counter.occurrence, counter.via) == (guest, dates(meeting)[2], "page")
    assert counter.ends_at - counter.starts_at == dt.timedelta(hours=1)
    assert days(meeting)[2] == "+14 10:00"
    page = text_of(client.get(response["Location"]))
    assert "Votre proposition est transmise" in page
    assert "14:00 – 15:00" in page


def test_another_time_is_meant_in_the_zone_that_is_shown(client: Client, guest: Attendee) -> None:
    client.post(link(guest, 2, fuseau="Indian/Reunion"), proposal())
    # 14:00 on La Réunion, whatever Paris does.
    assert CounterProposal.objects.get().starts_at.astimezone(dt.UTC).hour == 10


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"day": ""}, 422),
        ({"day": "9999-12-31", "from_hour": "23:00", "to_hour": "23:30"}, 422),
        ({"to_hour": "14:00"}, 422),
        ({"from_hour": "25:00"}, 422),
        ({"comment": "x" * 501}, 422),
        ({"about": "nope"}, 422),
        ({"day": "2020-01-07"}, 409),
        ({"day": after(14), "from_hour": "10:00", "to_hour": "11:00"}, 409),
    ],
)
def test_a_proposal_without_sense_is_told_and_kept(
    client: Client, guest: Attendee, changed: dict[str, str], status: int
) -> None:
    response = client.post(link(guest, 2), proposal(**changed))
    page = text_of(response)
    assert response.status_code == status
    assert 'role="alert"' in page
    assert 'value="counter" checked' in page
    assert f'value="{changed.get("from_hour", "14:00")}"' in page
    assert not CounterProposal.objects.exists()


def test_a_one_off_is_not_asked_about_dates(client: Client, organiser: Agent) -> None:
    meeting = factories.meeting(organiser, guests=["a@b.example"])
    guest = meeting.attendees.get(email="a@b.example")
    page = text_of(client.get(f"/invitation/{link_token(guest)}/"))
    assert 'name="about"' not in page
    day = (timezone.now() + dt.timedelta(days=3)).date().isoformat()
    assert client.post(f"/invitation/{link_token(guest)}/", proposal(day=day)).status_code == 302
    assert CounterProposal.objects.get().occurrence is None


def test_a_guest_of_one_date_sees_that_date_alone(client: Client, meeting: Meeting, organiser: Agent) -> None:
    third = dates(meeting)[2]
    client_of(organiser).post(url(meeting, "edit", third), date_form(meeting, third, attendees="samir@b.example"))
    samir = meeting.attendees.get(email="samir@b.example")
    page = text_of(client.get(f"/invitation/{link_token(samir)}/"))
    assert day_of(third) in page
    assert "Toutes les semaines" not in page
    assert 'name="about"' not in page
    client.post(f"/invitation/{link_token(samir)}/", {"answer": "accepted"})
    samir.refresh_from_db()
    assert samir.answer == "accepted"


def test_the_file_of_a_guest_of_one_date_tells_that_date_alone(
    client: Client, meeting: Meeting, organiser: Agent
) -> None:
    second, third = dates(meeting)[1:3]
    client_of(organiser).post(url(meeting, "edit", second), date_form(meeting, second, title="Mutations"))
    meeting.refresh_from_db()
    client_of(organiser).post(url(meeting, "edit", third), date_form(meeting, third, attendees="samir@b.example"))
    samir = meeting.attendees.get(email="samir@b.example")
    file = client.get(f"/invitation/{link_token(samir)}/reunion.ics").content.decode()
    assert file.count("BEGIN:VEVENT") == 1
    assert "RRULE:FREQ=WEEKLY" not in file
    assert "Mutations" not in file
    assert "RECURRENCE-ID" in file
