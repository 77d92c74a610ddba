"""Rooms, equipment and booked meetings for the tests of this folder."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.test import Client
from django.utils import timezone

from suite.agents.models import Agent, Organisation
from tests import factories
from visio.meetings.models import Meeting
from visio.meetings.scheduling import schedule_meeting
from visio.places.models import Resource, ResourceBooking

# A Monday in winter, far from any change of the clocks.
NOW = dt.datetime(2026, 11, 23, 8, tzinfo=dt.UTC)


def at(day: int, hour: int, minute: int = 0) -> dt.datetime:
    """That hour in Paris, `day` days after NOW's."""
    return NOW.replace(hour=hour - 1, minute=minute) + dt.timedelta(days=day)


def room(home: Organisation, name: str = "Fontenoy 1.03", *, managers: Sequence[Agent] = (), **fields: Any) -> Resource:
    fields.setdefault("site", "Fontenoy")
    fields.setdefault("capacity", 8)
    made = Resource.objects.create(organisation=home, name=name, **fields)
    made.managers.add(*managers)
    return made


def booked(by: Agent, *rooms: Resource, starts_at: dt.datetime, now: dt.datetime = NOW, **fields: Any) -> Meeting:
    """A meeting that has these rooms, planned through the portal's own operation."""
    asked = factories.draft(starts_at=starts_at, now=now, resources=tuple(one.pk for one in rooms), **fields)
    return schedule_meeting(by=by, draft=asked, now=now)


def rows(meeting: Meeting) -> list[tuple[str, dt.datetime, dt.datetime, str]]:
    """(room, start, end, status) of every booking row, in order."""
    found = ResourceBooking.objects.filter(meeting=meeting).select_related("resource").order_by("during", "resource")
    return [(row.resource.name, row.during.lower, row.during.upper, row.status) for row in found]


def monday() -> dt.datetime:
    """Ten o'clock in Paris, on the Monday of next week."""
    today = timezone.localdate()
    day = today + dt.timedelta(days=7 - today.weekday())
    return timezone.make_aware(dt.datetime.combine(day, dt.time(10)))


def reserve(by: Agent, *rooms: Resource, at: dt.datetime | None = None, **fields: Any) -> Meeting:
    return booked(by, *rooms, starts_at=at or monday(), now=timezone.now(), **fields)


def client_of(agent: Agent) -> Client:
    client = Client()
    client.force_login(agent, backend="suite.agents.login.ProConnectBackend")
    return client
