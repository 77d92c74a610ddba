"""Every page before its scripts are there: no control looks ready that would lose a click, or send something it should not.

What a script must handle is disabled or hidden until that script is there; everything else works without it.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from suite.agents.models import Agent
from tests import factories
from tests.browser.slow import SlowScripts
from tests.browser.test_pages import PAGES, Who, World, world
from tests.waiting import until
from visio.meetings.models import Attendee

__all__ = ["world"]
pytestmark = pytest.mark.timeout(300)

# Words for each control of the page that lies about being ready.
DEAD_CONTROLS = """() => {
  const found = [];
  const out = (element) => element.closest("[hidden], template, dialog:not([open])") !== null || element.matches(":disabled");
  const told = (element, why) => found.push(`${why}: ${element.outerHTML.slice(0, 120)}`);
  for (const button of document.querySelectorAll("button[type=button], input[type=button]")) {
    if (!out(button) && !button.popoverTargetElement) told(button, "does nothing");
  }
  for (const link of document.querySelectorAll("a")) {
    const place = link.getAttribute("href");
    if (!place || place === "#" || /^javascript:/i.test(place)) told(link, "leads nowhere");
    else if (place.startsWith("#") && !document.getElementById(place.slice(1))) told(link, "leads nowhere");
  }
  for (const form of document.forms) {
    const sends = [...form.elements].filter((one) => one.type === "submit" || one.type === "image");
    if (form.getAttribute("method") === "dialog") {
      if (sends.some((one) => !out(one))) told(form, "is sent nowhere");
    } else {
      if (form.getAttribute("method") === null) told(form, "says no method");
      if (sends.length === 0 || sends.every(out)) told(form, "cannot be sent");
    }
  }
  for (const field of document.querySelectorAll("input, select, textarea")) {
    if (!field.form && !out(field) && !field.readOnly) told(field, "belongs to no form");
  }
  for (const element of document.querySelectorAll("[onclick], [tabindex='0'][role=button]")) told(element, "wants a script");
  return found;
}"""


@pytest.mark.parametrize(
    "reader", dict.fromkeys(who for _name, who, _where in PAGES), ids=lambda reader: reader.__name__
)
def test_no_control_looks_ready_before_it_is(reader: Who, world: World, visitors: Any) -> None:
    """All that somebody of the world may read, page after page."""
    page = visitors.page_as(reader(world))
    dead: dict[str, list[str]] = {}
    for name, who, where in PAGES:
        if who is reader:
            scripts = SlowScripts(page)
            page.goto(where(world), wait_until="commit")
            expect(page.locator("html")).to_have_js_property("lang", "fr")
            # Read to its end, with its scripts still under way.
            until(lambda: page.evaluate("document.readyState") != "loading", what=f"the whole page {name}")
            dead[name] = page.evaluate(DEAD_CONTROLS)
            scripts.arrive()
            page.wait_for_load_state()
    assert [(name, controls) for name, controls in dead.items() if controls] == []
    assert dead


def test_the_checker_sees_a_dead_control(world: World, visitors: Any) -> None:
    page = visitors.page_as(None, "/cookies/")
    # Its script is there: the button that is for those without has gone.
    page.locator(".ps-theme").evaluate_all("forms => forms.forEach((form) => form.remove())")
    assert page.evaluate(DEAD_CONTROLS) == []
    page.evaluate(
        """document.querySelector("main").insertAdjacentHTML("beforeend", `<button type="button">a</button>
        <a href="#">b</a><form><button>c</button></form><form method="post"><input name="d"></form><input name="e">`)"""
    )
    assert [fault.split(":")[0] for fault in page.evaluate(DEAD_CONTROLS)] == [
        "does nothing",
        "leads nowhere",
        "says no method",
        "cannot be sent",
        "belongs to no form",
    ]


# --- What was chosen or typed before the script came --------------------------------------------------------------------
@pytest.fixture
def agent(transactional_db: None) -> Agent:
    return factories.agent("Claire", "Morel")


def early(visitors: Any, agent: Agent | None, where: str) -> tuple[Page, SlowScripts]:
    page = visitors.page_as(agent)
    scripts = SlowScripts(page)
    page.goto(where, wait_until="commit")
    return page, scripts


def test_a_state_chosen_early_is_sent_once_the_script_is_there(visitors: Any, agent: Agent) -> None:
    page, scripts = early(visitors, agent, "/recherche/")
    page.locator(".ps-me").click()
    menu = page.locator("#menu-presence")
    menu.get_by_text("Ne pas déranger").click()
    expect(menu.get_by_role("button", name="Appliquer").first).to_be_visible()
    with page.expect_response("**/presence/") as answer:
        scripts.arrive()
    assert answer.value.ok
    assert Agent.objects.get(pk=agent.pk).chosen_presence == "do_not_disturb"
    expect(page.get_by_role("button", name="Appliquer")).to_have_count(0)


def test_a_state_is_chosen_without_any_script(visitors: Any, agent: Agent) -> None:
    page, scripts = early(visitors, agent, "/recherche/")
    page.locator(".ps-me").click()
    page.locator("#menu-presence").get_by_text("Ne pas déranger").click()
    page.locator(".ps-states").get_by_role("button", name="Appliquer").click(no_wait_after=True)
    until(lambda: Agent.objects.filter(pk=agent.pk, chosen_presence="do_not_disturb").exists(), what="the choice")
    scripts.arrive()


def test_a_theme_chosen_early_is_kept(visitors: Any, transactional_db: None) -> None:
    page, scripts = early(visitors, None, "/connexion/")
    page.get_by_role("button", name="Thème").click()
    page.locator("#menu-theme").get_by_text("Sombre").click()
    with page.expect_response("**/theme/") as answer:
        scripts.arrive()
    assert answer.value.ok
    expect(page.get_by_role("button", name="Appliquer")).to_have_count(0)
    page.reload()
    assert page.evaluate("document.documentElement.dataset.frTheme") == "dark"


def test_a_page_that_is_only_opened_sends_nothing(visitors: Any, agent: Agent) -> None:
    page = visitors.page_as(agent)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    page.goto("/recherche/")
    expect(page.locator("body")).to_have_attribute("data-live-state", "on")
    page.locator(".ps-me").click()
    expect(page.locator("#menu-presence")).to_be_visible()
    expect(page.get_by_role("button", name="Appliquer")).to_have_count(0)
    assert sent == []


def test_the_team_is_filtered_once_the_script_is_there(visitors: Any, world: World) -> None:
    page, scripts = early(visitors, world.manager, "/equipe/")
    chip = page.locator("[data-tw-chips] button").first
    expect(chip).to_be_disabled()
    scripts.arrive()
    chip.click()
    expect(chip).to_have_attribute("aria-pressed", "true")


def test_what_was_typed_into_the_plan_early_is_kept(visitors: Any, agent: Agent) -> None:
    page, scripts = early(visitors, agent, reverse("meetings:plan"))
    page.get_by_label("Titre").fill("Point de rentrée")
    page.locator("#id_attendees").fill("Anne Le Goff <anne@bretagne.example>\nsamir@exterieur.example")
    page.locator("#id_optional").fill("nadia@exterieur.example")
    page.locator("#id_place").focus()
    scripts.arrive()
    expect(page.locator(".mt-chip")).to_have_count(3)
    # Nor does the script snatch the focus from where one is typing.
    expect(page.locator("#id_place")).to_be_focused()
    page.keyboard.type("Salle 2.14")
    page.get_by_role("button", name="Envoyer les invitations").click()
    page.wait_for_url(re.compile(r"/reunions/[0-9a-f-]{36}/$"))
    assert set(Attendee.objects.exclude(role="chair").values_list("email", "name", "role")) == {
        ("anne@bretagne.example", "Anne Le Goff", "required"),
        ("samir@exterieur.example", "", "required"),
        ("nadia@exterieur.example", "", "optional"),
    }
    assert Attendee.objects.first().meeting.place == "Salle 2.14"


def test_who_was_being_typed_goes_on_in_the_field_of_the_script(visitors: Any, agent: Agent) -> None:
    page, scripts = early(visitors, agent, reverse("meetings:plan"))
    page.locator("#id_attendees").focus()
    scripts.arrive()
    expect(page.get_by_role("combobox", name="Participants")).to_be_focused()


# --- Buttons that only a script can serve -------------------------------------------------------------------------------
def create_token(page: Page) -> None:
    page.get_by_label("Nom du jeton").fill("Outil")
    page.get_by_role("button", name="Créer un jeton").click()
    expect(page.get_by_text("Le jeton est créé")).to_be_visible()


@pytest.mark.parametrize(
    "clipboard",
    ["undefined", "{ writeText: () => Promise.reject(new DOMException('no', 'NotAllowedError')) }"],
    ids=["no clipboard", "refused"],
)
def test_a_token_that_cannot_be_copied_is_selected_and_said_to_be(visitors: Any, agent: Agent, clipboard: str) -> None:
    page = visitors.page_as(agent)
    page.add_init_script(f"Object.defineProperty(navigator, 'clipboard', {{ value: {clipboard} }})")
    page.goto("/reglages/")
    create_token(page)
    page.get_by_role("button", name="Copier").click()
    expect(page.locator("[data-ps-copy-said]")).to_contain_text("sélectionné")
    field = page.locator("#jeton-cree")
    expect(field).to_be_focused()
    assert page.evaluate("getSelection().toString()") == field.input_value()
    expect(page.get_by_role("button", name="Copier")).to_be_visible()


def test_messages_and_tokens_show_their_buttons_once_they_work(visitors: Any, agent: Agent) -> None:
    page = visitors.page_as(agent, "/reglages/")
    scripts = SlowScripts(page)
    page.get_by_label("Nom du jeton").fill("Outil")
    page.get_by_role("button", name="Créer un jeton").click(no_wait_after=True)
    expect(page.get_by_text("Le jeton est créé")).to_be_visible()
    assert page.evaluate(DEAD_CONTROLS) == []
    scripts.arrive()
    expect(page.get_by_role("button", name="Copier")).to_be_visible()
    page.get_by_role("button", name="Révoquer le jeton Outil").click()
    page.get_by_role("button", name="Masquer le message").click()
    expect(page.locator("#annonces .fr-alert")).to_have_count(0)
