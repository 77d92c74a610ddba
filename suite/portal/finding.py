"""The search page: my meetings by words, people by name."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import cast

from django.contrib.postgres.search import SearchQuery, SearchRank
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from suite.agents.directory import search_agents
from suite.agents.folding import fold
from suite.agents.models import Agent
from visio.meetings.dates import current_occurrences
from visio.meetings.models import Meeting

MOST_MEETINGS = 20
MOST_PEOPLE = 12
LONGEST_QUESTION = 200
SHORTEST_QUESTION = 2


@dataclass(frozen=True)
class FoundMeeting:
    meeting: Meeting
    starts_at: dt.datetime
    ends_at: dt.datetime
    is_over: bool


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    agent, now = cast(Agent, request.user), timezone.now()
    asked = request.GET.get("q", "")[:LONGEST_QUESTION].replace("\x00", "").strip()
    long_enough = len(fold(asked)) >= SHORTEST_QUESTION
    context = {
        "asked": asked,
        "long_enough": long_enough,
        "meetings": find_meetings(agent, asked, now=now) if long_enough else [],
        "people": list(search_agents(viewer=agent, text=asked, limit=MOST_PEOPLE)) if long_enough else [],
        "most_meetings": MOST_MEETINGS,
    }
    return render(request, "portal/search.html", context)


def find_meetings(agent: Agent, text: str, *, now: dt.datetime) -> list[FoundMeeting]:
    """Meetings of `agent` (and of nobody else) that hold every word of `text` or a beginning of it: nearest in time first."""
    words = [word for word in "".join(c if c.isalnum() else " " for c in fold(text)).split() if word][:8]
    if not words:
        return []
    # Every word is letters and digits here, so the raw form cannot carry an operator.
    query = SearchQuery(" & ".join(f"{word}:*" for word in words), search_type="raw", config="simple")
    mine = (
        Meeting.objects.involving(agent)
        .filter(search=query)
        .annotate(rank=SearchRank(F("search"), query))
        .select_related("organiser")
        .order_by("-rank", "-pk")[:MOST_MEETINGS]
    )
    meetings = {meeting.pk: meeting for meeting in mine}
    found = [
        FoundMeeting(
            meetings[occurrence.meeting_id], occurrence.starts_at, occurrence.ends_at, occurrence.ends_at <= now
        )
        for occurrence in current_occurrences(meetings, now).values()
    ]
    return sorted(found, key=lambda row: (row.is_over, abs(row.starts_at - now)))
