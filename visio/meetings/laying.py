"""The rows of a meeting's dates after its times changed: what still takes place moves along, what does not goes.

A row keeps its id, so that its bookings, and what differs on that date, stay with it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from django.db import connection

from visio.meetings.drafts import MOST_DAYS
from visio.meetings.exception_models import AttendeeException
from visio.meetings.horizon import dates_to_have, write_dates
from visio.meetings.models import Attendee, Meeting, Occurrence
from visio.meetings.recurrence import Start
from visio.meetings.timetable import DAY_MINUTES, Timetable

_INSTANT = dt.timedelta(microseconds=1)

# Recurrence ids move in two steps: "every day" moved by a day would meet itself half-way.
_AWAY = """
UPDATE visio_occurrence SET recurrence_id = recurrence_id - interval '1900 years' WHERE id = ANY(%s::bigint[])
"""
_PUT = """
UPDATE visio_occurrence o
   SET meeting_id = p.meeting, recurrence_id = p.recurrence_id, starts_at = p.starts_at, ends_at = p.ends_at
  FROM unnest(%s::bigint[], %s::bigint[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[])
       AS p (id, meeting, recurrence_id, starts_at, ends_at)
 WHERE o.id = p.id
"""


def lay_again(meeting: Meeting, old: Timetable, new: Timetable, *, now: dt.datetime) -> set[int]:
    """Make the rows of `meeting`, laid out by `old`, those of `new`; `expanded_until` too (saved). Ids of rows that went."""
    return lay(meeting, list(meeting.occurrences.all()), old, new, now=now)


def lay(meeting: Meeting, rows: Sequence[Occurrence], old: Timetable, new: Timetable, *, now: dt.datetime) -> set[int]:
    """The same for `rows`, which may be another meeting's: they become `meeting`'s where `new` has their date."""
    starts, edge = dates_to_have(new, now=now)
    delta = new.start - old.start
    walls = {row.pk: _wall(row, old) + delta for row in rows}
    targets = {start.wall: start for start in [*starts, *_far(new, walls.values(), edge)]}
    taken = {pk: targets[wall] for pk, wall in walls.items() if wall in targets}
    kept = [row for row in rows if row.pk in taken]
    gone = {row.pk for row in rows} - taken.keys()
    # Guests of such a date are let go by the caller, once told.
    Attendee.objects.filter(only_occurrence__in=gone).update(only_occurrence=None)
    Occurrence.objects.filter(pk__in=gone).delete()
    _put(meeting, kept, taken, old, new, delta)
    have = {start.at for start in taken.values()}
    if new.is_series:
        write_dates([(meeting.pk, start.at, new.end_of(start)) for start in starts if start.at not in have])
    elif kept:
        # With one date left, who is invited to it is the list of people itself.
        AttendeeException.objects.filter(occurrence__in=list(taken)).delete()
        Attendee.objects.filter(only_occurrence__in=list(taken)).update(only_occurrence=None)
    else:
        [only] = starts
        Occurrence.objects.create(meeting=meeting, starts_at=only.at, ends_at=new.end_of(only))
    if meeting.expanded_until != edge:
        meeting.expanded_until = edge
        meeting.save(update_fields=["expanded_until"])
    return gone


def _wall(row: Occurrence, timetable: Timetable) -> dt.datetime:
    """The wall clock at which the timetable put that date."""
    at = row.recurrence_id or row.starts_at
    first = timetable.literal(timetable.start)
    return first.wall if at == first.at else timetable.wall_of(at)


def _far(timetable: Timetable, walls: Iterable[dt.datetime], edge: dt.datetime | None) -> list[Start]:
    """Those of `walls` that are dates at the edge of the horizon or beyond: what differed in an imported file is a row early."""
    if edge is None:
        return []
    far = sorted(at for at in (timetable.literal(wall).at for wall in walls) if at >= edge)
    if not far:
        return []
    if timetable.is_counted:
        # Each look would count from the start.
        return timetable.starts(after=edge, before=far[-1] + _INSTANT)
    return [start for at in far for start in timetable.starts(after=at, before=at + _INSTANT)]


def _put(
    meeting: Meeting,
    rows: Collection[Occurrence],
    taken: dict[int, Start],
    old: Timetable,
    new: Timetable,
    delta: dt.timedelta,
) -> None:
    if not rows:
        return
    times = [_times(row, taken[row.pk], old, new, delta) for row in rows]
    ids = [row.pk for row in rows]
    dates = [taken[row.pk].at if new.is_series else None for row in rows]
    with connection.cursor() as cursor:
        cursor.execute(_AWAY, [ids])
        starts, ends = ([span[side] for span in times] for side in (0, 1))
        cursor.execute(_PUT, [ids, [meeting.pk] * len(ids), dates, starts, ends])


def _times(
    row: Occurrence, target: Start, old: Timetable, new: Timetable, delta: dt.timedelta
) -> tuple[dt.datetime, dt.datetime]:
    """Where the date takes place now: with the series, or as far from it as before when it was moved by itself."""
    planned = row.recurrence_id or row.starts_at
    minutes = _minutes(row, old)
    if not row.is_override or (row.starts_at == planned and minutes == old.minutes):
        return target.at, new.end_of(target)
    start = target if row.starts_at == planned else new.literal(_moved(old.wall_of(row.starts_at), old, new, delta))
    if minutes == old.minutes:
        return start.at, new.end_of(start)
    if new.is_all_day:
        minutes = min(-(-minutes // DAY_MINUTES), MOST_DAYS) * DAY_MINUTES
    return start.at, replace(new, minutes=minutes).end_of(start)


def _minutes(row: Occurrence, timetable: Timetable) -> int:
    """How long it lasts; a whole day is 1440, also where the clocks change."""
    if timetable.is_all_day:
        first, last = (timetable.wall_of(at).date() for at in (row.starts_at, row.ends_at))
        return (last - first).days * DAY_MINUTES
    return round((row.ends_at - row.starts_at).total_seconds() / 60)


def _moved(wall: dt.datetime, old: Timetable, new: Timetable, delta: dt.timedelta) -> dt.datetime:
    """By `delta`; by dates where days are whole, whatever the hour."""
    if not new.is_all_day:
        return wall + delta
    return dt.datetime.combine(wall.date() + (new.start.date() - old.start.date()), dt.time())
