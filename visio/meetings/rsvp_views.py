"""The page that an invitation's link opens: read and answer without an account.

GET and HEAD never change anything, whatever the address says: mail scanners follow links (R16). The address holds a secret,
so it must not leave in a Referer. `strict-origin` sends the host alone; `no-referrer` would turn the Origin of the form's
own POST into "null", which the CSRF check rightly refuses, so it is kept for the answers that hold no form.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from visio.meetings import wallclock, words
from visio.meetings.answers import AnswerRefused
from visio.meetings.answers import answer as record_answer
from visio.meetings.forms import AnswerForm
from visio.meetings.models import Answer, AnsweredVia, Attendee, ChangeKind, Role
from visio.meetings.tokens import attendee_by_token, guest_join_url
from visio.meetings.views import ics_response

P = ParamSpec("P")
NAMES_SHOWN = 3
# How long before the start the join button stands on the page.
JOIN_BEFORE = dt.timedelta(minutes=30)
TOKEN_LENGTH = 100


def secret_address(
    view: Callable[Concatenate[HttpRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Keep the address out of Referer headers, search engines and caches."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        response = view(request, *args, **kwargs)
        response.setdefault("Referrer-Policy", "no-referrer")
        response["X-Robots-Tag"] = "noindex, nofollow, noarchive"
        return response

    return guarded


@login_not_required
@never_cache
@secret_address
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, token: str) -> HttpResponse:
    """Show the invitation; a POST records the answer and comes back here."""
    now = timezone.now()
    attendee = attendee_by_token(token, now=now) if len(token) <= TOKEN_LENGTH else None
    if attendee is None:
        return _gone(request, now)
    zone = _zone(request, attendee)
    form = AnswerForm(request.POST) if request.method == "POST" else None
    if form is not None and form.is_valid():
        try:
            record_answer(
                attendee=attendee,
                answer=form.cleaned_data["answer"],
                comment=form.cleaned_data["comment"],
                via=AnsweredVia.PAGE,
                now=now,
                revision=form.cleaned_data["revision"],
            )
        except AnswerRefused as refused:
            return _page(request, attendee, token, zone, now, form=form, refused=refused.message, status=409)
        asked = {"merci": "1"} | ({"fuseau": zone} if "fuseau" in request.GET else {})
        return redirect(f"{reverse('rsvp:page', args=[token])}?{urlencode(asked, safe='/')}")
    return _page(request, attendee, token, zone, now, form=form, status=422 if form is not None else 200)


@login_not_required
@never_cache
@secret_address
@require_safe
def ics(request: HttpRequest, token: str) -> HttpResponse:
    """The event as a file, for whoever holds the link."""
    now = timezone.now()
    attendee = attendee_by_token(token, now=now) if len(token) <= TOKEN_LENGTH else None
    if attendee is None or attendee.meeting.is_cancelled:
        return _gone(request, now)
    link = guest_join_url(attendee) if attendee.meeting.room_id else ""
    return ics_response(attendee.meeting, join_url=link)


def _gone(request: HttpRequest, now: dt.datetime) -> HttpResponse:
    """Unknown, revoked or expired: the same page, which gives nothing away."""
    return render(request, "visio/meetings/rsvp_unknown.html", {"now": now}, status=404)


def _page(
    request: HttpRequest,
    attendee: Attendee,
    token: str,
    zone: str,
    now: dt.datetime,
    *,
    form: AnswerForm | None = None,
    refused: str = "",
    status: int = 200,
) -> HttpResponse:
    meeting = attendee.meeting
    starts_at, ends_at = attendee.starts_at, attendee.ends_at
    over = ends_at <= now
    if (meeting.is_cancelled or over) and status == 200:
        # There is nothing to answer any more; the page says so and stays readable.
        status = 410
    context: dict[str, Any] = {
        "now": now,
        "attendee": attendee,
        "meeting": meeting,
        "token": token,
        "starts_at": starts_at,
        "ends_at": ends_at,
        "zone": zone,
        "local_start": words.local(starts_at, zone),
        "other_zone": zone != meeting.time_zone,
        "over": over,
        "open": not over and not meeting.is_cancelled and attendee.role != Role.CHAIR,
        "form": form,
        "refused": refused,
        "chosen": _chosen(request, attendee, form),
        "comment": form["comment"].value() if form is not None else attendee.comment,
        "thanks": request.GET.get("merci") == "1" and attendee.answer != Answer.NEEDS_ACTION,
        "answered": attendee.answer != Answer.NEEDS_ACTION,
        "join_url": guest_join_url(attendee) if meeting.room_id and not meeting.is_cancelled and not over else "",
        "join_now": starts_at - JOIN_BEFORE <= now < ends_at,
        **_others(attendee),
        **_moved(attendee, zone),
    }
    response = render(request, "visio/meetings/rsvp.html", context, status=status)
    response["Referrer-Policy"] = "strict-origin"
    return response


def _chosen(request: HttpRequest, attendee: Attendee, form: AnswerForm | None) -> str:
    """The answer that is marked: what was posted, what the e-mail's button said (nothing is saved), what was answered."""
    wanted = form["answer"].value() if form is not None else request.GET.get("reponse", "")
    if wanted in (Answer.ACCEPTED, Answer.TENTATIVE, Answer.DECLINED):
        return str(wanted)
    return attendee.answer


def _others(attendee: Attendee) -> dict[str, Any]:
    people = attendee.meeting.attendees.exclude(pk=attendee.pk)
    some = list(people.exclude(role=Role.CHAIR).select_related("agent").order_by("pk")[:NAMES_SHOWN])
    return {"people": attendee.meeting.attendees.count(), "some": [person.display_name for person in some]}


def _moved(attendee: Attendee, zone: str) -> dict[str, Any]:
    """The hour before the last move, when this person may still have the earlier one in mind."""
    change = attendee.meeting.changes.filter(kind=ChangeKind.MOVED).first()
    knows = attendee.answer != Answer.NEEDS_ACTION and (attendee.answered_revision or 0) >= (
        change.revision if change else 0
    )
    if change is None or knows:
        return {"moved_from": "", "moved_at": None, "answered_before": False}
    before = change.details["before"]
    old_start, old_end = dt.datetime.fromisoformat(before["starts_at"]), dt.datetime.fromisoformat(before["ends_at"])
    old, new = words.local(old_start, zone), words.local(attendee.starts_at, zone)
    hours = words.hours(old_start, old_end, zone)
    if old.date() != new.date():
        hours = _("%(day)s, %(hours)s") % {"day": words.short_day(old.date(), today=new.date()), "hours": hours}
    return {"moved_from": hours, "moved_at": change.at, "answered_before": attendee.answered_revision is not None}


def _zone(request: HttpRequest, attendee: Attendee) -> str:
    """?fuseau=Indian/Reunion, else the agent's own zone, else the meeting's."""
    asked = request.GET.get("fuseau", "")
    try:
        return wallclock.zone(asked).key
    except (wallclock.UnknownZone, zoneinfo.ZoneInfoNotFoundError):
        # Nothing was asked, or no such place: fall back on what we know.
        return attendee.agent.time_zone if attendee.agent else attendee.meeting.time_zone
