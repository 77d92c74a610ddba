"""The picker of rooms in the planning form."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from suite.agents.models import Agent
from tests import factories
from tests.visio.places.rooms import client_of, monday, reserve, room

pytestmark = pytest.mark.django_db


def typed(**fields: Any) -> dict[str, Any]:
    return {
        "date": f"{monday():%Y-%m-%d}",
        "start": "10:00",
        "minutes": "60",
        "time_zone": "Europe/Paris",
        **fields,
    }


def pick(agent: Agent, **fields: Any) -> str:
    answer = client_of(agent).post(reverse("picker:choose"), typed(**fields))
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_picker_offers_free_ones_first_and_others_instead(organiser: Agent) -> None:
    taken = room(organiser.organisation, "Prise")
    reserve(organiser, taken)
    free = room(organiser.organisation, "Voisine")
    room(factories.organisation(), "Ailleurs")
    page = pick(organiser)
    assert page.index("Voisine") < page.index(f'value="{taken.public_id}"')
    assert "Indisponible à cette heure" in page
    assert f'data-pl-take="{free.public_id}"' in page
    assert "Ailleurs" not in page


def test_the_picker_keeps_what_is_chosen_on_top(organiser: Agent) -> None:
    chosen = room(organiser.organisation, "Zèbre", capacity=1)
    room(organiser.organisation, "Abri")
    page = pick(organiser, resources=[str(chosen.public_id)])
    assert page.index("Zèbre") < page.index("Abri")
    assert page.count(" checked") == 1


def test_the_picker_looks_at_every_date_of_a_series(organiser: Agent) -> None:
    small = room(organiser.organisation)
    reserve(organiser, small, at=monday() + dt.timedelta(days=7))
    assert "Indisponible" not in pick(organiser)
    page = pick(organiser, repeat="weekly", repeat_end="count", repeat_count="4")
    assert "Indisponible pour 1 date sur" in page


def test_one_date_of_a_series_is_judged_alone(organiser: Agent) -> None:
    small = room(organiser.organisation)
    reserve(organiser, small, at=monday() + dt.timedelta(days=7))
    meeting = factories.meeting(
        organiser, start_date=monday().date(), start_time=dt.time(10), rule="FREQ=WEEKLY;BYDAY=MO;COUNT=4"
    )
    fields = {"reunion": str(meeting.public_id), "repeat": "weekly", "repeat_end": "count", "repeat_count": "4"}
    assert "4 dates" in pick(organiser, **fields, scope="all")
    page = pick(organiser, **fields, scope="one")
    assert "Indisponible" not in page
    assert "dates" not in page
    assert "4 dates" in pick(organiser, **(fields | {"reunion": ""}), scope="one")


def test_the_meeting_being_edited_is_no_obstacle(organiser: Agent, colleague: Agent) -> None:
    small = room(organiser.organisation)
    meeting = reserve(organiser, small)
    assert "Indisponible" not in pick(organiser, reunion=str(meeting.public_id), start="10:30")
    stranger = client_of(colleague).post(reverse("picker:choose"), typed(reunion=str(meeting.public_id)))
    assert stranger.status_code == 404


@pytest.mark.parametrize(
    "fields",
    [
        {"date": "", "start": ""},
        {"date": "9999-12-31", "minutes": "20160"},
        {"time_zone": "Nulle/Part"},
        {"minutes": "-5"},
        {"resources": ["x", "1"] * 300},
        {"salle_q": "\x00" + "é" * 5000, "salle_site": "'"},
        {"attendees": "pas une adresse"},
    ],
)
def test_the_picker_takes_whatever_is_typed(organiser: Agent, fields: dict[str, Any]) -> None:
    room(organiser.organisation)
    assert "pl-picker__find" in pick(organiser, **fields)


def test_the_picker_asks_the_same_however_many_rooms_and_dates(organiser: Agent) -> None:
    def queries(**fields: Any) -> int:
        client = client_of(organiser)
        with CaptureQueriesContext(connection) as captured:
            client.post(reverse("picker:choose"), typed(**fields))
        return len(captured)

    room(organiser.organisation, "A")
    few = queries()
    for number in range(20):
        room(organiser.organisation, f"B{number}")
    assert queries(repeat="daily") == few
