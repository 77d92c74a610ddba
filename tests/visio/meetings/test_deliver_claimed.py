"""A meeting changes before its letters go out, or while a sender holds them (P20, P21)."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection, transaction

from suite.agents.models import Agent
from tests.looking import Mailbox
from tests.visio.meetings.mailed import EXT, NOW, START, changed, planned, states
from tests.visio.meetings.reading import received, send_all
from visio.meetings.invitations import _claim, deliver
from visio.meetings.models import Delivery
from visio.meetings.scheduling import cancel_meeting

pytestmark = pytest.mark.django_db(transaction=True)


def test_p21_cancelled_before_it_went_out_nothing_is_sent(boss: Agent, mailbox: Mailbox) -> None:
    meeting = planned(boss, EXT)
    cancel_meeting(meeting=meeting, by=boss, now=NOW)
    assert send_all(NOW) == []
    assert states(meeting) == [(EXT, "REQUEST", "invited", "superseded")]
    assert mailbox.messages() == []


def test_p21_cancelled_while_claimed_nothing_is_sent(boss: Agent, mailbox: Mailbox) -> None:
    """A sender holds the row, the meeting is cancelled: the CANCEL is owed in case, and dropped when it proves needless."""
    meeting = planned(boss, EXT)
    meeting.deliveries.update(state="sending", claimed_until=NOW - dt.timedelta(seconds=1), attempts=1)
    cancel_meeting(meeting=meeting, by=boss, now=NOW)
    assert states(meeting)[-1] == (EXT, "CANCEL", "cancelled", "owed")
    # That sender died without a word: the guest may have the invitation, so the CANCEL goes, and no REQUEST after it.
    send_all(NOW)
    assert [m.method for m in received(mailbox, EXT)] == ["CANCEL"]
    assert [r.state for r in meeting.deliveries.order_by("pk")] == ["superseded", "sent"]


def test_p21_a_cancel_waits_for_the_request_in_another_sender_s_hands(boss: Agent, mailbox: Mailbox) -> None:
    meeting = planned(boss, EXT)
    meeting.deliveries.update(state="sending", claimed_until=NOW + dt.timedelta(seconds=60), attempts=1)
    cancel_meeting(meeting=meeting, by=boss, now=NOW)
    deliver(now=NOW)
    assert mailbox.messages() == []
    assert meeting.deliveries.get(method="CANCEL").state == "owed"
    meeting.deliveries.filter(method="REQUEST").update(state="superseded", claimed_until=None)
    send_all(NOW + dt.timedelta(seconds=10))
    assert mailbox.messages() == []
    assert meeting.deliveries.get(method="CANCEL").state == "superseded"


def test_p20_an_edit_while_the_rows_are_claimed(boss: Agent, mailbox: Mailbox) -> None:
    """The rows in a sender's hands are out of date when it comes to them: each guest gets today's version, as an invitation."""
    meeting = planned(boss, EXT)
    meeting.deliveries.update(state="sending", claimed_until=NOW - dt.timedelta(seconds=1))
    meeting = changed(meeting, EXT, starts_at=START + dt.timedelta(hours=1))
    meeting.deliveries.filter(revision=1).update(state="owed")
    send_all(NOW)
    [mail] = received(mailbox, EXT)
    assert (int(mail.event["SEQUENCE"]), mail.subject.split(" ")[0]) == (1, "Invitation")
    assert states(meeting) == [(EXT, "REQUEST", "invited", "superseded"), (EXT, "REQUEST", "invited", "sent")]


def test_p20_a_guest_added_while_the_first_rows_are_claimed(boss: Agent, mailbox: Mailbox) -> None:
    """Nobody is owed a change, yet the claimed row is out of date: it is owed anew under today's version."""
    meeting = planned(boss, EXT)
    meeting.deliveries.update(state="sending", claimed_until=NOW + dt.timedelta(seconds=60))
    meeting = changed(meeting, EXT, "autre@partenaire.example")
    meeting.deliveries.filter(revision=1).update(state="owed")
    send_all(NOW)
    assert [len(received(mailbox, to)) for to in (EXT, "autre@partenaire.example")] == [1, 1]
    assert (EXT, "REQUEST", "invited", "sent") in states(meeting)


def test_the_newest_cost_the_same_however_many_follow_an_unsent_one(boss: Agent) -> None:
    """Everybody of a crowd is owed two letters: nobody's first one is looked for among all the others."""
    meeting = planned(boss, EXT)
    old = {"sequence": 0, "revision": 1, "state": "sent"}
    rows = [Delivery(meeting=meeting, uid=f"{number}@old", recipient=EXT, due_at=NOW, **old) for number in range(6000)]
    for revision in (2, 3):
        told = {"meeting": meeting, "uid": meeting.uid, "sequence": revision, "revision": revision}
        due_at = NOW - dt.timedelta(hours=4 - revision)
        rows += [Delivery(recipient=f"g{number}@crowd.example", due_at=due_at, **told) for number in range(600)]
    Delivery.objects.bulk_create(rows)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ANALYZE visio_delivery")
        read = "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'visio_delivery'"
        cursor.execute(read)
        [before] = cursor.fetchone()
        claimed = _claim(50, NOW)
        cursor.execute(read)
        [after] = cursor.fetchone()
    assert len(claimed) == 50
    assert after - before < 5 * len(rows)
