"""Proposed slots (R18): examples, then Hypothesis against a slow search that looks at every minute."""

from __future__ import annotations

import datetime as dt
import itertools
import random
import time
import zoneinfo
from collections.abc import Iterable, Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suite.agents.hours import USUAL, spans_of
from visio.meetings.slots import Interval, Slot, propose_slots

PARIS = "Europe/Paris"
NOUMEA = "Pacific/Noumea"
REUNION = "Indian/Reunion"
MINUTE = dt.timedelta(minutes=1)
MONDAY = dt.datetime(2026, 11, 23, tzinfo=zoneinfo.ZoneInfo(PARIS))


def at(text: str, day: int = 0) -> dt.datetime:
    """The hour "10:30" of the day that many days after the Monday, in Paris."""
    hour, minute = map(int, text.split(":"))
    return (MONDAY + dt.timedelta(days=day, hours=hour, minutes=minute)).astimezone(dt.UTC)


def span(text: str, day: int = 0) -> Interval:
    starts, ends = text.split("-")
    return at(starts, day), at(ends, day)


def usual(zone: str = PARIS, days: int = 7) -> list[Interval]:
    found = spans_of(USUAL, zone_name=zone, start=at("0:00"), end=at("0:00", days))
    return [(one.starts_at, one.ends_at) for one in found]


def propose(**asked: object) -> list[Slot]:
    values: dict[str, object] = {
        "minutes": 60,
        "window": (at("0:00"), at("0:00", 1)),
        "now": at("0:00"),
        "required": {1: []},
        "optional": {},
        "working": {1: usual()},
    }
    return propose_slots(**{**values, **asked})  # type: ignore[arg-type]


def hours(slots: Iterable[Slot]) -> list[str]:
    return [f"{slot.starts_at.astimezone(zoneinfo.ZoneInfo(PARIS)):%a %H:%M}" for slot in slots]


# --- what is proposed -------------------------------------------------------------------------------------------
def test_the_first_free_hours_of_the_day_none_over_another() -> None:
    slots = propose(limit=10)
    # Half past twelve is lunch, and after half past five the day ends: those come after the others of their day.
    assert hours(slots) == ["Mon 09:00", "Mon 10:00", "Mon 11:00", "Mon 14:00", "Mon 15:00", "Mon 16:00", "Mon 17:00"]
    assert hours(propose(limit=1)) == ["Mon 09:00"]
    assert all(slot.suits_everybody and slot.room is None for slot in slots)


def test_r18_a_slot_never_overlaps_a_required_attendee() -> None:
    taken = [span("9:00-10:07"), span("11:00-12:00"), span("13:30-17:00")]
    assert hours(propose(required={1: taken}, minutes=45)) == ["Mon 10:15", "Mon 17:00"]
    assert propose(required={1: taken, 2: [span("10:30-18:00")]}, minutes=45) == []


def test_r18_back_to_back_is_allowed_on_both_sides() -> None:
    taken = [span("9:00-10:00"), span("10:50-18:00")]
    assert hours(propose(required={1: taken}, minutes=50)) == ["Mon 10:00"]
    assert propose(required={1: taken}, minutes=51) == []


def test_r18_working_hours_are_those_of_everybodys_own_zone() -> None:
    working = {1: usual(), 2: usual(REUNION)}
    # La Réunion is three hours ahead: its afternoon is 10:30 – 15:00 in Paris.
    assert hours(propose(required={1: [], 2: []}, working=working)) == ["Mon 10:30", "Mon 14:00", "Mon 11:30"]
    # Nouméa sleeps when Paris works: nothing, rather than something wrong.
    assert propose(required={1: [], 2: []}, working={1: usual(), 2: usual(NOUMEA)}) == []


def test_r18_leave_and_weekends_are_respected() -> None:
    week = (at("0:00"), at("0:00", 14))
    leave = [(at("0:00"), at("0:00", 5))]
    slots = propose(window=week, required={1: leave}, working={1: usual(days=14)}, limit=3)
    assert hours(slots) == ["Mon 09:00", "Mon 10:00", "Mon 11:00"]
    assert slots[0].starts_at == at("9:00", 7), "the Saturday and Sunday before are nobody's working days"


def test_never_in_the_past() -> None:
    assert hours(propose(now=at("15:52"), minutes=30)) == ["Mon 16:00", "Mon 16:30", "Mon 17:00", "Mon 17:30"]
    assert propose(now=at("17:01")) == []
    assert propose(now=at("0:00", 3)) == []


def test_starts_stand_at_the_step_of_the_meetings_own_clock() -> None:
    always: dict[int, list[Interval]] = {}
    slots = propose(working=always, zone="Pacific/Marquesas", step=60, now=at("9:13"), limit=50)
    assert {slot.starts_at.astimezone(zoneinfo.ZoneInfo("Pacific/Marquesas")).minute for slot in slots} == {0}
    assert {slot.starts_at.minute for slot in slots} == {30}
    assert {slot.starts_at.minute for slot in propose(step=10, limit=50)} <= {0, 10, 20, 30, 40, 50}


# --- which one is better ----------------------------------------------------------------------------------------
def test_all_optional_people_come_before_an_earlier_hour() -> None:
    slots = propose(optional={7: [span("9:00-17:00")], 8: []}, working={1: usual(), 7: usual(), 8: usual()}, limit=2)
    assert hours(slots) == ["Mon 17:00", "Mon 09:00"]
    assert [slot.missing for slot in slots] == [(), (7,)]
    assert slots[0].suits_everybody


def test_an_optional_person_off_duty_or_on_leave_does_not_count_as_coming() -> None:
    slots = propose(optional={7: [], 8: [(at("0:00"), at("0:00", 1))]}, working={1: usual(), 7: [span("14:00-16:00")]})
    assert [(hour, slot.missing) for hour, slot in zip(hours(slots), slots, strict=True)][:2] == [
        ("Mon 14:00", (8,)),
        ("Mon 15:00", (8,)),
    ]
    assert slots[2].missing == (7, 8)


def test_lunch_and_the_ends_of_the_day_come_last_of_their_day() -> None:
    whole = {1: [span("7:00-20:00")]}
    slots = propose(working=whole, required={1: [span("9:00-11:00"), span("14:00-17:00")]}, limit=4)
    assert hours(slots) == ["Mon 11:00", "Mon 07:00", "Mon 08:00", "Mon 17:00"]
    busy_but_lunch = {1: [span("7:00-12:00"), span("14:00-20:00")]}
    assert [slot.is_lunch for slot in propose(working=whole, required=busy_but_lunch)] == [True, True]


def test_a_comfortable_hour_tomorrow_is_better_than_lunch_today() -> None:
    whole = {1: [span("9:00-18:00", day) for day in range(5)]}
    taken = [span(text, day) for day in range(5) for text in ("9:00-12:00", "14:00-16:00", "17:00-18:00")]
    slots = propose(window=(at("0:00"), at("0:00", 5)), working=whole, required={1: taken}, limit=6)
    expected = ["Mon 16:00", "Tue 16:00", "Wed 16:00", "Mon 12:00", "Mon 13:00", "Thu 16:00"]
    assert hours(slots) == expected


def test_several_days_are_offered_before_one_day_is_filled() -> None:
    slots = propose(window=(at("0:00"), at("0:00", 2)), limit=6)
    assert [hour[:3] for hour in hours(slots)] == ["Mon"] * 3 + ["Tue"] * 3


def test_a_meeting_of_the_whole_day_may_hold_the_lunch_break() -> None:
    assert hours(propose(minutes=8 * 60)) == ["Mon 09:00"]
    assert propose(minutes=10 * 60) == []
    assert not propose(minutes=8 * 60)[0].is_lunch


# --- rooms ------------------------------------------------------------------------------------------------------
def test_a_slot_has_a_free_room_the_preferred_one_first() -> None:
    rooms = {5: [span("9:00-11:00"), span("13:00-18:00")], 6: [span("9:00-10:00")]}
    slots = propose(rooms=rooms, limit=20)
    found = dict(zip(hours(slots), [slot.room for slot in slots], strict=True))
    assert "Mon 09:00" not in found
    assert found["Mon 10:00"] == 6
    assert found["Mon 11:00"] == 5
    assert propose(rooms={5: [span("0:00-23:59")]}) == []


# --- beyond the hours -------------------------------------------------------------------------------------------
def test_beyond_the_hours_only_when_asked_and_only_when_nothing_else_is_left() -> None:
    working = {1: usual(), 2: usual(NOUMEA)}
    people: dict[int, list[Interval]] = {1: [], 2: []}
    assert propose(required=people, working=working) == []
    [slot] = propose(required=people, working=working, beyond_hours=True, limit=1)
    # Nouméa's day ends at eight in Paris: the first hour of Paris asks one person for the least.
    assert (hours([slot]), slot.outside) == (["Mon 09:00"], (2,))
    within = propose(beyond_hours=True)
    assert within == propose()
    assert all(not slot.outside for slot in within)


def test_beyond_the_hours_is_still_never_over_somebodys_meeting() -> None:
    taken = [span("7:00-18:30"), span("19:00-23:00")]
    slots = propose(required={1: taken}, beyond_hours=True, minutes=30)
    assert hours(slots)[0] == "Mon 18:30"
    assert slots[0].outside == (1,)
    assert all(not any(slot.starts_at < end and start < slot.ends_at for start, end in taken) for slot in slots)


@pytest.mark.parametrize(
    "wrong",
    [
        {"minutes": 0},
        {"minutes": 14 * 24 * 60 + 1},
        {"step": 7},
        {"limit": 0},
        {"window": (at("0:00"), at("0:00", 63))},
    ],
)
def test_sizes_out_of_bounds_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"\("):
        propose(**wrong)


def test_a_window_that_is_over_or_upside_down_holds_nothing() -> None:
    assert propose(window=(at("12:00"), at("9:00"))) == []
    assert propose(window=(at("12:00"), at("12:00"))) == []


# --- against a slow search --------------------------------------------------------------------------------------
def slow(
    *,
    minutes: int,
    window: Interval,
    now: dt.datetime,
    required: Mapping[int, list[Interval]],
    optional: Mapping[int, list[Interval]],
    working: Mapping[int, list[Interval]],
    rooms: Mapping[int, list[Interval]],
    zone: str,
    step: int,
    limit: int,
) -> list[Slot]:
    """Every minute of the window, one after the other, by the words of the promise."""
    place, length = zoneinfo.ZoneInfo(zone), minutes * MINUTE
    found: list[tuple[tuple[object, ...], dt.date, Slot]] = []
    first_day = max(window[0], now).astimezone(place).date()

    def is_free(taken: list[Interval], start: dt.datetime) -> bool:
        return all(start + length <= starts_at or ends_at <= start for starts_at, ends_at in taken)

    def works(person: int, start: dt.datetime) -> bool:
        spans = working.get(person)
        return spans is None or any(opens <= start and start + length <= closes for opens, closes in spans)

    moment = window[0]
    while moment + length <= window[1]:
        start, moment = moment, moment + MINUTE
        wall = start.astimezone(place)
        if start < now or (wall.hour * 60 + wall.minute) % step:
            continue
        if not all(is_free(taken, start) and works(person, start) for person, taken in required.items()):
            continue
        free_rooms = [room for room, taken in rooms.items() if is_free(taken, start)]
        if rooms and not free_rooms:
            continue
        missing = tuple(
            person for person, taken in optional.items() if not (is_free(taken, start) and works(person, start))
        )
        until = (start + length).astimezone(place)
        noon, two = (dt.datetime.combine(wall.date(), dt.time(hour), place) for hour in (12, 14))
        lunch = wall < two and noon < until
        edge = wall.time() < dt.time(9) or until.time() > dt.time(17, 30) or until.date() > wall.date()
        slot = Slot(start, start + length, missing=missing, room=free_rooms[0] if free_rooms else None, is_lunch=lunch)
        key = (len(missing), (wall.date() - first_day).days + 3 * lunch + edge, start)
        found.append((key, wall.date(), slot))
    found.sort(key=lambda one: one[0])
    chosen: list[tuple[tuple[object, ...], dt.date, Slot]] = []
    for most_a_day in (3, 10**6):
        for one in found:
            clear = all(
                one[2].ends_at <= other[2].starts_at or other[2].ends_at <= one[2].starts_at for other in chosen
            )
            if len(chosen) < limit and clear and sum(other[1] == one[1] for other in chosen) < most_a_day:
                chosen.append(one)
    return [one[2] for one in sorted(chosen, key=lambda one: one[0])]


def intervals(most: int) -> st.SearchStrategy[list[Interval]]:
    """Meetings of the two days, not at round minutes, in any order, some over others."""
    one = st.tuples(st.integers(-60, 2 * 24 * 60), st.integers(1, 300))
    return st.lists(one, max_size=most).map(
        lambda pairs: [(at("0:00") + start * MINUTE, at("0:00") + (start + length) * MINUTE) for start, length in pairs]
    )


people_free = st.dictionaries(st.integers(1, 4), intervals(4), max_size=3)


@settings(max_examples=80, deadline=None)
@given(
    minutes=st.sampled_from([1, 15, 30, 50, 60, 95, 180]),
    step=st.sampled_from([5, 15, 30, 60]),
    zone=st.sampled_from([PARIS, REUNION, "Pacific/Marquesas"]),
    start=st.integers(0, 24 * 60),
    length=st.integers(0, 24 * 60),
    now=st.integers(0, 24 * 60),
    required=people_free,
    optional=st.dictionaries(st.integers(11, 14), intervals(3), max_size=3),
    working=st.dictionaries(
        st.sampled_from([1, 2, 3, 4, 11, 12]), st.sampled_from([usual(), usual(REUNION)]), max_size=6
    ),
    rooms=st.dictionaries(st.integers(21, 23), intervals(3), max_size=2),
    limit=st.integers(1, 12),
)
def test_r18_every_proposal_is_the_one_that_a_slow_search_finds(
    minutes: int,
    step: int,
    zone: str,
    start: int,
    length: int,
    now: int,
    required: dict[int, list[Interval]],
    optional: dict[int, list[Interval]],
    working: dict[int, list[Interval]],
    rooms: dict[int, list[Interval]],
    limit: int,
) -> None:
    window = (at("0:00") + start * MINUTE, at("0:00") + (start + length) * MINUTE)
    asked = {
        "minutes": minutes,
        "step": step,
        "zone": zone,
        "window": window,
        "now": at("0:00") + now * MINUTE,
        "required": required,
        "optional": optional,
        "working": working,
        "rooms": rooms,
        "limit": limit,
    }
    assert propose_slots(**asked) == slow(**asked)  # type: ignore[arg-type]


@given(
    required=st.dictionaries(st.integers(1, 4), intervals(6), min_size=1, max_size=4),
    minutes=st.integers(1, 240),
    seconds=st.integers(0, 59),
    beyond=st.booleans(),
)
def test_r18_no_proposal_is_over_a_required_attendees_time_in_the_past_or_over_another(
    required: dict[int, list[Interval]], minutes: int, seconds: int, beyond: bool
) -> None:
    now = at("8:00") + dt.timedelta(seconds=seconds, microseconds=seconds)
    slots = propose(
        required=required,
        working=dict.fromkeys(required, usual()),
        minutes=minutes,
        now=now,
        window=(at("0:00"), at("0:00", 2)),
        beyond_hours=beyond,
    )
    for slot in slots:
        assert slot.starts_at >= now
        assert slot.ends_at - slot.starts_at == minutes * MINUTE
        for taken in required.values():
            assert not any(slot.starts_at < end and start < slot.ends_at for start, end in taken)
    ordered = sorted(slots, key=lambda slot: slot.starts_at)
    assert all(before.ends_at <= after.starts_at for before, after in itertools.pairwise(ordered))


def test_fifty_people_over_fourteen_days_take_milliseconds() -> None:
    chance = random.Random(1)
    window = (at("0:00"), at("0:00", 14))

    def meetings() -> list[Interval]:
        found = []
        for day in range(14):
            for _index in range(5):
                start = at("8:00", day) + chance.randint(0, 36) * 15 * MINUTE
                found.append((start, start + chance.choice([30, 60]) * MINUTE))
        return found

    required = {person: meetings() if person < 4 else meetings()[:8] for person in range(25)}
    optional = {person: meetings() for person in range(25, 50)}
    working = dict.fromkeys(range(50), usual(days=14))
    spent = []
    for _round in range(5):
        began = time.process_time()
        propose_slots(minutes=30, window=window, now=window[0], required=required, optional=optional, working=working)
        spent.append(time.process_time() - began)
    # Some 10 ms here; a search that looks at every minute of everybody takes seconds.
    assert min(spent) < 0.15, spent
