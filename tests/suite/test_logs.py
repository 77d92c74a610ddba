"""What the portal's processes write down must not let anybody in."""

from __future__ import annotations

import logging
import sys
import urllib.error
import urllib.request

import pytest

from suite.celery import app
from suite.logs import Line
from tests import factories
from tests.processes import CeleryProcess, LivePortal
from tests.waiting import until
from visio.meetings.tokens import link_token

OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def status(url: str, method: str) -> int:
    try:
        with OPENER.open(urllib.request.Request(url, method=method), timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("page", ["", "rejoindre/"])
def test_no_invitation_secret_reaches_the_logs(live_portal: LivePortal, page: str) -> None:
    meeting = factories.meeting(guests=["invite@example.org"])
    token = link_token(meeting.attendees.get(email="invite@example.org"))
    before = live_portal.logged().count("/invitation/…/")
    address = f"{live_portal.url}/invitation/{token}/{page}"
    assert (status(address, "OPTIONS"), status(address, "POST")) == (405, 403)
    until(lambda: live_portal.logged().count("/invitation/…/") >= before + 2, what="both refusals in the log")
    assert token not in live_portal.logged()


def test_no_mailbox_is_written_even_in_a_traceback() -> None:
    try:
        raise ValueError("Failing row contains (7, claire.morel@dinum.gouv.fr, Claire)")
    except ValueError:
        record = logging.LogRecord(
            "x", logging.ERROR, __file__, 1, "for %s", ("k.ouali@ville.example",), sys.exc_info()
        )
    written = Line("%(message)s").format(record)
    assert "claire.morel" not in written
    assert "k.ouali" not in written
    assert "for …@ville.example" in written
    assert "ValueError: Failing row contains (7, …@dinum.gouv.fr, Claire)" in written


def test_no_personal_token_is_written() -> None:
    record = logging.LogRecord("x", logging.INFO, __file__, 1, "Bearer suite_%s", ("a-_9" * 10,), None)
    assert Line("%(message)s").format(record) == "Bearer suite_…"


@pytest.mark.django_db(transaction=True)
def test_a_worker_writes_no_address_and_no_secret(celery_worker: CeleryProcess) -> None:
    """It quotes the whole message of a task that it does not know, as after a deployment that went back."""
    app.send_task("visio.mail_of_tomorrow", args=["claire.morel@dinum.gouv.fr", "/invitation/Zm9vYmFyYmF6/"])
    until(lambda: "visio.mail_of_tomorrow" in celery_worker.logged(), 20, what="the unknown task in the log")
    written = until(lambda: "…@dinum.gouv.fr" in celery_worker.logged() and celery_worker.logged(), 5)
    assert "claire.morel" not in written
    assert "Zm9vYmFyYmF6" not in written
    assert "/invitation/…/" in written


@pytest.mark.django_db(transaction=True)
def test_celery_writes_as_the_portal_does(celery_worker: CeleryProcess, celery_beat: CeleryProcess) -> None:
    for process, words in (
        (celery_worker, "INFO celery.apps.worker "),
        (celery_beat, "INFO celery.beat beat: Starting"),
    ):
        assert words in process.logged()
