"""What nobody needs any more goes, a little at a time."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.conf import settings as configured
from django.contrib.sessions.models import Session
from django.utils import timezone

from suite.celery import app
from suite.portal import housekeeping, tasks
from tests import factories
from visio.meetings.models import IdempotentResponse

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def session(key: str, *, expires: dt.timedelta) -> None:
    Session.objects.create(session_key=key, session_data="", expire_date=NOW + expires)


def answered(key: str, *, age: dt.timedelta) -> None:
    row = IdempotentResponse.objects.create(agent=factories.agent(), key=key, request_hash="h", status=201, body={})
    IdempotentResponse.objects.filter(pk=row.pk).update(created_at=NOW - age)


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


def test_by_batches(monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any) -> None:
    monkeypatch.setattr(housekeeping, "BATCH", 2)
    for number in range(5):
        session(f"over{number}", expires=-dt.timedelta(days=1))
    # Three batches of sessions (one look, one delete each), and looks that find no answer of the API and no message.
    with django_assert_num_queries(3 * 2 + 2):
        housekeeping.purge(now=NOW, seconds=30)
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
