"""One message that makes the server hang up must not stop the others, nor be sent again without end."""

from __future__ import annotations

import datetime as dt

import pytest

from tests import factories
from tests.looking import Mailbox
from tests.visio.meetings.reading import send_all
from visio.meetings.invitations import BACKOFF, deliver
from visio.meetings.models import Delivery
from visio.meetings.scheduling import schedule_meeting

pytestmark = pytest.mark.django_db(transaction=True)
NOW = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)
START = dt.datetime(2026, 11, 24, 13, 0, tzinfo=dt.UTC)
BAD, GOOD, LAST = "a@partenaire.example", "b@partenaire.example", "c@partenaire.example"


def test_a_message_that_ends_the_connection_waits_longer_and_the_others_go(mailbox: Mailbox) -> None:
    schedule_meeting(
        by=factories.agent(), draft=factories.draft(guests=[BAD, GOOD, LAST], starts_at=START, now=NOW), now=NOW
    )
    mailbox.lose_reply(BAD, times=100)
    assert deliver(now=NOW).server_down
    bad = Delivery.objects.get(recipient=BAD)
    assert (bad.state, bad.attempts, bad.maybe_received) == ("owed", 1, True)
    assert bad.due_at >= NOW + BACKOFF[0]
    [report] = send_all(NOW + dt.timedelta(seconds=20))
    assert (report.claimed, report.sent) == (2, 2)
    assert {row.recipient for row in Delivery.objects.filter(state="sent")} == {GOOD, LAST}
    deliver(now=NOW + dt.timedelta(seconds=60))
    bad.refresh_from_db()
    assert (bad.attempts, bad.due_at >= NOW + dt.timedelta(seconds=60) + BACKOFF[1]) == (2, True)
