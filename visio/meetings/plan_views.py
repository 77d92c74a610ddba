"""Planning, editing, moving and cancelling a meeting."""

from __future__ import annotations

import datetime as dt
import uuid

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from suite.agents.directory import search_agents
from suite.agents.models import Agent
from visio.meetings import words, zones
from visio.meetings.dates import current_occurrence
from visio.meetings.drafts import Invitee, resolve_invitees
from visio.meetings.forms import PlanForm, blank, filled, invitee_line
from visio.meetings.history import history_lines
from visio.meetings.models import Meeting, Role
from visio.meetings.permissions import can_edit_meeting, visible_meeting_or_404
from visio.meetings.recap import make_recap
from visio.meetings.requests import signed_in
from visio.meetings.scheduling import (
    AlreadyMade,
    DraftRefused,
    EditConflict,
    MeetingOver,
    cancel_meeting,
    edit_meeting,
    schedule_meeting,
    start_instant_meeting,
)

REFUSED = 422
STALE = 409
MOST_TEXT = 200_000
# A date that a link asks for, of years that the team's calendar has too.
DIARY_YEARS = range(2000, 2100)
# Fields that a link may bring into focus, as the address names them (?champ=date).
FOCUS = {"date": "date", "titre": "title", "participants": "attendees"}


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def plan(request: HttpRequest) -> HttpResponse:
    """The empty form, or the meeting that it makes."""
    agent, now = signed_in(request), timezone.now()
    if request.method != "POST":
        initial = blank(agent, now=now, date=_asked_date(request), start=_asked_time(request))
        return _form_page(request, PlanForm(initial=initial, organiser=agent, now=now))
    form = PlanForm(request.POST, organiser=agent, now=now)
    if form.is_valid() and form.draft is not None:
        try:
            meeting = schedule_meeting(
                by=agent, draft=form.draft, now=now, creation_key=form.cleaned_data["creation_key"]
            )
        except DraftRefused as refused:
            form.refuse(refused.errors)
        except AlreadyMade as already:
            messages.warning(
                request, _("Cette réunion est déjà enregistrée : la voici. Modifiez-la si elle doit changer.")
            )
            return redirect("meetings:detail", already.meeting.public_id)
        else:
            _say(request, form, _sent_words(len(form.draft.attendees)))
            return redirect("meetings:detail", meeting.public_id)
    return _form_page(request, form, status=REFUSED)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """The same form for a meeting that exists; moving it is editing its date."""
    agent, now = signed_in(request), timezone.now()
    meeting = _editable(agent, public_id)
    if request.method != "POST":
        attendees = list(meeting.attendees.exclude(role=Role.CHAIR).select_related("agent").order_by("pk"))
        form = PlanForm(initial=filled(meeting, attendees), organiser=meeting.organiser, now=now, meeting=meeting)
        return _form_page(request, form, meeting=meeting)
    form = PlanForm(request.POST, organiser=meeting.organiser, now=now, meeting=meeting)
    if not form.is_valid() or form.draft is None:
        return _form_page(request, form, meeting=meeting, status=REFUSED)
    before = meeting.revision
    try:
        meeting = edit_meeting(
            meeting=meeting, by=agent, draft=form.draft, revision=form.cleaned_data["revision"] or 0, now=now
        )
    except DraftRefused as refused:
        form.refuse(refused.errors)
        return _form_page(request, form, meeting=meeting, status=REFUSED)
    except EditConflict as conflict:
        return _form_page(request, form, meeting=conflict.meeting, conflict=conflict, status=STALE)
    except MeetingOver:
        messages.error(request, _("Cette réunion est terminée ou annulée : elle ne peut plus changer."))
    else:
        changed = meeting.revision != before
        _say(
            request, form, _("Modification enregistrée.") if changed else _("Rien n’a changé : aucun courriel ne part.")
        )
    return redirect("meetings:detail", public_id)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Ask, then cancel."""
    agent, now = signed_in(request), timezone.now()
    meeting = _editable(agent, public_id)
    if request.method == "POST":
        try:
            cancel_meeting(meeting=meeting, by=agent, now=now)
        except MeetingOver:
            messages.error(request, _("Cette réunion est terminée : elle ne peut plus être annulée."))
        else:
            messages.success(request, _("Réunion annulée. Les personnes invitées sont prévenues par courriel."))
        return redirect("meetings:detail", public_id)
    starts_at, ends_at = _times(meeting)
    if meeting.is_cancelled or ends_at <= now:
        return redirect("meetings:detail", public_id)
    guests = meeting.attendees.exclude(role=Role.CHAIR).count()
    context = {"page": "meetings", "now": now, "meeting": meeting, "starts_at": starts_at, "ends_at": ends_at}
    return render(request, "visio/meetings/cancel.html", {**context, "guests": guests})


@require_POST
def instant(request: HttpRequest) -> HttpResponse:
    """A meeting that begins now. Two clicks within a minute are one meeting (PROMISES 18)."""
    agent, now = signed_in(request), timezone.now()
    key = uuid.uuid5(agent.public_id, f"instant {now:%Y-%m-%d %H:%M}")
    made = Meeting.objects.filter(organiser=agent, creation_key=key).first()
    if made is not None and made.is_cancelled:
        key = uuid.uuid4()
    meeting = start_instant_meeting(by=agent, now=now, creation_key=key)
    if meeting.room is None:
        return redirect("meetings:detail", meeting.public_id)
    return redirect("rooms:room", meeting.room.slug)


@require_POST
def recap(request: HttpRequest) -> HttpResponse:
    """The summary of a form that is being filled in. Writes nothing."""
    agent = signed_in(request)
    form = PlanForm(request.POST, organiser=agent, now=timezone.now())
    form.is_valid()
    return render(request, "visio/meetings/_recap.html", {"recap": make_recap(form), "form": form})


@require_GET
def directory(request: HttpRequest) -> JsonResponse:
    """Agents whose name or address holds `q`, as the participants field lists them."""
    agent = signed_in(request)
    found = search_agents(viewer=agent, text=request.GET.get("q", "")[:100].replace("\x00", ""), limit=8)
    results = [
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
    return JsonResponse({"results": results})


@require_POST
def addresses(request: HttpRequest) -> JsonResponse:
    """What pasted or typed lines mean: people, and what is wrong with the others. Writes nothing."""
    agent = signed_in(request)
    found = resolve_invitees(request.POST.get("text", "")[:MOST_TEXT].splitlines(), organiser=agent)
    return JsonResponse(
        {
            "people": _chips(list(found.invitees), agent),
            "problems": [{"text": problem.text, "error": problem.message} for problem in found.problems],
            "notices": list(found.notices),
        }
    )


def _form_page(
    request: HttpRequest,
    form: PlanForm,
    *,
    meeting: Meeting | None = None,
    conflict: EditConflict | None = None,
    status: int = 200,
) -> HttpResponse:
    agent, now = signed_in(request), timezone.now()
    focus = FOCUS.get(request.GET.get("champ", ""), "")
    context = {
        "page": "meetings" if meeting else "plan",
        "now": now,
        "form": form,
        "meeting": meeting,
        "recap": make_recap(form),
        "focus": focus,
        "moving": focus == "date",
        "people": _chips(form.people, agent)
        + [{"text": problem.text, "error": problem.message, "role": role} for problem, role in form.problems],
        "conflict_lines": history_lines(conflict.changes, viewer=agent, today=words.local(now, agent.time_zone).date())
        if conflict
        else [],
        "revision": conflict.meeting.revision if conflict else form.value_of("revision"),
    }
    return render(request, "visio/meetings/plan.html", context, status=status)


def _chips(people: list[Invitee], viewer: Agent) -> list[dict[str, str]]:
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


def _editable(agent: Agent, public_id: uuid.UUID) -> Meeting:
    """The meeting; 404 for strangers, 403 for attendees who do not organise it."""
    meeting = visible_meeting_or_404(agent, public_id)
    if not can_edit_meeting(meeting, agent):
        raise PermissionDenied
    return meeting


def _times(meeting: Meeting) -> tuple[dt.datetime, dt.datetime]:
    occurrence = current_occurrence(meeting, timezone.now())
    return occurrence.starts_at, occurrence.ends_at


def _say(request: HttpRequest, form: PlanForm, done: str) -> None:
    messages.success(request, done)
    for notice in form.notices:
        messages.info(request, notice)


def _sent_words(guests: int) -> str:
    if not guests:
        return _("Réunion enregistrée.")
    words_sent = ngettext(
        "Réunion enregistrée. Le courriel d’invitation part à %(count)d personne.",
        "Réunion enregistrée. Le courriel d’invitation part à %(count)d personnes.",
        guests,
    )
    return words_sent % {"count": guests}


def _asked_date(request: HttpRequest) -> dt.date | None:
    try:
        asked = dt.date.fromisoformat(request.GET.get("date", ""))
    except ValueError:
        # No date, or none that exists: the form begins with today.
        return None
    return asked if asked.year in DIARY_YEARS else None


def _asked_time(request: HttpRequest) -> dt.time | None:
    try:
        return dt.time.fromisoformat(request.GET.get("start", "")).replace(second=0, microsecond=0, tzinfo=None)
    except ValueError:
        # No time, or none that exists: the form begins with the next half hour.
        return None
