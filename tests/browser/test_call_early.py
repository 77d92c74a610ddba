"""The call's page before its script is there, and without any: nothing is sent, nothing pretends to be ready."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from suite.agents.models import Agent
from tests import factories
from tests.browser.slow import SlowScripts
from tests.browsing import Visitors
from visio.meetings.models import Meeting
from visio.meetings.tokens import link_token

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def claire(transactional_db: None) -> Agent:
    return factories.agent("Claire", "Morel")


@pytest.fixture
def meeting(claire: Agent) -> Meeting:
    return factories.meeting(claire, guests=["samir@exterieur.example"], starts_at=timezone.now())


def agents_door(meeting: Meeting) -> str:
    assert meeting.room is not None
    return f"/visio/{meeting.room.slug}/"


def guests_door(meeting: Meeting) -> str:
    return f"/invitation/{link_token(meeting.attendees.get(agent=None))}/rejoindre/"


def test_a_guest_who_is_faster_than_the_script_enters_all_the_same(visitors: Visitors, meeting: Meeting) -> None:
    page = visitors.page_as(None)
    scripts = SlowScripts(page)
    page.goto(guests_door(meeting), wait_until="commit")
    expect(page.get_by_role("button", name="Préparation…")).to_be_disabled()
    page.get_by_label("Votre nom").fill("Samir Haddad")
    page.get_by_label("Votre nom").press("Enter")
    page.locator("#join-button").click(force=True)
    # Nothing was sent: the page, and what was typed, are still there when the script comes.
    scripts.arrive()
    page.get_by_role("button", name="Rejoindre", exact=True).click()
    expect(page.get_by_role("button", name="Quitter")).to_be_visible()
    expect(page.locator("[data-person]")).to_contain_text("Samir Haddad")
    assert page.url.endswith(guests_door(meeting))


def test_an_agent_who_is_faster_than_the_script_enters_all_the_same(
    visitors: Visitors, meeting: Meeting, claire: Agent
) -> None:
    page = visitors.page_as(claire)
    scripts = SlowScripts(page)
    page.goto(agents_door(meeting), wait_until="commit")
    button = page.locator("#join-button")
    expect(button).to_have_text("Préparation…")
    button.click(force=True)
    scripts.arrive()
    expect(button).to_have_text("Rejoindre")
    button.click()
    expect(page.get_by_role("button", name="Quitter")).to_be_visible()
    assert page.url.endswith(agents_door(meeting))


def test_no_control_takes_a_click_that_it_would_lose(visitors: Visitors, meeting: Meeting, claire: Agent) -> None:
    page = visitors.page_as(claire)
    scripts = SlowScripts(page)
    page.goto(agents_door(meeting), wait_until="commit")
    controls = page.locator("#before").locator("button, select").locator("visible=true")
    expect(page.locator("#join-button")).to_be_visible()
    names: list[Any] = controls.evaluate_all("all => all.filter((one) => !one.disabled).map((one) => one.outerHTML)")
    assert names == []
    scripts.arrive()
    for label in ("Couper le micro", "Couper la caméra"):
        page.get_by_role("button", name=label).click()
    expect(page.get_by_role("button", name="Activer la caméra")).to_be_enabled()
    expect(page.get_by_role("combobox", name="Micro")).to_be_enabled()
    expect(page.get_by_role("button", name="Tester le son")).to_be_enabled()


def test_a_page_whose_script_never_comes_says_so(visitors: Visitors, meeting: Meeting, claire: Agent) -> None:
    page = visitors.page_as(claire)
    scripts = SlowScripts(page)
    page.goto(agents_door(meeting), wait_until="commit")
    again = page.get_by_role("link", name="Recharger la page")
    expect(again).to_be_hidden()
    expect(again).to_be_visible()
    assert again.get_attribute("href") == agents_door(meeting)
    scripts.arrive()
    expect(page.get_by_role("button", name="Rejoindre", exact=True)).to_be_enabled()
    expect(again).to_be_hidden()


def test_without_script_the_page_says_what_is_needed(visitors: Visitors, meeting: Meeting, claire: Agent) -> None:
    page = visitors.page_as(claire, agents_door(meeting), java_script_enabled=False)
    # Playwright's searches by text and role pass over what stands in <noscript>.
    needed = page.locator("noscript p")
    expect(needed).to_be_visible()
    assert "JavaScript" in needed.inner_text()
    expect(page.locator("#join-button")).to_be_hidden()
    expect(page.get_by_role("button")).to_have_count(0)
    expect(page.get_by_text("Connexion au portail…")).to_be_hidden()
