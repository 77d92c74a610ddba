"""PROMISES 11: PostgreSQL was restarted; what is asked of it afterwards is answered."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from django.db import connection

from suite.agents.models import Agent
from tests import factories

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]
AT_ONCE = 6


def test_p11_every_idle_connection_is_dead_and_reads_go_on() -> None:
    factories.agent()
    together = threading.Barrier(AT_ONCE)

    def one_more_connection(_number: int) -> int:
        try:
            found = Agent.objects.count()
            together.wait(timeout=30)
            return found
        finally:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE) as threads:
        assert list(threads.map(one_more_connection, range(AT_ONCE))) == [1] * AT_ONCE
    name = connection.settings_dict["NAME"]
    connection.close()
    with psycopg.connect(f"{os.environ['DATABASE_URL'].rpartition('/')[0]}/postgres", autocommit=True) as outside:
        ended = outside.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = %s", [name]
        ).fetchone()
    assert ended is not None
    assert ended[0] >= AT_ONCE

    assert Agent.objects.count() == 1
