"""The page of a call: the look at oneself, the call, and what comes after, in one document so that no media is lost.

An agent comes by the room's code, with a session; a guest by the link of their invitation, without one. A guest's page also
answers a POST with the ticket for the socket (see tickets.py): the link's secret stays in the page and its own address.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, cast

from django.db.models import Exists, OuterRef, Q
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from suite.agents.models import Agent
from suite.live.access import known_zone
from visio.rooms import access, doors
from visio.rooms.access import Invited, Refusal
from visio.rooms.engines.registry import engine_for
from visio.rooms.frames import LONGEST_NAME
from visio.rooms.models import Room
from visio.rooms.tickets import guest_ticket
from visio.rooms.words import call_words

if TYPE_CHECKING:
    from visio.meetings.models import Occurrence

STATUS = {
    Refusal.SIGN_IN: 403,
    Refusal.NOT_INVITED: 403,
    Refusal.NOT_THIS_DATE: 403,
    Refusal.CANCELLED: 410,
    Refusal.CLOSED: 410,
}


@never_cache
@require_safe
def room(request: HttpRequest, slug: str) -> HttpResponse:
    """The room for a signed-in agent; 404 for an unknown code, a page that says why when they may not enter."""
    agent = cast("Agent", request.user)  # LoginRequiredMiddleware lets nobody else through.
    try:
        found = doors.find_room(slug)
    except doors.NoSuchRoom as error:
        raise Http404 from error
    admission = access.may_enter(found, agent, None)
    if admission.refusal is not None:
        return _refuse(request, admission.refusal, back=reverse("portal:dashboard"))
    who = Q(agent=agent)
    return _call_page(
        request, found, who, name=agent.full_name, initials=agent.initials, back=reverse("portal:dashboard")
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def guest(request: HttpRequest, token: str) -> HttpResponse:
    """The room for somebody with an invitation and no account. POST: the socket's ticket, as JSON."""
    attendee = access.invitation(token, now=timezone.now())
    found = _room_of(attendee) if attendee is not None else None
    if attendee is None or found is None:
        return _secret(_refuse(request, None, back="", guest=True))
    if attendee.agent_id is not None:
        # Somebody with an account comes in under it: their presence follows, and nobody else can take their name.
        return _secret(redirect("rooms:room", slug=found.slug))
    back = reverse("rsvp:page", args=[token])
    admission = access.may_enter(found, None, attendee)
    if admission.refusal is not None:
        return _secret(_refuse(request, admission.refusal, back=back, guest=True))
    if request.method == "POST":
        return _secret(JsonResponse({"ticket": guest_ticket(found, attendee)}))
    name = attendee.display_name if "@" not in attendee.display_name else ""
    initials, who = doors.initials_of(name), Q(pk=attendee.pk)
    return _secret(_call_page(request, found, who, name=name, initials=initials, back=back, guest_url=request.path))


def _room_of(attendee: Invited) -> Room | None:
    rooms = Room.objects.select_related("meeting__organiser__organisation")
    return rooms.filter(meeting=attendee.meeting_id).first()


def _secret(response: HttpResponse) -> HttpResponse:
    """The address holds the link's secret: no page that is opened from here may learn it."""
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _refuse(request: HttpRequest, refusal: Refusal | None, *, back: str, guest: bool = False) -> HttpResponse:
    """A page that says why; `refusal` None is a link that opens nothing."""
    context = {
        "guest": guest,
        "refusal": refusal.label if refusal else _("Ce lien d’invitation n’est plus valable."),
        "asks_host": refusal in (None, Refusal.NOT_INVITED, Refusal.NOT_THIS_DATE),
        "back": back,
    }
    return render(request, "visio/rooms/refused.html", context, status=STATUS[refusal] if refusal else 404)


def _call_page(
    request: HttpRequest, found: Room, who: Q, *, name: str, initials: str, back: str, guest_url: str = ""
) -> HttpResponse:
    """`who`: the reader among the meeting's attendees."""
    engine = engine_for(found)
    date = _date(found, who)
    meeting = copy.copy(found.meeting)
    if date.title is not None:
        meeting.title = date.title
    config: dict[str, Any] = {
        "engine": engine.name,
        "socket": f"/ws/appel/{found.slug}/",
        "guest": bool(guest_url),
        "ticketUrl": guest_url,
        "csrf": get_token(request) if guest_url else "",
        "capacity": engine.capacity,
        "icons": static("visio/call/icons.svg"),
        "words": call_words(engine.capacity),
    }
    context = {
        "room": found,
        "meeting": meeting,
        "host": meeting.organiser,
        "starts_at": date.starts_at,
        "ends_at": date.ends_at,
        # A guest has no zone of their own here: the meeting's is the one their e-mail speaks of.
        "zone": known_zone(meeting.time_zone) if guest_url else str(timezone.get_current_timezone()),
        "guest": bool(guest_url),
        "name": name,
        "initials": initials,
        "longest_name": LONGEST_NAME,
        "back": back,
        "call_config": config,
    }
    return render(request, "visio/rooms/call.html", context)


def _date(found: Room, who: Q) -> Occurrence:
    """The meeting's first date that is not over, or its last one; of those that the reader is invited to, if they are to some."""
    dates = found.meeting.occurrences.order_by("starts_at")
    reader = found.meeting.attendees.filter(who)
    left_out = Q(exceptions__attendee__in=reader, exceptions__removed=True)
    elsewhere = reader.filter(only_occurrence__isnull=False).exclude(only_occurrence=OuterRef("pk"))
    theirs = dates.filter(~Exists(elsewhere)).exclude(pk__in=dates.filter(left_out).order_by().values("pk"))
    held = theirs.exclude(status="cancelled")
    coming = held.filter(ends_at__gt=timezone.now()).first()
    shown = coming or held.last() or theirs.first()
    if shown is None:
        raise Http404
    return shown
