"""Series written straight into the tables, for what only reads them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from suite.agents.models import Agent
from tests import factories
from visio.meetings.models import Attendee, Meeting, Occurrence
from visio.meetings.recurrence import expand, last_start, parse_rule
from visio.meetings.wallclock import span


def series(
    boss: Agent | None = None,
    *,
    rule: str,
    date: dt.date,
    time: dt.time = dt.time(10),
    minutes: int = 60,
    zone: str = "Europe/Paris",
    guests: Sequence[Agent | str] = ("anne@partenaire.example",),
    now: dt.datetime,
    is_all_day: bool = False,
    horizon: dt.timedelta = dt.timedelta(days=400),
    **fields: Any,
) -> Meeting:
    """A series with its dates as rows; its invitations are owed."""
    meeting = factories.meeting(
        boss, guests=guests, now=now, start_date=date, start_time=time, time_zone=zone, minutes=minutes, **fields
    )
    parsed = parse_rule(rule, is_all_day=is_all_day)
    start = dt.datetime.combine(date, time)
    known: dict[str, Any] = {"start": start, "zone": zone, "is_all_day": is_all_day}
    last = last_start(parsed, **known)
    Meeting.objects.filter(pk=meeting.pk).update(
        is_series=True, rrule=str(parsed), until=last.at if last else None, is_all_day=is_all_day
    )
    meeting.occurrences.all().delete()
    for begins in expand(parsed, before=now + horizon, **known):
        if is_all_day:
            days = minutes // (24 * 60)
            ends_at = span(begins.wall.date() + dt.timedelta(days=days), time, zone, 1)[0]
        else:
            ends_at = begins.at + dt.timedelta(minutes=minutes)
        Occurrence.objects.create(meeting=meeting, recurrence_id=begins.at, starts_at=begins.at, ends_at=ends_at)
    Attendee.objects.filter(meeting=meeting).update(is_series=True)
    return Meeting.objects.get(pk=meeting.pk)


def override(meeting: Meeting, number: int, **fields: Any) -> Occurrence:
    """Change the series' date number `number` (from 0) by itself."""
    occurrence = meeting.occurrences.order_by("recurrence_id")[number]
    for name, value in {"is_override": True, **fields}.items():
        setattr(occurrence, name, value)
    occurrence.save()
    return occurrence
