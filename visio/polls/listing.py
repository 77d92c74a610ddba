"""The pages of "Sondages", and what waits for one agent's vote."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, IntegerField, Min, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from suite.agents.models import Agent
from suite.core.paging import NumberedPage
from visio.polls.models import Poll, PollOption, PollParticipant, PollStatus

PAGE_SIZE = 20
TABS = ("recus", "organises")


@dataclass(frozen=True)
class PollPage(NumberedPage):
    """Polls with `asked`, `answered`, `dates`, `first_date`, `chosen_date`, `waits_for_me` and `takes`."""

    tab: str
    rows: tuple[Any, ...]
    page: int
    has_next: bool


def waiting_for(agent: Agent, now: dt.datetime) -> QuerySet[PollParticipant]:
    """The agent's unanswered places in polls that still take answers, soonest deadline first."""
    ahead = PollOption.objects.filter(poll=OuterRef("poll"), starts_at__gt=now)
    return (
        PollParticipant.objects.filter(
            Exists(ahead), Q(poll__deadline=None) | Q(poll__deadline__gt=now), agent=agent, answered_at=None
        )
        .filter(poll__status=PollStatus.OPEN)
        .order_by("poll__deadline", "pk")
    )


def read_page(agent: Agent, *, tab: str, page: int, now: dt.datetime) -> PollPage:
    """`page` counts from 1. One statement."""
    first = (page - 1) * PAGE_SIZE
    rows: list[Any] = list(listed(agent, tab=tab, now=now)[first : first + PAGE_SIZE + 1])
    for row in rows:
        row.takes = row.takes_answers(now)
    return PollPage(tab, tuple(rows[:PAGE_SIZE]), page, len(rows) > PAGE_SIZE)


def listed(agent: Agent, *, tab: str, now: dt.datetime) -> QuerySet[Poll]:
    """The polls of one tab with the numbers that PollPage names, those that wait for the agent first."""
    people = PollParticipant.objects.filter(poll=OuterRef("pk")).order_by().values("poll")
    options = PollOption.objects.filter(poll=OuterRef("pk")).order_by().values("poll")
    polls = Poll.objects.select_related("organiser__organisation").annotate(
        asked=_number(people.annotate(number=Count("pk"))),
        answered=_number(people.filter(answered_at__isnull=False).annotate(number=Count("pk"))),
        dates=_number(options.annotate(number=Count("pk"))),
        first_date=Subquery(options.annotate(first=Min("starts_at")).values("first")),
        chosen_date=Subquery(PollOption.objects.filter(poll=OuterRef("pk"), is_chosen=True).values("starts_at")[:1]),
        waits_for_me=Exists(waiting_for(agent, now).filter(poll=OuterRef("pk")).order_by()),
    )
    if tab == "organises":
        return polls.filter(organiser=agent).order_by("-pk")
    asked = PollParticipant.objects.filter(poll=OuterRef("pk"), agent=agent)
    return polls.filter(Exists(asked)).order_by("-waits_for_me", "-pk")


def _number(counted: QuerySet[Any, Any]) -> Coalesce:
    return Coalesce(Subquery(counted.values("number"), output_field=IntegerField()), Value(0))
