"""Every page in a real browser: without a serious fault for axe, without a script error, on our host alone.

Add a page by adding a line to PAGES: a name, who looks (somebody of `World`, or None for nobody) and its address. Each is
opened at 1280 and 390 pixels, light and dark; at the end `visitors` has checked Content-Security-Policy and foreign hosts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from suite.agents.delegation import grant
from suite.agents.models import Agent
from suite.agents.time_models import Delegation
from suite.agents.tokens import issue_token
from tests import factories
from tests.browser.accessibility import serious_faults
from tests.browsing import DESKTOP, PHONE
from tests.suite.portal.noon import zone_at_noon
from visio.meetings.answers import answer
from visio.meetings.date_pages import address_of
from visio.meetings.models import Attendee, Meeting
from visio.meetings.tokens import rsvp_url
from visio.places.models import Resource

# A call is a dark room, whatever the theme, and only the call: its own tests say when.
OWN_THEME = {"salle", "salle pour un invité"}
LOOKS = [(viewport, theme) for viewport in (DESKTOP, PHONE) for theme in ("light", "dark")]


@dataclass(frozen=True)
class World:
    """What the pages show: a manager with a full day, a newcomer with an empty one."""

    manager: Agent
    newcomer: Agent
    administrator: Agent
    meeting: Meeting
    organised: Meeting
    series: Meeting
    guest_link: str
    series_link: str
    place: Resource


@pytest.fixture
def world(transactional_db: None) -> World:
    now = timezone.now()
    home = factories.organisation("DINUM")
    zone = zone_at_noon(now)
    manager = factories.agent("Claire", "Morel", organisation=home, time_zone=zone)
    team = factories.team("Portail", organisation=home, managers=[manager], members=[manager])
    colleagues = [factories.agent(name, organisation=home, team=team) for name in ("Karim", "Sophie", "Léa")]

    def meeting(by: Agent, minutes: int, title: str, given: str = "") -> Meeting:
        guests: list[Agent | str] = [manager] if by != manager else [*colleagues, "anne.le-goff@bretagne.example"]
        made = factories.meeting(
            by, guests=guests, starts_at=now + dt.timedelta(minutes=minutes), title=title, place="Fontenoy 1.03"
        )
        if given:
            mine = Attendee.objects.get(meeting=made, agent=manager)
            answer(attendee=mine, answer=given, via="api", now=now)
        return made

    meeting(manager, -120, "Point quotidien")
    organised = meeting(manager, 15, "Comité de suivi")
    meeting(colleagues[0], 120, "Revue de sécurité", "accepted")
    meeting(colleagues[1], 150, "Atelier RGAA", "tentative")
    waiting = meeting(colleagues[2], 240, "Partenaires")
    place = Resource.objects.create(
        organisation=home, name="Salle du conseil", site="Ségur", capacity=4, features=["visio"], needs_approval=True
    )
    place.managers.add(manager)
    monday = now + dt.timedelta(days=7 - now.weekday())
    for hour, rule in ((9, "FREQ=DAILY;COUNT=3"), (14, "")):
        at_that_hour = monday.replace(hour=hour, minute=0)
        factories.meeting(colleagues[0], starts_at=at_that_hour, title="Conseil", rule=rule, resources=(place.pk,))
    issue_token(agent=manager, name="Outil de suivi", days=30, now=now)
    guest = organised.attendees.get(agent=None)
    series = factories.meeting(
        manager,
        guests=[*colleagues, "anne.le-goff@bretagne.example"],
        starts_at=now + dt.timedelta(days=7),
        title="Point de la semaine",
        rule="FREQ=WEEKLY;COUNT=8",
    )
    newcomer = factories.agent("Paul", "Lefèvre", organisation=home)
    grant(principal=newcomer, delegate=manager)
    return World(
        manager=manager,
        newcomer=newcomer,
        administrator=factories.agent("Inès", "Haddad", organisation=home, is_staff=True, is_superuser=True),
        meeting=waiting,
        organised=organised,
        series=series,
        guest_link=rsvp_url(guest).split("/", 3)[3],
        series_link=rsvp_url(series.attendees.get(agent=None)).split("/", 3)[3],
        place=place,
    )


Who = Callable[[World], Agent | None]
Where = Callable[[World], str]


def nobody(_world: World) -> None:
    return None


def manager(world: World) -> Agent:
    return world.manager


def newcomer(world: World) -> Agent:
    return world.newcomer


def at(name: str, **values: Any) -> Where:
    return lambda _world: reverse(name, kwargs=values or None)


def slug_of(meeting: Meeting) -> str:
    assert meeting.room is not None
    return meeting.room.slug


def of_a_date(name: str) -> Where:
    """A page about the second date of the series."""
    return lambda world: address_of(world.series, world.series.occurrences.all()[1], name=name)


def of_the_delegation(world: World) -> str:
    """The question before it ends, which its two people read in other words."""
    given = Delegation.objects.get(principal=world.newcomer, delegate=world.manager)
    return reverse("portal:end_delegation", args=[given.pk])


PAGES: list[tuple[str, Who, Where]] = [
    ("documentation de l’API", nobody, at("api-docs")),
    ("connexion", nobody, at("portal:sign_in")),
    ("refus", nobody, at("portal:refused")),
    ("introuvable", nobody, lambda _world: "/nulle-part/"),
    ("invitation", nobody, lambda world: f"/{world.guest_link}"),
    ("invitation à une série", nobody, lambda world: f"/{world.series_link}"),
    ("tableau de bord", manager, at("portal:dashboard")),
    ("tableau de bord vide", newcomer, at("portal:dashboard")),
    ("recherche", manager, lambda _world: reverse("portal:search") + "?q=comite"),
    ("recherche vide", manager, lambda _world: reverse("portal:search") + "?q=zzzz"),
    ("réglages", manager, at("portal:settings")),
    ("délégations", manager, at("portal:delegations")),
    ("renoncer à une délégation", manager, of_the_delegation),
    ("retirer une délégation", newcomer, of_the_delegation),
    ("rappels", manager, at("reminders:settings")),
    ("horaires et absences", manager, at("portal:hours")),
    ("abonnement au calendrier", manager, at("exchange:feeds")),
    ("importer un calendrier", manager, at("exchange:import")),
    ("agenda à imprimer", manager, at("exchange:agenda")),
    ("accessibilité", manager, at("portal:accessibility")),
    ("données personnelles", nobody, at("portal:personal_data")),
    ("mentions légales", nobody, at("portal:legal")),
    ("cookies", nobody, at("portal:cookies")),
    ("réunions", manager, at("meetings:list")),
    ("sondages", manager, at("polls:list")),
    ("proposer des dates", manager, at("polls:new")),
    ("planifier", manager, at("meetings:plan")),
    ("réunion organisée", manager, lambda world: reverse("meetings:detail", args=[world.organised.public_id])),
    ("réunion reçue", manager, lambda world: reverse("meetings:detail", args=[world.meeting.public_id])),
    ("modifier", manager, lambda world: reverse("meetings:edit", args=[world.organised.public_id])),
    ("série", manager, lambda world: reverse("meetings:detail", args=[world.series.public_id])),
    ("date d’une série", manager, of_a_date("detail")),
    ("modifier une date", manager, of_a_date("edit")),
    ("annuler une date", manager, of_a_date("cancel")),
    ("annuler", manager, lambda world: reverse("meetings:cancel", args=[world.organised.public_id])),
    ("salle", manager, lambda world: reverse("rooms:room", args=[slug_of(world.organised)])),
    ("salle pour un invité", nobody, lambda world: f"/{world.guest_link}rejoindre/"),
    ("salles", manager, at("places:list")),
    ("salles filtrées", manager, lambda _world: reverse("places:list") + "?equipements=visio&places=x&libres=1"),
    ("semaine d’une salle", manager, lambda world: reverse("places:room", args=[world.place.public_id])),
    ("demandes de salle", manager, at("places:requests")),
    ("demandes de salle vides", newcomer, at("places:requests")),
    ("équipe", manager, at("calendars:team")),
    ("équipe sans équipe", newcomer, at("calendars:team")),
]


def test_the_checker_sees_a_fault(world: World, visitors: Any) -> None:
    page = visitors.page_as(None, "/cookies/")
    page.evaluate("document.querySelector('main').insertAdjacentHTML('beforeend', '<button></button>')")
    assert [fault.split(":")[0] for fault in serious_faults(page)] == ["button-name"]


def check(page: Any, look: str = "") -> None:
    """What every page owes, whatever it shows."""
    assert serious_faults(page) == [], look
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0, f"{overflow} px too wide {look}"
    assert page.locator("h1:visible").count() == 1, look
    assert page.evaluate("document.documentElement.lang") == "fr", look


@pytest.mark.parametrize(("name", "who", "where"), PAGES, ids=[name for name, _who, _where in PAGES])
def test_page(name: str, who: Who, where: Where, world: World, visitors: Any) -> None:
    """Opened anew for each look, in one world and one browser profile: making those is what takes time."""
    page = visitors.page_as(who(world))
    address = where(world)
    said: list[str] = []

    def listen(message: Any) -> None:
        # The page itself may answer 403 or 404, which the browser reports; nothing that it loads may.
        if message.type == "error" and message.location.get("url") != page.url:
            said.append(f"{message.text} {message.location.get('url')}")

    page.on("console", listen)
    for viewport, theme in LOOKS:
        look = f"({viewport['width']} px, {theme})"
        page.set_viewport_size(viewport)
        page.emulate_media(color_scheme=theme)
        page.goto(address)
        if name not in OWN_THEME:
            assert page.evaluate("document.documentElement.dataset.frTheme") == theme, look
        check(page, look)
        assert said == [], look
