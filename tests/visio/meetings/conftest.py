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
