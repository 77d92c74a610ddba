"""When a meeting takes place: its wall clock, zone, length and rule, as one value. Pure."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from visio.meetings import wallclock
from visio.meetings.recurrence import Start, expand, last_start, next_start, parse_rule, settled

if TYPE_CHECKING:
    from visio.meetings.drafts import MeetingDraft
    from visio.meetings.models import Meeting

DAY_MINUTES = 24 * 60
_CHUNK = 2000
_END = dt.datetime(9999, 12, 1, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Timetable:
    """`start`, `rdates` and `exdates` are naive wall clocks of `zone`. `rule`: "" for a one-off."""

    start: dt.datetime
    zone: str
    minutes: int
    is_all_day: bool = False
    rule: str = ""
    rdates: tuple[dt.datetime, ...] = ()
    exdates: tuple[dt.datetime, ...] = ()

    @classmethod
    def of_meeting(cls, meeting: Meeting) -> Timetable:
        return cls(
            start=dt.datetime.combine(meeting.start_date, meeting.start_time),
            zone=meeting.time_zone,
            minutes=meeting.minutes,
            is_all_day=meeting.is_all_day,
            rule=meeting.rrule,
            rdates=tuple(dt.datetime.fromisoformat(wall) for wall in meeting.rdates),
            exdates=tuple(dt.datetime.fromisoformat(wall) for wall in meeting.exdates),
        )

    @classmethod
    def of_draft(cls, draft: MeetingDraft) -> Timetable:
        """The rule written in its canonical way (R12). Raises RuleRefused and UnknownZone."""
        start, rule = draft.start, ""
        is_series = bool(draft.rule or draft.rdates)
        if draft.rule:
            asked = parse_rule(draft.rule, is_all_day=draft.is_all_day)
            rule = str(settled(asked, start=start, zone=draft.time_zone, is_all_day=draft.is_all_day))
        elif is_series:
            # Dates without a rule: the first of them repeated once, and the others added.
            rule = "FREQ=DAILY;COUNT=1"
        midnight = dt.time()
        return cls(
            start=start,
            zone=draft.time_zone,
            minutes=draft.minutes,
            is_all_day=draft.is_all_day,
            rule=rule,
            rdates=tuple(
                sorted({dt.datetime.combine(wall, midnight) if draft.is_all_day else wall for wall in draft.rdates})
            )
            if is_series
            else (),
            exdates=tuple(
                sorted({dt.datetime.combine(wall, midnight) if draft.is_all_day else wall for wall in draft.exdates})
            )
            if is_series
            else (),
        )

    @property
    def is_series(self) -> bool:
        return bool(self.rule)

    @property
    def is_counted(self) -> bool:
        """Whether it ends after a number of times: then every look at it counts from its start."""
        return self.is_series and parse_rule(self.rule, is_all_day=self.is_all_day).count is not None

    def write(self, meeting: Meeting) -> None:
        """Set all of it on `meeting` (unsaved). `expanded_until` is the horizon's business."""
        meeting.start_date, meeting.start_time = self.start.date(), self.start.time()
        meeting.time_zone, meeting.minutes, meeting.is_all_day = self.zone, self.minutes, self.is_all_day
        meeting.is_series, meeting.rrule = self.is_series, self.rule
        meeting.rdates = [wall.isoformat() for wall in self.rdates]
        meeting.exdates = [wall.isoformat() for wall in self.exdates]
        last = self.last() if self.is_series else None
        meeting.until = last.at if last is not None else None

    def literal(self, wall: dt.datetime) -> Start:
        """That wall clock and its instant."""
        wall = wall.replace(tzinfo=None, fold=0)
        return Start(wall, wallclock.instant(wall.date(), wall.time(), self.zone))

    def end_of(self, start: Start) -> dt.datetime:
        """When a date that begins at `start` is over, in UTC."""
        if self.is_all_day:
            return wallclock.day_span(start.wall.date(), self.zone, self.minutes // DAY_MINUTES)[1]
        return start.at + dt.timedelta(minutes=self.minutes)

    def starts(self, *, before: dt.datetime, after: dt.datetime | None = None) -> list[Start]:
        """Every date with after <= start < before; of a one-off its only one."""
        if not self.is_series:
            only = self.literal(self.start)
            return [only] if only.at < before and (after is None or only.at >= after) else []
        found: list[Start] = []
        while True:
            chunk = self._expand(after, before, _CHUNK)
            found += chunk
            if len(chunk) < _CHUNK:
                return found
            after = chunk[-1].at + dt.timedelta(microseconds=1)

    def first(self) -> Start | None:
        """The first date that takes place; None when there is none. Raises RuleRefused for an absurd start."""
        if not self.is_series:
            return self.literal(self.start)
        return next(iter(self._expand(None, _END, 1)), None)

    def _expand(self, after: dt.datetime | None, before: dt.datetime, limit: int) -> list[Start]:
        return expand(
            parse_rule(self.rule, is_all_day=self.is_all_day),
            start=self.start,
            zone=self.zone,
            is_all_day=self.is_all_day,
            rdates=self.rdates,
            exdates=self.exdates,
            after=after,
            before=before,
            limit=limit,
        )

    def last(self) -> Start | None:
        """The last date that the rule and the added dates make; None: it never ends."""
        if not self.is_series:
            return self.literal(self.start)
        return last_start(
            parse_rule(self.rule, is_all_day=self.is_all_day),
            start=self.start,
            zone=self.zone,
            is_all_day=self.is_all_day,
            rdates=self.rdates,
        )

    def next(self, at: dt.datetime) -> Start | None:
        """The first date of the rule at `at` or later, however far."""
        return next_start(
            parse_rule(self.rule, is_all_day=self.is_all_day),
            start=self.start,
            zone=self.zone,
            is_all_day=self.is_all_day,
            at=at,
        )

    def wall_of(self, at: dt.datetime) -> dt.datetime:
        """What a clock of the meeting's zone shows at that instant, naive."""
        date, time = wallclock.wall_clock(at, self.zone)
        return dt.datetime.combine(date, time)
