"""The dashboard and its live fragments: one rendering path, the page includes what the fragments return."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from suite.agents.models import Agent
from suite.live.presence_rules import STATES
from suite.portal.context import frame
from suite.portal.dashboard import (
    read_colleagues,
    read_facts,
    read_hero,
    read_invitations,
    read_polls,
    read_rooms,
    seconds_to_change,
)
from visio.calendars.day import dashboard_day
from visio.meetings.requests import signed_in


@never_cache
@require_safe
def dashboard(request: HttpRequest) -> HttpResponse:
    """The whole page: at most ten queries, whatever it holds."""
    agent, now = signed_in(request), timezone.now()
    header = frame(request)
    header.now = now
    _version = header.live_version  # Read before the data: a change in between makes the page fetch again.
    context = next_meeting(agent, now) | {"page": "dashboard"} | invitations(agent, now) | tchap(agent, now)
    colleagues = read_colleagues(agent, now)
    header.presence = colleagues.states[agent.pk]
    header.waiting = context["invitations"].waiting
    people = {"colleagues": colleagues, "state_order": " ".join(STATES)}
    return render(request, "portal/dashboard.html", context | people)


def next_meeting(agent: Agent, now: dt.datetime) -> dict[str, Any]:
    day = dashboard_day(agent, now)
    hero, facts = read_hero(agent, day), read_facts(day)
    return {"now": now, "day": day, "facts": facts, "hero": hero, "refresh_in": seconds_to_change(day)}


def today(agent: Agent, now: dt.datetime) -> dict[str, Any]:
    day = dashboard_day(agent, now)
    return {"now": now, "day": day, "refresh_in": seconds_to_change(day)}


def invitations(agent: Agent, now: dt.datetime) -> dict[str, Any]:
    return {"now": now, "invitations": read_invitations(agent, now), "polls": read_polls(agent, now)}


def tchap(agent: Agent, now: dt.datetime) -> dict[str, Any]:
    return {"now": now, "rooms": read_rooms(agent, now)}


def team(agent: Agent, now: dt.datetime) -> dict[str, Any]:
    return {"colleagues": read_colleagues(agent, now)}


def count(agent: Agent, now: dt.datetime) -> dict[str, Any]:
    return {}


FRAGMENTS: dict[str, tuple[Callable[[Agent, dt.datetime], dict[str, Any]], str]] = {
    "prochaine": (next_meeting, "portal/_next.html"),
    "journee": (today, "portal/_day.html"),
    "invitations": (invitations, "portal/_invitations.html"),
    "salons": (tchap, "portal/_rooms.html"),
    "equipe": (team, "portal/_colleagues.html"),
    "compte": (count, "portal/_waiting_count.html"),
}


@never_cache
@require_safe
def fragment(request: HttpRequest, part: str) -> HttpResponse:
    """One part of the page again, for the person who asks."""
    if part not in FRAGMENTS:
        raise Http404
    read, template = FRAGMENTS[part]
    return render(request, template, read(signed_in(request), timezone.now()))
