"""An administrator at work."""

import pytest
from django.test import Client

from suite.agents.models import Agent
from tests import factories
from tests.suite.office import everything
from visio.meetings.models import Meeting


@pytest.fixture
def administrator() -> Agent:
    return factories.agent("Ada", "Ministre", is_staff=True, is_superuser=True)


@pytest.fixture
def office(client: Client, administrator: Agent) -> Client:
    client.force_login(administrator)
    return client


@pytest.fixture
def meeting(administrator: Agent) -> Meeting:
    return everything(administrator)
