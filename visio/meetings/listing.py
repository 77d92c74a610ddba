"""The pages of "Réunions": one agent's meetings by tab, grouped by day. A fixed number of statements however many rows."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import groupby

from django.db.models import Count, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from suite.agents.models import Agent
from suite.core.paging import NumberedPage
from visio.meetings import words
from visio.meetings.models import LONGEST, AnsweredVia, Attendee, Occurrence, Status
from visio.meetings.waiting import as_of, at_waiting_dates

PAGE_SIZE = 25
# Invitations that wait are sorted by the date that waits: so many are looked at.
MOST_WAITING = 1000
# An answer can be taken back this long: its row stays, so that a page fetched again meanwhile does not lose the button.
UNDO = dt.timedelta(seconds=10)
TABS = ("a-venir", "a-traiter", "passees", "annulees")


@dataclass(frozen=True)
class Day:
    heading: str
    rows: tuple[Attendee, ...]


@dataclass(frozen=True)
class MeetingPage(NumberedPage):
    tab: str
    days: tuple[Day, ...]
    page: int
    has_next: bool


def read_page(agent: Agent, *, tab: str, page: int, now: dt.datetime) -> MeetingPage:
    """`page` counts from 1. Every row is the agent's own attendance at one date, with its meeting, organiser and `people`.

    Each date of a series is a row; "à traiter" has the series once, and "annulées" too when all of it is cancelled.
    """
    first = (page - 1) * PAGE_SIZE
    # One more than shown says whether there is a next page, without counting them all.
    if tab == "a-traiter":
        rows = at_waiting_dates(_waiting(agent, now)[: MOST_WAITING + 1], now)[first : first + PAGE_SIZE + 1]
    else:
        rows = _dated(agent, tab, now, first)
    today = words.local(now, agent.time_zone).date()
    days = tuple(
        Day(words.day_heading(date, today=today), tuple(group))
        for date, group in groupby(rows[:PAGE_SIZE], key=lambda row: _day_of(row, agent))
    )
    return MeetingPage(tab, days, page, len(rows) > PAGE_SIZE)


def _day_of(row: Attendee, agent: Agent) -> dt.date:
    """The reader's day; a whole day is the same one everywhere (R14)."""
    zone = row.meeting.time_zone if row.meeting.is_all_day else agent.time_zone
    return words.local(row.starts_at, zone).date()


def _mine(agent: Agent) -> QuerySet[Attendee]:
    """The organiser attends too, so that the agent's attendances are all their meetings."""
    everybody = (
        Attendee.objects.filter(meeting=OuterRef("meeting")).order_by().values("meeting").annotate(count=Count("pk"))
    )
    return (
        Attendee.objects.filter(agent=agent)
        .select_related("meeting__organiser__organisation", "meeting__room")
        .annotate(people=Coalesce(Subquery(everybody.values("count"), output_field=IntegerField()), 0))
    )


def _waiting(agent: Agent, now: dt.datetime) -> QuerySet[Attendee]:
    waiting = Attendee.objects.unanswered_by(agent, now=now).values("pk")
    just_answered = Q(answered_at__gt=now - UNDO, answered_via=AnsweredVia.PORTAL, ends_at__gt=now)
    shown = _mine(agent).filter(Q(pk__in=waiting) | just_answered, meeting__status=Status.CONFIRMED)
    return shown.order_by("starts_at", "pk")


# Arms for the two partial indexes; each reads as many dates as the page can reach, and no more.
_COMING = """
SELECT found.attendee_pk, found.date_answer, o.*
  FROM (
        (SELECT att.id AS attendee_pk, att.answer AS date_answer, o.id AS date_pk, o.starts_at
           FROM visio_attendee att
           JOIN visio_meeting m ON m.id = att.meeting_id AND m.status = 'confirmed'
           JOIN visio_occurrence o ON o.meeting_id = att.meeting_id AND o.status = 'confirmed'
                AND (att.only_occurrence_id IS NULL OR att.only_occurrence_id = o.id)
          WHERE NOT att.is_series AND att.agent_id = %(agent)s::bigint {one_offs} AND {over}
          ORDER BY o.starts_at {way}, att.id {way} LIMIT %(reach)s)
        UNION ALL
        (SELECT att.id, d.answer, d.id, d.starts_at
           FROM visio_attendee att
           JOIN visio_meeting m ON m.id = att.meeting_id AND m.status = 'confirmed'
           JOIN LATERAL (
                SELECT o.id, o.starts_at, COALESCE(x.answer, att.answer) AS answer
                  FROM visio_occurrence o
                  LEFT JOIN visio_attendeeexception x ON x.occurrence_id = o.id AND x.attendee_id = att.id
                 WHERE o.meeting_id = att.meeting_id AND o.status = 'confirmed' AND x.removed IS NOT TRUE
                       {series} AND {over}
                 ORDER BY o.starts_at {way} LIMIT %(reach)s
                ) d ON TRUE
          WHERE att.is_series AND att.agent_id = %(agent)s::bigint {hulls})
       ) found
  JOIN visio_occurrence o ON o.id = found.date_pk
 ORDER BY o.starts_at {way}, found.attendee_pk {way}
 LIMIT %(limit)s OFFSET %(offset)s
"""
_UPCOMING = _COMING.format(
    one_offs="AND att.starts_at > %(back)s AND att.ends_at > %(now)s",
    series="AND o.starts_at > %(back)s",
    hulls="AND att.ends_at > %(now)s",
    over="o.ends_at > %(now)s",
    way="ASC",
)
_PAST = _COMING.format(
    one_offs="AND att.starts_at < %(now)s",
    series="AND o.starts_at < %(now)s",
    hulls="AND att.starts_at < %(now)s",
    over="o.ends_at <= %(now)s",
    way="DESC",
)
# Whole meetings by their first cancelled date, and single dates of series that go on.
_CANCELLED = """
SELECT att.id AS attendee_pk, COALESCE(x.answer, att.answer) AS date_answer, o.*
  FROM visio_attendee att
  JOIN visio_meeting m ON m.id = att.meeting_id
  JOIN LATERAL (
        (SELECT c.* FROM visio_occurrence c
          WHERE m.status = 'cancelled' AND c.meeting_id = m.id
            AND (att.only_occurrence_id IS NULL OR att.only_occurrence_id = c.id)
          ORDER BY c.status, c.starts_at LIMIT 1)
        UNION ALL
        (SELECT c.* FROM visio_occurrence c
          WHERE m.status = 'confirmed' AND c.meeting_id = m.id AND c.status = 'cancelled'
            AND (att.only_occurrence_id IS NULL OR att.only_occurrence_id = c.id))
       ) o ON TRUE
  LEFT JOIN visio_attendeeexception x ON x.occurrence_id = o.id AND x.attendee_id = att.id
 WHERE att.agent_id = %(agent)s::bigint AND x.removed IS NOT TRUE
 ORDER BY o.starts_at DESC, att.id DESC
 LIMIT %(limit)s OFFSET %(offset)s
"""


def _dated(agent: Agent, tab: str, now: dt.datetime, first: int) -> list[Attendee]:
    statement = {"passees": _PAST, "annulees": _CANCELLED}.get(tab, _UPCOMING)
    values = {
        "agent": agent.pk,
        "now": now,
        "back": now - LONGEST,
        "reach": first + PAGE_SIZE + 1,
        "limit": PAGE_SIZE + 1,
        "offset": first,
    }
    dates = list(Occurrence.objects.raw(statement, values))
    rows = _mine(agent).in_bulk({vars(date)["attendee_pk"] for date in dates})
    return [as_of(rows[vars(date)["attendee_pk"]], date, answer=vars(date)["date_answer"]) for date in dates]
