"""Every page on the narrowest screen that WCAG 1.4.10 names (320 px, or 1280 px at 400 %): nothing to scroll sideways."""

from __future__ import annotations

import itertools
from urllib.parse import urlsplit

import pytest
from django.urls import reverse

from suite.agents.models import Agent
from tests import factories
from tests.browsing import PHONE, Visitors
from visio.meetings.models import Meeting
from visio.meetings.tokens import link_token

pytestmark = pytest.mark.django_db(transaction=True)
NARROW = {"width": 320, "height": 640}
LONG = "Coordination interministérielle anticonstitutionnellement https://exemple.gouv.fr/un/chemin/qui/ne/finit/jamais"
# What sticks out, when something does.
WIDE = """() => {
  const width = document.documentElement.clientWidth;
  if (document.scrollingElement.scrollWidth <= width) return [];
  const inside = (one) => {
    for (let box = one.parentElement; box && box !== document.body; box = box.parentElement) {
      if (getComputedStyle(box).overflowX !== "visible") return true;
    }
    return false;
  };
  return [...document.querySelectorAll("body *")]
    .filter((one) => one.getBoundingClientRect().right > width + 1 && !inside(one))
    .slice(0, 8)
    .map((one) => `${one.tagName}.${one.className?.baseVal ?? one.className}`);
}"""


@pytest.fixture
def claire(transactional_db: None) -> Agent:
    claire = factories.agent("Marie-Charlotte", "de La Rochefoucauld-Liancourt")
    others = [factories.agent(organisation=claire.organisation) for _number in range(3)]
    factories.team("Direction interministérielle du numérique", managers=[claire], members=[claire, *others])
    return claire


@pytest.fixture
def meeting(claire: Agent) -> Meeting:
    guest = f"{'tres-long-nom-' * 4}@collectivite-territoriale.example"
    return factories.meeting(claire, guests=[*Agent.objects.exclude(pk=claire.pk), guest], title=LONG, place=LONG)


def test_no_page_scrolls_sideways_on_320_px(visitors: Visitors, claire: Agent, meeting: Meeting) -> None:
    assert meeting.room is not None
    guests = factories.meeting(factories.agent(), guests=[claire], title=LONG)
    link = f"/invitation/{link_token(meeting.attendees.get(agent=None))}/"
    one = [meeting.public_id]
    mine = ["/", "/reunions/", "/reunions/?onglet=a-traiter", "/reunions/planifier/", "/equipe/", "/reglages/"]
    mine += ["/recherche/?q=coordination", reverse("rooms:room", args=[meeting.room.slug])]
    mine += [reverse(f"meetings:{name}", args=one) for name in ("detail", "edit", "cancel")]
    mine += [reverse("meetings:detail", args=[guests.public_id]), "/nulle-part/", "/donnees-personnelles/"]
    wide = {}
    for who, paths in ((claire, mine), (None, ["/connexion/", link, f"{link}rejoindre/", "/invitation/rien/"])):
        page = visitors.page_as(who, viewport=NARROW)
        for path in paths:
            page.goto(path)
            if found := page.evaluate(WIDE):
                wide[urlsplit(page.url).path] = found
    assert not wide, "\n".join(f"{path}: {found}" for path, found in wide.items())


def test_the_header_keeps_its_parts_apart(visitors: Visitors, claire: Agent) -> None:
    page = visitors.page_as(claire, "/", viewport=NARROW)
    parts = [page.locator(".ps-brand .fr-logo, .ps-brand > :first-child").first, page.locator(".ps-brand__name")]
    boxes = [part.bounding_box() for part in [*parts, *page.locator("a.ps-header__tool:visible").all()]]
    shown = sorted((box for box in boxes if box and box["width"] > 1), key=lambda box: box["x"])
    assert len(shown) >= 2
    for left, right in itertools.pairwise(shown):
        assert left["x"] + left["width"] <= right["x"] + 1


def test_days_and_hours_have_room_on_a_phone(visitors: Visitors, claire: Agent) -> None:
    """A weekday is not broken in two, and an hour with its AM or PM is not cut."""
    Agent.objects.filter(pk=claire.pk).update(language="de")
    page = visitors.page_as(claire, "/reglages/horaires/", viewport=PHONE, locale="de-DE")
    days = page.locator("fieldset.ps-hours__day")
    assert days.count() == 7
    lines = days.locator("legend").evaluate_all("(all) => all.map((one) => one.getBoundingClientRect().height)")
    assert max(lines) < 32, lines
    widths = days.locator("input[type=time]").evaluate_all("(all) => all.map((one) => one.offsetWidth)")
    assert min(widths) >= 120, widths
