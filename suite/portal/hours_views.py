"""An agent's own working hours and absences."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from suite.agents.hours import set_hours
from suite.agents.leaves import coming_leaves, remove_leave, restore_leave
from suite.agents.models import Agent
from suite.agents.time_models import Leave
from suite.portal.hours_forms import HoursForm, LeaveForm
from visio.meetings import words, zones

REFUSED = 422
# Where what was just removed waits for the one page that offers to bring it back.
REMOVED = "removed_leave"


@dataclass(frozen=True)
class LeaveLine:
    leave: Leave
    words: str
    is_now: bool


@require_http_methods(["GET", "HEAD", "POST"])
def hours(request: HttpRequest) -> HttpResponse:
    """The page; a POST stores the week, adds a line to a day, copies Monday, or brings the usual hours back."""
    agent = cast(Agent, request.user)
    if request.method != "POST":
        return _page(request, HoursForm.of(agent), LeaveForm())
    act, _sep, value = request.POST.get("do", "save").partition("-")
    if act == "reset":
        set_hours(agent=agent, stretches=())
        messages.success(request, _("Les horaires habituels sont de retour."))
        return redirect("portal:hours")
    form = HoursForm.typed(request.POST)
    if act == "add" and value in {str(day.weekday) for day in form.days}:
        form.add_line(int(value))
        return _page(request, form, LeaveForm())
    if act == "copy":
        form.copy_monday()
        return _page(request, form, LeaveForm())
    if not form.save(agent):
        return _page(request, form, LeaveForm(), status=REFUSED)
    messages.success(request, _("Vos horaires sont enregistrés."))
    return redirect("portal:hours")


@require_POST
def add(request: HttpRequest) -> HttpResponse:
    agent = cast(Agent, request.user)
    form = LeaveForm(request.POST)
    leave = form.save(agent, now=timezone.now())
    if leave is None:
        return _page(request, HoursForm.of(agent), form, status=REFUSED)
    messages.success(request, _("Absence ajoutée : %(when)s.") % {"when": leave_words(leave, agent)})
    return _to_leaves()


@require_POST
def remove(request: HttpRequest, leave_id: int) -> HttpResponse:
    """Remove one of one's own; another's does not exist. The next page offers to bring it back."""
    agent = cast(Agent, request.user)
    memory = remove_leave(agent=agent, leave_id=leave_id)
    if memory is None:
        raise Http404
    request.session[REMOVED] = memory
    return _to_leaves()


@require_POST
def restore(request: HttpRequest) -> HttpResponse:
    agent = cast(Agent, request.user)
    leave = restore_leave(agent=agent, memory=request.POST.get("memory", ""), now=timezone.now())
    if leave is None:
        messages.error(request, _("Cette absence ne peut plus être remise : ajoutez-la de nouveau."))
    else:
        messages.success(request, _("Absence remise : %(when)s.") % {"when": leave_words(leave, agent)})
    return _to_leaves()


def leave_words(leave: Leave, agent: Agent) -> str:
    """ "lun. 21 déc. 2026 – jeu. 31 déc. 2026"; with the hours unless it is made of whole days."""
    start, end = words.local(leave.starts_at, agent.time_zone), words.local(leave.ends_at, agent.time_zone)
    today = words.local(timezone.now(), agent.time_zone).date()
    if leave.is_all_day:
        last = (end - dt.timedelta(microseconds=1)).date()
        days = [words.short_day(day, today=today) for day in dict.fromkeys((start.date(), last))]
        return " – ".join(days)
    if start.date() == end.date():
        return f"{words.short_day(start.date(), today=today)}, {start:%H:%M} – {end:%H:%M}"
    first, last_day = (words.short_day(one.date(), today=today) for one in (start, end))
    return f"{first}, {start:%H:%M} – {last_day}, {end:%H:%M}"


def _page(request: HttpRequest, form: HoursForm, leave_form: LeaveForm, status: int = 200) -> HttpResponse:
    agent, now = cast(Agent, request.user), timezone.now()
    context: dict[str, Any] = {
        "form": form,
        "leave_form": leave_form,
        "leaves": [
            LeaveLine(leave, capfirst(leave_words(leave, agent)), leave.starts_at <= now)
            for leave in coming_leaves(agent, now=now)
        ],
        "removed": request.session.pop(REMOVED, "") if request.method == "GET" else "",
        "place": zones.zone_place(agent.time_zone),
        "offset": zones.offset_words(agent.time_zone, now),
    }
    return render(request, "portal/hours.html", context, status=status)


def _to_leaves() -> HttpResponse:
    return HttpResponseRedirect(f"{redirect('portal:hours').url}#absences")
