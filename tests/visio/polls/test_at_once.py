"""Two acts on one poll at the same moment."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import connection

from suite.mail.models import OutboxMail
from tests import factories
from tests.visio.polls.asking import ANNE, BOB, DAY, MAYBE, NO, NOW, YES, answered, keys, owed, poll, poll_draft
from visio.meetings.models import Attendee, Delivery, Meeting
from visio.polls.closing import choose_date, close_poll
from visio.polls.models import PollOption, PollParticipant, PollVote
from visio.polls.opening import open_poll
from visio.polls.refusals import (
    ChoiceRefused,
    ReminderRefused,
    VoteRefused,
)
from visio.polls.reminding import remind, remind_before_deadline


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Run them together; what each returned or raised."""
    barrier = threading.Barrier(len(acts))
    seen: list[Any] = [None] * len(acts)

    def run(number: int, act: Callable[[], Any]) -> None:
        barrier.wait()
        try:
            seen[number] = act()
        except (VoteRefused, ChoiceRefused, ReminderRefused) as refusal:
            seen[number] = refusal
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number, act)) for number, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)
    return seen


@pytest.mark.django_db(transaction=True)
def test_p18_two_posts_of_one_form_are_one_poll() -> None:
    boss, key, draft = factories.agent(), uuid.uuid4(), poll_draft([ANNE], now=NOW)
    made = at_once(*[lambda: open_poll(by=boss, draft=draft, now=NOW, creation_key=key)] * 4)
    assert len({one.pk for one in made}) == 1
    assert OutboxMail.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_choices_at_once_are_one_meeting() -> None:
    made = poll(now=NOW)
    first, second, _third = keys(made)
    boss = made.organiser
    same = at_once(*[lambda: choose_date(poll=made, key=first, by=boss, now=NOW)] * 4)
    assert len({one.pk for one in same}) == 1
    assert Attendee.objects.filter(email=ANNE).count() == Delivery.objects.count() == 1
    other = poll(boss, now=NOW)
    seen = at_once(
        lambda: choose_date(poll=other, key=first, by=boss, now=NOW),
        lambda: choose_date(poll=other, key=second, by=boss, now=NOW),
    )
    assert sorted(type(one).__name__ for one in seen) == ["ChoiceRefused", "Meeting"]
    assert Meeting.objects.count() == 2
    assert PollOption.objects.filter(poll=other, is_chosen=True).count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_vote_while_closing_is_before_it_or_refused() -> None:
    for _round in range(5):
        made = poll(people=[ANNE, BOB], now=NOW)
        votes = [partial(answered, made, who, YES, NO, MAYBE, now=NOW) for who in (ANNE, BOB)]
        seen = at_once(*votes, partial(close_poll, poll=made, by=made.organiser, now=NOW))
        taken = [one for one in seen[:2] if isinstance(one, PollParticipant)]
        assert all(one.reason == "closed" for one in seen[:2] if isinstance(one, VoteRefused))
        assert PollVote.objects.filter(option__poll=made).count() == 3 * len(taken)
        assert made.participants.exclude(answered_at=None).count() == len(taken)


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_once_remind_once() -> None:
    made = poll(people=[ANNE, BOB], now=NOW, deadline_in=5 * DAY)
    at = NOW + 3 * DAY
    seen = at_once(*[lambda: remind_before_deadline(poll_id=made.pk, now=at)] * 3)
    assert sorted(seen) == [0, 0, 2]
    by_hand = at_once(*[lambda: remind(poll=made, by=made.organiser, now=at + DAY)] * 2)
    assert sorted(type(one).__name__ for one in by_hand) == ["ReminderRefused", "int"]
    assert len(owed("reminder")) == 4
