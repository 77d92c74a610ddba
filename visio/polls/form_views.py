"""Asking about dates: the form of a new poll and of one that is open."""

from __future__ import annotations

import datetime as dt
import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from visio.meetings.plan_pieces import chips
from visio.meetings.requests import signed_in
from visio.polls.drafts import MOST_DATES
from visio.polls.forms import MOST_ROWS, DateRow, PollForm, blank, blank_rows, filled, filled_rows
from visio.polls.models import Poll, PollOption, PollStatus
from visio.polls.opening import edit_poll, open_poll
from visio.polls.permissions import editable_poll_or_404
from visio.polls.refusals import PollConflict, PollNotOpen, PollRefused

REFUSED = 422
STALE = 409
LONGEST_TITLE = 200
MOST_TEXT = 20_000
# Dates that a link asks for, of years that a diary has.
DIARY_YEARS = range(2000, 2100)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """The empty form, or the poll that it opens. A link may bring ?titre=, ?minutes=, ?personnes= and several ?d=2026-11-26T10:00."""
    agent, now = signed_in(request), timezone.now()
    if request.method != "POST":
        initial = blank(
            agent,
            title=request.GET.get("titre", "")[:LONGEST_TITLE],
            minutes=_asked_minutes(request),
            people=request.GET.get("personnes", "")[:MOST_TEXT],
        )
        return _page(
            request, PollForm(initial=initial, organiser=agent, now=now, rows=blank_rows(_asked_dates(request)))
        )
    form = PollForm(request.POST, organiser=agent, now=now)
    if _only_rows(request, form):
        return _page(request, _unchecked(request, form))
    if form.is_valid() and form.draft is not None:
        try:
            poll = open_poll(by=agent, draft=form.draft, now=now, creation_key=form.cleaned_data["creation_key"])
        except PollRefused as refused:
            form.refuse(refused.faults)
        else:
            number = len(form.draft.people)
            sentence = ngettext("Sondage envoyé à %(n)d personne.", "Sondage envoyé à %(n)d personnes.", number)
            _say(request, form, sentence % {"n": number})
            return redirect("polls:detail", poll.public_id)
    return _page(request, form, status=REFUSED)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """The same form for a poll that is open."""
    agent, now = signed_in(request), timezone.now()
    poll = editable_poll_or_404(agent, public_id)
    if poll.status != PollStatus.OPEN:
        messages.error(request, PollNotOpen(poll.status).message)
        return redirect("polls:detail", public_id)
    if request.method != "POST":
        rows = filled_rows(poll, PollOption.objects.filter(poll=poll))
        initial = filled(poll, list(poll.participants.all()))
        return _page(request, PollForm(initial=initial, organiser=agent, now=now, poll=poll, rows=rows), poll=poll)
    form = PollForm(request.POST, organiser=agent, now=now, poll=poll)
    if _only_rows(request, form):
        return _page(request, _unchecked(request, form), poll=poll)
    if not form.is_valid() or form.draft is None:
        return _page(request, form, poll=poll, status=REFUSED)
    try:
        edit_poll(poll=poll, by=agent, draft=form.draft, now=now, seen=_seen(form))
    except PollRefused as refused:
        form.refuse(refused.faults)
        return _page(request, form, poll=poll, status=REFUSED)
    except PollConflict:
        poll.refresh_from_db()
        return _page(request, form, poll=poll, conflict=True, status=STALE)
    except PollNotOpen as refused:
        messages.error(request, refused.message)
    else:
        _say(request, form, _("Sondage enregistré."))
    return redirect("polls:detail", public_id)


def _page(
    request: HttpRequest, form: PollForm, *, poll: Poll | None = None, conflict: bool = False, status: int = 200
) -> HttpResponse:
    context = {
        "page": "polls",
        "now": timezone.now(),
        "form": form,
        "people": chips(form.invitees, form.problems, viewer=signed_in(request)),
        "poll": poll,
        "conflict": conflict,
        # After a conflict, saving again is meant.
        "seen": poll.changed_at.isoformat() if poll and conflict else form["seen"].value() or "",
        "most_dates": MOST_DATES,
        "focus_row": request.POST.get("act", "") == "add",
    }
    return render(request, "visio/polls/form.html", context, status=status)


def _only_rows(request: HttpRequest, form: PollForm) -> bool:
    """ "Ajouter une date" and "Retirer" without a script: the form comes back with its rows changed, and nothing is checked."""
    removed = request.POST.get("remove", "")
    if removed.isascii() and removed.isdigit() and int(removed[:3]) < len(form.rows):
        del form.rows[int(removed)]
        return True
    if request.POST.get("act") == "add":
        if len(form.rows) < MOST_ROWS:
            form.rows.append(DateRow())
        return True
    return False


def _unchecked(request: HttpRequest, form: PollForm) -> PollForm:
    """The form as it was typed, with the rows as they are now."""
    typed = {name: request.POST.get(name, "") for name in form.fields if name != "dates"}
    return PollForm(initial=typed, organiser=form.organiser, now=form.now, poll=form.poll, rows=form.rows)


def _seen(form: PollForm) -> dt.datetime:
    """When the poll was last changed for whoever filled in the form; nothing that can be read is long ago."""
    try:
        seen = parse_datetime(form.cleaned_data["seen"])
    except ValueError:
        seen = None
    return seen if seen is not None and seen.tzinfo is not None else dt.datetime.min.replace(tzinfo=dt.UTC)


def _say(request: HttpRequest, form: PollForm, done: str) -> None:
    messages.success(request, done)
    for notice in form.notices:
        messages.info(request, notice)


def _asked_minutes(request: HttpRequest) -> int:
    raw = request.GET.get("minutes", "")
    return int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 6 and int(raw) > 0 else 60


def _asked_dates(request: HttpRequest) -> list[dt.datetime]:
    """Every ?d= that is a wall clock; the others are left out."""
    found = []
    for raw in request.GET.getlist("d")[:MOST_DATES]:
        try:
            wall = dt.datetime.fromisoformat(raw)
        except ValueError:
            # No wall clock: a row less.
            continue
        if wall.tzinfo is None and wall.year in DIARY_YEARS:
            found.append(wall)
    return found
