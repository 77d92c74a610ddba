"""The list of meetings, a meeting's page and its fragments, answers in place."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Max
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST, require_safe

from suite.agents.models import Agent
from suite.live.presence import states
from visio.meetings import words
from visio.meetings.answers import AnswerRefused
from visio.meetings.answers import answer as record_answer
from visio.meetings.dates import current_occurrence
from visio.meetings.forms import AnswerForm
from visio.meetings.history import history_lines
from visio.meetings.ical import meeting_ics
from visio.meetings.ledger import read_ledger
from visio.meetings.links import is_refused
from visio.meetings.listing import TABS, read_page
from visio.meetings.models import Answer, AnsweredVia, ChangeKind, Delivery, DeliveryState, Meeting, MeetingChange, Role
from visio.meetings.owing import ResendRefused
from visio.meetings.owing import resend as resend_mails
from visio.meetings.permissions import can_edit_meeting, visible_meeting_or_404
from visio.meetings.requests import from_htmx, page_number, signed_in
from visio.meetings.tokens import join_url
from visio.rooms.calls import people_in_rooms

HISTORY_SHOWN = 20
# From this long before the start, the list offers to join.
SOON = dt.timedelta(minutes=15)
TCHAP = "tchap"
# Mails to people who were taken off the list are worth a line as long as they have not gone out.
UNSENT = (DeliveryState.OWED, DeliveryState.SENDING, DeliveryState.FAILED)
GONE_SHOWN = 20
# After this long a Tchap room that has not come deserves a sentence.
TCHAP_PATIENCE = dt.timedelta(minutes=10)


@never_cache
@require_safe
def meeting_list(request: HttpRequest) -> HttpResponse:
    """?onglet=a-venir|a-traiter|passees|annulees, ?page=2."""
    agent, now = signed_in(request), timezone.now()
    tab = request.GET.get("onglet", TABS[0])
    if tab not in TABS:
        tab = TABS[0]
    listed = read_page(agent, tab=tab, page=page_number(request), now=now)
    template = "visio/meetings/_list.html" if request.GET.get("fragment") else "visio/meetings/list.html"
    return render(
        request,
        template,
        {"page": "meetings", "now": now, "tab": tab, "listed": listed, "soon": now + SOON, "from": "list"},
    )


@never_cache
@require_safe
def detail(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """The whole page of one meeting."""
    agent, now = signed_in(request), timezone.now()
    meeting = visible_meeting_or_404(agent, public_id)
    context = (
        _facts(meeting, agent, now) | _ledger(request, meeting, now) | _side(meeting) | _history(meeting, agent, now)
    )
    context["mine"] = meeting.attendees.filter(agent=agent).exclude(role=Role.CHAIR).first()
    return render(request, "visio/meetings/detail.html", context)


@never_cache
@require_GET
def fragment_facts(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    agent, now = signed_in(request), timezone.now()
    meeting = visible_meeting_or_404(agent, public_id)
    return render(request, "visio/meetings/_facts.html", _facts(meeting, agent, now))


@never_cache
@require_GET
def fragment_ledger(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    agent, now = signed_in(request), timezone.now()
    return _ledger_response(request, visible_meeting_or_404(agent, public_id), agent, now)


@never_cache
@require_GET
def fragment_side(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    agent, now = signed_in(request), timezone.now()
    meeting = visible_meeting_or_404(agent, public_id)
    return render(request, "visio/meetings/_side.html", _facts(meeting, agent, now) | _side(meeting))


@never_cache
@require_GET
def fragment_history(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    agent, now = signed_in(request), timezone.now()
    meeting = visible_meeting_or_404(agent, public_id)
    context = {"meeting": meeting, "now": now, **_history(meeting, agent, now)}
    return render(request, "visio/meetings/_history.html", context)


@require_POST
def answer(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Answer one's own invitation. htmx gets the row that replaces it, everybody else the meeting's page.

    `answer=needs_action` takes the answer back (the row's "Annuler").
    """
    agent, now = signed_in(request), timezone.now()
    meeting = visible_meeting_or_404(agent, public_id)
    mine = meeting.attendees.filter(agent=agent).exclude(role=Role.CHAIR).first()
    if mine is None:
        raise Http404
    chosen = request.POST.get("answer", "")
    if chosen not in Answer.values:
        return HttpResponse(_("Choisissez une réponse."), status=422, content_type="text/plain; charset=utf-8")
    try:
        given = record_answer(
            attendee=mine,
            answer=chosen,
            comment=request.POST.get("comment", mine.comment),
            via=AnsweredVia.PORTAL,
            now=now,
            revision=_revision(request),
        )
    except AnswerRefused as refused:
        if from_htmx(request):
            return render(request, "visio/meetings/_answer_refused.html", {"attendee": mine, "words": refused.message})
        messages.error(request, refused.message)
        return redirect("meetings:detail", public_id)
    given.meeting = meeting
    if from_htmx(request):
        template = "_invitation.html" if given.answer == Answer.NEEDS_ACTION else "_answered.html"
        return render(
            request,
            f"visio/meetings/{template}",
            {"attendee": given, "meeting": meeting, "now": now, "from": request.POST.get("from", "")},
        )
    messages.success(request, answer_words(given.answer))
    return redirect(_back(request, public_id))


def answer_words(given: str) -> str:
    return {
        Answer.ACCEPTED.value: _("Vous participez."),
        Answer.TENTATIVE.value: _("Vous avez répondu « peut-être »."),
        Answer.DECLINED.value: _("Vous avez décliné."),
        Answer.NEEDS_ACTION.value: _("Votre réponse est retirée."),
    }[given]


@require_POST
def resend(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Owe one mail again (`delivery`), or every one that failed."""
    agent, now = signed_in(request), timezone.now()
    meeting = visible_meeting_or_404(agent, public_id)
    if not can_edit_meeting(meeting, agent):
        raise PermissionDenied
    raw = request.POST.get("delivery", "")
    row = None
    if raw:
        row = Delivery.objects.filter(meeting=meeting, pk=int(raw) if _is_number(raw) else 0).first()
        if row is None:
            raise Http404
    try:
        owed = resend_mails(delivery=row, meeting=None if row else meeting, by=agent, now=now)
    except ResendRefused as refused:
        messages.error(request, _resend_words(refused))
    else:
        said = ngettext("%(count)d courriel repart.", "%(count)d courriels repartent.", len(owed))
        messages.success(request, said % {"count": len(owed)})
    return redirect("meetings:detail", public_id)


def _is_number(raw: str) -> bool:
    return raw.isascii() and raw.isdigit() and len(raw) < 19


def _resend_words(refused: ResendRefused) -> str:
    return {
        "not_allowed": _("Seule la personne qui organise peut renvoyer un courriel."),
        "removed": _("Cette personne n’est plus invitée : il n’y a rien à lui renvoyer."),
        "under_way": _("Ce courriel est déjà en route."),
    }[refused.reason]


def _ledger_response(request: HttpRequest, meeting: Meeting, agent: Agent, now: dt.datetime) -> HttpResponse:
    context = {
        "meeting": meeting,
        "now": now,
        "can_edit": can_edit_meeting(meeting, agent),
        **_ledger(request, meeting, now),
    }
    return render(request, "visio/meetings/_body.html", context)


@require_safe
def ics(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """The meeting as a file for another calendar."""
    meeting = visible_meeting_or_404(signed_in(request), public_id)
    return ics_response(meeting)


def ics_response(meeting: Meeting, *, join_url: str | None = None) -> HttpResponse:
    response = HttpResponse(meeting_ics(meeting, join_url=join_url), content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="reunion.ics"'
    return response


def _facts(meeting: Meeting, agent: Agent, now: dt.datetime) -> dict[str, Any]:
    occurrence = current_occurrence(meeting, now)
    starts_at, ends_at = occurrence.starts_at, occurrence.ends_at
    here = words.hours(starts_at, ends_at, agent.time_zone)
    there = words.hours(starts_at, ends_at, meeting.time_zone)
    return {
        "page": "meetings",
        "now": now,
        "meeting": meeting,
        "starts_at": starts_at,
        "ends_at": ends_at,
        "zone": agent.time_zone,
        "starts_hour": words.hour(starts_at, agent.time_zone),
        "ends_hour": words.hour(ends_at, agent.time_zone),
        "elsewhere": there if there != here else "",
        "over": ends_at <= now,
        "running": starts_at <= now < ends_at,
        "can_edit": can_edit_meeting(meeting, agent),
        "editable": can_edit_meeting(meeting, agent) and not meeting.is_cancelled and ends_at > now,
    }


def _ledger(request: HttpRequest, meeting: Meeting, now: dt.datetime) -> dict[str, Any]:
    moved = meeting.changes.filter(kind=ChangeKind.MOVED).aggregate(last=Max("revision"))["last"]
    unfolded = request.GET.get("tout") == "1"
    ledger = read_ledger(meeting, moved_revision=moved or 1, page=page_number(request), unfolded=unfolded)
    # Who sees this page shares the meeting with everybody on it, so may see their presence.
    ids = [row.agent_id for row in ledger.rows if row.agent_id is not None]
    agents = {agent.pk: agent for agent in Agent.objects.filter(pk__in=ids, is_active=True)}
    lines = [(row, agents.get(row.agent_id or 0)) for row in ledger.rows]
    gone = meeting.deliveries.filter(attendee=None, state__in=UNSENT).order_by("pk")[:GONE_SHOWN]
    return {
        "ledger": ledger,
        "lines": lines,
        "gone": gone,
        "states": states(agents.values(), now=now),
        "unfolded": unfolded,
    }


def _side(meeting: Meeting) -> dict[str, Any]:
    room = meeting.room
    link = meeting.links.filter(label=TCHAP).first()
    return {
        "people_here": people_in_rooms([room.pk]).get(room.pk, []) if room and not meeting.is_cancelled else [],
        "join_url": join_url(meeting),
        "tchap_url": link.url if link else "",
        "tchap_refused": meeting.wants_tchap and link is None and is_refused(meeting=meeting, label=TCHAP),
        "tchap_late": meeting.changed_at < timezone.now() - TCHAP_PATIENCE,
    }


def _history(meeting: Meeting, agent: Agent, now: dt.datetime) -> dict[str, Any]:
    changes = MeetingChange.objects.filter(meeting=meeting).select_related("by")[:HISTORY_SHOWN]
    return {"history": history_lines(changes, viewer=agent, today=words.local(now, agent.time_zone).date())}


def _revision(request: HttpRequest) -> int | None:
    form = AnswerForm(request.POST)
    form.is_valid()
    return form.cleaned_data.get("revision")


def _back(request: HttpRequest, public_id: uuid.UUID) -> str:
    if request.POST.get("from") == "list":
        return reverse("meetings:list") + "?onglet=a-traiter"
    if request.POST.get("from") == "dashboard":
        return reverse("portal:dashboard")
    return reverse("meetings:detail", args=[public_id])
