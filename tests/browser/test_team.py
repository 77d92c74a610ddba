"""The team's week in a browser: keyboard, panel, filters, phone, live changes, accessibility."""

import datetime as dt
import zoneinfo
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from suite.agents.models import Agent, Team
from tests import factories
from tests.browser.accessibility import serious_faults
from tests.browsing import PHONE
from visio.meetings.models import Privacy

PARIS = zoneinfo.ZoneInfo("Europe/Paris")
FOCUSED = "document.activeElement.dataset.twCell || ''"
# The clock of the page is set as a fetched grid sets it: minutes of the day, then "live:updated". 3 px keep a label apart.
RULER = r"""() => {
  const grid = document.querySelector("[data-tw-grid]");
  const pill = grid.querySelector("[data-tw-pill]");
  const ticks = [...grid.querySelectorAll("[data-tw-tick]")];
  const [first, count] = [/^qf\d/, /^qn\d/].map((name) => Number([...grid.classList].find((one) => name.test(one)).slice(2)));
  const told = { minutes: [], wrong: [], visible: [], hidden: [] };
  for (let minute = first * 15; minute < (first + count) * 15; minute += 5) {
    grid.dataset.twNow = minute;
    grid.dispatchEvent(new Event("live:updated", { bubbles: true }));
    const near = pill.getBoundingClientRect();
    const shown = ticks.filter((tick) => !tick.hidden);
    for (const tick of ticks) tick.hidden = false;
    for (const tick of ticks) {
      const box = tick.getBoundingClientRect();
      const apart = box.right <= near.left - 3 || box.left >= near.right + 3;
      if (apart !== shown.includes(tick)) told.wrong.push(`${pill.textContent} / ${tick.dataset.twTick}`);
    }
    told.minutes.push(pill.textContent);
    told.visible.push(shown.length);
    told.hidden.push(ticks.length - shown.length);
  }
  return told;
}"""


@pytest.fixture
def claire(transactional_db: None) -> Agent:
    return factories.agent("Claire", "Morel", job_title="Cheffe de produit")


@pytest.fixture
def team(claire: Agent) -> Team:
    """Claire, and eleven others by alphabet, from A to K."""
    others = [
        factories.agent(f"Agent{letter}", f"{letter}dam", organisation=claire.organisation, job_title="Développeuse")
        for letter in "ABCDEFGHIJK"
    ]
    return factories.team("Portail", managers=[claire], members=[claire, *others])


@pytest.fixture
def first(team: Team) -> Agent:
    return Agent.objects.get(given_name="AgentA")


def monday() -> dt.date:
    today = timezone.now().astimezone(PARIS).date()
    return today + dt.timedelta(days=7 - today.weekday())


def at(day: int, hour: int) -> dt.datetime:
    return dt.datetime.combine(monday() + dt.timedelta(days=day), dt.time(hour), PARIS)


def next_week() -> str:
    year, week, _day = monday().isocalendar()
    return f"/equipe/?semaine={year}-W{week:02d}"


def cell(page: Page, agent: Agent, day: int) -> Any:
    date = monday() + dt.timedelta(days=day)
    return page.locator(f'[data-tw-cell="{agent.public_id} {date.isoformat()}"]')


def test_the_keyboard_walks_the_grid(visitors: Any, claire: Agent, team: Team, first: Agent) -> None:
    page = visitors.page_as(claire, next_week())
    members = list(team.members.order_by("usual_name"))

    def place(agent: Agent, day: int) -> str:
        return f"{agent.public_id} {(monday() + dt.timedelta(days=day)).isoformat()}"

    stops = page.locator('[data-tw-cell][tabindex="0"]')
    expect(stops).to_have_count(1)
    stops.focus()
    for key, expected in [
        ("ArrowLeft", place(members[0], 0)),
        ("ArrowUp", place(members[0], 0)),
        ("ArrowRight", place(members[0], 1)),
        ("ArrowDown", place(members[1], 1)),
        ("End", place(members[1], 4)),
        ("ArrowRight", place(members[1], 4)),
        ("Home", place(members[1], 0)),
        ("PageDown", place(members[11], 0)),
        ("ArrowDown", place(members[11], 0)),
        ("PageUp", place(members[1], 0)),
        ("Control+End", place(members[11], 4)),
        ("Control+Home", place(members[0], 0)),
    ]:
        page.keyboard.press(key)
        assert page.evaluate(FOCUSED) == expected, key
        expect(stops).to_have_count(1)

    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUSED) == place(members[0], 0), "one tab stop, where one left"


def test_enter_opens_the_day_and_escape_returns_to_the_cell(
    visitors: Any, claire: Agent, team: Team, first: Agent
) -> None:
    shared = factories.meeting(first, guests=[claire], starts_at=at(1, 9), title="Comité <b>produit</b>")
    factories.meeting(first, starts_at=at(1, 11), title="Revue de code", place="Salle 1")
    factories.meeting(first, starts_at=at(1, 14), title="Rendez-vous médical", privacy=Privacy.PRIVATE)
    page = visitors.page_as(claire, next_week())
    panel = page.get_by_role("dialog")

    cell(page, first, 1).focus()
    page.keyboard.press("Enter")

    expect(panel).to_be_visible()
    expect(panel.get_by_role("heading")).to_contain_text("AgentA Adam – mardi")
    expect(panel.get_by_role("listitem")).to_have_count(3)
    expect(panel.get_by_role("link")).to_have_count(1)
    expect(panel.get_by_role("link", name="Comité <b>produit</b>")).to_have_attribute(
        "href", f"/reunions/{shared.public_id}/"
    )
    expect(panel).to_contain_text("11:00 – 12:00Revue de codeSalle 1")
    expect(panel).to_contain_text("14:00 – 15:00Occupé (réunion privée)")
    expect(page.locator("body")).not_to_contain_text("médical")

    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(cell(page, first, 1)).to_be_focused()

    cell(page, first, 2).click()
    expect(panel).to_contain_text("Aucune réunion ce jour.")
    panel.get_by_role("button", name="Fermer").click()
    expect(cell(page, first, 2)).to_be_focused()


def test_presence_filters_the_rows(visitors: Any, claire: Agent, team: Team) -> None:
    page = visitors.page_as(claire, next_week())
    rows = page.locator("[data-tw-row]")
    available = page.locator('[data-tw-state="available"]')
    expect(rows).to_have_count(12)
    # Claire's own page makes her available; nobody else is here.
    expect(available).to_contain_text("1 disponible")

    available.click()
    expect(available).to_have_attribute("aria-pressed", "true")
    expect(page.locator("[data-tw-row]:visible")).to_have_count(1)
    expect(page.locator("[data-tw-row]:visible")).to_contain_text("Claire Morel")

    page.locator('[data-tw-state="offline"]').click()
    expect(page.locator("[data-tw-row]:visible")).to_have_count(12)
    available.click()
    expect(page.locator("[data-tw-row]:visible")).to_have_count(11)

    page.locator('[data-tw-state="offline"]').click()
    page.locator('[data-tw-state="do_not_disturb"]').click()
    expect(page.locator("[data-tw-row]:visible")).to_have_count(0)
    expect(page.locator("[data-tw-none]")).to_be_visible()


def test_a_colleagues_meeting_and_presence_arrive_without_a_reload(
    visitors: Any, claire: Agent, team: Team, first: Agent
) -> None:
    page = visitors.page_as(claire, next_week())
    row = page.locator(f'[data-key="{first.public_id}"]')
    expect(page.locator('[data-tw-state="available"]')).to_contain_text("1 disponible")
    cell(page, first, 1).focus()

    visitors.page_as(first, "/equipe/")
    expect(row).to_contain_text("Disponible")
    expect(page.locator('[data-tw-state="available"]')).to_contain_text("2 disponibles")

    factories.meeting(first, starts_at=at(1, 9), title="Revue")

    expect(cell(page, first, 1).locator(".tw-track .tw-block--meeting")).to_have_count(1)
    expect(cell(page, first, 1)).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(cell(page, first, 2)).to_be_focused()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("Revue")


def test_the_phone_shows_one_day(visitors: Any, claire: Agent, team: Team, first: Agent) -> None:
    factories.meeting(first, starts_at=at(3, 9), title="Revue")
    page = visitors.page_as(claire, next_week(), viewport=PHONE)

    expect(cell(page, first, 0)).to_be_visible()
    expect(cell(page, first, 3)).to_be_hidden()

    page.locator('[data-tw-day="3"]').click()
    expect(cell(page, first, 0)).to_be_hidden()
    expect(cell(page, first, 3).locator(".tw-track .tw-block")).to_be_visible()
    expect(page.locator('[data-tw-day="3"]')).to_have_attribute("aria-pressed", "true")

    factories.meeting(first, starts_at=at(3, 14), title="Recette")
    expect(cell(page, first, 3).locator(".tw-track .tw-block")).to_have_count(2)
    expect(cell(page, first, 3)).to_be_visible()
    assert page.evaluate("document.querySelector('main').scrollWidth <= innerWidth")


def test_the_phone_has_a_legend_to_unfold(visitors: Any, claire: Agent, team: Team) -> None:
    page = visitors.page_as(claire, next_week(), viewport=PHONE)
    words = page.locator(".tw-key li", has_text="À confirmer")

    expect(words).to_be_hidden()
    page.locator(".tw-key summary").click()
    expect(words).to_be_visible()
    page.set_viewport_size({"width": 1280, "height": 900})
    expect(page.locator(".tw-key")).to_be_hidden()
    expect(page.locator(".tw-bar .tw-legend")).to_be_visible()


def test_the_line_of_now_stands_in_todays_column(visitors: Any, claire: Agent, team: Team, first: Agent) -> None:
    now = timezone.now().astimezone(PARIS)
    # Today is shown whatever the day and hour: something lies there, at this very hour.
    today = dt.datetime.combine(now, dt.time(), PARIS)
    started = max(timezone.now() - dt.timedelta(minutes=5), today.astimezone(dt.UTC))
    factories.meeting(first, starts_at=started, title="En ce moment", now=now, minutes=10)
    page = visitors.page_as(claire, f"/equipe/?semaine={now:%G-W%V}")

    pill = page.locator("[data-tw-pill]")
    expect(pill).to_have_count(1)
    shown = dt.datetime.combine(now, dt.time.fromisoformat(pill.inner_text()))
    assert abs(shown - now.replace(tzinfo=None)) < dt.timedelta(minutes=3)
    line, block = (
        page.locator(f'[data-key="{first.public_id}"] .tw-cell--today {name}').bounding_box()
        for name in (".tw-now", ".tw-track .tw-block")
    )
    assert block["x"] - 2 <= line["x"] <= block["x"] + block["width"] + 2
    # At every minute of the ruler, whatever the hour is now: hours stay readable, and all but those under the pill are there.
    told = page.evaluate(RULER)
    assert len(told["minutes"]) >= 100
    assert told["wrong"] == []
    assert min(told["visible"]) >= 1
    assert max(told["hidden"]) >= 1


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("viewport", [None, PHONE], ids=["desktop", "phone"])
def test_no_serious_fault(
    visitors: Any, claire: Agent, team: Team, first: Agent, viewport: dict[str, int] | None, dark: bool
) -> None:
    factories.meeting(first, guests=[claire], starts_at=at(0, 9), title="Comité")
    factories.meeting(first, starts_at=at(0, 11), title="Entretien", privacy=Privacy.PRIVATE, minutes=120)
    page = visitors.page_as(claire, next_week(), viewport=viewport, dark=dark)
    expect(page.locator('[data-tw-state="available"]')).to_contain_text("1 disponible")

    assert serious_faults(page) == []

    cell(page, first, 0).click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert serious_faults(page) == []


def test_members_see_who_is_there_without_a_fault(visitors: Any, team: Team, first: Agent) -> None:
    page = visitors.page_as(first, "/equipe/")

    expect(page.get_by_role("listitem").filter(has_text="Claire Morel")).to_be_visible()
    assert serious_faults(page) == []


def test_django_admin_keeps_to_the_policy(visitors: Any, claire: Agent, team: Team) -> None:
    """Lists, a page with search fields and calendars, an act: `visitors` fails the test at any violation."""
    claire.is_staff = claire.is_superuser = True
    claire.save()
    factories.meeting(claire, guests=["guest@ailleurs.example"], title="Comité")
    page = visitors.page_as(claire, "/admin/")
    page.goto("/admin/agents/agent/")
    expect(page.locator("#changelist")).to_contain_text("12 agents")
    page.goto("/admin/agents/team/add/")  # later a team stays with its organisation
    page.locator(".field-organisation .select2-selection").click()
    page.locator(".select2-search__field").last.fill(claire.organisation.name)
    expect(page.locator(".select2-results")).to_contain_text(claire.organisation.name)
    page.goto("/admin/visio/meeting/")
    page.locator("#action-toggle").check()
    page.locator('select[name="action"]').select_option("resend_invitations")
    page.get_by_role("button", name="Envoyer").click()
    expect(page.locator(".messagelist")).to_be_visible()
