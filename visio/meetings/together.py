"""Several changes in one letter: what was not sent lends its words to the row that takes its place. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

from visio.meetings.models import DeliveryReason

# The key of Delivery.before that holds what single dates were, by recurrence id (ISO, UTC), in a row for the whole series.
DATES = "dates"
_TIMES = ("starts_at", "ends_at", "time_zone", "is_all_day")

Before = Mapping[str, Any]


@dataclass(frozen=True)
class Words:
    """Why a row is owed and what it compares with (Delivery.reason, .before). `date`: the one date it tells; None: the whole."""

    reason: DeliveryReason
    before: Before
    date: dt.datetime | None = None


def together(words: Sequence[Words]) -> Words:
    """What they say in one letter, given oldest first: each thing as it was before the first of them.

    The last is the one that is owed; the others tell the whole, or the date that it tells, or it tells the whole.
    """
    return reduce(lambda newer, older: _joined(older, newer), reversed(words))


def _joined(older: Words, newer: Words) -> Words:
    if older.date is None and newer.date is not None:
        # The series' letter waits, and will tell that date as well: why it waits stays what it was.
        return Words(older.reason, _with_dates(older.before, _dates(older), {_key(newer.date): _alone(newer.before)}))
    if older.date is not None and newer.date is None:
        # What one date was before says nothing of the series.
        return Words(newer.reason, _with_dates(newer.before, {_key(older.date): _alone(older.before)}, _dates(newer)))
    reason = _stronger(older.reason, newer.reason)
    return Words(reason, _with_dates(older.before or newer.before, _dates(older), _dates(newer)), newer.date)


def known_times(before: Before, older: Iterable[Words], date: dt.datetime | None) -> Before:
    """`before` of what takes a date or the whole away, with the times that its reader knows: not those of a letter never sent."""
    for words in older:
        known = words.before if words.date == date else _dates(words).get(_key(date)) if date is not None else None
        if known and "starts_at" in known:
            return {**before, **{name: known[name] for name in _TIMES if name in known}}
    return before


def _stronger(older: DeliveryReason, newer: DeliveryReason) -> DeliveryReason:
    for reason in (DeliveryReason.INVITED, DeliveryReason.MOVED):
        if reason in {older, newer}:
            return reason
    return DeliveryReason.CHANGED


def _dates(words: Words) -> Before:
    found: Before = words.before.get(DATES, {})
    return found


def _key(date: dt.datetime) -> str:
    return date.astimezone(dt.UTC).isoformat()


def _alone(before: Before) -> Before:
    return {name: before[name] for name in (*_TIMES, "title", "place") if name in before}


def _with_dates(before: Before, first: Before, second: Before) -> Before:
    dates = {**second, **first}
    kept = {name: value for name, value in before.items() if name != DATES}
    return {**kept, DATES: dates} if dates else kept
