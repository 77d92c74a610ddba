"""Two agents of one organisation."""

from __future__ import annotations

import pytest

from suite.agents.models import Agent
from tests import factories


@pytest.fixture
def organiser() -> Agent:
    return factories.agent("Claire", "Morel")


@pytest.fixture
def colleague(organiser: Agent) -> Agent:
    return factories.agent("Paul", "Petit", organisation=organiser.organisation)
