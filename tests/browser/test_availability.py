"""The availability grid and proposed slots in a real browser: by keyboard, by pointer, on a phone, in the dark."""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from suite.agents.models import Agent
from suite.agents.time_models import Leave
from tests import factories
from tests.browser.accessibility import serious_faults
from tests.browsing import DESKTOP, PHONE, Visitors

PARIS = zoneinfo.ZoneInfo("Europe/Paris")
pytestmark = pytest.mark.django_db(transaction=True)


def monday() -> dt.date:
    today = timezone.now().astimezone(PARIS).date()
    return today + dt.timedelta(days=7 - today.weekday())


def at(hour: int, minute: int = 0, *, days: int = 0) -> dt.datetime:
    return dt.datetime.combine(monday(), dt.time(hour, minute), PARIS) + dt.timedelta(days=days)


@pytest.fixture
def organiser() -> Agent:
    return factories.agent("Claire", "Morel")


@pytest.fixture
def karim(organiser: Agent) -> Agent:
    made = factories.agent("Karim", "Benali", organisation=organiser.organisation)
    factories.meeting(made, starts_at=at(10), title="Secret de Karim")
    factories.meeting(organiser, guests=[made], starts_at=at(15), title="Revue")
    return made


def plan(start: str = "10:30") -> str:
    return f"{reverse('meetings:plan')}?date={monday().isoformat()}&start={start}"


def invite(page: Page, text: str) -> None:
    field = page.get_by_role("combobox", name="Participants")
    field.fill(f"{text},")
    expect(field).to_have_value("")


def row(page: Page, name: str) -> str:
    return page.get_by_role("row", name=re.compile(name)).inner_text()


def test_the_grid_follows_the_people_and_the_hours_of_the_form(
    visitors: Visitors, organiser: Agent, karim: Agent
) -> None:
    page = visitors.page_as(organiser, plan())
    expect(page.locator(".av-row")).to_have_count(1)
    invite(page, karim.email)
    expect(page.locator(".av-row")).to_have_count(2)
    expect(page.locator(".av-summary")).to_contain_text("1 libre sur 2")
    expect(page.locator(".av-summary")).to_contain_text("Karim Benali a déjà une réunion à cette heure.")
    expect(page.get_by_role("row", name=re.compile("Karim Benali"))).to_contain_text("Occupé de 10:00 à 11:00")
    assert "Secret" not in page.content()
    page.locator("#id_start").fill("11:00")
    page.locator("#id_start").dispatch_event("change")
    expect(page.locator(".av-summary")).to_contain_text("2 libres sur 2")
    expect(page.locator(".av-handle")).to_have_text("11:00 – 12:00")
    invite(page, "anne@ailleurs.example")
    expect(page.get_by_role("row", name=re.compile("anne@ailleurs"))).to_contain_text("Calendrier inconnu")
    page.get_by_role("button", name="Jour suivant").click()
    expect(page.locator(".av-bar__day")).to_have_text(re.compile("^Mardi"))
    expect(page.get_by_role("button", name="Jour suivant")).to_be_focused()
    # People typed while another day is shown appear on that day.
    invite(page, "paul@ailleurs.example")
    expect(page.locator(".av-row")).to_have_count(4)
    expect(page.locator(".av-bar__day")).to_have_text(re.compile("^Mardi"))
    page.locator("#id_date").fill(monday().isoformat())
    assert page.locator("#id_date").input_value() == monday().isoformat()


def test_typing_a_title_asks_for_nothing(visitors: Visitors, organiser: Agent) -> None:
    page = visitors.page_as(organiser, plan())
    expect(page.locator(".av-row")).to_have_count(1)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.locator("#id_title").press_sequentially("Comité")
    expect(page.locator("#recapitulatif")).to_be_visible()
    with page.expect_request("**/recapitulatif/"):
        page.locator("#id_title").press_sequentially(" de suivi")
    assert not [url for url in asked if "disponibilites" in url]


def test_by_keyboard_from_a_proposal_to_the_fields(visitors: Visitors, organiser: Agent, karim: Agent) -> None:
    page = visitors.page_as(organiser, plan())
    invite(page, karim.email)
    expect(page.locator(".av-row")).to_have_count(2)
    button = page.get_by_role("button", name="Proposer des créneaux")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".av-slot")).to_have_count(6)
    expect(page.locator("[data-av-status]")).to_have_text("6 créneaux proposés")
    first = page.locator(".av-slot").first
    expect(first).to_contain_text("Tous disponibles.")
    expect(first).to_contain_text("09:00 – 10:00")
    first.get_by_role("button").focus()
    page.keyboard.press("Enter")
    assert page.locator("#id_start").input_value() == "09:00"
    assert page.locator("#id_end").input_value() == "10:00"
    assert page.locator("#id_date").input_value() == monday().isoformat()
    expect(first.get_by_role("button")).to_have_attribute("aria-pressed", "true")
    expect(first.get_by_role("button")).to_have_text("Choisi")
    expect(first.get_by_role("button")).to_be_focused()
    expect(page.locator(".av-handle")).to_have_text("09:00 – 10:00")
    expect(page.locator(".av-summary")).to_contain_text("2 libres sur 2")
    # What was chosen is said, then what became of it.
    expect(page.locator("[data-av-status]")).to_have_text(re.compile("Lundi .*, 09:00 – 10:00 2 libres sur 2"))


def test_the_column_moves_by_arrows_by_a_click_and_by_dragging(visitors: Visitors, organiser: Agent) -> None:
    page = visitors.page_as(organiser, plan())
    handle = page.get_by_role("slider")
    expect(handle).to_have_attribute("aria-valuetext", "10:30 – 11:30")
    handle.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.locator("#id_start").input_value() == "11:00"
    assert page.locator("#id_end").input_value() == "12:00"
    expect(page.locator("#recapitulatif")).to_contain_text("11:00 – 12:00")
    # Fetched again meanwhile, the handle keeps the focus.
    expect(page.locator(".av-handle")).to_be_focused()
    track = page.locator("[data-av-track]").first
    box = track.bounding_box()
    assert box is not None
    quarter = box["width"] / 40
    page.mouse.click(box["x"] + quarter * 24.5, box["y"] + 20)
    expect(page.locator("#id_start")).to_have_value("14:00")
    with page.expect_response("**/disponibilites/"):
        pass
    grip = page.locator(".av-handle").bounding_box()
    assert grip is not None
    page.mouse.move(grip["x"] + grip["width"] / 2, grip["y"] + 8)
    page.mouse.down()
    page.mouse.move(grip["x"] + grip["width"] / 2 + quarter * 4, grip["y"] + 8, steps=4)
    page.mouse.up()
    expect(page.locator("#id_start")).to_have_value("15:00")
    expect(page.locator("#id_end")).to_have_value("16:00")


@pytest.mark.parametrize("dark", [False, True], ids=["clair", "sombre"])
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["1280", "390"])
def test_grid_and_slots_have_no_serious_fault(
    visitors: Visitors, organiser: Agent, karim: Agent, viewport: dict[str, int], dark: bool
) -> None:
    far = factories.agent("Marie", "Payet", time_zone="Indian/Reunion")
    Leave.objects.create(agent=far, starts_at=at(13), ends_at=at(0, days=2))
    page = visitors.page_as(organiser, plan(), viewport=viewport, dark=dark)
    invite(page, f"{karim.email}, {far.email}, anne@ailleurs.example")
    expect(page.locator(".av-summary")).to_contain_text("1 invité externe")
    page.get_by_role("button", name="Proposer des créneaux").click()
    expect(page.locator(".av-slot").first).to_be_visible()
    if viewport == PHONE:
        expect(page.locator(".av-table")).to_be_hidden()
        page.get_by_role("button", name="Voir la grille du jour").click()
    expect(page.locator(".av-table")).to_be_visible()
    page.mouse.move(0, 0)  # DSFR's own hover is no business of ours
    assert serious_faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


def test_enter_in_an_hour_saves_the_week(visitors: Visitors, organiser: Agent) -> None:
    page = visitors.page_as(organiser, reverse("portal:hours"))
    page.get_by_label("Lundi, plage 1, de").fill("08:30")
    page.get_by_label("Lundi, plage 1, de").press("Enter")
    expect(page.locator(".ps-flash")).to_contain_text("Vos horaires sont enregistrés.")
    expect(page.get_by_label("Lundi, plage 1, de")).to_have_value("08:30")
    page.get_by_role("button", name="Ajouter une plage : Samedi").click()
    expect(page.get_by_label("Samedi, plage 2, de")).to_be_focused()


def test_without_a_script_the_form_has_no_empty_grid(visitors: Visitors, organiser: Agent) -> None:
    page = visitors.page_as(organiser, plan(), java_script_enabled=False)
    expect(page.get_by_label("Titre")).to_be_visible()
    expect(page.locator(".av")).to_be_hidden()


def test_calendars_that_do_not_answer_leave_the_form_usable(visitors: Visitors, organiser: Agent) -> None:
    page = visitors.page_as(organiser)
    page.route("**/disponibilites/", lambda route: route.abort())
    page.goto(plan())
    expect(page.locator("[data-av-lost]")).to_be_visible()
    page.locator("#id_title").fill("Sans calendriers")
    page.get_by_role("button", name="Envoyer les invitations").click()
    page.wait_for_url(re.compile(r"/reunions/[0-9a-f-]{36}/$"))
    visitors.troubles.clear()
