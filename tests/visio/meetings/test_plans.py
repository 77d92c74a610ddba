"""The statements that every page runs find their rows through the partial indexes (DATA, trap 1)."""

import datetime as dt
import json
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from suite.agents.models import Agent
from tests import factories
from tests.visio.meetings.planned_series import NOW, START, WEEK
from visio.meetings.listing import read_page
from visio.meetings.models import Attendee
from visio.meetings.queries import agenda

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


# Ten years of one-offs of ten people each, and weekly series.
_MEETINGS = """
INSERT INTO visio_meeting (public_id, uid, organiser_id, title, description, place, privacy, status, start_date, start_time,
                           time_zone, minutes, is_series, rrule, sequence, revision, wants_tchap, creation_key, is_demo,
                           created_at, changed_at)
SELECT gen_random_uuid(), gen_random_uuid()::text, %(first)s + n %% %(number)s, 'Point', '', '', 'public', 'confirmed',
       '2026-01-01', '10:00', 'Europe/Paris', 60, n %% 20 = 0, '', 0, 1, FALSE, gen_random_uuid(), FALSE, now(), now()
  FROM generate_series(1, 4000) n
"""
_DATES = """
INSERT INTO visio_occurrence (meeting_id, recurrence_id, starts_at, ends_at, status, sequence, is_override)
SELECT m.id, CASE WHEN m.is_series THEN d.at END, d.at, d.at + interval '1 hour', 'confirmed', 0, FALSE
  FROM visio_meeting m
  CROSS JOIN LATERAL (
        SELECT CASE WHEN m.is_series THEN %(now)s::timestamptz - interval '1 year' + n * interval '7 days'
                    ELSE %(now)s::timestamptz + (m.id * 7919 %% 3650 - 3000) * interval '1 day' END AS at
          FROM generate_series(0, CASE WHEN m.is_series THEN 130 ELSE 0 END) n
       ) d
 WHERE m.uid NOT LIKE '%%@%%'
"""
_PEOPLE = """
INSERT INTO visio_attendee (public_id, meeting_id, agent_id, email, name, role, answer, answered_via, comment, is_series,
                            starts_at, ends_at, link_nonce, link_hash)
SELECT gen_random_uuid(), m.id, %(first)s + (m.id + n) %% %(number)s, n || '@' || m.id, '', 'required',
       CASE WHEN (m.id + n) %% 30 = 0 THEN 'needs_action' ELSE 'accepted' END, '', '', m.is_series,
       t.starts_at, CASE WHEN m.is_series THEN '9999-12-01Z'::timestamptz ELSE t.ends_at END, '', gen_random_uuid()::text
  FROM visio_meeting m
  CROSS JOIN generate_series(1, 10) n
  JOIN LATERAL (SELECT min(starts_at) AS starts_at, max(ends_at) AS ends_at
                  FROM visio_occurrence o WHERE o.meeting_id = m.id) t ON TRUE
 WHERE m.uid NOT LIKE '%%@%%'
"""


@pytest.fixture
def crowd() -> list[Agent]:
    """Agents with a past: a plan is only worth looking at where rows are many."""
    home = factories.organisation()
    agents = [factories.agent(organisation=home) for _index in range(20)]
    values: dict[str, Any] = {"first": agents[0].pk, "number": len(agents), "now": NOW}
    with connection.cursor() as cursor:
        for statement in (_MEETINGS, _DATES, _PEOPLE):
            cursor.execute(statement, values)
        cursor.execute("ANALYZE visio_attendee, visio_occurrence, visio_meeting, visio_attendeeexception")
    return agents


def indexes_of(run: Any) -> set[str]:
    """The indexes that the statements of `run` use."""
    with CaptureQueriesContext(connection) as captured:
        run()
    found: set[str] = set()
    with connection.cursor() as cursor:
        for query in captured.captured_queries:
            if query["sql"].startswith(("SAVEPOINT", "RELEASE")):
                continue
            cursor.execute("EXPLAIN (FORMAT JSON) " + query["sql"].replace("%", "%%"), [])
            [plan] = cursor.fetchone()
            text = plan if isinstance(plan, str) else json.dumps(plan)
            found |= {
                line for line in text.replace('"', "\n").splitlines() if line.startswith(("attendee_", "occurrence_"))
            }
    return found


def test_the_agenda_uses_both_arms(crowd: list[Agent]) -> None:
    used = indexes_of(lambda: agenda([one.pk for one in crowd[:3]], START, START + WEEK, crowd[0]))

    assert {"attendee_one", "attendee_ser", "occurrence_by_meeting_start"} <= used


def test_what_waits_is_found_by_its_own_index(crowd: list[Agent]) -> None:
    used = indexes_of(lambda: list(Attendee.objects.unanswered_by(crowd[0], now=NOW).values_list("pk")))

    assert "attendee_todo" in used


def test_what_is_to_come_uses_both_arms(crowd: list[Agent]) -> None:
    used = indexes_of(lambda: read_page(crowd[0], tab="a-venir", page=1, now=START + 3 * DAY))

    assert {"attendee_one", "attendee_ser"} <= used
