"""Two pieces of the planning form: everybody's day, and proposed slots. They read what is typed and write nothing."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from suite.agents.hours import Span
from suite.agents.models import Agent
from visio.meetings import wallclock, words, zones
from visio.meetings.availability_grid import Day, Guest, read_grid
from visio.meetings.forms import PlanForm
from visio.meetings.models import Meeting, Role
from visio.meetings.permissions import can_edit_meeting, visible_meeting_or_404
from visio.meetings.requests import signed_in
from visio.meetings.slot_search import MOST_PEOPLE, Wanted, alternatives_to, bookable_by, find_slots, rooms_for
from visio.meetings.slot_words import slot_line
from visio.places.models import Resource, ResourceKind

# Years that a diary has.
YEARS = range(2000, 2100)
HORIZONS = (7, 14, 28)
USUAL_HORIZON = 14
LISTED = 6
MOST_RESOURCES = 20
ONE_DAY = 24 * 60


@dataclass
class Asked:
    """What the form says, as far as it says anything."""

    request: HttpRequest
    viewer: Agent
    now: dt.datetime
    meeting: Meeting | None
    form: PlanForm

    @property
    def organiser(self) -> Agent:
        return self.form.organiser

    @property
    def except_meeting(self) -> int | None:
        return self.meeting.pk if self.meeting else None

    @property
    def is_all_day(self) -> bool:
        return bool(self.request.POST.get("all_day"))

    @cached_property
    def zone(self) -> str:
        name = str(self.form.value_of("time_zone"))
        return name if name in wallclock.zone_names() else self.viewer.time_zone

    @cached_property
    def date(self) -> dt.date:
        """The form's day; today when it has none."""
        return _date(str(self.form.value_of("date"))) or words.local(self.now, self.zone).date()

    @cached_property
    def span(self) -> Span | None:
        """The proposed time; None while the fields do not say one."""
        if self.form.draft is not None:
            return Span(*self.form.draft.span())
        minutes = self.form.span_minutes
        if minutes is None or not 0 < minutes <= 14 * 24 * 60:
            return None
        date = _date(str(self.form.value_of("date")))
        if self.is_all_day:
            return Span(*wallclock.day_span(date, self.zone, max(1, minutes // ONE_DAY))) if date else None
        try:
            start = dt.time.fromisoformat(str(self.form.value_of("start")))
        except ValueError:
            return None
        return Span(*wallclock.span(date, start, self.zone, minutes)) if date else None

    @cached_property
    def guests(self) -> list[Guest]:
        """The organiser first, then everybody typed, in their order. One query."""
        ids = [person.agent_id for person in self.form.people if person.agent_id is not None]
        agents = {agent.pk: agent for agent in Agent.objects.filter(pk__in=ids)} if ids else {}
        found = [Guest(self.organiser.full_name, "organiser", self.organiser)]
        for person in self.form.people:
            agent = agents.get(person.agent_id) if person.agent_id is not None else None
            found.append(Guest(person.name or person.email, str(person.role), agent))
        return found

    @cached_property
    def resources(self) -> list[Resource]:
        """The rooms and equipment chosen so far, among those that the organiser may book."""
        ids = [_uuid(text) for text in self.request.POST.getlist("resources")[:MOST_RESOURCES]]
        wanted = [one for one in ids if one is not None]
        if not wanted:
            return []
        return list(bookable_by(self.organiser).filter(public_id__in=wanted))


@never_cache
@require_POST
def availability(request: HttpRequest) -> HttpResponse:
    """One day of everybody typed into the form: `jour` when another day than the form's is looked at."""
    asked = read_asked(request, request.POST)
    date = _date(request.POST.get("jour", "")) or asked.date
    day = Day.of(date, asked.zone)
    grid = read_grid(
        asked.guests,
        asked.resources,
        day=day,
        span=asked.span,
        viewer=asked.viewer,
        except_meeting=asked.except_meeting,
    )
    today = words.local(asked.now, asked.zone).date()
    context: dict[str, Any] = {
        "grid": grid,
        "is_all_day": asked.is_all_day,
        "heading": words.long_day(date, today=today),
        "before": (date - dt.timedelta(days=1)).isoformat(),
        "after": (date + dt.timedelta(days=1)).isoformat(),
        "when": _when(asked, today),
        "zone_note": _zone_note(asked, day),
    }
    return render(request, "visio/meetings/_availability.html", context)


@never_cache
@require_POST
def slots(request: HttpRequest) -> HttpResponse:
    """The best slots for the people and the room of the form, from its day on."""
    asked = read_asked(request, request.POST)
    horizon = next((days for days in HORIZONS if request.POST.get("horizon") == str(days)), USUAL_HORIZON)
    beyond = request.POST.get("hors_heures") == "1"
    minutes = asked.form.span_minutes
    if asked.is_all_day or minutes is None or not 0 < minutes <= ONE_DAY:
        problem = _("Une journée entière n’a pas d’heure : décochez-la pour chercher un créneau.")
        if not asked.is_all_day:
            problem = _("Donnez d’abord une durée d’un jour au plus.")
        return render(request, "visio/meetings/_slots.html", {"problem": problem, "lines": []})
    start = Day.of(max(asked.date, words.local(asked.now, asked.zone).date()), asked.zone).start
    required = [guest.agent for guest in asked.guests if guest.agent and guest.role != Role.OPTIONAL]
    optional = [guest.agent for guest in asked.guests if guest.agent and guest.role == Role.OPTIONAL]
    rooms, equipment, preferred = _rooms(asked)
    wanted = Wanted(
        minutes=minutes,
        start=start,
        end=start + dt.timedelta(days=horizon),
        zone=asked.zone,
        required=required,
        optional=optional,
        rooms=rooms,
        equipment=equipment,
        limit=LISTED,
        beyond_hours=beyond,
    )
    found = find_slots(wanted, viewer=asked.viewer, now=asked.now, except_meeting=asked.except_meeting)
    people = {agent.pk: agent for agent in [*required, *optional][:MOST_PEOPLE]}
    lines = [
        slot_line(
            slot,
            people=people,
            rooms={room.pk: room for room in rooms},
            preferred=preferred,
            zone_name=asked.zone,
            now=asked.now,
            chosen=asked.span.starts_at if asked.span else None,
        )
        for slot in found
    ]
    context = {
        "lines": lines,
        "problem": "",
        "length": words.duration(minutes),
        "horizon": horizon,
        "may_go_beyond": not found and not beyond,
        "external": sum(1 for guest in asked.guests if guest.agent is None),
        "unseen": max(0, len(required) + len(optional) - MOST_PEOPLE),
    }
    return render(request, "visio/meetings/_slots.html", context)


def read_asked(request: HttpRequest, data: QueryDict) -> Asked:
    """The form as it is typed in `data`; 404 and 403 as for editing when it is of a meeting that exists (`reunion`)."""
    viewer, now = signed_in(request), timezone.now()
    meeting: Meeting | None = None
    if raw := request.POST.get("reunion", ""):
        meeting = visible_meeting_or_404(viewer, raw)
        if not can_edit_meeting(meeting, viewer):
            raise PermissionDenied
    form = PlanForm(data, organiser=meeting.organiser if meeting else viewer, now=now, meeting=meeting)
    form.is_valid()
    return Asked(request=request, viewer=viewer, now=now, meeting=meeting, form=form)


def _rooms(asked: Asked) -> tuple[list[Resource], list[Resource], int | None]:
    """(rooms of which one must be free, things that must all be free, the room that was chosen)."""
    rooms = [one for one in asked.resources if one.kind == ResourceKind.ROOM]
    equipment = [one for one in asked.resources if one.kind != ResourceKind.ROOM]
    if len(rooms) == 1:
        return alternatives_to(rooms[0], asked.organiser), equipment, rooms[0].pk
    if not rooms and asked.request.POST.get("avec_salle"):
        return rooms_for(asked.organiser, seats=len(asked.guests)), equipment, None
    return [], [*rooms, *equipment], None


def _when(asked: Asked, today: dt.date) -> str:
    """ "Jeudi 26 novembre, 10:30 – 11:30"; "" while no time is proposed."""
    if asked.span is None:
        return ""
    day = words.long_day(words.local(asked.span.starts_at, asked.zone).date(), today=today)
    if asked.is_all_day:
        return _("%(day)s, toute la journée") % {"day": day}
    return f"{day}, {words.hours(asked.span.starts_at, asked.span.ends_at, asked.zone)}"


def _zone_note(asked: Asked, day: Day) -> str:
    """Said when the grid's hours are not those of the reader's clock."""
    if words.local(day.start, asked.zone).utcoffset() == words.local(day.start, asked.viewer.time_zone).utcoffset():
        return ""
    return _("Heures %(where)s") % {"where": zones.zone_where(asked.zone)}


def _date(text: str) -> dt.date | None:
    try:
        date = dt.date.fromisoformat(text)
    except ValueError:
        # Nothing typed yet, or no day that exists.
        return None
    return date if date.year in YEARS else None


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
