"""Rooms in a real browser: chosen while planning, exchanged for a free one, asked for and granted."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from suite.agents.models import Agent
from tests import factories
from tests.browser.accessibility import serious_faults
from tests.browsing import DESKTOP, PHONE
from tests.visio.places.rooms import booked, room
from tests.waiting import until
from visio.places.models import Resource, ResourceBooking


@pytest.fixture
def organiser(transactional_db: None) -> Agent:
    return factories.agent("Claire", "Morel")


def monday() -> dt.datetime:
    today = timezone.localdate()
    return timezone.make_aware(dt.datetime.combine(today + dt.timedelta(days=7 - today.weekday()), dt.time(10)))


def taken_room(organiser: Agent) -> Resource:
    small = room(organiser.organisation, "Fontenoy 1.03")
    booked(organiser, small, starts_at=monday(), now=timezone.now(), title="Déjà là")
    return small


def open_form(visitors: Any, organiser: Agent, viewport: dict[str, int]) -> Page:
    page: Page = visitors.page_as(organiser, viewport=viewport)
    page.goto(f"/reunions/planifier/?date={monday():%Y-%m-%d}&start=10:00")
    return page


def line(page: Page, name: str) -> Any:
    return page.locator(".pl-option").filter(has=page.get_by_role("checkbox", name=name, exact=True))


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["1280", "390"])
def test_a_taken_room_is_exchanged_for_a_free_one(organiser: Agent, visitors: Any, viewport: dict[str, int]) -> None:
    small = taken_room(organiser)
    free = room(organiser.organisation, "Fontenoy 1.07")
    page = open_form(visitors, organiser, viewport)
    expect(line(page, "Fontenoy 1.03")).to_contain_text("Indisponible à cette heure")
    expect(line(page, "Fontenoy 1.07")).to_contain_text("Libre")
    page.get_by_role("checkbox", name="Fontenoy 1.03", exact=True).check()
    expect(line(page, "Fontenoy 1.03").get_by_text("À la place")).to_be_visible()
    line(page, "Fontenoy 1.03").get_by_role("button", name="Fontenoy 1.07").click()
    expect(page.get_by_role("checkbox", name="Fontenoy 1.07", exact=True)).to_be_checked()
    expect(page.get_by_role("checkbox", name="Fontenoy 1.03", exact=True)).not_to_be_checked()
    assert serious_faults(page) == []
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0
    page.get_by_label("Titre").fill("Comité")
    page.get_by_role("button", name="Envoyer").click()
    page.wait_for_url("**/reunions/*-*/")
    assert ResourceBooking.objects.get(meeting__title="Comité").resource == free
    assert ResourceBooking.objects.filter(resource=small).count() == 1


def test_the_list_follows_the_hour_and_keeps_the_cursor(organiser: Agent, visitors: Any) -> None:
    taken_room(organiser)
    room(organiser.organisation, "Grande salle", site="Ailleurs")
    page = open_form(visitors, organiser, DESKTOP)
    expect(line(page, "Fontenoy 1.03")).to_contain_text("Indisponible")
    page.locator("#id_start").fill("14:00")
    expect(line(page, "Fontenoy 1.03")).to_contain_text("Libre")
    search = page.locator("#pl-salle-q")
    search.press_sequentially("grande", delay=30)
    expect(line(page, "Fontenoy 1.03")).to_have_count(0)
    expect(search).to_be_focused()
    expect(search).to_have_value("grande")


def test_a_manager_accepts_on_an_open_page(organiser: Agent, visitors: Any) -> None:
    boss = factories.agent("Nadia", "Roux", organisation=organiser.organisation)
    page: Page = visitors.page_as(boss, "/salles/a-valider/")
    council = room(organiser.organisation, "Salle du conseil", needs_approval=True, managers=[boss])
    page.reload()
    expect(page.get_by_text("Rien à valider")).to_be_visible()
    until(lambda: page.evaluate("document.body.dataset.liveVersion") is not None, what="a page that listens")
    booked(organiser, council, starts_at=monday(), now=timezone.now(), title="Conseil")
    # The request comes by itself, over the socket.
    expect(page.get_by_text("Conseil · 1 participant")).to_be_visible()
    page.get_by_label("Message").fill("Clé à l’accueil")
    page.get_by_role("button", name="Accepter").click()
    expect(page.get_by_text("Demande acceptée pour 1 date.")).to_be_visible()
    found = ResourceBooking.objects.get()
    assert (found.status, found.words) == ("accepted", "Clé à l’accueil")
