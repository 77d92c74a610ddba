"""Make people and meetings for a test, through the portal's own operations wherever there is one."""

from __future__ import annotations

import datetime as dt
import itertools
import uuid
from collections.abc import Sequence
from typing import Any

from django.utils import timezone

from suite.agents.models import Agent, Organisation, Team
from visio.meetings.drafts import Invitee, MeetingDraft
from visio.meetings.models import Meeting
from visio.meetings.scheduling import schedule_meeting
from visio.meetings.wallclock import instant, wall_clock

_count = itertools.count(1)


def organisation(name: str | None = None, **fields: Any) -> Organisation:
    number = next(_count)
    fields.setdefault("siret", f"{uuid.uuid4().int % 10**14:014d}")
    fields.setdefault("domain", f"org{number}.example")
    return Organisation.objects.create(name=name or f"Organisation {number}", **fields)


def team(
    name: str | None = None,
    *,
    organisation: Organisation | None = None,
    managers: Sequence[Agent] = (),
    members: Sequence[Agent] = (),
) -> Team:
    number = next(_count)
    home = organisation or (managers[0].organisation if managers else _organisation())
    made = Team.objects.create(name=name or f"Équipe {number}", organisation=home)
    made.managers.add(*managers)
    for member in members:
        member.team = made
        member.save(update_fields=["team"])
    return made


def agent(
    given_name: str = "Camille",
    usual_name: str | None = None,
    *,
    organisation: Organisation | None = None,
    **fields: Any,
) -> Agent:
    number = next(_count)
    token = uuid.uuid4().hex[:8]
    fields.setdefault("sub", f"sub-{number}-{token}")
    fields.setdefault("email", f"agent{number}.{token}@dinum.example")
    return Agent.objects.create_user(
        given_name=given_name,
        usual_name=usual_name or f"Martin{number}",
        organisation=organisation or _organisation(),
        **fields,
    )


def invitee(who: Agent | str, *, role: str = "required") -> Invitee:
    """An invitee from an agent or from an external address."""
    if isinstance(who, Agent):
        return Invitee(email=who.email.lower(), name=who.full_name, agent_id=who.pk, role=role)
    return Invitee(email=who, role=role)


def draft(
    *,
    guests: Sequence[Agent | str] = (),
    starts_at: dt.datetime | None = None,
    now: dt.datetime | None = None,
    time_zone: str = "Europe/Paris",
    **fields: Any,
) -> MeetingDraft:
    """A valid draft: an hour, tomorrow at this hour unless `starts_at` (aware) says otherwise."""
    at = starts_at or (now or timezone.now()) + dt.timedelta(days=1)
    at = at.replace(second=0, microsecond=0)
    date, time = wall_clock(at, time_zone)
    if instant(date, time, time_zone) != at:
        # The second time that the clock shows this hour, in autumn: only a zone whose clock never goes back can say it.
        time_zone = "Etc/UTC"
        date, time = wall_clock(at, time_zone)
    fields.setdefault("title", "Comité de suivi")
    fields.setdefault("minutes", 60)
    fields.setdefault("start_date", date)
    fields.setdefault("start_time", time)
    fields.setdefault("attendees", tuple(invitee(guest) for guest in guests))
    return MeetingDraft(time_zone=time_zone, **fields)


def meeting(
    organiser: Agent | None = None,
    *,
    guests: Sequence[Agent | str] = (),
    starts_at: dt.datetime | None = None,
    now: dt.datetime | None = None,
    **fields: Any,
) -> Meeting:
    """A scheduled meeting. `fields` are those of MeetingDraft. For a past meeting give a `now` before `starts_at`."""
    made_at = now or timezone.now()
    asked = draft(guests=guests, starts_at=starts_at, now=made_at, **fields)
    if starts_at is not None and starts_at < made_at:
        made_at = starts_at - dt.timedelta(hours=1)
    return schedule_meeting(by=organiser or agent(), draft=asked, now=made_at)


def _organisation() -> Organisation:
    return organisation()
