"""The words of a meeting's page that follow the clock."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from suite.agents.models import Agent
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def claire() -> Agent:
    return factories.agent("Claire", "Morel")


def meeting_page(visitors: Any, claire: Agent, minutes: int) -> Page:
    starts_at = timezone.now() + dt.timedelta(minutes=minutes)
    meeting = factories.meeting(claire, starts_at=starts_at)
    page: Page = visitors.page_as(claire, reverse("meetings:detail", args=[meeting.public_id]))
    expect(page.locator("body")).to_have_attribute("data-live-state", "on")
    return page


def later(page: Page, name: str) -> None:
    """That moment of the heading is over."""
    page.locator("#rejoindre-titre").evaluate(
        """(heading, name) => {
          heading.dataset[name] = new Date(Date.now() - 60_000).toISOString();
          document.dispatchEvent(new Event("live:updated"));
        }""",
        name,
    )


def test_from_the_countdown_to_the_end(visitors: Any, claire: Agent) -> None:
    page = meeting_page(visitors, claire, 125)
    heading = page.locator("#rejoindre-titre")
    # The minutes are rounded up: the last second of this minute may be over.
    expect(heading).to_have_text(re.compile("Commence dans 2\u00a0h\u00a00[45]"))
    later(page, "countdownTo")
    expect(heading).to_contain_text("En cours, jusqu’à")
    later(page, "countdownEnd")
    expect(heading).to_have_text("Terminée")


def test_a_meeting_of_another_day_keeps_its_day(visitors: Any, claire: Agent) -> None:
    page = meeting_page(visitors, claire, 3 * 24 * 60)
    heading = page.locator("#rejoindre-titre")
    words = heading.inner_text()
    assert " à " in words
    page.evaluate("document.dispatchEvent(new Event('live:updated'))")
    expect(heading).to_have_text(words)


def test_a_running_meeting_says_until_when(visitors: Any, claire: Agent) -> None:
    expect(meeting_page(visitors, claire, -10).locator("#rejoindre-titre")).to_contain_text("En cours, jusqu’à")
