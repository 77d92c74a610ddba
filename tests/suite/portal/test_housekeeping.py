"""What nobody needs any more goes, a little at a time."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.conf import settings as configured
from django.contrib.sessions.models import Session
from django.utils import timezone

from suite.celery import app
from suite.mail.models import OutboxMail, OutboxState
from suite.portal import housekeeping, tasks
from tests import factories
from visio.meetings.idempotency_models import IdempotentResponse
from visio.reminders.models import Digest, Reminder

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def session(key: str, *, expires: dt.timedelta) -> None:
    Session.objects.create(session_key=key, session_data="", expire_date=NOW + expires)


def answered(key: str, *, age: dt.timedelta) -> None:
    row = IdempotentResponse.objects.create(agent=factories.agent(), key=key, request_hash="h", status=201, body={})
    IdempotentResponse.objects.filter(pk=row.pk).update(created_at=NOW - age)


def letter(key: str, state: OutboxState, *, age: dt.timedelta) -> None:
    OutboxMail.objects.create(
        key=key,
        kind="poll",
        recipient="x@ext.example",
        subject="S",
        text="https://…/sondage/secret/",
        html="",
        state=state,
        due_at=NOW - age,
        sent_at=NOW - age if state == OutboxState.SENT else None,
    )


def left() -> tuple[set[str], set[str]]:
    return (
        set(Session.objects.values_list("session_key", flat=True)),
        set(IdempotentResponse.objects.values_list("key", flat=True)),
    )


def test_the_expired_goes_and_the_rest_stays() -> None:
    session("over", expires=-dt.timedelta(minutes=1))
    session("open", expires=dt.timedelta(minutes=1))
    answered("old", age=dt.timedelta(hours=49))
    answered("yesterday's", age=dt.timedelta(hours=25))

    assert housekeeping.purge(now=NOW, seconds=30)

    assert left() == ({"open"}, {"yesterday's"})


def test_letters_that_are_done_with_go_after_thirty_days_and_what_is_owed_stays() -> None:
    old, young = dt.timedelta(days=31), dt.timedelta(days=29)
    for state in OutboxState:
        letter(f"old {state}", state, age=old)
        letter(f"young {state}", state, age=young)

    assert housekeeping.purge(now=NOW, seconds=30)

    kept = {f"young {state}" for state in OutboxState} | {"old owed", "old sending"}
    assert set(OutboxMail.objects.values_list("key", flat=True)) == kept


def test_reminders_and_digests_go_a_week_after_their_day() -> None:
    agent = factories.agent()
    [date] = factories.meeting().occurrences.all()
    for days in (6, 8):
        at = NOW - dt.timedelta(days=days)
        Reminder.objects.create(agent=agent, occurrence=date, starts_at=at, minutes=10, due_at=at)
        Digest.objects.create(agent=agent, day=at.date(), made_at=at)

    assert housekeeping.purge(now=NOW, seconds=30)

    young = NOW - dt.timedelta(days=6)
    assert [row.starts_at for row in Reminder.objects.all()] == [young]
    assert [row.day for row in Digest.objects.all()] == [young.date()]


def test_by_batches(django_assert_num_queries: Any) -> None:
    for number in range(5):
        session(f"over{number}", expires=-dt.timedelta(days=1))
    # Three batches of sessions (one look, one delete each), and a look that finds nothing at each other kind.
    with django_assert_num_queries(3 * 2 + 6):
        housekeeping.purge(now=NOW, seconds=30, limit=2)
    assert left() == (set(), set())


def test_when_time_is_up_the_rest_waits_for_the_next_call() -> None:
    session("over", expires=-dt.timedelta(days=1))

    assert not housekeeping.purge(now=NOW, seconds=0)
    assert left() == ({"over"}, set())


def test_the_task_goes_on_until_all_is_done(redis_client: Any) -> None:
    session("over", expires=-dt.timedelta(days=1))
    answered("old", age=dt.timedelta(hours=49))
    tasks.purge()
    assert left() == (set(), set())


def test_beat_calls_it_daily_and_knows_every_task_that_it_calls() -> None:
    app.loader.import_default_modules()
    called = {entry["task"] for entry in configured.CELERY_BEAT_SCHEDULE.values()}

    assert "portal.purge" in called
    assert called <= set(app.tasks)
