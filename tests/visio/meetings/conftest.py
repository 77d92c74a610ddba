"""The people whom most tests of meetings are about."""

from __future__ import annotations

import pytest

from suite.agents.models import Agent
from tests import factories


@pytest.fixture
def boss() -> Agent:
    return factories.agent("Karim", "Benali")


@pytest.fixture
def anne() -> Agent:
    return factories.agent("Anne", "Le Goff")


@pytest.fixture
def organiser() -> Agent:
    return factories.agent("Claire", "Morel")


@pytest.fixture
def guest(organiser: Agent) -> Agent:
    return factories.agent("Karim", "Benali", organisation=organiser.organisation)
