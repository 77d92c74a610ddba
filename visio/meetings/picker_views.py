"""The rooms and equipment of the planning form: what is free for all of its dates, what is not, and what else there is."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from visio.meetings.availability_views import Asked, read_asked
from visio.meetings.horizon import dates_to_have
from visio.meetings.recurrence import RuleRefused
from visio.meetings.scopes import Scope
from visio.meetings.timetable import Timetable
from visio.places.bookings import MOST_RESOURCES
from visio.places.features import feature_words
from visio.places.finding import Choice, Wishes, choices, sites_of, wished
from visio.places.models import Resource
from visio.places.permissions import managed_by
from visio.places.queries import Span
from visio.places.refusals import span_words

# Shown at once; the search finds the others.
LISTED = 12
LOOKED_AT = 200
DATES_NAMED = 3


@dataclass(frozen=True)
class Line:
    """One resource of the list. `taken`: on which dates it is not free, in words; `others`: what is, instead."""

    resource: Resource
    features: list[str]
    is_chosen: bool
    is_free: bool
    taken: str
    others: tuple[Resource, ...]
    needs_approval: bool


@never_cache
@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """What fits the form as it is typed (`salle_q`, `salle_site` narrow it), the chosen ones first and ticked."""
    asked = _read(request)
    spans = _spans(asked)
    chosen = asked.resources
    seats = len(asked.guests)
    wishes = Wishes(text=request.POST.get("salle_q", "")[:100], site=request.POST.get("salle_site", "")[:120])
    found = list(wished(asked.organiser, wishes)[:LOOKED_AT])
    known = {one.pk for one in found}
    looked_at = [*(one for one in chosen if one.pk not in known), *found]
    chosen_ids = {one.pk for one in chosen}
    managed = set(managed_by(asked.viewer).values_list("pk", flat=True)) if looked_at else set()
    offered = choices(looked_at, spans, seats=seats, except_meeting=asked.except_meeting)
    offered.sort(key=lambda one: (one.resource.pk not in chosen_ids, not one.is_free, _is_short(one.resource, seats)))
    lines = [_line(one, chosen_ids, managed, asked.zone, len(spans)) for one in offered]
    shown = max(LISTED, len(chosen))
    context = {
        "lines": lines[:shown],
        "more": len(lines) - shown,
        "seats": seats,
        "dates": len(spans),
        "has_time": bool(spans),
        "sites": sites_of(asked.organiser),
        "site": wishes.site,
        "text": wishes.text,
        "most": MOST_RESOURCES,
    }
    return render(request, "visio/places/_choices.html", context)


def _read(request: HttpRequest) -> Asked:
    """As for availability; a title that is still to come keeps no rule from being understood."""
    data = request.POST.copy()
    if not data.get("title", "").strip():
        data["title"] = "…"
    return read_asked(request, data)


def _spans(asked: Asked) -> list[Span]:
    """Every date within the horizon that the form makes; its one date while the rule is not understood, none without a time.

    One date of a series that is edited alone is judged alone.
    """
    draft = asked.form.draft
    is_alone = asked.meeting is not None and asked.request.POST.get("scope") == Scope.ONE
    if draft is not None and draft.rule and not is_alone:
        try:
            timetable = Timetable.of_draft(draft)
            starts, _edge = dates_to_have(timetable, now=asked.now)
        except (RuleRefused, OverflowError):
            # The form says what is wrong with the rule; its first date is a date all the same.
            starts = []
        if starts:
            return [(start.at, timetable.end_of(start)) for start in starts]
    return [(asked.span.starts_at, asked.span.ends_at)] if asked.span else []


def _is_short(resource: Resource, seats: int) -> bool:
    return resource.capacity is not None and resource.capacity < seats


def _line(one: Choice, chosen: set[int], managed: set[int], zone: str, dates: int) -> Line:
    return Line(
        resource=one.resource,
        features=feature_words(one.resource.features),
        is_chosen=one.resource.pk in chosen,
        is_free=one.is_free,
        taken=_taken_words(one.taken, zone, dates),
        others=one.others,
        needs_approval=one.resource.needs_approval and one.resource.pk not in managed,
    )


def _taken_words(taken: tuple[Span, ...], zone: str, dates: int) -> str:
    """ "Indisponible à cette heure", or for a series which of its dates; "" when free."""
    if not taken:
        return ""
    if dates == 1:
        return _("Indisponible à cette heure")
    named = " ; ".join(span_words(start, end, zone) for start, end in taken[:DATES_NAMED])
    others = len(taken) - DATES_NAMED
    if others > 0:
        named = ngettext("%(dates)s et %(count)d autre date", "%(dates)s et %(count)d autres dates", others) % {
            "dates": named,
            "count": others,
        }
    return ngettext(
        "Indisponible pour %(count)d date sur %(all)d : %(dates)s",
        "Indisponible pour %(count)d dates sur %(all)d : %(dates)s",
        len(taken),
    ) % {"count": len(taken), "all": dates, "dates": named}
