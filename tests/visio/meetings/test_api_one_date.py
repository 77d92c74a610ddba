"""The REST API for an agent who is invited to one date of a series, or left out of one: their dates, and nothing of the others."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from suite.agents.delegation import grant
from suite.agents.models import Agent
from tests import factories
from tests.visio.meetings.test_api import LIST, api, url
from tests.visio.meetings.test_api_series import dates, monday, send, series
from visio.exchange.feeds import create_feed
from visio.meetings.models import Meeting
from visio.places.models import Resource

pytestmark = pytest.mark.django_db
WEEK = dt.timedelta(days=7)


class Place:
    """A series of four; the second date is named otherwise, the third has another room and one guest more."""

    def __init__(self) -> None:
        home = factories.organisation()
        self.boss, self.guest, self.once = (factories.agent(organisation=home) for _number in range(3))
        rooms = [Resource.objects.create(organisation=self.boss.organisation, name=name) for name in ("A", "B")]
        self.rooms = [str(room.public_id) for room in rooms]
        self.meeting = series(self.boss, self.guest, resources=self.rooms[:1])
        self.keys = [row["id"] for row in dates(api(self.boss), self.meeting)]
        self.change(1, {"title": "Mutations"})
        people = [{"email": self.guest.email}, {"email": self.once.email}]
        third = {"title": "Revue", "place": "Salle B", "attendees": people, "resources": self.rooms[1:]}
        self.change(2, {**third, "start": f"{monday() + 2 * WEEK}T15:00"})

    def date(self, number: int) -> str:
        return url(self.meeting, f"occurrences/{self.keys[number]}/")

    def change(self, number: int, changes: dict[str, Any]) -> None:
        answer = send(api(self.boss), "patch", self.date(number), changes)
        assert answer.status_code == 200, answer.json()


@pytest.fixture
def place() -> Place:
    return Place()


def start_of(row: dict[str, Any]) -> str:
    return str(row["occurrence"]["start"])


@pytest.mark.parametrize("listed", [True, False])
def test_a_guest_of_one_date_is_shown_that_date_alone(place: Place, listed: bool) -> None:
    tool = api(place.once)
    if listed:
        [row] = tool.get(LIST).json()["results"]
    else:
        row = tool.get(url(place.meeting)).json()
    at = f"{monday() + 2 * WEEK}T15:00"
    assert (row["occurrence"]["id"], start_of(row), row["start"]) == (place.keys[2], at, at)
    assert (row["starts_at"], row["ends_at"]) == (row["occurrence"]["starts_at"], row["occurrence"]["ends_at"])
    assert (row["title"], row["place"], row["resources"]) == ("Revue", "Salle B", place.rooms[1:])
    assert (row["rrule"], row["rdates"], row["exdates"], row["repeats"]) == ("", [], [], "")
    assert {one["email"] for one in row["attendees"]} == {place.boss.email, place.guest.email, place.once.email}
    assert (row["attendee_count"], row["occurrence"]["answer"], row["can_edit"]) == (3, "needs_action", False)


def test_a_guest_of_one_date_reads_and_answers_it_on_every_route(place: Place) -> None:
    tool = api(place.once)
    assert [row["id"] for row in dates(tool, place.meeting)] == [place.keys[2]]
    for number, key in enumerate(place.keys):
        status = 200 if number == 2 else 404
        assert tool.get(place.date(number)).status_code == status, key
        answer = send(tool, "post", f"{place.date(number)}answer/", {"answer": "declined"})
        assert answer.status_code == status, key
    assert tool.get(url(place.meeting)).json()["occurrence"]["answer"] == "declined"
    answered = send(tool, "post", url(place.meeting, "answer/"), {"answer": "accepted"}).json()
    assert (answered["occurrence"]["id"], answered["occurrence"]["answer"]) == (place.keys[2], "accepted")
    window = {"from": f"{monday()}T00:00:00Z", "to": f"{monday() + 5 * WEEK}T00:00:00Z"}
    entries = tool.get("/api/v1/agenda/", window).json()["results"]
    assert [(row["occurrence"], row["title"], row["answer"]) for row in entries] == [
        (place.keys[2], "Revue", "accepted")
    ]
    refused = send(tool, "patch", place.date(2), {"title": "À moi"})
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:suite:problem:not-organiser")
    assert "Mutations" not in str(refused.json())


def test_the_calendar_address_of_a_guest_of_one_date_holds_it_alone(place: Place) -> None:
    from django.test import Client

    _feed, secret = create_feed(agent=place.once, name="téléphone", detail="full")
    text = Client().get(f"/calendrier/{secret}.ics").content.decode()
    assert (text.count("BEGIN:VEVENT"), "RRULE" in text.partition("BEGIN:VEVENT")[2]) == (1, False)
    assert "SUMMARY:Revue" in text.replace("\r\n ", "")
    assert "Mutations" not in text


def test_a_guest_of_one_date_proposes_another_time_for_it_only(place: Place) -> None:
    tool = api(place.once)
    at = dt.datetime.fromisoformat(tool.get(place.date(2)).json()["starts_at"]) + dt.timedelta(hours=3)
    asked = {"starts_at": at.isoformat(), "ends_at": (at + dt.timedelta(hours=1)).isoformat()}
    made = send(tool, "post", url(place.meeting, "counters/"), asked)
    assert (made.status_code, made.json()["occurrence"]) == (201, place.keys[2]), made.json()
    other = send(tool, "post", url(place.meeting, "counters/"), asked | {"occurrence": place.keys[1]})
    assert (other.status_code, list(other.json()["errors"])) == (400, ["occurrence"])
    assert tool.get(url(place.meeting, "counters/")).json()["results"] == [made.json()]


def test_who_acts_for_the_organiser_reads_the_series_though_invited_to_one_date(place: Place) -> None:
    grant(principal=place.boss, delegate=place.once)
    row = api(place.once).get(url(place.meeting)).json()
    assert (row["title"], row["occurrence"]["id"], row["can_edit"]) == ("Recette", place.keys[0], True)
    assert len(dates(api(place.once), place.meeting)) == 4


def test_a_guest_who_was_left_out_of_the_next_date_is_shown_the_one_after() -> None:
    boss, guest = factories.agent(), factories.agent()
    meeting = series(boss, guest)
    first, second = (row["id"] for row in dates(api(boss), meeting)[:2])
    gone = send(api(boss), "patch", url(meeting, f"occurrences/{first}/"), {"attendees": []})
    assert gone.status_code == 200, gone.json()
    send(api(guest), "post", url(meeting, f"occurrences/{second}/answer/"), {"answer": "tentative"})
    for row in (api(guest).get(url(meeting)).json(), api(guest).get(LIST).json()["results"][0]):
        assert (row["occurrence"]["id"], row["occurrence"]["answer"]) == (second, "tentative")
        assert (row["starts_at"], row["rrule"]) == (row["occurrence"]["starts_at"], meeting.rrule)
    assert api(boss).get(url(meeting)).json()["occurrence"]["id"] == first


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_costs_the_same_however_many_single_dates(count: int, django_assert_num_queries: Any) -> None:
    guest = factories.agent()
    for _number in range(count):
        _once(factories.agent(), guest)
    tool = api(guest)
    tool.get(LIST)
    with django_assert_num_queries(10):
        assert len(tool.get(LIST).json()["results"]) == count


def _once(boss: Agent, guest: Agent) -> Meeting:
    meeting = series(boss)
    second = dates(api(boss), meeting)[1]["id"]
    send(api(boss), "patch", url(meeting, f"occurrences/{second}/"), {"attendees": [{"email": guest.email}]})
    return meeting
