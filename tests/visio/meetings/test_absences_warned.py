"""Planning into somebody's leave is allowed, and said once before anything goes out."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from suite.agents.leaves import add_leave, whole_days
from suite.agents.models import Agent
from tests import factories
from tests.visio.meetings.pages import PARIS, client_of, edit_form, form, text_of
from visio.meetings.models import Delivery, Meeting

pytestmark = pytest.mark.django_db
PLAN, RECAP = "/reunions/planifier/", "/reunions/planifier/recapitulatif/"
# A Tuesday far enough ahead, in a quiet part of the year.
TUESDAY = dt.date(timezone.now().year + 1, 2, 1) + dt.timedelta(
    days=(1 - dt.date(timezone.now().year + 1, 2, 1).weekday()) % 7
)


@pytest.fixture
def claire() -> Agent:
    return factories.agent("Claire", "Morel")


@pytest.fixture
def client(claire: Agent) -> Client:
    return client_of(claire)


@pytest.fixture
def karim(claire: Agent) -> Agent:
    return factories.agent("Karim", "Benali", organisation=claire.organisation)


def away(agent: Agent, first: dt.date, days: int = 1) -> None:
    starts_at, ends_at = whole_days(first, first + dt.timedelta(days=days - 1), zone_name=agent.time_zone)
    add_leave(agent=agent, starts_at=starts_at, ends_at=ends_at, is_all_day=True, now=timezone.now(), note="Soins")


def on(day: dt.date, **changed: Any) -> dict[str, Any]:
    return form(date=day.isoformat(), **changed)


def test_planning_into_a_leave_warns_once(client: Client, karim: Agent) -> None:
    away(karim, TUESDAY, days=4)
    sent = on(TUESDAY, attendees=karim.email)
    answer = client.post(PLAN, sent)
    page = text_of(answer)
    assert answer.status_code == 422
    assert "Karim Benali : absence jusqu’au" in page
    assert "Soins" not in page, "that one is away is told, never why"
    assert not Meeting.objects.exists()
    assert not Delivery.objects.exists()
    warned = answer.context["recap"].warned
    assert client.post(PLAN, sent | {"warned": warned}).status_code == 302
    assert Meeting.objects.get().attendees.filter(agent=karim).exists()


def test_a_warning_seen_says_nothing_of_another_absence(client: Client, karim: Agent) -> None:
    away(karim, TUESDAY)
    away(karim, TUESDAY + dt.timedelta(days=7), days=3)
    warned = client.post(PLAN, on(TUESDAY, attendees=karim.email)).context["recap"].warned
    later = on(TUESDAY + dt.timedelta(days=7), attendees=karim.email, warned=warned)
    assert client.post(PLAN, later).status_code == 422
    assert not Meeting.objects.exists()


def test_whoever_is_there_gives_no_warning(client: Client, karim: Agent) -> None:
    away(karim, TUESDAY - dt.timedelta(days=1))
    away(karim, TUESDAY + dt.timedelta(days=1))
    assert client.post(PLAN, on(TUESDAY, attendees=karim.email)).status_code == 302


def test_ones_own_leave_counts_too(client: Client, claire: Agent) -> None:
    away(claire, TUESDAY)
    assert "Claire Morel : absence" in text_of(client.post(PLAN, on(TUESDAY)))


def test_the_summary_says_it_while_the_form_is_filled_in(client: Client, karim: Agent) -> None:
    away(karim, TUESDAY)
    page = text_of(client.post(RECAP, on(TUESDAY, title="", attendees=karim.email)))
    assert "Karim Benali : absence" in page


def test_a_series_says_how_many_dates_somebody_misses(client: Client, karim: Agent) -> None:
    away(karim, TUESDAY + dt.timedelta(days=7), days=10)
    weekly = on(TUESDAY, attendees=karim.email, repeat="weekly", repeat_for=TUESDAY.isoformat(), repeat_end="count")
    page = text_of(client.post(PLAN, weekly | {"repeat_count": "5"}))
    assert "Karim Benali : absence à 2 dates de la série" in page
    assert not Meeting.objects.exists()


def test_moving_into_a_leave_warns_and_another_title_does_not(client: Client, claire: Agent, karim: Agent) -> None:
    away(karim, TUESDAY)
    starts_at = dt.datetime.combine(TUESDAY - dt.timedelta(days=1), dt.time(10), PARIS)
    meeting = factories.meeting(claire, guests=[karim], starts_at=starts_at)
    edit = f"/reunions/{meeting.public_id}/modifier/"
    answer = client.post(edit, edit_form(meeting, date=TUESDAY.isoformat()))
    assert (answer.status_code, "Karim Benali : absence" in text_of(answer)) == (422, True)
    meeting.refresh_from_db()
    assert meeting.revision == 1
    moved = edit_form(meeting, date=TUESDAY.isoformat(), warned=answer.context["recap"].warned)
    assert client.post(edit, moved).status_code == 302
    meeting.refresh_from_db()
    assert client.post(edit, edit_form(meeting, title="Autre titre")).status_code == 302


def test_of_many_absent_people_the_first_are_named(client: Client, claire: Agent) -> None:
    people = [factories.agent(f"Prénom{number}", "Absent", organisation=claire.organisation) for number in range(7)]
    for one in people:
        away(one, TUESDAY)
    page = text_of(client.post(PLAN, on(TUESDAY, visio=None, attendees="\n".join(one.email for one in people))))
    assert page.count("Absent : absence") >= 5
    assert "2 autres personnes sont absentes." in page
