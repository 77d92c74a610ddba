"""What the page tests share: who knocks, and a form as a browser would send it."""

from __future__ import annotations

import datetime as dt
import uuid
import zoneinfo
from typing import Any

from django.test import Client
from django.utils import timezone

from suite.agents.models import Agent
from visio.meetings.models import Meeting

PARIS = zoneinfo.ZoneInfo("Europe/Paris")


def client_of(agent: Agent) -> Client:
    client = Client()
    client.force_login(agent, backend="suite.agents.login.ProConnectBackend")
    return client


def form(**changed: Any) -> dict[str, Any]:
    """A planning form that is right in every field: tomorrow at ten, one hour."""
    day = timezone.now().astimezone(PARIS).date() + dt.timedelta(days=1)
    fields: dict[str, Any] = {
        "title": "Comité de suivi",
        "date": day.isoformat(),
        "start": "10:00",
        "end": "11:00",
        "minutes": "60",
        "shown": "11:00|60",
        "time_zone": "Europe/Paris",
        "attendees": "",
        "optional": "",
        "place": "",
        "description": "",
        "visio": "on",
        "tchap": "on",
        "creation_key": str(uuid.uuid4()),
    }
    fields.update(changed)
    return {name: value for name, value in fields.items() if value is not None}


def edit_form(meeting: Meeting, **changed: Any) -> dict[str, Any]:
    """The form that the edit page shows, as it stands."""
    from visio.meetings.forms import filled

    attendees = list(meeting.attendees.exclude(role="chair").select_related("agent").order_by("pk"))
    fields = {name: value for name, value in filled(meeting, attendees).items() if value is not False}
    return fields | changed


def text_of(response: Any) -> str:
    return str(response.content.decode())
