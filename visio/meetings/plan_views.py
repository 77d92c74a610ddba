"""Planning, editing, moving and cancelling a meeting, or some dates of a series."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from suite.agents.models import Agent
from visio.meetings import words
from visio.meetings.attendance import people_of_date
from visio.meetings.cautions import Caution, unseen
from visio.meetings.date_pages import address_of, asked_date, booked_resources, notify_choices, scope_choices
from visio.meetings.dates import occurrence_key
from visio.meetings.exception_models import CounterProposal, CounterState
from visio.meetings.form_values import at_other_time
from visio.meetings.forms import CancelForm, PlanForm, blank, filled
from visio.meetings.history import HistoryLine, history_lines
from visio.meetings.models import Attendee, Meeting, Occurrence, Role, Status
from visio.meetings.permissions import can_edit_meeting, visible_meeting_or_404
from visio.meetings.plan_pieces import chips
from visio.meetings.recap import make_recap
from visio.meetings.requests import signed_in
from visio.meetings.scheduling import (
    AlreadyMade,
    DraftRefused,
    EditConflict,
    MeetingOver,
    schedule_meeting,
    start_instant_meeting,
)
from visio.meetings.scoped import for_the_series
from visio.meetings.scopes import Notify, Scope
from visio.meetings.series import cancel as cancel_dates
from visio.meetings.series import change

REFUSED = 422
STALE = 409
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
        if cautions := unseen(form):
            return _form_page(request, form, cautions=cautions, status=REFUSED)
        try:
            meeting = schedule_meeting(
                by=agent,
                draft=form.draft,
                now=now,
                creation_key=form.cleaned_data["creation_key"],
                organiser=form.organiser,
            )
        except DraftRefused as refused:
            form.refuse(refused.errors)
        except AlreadyMade as already:
            return _form_page(request, form, made=already.meeting, status=STALE)
        else:
            _say(request, form, _sent_words(len(form.draft.attendees)))
            return redirect("meetings:detail", meeting.public_id)
    return _form_page(request, form, status=REFUSED)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """The same form for a meeting that exists, or for the date of it that ?date= names; moving it is editing its date."""
    agent, now = signed_in(request), timezone.now()
    meeting = _editable(agent, public_id)
    occurrence = asked_date(request, meeting, now)
    shown = people_of_date(meeting, occurrence) if meeting.is_series else _guests(meeting)
    date = occurrence if meeting.is_series else None
    if request.method != "POST":
        initial = filled(meeting, shown, date, booked_resources(occurrence))
        counter = _asked_counter(request, meeting, date)
        if counter is not None:
            at_other_time(initial, meeting, counter.starts_at, counter.ends_at)
            initial["scope"] = Scope.ONE if counter.occurrence_id else Scope.ALL
        form = PlanForm(initial=initial, organiser=meeting.organiser, now=now, meeting=meeting, occurrence=date)
        return _form_page(request, form, meeting=meeting, counter=counter)
    form = PlanForm(request.POST, organiser=meeting.organiser, now=now, meeting=meeting, occurrence=date)
    if not form.is_valid() or form.draft is None:
        return _form_page(request, form, meeting=meeting, status=REFUSED)
    if cautions := unseen(form, before=len(shown) + 1):
        return _form_page(request, form, meeting=meeting, cautions=cautions, status=REFUSED)
    scope, draft, before = form.reach, form.draft, meeting.revision
    if date is not None and scope != Scope.ONE:
        draft = for_the_series(draft, meeting=meeting, occurrence=date, shown=shown)
    try:
        changed = change(
            meeting=meeting,
            occurrence=occurrence,
            scope=scope,
            by=agent,
            draft=draft,
            revision=form.cleaned_data["revision"] or 0,
            now=now,
            notify=form.cleaned_data["notify"] or Notify.DEFAULT,
        )
    except DraftRefused as refused:
        form.refuse(refused.errors)
        return _form_page(request, form, meeting=meeting, status=REFUSED)
    except EditConflict as conflict:
        return _form_page(request, form, meeting=conflict.meeting, conflict=conflict, status=STALE)
    except MeetingOver:
        messages.error(request, _("Cette réunion est terminée ou annulée : elle ne peut plus changer."))
        return redirect("meetings:detail", public_id)
    nothing = changed.pk == meeting.pk and changed.revision == before
    _say(
        request,
        form,
        _("Rien n’a changé : aucun courriel ne part.") if nothing else _changed_words(meeting, changed, scope),
    )
    return redirect(address_of(changed, occurrence if scope == Scope.ONE and changed.is_series else None))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Ask, then cancel: all of it, or what the page chose of a series."""
    agent, now = signed_in(request), timezone.now()
    meeting = _editable(agent, public_id)
    occurrence = asked_date(request, meeting, now)
    form = CancelForm(request.POST if request.method == "POST" else None)
    conflict: EditConflict | None = None
    if request.method == "POST" and form.is_valid():
        scope = form.scope if meeting.is_series else Scope.ALL
        try:
            cancel_dates(
                meeting=meeting,
                occurrence=occurrence,
                scope=scope,
                by=agent,
                now=now,
                notify=form.cleaned_data["notify"] or Notify.DEFAULT,
                revision=form.cleaned_data["revision"],
            )
        except MeetingOver:
            messages.error(request, _("Cette réunion est terminée : elle ne peut plus être annulée."))
        except EditConflict as found:
            conflict, meeting = found, found.meeting
        else:
            messages.success(request, _cancelled_words(form, scope if meeting.is_series else Scope.ALL))
        if conflict is None:
            is_date = meeting.is_series and scope == Scope.ONE and not meeting.is_cancelled
            return redirect(address_of(meeting, occurrence if is_date else None))
    if meeting.is_cancelled or occurrence.status == Status.CANCELLED or occurrence.ends_at <= now:
        return redirect(address_of(meeting, occurrence if meeting.is_series else None))
    context = {
        "page": "meetings",
        "now": now,
        "meeting": meeting,
        "occurrence": occurrence,
        "title": meeting.title if occurrence.title is None else occurrence.title,
        "back": address_of(meeting, occurrence if meeting.is_series else None),
        "form": form,
        "scope": form.scope,
        "scopes": scope_choices(meeting, occurrence, agent, now) if meeting.is_series else [],
        "guests": len(people_of_date(meeting, occurrence) if meeting.is_series else _guests(meeting)),
        "conflict_lines": _conflict_lines(conflict, agent, now),
        "revision": meeting.revision,
    }
    status = STALE if conflict else REFUSED if request.method == "POST" else 200
    return render(request, "visio/meetings/cancel.html", context, status=status)


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


def _form_page(
    request: HttpRequest,
    form: PlanForm,
    *,
    meeting: Meeting | None = None,
    conflict: EditConflict | None = None,
    cautions: Sequence[Caution] = (),
    made: Meeting | None = None,
    counter: CounterProposal | None = None,
    status: int = 200,
) -> HttpResponse:
    agent, now = signed_in(request), timezone.now()
    focus = FOCUS.get(request.GET.get("champ", ""), "")
    recap = make_recap(form)
    date = form.occurrence
    context = {
        "page": "meetings" if meeting else "plan",
        "now": now,
        "form": form,
        "meeting": meeting,
        "occurrence": date,
        "date_key": occurrence_key(date) if date else "",
        "back": address_of(meeting, date) if meeting else "",
        "scopes": scope_choices(meeting, date, agent, now) if meeting and date else [],
        "notifications": notify_choices(),
        "recap": recap,
        "cautions": cautions,
        "made": made,
        "proposed_by": counter.attendee.display_name if counter else "",
        # The same form may make a second meeting, when that is what is meant.
        "creation_key": uuid.uuid4() if made else form.value_of("creation_key"),
        "focus": focus,
        "moving": focus == "date",
        "people": chips(form.people, form.problems, viewer=agent),
        "conflict_lines": _conflict_lines(conflict, agent, now),
        "revision": conflict.meeting.revision if conflict else form.value_of("revision"),
    }
    return render(request, "visio/meetings/plan.html", context, status=status)


def _conflict_lines(conflict: EditConflict | None, agent: Agent, now: dt.datetime) -> list[HistoryLine]:
    if conflict is None:
        return []
    return history_lines(conflict.changes, viewer=agent, today=words.local(now, agent.time_zone).date())


def _editable(agent: Agent, public_id: uuid.UUID) -> Meeting:
    """The meeting; 404 for strangers, 403 for attendees who do not organise it."""
    meeting = visible_meeting_or_404(agent, public_id)
    if not can_edit_meeting(meeting, agent):
        raise PermissionDenied
    return meeting


def _guests(meeting: Meeting) -> list[Attendee]:
    return list(meeting.attendees.exclude(role=Role.CHAIR).select_related("agent").order_by("pk"))


def _changed_words(meeting: Meeting, changed: Meeting, scope: Scope) -> str:
    if changed.pk == meeting.pk:
        return _("Modification enregistrée.")
    if scope == Scope.FOLLOWING:
        return _("Modification enregistrée : cette date et les suivantes forment une nouvelle série.")
    return _("Modification enregistrée à partir de la prochaine date : les dates passées restent comme elles étaient.")


def _cancelled_words(form: CancelForm, scope: Scope) -> str:
    done = {
        Scope.ONE: _("Date annulée."),
        Scope.FOLLOWING: _("Cette date et les suivantes sont annulées."),
        Scope.ALL: _("Réunion annulée."),
    }[scope]
    if form.cleaned_data["notify"] == Notify.NOBODY:
        return done
    return _("%(done)s Les personnes invitées sont prévenues par courriel.") % {"done": done}


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


def _asked_counter(request: HttpRequest, meeting: Meeting, date: Occurrence | None) -> CounterProposal | None:
    """?proposition=: the other time that waits for a decision and is to be in the form, for this date or for all of them."""
    try:
        asked = uuid.UUID(request.GET.get("proposition", ""))
    except ValueError:
        # None was asked for, or none of ours: the form begins with the meeting as it is.
        return None
    waiting = CounterProposal.objects.filter(meeting=meeting, public_id=asked, state=CounterState.PENDING)
    return waiting.filter(Q(occurrence=None) | Q(occurrence=date)).select_related("attendee__agent").first()


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
