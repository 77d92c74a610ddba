"""A meeting with a room, its people, and sockets to its call."""

from collections.abc import Iterator

import pytest

from suite.agents.models import Agent
from tests import factories
from tests.processes import LivePortal
from tests.visio.rooms.sockets import Call, Caller
from visio.meetings.models import Meeting


@pytest.fixture
def claire() -> Agent:
    return factories.agent("Claire", "Morel")


@pytest.fixture
def karim() -> Agent:
    return factories.agent("Karim", "Ouali")


@pytest.fixture
def meeting(claire: Agent, karim: Agent) -> Meeting:
    return factories.meeting(claire, guests=[karim, "samir@exterieur.example"])


@pytest.fixture
def call(live_portal: LivePortal, meeting: Meeting) -> Iterator[Call]:
    """`call(agent)`: a socket of that meeting's call (or of another room's, by `slug`)."""
    open_now: list[Caller] = []
    said_before = len(live_portal.logged())

    def dial(agent: Agent | None = None, *, slug: str = "", **options: object) -> Caller:
        caller = Caller(live_portal.url, slug or meeting.room.slug, agent=agent, **options)
        open_now.append(caller)
        return caller

    yield dial
    for caller in open_now:
        caller.close()
    # Whatever was said: no fault of ours in the server's log.
    assert "Traceback" not in live_portal.logged()[said_before:]
