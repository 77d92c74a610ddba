"""The dashboard follows what others do, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from suite.agents.models import Agent
from suite.live import presence, push
from tests import factories
from tests.processes import LivePortal

pytestmark = pytest.mark.django_db(transaction=True)
Open = Callable[..., Any]


@pytest.fixture
def agent() -> Agent:
    home = factories.organisation()
    someone = factories.agent("Claire", "Morel", organisation=home)
    factories.team(organisation=home, members=[someone, factories.agent("Karim", "Benali", organisation=home)])
    return someone


def colleague_of(agent: Agent) -> Agent:
    return Agent.objects.get(team=agent.team, given_name="Karim")


def connected(page: Any) -> Any:
    expect(page.locator("body")).to_have_attribute("data-live-state", "on")
    return page


def test_a_new_meeting_appears_without_a_reload(browser_page_as: Open, agent: Agent) -> None:
    page = connected(browser_page_as(agent, "/"))
    page.evaluate("window.sameDocument = true")
    factories.meeting(colleague_of(agent), guests=[agent], title="Recette de la version 3")
    expect(page.locator("#invitations")).to_contain_text("Recette de la version 3")
    assert page.evaluate("window.sameDocument") is True
    expect(page.locator("body")).to_have_attribute("data-live-version", push.page_version(agent.pk))


def test_focus_and_scroll_stay_where_they_are(browser_page_as: Open, agent: Agent) -> None:
    organiser = colleague_of(agent)
    for number in range(6):
        factories.meeting(organiser, guests=[agent], title=f"Réunion {number}")
    page = connected(browser_page_as(agent, "/"))
    button = page.locator("#invitations button:visible").nth(3)
    button.focus()
    page.evaluate("window.focused = document.activeElement")
    page.evaluate("scrollTo(0, 120)")
    top = page.evaluate("scrollY")
    factories.meeting(organiser, guests=[agent], title="Arrivée pendant la lecture")
    expect(page.locator("#journee, #invitations").first).to_be_visible()
    expect(page.locator("body")).to_have_attribute("data-live-version", push.page_version(agent.pk))
    assert page.evaluate("window.focused === document.activeElement && window.focused.isConnected")
    assert page.evaluate("scrollY") == top


def test_presence_changes_shape_and_words_together(browser_page_as: Open, agent: Agent) -> None:
    colleague = colleague_of(agent)
    page = connected(browser_page_as(agent, "/"))
    person = page.locator(f"[data-presence='{colleague.public_id}']").first
    expect(person.locator("[data-presence-words]")).to_have_text("Hors ligne")
    other = connected(browser_page_as(colleague, "/"))
    expect(person.locator("[data-presence-words]")).to_have_text("Disponible")
    expect(person.locator("[data-presence-shape]")).to_have_class("ps-presence ps-presence--available")
    expect(person.locator("use")).to_have_attribute("href", "/static/live/presence.svg#available")
    presence.choose(agent=colleague, state="do_not_disturb", until=None, now=timezone.now())
    expect(person.locator("[data-presence-words]")).to_have_text("Ne pas déranger")
    # From one page to the next nobody goes.
    other.goto("/reunions/")
    connected(other)
    presence.choose(agent=colleague, state="automatic", until=None, now=timezone.now())
    expect(person.locator("[data-presence-words]")).to_have_text("Disponible")
    other.close()
    expect(person.locator("[data-presence-words]")).to_have_text("Hors ligne", timeout=15_000)


def test_whoever_can_be_reached_first_comes_first(browser_page_as: Open, agent: Agent) -> None:
    factories.agent("Anne", "Absente", organisation=agent.organisation, team=agent.team)
    colleague = Agent.objects.get(given_name="Anne")
    page = connected(browser_page_as(agent, "/"))
    names = page.locator(".dash-people .ps-person__name")
    expect(names).to_have_text(["Anne Absente", "Karim Benali"])
    page.locator(".dash-people").focus()
    connected(browser_page_as(colleague_of(agent), "/"))
    expect(names).to_have_text(["Karim Benali", "Anne Absente"], timeout=15_000)
    expect(page.locator(".dash-people")).to_be_focused()
    connected(browser_page_as(colleague, "/"))
    presence.choose(agent=colleague_of(agent), state="do_not_disturb", until=None, now=timezone.now())
    expect(names).to_have_text(["Anne Absente", "Karim Benali"], timeout=15_000)


def test_a_lost_server_pauses_presence_and_a_returned_one_shows_what_was_missed(
    visitors: Any, live_portal: LivePortal, agent: Agent
) -> None:
    """PROMISES 26 in the page."""
    colleague = colleague_of(agent)
    page = connected(visitors.page_as(agent, "/"))
    banner = page.locator("[data-live-banner]")
    expect(banner).to_be_hidden()
    live_portal.kill()
    expect(banner).to_be_visible(timeout=10_000)
    expect(banner).to_have_text("Présence en pause, reconnexion…")
    mine = page.locator(f"[data-presence='{agent.public_id}']").first
    expect(mine.locator("[data-presence-shape]")).to_have_class("ps-presence ps-presence--unknown")
    factories.meeting(colleague, guests=[agent], title="Décidée pendant la coupure")
    live_portal.start()
    expect(page.locator("#invitations")).to_contain_text("Décidée pendant la coupure", timeout=40_000)
    expect(banner).to_be_hidden()
    expect(mine.locator("[data-presence-words]")).to_have_text("Disponible")
    fresh = connected(visitors.page_as(agent, "/"))
    for part in ("#invitations", "#journee"):
        assert page.locator(part).inner_text() == fresh.locator(part).inner_text()


def test_a_closed_session_is_said_and_not_retried(browser_page_as: Open, agent: Agent) -> None:
    page = connected(browser_page_as(agent, "/"))
    page.context.clear_cookies()
    agent.is_active = False
    agent.save()
    expect(page.locator("[data-live-banner]")).to_contain_text("Reconnectez-vous")
    assert page.evaluate("window.portalLive.socket") is None


def test_only_what_asks_for_it_is_announced(browser_page_as: Open, agent: Agent) -> None:
    page = connected(browser_page_as(agent, "/"))
    page.evaluate("document.querySelector('#invitations').dataset.liveAnnounce = ''")
    factories.meeting(colleague_of(agent), guests=[agent], title="Point quotidien")
    expect(page.locator("body > p.fr-sr-only[role=status]")).to_contain_text("Point quotidien")


def test_a_hidden_meeting_reloads_the_page_that_showed_it(browser_page_as: Open, agent: Agent) -> None:
    """What may no longer be seen does not stay on the screen."""
    meeting = factories.meeting(colleague_of(agent), guests=[agent], title="Confidentiel", privacy="private")
    page = browser_page_as(agent)
    page.goto(f"/reunions/{meeting.public_id}/")
    connected(page)
    assert "Confidentiel" in page.inner_text("main")
    meeting.attendees.filter(agent=agent).delete()
    push.nudge([agent.pk], f"meeting:{meeting.public_id}")
    expect(page.locator("body")).not_to_contain_text("Confidentiel")


def test_morphing_keeps_nodes_and_what_people_typed(browser_page_as: Open, agent: Agent) -> None:
    page = browser_page_as(agent, "/")
    outcome = page.evaluate(
        """async () => {
          const { morphChildren } = await import("/static/live/morph.js");
          const old = document.createElement("div");
          old.innerHTML = '<ul><li id="a">A</li><li id="b">B <input value="1"></li><li id="c">C</li></ul>'
            + '<details open><summary>S</summary>x</details><p data-live-keep>mine</p>';
          document.body.append(old);
          const b = old.querySelector("#b"), input = old.querySelector("input");
          input.value = "typed";
          input.focus();
          const fresh = document.createElement("div");
          fresh.innerHTML = '<ul class="n"><li id="c">C2</li><li id="new">N</li><li id="b">B <input value="1"></li></ul>'
            + '<details><summary>S</summary>y</details><p data-live-keep>theirs</p>';
          morphChildren(old, fresh);
          return {
            html: old.innerHTML,
            same: old.querySelector("#b") === b && old.querySelector("input") === input,
            focus: document.activeElement === input,
            typed: input.value,
          };
        }"""
    )
    assert outcome == {
        "html": (
            '<ul class="n"><li id="c">C2</li><li id="new">N</li><li id="b">B <input value="1"></li></ul>'
            '<details open=""><summary>S</summary>y</details><p data-live-keep="">mine</p>'
        ),
        "same": True,
        "focus": True,
        "typed": "typed",
    }


def test_countdowns_and_durations_in_the_browser_say_what_the_server_says(browser_page_as: Open, agent: Agent) -> None:
    from suite.live.countdown import duration_words

    page = connected(browser_page_as(agent, "/"))
    minutes = [0, 1, 2, 59, 60, 61, 125, 1439, 1440, 2880, 9999]
    said = page.evaluate(
        """async (minutes) => {
          const { durationWords } = await import("/static/live/time.js");
          const forms = JSON.parse(document.getElementById("live-config").textContent).words.duration;
          return minutes.map((count) => durationWords(forms, count));
        }""",
        minutes,
    )
    assert said == [duration_words(count) for count in minutes]


def test_who_is_here_keeps_the_present_first_without_taking_the_focus(browser_page_as: Open) -> None:
    home = factories.organisation()
    names = ["Arnaud", "Benali", "Cordier", "Duval"]
    first, second, third, viewer = [factories.agent("Agent", name, organisation=home) for name in names]
    factories.team(organisation=home, members=[first, second, third, viewer])
    page = connected(browser_page_as(viewer, "/equipe/"))
    rows = page.locator("[data-presence-order] > li")
    expect(rows).to_have_text(
        [re.compile(name) for name in ("Duval", "Arnaud", "Benali", "Cordier")]
    )  # The viewer's own page makes her present.
    page.evaluate("window.sameDocument = true")
    held = rows.filter(has_text="Cordier")
    held.evaluate("row => { row.tabIndex = -1; row.focus(); }")
    others = [connected(browser_page_as(person, "/")) for person in (third, second)]
    expect(rows).to_have_text([re.compile(name) for name in ("Benali", "Cordier", "Duval", "Arnaud")])
    expect(held).to_be_focused()
    presence.choose(agent=second, state="do_not_disturb", until=None, now=timezone.now())
    expect(rows).to_have_text([re.compile(name) for name in ("Cordier", "Duval", "Benali", "Arnaud")])
    expect(held).to_be_focused()
    assert len(others) == 2
    assert page.evaluate("window.sameDocument") is True
    # A line that is cut says nothing about anybody: the order stands.
    page.context.set_offline(True)
    expect(page.locator("body")).to_have_attribute("data-live-state", "paused")
    expect(rows).to_have_text([re.compile(name) for name in ("Cordier", "Duval", "Benali", "Arnaud")])
