"""What the planning form asks while it is filled in: the summary, the directory, the meaning of what was typed. Writes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from suite.agents.directory import search_agents
from suite.agents.models import Agent
from visio.meetings import words, zones
from visio.meetings.dates import occurrence_by_key
from visio.meetings.drafts import Invitee, Problem
from visio.meetings.forms import PlanForm, invitee_line
from visio.meetings.groups import find_groups, members, resolve_with_groups
from visio.meetings.models import Role
from visio.meetings.permissions import can_edit_meeting, visible_meeting_or_404
from visio.meetings.recap import make_recap
from visio.meetings.requests import signed_in

MOST_TEXT = 1_000_000
DIRECTORY_LINES = 8


@require_POST
def recap(request: HttpRequest) -> HttpResponse:
    """The summary of a form that is being filled in; of a meeting that is edited (`reunion`, `date_key`) for who may."""
    agent, now = signed_in(request), timezone.now()
    meeting = occurrence = None
    if raw := request.POST.get("reunion", ""):
        meeting = visible_meeting_or_404(agent, raw)
        if not can_edit_meeting(meeting, agent):
            raise PermissionDenied
        if meeting.is_series:
            occurrence = occurrence_by_key(meeting, request.POST.get("date_key", "")[:40])
    organiser = meeting.organiser if meeting else agent
    data = request.POST.copy()
    # What is said here is what makes the list name the day of the form.
    data["repeat_for"] = ""
    form = PlanForm(data, organiser=organiser, now=now, meeting=meeting, occurrence=occurrence)
    form.is_valid()
    return render(request, "visio/meetings/_recap.html", {"recap": make_recap(form), "form": form})


@require_GET
def directory(request: HttpRequest) -> JsonResponse:
    """Agents, teams and units whose name or address holds `q`, as the participants field lists them."""
    agent = signed_in(request)
    text = request.GET.get("q", "")[:100].replace("\x00", "")
    found = search_agents(viewer=agent, text=text, limit=DIRECTORY_LINES)
    results: list[dict[str, Any]] = [
        {
            "text": f"{person.full_name} <{person.email}>",
            "name": person.full_name,
            "email": person.email,
            "detail": ", ".join(filter(None, [person.job_title, person.organisation.name])),
            "note": _zone_note(person, agent),
            "initials": person.initials,
            "tint": person.tint,
        }
        for person in found
        if person.pk != agent.pk
    ]
    results += [
        {"group": group.key, "text": group.key, "name": group.label, "detail": group.size, "note": ""}
        for group in find_groups(viewer=agent, text=text)
    ]
    return JsonResponse({"results": results})


@require_GET
def group(request: HttpRequest) -> JsonResponse:
    """The people of the team or unit that `groupe` names, for the participants field; 404 for other organisations' ones."""
    agent = signed_in(request)
    if "groupe" not in request.GET:
        return JsonResponse({"error": "groupe"}, status=400)
    found = members(viewer=agent, key=request.GET["groupe"][:300].replace("\x00", ""))
    if found is None:
        raise Http404
    chosen, people = found
    lines = [
        {"text": f"{one.full_name} <{one.email}>", "name": one.full_name, "note": _zone_note(one, agent)}
        for one in people
    ]
    said = ngettext(
        "%(group)s : %(count)d personne dans la liste.", "%(group)s : %(count)d personnes dans la liste.", len(lines)
    )
    return JsonResponse({"people": lines, "said": said % {"group": chosen.label, "count": len(lines)}})


@require_POST
def addresses(request: HttpRequest) -> JsonResponse:
    """What pasted or typed lines mean: people, and what is wrong with the others."""
    agent = signed_in(request)
    lines = request.POST.get("text", "")[:MOST_TEXT].splitlines()
    found = resolve_with_groups(lines, viewer=agent, organiser=agent, role=Role.REQUIRED)
    return JsonResponse(
        {
            "people": chips_of(found.invitees, agent),
            "problems": [{"text": problem.text, "error": problem.message} for problem in found.problems],
            "notices": list(found.notices),
        }
    )


def chips(people: Sequence[Invitee], problems: Sequence[tuple[Problem, str]], *, viewer: Agent) -> list[dict[str, str]]:
    """What a form with a people field begins with: the people it understood, then the lines that name nobody."""
    wrong = [{"text": problem.text, "error": problem.message, "role": role} for problem, role in problems]
    return chips_of(people, viewer) + wrong


def chips_of(people: Sequence[Invitee], viewer: Agent) -> list[dict[str, str]]:
    """The participants as the page's script draws them. One query."""
    ids = [person.agent_id for person in people if person.agent_id is not None]
    agents = {agent.pk: agent for agent in Agent.objects.filter(pk__in=ids)} if ids else {}
    chips = []
    for person in people:
        agent = agents.get(person.agent_id) if person.agent_id is not None else None
        note = _zone_note(agent, viewer) if agent else _("externe")
        name = person.name or person.email
        chips.append({"text": invitee_line(person), "name": name, "note": note, "role": person.role})
    return chips


def _zone_note(person: Agent, viewer: Agent) -> str:
    """ "UTC+4" for somebody whose clock differs from the viewer's today."""
    now = timezone.now()
    theirs, mine = words.local(now, person.time_zone), words.local(now, viewer.time_zone)
    return "" if theirs.utcoffset() == mine.utcoffset() else zones.offset_words(person.time_zone, now)
