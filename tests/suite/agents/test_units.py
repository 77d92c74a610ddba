"""Finding the people of a unit stays quick in an organisation of many."""

from __future__ import annotations

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests import factories
from visio.meetings.groups import members

pytestmark = pytest.mark.django_db


def test_the_members_of_a_unit_are_found_by_an_index() -> None:
    viewer = factories.agent("Anne", "Durand")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO agents_agent (public_id, sub, password, email, given_name, usual_name, search_name,"
            " organisation_id, organizational_unit, job_title, time_zone, language, theme, chosen_presence, matrix_id,"
            " is_active, is_staff, is_superuser, is_demo, created_at)"
            " SELECT gen_random_uuid(), 'u' || n, '!', 'u' || n || '@x.example', 'A', 'B' || n, 'a b' || n, %s,"
            " 'Service ' || n %% 1000, '', 'Europe/Paris', 'fr', 'system', 'automatic', '', true, false, false, false, now()"
            " FROM generate_series(1, 20000) n",
            [viewer.organisation_id],
        )
        cursor.execute("ANALYZE agents_agent")
    with CaptureQueriesContext(connection) as seen:
        found = members(viewer=viewer, key="service:Service 7")
    assert found is not None
    assert found[0].count == 20
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (FORMAT JSON) " + seen[-1]["sql"])
        plan = json.dumps(cursor.fetchone()[0])
    assert "agent_by_unit" in plan
    assert "Seq Scan" not in plan
