"""The team's week for those who manage it; who is there, for its members."""

import datetime as dt
import re
import uuid
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from suite.agents.models import Agent, Team
from suite.agents.permissions import can_view_team, teams_managed_by
from suite.live import presence
from visio.calendars import wording
from visio.calendars.team import WORKING_DAYS, TeamWeek, team_week
from visio.meetings.requests import signed_in

ISO_WEEK = re.compile(r"(20\d\d)-W(\d\d)", re.ASCII)


def team(request: HttpRequest) -> HttpResponse:
    """/equipe/?equipe=<uuid>&semaine=2026-W48. Without `equipe` a manager's first team, else the agent's own."""
    viewer, now = signed_in(request), timezone.now()
    managed = sorted(teams_managed_by(viewer), key=lambda team: (team.pk != viewer.team_id, team.name))
    wanted = _wanted_team(request)
    if wanted is None:
        chosen = managed[0] if managed else viewer.team
    else:
        chosen = wanted
    if chosen is None or (chosen.pk == viewer.team_id and not can_view_team(viewer, chosen)):
        return _presence_alone(request, viewer, chosen, now)
    if not can_view_team(viewer, chosen):
        raise Http404
    week = team_week(chosen, viewer, _wanted_monday(request, viewer, now), now)
    return render(request, "visio/calendars/team.html", {**_context(week, viewer), "managed": managed})


def team_grid(request: HttpRequest) -> HttpResponse:
    """The grid alone, fetched again when something in it changed."""
    viewer, now = signed_in(request), timezone.now()
    chosen = _wanted_team(request)
    if chosen is None or not can_view_team(viewer, chosen):
        raise Http404
    week = team_week(chosen, viewer, _wanted_monday(request, viewer, now), now)
    return render(request, "visio/calendars/_grid.html", _context(week, viewer))


def _presence_alone(request: HttpRequest, viewer: Agent, team: Team | None, now: dt.datetime) -> HttpResponse:
    members = list(Agent.objects.filter(team=team, is_active=True)) if team else []
    states = presence.states(members, now=now)
    people = sorted(
        ((member, states[member.pk]) for member in members), key=lambda pair: (pair[1].rank, pair[0].usual_name)
    )
    return render(request, "visio/calendars/members.html", {"page": "team", "team": team, "people": people})


def _wanted_team(request: HttpRequest) -> Team | None:
    """The team of `?equipe=`, None without it; Http404 when there is none such."""
    raw = request.GET.get("equipe")
    if raw is None:
        return None
    try:
        return Team.objects.select_related("organisation").get(public_id=uuid.UUID(raw))
    except (ValueError, Team.DoesNotExist) as error:
        raise Http404 from error


def _wanted_monday(request: HttpRequest, viewer: Agent, now: dt.datetime) -> dt.date:
    """The Monday of `?semaine=`, of the week to look at without it; Http404 for a week that no calendar of this century has."""
    raw = request.GET.get("semaine")
    if raw is None:
        return monday_to_show(timezone.localtime(now).date())
    found = ISO_WEEK.fullmatch(raw)
    if found is None:
        raise Http404
    try:
        return dt.date.fromisocalendar(int(found[1]), int(found[2]), 1)
    except ValueError as error:
        raise Http404 from error


def monday_to_show(today: dt.date) -> dt.date:
    """This week's Monday; on a Saturday or Sunday the next one, since this week's work is done."""
    return today + dt.timedelta(days=(7 if today.weekday() >= WORKING_DAYS else 0) - today.weekday())


def week_name(monday: dt.date) -> str:
    """ "2026-W48" (ISO 8601)."""
    year, week, _day = monday.isocalendar()
    return f"{year}-W{week:02d}"


def _address(name: str, week: TeamWeek, days: int = 0) -> str:
    monday = week.monday + dt.timedelta(days=days)
    query = urlencode({"equipe": str(week.team.public_id), "semaine": week_name(monday)})
    return f"{reverse(name)}?{query}"


def _context(week: TeamWeek, viewer: Agent) -> dict[str, Any]:
    zone = viewer.time_zone
    rows = [
        {
            "row": row,
            "cells": [
                {
                    "cell": cell,
                    "label": wording.cell_label(row.agent, cell, zone),
                    "heading": wording.cell_heading(row.agent, cell),
                    "entries": [(block, *wording.block_words(block, zone)) for block in cell.blocks],
                }
                for cell in row.cells
            ],
        }
        for row in week.rows
    ]
    return {
        "page": "team",
        "week": week,
        "rows": rows,
        "days": [wording.day_head(day, week.today) for day in week.days],
        "dates": wording.dates(week.days[0], week.days[-1]),
        "chips": wording.chips(week.counts),
        "shown_day": week.today_index if week.today_index is not None else 0,
        "now_hour": f"{week.now:%H:%M}",
        "now_minutes": week.now.hour * 60 + week.now.minute,
        "here": _address("calendars:team", week),
        "grid": _address("calendars:team-grid", week),
        "previous": _address("calendars:team", week, -7),
        "next": _address("calendars:team", week, 7),
        "this_week": f"{reverse('calendars:team')}?{urlencode({'equipe': str(week.team.public_id)})}",
    }
