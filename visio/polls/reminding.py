"""Remind those who have not answered: by hand once a day, and by itself twice before the deadline."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from suite.agents.models import Agent
from suite.core.events import publish
from visio.events import PollChanged
from visio.meetings import wallclock
from visio.polls import letters
from visio.polls.models import Poll, PollParticipant, PollStatus
from visio.polls.opening import locked
from visio.polls.refusals import NotPollOrganiser, ReminderRefused

ONCE_IN = dt.timedelta(days=1)
TWO_DAYS = dt.timedelta(days=2)
MORNING = dt.time(8, 0)
# The morning's reminder leaves at least this long to answer, else it goes the morning before.
LEAST_NOTICE = dt.timedelta(hours=2)


@dataclass(frozen=True)
class Moment:
    """When open polls remind by themselves."""

    name: str
    at: dt.datetime


def moments(deadline: dt.datetime, zone: str) -> list[Moment]:
    """Two days before the deadline, and the last eight in the morning of the poll's zone well before it; in order."""
    date, _time = wallclock.wall_clock(deadline - LEAST_NOTICE, zone)
    morning = wallclock.instant(date, MORNING, zone)
    if morning > deadline - LEAST_NOTICE:
        morning = wallclock.instant(date - dt.timedelta(days=1), MORNING, zone)
    return sorted([Moment("two_days", deadline - TWO_DAYS), Moment("morning", morning)], key=lambda moment: moment.at)


@transaction.atomic
def remind(*, poll: Poll, by: Agent, now: dt.datetime) -> int:
    """Write to everybody who has not answered and was not reminded within a day; how many that are.

    Raises NotPollOrganiser, ReminderRefused.
    """
    poll = locked(poll)
    if poll.organiser_id != by.pk:
        raise NotPollOrganiser
    if poll.status != PollStatus.OPEN:
        raise ReminderRefused(poll.status)
    if not poll.takes_answers(now):
        raise ReminderRefused("late")
    waiting = unanswered(poll)
    if not waiting.exists():
        raise ReminderRefused("nobody")
    people = list(waiting.exclude(reminded_at__gt=now - ONCE_IN))
    if not people:
        raise ReminderRefused("too_soon")
    _remind(poll, people, f"hand {now.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}", now)
    return len(people)


def due_polls(now: dt.datetime) -> QuerySet[Poll]:
    """Open polls that may have a reminder due: somebody is silent, and the deadline is two days ahead at most."""
    # The morning's reminder lies within the last 26 hours.
    silent = PollParticipant.objects.filter(poll=OuterRef("pk"), answered_at=None)
    return Poll.objects.filter(
        Exists(silent), status=PollStatus.OPEN, deadline__gt=now, deadline__lte=now + TWO_DAYS, is_demo=False
    ).order_by("deadline", "pk")


@transaction.atomic
def remind_before_deadline(*, poll_id: int, now: dt.datetime) -> int:
    """Send what is due of this poll's own reminders; how many letters. Safe to repeat and to run twice at once.

    After an interruption only the latest of the moments that passed is made good. Who was asked since then is spared.
    """
    poll = Poll.objects.select_for_update(of=("self",)).select_related("organiser__organisation").get(pk=poll_id)
    if poll.deadline is None or not poll.takes_answers(now):
        return 0
    passed = [moment for moment in moments(poll.deadline, poll.time_zone) if moment.at <= now]
    if not passed:
        return 0
    moment = passed[-1]
    people = list(
        unanswered(poll).filter(
            Q(asked_at=None) | Q(asked_at__lte=moment.at), Q(reminded_at=None) | Q(reminded_at__lt=moment.at)
        )
    )
    if not people:
        return 0
    return _remind(poll, people, f"{moment.name} {poll.deadline.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}", now)


def unanswered(poll: Poll) -> QuerySet[PollParticipant]:
    """Who has not answered, or not since dates were added; agents who have left are not waited for."""
    waiting = poll.participants.filter(answered_at=None).exclude(agent__is_active=False)
    return waiting.select_related("agent").order_by("pk")


def _remind(poll: Poll, people: list[PollParticipant], round_: str, now: dt.datetime) -> int:
    owed = letters.owe_reminders(poll=poll, people=people, round_=round_, now=now)
    PollParticipant.objects.filter(pk__in=[person.pk for person in people]).update(reminded_at=now)
    publish(PollChanged(poll_id=poll.pk))
    return owed
