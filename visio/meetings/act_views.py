"""One-click acts on a meeting's page: take back, propose another time, decide about one."""

from __future__ import annotations

import datetime as dt
import uuid

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from visio.meetings.answer_forms import ProposeForm
from visio.meetings.counters import CounterRefused, accept, propose, refuse
from visio.meetings.date_pages import address_of, asked_date
from visio.meetings.dates import current_occurrence
from visio.meetings.drafts import DAY_MINUTES
from visio.meetings.exception_models import CounterProposal
from visio.meetings.meeting_page import attendance_of
from visio.meetings.models import AnsweredVia
from visio.meetings.permissions import can_edit_meeting, visible_meeting_or_404
from visio.meetings.refusals import MeetingOver
from visio.meetings.requests import signed_in
from visio.meetings.undo import UndoRefused
from visio.meetings.undo import undo as take_back
from visio.meetings.views import detail_response

REFUSED = 422


@require_POST
def undo(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Take back the last cancel or move, while nothing of it was mailed."""
    agent, now = signed_in(request), timezone.now()
    meeting = visible_meeting_or_404(agent, public_id)
    if not can_edit_meeting(meeting, agent):
        raise PermissionDenied
    try:
        restored = take_back(meeting=meeting, by=agent, now=now)
    except UndoRefused as refused:
        messages.error(request, refused.message)
        return redirect("meetings:detail", public_id)
    messages.success(request, _("C’est comme avant : aucun courriel n’est parti."))
    return redirect("meetings:detail", restored.public_id)


@require_POST
def propose_time(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Another time, for the meeting or for the date of a series that ?date= names. What was typed is shown again."""
    agent, now = signed_in(request), timezone.now()
    meeting = visible_meeting_or_404(agent, public_id)
    mine = attendance_of(meeting, agent)
    if mine is None:
        raise Http404
    occurrence = asked_date(request, meeting, now)
    date = occurrence if meeting.is_series and request.GET.get("date") else None
    days = meeting.minutes // DAY_MINUTES if meeting.is_all_day else 0
    form = ProposeForm(request.POST, zone=meeting.time_zone if days else agent.time_zone, now=now, days=days)
    if not form.is_valid() or form.span is None:
        return detail_response(request, public_id, propose=form, status=REFUSED)
    try:
        propose(
            attendee=mine,
            occurrence=date,
            starts_at=form.span[0],
            ends_at=form.span[1],
            comment=form.cleaned_data["comment"],
            via=AnsweredVia.PORTAL,
            revision=form.cleaned_data["revision"],
            now=now,
        )
    except CounterRefused as refused:
        form.add_error(None, refused.message)
        return detail_response(request, public_id, propose=form, status=REFUSED)
    said = _("Votre proposition est transmise à %(name)s. L’horaire ne change que si elle est acceptée.")
    messages.success(request, said % {"name": meeting.organiser.full_name})
    return redirect(address_of(meeting, date))


@require_POST
def decide(request: HttpRequest, public_id: uuid.UUID, counter_id: uuid.UUID) -> HttpResponse:
    """Take the time that somebody proposes (`decision=accept`), or keep the one there is (`refuse`)."""
    agent, now = signed_in(request), timezone.now()
    meeting = visible_meeting_or_404(agent, public_id)
    if not can_edit_meeting(meeting, agent):
        raise PermissionDenied
    counter = CounterProposal.objects.filter(meeting=meeting, public_id=counter_id).select_related("occurrence").first()
    decision = request.POST.get("decision", "")
    if counter is None:
        raise Http404
    back = address_of(meeting, counter.occurrence)
    try:
        if decision == "accept":
            moved = accept(counter=counter, by=agent, now=now)
            messages.success(request, _("Nouvel horaire retenu. Les personnes invitées sont prévenues par courriel."))
            return redirect(address_of(moved, counter.occurrence if moved.pk == meeting.pk else None))
        if decision == "refuse":
            refuse(counter=counter, by=agent, now=now, words=request.POST.get("words", ""))
            messages.success(request, _("Proposition refusée. Son auteur est prévenu, l’horaire ne change pas."))
        else:
            messages.error(request, _("Choisissez d’accepter ou de refuser."))
    except CounterRefused as refused:
        messages.error(request, _with_way_out(refused, counter, now))
    except MeetingOver:
        messages.error(request, _("Cette réunion est terminée ou annulée : elle ne peut plus changer."))
    return redirect(back)


def _with_way_out(refused: CounterRefused, counter: CounterProposal, now: dt.datetime) -> str:
    """The refusal; where a room is taken, with the form that has the proposed time and lets another room be chosen."""
    if refused.reason != "taken":
        return refused.message
    meeting = counter.meeting
    shown = counter.occurrence or current_occurrence(meeting, now)
    address = address_of(meeting, shown if meeting.is_series else None, name="edit")
    link = f"{address}{'&' if '?' in address else '?'}proposition={counter.public_id}"
    return format_html('{} <a href="{}">{}</a>', refused.message, link, _("Choisir une autre salle pour cet horaire"))
