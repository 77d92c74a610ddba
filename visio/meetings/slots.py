"""The best times for a meeting (R18). Pure: no database, no clock, no ORM.

Time is a row of minutes, one bit each (fourteen days are 20,160 bits, one Python integer): taking somebody's meetings out of
the common time is one `&`, and "free for an hour from here" is a handful of shifts, whatever the number of meetings.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

MINUTE = dt.timedelta(minutes=1)
MOST_MINUTES = 14 * 24 * 60
MOST_DAYS = 62
STEPS = (5, 10, 15, 30, 60)
# No more of one day, as long as other days have something too.
MOST_A_DAY = 3
# The least comfortable hours, wall clock of the meeting's zone.
LUNCH = (dt.time(12), dt.time(14))
EARLY, LATE = dt.time(9), dt.time(17, 30)
LUNCH_COSTS, EDGE_COSTS = 3, 1
# A meeting that long may hold the break between two stretches of work when the break is no longer than that.
LONG_MEETING = 240
LONGEST_BREAK = dt.timedelta(hours=2)

Interval = tuple[dt.datetime, dt.datetime]


@dataclass(frozen=True, slots=True)
class Slot:
    """One proposed time, half-open, aware (UTC), and what there is to say about it.

    `missing`: optional people who cannot come then. `outside`: required people for whom it is no working time (only when
    that was asked for). `room`: the first free one in the order of preference, None when none was asked for.
    """

    starts_at: dt.datetime
    ends_at: dt.datetime
    missing: tuple[int, ...] = ()
    outside: tuple[int, ...] = ()
    room: int | None = None
    is_lunch: bool = False

    @property
    def suits_everybody(self) -> bool:
        return not self.missing and not self.outside


@dataclass(frozen=True, slots=True)
class _Candidate:
    slot: Slot
    day: dt.date
    key: tuple[int, ...]


def propose_slots(
    *,
    minutes: int,
    window: Interval,
    now: dt.datetime,
    required: Mapping[int, Iterable[Interval]],
    optional: Mapping[int, Iterable[Interval]],
    working: Mapping[int, Sequence[Interval]],
    rooms: Mapping[int, Iterable[Interval]] | None = None,
    zone: str = "Europe/Paris",
    step: int = 15,
    limit: int = 10,
    beyond_hours: bool = False,
) -> list[Slot]:
    """The best starts for `minutes` within `window`, best first, none overlapping another; none before `now`.

    `required` and `optional`: {person: when they are taken, provisional meetings and leave included}. `working`: {person:
    when they work}; who is not in it works always. `rooms`: {room: when it is taken}, in order of preference; a slot needs
    one that is free. Starts stand at multiples of `step` minutes from midnight in `zone`. Taken up to ten o'clock is free
    from ten o'clock. Everybody required is free at every slot, in their own working hours; `beyond_hours` gives up the
    hours, only when nothing lies within them, and then the slots nearest to the hours come first.

    Order: most optional people, then the earliest, where lunch counts as LUNCH_COSTS days later and the ends of the day as
    one: a comfortable hour tomorrow is better than a hungry one today.
    ValueError for sizes out of bounds (MOST_MINUTES, MOST_DAYS, STEPS).
    """
    if not 0 < minutes <= MOST_MINUTES or step not in STEPS or limit < 1:
        raise ValueError((minutes, step, limit))
    if window[1] - window[0] > dt.timedelta(days=MOST_DAYS):
        raise ValueError(window)
    ruler = _Ruler(max(window[0], now), window[1])
    if ruler.size < minutes:
        return []
    hours = {person: bridged(spans, minutes) for person, spans in working.items()}
    free = {person: ruler.free(taken) for people in (required, optional) for person, taken in people.items()}
    works = {person: ruler.mark(hours[person]) if person in hours else ruler.full for person in free}
    common = ruler.full
    for person in required:
        common &= free[person]
    starts = ruler.room_for(common, minutes) & ruler.aligned(step, zone)
    room_starts = {room: ruler.room_for(ruler.free(taken), minutes) for room, taken in (rooms or {}).items()}
    if rooms:
        anywhere = 0
        for bits in room_starts.values():
            anywhere |= bits
        starts &= anywhere
    comes = {person: ruler.room_for(free[person] & works[person], minutes) for person in optional}
    on_duty = {person: ruler.room_for(works[person], minutes) for person in required}
    within = starts
    for bits in on_duty.values():
        within &= bits
    judge = _Judge(ruler, minutes, zone, comes, room_starts)
    if within:
        return _spread([judge.weigh(at, ()) for at in ruler.positions(within)], limit)
    if not beyond_hours:
        return []
    judge.off_duty = {person: hours.get(person, []) for person in required}
    reader = {person: _Bits(bits) for person, bits in on_duty.items()}
    outside = ((at, tuple(person for person, bits in reader.items() if not bits[at])) for at in ruler.positions(starts))
    return _spread([judge.weigh(at, people) for at, people in outside], limit)


def bridged(spans: Sequence[Interval], minutes: int) -> list[Interval]:
    """Working hours for a meeting that long: the break of a day does not forbid a meeting of the whole day."""
    if minutes < LONG_MEETING:
        return list(spans)
    joined: list[Interval] = []
    for starts_at, ends_at in spans:
        if joined and starts_at - joined[-1][1] <= LONGEST_BREAK:
            joined[-1] = (joined[-1][0], ends_at)
        else:
            joined.append((starts_at, ends_at))
    return joined


def _spread(candidates: list[_Candidate], limit: int) -> list[Slot]:
    """The best ones that do not overlap each other, MOST_A_DAY of a day first and more of it only to fill the list."""
    chosen: list[_Candidate] = []
    a_day: dict[dt.date, int] = {}
    best_first = sorted(candidates, key=lambda one: one.key)
    for most in (MOST_A_DAY, len(candidates)):
        for one in best_first:
            if len(chosen) == limit:
                break
            if a_day.get(one.day, 0) >= most or any(_overlap(one.slot, other.slot) for other in chosen):
                continue
            chosen.append(one)
            a_day[one.day] = a_day.get(one.day, 0) + 1
    return [one.slot for one in sorted(chosen, key=lambda one: one.key)]


def _overlap(one: Slot, other: Slot) -> bool:
    return one.starts_at < other.ends_at and other.starts_at < one.ends_at


class _Ruler:
    """The window as minutes: bit n is the minute that begins n minutes after `start`."""

    def __init__(self, start: dt.datetime, end: dt.datetime) -> None:
        whole = start.replace(second=0, microsecond=0)
        self.start = whole if whole == start else whole + MINUTE
        self.size = max(0, (end - self.start) // MINUTE)
        self.full = (1 << self.size) - 1

    def mark(self, spans: Iterable[Interval]) -> int:
        """The minutes that lie wholly within `spans`."""
        bits = 0
        for starts_at, ends_at in spans:
            first, last = (
                max(0, -((self.start - starts_at) // MINUTE)),
                min(self.size, (ends_at - self.start) // MINUTE),
            )
            if first < last:
                bits |= ((1 << (last - first)) - 1) << first
        return bits

    def free(self, taken: Iterable[Interval]) -> int:
        """The minutes that none of `taken` touches."""
        bits = 0
        for starts_at, ends_at in taken:
            first, last = (
                max(0, (starts_at - self.start) // MINUTE),
                min(self.size, -((self.start - ends_at) // MINUTE)),
            )
            if first < last:
                bits |= ((1 << (last - first)) - 1) << first
        return self.full & ~bits

    @staticmethod
    def room_for(bits: int, minutes: int) -> int:
        """The minutes from which on `minutes` bits in a row are set: each shift doubles the length that is sure."""
        sure = 1
        while sure < minutes and bits:
            more = min(sure, minutes - sure)
            bits &= bits >> more
            sure += more
        return bits

    def aligned(self, step: int, zone: str) -> int:
        """The minutes at which a clock in `zone` shows a multiple of `step` minutes since midnight."""
        place = zoneinfo.ZoneInfo(zone)
        bits, at = 0, 0
        while at < self.size:
            # Offsets only change on whole hours; within one the pattern is a plain comb.
            wall = (self.start + at * MINUTE).astimezone(place)
            left = min(60 - wall.minute, self.size - at)
            late = -(wall.hour * 60 + wall.minute) % step
            for minute in range(late, left, step):
                bits |= 1 << (at + minute)
            at += left
        return bits

    @staticmethod
    def positions(bits: int) -> Iterable[int]:
        """The numbers of the set bits, in order."""
        for index, byte in enumerate(bits.to_bytes((bits.bit_length() + 7) // 8, "little")):
            while byte:
                low = byte & -byte
                yield index * 8 + low.bit_length() - 1
                byte ^= low

    def instant(self, at: int) -> dt.datetime:
        return (self.start + at * MINUTE).astimezone(dt.UTC)


class _Bits:
    """Quick reading of single bits of a long integer."""

    def __init__(self, bits: int) -> None:
        self.data = bits.to_bytes((bits.bit_length() + 7) // 8, "little")

    def __getitem__(self, at: int) -> bool:
        index = at >> 3
        return index < len(self.data) and bool(self.data[index] >> (at & 7) & 1)


class _Judge:
    """What there is to say of a start, and how good it is (the smaller the key, the better)."""

    def __init__(
        self, ruler: _Ruler, minutes: int, zone: str, comes: Mapping[int, int], rooms: Mapping[int, int]
    ) -> None:
        self.ruler = ruler
        self.length = dt.timedelta(minutes=minutes)
        self.zone = zoneinfo.ZoneInfo(zone)
        self.comes = {person: _Bits(bits) for person, bits in comes.items()}
        self.rooms = {room: _Bits(bits) for room, bits in rooms.items()}
        self.first_day = ruler.start.astimezone(self.zone).date()
        self.off_duty: dict[int, list[Interval]] = {}

    def weigh(self, at: int, outside: tuple[int, ...]) -> _Candidate:
        starts_at = self.ruler.instant(at)
        ends_at = starts_at + self.length
        wall, until = starts_at.astimezone(self.zone), ends_at.astimezone(self.zone)
        is_lunch = _covers_lunch(wall, until)
        edge = wall.time() < EARLY or until.time() > LATE or until.date() > wall.date()
        missing = tuple(person for person, bits in self.comes.items() if not bits[at])
        room = next((room for room, bits in self.rooms.items() if bits[at]), None)
        slot = Slot(starts_at, ends_at, missing, outside, room, is_lunch)
        day = wall.date()
        away = sum(_distance(self.off_duty.get(person, []), starts_at, ends_at) for person in outside)
        late = (day - self.first_day).days + LUNCH_COSTS * is_lunch + EDGE_COSTS * edge
        return _Candidate(slot, day, (len(outside), away, len(missing), late, at))


def _covers_lunch(wall: dt.datetime, until: dt.datetime) -> bool:
    """Whether it takes some of the time from twelve to two of a day that it does not fill anyway."""
    if until - wall >= dt.timedelta(minutes=LONG_MEETING):
        return False
    day = wall.date()
    opens = dt.datetime.combine(day, LUNCH[0], wall.tzinfo)
    closes = dt.datetime.combine(day, LUNCH[1], wall.tzinfo)
    return wall < closes and opens < until


def _distance(spans: Sequence[Interval], starts_at: dt.datetime, ends_at: dt.datetime) -> int:
    """By how many minutes the slot would have to move to lie in the nearest working hours; a week without any."""
    after = bisect_right(spans, (starts_at, starts_at))
    near = spans[max(0, after - 1) : after + 2]
    shifts = [max(opens - starts_at, ends_at - closes, dt.timedelta()) for opens, closes in near]
    return min(shifts, default=dt.timedelta(days=7)) // MINUTE
