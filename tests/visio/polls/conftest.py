"""Who asks."""

from __future__ import annotations

import pytest

from suite.agents.models import Agent
from tests import factories


@pytest.fixture
def boss() -> Agent:
    return factories.agent("Karim", "Benali")
