"""The dashboard under somebody's hands: answers in place, news without a reload, the frame's menus and keys."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone
from playwright.sync_api import expect

from suite.agents.models import Agent
from tests import factories
from tests.browser.accessibility import serious_faults
from tests.browsing import DESKTOP, PHONE
from tests.suite.portal.noon import agent_at_noon
from tests.waiting import until
from visio.meetings.answers import answer
from visio.meetings.models import Attendee, Occurrence
from visio.meetings.scheduling import cancel_meeting

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def agent(transactional_db: None) -> Agent:
    return agent_at_noon(timezone.now(), given_name="Claire", usual_name="Morel")


def invite(agent: Agent, title: str, hours: int = 1) -> Attendee:
    meeting = factories.meeting(guests=[agent], starts_at=timezone.now() + dt.timedelta(hours=hours), title=title)
    return Attendee.objects.get(meeting=meeting, agent=agent)


def test_answer_in_place_and_take_it_back(agent: Agent, visitors: Any) -> None:
    first, second = invite(agent, "Partenaires", 1), invite(agent, "Recette", 3)
    page = visitors.page_as(agent, "/")
    rows = page.locator("#invitations li")
    expect(rows).to_have_count(2)
    expect(page.locator("#compte-invitations .ps-count")).to_have_text("2")
    rows.first.get_by_role("button", name="Accepter").click()
    expect(rows.first).to_contain_text("Vous participez.")
    expect(page.locator("#compte-invitations .ps-count")).to_have_text("1")
    # The focus is on the row to answer next.
    expect(page.locator(f"#invitation-{second.public_id} button").first).to_be_focused()
    first.refresh_from_db()
    assert first.answer == "accepted"
    # The day shows it as accepted without a reload.
    expect(page.locator("#journee .dash-block--accepted")).to_contain_text("Partenaires")
    rows.first.get_by_role("button", name="Annuler").click()
    expect(rows.first.get_by_role("button", name="Accepter")).to_be_visible()
    first.refresh_from_db()
    assert first.answer == "needs_action"


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desk"])
def test_three_invitations_then_a_line_that_shows_the_others(
    agent: Agent, visitors: Any, viewport: dict[str, int]
) -> None:
    for index in range(7):
        invite(agent, f"Réunion {index}", 24 + index)
    page = visitors.page_as(agent, "/", viewport=viewport)
    rows = page.locator("#invitations li:visible")
    expect(rows).to_have_count(3)
    line = page.locator("#invitations summary")
    expect(line).to_have_text("Afficher les 4 autres invitations", use_inner_text=True)
    # The day begins within two screens of the phone, however much waits.
    assert page.locator("#journee-titre").bounding_box()["y"] < 2 * PHONE["height"]
    line.focus()
    page.keyboard.press("Enter")
    expect(rows).to_have_count(7)
    expect(line).to_have_text("Masquer les 4 autres invitations", use_inner_text=True)
    assert serious_faults(page) == []
    # It stays open while one answers there, and the focus goes on to the next.
    rows.nth(3).get_by_role("button", name="Accepter").click()
    expect(line).to_have_text("Masquer les 3 autres invitations", use_inner_text=True)
    expect(rows).to_have_count(7)
    expect(rows.nth(4).get_by_role("button", name="Accepter")).to_be_focused()


def test_an_overlap_in_a_narrow_block_keeps_the_hour_and_the_title(agent: Agent, visitors: Any) -> None:
    """Where the word has no room its sign stays, and a screen reader still says it."""
    starts_at = timezone.now().replace(minute=0) + dt.timedelta(hours=1)
    for number in range(2):
        factories.meeting(agent, starts_at=starts_at, minutes=30, title=f"Revue de sécurité {number}")
    page = visitors.page_as(agent, "/", viewport=PHONE)
    blocks = page.locator("#journee .dash-block--narrow.dash-block--short")
    expect(blocks).to_have_count(2)
    for index in range(2):
        assert blocks.nth(index).locator(".dash-block__title").bounding_box()["width"] > 70
        expect(blocks.nth(index)).to_contain_text("Chevauchement")
        assert blocks.nth(index).locator(".dash-block__word").bounding_box()["width"] <= 1


def test_the_buttons_of_the_unfolded_invitations_are_like_the_others(agent: Agent, visitors: Any) -> None:
    for index in range(4):
        invite(agent, f"Réunion {index}", 24 + index)
    page = visitors.page_as(agent, "/")
    page.locator("#invitations summary").click()
    buttons = page.locator("#invitations button[value=accepted]")
    assert {buttons.nth(index).bounding_box()["height"] for index in range(4)} == {32}


def test_an_invitation_that_comes_up_keeps_the_focus_it_holds(agent: Agent, visitors: Any) -> None:
    waiting = [invite(agent, f"Réunion {index}", 24 + index) for index in range(5)]
    page = visitors.page_as(agent, "/")
    page.wait_for_function("document.body.dataset.liveVersion !== ''")
    page.locator("#invitations summary").click()
    held = page.locator(f"#invitation-{waiting[3].public_id}").get_by_role("button", name="Décliner")
    held.focus()
    # Answered on another device: the fourth is now the third.
    answer(attendee=waiting[0], answer="accepted", via="email", now=timezone.now())
    expect(page.locator("#invitations > ul > li")).to_have_count(3)
    expect(page.locator(f"#invitations > ul > #invitation-{waiting[3].public_id}")).to_be_visible()
    expect(held).to_be_focused()


def test_answered_row_goes_after_ten_seconds(agent: Agent, visitors: Any) -> None:
    invite(agent, "Partenaires")
    page = visitors.page_as(agent, "/")
    page.locator("#invitations li").first.get_by_role("button", name="Décliner").click()
    expect(page.locator("#invitations li")).to_contain_text("Vous avez décliné.")
    expect(page.locator("#invitations").get_by_text("Partenaires")).to_have_count(0)


def test_meeting_of_another_arrives_without_a_reload(agent: Agent, visitors: Any) -> None:
    page = visitors.page_as(agent, "/")
    expect(page.locator("#prochaine")).to_contain_text("Aucune réunion aujourd’hui")
    page.wait_for_function("document.body.dataset.liveVersion !== ''")
    attendee = invite(agent, "Comité surprise")
    expect(page.locator("#prochaine h2")).to_have_text("Comité surprise")
    expect(page.locator("#journee .dash-block--unanswered")).to_contain_text("Comité surprise")
    expect(page.locator("#invitations")).to_contain_text("Comité surprise")
    expect(page.locator("#compte-invitations .ps-count")).to_have_text("1")
    cancel_meeting(meeting=attendee.meeting, by=attendee.meeting.organiser, now=timezone.now())
    expect(page.locator("#prochaine")).to_contain_text("Aucune réunion aujourd’hui")
    expect(page.locator("#compte-invitations .ps-count")).to_have_count(0)


def test_a_meeting_that_begins_changes_the_page_by_itself(agent: Agent, visitors: Any) -> None:
    soon = dt.timedelta(minutes=3)
    factories.meeting(agent, starts_at=timezone.now() + soon, title="Point")
    page = visitors.page_as(agent)
    page.clock.install()
    page.goto("/")
    expect(page.locator("#prochaine")).to_contain_text("Commence dans")
    # Three minutes go by, for the server and for the page.
    for rows in (Occurrence.objects, Attendee.objects):
        rows.update(starts_at=F("starts_at") - soon, ends_at=F("ends_at") - soon)
    page.clock.fast_forward("03:00")
    expect(page.locator("#prochaine")).to_contain_text("Se termine dans")


def test_presence_is_chosen_in_the_menu(agent: Agent, visitors: Any) -> None:
    page = visitors.page_as(agent, "/")
    button = page.locator(".ps-me")
    expect(button).to_contain_text("Disponible")
    button.click()
    menu = page.locator("#menu-presence")
    expect(menu).to_be_visible()
    menu.get_by_text("Ne pas déranger", exact=True).click()
    expect(page.locator(".ps-me")).to_contain_text("Ne pas déranger")
    expect(menu).to_be_visible()
    menu.get_by_label("Jusqu’à quand").select_option("hour")
    until(lambda: Agent.objects.get(pk=agent.pk).chosen_until is not None)
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()


def test_theme_holds_at_once_and_on_the_next_page(agent: Agent, visitors: Any) -> None:
    page = visitors.page_as(agent, "/")
    assert page.evaluate("document.documentElement.dataset.frTheme") == "light"
    page.locator(".ps-me").click()
    page.locator("#menu-presence").get_by_text("Sombre").click()
    page.wait_for_function("document.documentElement.dataset.frTheme === 'dark'")
    until(lambda: Agent.objects.get(pk=agent.pk).theme == "dark")
    page.goto("/reglages/")
    assert page.evaluate("document.documentElement.dataset.frTheme") == "dark"


def test_theme_of_the_system_follows_the_system(agent: Agent, visitors: Any) -> None:
    page = visitors.page_as(agent, "/")
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("document.documentElement.dataset.frTheme === 'dark'")


def test_slash_goes_to_the_search(agent: Agent, visitors: Any) -> None:
    factories.meeting(agent, title="Revue de sécurité")
    page = visitors.page_as(agent, "/")
    page.keyboard.press("/")
    field = page.locator("#recherche-champ")
    expect(field).to_be_focused()
    page.keyboard.type("a/b")
    expect(field).to_have_value("a/b")
    field.fill("securite")
    field.press("Enter")
    expect(page.get_by_role("link", name="Revue de sécurité")).to_be_visible()


def test_only_the_navigation_row_stays(agent: Agent, visitors: Any) -> None:
    for hours in range(1, 9):
        invite(agent, f"Réunion {hours}", hours)
    page = visitors.page_as(agent, "/")
    page.mouse.move(400, 600)
    page.mouse.wheel(0, 700)
    page.wait_for_function("document.querySelector('.ps-nav').getBoundingClientRect().y === 0")
    page.wait_for_function("document.querySelector('.ps-brand').getBoundingClientRect().bottom < 0")
    assert page.locator(".ps-nav").bounding_box()["y"] == 0


def test_create_from_the_phone(agent: Agent, visitors: Any) -> None:
    page = visitors.page_as(agent, "/", viewport=PHONE)
    page.get_by_role("button", name="Créer").click()
    page.locator("#feuille-creer").get_by_role("link", name="Planifier une réunion").click()
    page.wait_for_url("**/reunions/planifier/")


@pytest.mark.parametrize("dark", [False, True], ids=["clair", "sombre"])
def test_every_page_of_the_menu_is_reached_from_the_phone(agent: Agent, visitors: Any, dark: bool) -> None:
    page = visitors.page_as(agent, "/", viewport=PHONE, dark=dark, has_touch=True)
    menu = page.get_by_role("dialog", name="Menu")
    for name, path in (("Sondages", "/sondages/"), ("Salles", "/salles/"), ("Réglages", "/reglages/")):
        expect(menu).to_be_hidden()
        page.get_by_role("button", name="Menu", exact=True).tap()
        assert serious_faults(page) == []
        link = menu.get_by_role("link", name=name)
        box = link.bounding_box()
        assert box is not None
        assert box["height"] >= 44
        link.tap()
        page.wait_for_url(f"**{path}")
    page.goto("/sondages/")
    page.get_by_role("button", name="Menu", exact=True).tap()
    expect(menu.locator("[aria-current=page]")).to_have_text("Sondages")


def test_the_phones_menu_keeps_the_keyboard_and_gives_it_back(agent: Agent, visitors: Any) -> None:
    page = visitors.page_as(agent, "/", viewport=PHONE)
    button = page.get_by_role("button", name="Menu", exact=True)
    menu = page.get_by_role("dialog", name="Menu")
    button.focus()
    page.keyboard.press("Enter")
    first, last = menu.get_by_role("link").first, menu.get_by_role("link").last
    expect(first).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(last).to_be_focused()
    page.keyboard.press("Tab")
    expect(first).to_be_focused()
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    expect(button).to_be_focused()
    # The same of what may be made.
    page.get_by_role("button", name="Créer", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Créer").get_by_role("link").first).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("dialog", name="Créer").get_by_role("link").last).to_be_focused()


def test_the_phones_menu_opens_without_a_script(agent: Agent, visitors: Any) -> None:
    page = visitors.page_as(agent, "/", viewport=PHONE, java_script_enabled=False)
    page.get_by_role("button", name="Menu", exact=True).click()
    page.get_by_role("dialog", name="Menu").get_by_role("link", name="Salles").click()
    expect(page).to_have_url(re.compile("/salles/$"))


def test_token_is_copied(agent: Agent, visitors: Any) -> None:
    page = visitors.page_as(agent, "/reglages/")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_label("Nom du jeton").fill("Outil")
    page.get_by_role("button", name="Créer un jeton").click()
    page.get_by_role("button", name="Copier").click()
    expect(page.get_by_role("button", name="Copié")).to_be_visible()
    secret = page.locator("#jeton-cree").input_value()
    assert page.evaluate("navigator.clipboard.readText()") == secret
    assert secret.startswith("suite_")


def test_language_of_a_guest(visitors: Any) -> None:
    page = visitors.page_as(None, "/connexion/")
    page.get_by_role("button", name="DE").click()
    page.wait_for_function("document.documentElement.lang === 'de'")
