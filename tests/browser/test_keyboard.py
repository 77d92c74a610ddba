"""The pages of meetings without a mouse: every stop of Tab is seen, nothing covers it, and the keys do what they should."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from suite.agents.models import Agent
from tests import factories
from tests.browser.accessibility import serious_faults
from tests.browsing import DESKTOP, PHONE, Visitors
from tests.visio.meetings.test_views_series import TUESDAY, dates, days, url, weekly
from visio.meetings.counters import propose
from visio.meetings.dates import occurrence_key
from visio.meetings.drafting import draft_of
from visio.meetings.models import Meeting
from visio.meetings.scopes import Scope
from visio.meetings.series import cancel, change
from visio.meetings.tokens import link_token

pytestmark = pytest.mark.django_db(transaction=True)
SIZES = pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["1280", "390"])
MOST_STOPS = 200

# What has the focus: its words, whether a ring or a frame shows it, and what lies over its middle.
_STOP = """() => {
  const held = document.activeElement;
  if (!held || held === document.body) return null;
  // What is drawn for it: a label stands for a box or a radio button that is drawn by the label.
  const shown = [held, held.labels?.[0], held.closest("[data-chips]")].filter(Boolean);
  // The browser's own button inside a date or an hour draws its own ring, and the field is not said to have the focus.
  const ringed = !held.matches(":focus") || shown.some((one) => ["", "::before", "::after"].some((pseudo) => {
    const style = getComputedStyle(one, pseudo || null);
    return (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow.includes("0px 0px 0px 2px");
  }));
  const box = held.getBoundingClientRect();
  const x = Math.min(Math.max(box.left + box.width / 2, 0), innerWidth - 1);
  const y = box.top + box.height / 2;
  const over = document.elementFromPoint(x, y);
  const covered = y < 0 || y >= innerHeight || !over
    || !(shown.some((one) => one === over || one.contains(over)) || over.contains(held));
  const says = (held.getAttribute("aria-label") || held.labels?.[0]?.textContent || held.textContent || held.name || held.id || "");
  return { name: `${held.tagName} ${held.id} ${says.replace(/\\s+/g, " ").trim().slice(0, 60)}`, ringed, covered };
}"""


@pytest.fixture
def organiser() -> Agent:
    return factories.agent("Claire", "Morel")


@pytest.fixture
def guest(organiser: Agent) -> Agent:
    return factories.agent("Karim", "Benali", organisation=organiser.organisation)


@pytest.fixture
def meeting(organiser: Agent, guest: Agent) -> Meeting:
    return weekly(organiser, guests=[guest, "anne@b.example"])


def walk(page: Page) -> list[str]:
    """Tab from the top of the page to its end, and back; every stop must be seen. What the stops say."""
    there, faults = _stops(page, "Tab")
    back, more = _stops(page, "Shift+Tab")
    assert faults + more == []
    assert set(there) == set(back)
    return there


def _stops(page: Page, key: str) -> tuple[list[str], list[str]]:
    # From the body on: the browser would go on from where the focus was last.
    place = "0" if key == "Tab" else "document.body.scrollHeight"
    page.evaluate(
        """(place) => {
            const edge = document.createElement("span");
            edge.tabIndex = -1;
            document.body[place ? "append" : "prepend"](edge);
            edge.focus();
            edge.remove();
        }""",
        key != "Tab",
    )
    page.evaluate(f"window.scrollTo(0, {place})")
    names: list[str] = []
    faults: list[str] = []
    for _number in range(MOST_STOPS):
        page.keyboard.press(key)
        stop: dict[str, Any] | None = page.evaluate(_STOP)
        if stop is None:
            break
        names.append(stop["name"])
        if not stop["ringed"]:
            faults.append(f"no ring: {stop['name']}")
        if stop["covered"]:
            faults.append(f"covered: {stop['name']}")
    else:
        faults.append(f"{key} never leaves the page: {names[-6:]}")
    return names, faults


def has(names: list[str], *wanted: str) -> None:
    """These stops come in this order."""
    position = 0
    for one in wanted:
        found = [index for index, name in enumerate(names) if index >= position and one in name]
        assert found, (one, names[position:])
        position = found[0] + 1


def focused(page: Page) -> Any:
    return page.locator(":focus")


@SIZES
def test_every_stop_of_the_planning_form_is_seen(
    visitors: Visitors, organiser: Agent, guest: Agent, viewport: dict[str, int]
) -> None:
    factories.meeting(guest, start_date=TUESDAY, start_time=dt.time(10))
    page = visitors.page_as(organiser, f"/reunions/planifier/?date={TUESDAY}&start=10:00", viewport=viewport)
    page.get_by_role("combobox", name="Participants").fill("karim")
    expect(page.get_by_role("option", name=re.compile("Karim Benali"))).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator(".mt-chip")).to_have_count(1)
    page.locator("#id_title").fill("Au clavier")
    page.locator("#id_repeat").select_option("custom")
    page.wait_for_load_state("networkidle")
    has(walk(page), "id_title", "id_date", "id_start", "id_end", "id_minutes", "id_all_day", "id_repeat", "Envoyer")


@SIZES
def test_every_stop_of_the_edit_cancel_and_meeting_pages_is_seen(
    visitors: Visitors, organiser: Agent, guest: Agent, meeting: Meeting, viewport: dict[str, int]
) -> None:
    first = dates(meeting)[0]
    mine = meeting.attendees.get(agent=guest)
    propose(
        attendee=mine,
        occurrence=first,
        starts_at=first.starts_at + dt.timedelta(hours=3),
        ends_at=first.starts_at + dt.timedelta(hours=4),
        via="page",
        now=dt.datetime.now(dt.UTC),
    )
    desk = visitors.page_as(organiser, url(meeting, "edit", first), viewport=viewport)
    desk.wait_for_load_state("networkidle")
    has(walk(desk), "id_title", "id_scope", "id_date", "Enregistrer")
    desk.goto(url(meeting, "cancel", first))
    has(walk(desk), "id_scope", "id_notify", "Confirmer", "Ne rien annuler")
    desk.goto(url(meeting, "detail"))
    has(walk(desk), "Modifier", "Déplacer", "Annuler", "Retenir", "Refuser")
    seat = visitors.page_as(guest, url(meeting, "detail", first), viewport=viewport)
    seat.locator("summary", has_text="Proposer").focus()
    seat.keyboard.press("Enter")
    has(walk(seat), "reponse-date", "Accepter", "Peut-être", "Décliner", "Proposer", "proposition-jour", "Envoyer la")


@SIZES
def test_every_stop_of_a_guest_s_page_is_seen(visitors: Visitors, meeting: Meeting, viewport: dict[str, int]) -> None:
    anne = meeting.attendees.get(email="anne@b.example")
    page = visitors.page_as(None, f"/invitation/{link_token(anne)}/?reponse=counter", viewport=viewport)
    has(walk(page), "pour-", "autre", "proposition-jour", "proposition-de", "proposition-a", "message", "Envoyer")


def test_a_series_is_cut_and_brought_back_by_keys_alone(visitors: Visitors, organiser: Agent, meeting: Meeting) -> None:
    page = visitors.page_as(organiser, url(meeting, "detail", dates(meeting)[3]))
    page.get_by_role("link", name=re.compile("^Annuler")).focus()
    page.keyboard.press("Enter")
    page.get_by_role("radio", name=re.compile("^Cette date (?!et)")).focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name=re.compile("et les suivantes"))).to_be_checked()
    page.get_by_role("button", name="Confirmer l’annulation").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".mt-undo")).to_be_visible()
    assert len(days(meeting)) == 3
    page.locator(".mt-undo").get_by_role("button").focus()
    page.keyboard.press("Space")
    expect(page.locator("#annonces")).to_contain_text("C’est comme avant")
    assert len(days(meeting)) == 6


@SIZES
@pytest.mark.parametrize("dark", [False, True], ids=["clair", "sombre"])
def test_the_pages_of_dates_that_are_gone_have_no_serious_fault(
    visitors: Visitors, guest: Agent, meeting: Meeting, viewport: dict[str, int], dark: bool
) -> None:
    organiser, anne = meeting.organiser, meeting.attendees.get(email="anne@b.example")
    first, third, last = dates(meeting)[0], dates(meeting)[2], dates(meeting)[5]
    draft = dataclasses.replace(draft_of(meeting, third, scope=Scope.ONE), attendees=())
    now = timezone.now()
    change(meeting=meeting, occurrence=third, scope=Scope.ONE, by=organiser, draft=draft, revision=1, now=now)
    cancel(meeting=meeting, occurrence=first, scope=Scope.ONE, by=organiser, now=now)
    cancel(meeting=meeting, occurrence=last, scope=Scope.FOLLOWING, by=organiser, now=now)
    page = visitors.page_as(guest, viewport=viewport, dark=dark)
    for date, said in (
        (first, "Date annulée"),
        (third, "pas sur la liste"),
        (last, "et les suivantes ont été annulées"),
    ):
        page.goto(url(meeting, "detail", date))
        expect(page.locator("#contenu")).to_contain_text(said)
        assert serious_faults(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    link = f"/invitation/{link_token(anne)}/?date="
    letter = visitors.page_as(None, viewport=viewport, dark=dark)
    for date, said in ((third, "pas sur la liste"), (last, "Cette date est annulée.")):
        letter.goto(link + occurrence_key(date))
        expect(letter.locator("#contenu")).to_contain_text(said)
        assert serious_faults(letter) == []
        assert letter.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    # In a narrow panel the two hours stand side by side.
    letter.goto(link + occurrence_key(dates(meeting)[1]) + "&reponse=counter")
    begin, end = (letter.locator(f"#proposition-{name}").bounding_box() for name in ("de", "a"))
    assert begin is not None
    assert end is not None
    assert (begin["y"], begin["x"] < end["x"]) == (end["y"], True)


# --- long times stay in their place ---------------------------------------------------------------------------------------------------
def test_whole_days_fit_a_phone(visitors: Visitors, organiser: Agent, guest: Agent) -> None:
    one = factories.meeting(organiser, guests=[guest], start_date=TUESDAY, is_all_day=True, minutes=2880)
    page = visitors.page_as(guest, "/reunions/", viewport=PHONE)
    hours, state = (page.locator(f".mt-line__{name}").bounding_box() for name in ("hours", "state"))
    assert hours is not None
    assert state is not None
    assert hours["x"] + page.locator(".mt-line__hours").evaluate("one => one.scrollWidth") <= state["x"]
    desk = visitors.page_as(organiser, url(one, "edit"), viewport=PHONE)
    expect(desk.locator("#recapitulatif")).to_contain_text("Journées entières, jusqu’au")
    assert desk.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@SIZES
def test_a_slot_of_another_year_stays_in_its_column(
    visitors: Visitors, organiser: Agent, viewport: dict[str, int]
) -> None:
    day = dt.date(dt.datetime.now(dt.UTC).year + 1, 9, 15)
    page = visitors.page_as(organiser, f"/reunions/planifier/?date={day}&start=10:00", viewport=viewport)
    page.get_by_role("button", name="Proposer des créneaux").click()
    when = page.locator(".av-slot__when").first
    expect(when).to_contain_text(str(day.year))
    box = when.bounding_box()
    tally = page.locator(".av-slot__tally").first.bounding_box()
    assert box is not None
    assert tally is not None
    assert box["x"] + when.evaluate("one => one.scrollWidth") <= tally["x"]
