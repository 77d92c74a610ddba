"""What a draft asks of a series: the form shows one date, the series has many. Pure."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from visio.meetings.drafts import MeetingDraft
from visio.meetings.models import Occurrence
from visio.meetings.recurrence import aligned, moved, parse_rule, settled
from visio.meetings.timetable import Timetable

_NONE = dt.timedelta()


def original_wall(timetable: Timetable, occurrence: Occurrence) -> dt.datetime:
    """The wall clock at which the rule put that date."""
    at = occurrence.recurrence_id or occurrence.starts_at
    first = timetable.literal(timetable.start)
    # A literal start in a gap keeps its own clock.
    return first.wall if first.at == at else timetable.wall_of(at)


def shift_of(old: Timetable, asked: Timetable, shown: Occurrence) -> dt.timedelta:
    """By how much the draft moves the series' clock: nothing when it leaves the date that it shows where it is."""
    if asked.zone == old.zone and asked.literal(asked.start).at == shown.starts_at:
        return _NONE
    return asked.start - original_wall(old, shown)


def whole_timetable(old: Timetable, draft: MeetingDraft, shown: Occurrence) -> Timetable:
    """The timetable of the whole meeting that the draft asks for. `shown`: the date whose start the draft's is."""
    asked = Timetable.of_draft(draft)
    if not (old.is_series and asked.is_series):
        return asked
    return shifted(old, asked, shift_of(old, asked, shown))


def shifted(old: Timetable, asked: Timetable, delta: dt.timedelta) -> Timetable:
    """`old` moved by `delta`, with the zone, length and rule of `asked`; dates added and removed move along."""
    start = old.start + delta
    asked = replace(
        asked, rdates=_along(asked.rdates, old.rdates, delta), exdates=_along(asked.exdates, old.exdates, delta)
    )
    if asked.rule != old.rule:
        rule = parse_rule(asked.rule, is_all_day=asked.is_all_day)
        return replace(asked, start=aligned(rule, start), rule=_settled(asked, start))
    rule = parse_rule(old.rule, is_all_day=old.is_all_day)
    followed = moved(rule, old_start=old.start, new_start=start, zone=asked.zone, is_all_day=asked.is_all_day)
    return replace(
        asked,
        start=start,
        rule=str(settled(followed, start=start, zone=asked.zone, is_all_day=asked.is_all_day)),
        rdates=asked.rdates or tuple(wall + delta for wall in old.rdates),
        exdates=asked.exdates or tuple(wall + delta for wall in old.exdates),
    )


def _along(
    asked: tuple[dt.datetime, ...], old: tuple[dt.datetime, ...], delta: dt.timedelta
) -> tuple[dt.datetime, ...]:
    """The dates that are there already move with the series; others are meant as they are written."""
    return tuple(wall + delta for wall in old) if asked == old else asked


def is_moved(old: Timetable, new: Timetable) -> bool:
    """Whether dates that were there move (R9), and not only more or fewer of them are made."""
    if old.is_series != new.is_series:
        return True
    if not old.is_series:
        before, after = old.literal(old.start), new.literal(new.start)
        return (before.at, old.end_of(before)) != (after.at, new.end_of(after))
    return (old.start, old.zone, old.minutes, old.is_all_day, _endless(old)) != (
        new.start,
        new.zone,
        new.minutes,
        new.is_all_day,
        _endless(new),
    )


def _endless(timetable: Timetable) -> str:
    return str(replace(parse_rule(timetable.rule, is_all_day=timetable.is_all_day), count=None, until=None))


def _settled(asked: Timetable, start: dt.datetime) -> str:
    rule = parse_rule(asked.rule, is_all_day=asked.is_all_day)
    return str(settled(rule, start=start, zone=asked.zone, is_all_day=asked.is_all_day))
