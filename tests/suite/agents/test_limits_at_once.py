"""Twenty tokens and twenty calendar addresses for each agent, also when many are asked for in the same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import connection
from django.utils import timezone

from suite.agents.models import Agent, PersonalToken
from suite.agents.tokens import MOST_TOKENS, TooManyTokens, issue_token
from tests import factories
from visio.exchange.feeds import MOST_FEEDS, TooManyFeeds, create_feed
from visio.exchange.models import CalendarFeed

pytestmark = pytest.mark.django_db(transaction=True)
AT_ONCE = 8


def token(agent: Agent) -> None:
    issue_token(agent=agent, name="outil", days=1, now=timezone.now())


def feed(agent: Agent) -> None:
    create_feed(agent=agent, name="téléphone", detail="full")


@pytest.mark.parametrize(
    ("make", "refusal", "rows", "most"),
    [(token, TooManyTokens, PersonalToken, MOST_TOKENS), (feed, TooManyFeeds, CalendarFeed, MOST_FEEDS)],
)
def test_the_last_one_is_made_once(
    make: Callable[[Agent], None],
    refusal: type[Exception],
    rows: type[PersonalToken] | type[CalendarFeed],
    most: int,
) -> None:
    agent = factories.agent()
    for _number in range(most - 1):
        make(agent)
    barrier = threading.Barrier(AT_ONCE)
    ends: list[str] = []

    def run() -> None:
        try:
            connection.ensure_connection()
            barrier.wait(timeout=20)
            make(agent)
            ends.append("made")
        except refusal:
            ends.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _number in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sorted(ends) == ["made"] + ["refused"] * (AT_ONCE - 1)
    assert rows.objects.filter(agent=agent).count() == most
