"""A file's events put together: masters with their dates, each meeting once; and what is left out, with why. Pure."""

from __future__ import annotations

import datetime as dt
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from visio.exchange.drafting import draft_of
from visio.exchange.moments import EventRefused, Zones, iana_zone
from visio.exchange.parsing import RawCalendar, RawEvent
from visio.exchange.reading import ReadEvent, read_event, title_of
from visio.meetings.horizon import HORIZON
from visio.meetings.recurrence import RuleRefused, parse_rule
from visio.meetings.recurrence import expand as expand_rule
from visio.meetings.timetable import Timetable

# Twenty-seven years of a daily meeting; and all the rows that one file may make.
MOST_DATES_EACH = 10_000
MOST_DATES = 100_000
# What the slowest rules of a file may take together; what is not reached by then is left out, with the reason.
MOST_SECONDS = 5.0


@dataclass(frozen=True)
class Date:
    """One date of a series that differs. `at`: its original start (UTC); a text that is None is the series'.

    A cancelled one says nothing else: its times are `at`.
    """

    at: dt.datetime
    starts_at: dt.datetime
    ends_at: dt.datetime
    is_cancelled: bool = False
    title: str | None = None
    place: str | None = None
    description: str | None = None


@dataclass(frozen=True)
class Found:
    """One meeting of the file. `timetable` is what the portal keeps of its time."""

    event: ReadEvent
    timetable: Timetable
    dates: tuple[Date, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class LeftOut:
    """`line` of the file, from 1."""

    line: int
    title: str
    words: str


@dataclass(frozen=True)
class Sorted:
    found: tuple[Found, ...]
    left_out: tuple[LeftOut, ...]
    others: int = 0


class Budget:
    """What is left of a file's dates and of its time."""

    def __init__(self) -> None:
        self.dates = MOST_DATES
        self._stop_at = time.monotonic() + MOST_SECONDS

    def check(self) -> None:
        """Raises EventRefused when there is none left: ask before anything that a rule can make slow."""
        if time.monotonic() > self._stop_at or self.dates <= 0:
            raise EventRefused("too_much", _("Ce fichier a trop de dates : importez-le en plusieurs fois."))

    def starts(self, timetable: Timetable, *, before: dt.datetime) -> set[dt.datetime]:
        """Every date before that moment, in UTC. Raises EventRefused when there are too many."""
        self.check()
        most = min(self.dates, MOST_DATES_EACH)
        try:
            starts = expand_rule(
                parse_rule(timetable.rule, is_all_day=timetable.is_all_day),
                start=timetable.start,
                zone=timetable.zone,
                is_all_day=timetable.is_all_day,
                rdates=timetable.rdates,
                exdates=timetable.exdates,
                before=before,
                limit=most + 1,
            )
        except RuleRefused as refused:
            raise EventRefused(refused.reason, refused.message) from refused
        if len(starts) > most:
            raise EventRefused("too_many_dates", _("Sa série a trop de dates."))
        self.dates -= len(starts)
        return {start.at for start in starts}


def sort_calendar(calendar: RawCalendar, *, zone: str, now: dt.datetime, budget: Budget | None = None) -> Sorted:
    """`zone`: the reader's, for times without one. Bounded: MOST_DATES and about MOST_SECONDS for the whole file."""
    budget = budget or Budget()
    floating = (iana_zone(calendar.default_zone) if calendar.default_zone else None) or zone
    zones = Zones(calendar.zones, floating)
    left_out: list[LeftOut] = []
    by_uid: dict[str, list[ReadEvent]] = defaultdict(list)
    for raw in calendar.events:
        try:
            event = read_event(raw, zones, cancelled=calendar.method == "CANCEL")
        except EventRefused as refused:
            left_out.append(_left_out(raw, refused.message))
        else:
            by_uid[event.uid].append(event)
    found: list[Found] = []
    for events in by_uid.values():
        found += _put_together(events, budget, left_out, now)
    return Sorted(
        tuple(sorted(found, key=lambda one: one.event.line)),
        tuple(sorted(left_out, key=lambda one: one.line)),
        calendar.others,
    )


def _put_together(
    events: Sequence[ReadEvent], budget: Budget, left_out: list[LeftOut], now: dt.datetime
) -> list[Found]:
    masters = [event for event in events if event.recurrence is None]
    singles = [event for event in events if event.recurrence is not None]
    # The highest SEQUENCE is the newest; of equals, the last written.
    masters.sort(key=lambda event: (event.sequence, event.line))
    for event in masters[:-1]:
        left_out.append(LeftOut(event.line, event.title, _("Il est en double dans ce fichier.")))
    newest: dict[dt.datetime, ReadEvent] = {}
    for event in sorted(singles, key=lambda event: (event.sequence, event.line)):
        try:
            at = _original(event, masters[-1] if masters else event)
        except EventRefused as refused:
            left_out.append(LeftOut(event.line, event.title, refused.message))
            continue
        double = newest.get(at)
        if double is not None:
            left_out.append(LeftOut(double.line, double.title, _("Il est en double dans ce fichier.")))
        newest[at] = event
    if not masters:
        return [one for at, event in newest.items() for one in _lonely(event, at, left_out)]
    try:
        return [_with_dates(masters[-1], newest, budget, left_out, now)]
    except EventRefused as refused:
        left_out.append(LeftOut(masters[-1].line, masters[-1].title, refused.message))
        for event in newest.values():
            left_out.append(LeftOut(event.line, event.title, _("Sa série n’est pas reprise.")))
        return []


def _original(event: ReadEvent, master: ReadEvent) -> dt.datetime:
    """RECURRENCE-ID as an instant."""
    if event.recurrence is None:
        raise EventRefused("date", _("Sa date d’origine est illisible."))
    if event.is_range:
        raise EventRefused("range", _("Il change aussi les dates suivantes (RANGE=THISANDFUTURE)."))
    if event.recurrence.is_date != master.is_all_day:
        # The day alone, of what begins at the series' hour; or an hour, of whole days.
        time_of_day = dt.time() if master.is_all_day else master.start.wall.time()
        return replace(master.start, wall=dt.datetime.combine(event.recurrence.wall.date(), time_of_day)).at
    return event.recurrence.at


def _lonely(event: ReadEvent, at: dt.datetime, left_out: list[LeftOut]) -> list[Found]:
    """A date whose series is not in the file (an invitation to that date alone): a meeting of its own."""
    try:
        timetable = _timetable(event)
    except EventRefused as refused:
        left_out.append(LeftOut(event.line, event.title, refused.message))
        return []
    uid = f"{event.uid[:960]}#{at:%Y%m%dT%H%M%SZ}"
    note = _("une date d’une série, sans la série")
    return [Found(replace(event, uid=uid), timetable, notes=(*event.notes, note))]


def _with_dates(
    master: ReadEvent,
    singles: dict[dt.datetime, ReadEvent],
    budget: Budget,
    left_out: list[LeftOut],
    now: dt.datetime,
) -> Found:
    if master.is_series:
        budget.check()
    timetable = _timetable(master)
    if not timetable.is_series:
        for event in singles.values():
            left_out.append(
                LeftOut(event.line, event.title, _("Il modifie une date d’une série qui n’en est pas une."))
            )
        return Found(master, timetable, notes=master.notes)
    before = max([now + HORIZON, *(at + dt.timedelta(seconds=1) for at in singles)])
    planned = budget.starts(timetable, before=before)
    dates = []
    for at, event in singles.items():
        if at not in planned:
            left_out.append(LeftOut(event.line, event.title, _("Sa série n’a pas de date à ce moment.")))
        elif event.is_all_day != master.is_all_day and not event.is_cancelled:
            words = _("Une seule date d’une série ne peut pas devenir une journée entière, ni cesser de l’être.")
            left_out.append(LeftOut(event.line, event.title, words))
        else:
            dates.append(_date(at, event, master))
    notes = master.notes
    if dates:
        said = ngettext("%(count)d date modifiée ou annulée", "%(count)d dates modifiées ou annulées", len(dates))
        notes = (*notes, said % {"count": len(dates)})
    return Found(master, timetable, tuple(sorted(dates, key=lambda date: date.at)), notes)


def _date(at: dt.datetime, event: ReadEvent, master: ReadEvent) -> Date:
    if event.is_cancelled:
        return Date(at, at, at, is_cancelled=True)
    own = _timetable(event)
    start = own.literal(own.start)
    return Date(
        at,
        start.at,
        own.end_of(start),
        title=event.title if event.title != master.title else None,
        place=event.place if event.place != master.place else None,
        description=event.description if event.description != master.description else None,
    )


def _timetable(event: ReadEvent) -> Timetable:
    """As MeetingDraft would make it."""
    try:
        timetable = Timetable.of_draft(draft_of(event))
        timetable.end_of(timetable.literal(timetable.start))
    except RuleRefused as refused:
        raise EventRefused(refused.reason, refused.message) from refused
    except OverflowError as error:
        raise EventRefused("date_range", _("Une de ses dates est hors du calendrier.")) from error
    return timetable


def _left_out(event: RawEvent, words: str) -> LeftOut:
    return LeftOut(event.line, title_of(event), words)
