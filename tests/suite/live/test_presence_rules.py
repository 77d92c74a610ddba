"""Which state is shown: every combination follows the order of the rules."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from suite.agents.leaves import Absence
from suite.live.presence_rules import Chosen, Connection, Presence, resolve

NOW = dt.datetime(2026, 11, 23, 9, 0, tzinfo=dt.UTC)
IDLE = dt.timedelta(minutes=5)
MINUTE = dt.timedelta(minutes=1)

moments = st.integers(-7200, 7200).map(lambda seconds: NOW + dt.timedelta(seconds=seconds))
connections = st.builds(Connection, alive_until=moments, active_at=moments, in_call=st.booleans())
crowds = st.lists(connections, max_size=4)
choices = st.builds(
    Chosen,
    state=st.sampled_from(["automatic", "do_not_disturb", "away", "offline"]),
    until=st.none() | moments,
)
ends = st.none() | moments


def here(*, active: dt.timedelta = dt.timedelta(0), in_call: bool = False) -> Connection:
    return Connection(NOW + MINUTE, NOW - active, in_call)


@given(crowds, choices, ends)
def test_states_follow_their_order(crowd: list[Connection], chosen: Chosen, meeting_until: dt.datetime | None) -> None:
    alive = [one for one in crowd if one.alive_until > NOW]
    lasts = chosen.until is None or chosen.until > NOW
    dated = chosen.until is not None and chosen.until > NOW
    busy = (meeting_until is not None and meeting_until > NOW) or any(one.in_call for one in alive)
    if chosen.state == "do_not_disturb" and lasts and (alive or dated):
        expected = "do_not_disturb"
    elif busy:
        expected = "in_meeting"
    elif chosen.state == "offline" and lasts:
        expected = "offline"
    elif chosen.state == "away" and lasts and (alive or dated):
        expected = "away"
    elif not alive:
        expected = "offline"
    elif all(NOW - one.active_at >= IDLE for one in alive):
        expected = "away"
    else:
        expected = "available"
    assert resolve(crowd, chosen, meeting_until, NOW).state == expected


@given(crowds, choices, ends)
def test_a_dead_connection_changes_nothing(
    crowd: list[Connection], chosen: Chosen, meeting_until: dt.datetime | None
) -> None:
    dead = Connection(NOW - MINUTE, NOW, in_call=True)
    assert resolve([*crowd, dead], chosen, meeting_until, NOW) == resolve(crowd, chosen, meeting_until, NOW)


@given(crowds, choices, ends, st.integers(0, 23))
def test_several_tabs_are_one_person_in_any_order(
    crowd: list[Connection], chosen: Chosen, meeting_until: dt.datetime | None, turn: int
) -> None:
    turned = crowd[turn % (len(crowd) or 1) :] + crowd[: turn % (len(crowd) or 1)]
    assert resolve(turned, chosen, meeting_until, NOW) == resolve(crowd, chosen, meeting_until, NOW)
    assert resolve(crowd + crowd, chosen, meeting_until, NOW) == resolve(crowd, chosen, meeting_until, NOW)


@given(crowds, choices, ends)
def test_only_ends_in_the_future_are_shown(
    crowd: list[Connection], chosen: Chosen, meeting_until: dt.datetime | None
) -> None:
    shown = resolve(crowd, chosen, meeting_until, NOW)
    assert shown.until is None or shown.until > NOW
    assert shown.since is None or shown.since <= NOW - IDLE
    assert shown.state != "unknown"


def test_one_active_tab_keeps_a_person_available() -> None:
    idle_tab = here(active=dt.timedelta(hours=1))
    assert resolve([idle_tab, here()], Chosen(), None, NOW) == Presence("available", NOW)


def test_away_since_the_last_activity_of_any_tab() -> None:
    crowd = [here(active=dt.timedelta(hours=1)), here(active=20 * MINUTE)]
    assert resolve(crowd, Chosen(), None, NOW) == Presence("away", NOW, since=NOW - 20 * MINUTE)


def test_in_a_meeting_until_its_end_even_without_a_tab() -> None:
    assert resolve([], Chosen(), NOW + MINUTE, NOW) == Presence("in_meeting", NOW, until=NOW + MINUTE)


def test_in_a_call_without_a_meeting_has_no_end() -> None:
    assert resolve([here(in_call=True)], Chosen(), None, NOW) == Presence("in_meeting", NOW)


def test_do_not_disturb_without_end_is_forgotten_at_home() -> None:
    assert resolve([], Chosen("do_not_disturb"), None, NOW).state == "offline"
    assert resolve([], Chosen("do_not_disturb", NOW + MINUTE), None, NOW).state == "do_not_disturb"


ON_LEAVE = Absence(NOW + 24 * 60 * MINUTE, dt.date(2026, 11, 23))


@given(crowds, choices, ends)
def test_leave_outranks_the_calendar_but_not_a_call(
    crowd: list[Connection], chosen: Chosen, meeting_until: dt.datetime | None
) -> None:
    without = resolve(crowd, chosen, meeting_until, NOW)
    shown = resolve(crowd, chosen, meeting_until, NOW, absence=ON_LEAVE)
    if without.state == "do_not_disturb" or any(one.in_call for one in crowd if one.alive_until > NOW):
        assert shown == without
    else:
        assert shown == Presence("away", NOW, until=ON_LEAVE.until, last_day=ON_LEAVE.last_day)
    over = Absence(NOW, dt.date(2026, 11, 22))
    assert resolve(crowd, chosen, meeting_until, NOW, absence=over) == without
