"""A call in real browsers with a fake camera: pictures that flow, what the others see, and what everybody can reach."""

import datetime as dt
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from suite.agents.models import Agent
from tests import browsing, factories
from tests.browser.accessibility import serious_faults
from tests.browsing import DESKTOP, PHONE, Visitors
from tests.processes import LivePortal
from tests.visio.rooms.sockets import Caller
from tests.waiting import until
from visio.meetings.models import Meeting
from visio.meetings.scheduling import cancel_meeting
from visio.meetings.tokens import link_token

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def claire(transactional_db: None) -> Agent:
    return factories.agent("Claire", "Morel", organisation=factories.organisation("DDETS du Loiret"))


@pytest.fixture
def karim(claire: Agent) -> Agent:
    return factories.agent("Karim", "Ouali", organisation=claire.organisation)


@pytest.fixture
def meeting(claire: Agent, karim: Agent) -> Meeting:
    soon = timezone.now() + dt.timedelta(minutes=1)
    return factories.meeting(
        claire, guests=[karim, "samir@exterieur.example"], title="Atelier parcours usager", starts_at=soon
    )


def room(meeting: Meeting) -> str:
    return f"/visio/{meeting.room.slug}/"


def guest_room(meeting: Meeting) -> str:
    return f"/invitation/{link_token(meeting.attendees.get(agent=None))}/rejoindre/"


def join(page: Page) -> Page:
    button = page.get_by_role("button", name="Rejoindre")
    expect(button).to_be_enabled()
    button.click()
    expect(page.locator("#call")).to_be_visible()
    return page


def tile(page: Page, name: str) -> Any:
    return page.locator(".vc-tile", has=page.locator(".vc-plate__name", has_text=name))


def expect_pictures(page: Page, name: str) -> None:
    """The page decodes more and more pictures of that person (getStats, shown once a second on the tile)."""
    shown = tile(page, name)
    expect(shown).to_have_attribute("data-state", "connected")
    expect(shown).to_have_attribute("data-picture", "yes")
    first = until(lambda: int(shown.get_attribute("data-frames") or 0), what=f"pictures of {name}")
    until(lambda: int(shown.get_attribute("data-frames") or 0) > first + 5, what=f"more pictures of {name}")


def test_two_agents_see_and_hear_each_other(
    browser_page_as: Callable[..., Page], meeting: Meeting, claire: Agent, karim: Agent
) -> None:
    host = join(browser_page_as(claire, room(meeting)))
    expect(host.get_by_text("Vous êtes seul pour l’instant")).to_be_visible()
    guest = browser_page_as(karim, room(meeting), viewport=PHONE)
    expect(guest.get_by_text("Claire Morel est déjà dans la réunion.")).to_be_visible()
    join(guest)
    expect_pictures(host, "Karim Ouali")
    expect_pictures(guest, "Claire Morel")
    expect(tile(guest, "Claire Morel")).to_contain_text("hôte")
    expect(host.get_by_text("Vous êtes seul pour l’instant")).to_be_hidden()

    # What one switches, the other sees; by click and by key.
    host.get_by_role("button", name=re.compile("^Micro")).first.click()
    expect(tile(guest, "Claire Morel")).to_have_attribute("data-mic", "off")
    expect(tile(guest, "Claire Morel")).to_contain_text("Micro coupé")
    host.keyboard.press("v")
    expect(tile(guest, "Claire Morel")).to_have_attribute("data-camera", "off")
    expect(host.get_by_role("button", name=re.compile("^Caméra coupée"))).to_be_visible()
    host.keyboard.press("v")
    expect(tile(guest, "Claire Morel")).to_have_attribute("data-camera", "on")
    expect_pictures(guest, "Claire Morel")

    # People, by key; then leaving and coming back.
    host.keyboard.press("i")
    expect(host.locator("#people-panel")).to_contain_text("Karim Ouali")
    expect(host.locator("#people-panel")).to_contain_text("DDETS du Loiret")
    host.get_by_role("button", name="Quitter").click()
    expect(host.get_by_role("heading", name="Vous avez quitté la réunion")).to_be_focused()
    expect(tile(guest, "Claire Morel")).to_have_count(0)
    host.get_by_role("button", name="Revenir").click()
    join(host)
    expect_pictures(guest, "Claire Morel")


def test_three_people_one_of_them_a_guest_with_a_name(
    browser_page_as: Callable[..., Page], meeting: Meeting, claire: Agent, karim: Agent
) -> None:
    host = join(browser_page_as(claire, room(meeting)))
    colleague = join(browser_page_as(karim, room(meeting)))
    samir = browser_page_as(None, guest_room(meeting))
    expect(samir.get_by_text("Vous êtes invité par Claire Morel, DDETS du Loiret.")).to_be_visible()
    expect(samir.get_by_label("Votre nom")).to_be_focused()
    samir.get_by_label("Votre nom").fill("   ")
    expect(samir.get_by_role("button", name="Rejoindre")).to_be_enabled()
    samir.get_by_role("button", name="Rejoindre").click()
    expect(samir.get_by_text("Indiquez votre nom")).to_be_visible()
    # Letters typed into a name are no shortcuts.
    samir.get_by_label("Votre nom").fill("")
    samir.get_by_label("Votre nom").press_sequentially("Vim Haddad")
    expect(samir.get_by_role("button", name=re.compile("^Micro activé"))).to_be_visible()
    join(samir)
    for page, others in [
        (host, ["Karim Ouali", "Vim Haddad"]),
        (colleague, ["Claire Morel", "Vim Haddad"]),
        (samir, ["Claire Morel", "Karim Ouali"]),
    ]:
        for name in others:
            expect_pictures(page, name)
    expect(tile(host, "Vim Haddad")).to_contain_text("invité")
    samir.get_by_role("button", name="Quitter").click()
    expect(samir.get_by_role("link", name="Page de l’invitation")).to_be_visible()
    expect(tile(host, "Vim Haddad")).to_have_count(0)


def test_dashboards_follow_the_call(
    browser_page_as: Callable[..., Page], meeting: Meeting, claire: Agent, karim: Agent
) -> None:
    dashboard = browser_page_as(karim, "/")
    expect(dashboard.locator("main")).to_contain_text("Atelier parcours usager")
    # The sentence that is seen; a screen reader is told the same in a line of its own for a moment.
    said = dashboard.locator("strong", has_text="dans la réunion")
    host = join(browser_page_as(claire, room(meeting)))
    expect(said).to_contain_text("1 personne")
    guest = browser_page_as(None, guest_room(meeting))
    guest.get_by_label("Votre nom").fill("Samir Haddad")
    join(guest)
    expect(said).to_contain_text("2 personnes")
    guest.close()
    expect(said).to_contain_text("1 personne")
    host.get_by_role("button", name="Quitter").click()
    expect(said).to_have_count(0)


def test_a_cancelled_meeting_ends_the_call_with_a_reason(
    browser_page_as: Callable[..., Page], meeting: Meeting, claire: Agent, karim: Agent
) -> None:
    guest = join(browser_page_as(karim, room(meeting)))
    waiting = browser_page_as(claire, room(meeting))
    expect(waiting.get_by_role("button", name="Rejoindre")).to_be_enabled()
    cancel_meeting(meeting=meeting, by=claire, now=timezone.now())
    expect(guest.get_by_role("heading", name="Vous n’êtes plus dans la réunion")).to_be_visible(timeout=5_000)
    expect(guest.get_by_text("Cette réunion est annulée.")).to_be_visible()
    expect(waiting.get_by_role("alert")).to_contain_text("Cette réunion est annulée.", timeout=5_000)


def test_the_call_outlives_the_server(
    browser: Any, start_portal: Callable[..., LivePortal], meeting: Meeting, claire: Agent, karim: Agent
) -> None:
    portal = start_portal()
    visitors = Visitors(browser, portal.url)
    host = join(visitors.page_as(claire, room(meeting)))
    guest = join(visitors.page_as(karim, room(meeting)))
    expect_pictures(host, "Karim Ouali")
    seat = tile(host, "Karim Ouali").get_attribute("data-person")
    portal.kill()
    expect(host.get_by_text("Connexion au portail perdue")).to_be_visible()
    expect_pictures(host, "Karim Ouali")
    portal.start()
    for page in (host, guest):
        expect(page.locator("#connection")).to_be_hidden()
    expect_pictures(host, "Karim Ouali")
    assert tile(host, "Karim Ouali").get_attribute("data-person") == seat
    guest.keyboard.press("m")
    expect(tile(host, "Karim Ouali")).to_have_attribute("data-mic", "off")
    visitors.close()


def test_a_peer_that_asks_again_gets_a_new_offer_and_old_answers_are_dropped(
    browser_page_as: Callable[..., Page], live_portal: LivePortal, meeting: Meeting, claire: Agent, karim: Agent
) -> None:
    # A peer without WebRTC: it came first, so the browser makes the offers.
    peer = Caller(live_portal.url, meeting.room.slug, agent=karim)
    peer.hello()
    peer.join()
    page = join(browser_page_as(claire, room(meeting)))

    def offer() -> dict[str, Any]:
        while True:
            frame = peer.hear("signal", 30)
            if "description" in frame["data"]:
                return frame

    first = offer()
    assert (first["data"]["description"]["type"], first["data"]["attempt"]) == ("offer", 0)
    for sent in ({"again": True, "attempt": 0}, {"again": True, "attempt": 0}):
        peer.say("signal", to=first["from"], data=sent)
    second = offer()
    assert second["data"]["attempt"] == 1
    # An answer to the first offer comes too late to disturb the second; nonsense is survived.
    peer.say("signal", to=first["from"], data={"description": {"type": "answer", "sdp": "nonsense"}, "attempt": 0})
    peer.say("signal", to=first["from"], data={"description": {"type": "answer", "sdp": "nonsense"}, "attempt": 1})
    expect(tile(page, "Karim Ouali")).to_contain_text("Connexion…")
    peer.say("signal", to=first["from"], data={"again": True, "attempt": 1})
    assert offer()["data"]["attempt"] == 2
    peer.close()
    expect(tile(page, "Karim Ouali")).to_have_count(0)


def test_shortcuts_can_be_switched_off(browser_page_as: Callable[..., Page], meeting: Meeting, claire: Agent) -> None:
    host = join(browser_page_as(claire, room(meeting)))
    host.get_by_role("button", name="Plus").click()
    host.get_by_label("Utiliser ces raccourcis").uncheck()
    host.keyboard.press("Escape")
    host.keyboard.press("m")
    host.keyboard.press("i")
    expect(host.locator("#people-panel")).to_be_hidden()
    expect(tile(host, "Claire Morel")).to_have_attribute("data-mic", "on")


def test_devices_are_changed_during_the_call(
    browser_page_as: Callable[..., Page], meeting: Meeting, claire: Agent, karim: Agent
) -> None:
    host = join(browser_page_as(claire, room(meeting)))
    guest = join(browser_page_as(karim, room(meeting)))
    expect_pictures(guest, "Claire Morel")
    host.get_by_role("button", name="Choisir le micro et le haut-parleur").click()
    menu = host.locator("#menu-mic")
    menu.get_by_role("radio", name="Fake Audio Input 2").check()
    menu.get_by_role("radio", name="Fake Audio Output 1").check()
    host.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    expect(tile(guest, "Claire Morel")).to_have_attribute("data-mic", "on")
    expect_pictures(guest, "Claire Morel")


@pytest.fixture(scope="module")
def bare_browser(browser: Any) -> Iterator[Any]:
    """Chromium without a camera or a microphone."""
    flags = [flag for flag in browsing.FLAGS if "fake" not in flag]
    running = browser.browser_type.launch(
        executable_path=str(browsing.CHROMIUM), args=flags, env=browsing.environment()
    )
    yield running
    running.close()


@pytest.fixture(scope="module")
def refusing_browser(browser: Any) -> Iterator[Any]:
    """Chromium whose person says no to every question."""
    flags = [flag for flag in browsing.FLAGS if "fake-ui" not in flag] + ["--deny-permission-prompts"]
    running = browser.browser_type.launch(
        executable_path=str(browsing.CHROMIUM), args=flags, env=browsing.environment()
    )
    yield running
    running.close()


def test_without_camera_or_microphone_one_still_joins(
    bare_browser: Any, browser_page_as: Callable[..., Page], live_portal: LivePortal, meeting: Meeting, claire: Agent
) -> None:
    host = join(browser_page_as(claire, room(meeting)))
    visitors = Visitors(bare_browser, live_portal.url)
    guest = visitors.page_as(None, guest_room(meeting))
    guest.get_by_label("Votre nom").fill("Samir Haddad")
    expect(guest.locator("#device-problem")).to_contain_text("Aucune caméra ni aucun micro")
    join(guest)
    expect_pictures(guest, "Claire Morel")
    expect(tile(host, "Samir Haddad")).to_have_attribute("data-camera", "off")
    expect(tile(host, "Samir Haddad")).to_have_attribute("data-state", "connected")
    expect(tile(host, "Samir Haddad")).to_contain_text("SH")
    visitors.close()


def test_refused_permission_is_explained(refusing_browser: Any, live_portal: LivePortal, meeting: Meeting) -> None:
    context = refusing_browser.new_context(base_url=live_portal.url, viewport=DESKTOP, locale="fr-FR")
    page = context.new_page()
    page.goto(guest_room(meeting))
    expect(page.locator("#device-problem")).to_contain_text("n’a pas donné accès à la caméra et au micro")
    page.get_by_label("Votre nom").fill("Samir Haddad")
    join(page)
    # Asked for again in vain: the reason is shown where it was not.
    page.get_by_role("button", name=re.compile("^Caméra coupée")).click()
    expect(page.locator("#call-problem")).to_be_visible()
    context.close()


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_everybody_can_use_it(
    browser_page_as: Callable[..., Page], meeting: Meeting, claire: Agent, karim: Agent, viewport: dict[str, int]
) -> None:
    join(browser_page_as(karim, room(meeting)))
    page = browser_page_as(None, guest_room(meeting), viewport=viewport)
    page.get_by_label("Votre nom").fill("Samir Haddad")
    expect(page.get_by_text("Karim Ouali est déjà dans la réunion.")).to_be_visible()
    assert serious_faults(page) == []
    join(page)
    expect_pictures(page, "Karim Ouali")
    assert serious_faults(page) == []
    page.get_by_role("button", name="Personnes").click()
    assert serious_faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="Fermer le panneau des personnes").click()
    expect(page.locator("#people-button")).to_be_focused()
    page.get_by_role("button", name="Quitter").click()
    assert serious_faults(page) == []


def test_refusal_page_is_usable(browser_page_as: Callable[..., Page], meeting: Meeting) -> None:
    page = browser_page_as(factories.agent(), room(meeting))
    expect(page.get_by_role("heading", name="Vous ne faites pas partie des personnes invitées")).to_be_visible()
    assert serious_faults(page) == []
