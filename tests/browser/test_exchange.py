"""Calendars in and out in a real browser: a file given and confirmed, an address copied, the agenda on light paper."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from suite.agents.models import Agent
from tests import factories
from tests.browser.accessibility import serious_faults
from tests.browsing import DESKTOP, PHONE, Visitors
from tests.visio.exchange.files import calendar, event, timed
from visio.meetings.models import Meeting
from visio.reminders.models import Reminder

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def agent() -> Agent:
    return factories.agent("Claire", "Morel", email="claire.morel@dinum.example")


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


@pytest.mark.parametrize(("viewport", "dark"), [(DESKTOP, False), (PHONE, True)])
def test_a_file_is_given_read_and_confirmed(
    visitors: Visitors, agent: Agent, viewport: dict[str, int], dark: bool
) -> None:
    page = visitors.page_as(agent, reverse("exchange:import"), viewport=viewport, dark=dark)
    assert serious_faults(page) == []
    content = calendar(
        timed("RRULE:FREQ=WEEKLY;COUNT=4", summary="Comité de suivi"),
        event("DTSTART:20270101T100000Z", "RRULE:FREQ=SECONDLY", uid="b@x", summary="Trop souvent"),
    )
    given = {"name": "agenda.ics", "mimeType": "text/calendar", "buffer": content}
    page.get_by_label("Fichier de calendrier").set_input_files(given)  # type: ignore[arg-type]
    page.get_by_role("button", name="Voir ce qui changerait").click()
    expect(page.get_by_role("heading", name="Aperçu de l’import")).to_be_visible()
    expect(page.get_by_text("Une réunion ne peut pas se répéter plusieurs fois par jour")).to_be_visible()
    assert serious_faults(page) == []
    assert fits(page)
    page.get_by_role("button", name="Importer 1 réunion").click()
    expect(page.get_by_text("Import : 1 réunion créée.")).to_be_visible()
    assert Meeting.objects.get(organiser=agent).occurrences.count() == 4


def test_the_filters_of_the_search_fit_a_phone(visitors: Visitors, agent: Agent) -> None:
    factories.meeting(agent, title="Comité de suivi")
    page = visitors.page_as(agent, f"{reverse('portal:search')}?q=comite&organisees=1", viewport=PHONE, dark=True)
    expect(page.locator("mark")).to_have_text("Comité")
    assert fits(page)
    assert serious_faults(page) == []


def test_an_address_is_made_and_shown_once(visitors: Visitors, agent: Agent) -> None:
    page = visitors.page_as(agent, reverse("exchange:feeds"))
    page.get_by_label("Où il servira").fill("Outlook du bureau")
    page.get_by_role("button", name="Créer un abonnement").click()
    expect(page.get_by_label("Adresse", exact=True)).to_have_value(re.compile(r"/calendrier/[\w-]{43}\.ics$"))
    assert serious_faults(page) == []
    assert fits(page)
    page.reload()
    expect(page.get_by_label("Adresse", exact=True)).to_have_count(0)
    expect(page.get_by_text("Outlook du bureau", exact=True)).to_be_visible()


def test_a_reminder_stays_off_the_paper(visitors: Visitors, agent: Agent) -> None:
    now = timezone.now()
    meeting = factories.meeting(agent, title="Comité de suivi", starts_at=now + dt.timedelta(minutes=8))
    date = meeting.occurrences.get()
    due = date.starts_at - dt.timedelta(minutes=10)
    Reminder.objects.create(agent=agent, occurrence=date, starts_at=date.starts_at, minutes=10, due_at=due, done_at=now)
    page = visitors.page_as(agent, f"{reverse('exchange:agenda')}?du=2026-01-01&au=2026-02-01")
    reminder = page.locator(".ps-reminder")
    expect(reminder).to_contain_text("Comité de suivi")
    page.emulate_media(media="print")
    expect(reminder).to_be_hidden()


def test_paper_is_light_on_a_dark_screen(visitors: Visitors, agent: Agent) -> None:
    factories.meeting(agent, title="Comité de suivi", place="Fontenoy 1.03")
    page = visitors.page_as(agent, f"{reverse('exchange:agenda')}?du=2026-01-01&au=2026-02-01", dark=True)
    expect(page.get_by_role("button", name="Imprimer ou enregistrer en PDF")).to_be_visible()
    page.emulate_media(media="print")
    look = "(() => { const s = getComputedStyle(document.querySelector('.xc-agenda h1')); return [s.color, s.backgroundColor] })()"
    assert page.evaluate(look) == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]
    expect(page.get_by_role("button", name="Imprimer ou enregistrer en PDF")).to_be_hidden()
    expect(page.locator("header.ps-header")).to_be_hidden()
