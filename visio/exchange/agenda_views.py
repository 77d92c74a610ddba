"""One's own agenda for paper: a week or any days, with what a page without links must say in words."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from suite.agents.models import Agent
from visio.meetings import words, zones
from visio.meetings.models import Answer, Role
from visio.meetings.queries import Entry
from visio.meetings.queries import agenda as read_agenda
from visio.meetings.requests import signed_in

MOST_DAYS = 62
_DAY = dt.timedelta(days=1)
_FIRST, _LAST = dt.date(1970, 1, 1), dt.date(9990, 1, 1)


@dataclass(frozen=True)
class Row:
    entry: Entry
    hours: str
    join: str
    state: str


@dataclass(frozen=True)
class Day:
    heading: str
    rows: tuple[Row, ...]


@require_safe
def agenda(request: HttpRequest) -> HttpResponse:
    """?du=2026-11-23&au=2026-11-29, both included; the week of `du` or of today without. MOST_DAYS at most."""
    agent, now = signed_in(request), timezone.now()
    zone = zoneinfo.ZoneInfo(agent.time_zone)
    first, last, is_cut = asked_days(request, today=now.astimezone(zone).date())
    start = dt.datetime.combine(first, dt.time(), zone).astimezone(dt.UTC)
    end = dt.datetime.combine(last + _DAY, dt.time(), zone).astimezone(dt.UTC)
    entries = [one for one in read_agenda([agent.pk], start, end, agent) if one.answer != Answer.DECLINED]
    days = [_day(date, entries, agent) for date in _dates(first, last)]
    length = last - first + _DAY
    month = first.replace(day=1)
    context = {
        "page": "meetings",
        "now": now,
        "agent": agent,
        "first": first,
        "last": last,
        "heading": _period_words(first, last),
        "days": [day for day in days if day.rows],
        "is_cut": is_cut,
        "most": MOST_DAYS,
        "zone_words": f"{zones.zone_where(agent.time_zone)} ({zones.offset_words(agent.time_zone, start)})",
        "before": (first - length, first - _DAY),
        "after": (last + _DAY, last + length),
        "week": (_monday(first), _monday(first) + 6 * _DAY),
        "month": (month, (month + 31 * _DAY).replace(day=1) - _DAY),
    }
    return render(request, "visio/exchange/agenda.html", context)


def asked_days(request: HttpRequest, *, today: dt.date) -> tuple[dt.date, dt.date, bool]:
    """(first, last, whether fewer are shown than were asked for). What cannot be read counts as not said."""
    first = _date(request.GET.get("du", "")) or _monday(today)
    last = _date(request.GET.get("au", "")) or first + 6 * _DAY
    if last < first:
        first, last = last, first
    edge = first + (MOST_DAYS - 1) * _DAY
    return first, min(last, edge), last > edge


def _date(text: str) -> dt.date | None:
    try:
        found = parse_date(text[:10])
    except ValueError:
        return None
    return found if found is not None and _FIRST <= found <= _LAST else None


def _monday(day: dt.date) -> dt.date:
    return day - day.weekday() * _DAY


def _dates(first: dt.date, last: dt.date) -> list[dt.date]:
    return [first + number * _DAY for number in range((last - first).days + 1)]


def _day(date: dt.date, entries: list[Entry], agent: Agent) -> Day:
    rows = [_row(one, date, agent) for one in entries if _takes_place(one, date, agent)]
    # Whole days first, as in every calendar.
    rows.sort(key=lambda row: not row.entry.is_all_day)
    return Day(words.full_day(date), tuple(rows))


def _takes_place(entry: Entry, date: dt.date, agent: Agent) -> bool:
    """On each day that it touches."""
    if entry.first_day is not None and entry.last_day is not None:
        return entry.first_day <= date <= entry.last_day
    first = words.local(entry.starts_at, agent.time_zone).date()
    last = words.local(entry.ends_at - dt.timedelta(microseconds=1), agent.time_zone).date()
    return first <= date <= last


def _row(entry: Entry, date: dt.date, agent: Agent) -> Row:
    if entry.is_all_day:
        hours = _("Toute la journée")
    elif words.local(entry.starts_at, agent.time_zone).date() < date:
        hours = _("suite, jusqu’à %(end)s") % {"end": _end_words(entry, date, agent)}
    else:
        hours = words.hours(entry.starts_at, entry.ends_at, agent.time_zone)
    join = f"{settings.PORTAL_URL}{reverse('rooms:room', args=[entry.room_slug])}" if entry.room_slug else ""
    state = {
        Answer.TENTATIVE.value: _("peut-être"),
        Answer.NEEDS_ACTION.value: _("sans réponse"),
    }.get(entry.answer, "")
    return Row(entry, hours, join, "" if entry.role == Role.CHAIR else state)


def _end_words(entry: Entry, date: dt.date, agent: Agent) -> str:
    end = words.local(entry.ends_at, agent.time_zone)
    return f"{end:%H:%M}" if end.date() == date else words.short_day(end.date(), today=date)


def _period_words(first: dt.date, last: dt.date) -> str:
    if first == last:
        return words.full_day(first)
    return _("Du %(first)s au %(last)s") % {
        "first": words.full_day(first).lower(),
        "last": words.full_day(last).lower(),
    }
