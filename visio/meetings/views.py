"""The list of meetings, a meeting's page and its fragments, answers in place."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST, require_safe

from visio.meetings import resending
from visio.meetings.answer_forms import AnswerForm, ProposeForm
from visio.meetings.answers import AnswerRefused
from visio.meetings.answers import answer as record_answer
from visio.meetings.date_pages import address_of, asked_date
from visio.meetings.dates import current_occurrence, occurrence_by_key
from visio.meetings.gone_dates import NoSuchDate, NotInvited
from visio.meetings.ical import meeting_ics
from visio.meetings.listing import TABS, read_page
from visio.meetings.meeting_page import (
    Page,
    attendance_of,
    counters,
    dates,
    facts,
    history,
    ledger,
    own_answer,
    side,
    undoing,
)
from visio.meetings.models import Answer, AnsweredVia, Delivery, Meeting, MeetingChange, Occurrence
from visio.meetings.permissions import can_edit_meeting, dates_away, only_date_of, visible_meeting_or_404
from visio.meetings.requests import from_htmx, page_number, signed_in
from visio.meetings.shown_dates import another_date
from visio.meetings.waiting import as_of

# From this long before the start, the list offers to join.
SOON = dt.timedelta(minutes=15)


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
    """The whole page of one meeting, or of the date of a series that ?date= names; a date that is gone says why."""
    try:
        return detail_response(request, public_id)
    except NoSuchDate as gone:
        return _gone_response(request, gone)
    except NotInvited as left_out:
        date = left_out.occurrence
        # The day is the one that the series' rule says: what the date became is not the reader's business.
        return _no_date_page(request, left_out.meeting, date.recurrence_id, status=404)


def _gone_response(request: HttpRequest, gone: NoSuchDate) -> HttpResponse:
    agent, now = signed_in(request), timezone.now()
    if gone.change is None or only_date_of(gone.meeting, agent) is not None:
        raise gone
    if gone.moved_to is None:
        return _no_date_page(request, gone.meeting, gone.at, change=gone.change, status=410)
    rest = Meeting.objects.visible_to(agent).filter(public_id=gone.moved_to).first()
    if rest is None:
        raise gone
    only = only_date_of(rest, agent)
    if only is not None or not rest.is_series:
        return redirect("meetings:detail", rest.public_id)
    return redirect(
        address_of(rest, occurrence_by_key(rest, request.GET["date"][:40]) or current_occurrence(rest, now))
    )


def _no_date_page(
    request: HttpRequest, meeting: Meeting, at: dt.datetime | None, *, status: int, change: MeetingChange | None = None
) -> HttpResponse:
    context = {
        "page": "meetings",
        "now": timezone.now(),
        "meeting": meeting,
        "at": at,
        "zone": meeting.time_zone if meeting.is_all_day else signed_in(request).time_zone,
        "change": change,
        "series_address": address_of(meeting, None),
    }
    return render(request, "visio/meetings/no_date.html", context, status=status)


def detail_response(
    request: HttpRequest, public_id: uuid.UUID, *, propose: ProposeForm | None = None, status: int = 200
) -> HttpResponse:
    """`propose`: another time that was refused, to be shown again as it was typed."""
    page = _page(request, public_id)
    mine = attendance_of(page.meeting, page.agent)
    context = facts(page) | ledger(request, page) | side(page) | history(page) | dates(request, page, mine)
    context |= own_answer(page, mine) | counters(page) | undoing(page, can_edit=bool(context["can_edit"]))
    context["propose"] = propose
    return render(request, "visio/meetings/detail.html", context, status=status)


@never_cache
@require_GET
def fragment_facts(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    return render(request, "visio/meetings/_facts.html", facts(_page(request, public_id)))


@never_cache
@require_GET
def fragment_ledger(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    page = _page(request, public_id)
    return render(request, "visio/meetings/_body.html", facts(page) | ledger(request, page))


@never_cache
@require_GET
def fragment_dates(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """The series: its dates, and other times that wait for the organiser."""
    page = _page(request, public_id)
    mine = attendance_of(page.meeting, page.agent)
    context = facts(page) | dates(request, page, mine) | counters(page)
    return render(request, "visio/meetings/_dates.html", context)


@never_cache
@require_GET
def fragment_side(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    page = _page(request, public_id)
    return render(request, "visio/meetings/_side.html", facts(page) | side(page))


@never_cache
@require_GET
def fragment_history(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    page = _page(request, public_id)
    return render(request, "visio/meetings/_history.html", {"meeting": page.meeting, "now": page.now, **history(page)})


def _page(request: HttpRequest, public_id: uuid.UUID) -> Page:
    agent, now = signed_in(request), timezone.now()
    meeting = visible_meeting_or_404(agent, public_id)
    only = only_date_of(meeting, agent)
    one_date = only is not None or (meeting.is_series and bool(request.GET.get("date")))
    if only is not None:
        if request.GET.get("date") and asked_date(request, meeting, now).pk != only.pk:
            raise Http404
        return Page(meeting, only, agent, now, one_date=one_date, is_alone=True)
    occurrence, away = asked_date(request, meeting, now), dates_away(meeting, agent)
    if occurrence.pk in away:
        mine = attendance_of(meeting, agent)
        another = another_date(mine, now) if mine is not None and not one_date else None
        if another is None:
            raise NotInvited(meeting, occurrence)
        occurrence = another[0]
        occurrence.meeting = meeting
    return Page(meeting, occurrence, agent, now, one_date=one_date, away=away)


@require_POST
def answer(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Answer one's own invitation, or one date of it (`date`, with `only_date`). htmx gets the row that replaces it.

    `answer=needs_action` takes the answer back (the row's "Annuler").
    """
    agent, now = signed_in(request), timezone.now()
    meeting = visible_meeting_or_404(agent, public_id)
    mine = attendance_of(meeting, agent)
    if mine is None:
        raise Http404
    key = request.POST.get("date", "")[:40] if meeting.is_series else ""
    date = occurrence_by_key(meeting, key) if key else None
    if key and date is None:
        raise Http404
    only = date if request.POST.get("only_date") else None
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
            occurrence=only,
        )
    except AnswerRefused as refused:
        if from_htmx(request):
            return render(request, "visio/meetings/_answer_refused.html", {"attendee": mine, "words": refused.message})
        messages.error(request, refused.message)
        return redirect(address_of(meeting, date))
    if from_htmx(request):
        row = as_of(given, date or current_occurrence(meeting, now), answer=chosen)
        row.date_waits = only is not None
        return render(
            request,
            f"visio/meetings/{'_invitation.html' if chosen == Answer.NEEDS_ACTION else '_answered.html'}",
            {"attendee": row, "meeting": row.meeting, "now": now, "from": request.POST.get("from", "")},
        )
    messages.success(request, answer_words(chosen))
    return redirect(_back(request, meeting, date))


def answer_words(given: str) -> str:
    return {
        Answer.ACCEPTED.value: _("Vous participez."),
        Answer.TENTATIVE.value: _("Vous avez répondu « peut-être »."),
        Answer.DECLINED.value: _("Vous avez décliné."),
        Answer.NEEDS_ACTION.value: _("Votre réponse est retirée."),
    }[given]


@require_POST
def resend(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Owe one mail again (`delivery`), one to everybody (`everyone`), or every one that failed."""
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
        if request.POST.get("everyone") == "1":
            count = resending.resend_to_all(meeting=meeting, by=agent, now=now)
        else:
            count = len(resending.resend(delivery=row, meeting=None if row else meeting, by=agent, now=now))
    except resending.ResendRefused as refused:
        messages.error(request, refused.message)
    else:
        if not count:
            messages.info(request, _("Les courriels sont déjà en route."))
            return redirect("meetings:detail", public_id)
        said = ngettext("%(count)d courriel repart.", "%(count)d courriels repartent.", count)
        messages.success(request, said % {"count": count})
    return redirect("meetings:detail", public_id)


def _is_number(raw: str) -> bool:
    return raw.isascii() and raw.isdigit() and len(raw) < 19


@require_safe
def ics(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """The meeting, or the one date that ?date= names, as a file for another calendar. For a guest of one date that date."""
    agent = signed_in(request)
    meeting = visible_meeting_or_404(agent, public_id)
    date = occurrence_by_key(meeting, request.GET["date"][:40]) if request.GET.get("date") else None
    only = only_date_of(meeting, agent)
    away = dates_away(meeting, agent)
    if request.GET.get("date") and (date is None or date.pk in away or (only is not None and date.pk != only.pk)):
        raise Http404
    return ics_response(meeting, only or date, absent=away.values())


def ics_response(
    meeting: Meeting,
    date: Occurrence | None = None,
    *,
    join_url: str | None = None,
    absent: Collection[dt.datetime] = (),
) -> HttpResponse:
    """`absent`: dates (recurrence ids) of which the reader gets nothing."""
    text = meeting_ics(meeting, date, join_url=join_url, absent=absent)
    response = HttpResponse(text, content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="reunion.ics"'
    return response


def _revision(request: HttpRequest) -> int | None:
    form = AnswerForm(request.POST)
    form.is_valid()
    return form.cleaned_data.get("revision")


def _back(request: HttpRequest, meeting: Meeting, date: Occurrence | None) -> str:
    if request.POST.get("from") == "list":
        return reverse("meetings:list") + "?onglet=a-traiter"
    if request.POST.get("from") == "dashboard":
        return reverse("portal:dashboard")
    return address_of(meeting, date)
