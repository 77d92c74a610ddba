"""A database of its own with so many agents and their meetings, made by a few statements. Helper of the bench `calendars`.

Rows are copies of one real meeting that the portal's own operations made, with what must differ replaced: a column that is
added to the model tomorrow is copied like the others.
"""

from __future__ import annotations

import datetime as dt
import random
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import psycopg
from django.db import connection, connections
from django.db.backends.postgresql.base import DatabaseWrapper
from django.utils import timezone
from psycopg import sql

from suite.agents.models import Agent, Organisation
from visio.meetings.drafts import Invitee, MeetingDraft
from visio.meetings.models import Attendee, Meeting, Occurrence
from visio.meetings.scheduling import schedule_meeting
from visio.meetings.wallclock import wall_clock

# Of everybody else: meetings a head in 65 weeks, and people in each.
MEETINGS_A_HEAD = 5
PEOPLE_A_MEETING = 4
WEEKS = 65
SERIES_DATES = 10


@dataclass(frozen=True)
class Event:
    """One meeting of a measured agent: `dates` of them, a week apart. Instants in UTC."""

    starts_at: dt.datetime
    minutes: int
    dates: int


def events(seed: int, count: int, *, monday: dt.datetime) -> list[Event]:
    """`count` meetings in the year around `monday`, in working hours, one in twenty a weekly series."""
    chance = random.Random(seed)  # noqa: S311  the same events in every run
    made = []
    for number in range(count):
        day = chance.randint(-26, 25) * 7 + chance.randint(0, 4)
        start = monday + dt.timedelta(days=day, hours=8, minutes=15 * chance.randint(0, 35))
        made.append(Event(start, chance.choice([15, 30, 45, 60, 60, 90]), SERIES_DATES if number % 20 == 19 else 1))
    return made


@contextmanager
def database(name: str) -> Iterator[None]:
    """Django's connection leads to a copy of its (empty) database until the end; the copy is dropped then."""
    before = connection.settings_dict["NAME"]
    _command("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)
    _command("CREATE DATABASE {} TEMPLATE {}", name, before)
    try:
        yield
    finally:
        use(before)
        _command("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


def use(name: str) -> None:
    """Lead Django's connection to that database of the same server."""
    _let_go()
    connection.settings_dict["NAME"] = name


def _let_go() -> None:
    """Close every connection of this process: a database with visitors can be neither copied nor dropped."""
    connection.close()
    cast(DatabaseWrapper, connections["default"]).close_pool()


def _command(text: str, *names: str) -> None:
    _let_go()
    known = connection.settings_dict
    with psycopg.connect(
        host=known["HOST"],
        port=known["PORT"],
        user=known["USER"],
        password=known["PASSWORD"],
        dbname="template1" if "TEMPLATE" not in text else "postgres",
        autocommit=True,
    ) as administrator:
        administrator.execute(sql.SQL(text).format(*(sql.Identifier(name) for name in names)))


def fill(agents: int, measured: Mapping[int, Sequence[Sequence[Event]]]) -> dict[int, list[int]]:
    """`agents` people with their meetings, and the measured ones: {events each: their ids}, in the order of `measured`."""
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
    organisation = Organisation.objects.create(name="Banc", siret=f"{uuid.uuid4().int % 10**14:014d}")
    one, other = (
        Agent.objects.create_user(sub=f"{n}", email=f"{n}@bench.example", organisation=organisation) for n in "ab"
    )
    pattern = _pattern(one, other)
    first = _people(agents, one)
    _background(agents, first, pattern)
    found: dict[int, list[int]] = {}
    for count, calendars in measured.items():
        start = _people(len(calendars), one)
        found[count] = list(range(start, start + len(calendars)))
        for agent_id, mine in zip(found[count], calendars, strict=True):
            _own(agent_id, mine, pattern)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return found


def _pattern(by: Agent, guest: Agent) -> Meeting:
    now = timezone.now()
    date, clock = wall_clock(now + dt.timedelta(days=1), "Europe/Paris")
    draft = MeetingDraft(
        title="Banc",
        start_date=date,
        start_time=clock.replace(second=0, microsecond=0),
        time_zone="Europe/Paris",
        minutes=30,
        wants_room=False,
        attendees=(Invitee(guest.email, guest.full_name, guest.pk),),
    )
    return schedule_meeting(by=by, draft=draft, now=now)


def _people(count: int, pattern: Agent) -> int:
    """`count` copies of the agent; answers the first one's id."""
    first = _next_id("agents_agent")
    changes = {
        "id": f"{first} + g - 1",
        "public_id": "gen_random_uuid()",
        "sub": f"'bench-' || ({first} + g)",
        "email": f"'bench-' || ({first} + g) || '@bench.example'",
        "search_name": f"'bench ' || ({first} + g)",
    }
    _copy("agents_agent", pattern.pk, changes, f"generate_series(1, {count}) g")
    return first


def _background(agents: int, first: int, pattern: Meeting) -> None:
    """Meetings of everybody, spread over WEEKS, in an order that no index follows."""
    count = agents * MEETINGS_A_HEAD
    base = _next_id("visio_meeting")
    begins = (
        "date_trunc('week', now()) + make_interval("
        f"weeks => ((g * 7919::bigint) % {WEEKS})::int - 52, days => ((g * 31) % 5)::int,"
        " hours => 8, mins => ((g * 17) % 36)::int * 15)"
    )
    _meetings(pattern, f"generate_series(1, {count}) g", base, organiser=f"{first} + (g * 7919::bigint) % {agents}")
    _occurrences(pattern, f"generate_series(1, {count}) g", base, begins, "interval '45 minutes'")
    _attendees(
        pattern,
        f"generate_series(1, {count}) g CROSS JOIN generate_series(0, {PEOPLE_A_MEETING - 1}) k",
        base,
        agent=f"{first} + (g * 7919::bigint + k * 104729) % {agents}",
        begins=begins,
        ends=f"{begins} + interval '45 minutes'",
        is_series="false",
    )


def _own(agent_id: int, mine: Sequence[Event], pattern: Meeting) -> None:
    """The meetings of one measured agent, who organises each."""
    base = _next_id("visio_meeting")
    values = {
        "starts": [one.starts_at for one in mine],
        "minutes": [one.minutes for one in mine],
        "dates": [one.dates for one in mine],
    }
    rows = (
        "unnest(%(starts)s::timestamptz[], %(minutes)s::int[], %(dates)s::int[])"
        " WITH ORDINALITY AS e (starts, minutes, dates, g)"
    )
    length = "make_interval(mins => minutes)"
    _meetings(pattern, rows, base, organiser=str(agent_id), is_series="dates > 1", values=values)
    _occurrences(
        pattern,
        f"{rows} CROSS JOIN LATERAL generate_series(0, dates - 1) k",
        base,
        "starts + make_interval(weeks => k)",
        length,
        recurrence="CASE WHEN dates > 1 THEN starts + make_interval(weeks => k) END",
        values=values,
    )
    _attendees(
        pattern,
        rows,
        base,
        agent=str(agent_id),
        begins="starts",
        ends=f"starts + make_interval(weeks => dates - 1) + {length}",
        is_series="dates > 1",
        values=values,
    )


def _meetings(
    pattern: Meeting,
    rows: str,
    base: int,
    *,
    organiser: str,
    is_series: str = "false",
    values: Mapping[str, Any] | None = None,
) -> None:
    changes = {
        "id": f"{base} + g - 1",
        "public_id": "gen_random_uuid()",
        "uid": f"({base} + g) || '@bench.example'",
        "creation_key": "gen_random_uuid()",
        "organiser_id": organiser,
        "is_series": is_series,
        "search": "NULL",
    }
    _copy("visio_meeting", pattern.pk, changes, rows, values)


def _occurrences(
    pattern: Meeting,
    rows: str,
    base: int,
    begins: str,
    length: str,
    *,
    recurrence: str = "NULL",
    values: Mapping[str, Any] | None = None,
) -> None:
    changes = {
        "id": None,
        "meeting_id": f"{base} + g - 1",
        "starts_at": begins,
        "ends_at": f"{begins} + {length}",
        "recurrence_id": f"({recurrence})::timestamptz",
    }
    _copy("visio_occurrence", Occurrence.objects.get(meeting=pattern).pk, changes, rows, values)


def _attendees(
    pattern: Meeting,
    rows: str,
    base: int,
    *,
    agent: str,
    begins: str,
    ends: str,
    is_series: str,
    values: Mapping[str, Any] | None = None,
) -> None:
    changes = {
        "id": None,
        "public_id": "gen_random_uuid()",
        "meeting_id": f"{base} + g - 1",
        "agent_id": agent,
        "email": f"'bench-' || ({agent} + 1) || '@bench.example'",
        "answer": "'accepted'",
        "starts_at": begins,
        "ends_at": ends,
        "is_series": is_series,
        "link_hash": "replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', '')",
    }
    guest = Attendee.objects.get(meeting=pattern, role="required")
    _copy("visio_attendee", guest.pk, changes, rows, values)


def _copy(
    table: str, pattern: int, changes: Mapping[str, str | None], rows: str, values: Mapping[str, Any] | None = None
) -> None:
    """One copy of row `pattern` for each of `rows`. A change of None leaves the column to its default."""
    with connection.cursor() as cursor:
        columns = [column.name for column in connection.introspection.get_table_description(cursor, table)]
        kept = [name for name in columns if changes.get(name, "") is not None]
        chosen = ", ".join(changes.get(name) or f't."{name}"' for name in kept)
        names = ", ".join(f'"{name}"' for name in kept)
        # Every name and expression is a constant of this module.
        statement = f'INSERT INTO "{table}" ({names}) SELECT {chosen} FROM "{table}" t, {rows} WHERE t.id = {pattern}'
        cursor.execute(statement, values)


def _next_id(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT COALESCE(max(id), 0) + 1000 FROM "{table}"')
        return int(cursor.fetchone()[0])
