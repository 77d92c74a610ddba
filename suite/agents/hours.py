"""When agents work: what they set, and the instants that follow from it in their own zone."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from django.db import transaction
from django.utils.translation import gettext as _

from suite.agents.events import AvailabilityChanged
from suite.agents.models import Agent
from suite.agents.time_models import WorkingHours
from suite.core.events import publish

DAYS_A_WEEK = 7
MOST_STRETCHES = 4
# The field holds no 24:00; whoever works until midnight writes 23:59.
UNTIL_MIDNIGHT = dt.time(23, 59)


@dataclass(frozen=True, order=True, slots=True)
class Stretch:
    """Working hours on one weekday (0 is Monday), wall clock of the agent's zone; an end at 23:59 means midnight."""

    weekday: int
    starts: dt.time
    ends: dt.time


@dataclass(frozen=True, order=True, slots=True)
class Span:
    """Half-open, instants in UTC."""

    starts_at: dt.datetime
    ends_at: dt.datetime


# Whoever has set none works as most people do.
USUAL = tuple(
    Stretch(weekday, starts, ends)
    for weekday in range(5)
    for starts, ends in ((dt.time(9), dt.time(12, 30)), (dt.time(13, 30), dt.time(18)))
)


class HoursRefused(Exception):
    """`.errors`: {weekday: messages}, for the person, in the current language."""

    def __init__(self, errors: dict[int, list[str]]) -> None:
        super().__init__(errors)
        self.errors = errors


@transaction.atomic
def set_hours(*, agent: Agent, stretches: Collection[Stretch]) -> None:
    """Replace the agent's whole week; no stretch at all brings the usual hours back. HoursRefused says which day is wrong."""
    wrong = check(stretches)
    if wrong:
        raise HoursRefused(wrong)
    # One week at a time: two pages saved at once must not leave a mixture.
    Agent.objects.select_for_update().only("pk").get(pk=agent.pk)
    WorkingHours.objects.filter(agent=agent).delete()
    WorkingHours.objects.bulk_create(
        WorkingHours(agent=agent, weekday=one.weekday, starts=one.starts, ends=one.ends) for one in sorted(stretches)
    )
    publish(AvailabilityChanged(agent_id=agent.pk))


def check(stretches: Collection[Stretch]) -> dict[int, list[str]]:
    """What is wrong, by weekday; empty when nothing is. Pure."""
    wrong: dict[int, list[str]] = {}
    by_day: dict[int, list[Stretch]] = {}
    for one in sorted(stretches):
        by_day.setdefault(one.weekday, []).append(one)
        if not 0 <= one.weekday < DAYS_A_WEEK:
            wrong.setdefault(one.weekday, []).append(_("Ce jour n’existe pas."))
        elif one.ends <= one.starts:
            words = _("La fin (%(end)s) doit venir après le début (%(start)s).")
            wrong.setdefault(one.weekday, []).append(
                words % {"end": f"{one.ends:%H:%M}", "start": f"{one.starts:%H:%M}"}
            )
    for weekday, day in by_day.items():
        if len(day) > MOST_STRETCHES:
            wrong.setdefault(weekday, []).append(_("Quatre plages par jour au plus."))
        if weekday not in wrong and any(after.starts < before.ends for before, after in pairwise(day)):
            wrong.setdefault(weekday, []).append(_("Deux plages de ce jour se chevauchent."))
    return wrong


def own_stretches(agents: Iterable[Agent]) -> dict[int, tuple[Stretch, ...]]:
    """{agent id: the week they set}; who has set none is left out. One query."""
    ids = [agent.pk for agent in agents]
    found: dict[int, list[Stretch]] = {}
    rows = WorkingHours.objects.filter(agent__in=ids).order_by("agent_id", "weekday", "starts")
    for agent_id, weekday, starts, ends in rows.values_list("agent_id", "weekday", "starts", "ends"):
        found.setdefault(agent_id, []).append(Stretch(weekday, starts, ends))
    return {agent_id: tuple(week) for agent_id, week in found.items()}


def working_spans(agents: Sequence[Agent], start: dt.datetime, end: dt.datetime) -> dict[int, list[Span]]:
    """{agent id: when they work within [start, end)}, in order and apart from each other. One query; leave is not seen here."""
    own = own_stretches(agents)
    # Most colleagues share their zone and hours: each combination is worked out once.
    known: dict[tuple[str, tuple[Stretch, ...]], list[Span]] = {}
    spans: dict[int, list[Span]] = {}
    for agent in agents:
        key = (agent.time_zone, own.get(agent.pk, USUAL))
        if key not in known:
            known[key] = spans_of(key[1], zone_name=key[0], start=start, end=end)
        spans[agent.pk] = list(known[key])
    return spans


def spans_of(week: Collection[Stretch], *, zone_name: str, start: dt.datetime, end: dt.datetime) -> list[Span]:
    """That week's hours within [start, end) as instants. Pure.

    09:00 stays 09:00 across daylight saving. An hour that is skipped uses the offset before the gap, one that comes twice
    is the first (RFC 5545 §3.3.5).
    """
    zone = zoneinfo.ZoneInfo(zone_name)
    by_day: dict[int, list[Stretch]] = {}
    for one in sorted(week):
        by_day.setdefault(one.weekday, []).append(one)
    day, last = start.astimezone(zone).date(), end.astimezone(zone).date()
    spans: list[Span] = []
    while day <= last:
        for one in by_day.get(day.weekday(), ()):
            opens, closes = _instant(day, one.starts, zone), _closing(day, one.ends, zone)
            opens, closes = max(opens, start), min(closes, end)
            if opens >= closes:
                continue
            if spans and opens <= spans[-1].ends_at:
                spans[-1] = Span(spans[-1].starts_at, max(spans[-1].ends_at, closes))
            else:
                spans.append(Span(opens, closes))
        day += dt.timedelta(days=1)
    return spans


def _closing(day: dt.date, time: dt.time, zone: zoneinfo.ZoneInfo) -> dt.datetime:
    if time >= UNTIL_MIDNIGHT:
        return _instant(day + dt.timedelta(days=1), dt.time(), zone)
    return _instant(day, time, zone)


def _instant(day: dt.date, time: dt.time, zone: zoneinfo.ZoneInfo) -> dt.datetime:
    return dt.datetime.combine(day, time.replace(tzinfo=None, fold=0), zone).astimezone(dt.UTC)
