"""What the planning form begins with: blank, or a meeting (or one date of it) as it is."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from typing import Any

from suite.agents.models import Agent
from visio.meetings import repeat_form
from visio.meetings.models import Attendee, Meeting, Occurrence, Privacy, Role
from visio.meetings.scopes import Notify, Scope
from visio.meetings.wallclock import wall_clock
from visio.meetings.words import local

ONE_DAY = 24 * 60


def blank(agent: Agent, *, now: dt.datetime, date: dt.date | None, start: dt.time | None) -> dict[str, Any]:
    """A new form, in the agent's zone: the next half hour, one hour long, or the time asked for."""
    here = local(now, agent.time_zone).replace(second=0, microsecond=0)
    begin = here + dt.timedelta(minutes=30 - here.minute % 30)
    day = date or begin.date()
    hour = start or (begin.time() if date is None or date == begin.date() else dt.time(9, 0))
    end = (dt.datetime.combine(day, hour) + dt.timedelta(hours=1)).time()
    return {
        "date": day.isoformat(),
        "last_day": day.isoformat(),
        "start": f"{hour:%H:%M}",
        "end": f"{end:%H:%M}",
        "minutes": 60,
        "time_zone": agent.time_zone,
        "visio": True,
        "tchap": True,
        "creation_key": str(uuid.uuid4()),
        "shown": f"{end:%H:%M}|60",
        "notify": Notify.DEFAULT.value,
        **repeat_form.first_values(None, dt.datetime.combine(day, hour)),
    }


def filled(
    meeting: Meeting,
    attendees: Iterable[Attendee],
    occurrence: Occurrence | None = None,
    resources: Iterable[str] = (),
) -> dict[str, Any]:
    """`meeting` as it is; `occurrence`: that date of it, with its own times and words, and then `attendees` are those of it."""
    begin, minutes = times_shown(meeting, occurrence)
    end = begin + dt.timedelta(minutes=minutes)
    last_day = begin.date() + dt.timedelta(days=max(minutes // ONE_DAY, 1) - 1 if meeting.is_all_day else 0)
    people = list(attendees)

    def lines(role: str) -> str:
        return "\n".join(
            f"{person.display_name} <{person.email}>" if person.agent or person.name else person.email
            for person in people
            if person.role == role
        )

    def text(name: str) -> str:
        own = getattr(occurrence, name) if occurrence is not None else None
        return str(getattr(meeting, name) if own is None else own)

    return {
        "title": text("title"),
        "date": begin.date().isoformat(),
        "all_day": meeting.is_all_day,
        "last_day": last_day.isoformat(),
        # A whole day that stops being one begins in the morning, for an hour.
        "start": "09:00" if meeting.is_all_day else f"{begin:%H:%M}",
        "end": "10:00" if meeting.is_all_day else f"{end:%H:%M}",
        "minutes": 60 if meeting.is_all_day else minutes,
        "time_zone": meeting.time_zone,
        "attendees": lines(Role.REQUIRED),
        "optional": lines(Role.OPTIONAL),
        "place": text("place"),
        "description": text("description"),
        "visio": meeting.room_id is not None,
        "tchap": meeting.wants_tchap,
        "private": meeting.privacy == Privacy.PRIVATE,
        "resources": list(resources),
        "revision": meeting.revision,
        "shown": "10:00|60" if meeting.is_all_day else f"{end:%H:%M}|{minutes}",
        "scope": Scope.ONE.value,
        "notify": Notify.DEFAULT.value,
        **repeat_form.first_values(meeting, begin),
    }


def at_other_time(values: dict[str, Any], meeting: Meeting, starts_at: dt.datetime, ends_at: dt.datetime) -> None:
    """Set what the form begins with (`filled`) to these instants, on the clock of the meeting's zone."""
    begin = dt.datetime.combine(*wall_clock(starts_at, meeting.time_zone))
    end = dt.datetime.combine(*wall_clock(ends_at, meeting.time_zone))
    values["date"] = begin.date().isoformat()
    if meeting.is_all_day:
        values["last_day"] = max(begin.date(), end.date() - dt.timedelta(days=1)).isoformat()
        return
    minutes = int((ends_at - starts_at).total_seconds() // 60)
    values |= {
        "last_day": begin.date().isoformat(),
        "start": f"{begin:%H:%M}",
        "end": f"{end:%H:%M}",
        "minutes": minutes,
        "shown": f"{end:%H:%M}|{minutes}",
    }


def times_shown(meeting: Meeting, occurrence: Occurrence | None) -> tuple[dt.datetime, int]:
    """The naive start in the meeting's zone and the length in minutes (whole days as 1440 each) that the form shows."""
    if occurrence is None:
        return dt.datetime.combine(meeting.start_date, meeting.start_time), meeting.minutes
    begin = dt.datetime.combine(*wall_clock(occurrence.starts_at, meeting.time_zone))
    if meeting.is_all_day:
        last = dt.datetime.combine(*wall_clock(occurrence.ends_at, meeting.time_zone))
        return begin, (last.date() - begin.date()).days * ONE_DAY
    return begin, int((occurrence.ends_at - occurrence.starts_at).total_seconds() // 60)
