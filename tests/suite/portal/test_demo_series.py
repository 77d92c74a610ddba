"""The series, the whole day, the absence and the delegation of the demonstration."""

import datetime as dt

import pytest
from django.test import Client
from django.utils import timezone

from suite.agents.delegation import may_act_for
from suite.agents.models import Agent
from suite.agents.time_models import Delegation, Leave
from suite.portal.demo import Loaded, load_demo
from tests.suite.portal.test_demo import PARIS, TUESDAY, by_sub
from tests.visio.meetings.pages import client_of
from visio.calendars.day import dashboard_day
from visio.meetings.models import Delivery, Meeting, MeetingChange, Occurrence
from visio.meetings.queries import agenda

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


def titles(agent: Agent, first: dt.date) -> list[tuple[str, str]]:
    """(weekday and hour, title) of what comes back by a rule, in the week of `first`."""
    start = dt.datetime.combine(first, dt.time(), PARIS)
    return [
        (f"{entry.starts_at.astimezone(PARIS):%a %H:%M}", entry.title)
        for entry in agenda([agent.pk], start, start + 7 * DAY, agent)
        if entry.is_series
    ]


@pytest.mark.parametrize("days", range(7), ids=["Tu", "We", "Th", "Fr", "Sa", "Su", "Mo"])
def test_two_series_one_with_a_moved_and_a_cancelled_date(days: int) -> None:
    now = TUESDAY + days * DAY
    load_demo(now=now)
    claire = by_sub("claire-morel")
    monday = now.date() - now.weekday() * DAY
    editorial, prefectures = "Comité éditorial", "Accompagnement des préfectures"
    assert titles(claire, monday) == [("Mon 11:15", editorial), ("Thu 15:30", prefectures)]
    assert titles(claire, monday + 7 * DAY) == [("Tue 16:00", editorial), ("Thu 15:30", prefectures)]
    assert titles(claire, monday + 14 * DAY) == [("Thu 15:30", prefectures)]
    assert titles(claire, monday + 21 * DAY) == [("Mon 11:15", editorial), ("Thu 15:30", prefectures)]
    moved = Occurrence.objects.get(meeting__title=editorial, is_override=True, status="confirmed")
    assert moved.sequence > 0


def test_a_whole_day_an_absence_and_a_delegation() -> None:
    load_demo(now=TUESDAY)
    seminar = Meeting.objects.get(is_all_day=True)
    assert (seminar.start_date, seminar.is_demo) == (dt.date(2026, 12, 4), True)
    leave = Leave.objects.get()
    assert (leave.agent, leave.is_all_day) == (by_sub("thomas-petit"), True)
    assert leave.starts_at.astimezone(PARIS).date() == dt.date(2026, 12, 7)
    delegation = Delegation.objects.get()
    assert may_act_for(delegation.delegate, delegation.principal)


def test_again_changes_nothing_and_edits_stay() -> None:
    load_demo(now=TUESDAY)
    Leave.objects.update(note="À moi")
    series = Meeting.objects.get(title="Comité éditorial")
    Meeting.objects.filter(pk=series.pk).update(title="Renommé")
    before = [list(model.objects.order_by("pk").values()) for model in (Meeting, Occurrence, Delivery, MeetingChange)]
    assert load_demo(now=TUESDAY + dt.timedelta(hours=1)) == Loaded(0, 0, 0)
    after = [list(model.objects.order_by("pk").values()) for model in (Meeting, Occurrence, Delivery, MeetingChange)]
    assert after == before
    load_demo(now=TUESDAY + 7 * DAY)
    assert Meeting.objects.filter(is_series=True).count() == 2
    assert Meeting.objects.filter(is_all_day=True).count() == 2, "the next week has one of its own"
    assert (Leave.objects.count(), Delegation.objects.count()) == (1, 1)


def test_nothing_of_it_waits_to_be_mailed() -> None:
    load_demo(now=TUESDAY)
    mine = Delivery.objects.filter(meeting__is_series=True)
    assert mine.filter(method="REQUEST").exists()
    assert mine.filter(method="CANCEL", recurrence_id__isnull=False).exists()
    assert set(mine.values_list("state", flat=True)) == {"sent"}


def test_the_pages_show_it() -> None:
    now = timezone.now()
    load_demo(now=now)
    claire = by_sub("claire-morel")
    client: Client = client_of(claire)
    seminar = Meeting.objects.get(is_all_day=True)
    day = dashboard_day(claire, dt.datetime.combine(seminar.start_date, dt.time(9), PARIS))
    assert "Journée des produits numériques" in str(day)
    assert client.get("/").status_code == 200
    pages = "".join(client.get("/reunions/", {"page": number}).content.decode() for number in (1, 2, 3))
    assert "Journée des produits numériques" in pages
    assert '<span class="fr-sr-only">Série</span>' in pages
    agenda_page = client.get(f"/reunions/agenda/?du={seminar.start_date}&au={seminar.start_date}")
    assert agenda_page.status_code == 200
    week = client.get(f"/equipe/?semaine={seminar.start_date:%G-W%V}").content.decode()
    assert "Journée des produits numériques" in week
    assert "Comité éditorial" in week
    detail = client.get(f"/reunions/{Meeting.objects.get(title='Comité éditorial').public_id}/").content.decode()
    assert "Toutes les semaines, le lundi" in detail
