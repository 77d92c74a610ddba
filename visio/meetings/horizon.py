"""The dates of a series as rows, over a rolling horizon: Beat extends it, so that a series without end never disappears."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from django.db import connection, transaction

from visio.meetings import booked
from visio.meetings.models import Meeting, Occurrence
from visio.meetings.recurrence import Start
from visio.meetings.timetable import Timetable

# Next year's calendar, whatever today's date.
HORIZON = dt.timedelta(days=550)
# A series is extended once so much of its horizon is used up: each is touched about once a month.
STEP = dt.timedelta(days=28)
_INSTANT = dt.timedelta(microseconds=1)

_INSERT = """
INSERT INTO visio_occurrence (meeting_id, recurrence_id, starts_at, ends_at, status, is_override, sequence)
SELECT d.meeting, d.recurrence_id, d.recurrence_id, d.ends_at, 'confirmed', FALSE, 0
  FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[]) AS d (meeting, recurrence_id, ends_at)
    ON CONFLICT (meeting_id, recurrence_id) DO NOTHING
"""


def dates_to_have(
    timetable: Timetable, *, now: dt.datetime, after: dt.datetime | None = None
) -> tuple[list[Start], dt.datetime | None]:
    """The dates from `after` on that must be rows now, and the edge before which all are (None: there are no others).

    The edge lies a horizon ahead, and behind the next date that takes place, however rare the series.
    """
    if not timetable.is_series:
        return [timetable.literal(timetable.start)], None
    edge = now + HORIZON
    last = timetable.last()
    starts = timetable.starts(after=after, before=edge)
    while not any(start.at >= now for start in starts) and (last is None or last.at >= edge):
        coming = timetable.next(edge)
        if coming is None:
            # Only dates that were added by hand are left.
            edge = last.at + _INSTANT if last is not None else edge
            starts = timetable.starts(after=after, before=edge)
            break
        edge = coming.at + _INSTANT
        starts = timetable.starts(after=after, before=edge)
    return starts, None if last is not None and last.at < edge else edge


def expand_meeting(meeting: Meeting, *, now: dt.datetime) -> None:
    """Write the dates of a new meeting, and `expanded_until` on it (saved). A one-off has one, without recurrence id."""
    timetable = Timetable.of_meeting(meeting)
    starts, edge = dates_to_have(timetable, now=now)
    if timetable.is_series:
        write_dates([(meeting.pk, start.at, timetable.end_of(start)) for start in starts])
    else:
        [only] = starts
        Occurrence.objects.create(meeting=meeting, starts_at=only.at, ends_at=timetable.end_of(only))
    if meeting.expanded_until != edge:
        meeting.expanded_until = edge
        meeting.save(update_fields=["expanded_until"])


def write_dates(dates: Sequence[tuple[int, dt.datetime, dt.datetime]]) -> None:
    """(meeting id, recurrence id, end) as rows, in one statement; dates that are rows already stay as they are."""
    if not dates:
        return
    meetings, starts, ends = (list(column) for column in zip(*dates, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [meetings, starts, ends])


@transaction.atomic
def extend_series(*, limit: int = 500, now: dt.datetime) -> int:
    """Extend up to `limit` series whose horizon has come near; how many there were. Any number may run at once.

    People's rows are not touched: the hull of an open series reaches to the end of time already, and that of a series that
    ends to its end.
    """
    near = Meeting.objects.filter(
        is_series=True, status="confirmed", expanded_until__isnull=False, expanded_until__lt=now + HORIZON - STEP
    )
    series = list(near.order_by("expanded_until", "pk").select_for_update(skip_locked=True, of=("self",))[:limit])
    if not series:
        return 0
    dates: list[tuple[int, dt.datetime, dt.datetime]] = []
    edges: list[dt.datetime | None] = []
    for meeting in series:
        timetable = Timetable.of_meeting(meeting)
        starts, edge = dates_to_have(timetable, now=now, after=meeting.expanded_until)
        dates += [(meeting.pk, start.at, timetable.end_of(start)) for start in starts]
        edges.append(edge)
    write_dates(dates)
    booked.extend({meeting.pk: meeting.expanded_until for meeting in series if meeting.expanded_until}, now=now)
    _note_edges([meeting.pk for meeting in series], edges)
    return len(series)


def _note_edges(meetings: list[int], edges: Iterable[dt.datetime | None]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE visio_meeting m SET expanded_until = e.edge"
            " FROM unnest(%s::bigint[], %s::timestamptz[]) AS e (id, edge) WHERE m.id = e.id",
            [meetings, list(edges)],
        )
