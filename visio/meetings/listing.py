"""The pages of "Réunions": one agent's meetings by tab, grouped by day. Two statements however many rows."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import groupby

from django.db.models import Count, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from suite.agents.models import Agent
from visio.meetings import words
from visio.meetings.models import AnsweredVia, Attendee, Status

PAGE_SIZE = 25
# An answer can be taken back this long: its row stays, so that a page fetched again meanwhile does not lose the button.
UNDO = dt.timedelta(seconds=10)
TABS = ("a-venir", "a-traiter", "passees", "annulees")


@dataclass(frozen=True)
class Day:
    heading: str
    rows: tuple[Attendee, ...]


@dataclass(frozen=True)
class MeetingPage:
    tab: str
    days: tuple[Day, ...]
    page: int
    has_next: bool

    @property
    def previous_page(self) -> int | None:
        return self.page - 1 if self.page > 1 else None

    @property
    def next_page(self) -> int | None:
        return self.page + 1 if self.has_next else None


def read_page(agent: Agent, *, tab: str, page: int, now: dt.datetime) -> MeetingPage:
    """`page` counts from 1. Every row is the agent's own attendance with its meeting, organiser and `people`."""
    first = (page - 1) * PAGE_SIZE
    # One more than shown says whether there is a next page, without counting them all.
    rows = list(_rows(agent, tab, now)[first : first + PAGE_SIZE + 1])
    today = words.local(now, agent.time_zone).date()
    days = tuple(
        Day(words.day_heading(date, today=today), tuple(group))
        for date, group in groupby(rows[:PAGE_SIZE], key=lambda row: words.local(row.starts_at, agent.time_zone).date())
    )
    return MeetingPage(tab, days, page, len(rows) > PAGE_SIZE)


def _rows(agent: Agent, tab: str, now: dt.datetime) -> QuerySet[Attendee]:
    everybody = (
        Attendee.objects.filter(meeting=OuterRef("meeting")).order_by().values("meeting").annotate(count=Count("pk"))
    )
    # The organiser attends too, so that the agent's attendances are all their meetings.
    mine = (
        Attendee.objects.filter(agent=agent)
        .select_related("meeting__organiser__organisation", "meeting__room")
        .annotate(people=Coalesce(Subquery(everybody.values("count"), output_field=IntegerField()), 0))
    )
    if tab == "a-traiter":
        waiting = Attendee.objects.unanswered_by(agent, now=now).values("pk")
        just_answered = Q(answered_at__gt=now - UNDO, answered_via=AnsweredVia.PORTAL, ends_at__gt=now)
        shown = mine.filter(Q(pk__in=waiting) | just_answered, meeting__status=Status.CONFIRMED)
        return shown.order_by("starts_at", "pk")
    if tab == "passees":
        return mine.filter(ends_at__lte=now, meeting__status=Status.CONFIRMED).order_by("-starts_at", "-pk")
    if tab == "annulees":
        return mine.filter(meeting__status=Status.CANCELLED).order_by("-starts_at", "-pk")
    return mine.filter(ends_at__gt=now, meeting__status=Status.CONFIRMED).order_by("starts_at", "pk")
