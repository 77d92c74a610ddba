"""/salles/: the organisation's rooms and equipment, one room's week, and the requests that wait for its managers."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from django.apps import apps
from django.contrib import messages
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from suite.agents.models import Agent
from visio.places import asking, week
from visio.places.deciding import WORDS_LENGTH, decide
from visio.places.features import FEATURES, feature_words
from visio.places.finding import NowState, sites_of, states_at, wished
from visio.places.forms import MINUTES, RoomFilter
from visio.places.models import Resource, ResourceBooking, ResourceKind
from visio.places.permissions import is_manager, managed_by, visible_resource_or_404, waiting_for
from visio.places.queries import bookings_between, taken_spans
from visio.places.refusals import span_words

PAGE = 50
# So many dates of a request can be decided one by one; longer ones as a whole.
DATES_APART = 60
MOST_WAITING = 5_000
ISO_WEEK = re.compile(r"(20\d\d)-W(\d\d)", re.ASCII)


def _me(request: HttpRequest) -> Agent:
    """LoginRequiredMiddleware lets nobody else through."""
    return cast(Agent, request.user)


@dataclass(frozen=True)
class Row:
    """One line of the list. `is_free` at the time asked for, `words` say until when."""

    resource: Resource
    features: list[str]
    is_free: bool
    words: str


@require_safe
def room_list(request: HttpRequest) -> HttpResponse:
    """What the viewer may book, filtered; free now, or at the time asked for."""
    viewer, now = _me(request), timezone.now()
    form = RoomFilter(request.GET)
    span = form.span(zone=viewer.time_zone, now=now)
    found = wished(viewer, form.wishes())
    only_free = bool(form.cleaned_data.get("libres"))
    page = _page_number(request)
    # One more than a page says whether there is another. Only what is free cannot be counted beforehand.
    listed = list(found) if only_free else list(found[(page - 1) * PAGE : page * PAGE + 1])
    rows = _rows(listed, span, viewer, now)
    if only_free:
        rows = [row for row in rows if row.is_free][(page - 1) * PAGE : page * PAGE + 1]
    query = request.GET.copy()
    query.pop("page", None)
    context = {
        "page": "places",
        "form": form,
        "rows": rows[:PAGE],
        "number": page,
        "previous": page - 1 if page > 1 else None,
        "next": page + 1 if len(rows) > PAGE else None,
        "query": query.urlencode(),
        "is_filtered": bool(form.changed_data),
        "when": span_words(*span, viewer.time_zone) if span else "",
        "sites": sites_of(viewer),
        "kinds": ResourceKind.choices,
        "lengths": [(minutes, _length(minutes)) for minutes in MINUTES],
        "features": [(key, label) for key, label in FEATURES.items()],
        "chosen": set(form.cleaned_data.get("equipements", ())),
        **_manager_context(viewer, now),
    }
    return render(request, "visio/places/list.html", context)


@require_safe
def room_page(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """One room: what it has, whether it is free, and who has it this week (`?semaine=2026-W48`)."""
    viewer, now = _me(request), timezone.now()
    resource = visible_resource_or_404(viewer, public_id)
    today = timezone.localtime(now).date()
    monday = _wanted_monday(request) or week.monday_of(today)
    start, end = week.week_bounds(monday, viewer.time_zone)
    taken = bookings_between(resource, start, end, viewer=viewer)
    laid_out = week.lay_out(taken, monday, zone=viewer.time_zone, today=today)
    [row] = _rows([resource], None, viewer, now)
    context = {
        "page": "places",
        "row": row,
        "resource": resource,
        "managers": asking.managers_of(resource) if resource.needs_approval else [],
        "week": laid_out,
        "previous": week.week_name(monday - dt.timedelta(days=7)),
        "next": week.week_name(monday + dt.timedelta(days=7)),
        "is_this_week": monday == week.monday_of(today),
    }
    return render(request, "visio/places/room.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def requests_page(request: HttpRequest) -> HttpResponse:
    """What waits for the viewer's decision; POST decides on the dates of one request."""
    viewer, now = _me(request), timezone.now()
    if request.method == "POST":
        said = request.POST.get("words", "")
        groups = _groups(viewer, now)
        chosen = next((one for one in groups if one.key == request.POST.get("demande", "")), None)
        problem = _problem(chosen, request, said)
        if problem is None and chosen is not None:
            _decide(request, viewer, chosen, said, now)
            return redirect("places:requests")
        if chosen is not None:
            context = {"groups": groups, "wrong": chosen.key, "problem": problem, "said": said}
            return _requests(request, viewer, context, status=422)
        messages.warning(request, _("Cette demande n’attend plus de réponse."))
        return redirect("places:requests")
    return _requests(request, viewer, {"groups": _groups(viewer, now)})


def _requests(request: HttpRequest, viewer: Agent, context: dict[str, Any], status: int = 200) -> HttpResponse:
    template = "visio/places/_requests.html" if request.GET.get("fragment") == "1" else "visio/places/requests.html"
    context = {"wrong": "", "problem": "", "said": "", "longest": WORDS_LENGTH} | context
    context |= {"page": "places", "manages": list(managed_by(viewer)), "topic": asking.TOPIC}
    return render(request, template, context, status=status)


@dataclass(frozen=True)
class AskedDate:
    pk: int
    words: str


@dataclass(frozen=True)
class Group:
    """One request: one resource for the dates of one meeting. `key` names it in the form."""

    key: str
    resource: Resource
    organiser: Agent
    title: str
    people: int
    dates: tuple[AskedDate, ...]

    @property
    def has_choice(self) -> bool:
        return 1 < len(self.dates) <= DATES_APART


def _groups(viewer: Agent, now: dt.datetime) -> list[Group]:
    """The requests that wait, the soonest first. Three queries."""
    waiting = (
        waiting_for(viewer)
        .filter(during__endswith__gt=now)
        .select_related("resource", "meeting__organiser__organisation")
        .order_by("during", "pk")[:MOST_WAITING]
    )
    found: dict[tuple[int, int], list[ResourceBooking]] = {}
    for row in waiting:
        found.setdefault((row.meeting_id, row.resource_id), []).append(row)
    attendees = apps.get_model("visio", "Attendee")._default_manager
    counted = attendees.filter(meeting__in={meeting for meeting, _resource in found}).order_by().values("meeting")
    people = {line["meeting"]: line["number"] for line in counted.annotate(number=Count("pk"))}
    return [
        Group(
            key=f"{rows[0].meeting.public_id}:{rows[0].resource.public_id}",
            resource=rows[0].resource,
            organiser=rows[0].meeting.organiser,
            title=asking.shown_title(rows[0].meeting),
            people=people.get(rows[0].meeting_id, 0),
            dates=tuple(
                AskedDate(row.pk, span_words(row.during.lower, row.during.upper, viewer.time_zone)) for row in rows
            ),
        )
        for rows in found.values()
    ]


def _wanted_ids(chosen: Group, request: HttpRequest) -> list[int]:
    """The dates that are ticked; all of a request that offers no choice."""
    ids = [one.pk for one in chosen.dates]
    if not chosen.has_choice:
        return ids
    ticked = set(request.POST.getlist("booking"))
    return [pk for pk in ids if str(pk) in ticked]


def _problem(chosen: Group | None, request: HttpRequest, said: str) -> str | None:
    if chosen is None:
        return _("Cette demande n’attend plus de réponse.")
    if request.POST.get("decision") not in ("accept", "refuse"):
        return _("Acceptez ou refusez la demande.")
    if len(said) > WORDS_LENGTH:
        return _("%(longest)s caractères au plus : il y en a %(length)s.") % {
            "longest": WORDS_LENGTH,
            "length": len(said),
        }
    if not _wanted_ids(chosen, request):
        return _("Cochez au moins une date.")
    return None


def _decide(request: HttpRequest, viewer: Agent, chosen: Group, said: str, now: dt.datetime) -> None:
    accept = request.POST.get("decision") == "accept"
    ids = _wanted_ids(chosen, request)
    number = decide(by=viewer, booking_ids=ids, accept=accept, words=said, now=now).number
    if not number:
        messages.warning(request, _("Cette demande n’attend plus de réponse."))
        return
    if accept:
        words = ngettext(
            "Demande acceptée pour %(count)d date. %(name)s en est informé par courriel.",
            "Demande acceptée pour %(count)d dates. %(name)s en est informé par courriel.",
            number,
        )
    else:
        words = ngettext(
            "Demande refusée pour %(count)d date. %(name)s en est informé par courriel.",
            "Demande refusée pour %(count)d dates. %(name)s en est informé par courriel.",
            number,
        )
    messages.success(request, words % {"count": number, "name": chosen.organiser.full_name})


def _rows(
    resources: Sequence[Resource], span: tuple[dt.datetime, dt.datetime] | None, viewer: Agent, now: dt.datetime
) -> list[Row]:
    """One statement, however many."""
    if span is None:
        states = states_at(resources, now)
        return [_row(one, states[one.pk].is_free, _now_words(one, states[one.pk], now)) for one in resources]
    taken = taken_spans([one.pk for one in resources], [span])
    return [
        _row(one, one.pk not in taken, _("Indisponible à cette heure") if one.pk in taken else _("Libre à cette heure"))
        for one in resources
    ]


def _row(resource: Resource, is_free: bool, words: str) -> Row:
    return Row(resource, feature_words(resource.features), is_free, words)


def _now_words(resource: Resource, state: NowState, now: dt.datetime) -> str:
    """ "Libre jusqu’à 14:00", "Indisponible jusqu’au 24/11/2026 à 09:00"; in the reader's zone."""
    here = timezone.localtime(now).date()
    until = timezone.localtime(state.until) if state.until else None
    if state.is_free:
        if until is None or until.date() != here:
            return _("Libre le reste de la journée")
        return _("Libre jusqu’à %(hour)s") % {"hour": f"{until:%H:%M}"}
    if until is None:
        return _("Indisponible")
    if until.date() != here:
        day = formats.date_format(until.date(), "SHORT_DATE_FORMAT")
        return _("Indisponible jusqu’au %(day)s à %(hour)s") % {"day": day, "hour": f"{until:%H:%M}"}
    return _("Indisponible jusqu’à %(hour)s") % {"hour": f"{until:%H:%M}"}


def _manager_context(viewer: Agent, now: dt.datetime) -> dict[str, Any]:
    manages = is_manager(viewer)
    waiting = waiting_for(viewer).filter(during__endswith__gt=now) if manages else None
    number = waiting.order_by().values("meeting", "resource").distinct().count() if waiting is not None else 0
    return {"manages": manages, "waiting": number}


def _wanted_monday(request: HttpRequest) -> dt.date | None:
    """The Monday of `?semaine=`, None without it; Http404 for a week that no calendar of this century has."""
    raw = request.GET.get("semaine")
    if raw is None:
        return None
    found = ISO_WEEK.fullmatch(raw)
    if found is None:
        raise Http404
    try:
        return dt.date.fromisocalendar(int(found[1]), int(found[2]), 1)
    except ValueError as error:
        raise Http404 from error


def _page_number(request: HttpRequest) -> int:
    """`?page=3`; anything else is the first page."""
    raw = request.GET.get("page", "1")
    return min(max(int(raw), 1), 1000) if raw.isascii() and raw.isdigit() and len(raw) < 6 else 1


def _length(minutes: int) -> str:
    """ "1 h 30"."""
    hours, rest = divmod(minutes, 60)
    if not hours:
        return _("%(minutes)d min") % {"minutes": rest}
    if rest:
        return _("%(hours)d h %(minutes)02d") % {"hours": hours, "minutes": rest}
    return _("%(hours)d h") % {"hours": hours}
