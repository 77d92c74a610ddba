"""The search page: my meetings by words, period, person and place; people by name."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from suite.agents.directory import search_agents
from suite.agents.folding import fold
from suite.agents.models import Agent
from suite.live.presence import states
from suite.live.visibility import may_see
from visio.meetings import words
from visio.meetings.requests import page_number
from visio.meetings.searching import (
    AHEAD,
    BACK,
    PAGE_SIZE,
    Filters,
    FoundMeeting,
    FoundPage,
    marked,
    search_meetings,
    snippet,
    words_of,
)

MOST_PEOPLE = 12
LONGEST_QUESTION = 200
SHORTEST_QUESTION = 2
_DAY = dt.timedelta(days=1)
_FIRST, _LAST = dt.date(1970, 1, 1), dt.date(9990, 1, 1)


@dataclass(frozen=True)
class Asked:
    """What the address asks for, as it was typed; dates that are none are "" here."""

    text: str
    first: dt.date | None
    last: dt.date | None
    organised: bool
    person: str
    place: str

    @classmethod
    def of(cls, query: QueryDict) -> Asked:
        return cls(
            text=_typed(query, "q"),
            first=_date(query.get("du", "")),
            last=_date(query.get("au", "")),
            organised=query.get("organisees") == "1",
            person=_typed(query, "avec"),
            place=_typed(query, "lieu"),
        )

    @property
    def has_filters(self) -> bool:
        return bool(self.first or self.last or self.organised or self.person or self.place)

    @property
    def is_enough(self) -> bool:
        """Two letters, or a filter alone."""
        return len(fold(self.text)) >= SHORTEST_QUESTION or (not self.text and self.has_filters)

    def filters(self, agent: Agent, now: dt.datetime) -> Filters:
        zone = zoneinfo.ZoneInfo(agent.time_zone)
        start = dt.datetime.combine(self.first, dt.time(), zone) if self.first else now - BACK
        end = dt.datetime.combine(self.last + _DAY, dt.time(), zone) if self.last else max(now, start) + AHEAD
        return Filters(start.astimezone(dt.UTC), end.astimezone(dt.UTC), self.organised, self.person, self.place)

    def address(self, page: int) -> str:
        asked = {"q": self.text, "du": self.first or "", "au": self.last or "", "avec": self.person, "lieu": self.place}
        kept: dict[str, Any] = {name: value for name, value in asked.items() if value}
        return "?" + urlencode(kept | ({"organisees": "1"} if self.organised else {}) | {"page": page})


@dataclass(frozen=True)
class Line:
    found: FoundMeeting
    address: str
    when: str
    title: SafeString
    place: SafeString
    organiser: SafeString
    around: SafeString


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    agent, now = cast(Agent, request.user), timezone.now()
    asked, page = Asked.of(request.GET), page_number(request)
    found = FoundPage((), 0)
    if asked.is_enough:
        found = search_meetings(agent, asked.text, filters=asked.filters(agent, now), now=now, page=page)
    by_name = asked.text and asked.is_enough
    searched = words_of(asked.text)
    people = list(search_agents(viewer=agent, text=asked.text, limit=MOST_PEOPLE)) if by_name else []
    seen = may_see(agent, [person.pk for person in people])
    context = {
        "asked": asked.text,
        "form": asked,
        "long_enough": asked.is_enough,
        "is_idle": not asked.text and not asked.has_filters,
        "meetings": [_line(one, searched, agent, now) for one in found.meetings],
        "total": found.total,
        "people": people,
        "states": states([person for person in people if person.pk in seen], now=now),
        "previous": asked.address(page - 1) if page > 1 else "",
        "next": asked.address(page + 1) if page * PAGE_SIZE < found.total else "",
        "number": page,
    }
    return render(request, "portal/search.html", context)


def _line(one: FoundMeeting, searched: list[str], agent: Agent, now: dt.datetime) -> Line:
    zone = one.time_zone if one.is_all_day else agent.time_zone
    day = words.full_day(words.local(one.starts_at, zone).date())
    if one.is_all_day:
        hours = words.whole_days(one.starts_at, one.ends_at, zone)
        hours = hours[:1].lower() + hours[1:]
    else:
        hours = words.hours(one.starts_at, one.ends_at, zone)
    address = reverse("meetings:detail", args=[one.public_id])
    return Line(
        found=one,
        address=f"{address}?date={one.recurrence_key}" if one.recurrence_key else address,
        when=f"{day}, {hours}",
        title=marked(one.title, searched),
        place=marked(one.place, searched),
        organiser=marked(one.organiser, searched),
        around=marked(snippet(one.description, searched), searched),
    )


def _typed(query: QueryDict, name: str) -> str:
    return query.get(name, "")[:LONGEST_QUESTION].replace("\x00", "").strip()


def _date(text: str) -> dt.date | None:
    try:
        found = parse_date(text[:10])
    except ValueError:
        return None
    return found if found is not None and _FIRST <= found <= _LAST else None
