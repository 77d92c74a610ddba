"""A call when Redis goes away under it."""

import contextlib
from collections.abc import Callable
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from tests import factories
from tests.processes import LivePortal
from tests.visio.rooms.sockets import Caller
from tests.waiting import PATIENCE, until

pytestmark = pytest.mark.django_db(transaction=True)


def come_back(portal: LivePortal, caller: Caller, agent: Any, slug: str, seat: str) -> Caller:
    """What a browser does: keeps its socket while it answers, opens another and takes its seat again when it does not."""
    try:
        caller.say("ping")
        caller.hear("pong", seconds=2)
    except (ConnectionClosed, AssertionError):
        caller.close()

        def again() -> Caller | None:
            fresh = Caller(portal.url, slug, agent=agent)
            try:
                fresh.hello()
                fresh.join(seat=seat)
            except (ConnectionClosed, AssertionError):
                fresh.close()
                return None
            return fresh

        return until(again, 3 * PATIENCE, every=0.5)
    return caller


def test_redis_killed_during_a_call_nothing_is_lost_for_good(
    start_portal: Callable[..., LivePortal], own_parts: Any
) -> None:
    valkey = own_parts.valkey()
    portal = start_portal(REDIS_URL=valkey.url)
    claire, karim = factories.agent("Claire", "Morel"), factories.agent("Karim", "Ouali")
    meeting = factories.meeting(claire, guests=[karim])
    slug = meeting.room.slug
    callers, seats, ids = {}, {}, {}
    for agent in (claire, karim):
        callers[agent] = Caller(portal.url, slug, agent=agent)
        callers[agent].hello()
        joined = callers[agent].join()
        seats[agent], ids[agent] = joined["seat"], joined["ticket"]["participant"]

    valkey.kill()
    # Words cannot pass now; the socket says so or waits, and the server lives.
    with contextlib.suppress(ConnectionClosed):
        callers[claire].say("state", mic=False, camera=False)
    valkey.start()

    def both_are_there() -> bool:
        for agent in (claire, karim):
            callers[agent] = come_back(portal, callers[agent], agent, slug, seats[agent])
        with contextlib.suppress(ConnectionClosed):  # The server may notice what it lost only now.
            callers[karim].say("state", mic=True, camera=True)
            return {person["id"] for person in callers[karim].hear("roster")["people"]} == set(ids.values())
        return False

    until(both_are_there)
    callers[claire].say("signal", to=ids[karim], data={"again": True})
    assert callers[karim].hear("signal")["from"] == ids[claire]
    for caller in callers.values():
        caller.close()
