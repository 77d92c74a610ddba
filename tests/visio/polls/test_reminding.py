"""People who have not answered are reminded: by hand, and before the deadline."""

from __future__ import annotations

import datetime as dt

import pytest

from suite.agents.models import Agent
from tests.visio.polls.asking import ANNE, BOB, DAY, NO, NOW, YES, answered, owed, poll, poll_draft
from visio.polls.closing import close_poll
from visio.polls.opening import edit_poll
from visio.polls.refusals import (
    ReminderRefused,
)
from visio.polls.reminding import due_polls, moments, remind, remind_before_deadline

pytestmark = pytest.mark.django_db


def test_by_hand_once_a_day_and_only_who_has_not_answered(boss: Agent) -> None:
    made = poll(boss, [ANNE, BOB], now=NOW)
    answered(made, ANNE, YES, YES, YES, now=NOW)
    assert remind(poll=made, by=boss, now=NOW) == 1
    assert owed("reminder") == [BOB]
    with pytest.raises(ReminderRefused, match="too_soon"):
        remind(poll=made, by=boss, now=NOW + DAY - dt.timedelta(seconds=1))
    assert remind(poll=made, by=boss, now=NOW + DAY) == 1
    answered(made, BOB, NO, NO, NO, now=NOW)
    with pytest.raises(ReminderRefused, match="nobody"):
        remind(poll=made, by=boss, now=NOW + 3 * DAY)
    close_poll(poll=made, by=boss, now=NOW)
    with pytest.raises(ReminderRefused, match="closed"):
        remind(poll=made, by=boss, now=NOW + 3 * DAY)


@pytest.mark.parametrize(
    ("deadline", "morning"),
    [
        # Thursday at six in the evening: that morning. At nine: the morning before. At ten: two hours are enough.
        (dt.datetime(2026, 11, 26, 17, 0, tzinfo=dt.UTC), dt.datetime(2026, 11, 26, 7, 0, tzinfo=dt.UTC)),
        (dt.datetime(2026, 11, 26, 8, 0, tzinfo=dt.UTC), dt.datetime(2026, 11, 25, 7, 0, tzinfo=dt.UTC)),
        (dt.datetime(2026, 11, 26, 9, 0, tzinfo=dt.UTC), dt.datetime(2026, 11, 26, 7, 0, tzinfo=dt.UTC)),
        # Midnight ends the day before.
        (dt.datetime(2026, 11, 25, 23, 0, tzinfo=dt.UTC), dt.datetime(2026, 11, 25, 7, 0, tzinfo=dt.UTC)),
    ],
)
def test_moments_of_the_reminders(deadline: dt.datetime, morning: dt.datetime) -> None:
    at = deadline
    assert [(moment.name, moment.at) for moment in moments(at, "Europe/Paris")] == [
        ("two_days", at - 2 * DAY),
        ("morning", morning),
    ]


def test_two_reminders_before_the_deadline_each_once(boss: Agent) -> None:
    made = poll(boss, [ANNE, BOB], now=NOW, deadline_in=5 * DAY)  # Friday 27 at ten in Paris
    deadline = NOW + 5 * DAY
    answered(made, BOB, YES, YES, YES, now=NOW)

    def sweep(at: dt.datetime) -> int:
        assert set(due_polls(at)) <= {made}
        return sum(remind_before_deadline(poll_id=one.pk, now=at) for one in due_polls(at))

    assert sweep(deadline - 2 * DAY - dt.timedelta(seconds=1)) == 0
    assert sweep(deadline - 2 * DAY) == 1
    assert sweep(deadline - 2 * DAY + dt.timedelta(minutes=1)) == 0
    morning = deadline.replace(hour=7)
    assert sweep(morning - dt.timedelta(seconds=1)) == 0
    # Who is asked after the moment is not reminded of it.
    edit_poll(
        poll=made, by=boss, draft=poll_draft([ANNE, BOB, "c@d.example"], now=NOW, deadline_in=5 * DAY), now=morning
    )
    assert sweep(morning) == 2
    assert sweep(morning + dt.timedelta(minutes=30)) == 0
    assert sweep(deadline) == 0
    assert owed("reminder") == [ANNE, ANNE, "c@d.example"]


def test_an_interruption_makes_good_the_latest_reminder_alone(boss: Agent) -> None:
    made = poll(boss, [ANNE], now=NOW, deadline_in=5 * DAY)
    late = NOW + 5 * DAY - dt.timedelta(minutes=20)
    assert remind_before_deadline(poll_id=made.pk, now=late) == 1
    assert remind_before_deadline(poll_id=made.pk, now=late) == 0
    # A poll opened after its own first moment does not remind on the spot.
    short = poll(boss, [BOB], now=NOW, deadline_in=DAY + dt.timedelta(hours=10), days=[3, 4])
    assert remind_before_deadline(poll_id=short.pk, now=NOW + dt.timedelta(minutes=1)) == 0
