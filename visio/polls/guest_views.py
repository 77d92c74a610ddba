"""The page that a poll's secret link opens: read and vote without an account.

GET and HEAD never change anything: mail scanners follow links (R16). As for invitations, the address must not leave in a
Referer; `strict-origin` on the page with the form, because `no-referrer` would turn that form's own Origin into "null".
"""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from visio.meetings import wallclock
from visio.meetings.models import Attendee
from visio.meetings.rsvp_views import TOKEN_LENGTH, secret_address
from visio.meetings.tokens import rsvp_url
from visio.polls.board import read_board
from visio.polls.forms import CommentForm, typed_votes
from visio.polls.models import Poll, PollOption, PollParticipant, PollStatus
from visio.polls.refusals import VoteRefused
from visio.polls.tokens import participant_by_token
from visio.polls.voting import vote


@login_not_required
@never_cache
@secret_address
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, token: str) -> HttpResponse:
    """Show the poll; a POST records the votes and comes back here."""
    now = timezone.now()
    me = participant_by_token(token, now=now) if len(token) <= TOKEN_LENGTH else None
    if me is None:
        # Unknown, revoked or expired: one answer, which gives nothing away.
        return render(request, "visio/polls/guest_unknown.html", {"now": now}, status=404)
    zone = _zone(request, me)
    if request.method != "POST":
        return _page(request, me, token, zone, now)
    form = CommentForm(request.POST)
    typed = typed_votes(request.POST, PollOption.objects.filter(poll=me.poll))
    if not form.is_valid():
        return _page(request, me, token, zone, now, form=form, typed=typed, status=422)
    try:
        vote(participant=me, choices=typed, comment=form.cleaned_data["comment"], now=now)
    except VoteRefused as refusal:
        me.poll.refresh_from_db()
        status = 422 if refusal.reason == "incomplete" else 409
        return _page(request, me, token, zone, now, form=form, typed=typed, refused=refusal.message, status=status)
    asked = {"merci": "1"} | ({"fuseau": zone} if "fuseau" in request.GET else {})
    return redirect(f"{reverse('poll_guest:page', args=[token])}?{urlencode(asked, safe='/')}")


def _page(
    request: HttpRequest,
    me: PollParticipant,
    token: str,
    zone: str,
    now: dt.datetime,
    *,
    form: CommentForm | None = None,
    typed: dict[str, str] | None = None,
    refused: str = "",
    status: int = 200,
) -> HttpResponse:
    poll = me.poll
    board = read_board(poll, me=me, now=now)
    context = {
        "now": now,
        "poll": poll,
        "me": me,
        "token": token,
        "zone": zone,
        "other_zone": zone != poll.time_zone,
        "takes_answers": poll.takes_answers(now),
        "board": board,
        "form": form,
        "typed": typed,
        "refused": refused,
        "thanks": request.GET.get("merci") == "1" and me.answered_at is not None,
        **_meeting(poll, me),
    }
    response = render(request, "visio/polls/guest.html", context, status=status)
    response["Referrer-Policy"] = "strict-origin"
    return response


def _meeting(poll: Poll, me: PollParticipant) -> dict[str, Any]:
    """The meeting that the poll became, as this person is invited to it: its times may have moved since."""
    meeting = poll.meeting
    if poll.status != PollStatus.CHOSEN or meeting is None:
        return {"meeting": None}
    mine = Attendee.objects.filter(meeting=meeting)
    attendee = mine.filter(agent=me.agent).first() if me.agent else mine.filter(email=me.email, agent=None).first()
    return {"meeting": meeting, "attendee": attendee, "invitation_url": rsvp_url(attendee) if attendee else ""}


def _zone(request: HttpRequest, me: PollParticipant) -> str:
    """?fuseau=Indian/Reunion, else the agent's own zone, else the poll's."""
    try:
        return wallclock.zone(request.GET.get("fuseau", "")).key
    except wallclock.UnknownZone:
        # Nothing was asked, or no such place: fall back on what we know.
        return me.agent.time_zone if me.agent else me.poll.time_zone
