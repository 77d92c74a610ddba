"""Secret addresses where other calendars read an agent's meetings: made, found and revoked."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse

from suite.agents.models import Agent
from suite.agents.tokens import lock_agent
from visio.exchange.models import CalendarFeed, FeedDetail

MOST_FEEDS = 20
NAME_LENGTH = 80
# 256 random bits: a fast hash is right for what nobody can guess.
_SECRET_BYTES = 32
# `last_used_at` is a hint for people: written at most this often, so that an eager calendar costs no write a request.
_USED_PRECISION = dt.timedelta(minutes=5)


class TooManyFeeds(Exception):
    """The agent has MOST_FEEDS addresses in use already."""


@transaction.atomic
def create_feed(*, agent: Agent, name: str, detail: str) -> tuple[CalendarFeed, str]:
    """A new address and its secret, which is never to be seen again. Raises TooManyFeeds."""
    lock_agent(agent)
    if usable_feeds(agent).count() >= MOST_FEEDS:
        raise TooManyFeeds
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    feed = CalendarFeed.objects.create(
        agent=agent, name=name[:NAME_LENGTH], token_hash=_hash(secret), detail=FeedDetail(detail)
    )
    return feed, secret


def usable_feeds(agent: Agent) -> QuerySet[CalendarFeed]:
    """Those that are not revoked, newest first."""
    return CalendarFeed.objects.filter(agent=agent, revoked_at=None)


def revoke_feed(*, agent: Agent, feed_id: int, now: dt.datetime) -> bool:
    """True when this agent's address was in use and is no longer."""
    return bool(usable_feeds(agent).filter(pk=feed_id).update(revoked_at=now))


def feed_by_token(token: str) -> CalendarFeed | None:
    """None when it is unknown, revoked, or its agent has left. One statement."""
    found = CalendarFeed.objects.filter(token_hash=_hash(token), revoked_at=None, agent__is_active=True)
    return found.select_related("agent").first()


def note_use(feed: CalendarFeed, *, now: dt.datetime) -> None:
    if feed.last_used_at is None or feed.last_used_at < now - _USED_PRECISION:
        CalendarFeed.objects.filter(pk=feed.pk).update(last_used_at=now)


def feed_url(secret: str) -> str:
    return f"{settings.PORTAL_URL}{reverse('exchange:feed', args=[secret])}"


def webcal_url(url: str) -> str:
    """The same address with the scheme that calendars open by themselves."""
    return f"webcal:{url.partition(':')[2]}"


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
