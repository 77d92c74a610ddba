"""Polls of signed-in agents: the lists, one poll's page with its live pieces, and what its people do there."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from suite.agents.models import Agent
from visio.meetings.refusals import DraftRefused
from visio.meetings.requests import page_number, signed_in
from visio.polls.board import read_board
from visio.polls.closing import choose_date, close_poll, may_reopen, reopen_poll
from visio.polls.forms import CommentForm, typed_votes
from visio.polls.listing import TABS, read_page
from visio.polls.models import Poll, PollOption, PollParticipant, PollStatus
from visio.polls.permissions import can_edit_poll, editable_poll_or_404, visible_poll_or_404
from visio.polls.refusals import ChoiceRefused, PollNotOpen, ReminderRefused, VoteRefused
from visio.polls.reminding import remind
from visio.polls.voting import vote

REFUSED = 422
STALE = 409
# The pieces of a poll's page that follow the server, by the last part of their address.
PIECES = {
    "entete": "visio/polls/_head.html",
    "resultats": "visio/polls/_results.html",
    "cote": "visio/polls/_side.html",
}


@never_cache
@require_safe
def poll_list(request: HttpRequest) -> HttpResponse:
    """?onglet=recus|organises, ?page=2."""
    agent, now = signed_in(request), timezone.now()
    tab = request.GET.get("onglet", TABS[0])
    if tab not in TABS:
        tab = TABS[0]
    listed = read_page(agent, tab=tab, page=page_number(request), now=now)
    template = "visio/polls/_list.html" if request.GET.get("fragment") else "visio/polls/list.html"
    return render(request, template, {"page": "polls", "now": now, "tab": tab, "listed": listed})


@never_cache
@require_safe
def detail(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    agent = signed_in(request)
    return poll_page(request, visible_poll_or_404(agent, public_id))


@never_cache
@require_safe
def fragment(request: HttpRequest, public_id: uuid.UUID, piece: str) -> HttpResponse:
    """One live piece of the page again."""
    if piece not in PIECES:
        raise Http404
    agent, now = signed_in(request), timezone.now()
    poll = visible_poll_or_404(agent, public_id)
    return render(request, PIECES[piece], page_context(request, poll, agent, now))


@never_cache
@require_POST
def answer(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """My vote. What is refused comes back with what was chosen."""
    agent, now = signed_in(request), timezone.now()
    poll = visible_poll_or_404(agent, public_id)
    me = _me(poll, agent)
    if me is None:
        raise Http404
    form = CommentForm(request.POST)
    typed = typed_votes(request.POST, PollOption.objects.filter(poll=poll))
    refused, status = "", REFUSED
    if form.is_valid():
        try:
            vote(participant=me, choices=typed, comment=form.cleaned_data["comment"], now=now)
        except VoteRefused as refusal:
            refused, status = refusal.message, REFUSED if refusal.reason == "incomplete" else STALE
        else:
            messages.success(request, _("Réponse enregistrée. Vous pouvez la changer jusqu’à la clôture."))
            return redirect("polls:detail", public_id)
    return poll_page(request, poll, typed=typed, form=form, refused=refused, status=status)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def choose(request: HttpRequest, public_id: uuid.UUID, key: str) -> HttpResponse:
    """Ask, then make the meeting."""
    agent, now = signed_in(request), timezone.now()
    poll = editable_poll_or_404(agent, public_id)
    if request.method == "POST":
        try:
            meeting = choose_date(poll=poll, key=key, by=agent, now=now)
        except ChoiceRefused as refusal:
            messages.error(request, refusal.message)
        except DraftRefused as refusal:
            messages.error(request, " ".join(words for said in refusal.errors.values() for words in said))
        else:
            messages.success(request, _("Date choisie : la réunion est planifiée et les invitations partent."))
            return redirect("meetings:detail", meeting.public_id)
        return redirect("polls:detail", public_id)
    board = read_board(poll, viewer=agent, now=now)
    line = next((one for one in board.dates if one.key == key), None)
    if line is None:
        raise Http404
    if poll.status == PollStatus.CHOSEN or line.is_past:
        return redirect("polls:detail", public_id)
    context = {"page": "polls", "now": now, "poll": poll, "line": line, "board": board, "zone": agent.time_zone}
    return render(request, "visio/polls/choose.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def close(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Ask, then close without a date."""
    agent, now = signed_in(request), timezone.now()
    poll = editable_poll_or_404(agent, public_id)
    if request.method == "POST":
        try:
            close_poll(poll=poll, by=agent, now=now)
        except PollNotOpen as refusal:
            messages.error(request, refusal.message)
        else:
            messages.success(request, _("Sondage clos. Les personnes consultées sont prévenues par courriel."))
        return redirect("polls:detail", public_id)
    if poll.status != PollStatus.OPEN:
        return redirect("polls:detail", public_id)
    context = {"page": "polls", "now": now, "poll": poll, "asked": poll.participants.count()}
    return render(request, "visio/polls/close.html", context)


@require_POST
def reopen(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    agent, now = signed_in(request), timezone.now()
    poll = editable_poll_or_404(agent, public_id)
    try:
        reopen_poll(poll=poll, by=agent, now=now)
    except PollNotOpen as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, _("Sondage rouvert. Les personnes consultées sont prévenues par courriel."))
    return redirect("polls:detail", public_id)


@require_POST
def remind_people(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    agent, now = signed_in(request), timezone.now()
    poll = editable_poll_or_404(agent, public_id)
    try:
        number = remind(poll=poll, by=agent, now=now)
    except ReminderRefused as refusal:
        messages.error(request, refusal.message)
    else:
        sentence = ngettext("Relance envoyée à %(n)d personne.", "Relance envoyée à %(n)d personnes.", number)
        messages.success(request, sentence % {"n": number})
    return redirect("polls:detail", public_id)


def poll_page(
    request: HttpRequest,
    poll: Poll,
    *,
    typed: dict[str, str] | None = None,
    form: CommentForm | None = None,
    refused: str = "",
    status: int = 200,
) -> HttpResponse:
    agent, now = signed_in(request), timezone.now()
    context = page_context(request, poll, agent, now, hints=True)
    context |= {"typed": typed, "form": form, "refused": refused}
    return render(request, "visio/polls/detail.html", context, status=status)


def page_context(
    request: HttpRequest, poll: Poll, agent: Agent, now: dt.datetime, *, hints: bool = False
) -> dict[str, Any]:
    me = _me(poll, agent)
    takes = poll.takes_answers(now)
    all_rows = request.GET.get("tous") == "1"
    return {
        "page": "polls",
        "now": now,
        "poll": poll,
        "me": me,
        "takes_answers": takes,
        "can_edit": can_edit_poll(poll, agent),
        "may_reopen": can_edit_poll(poll, agent) and may_reopen(poll),
        "all_rows": all_rows,
        "zone": agent.time_zone,
        "other_zone": agent.time_zone != poll.time_zone,
        "board": read_board(
            poll, viewer=agent, me=me, now=now, all_rows=all_rows, hints=hints and takes and me is not None
        ),
    }


def _me(poll: Poll, agent: Agent) -> PollParticipant | None:
    return poll.participants.filter(agent=agent).select_related("poll").first()
