"""What is worth a second look before a meeting is sent: it is allowed, and said once."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from suite.agents.models import Agent
from visio.meetings import words
from visio.meetings.availability import Kind, busy, warnings
from visio.meetings.drafts import MeetingDraft
from visio.meetings.forms import PlanForm
from visio.meetings.timetable import Timetable
from visio.places.models import ResourceKind

# A call goes from browser to browser: each one sends to all the others.
CALL_PEOPLE = 6
# Of a longer series the first year is looked at; of many absent people the first ones are named.
LOOKED_AHEAD = dt.timedelta(days=366)
NAMED = 5
Span = tuple[dt.datetime, dt.datetime]


@dataclass(frozen=True)
class Caution:
    """`code` comes back with the form ("warned") once the person has seen `text`."""

    code: str
    text: str


def cautions_of(form: PlanForm, *, span: Span | None = None) -> list[Caution]:
    """`span`: the time that the fields say when something else is missing still. Four queries at most."""
    people = len(form.people) + 1
    found = []
    rooms = [room for room in form.chosen_resources if room.kind == ResourceKind.ROOM and room.capacity]
    seats = sum(room.capacity or 0 for room in rooms)
    if rooms and people > seats:
        names = ", ".join(room.name for room in rooms)
        said = ngettext(
            "%(people)d personne dans une salle de %(seats)d (%(names)s).",
            "%(people)d personnes dans une salle de %(seats)d (%(names)s).",
            people,
        )
        if len(rooms) > 1:
            said = ngettext(
                "%(people)d personne dans des salles de %(seats)d places en tout (%(names)s).",
                "%(people)d personnes dans des salles de %(seats)d places en tout (%(names)s).",
                people,
            )
        found.append(Caution("places", said % {"people": people, "seats": seats, "names": names}))
    if form.value_of("visio") and people > CALL_PEOPLE:
        said = _(
            "%(people)d personnes en Visio : l’appel va d’un navigateur à l’autre et perd en qualité au-delà de %(most)d."
        )
        found.append(Caution("visio", said % {"people": people, "most": CALL_PEOPLE}))
    return found + _absences(form, form.draft.span() if form.draft is not None else span)


def _absences(form: PlanForm, span: Span | None) -> list[Caution]:
    """One for each person who is away then; of a series, how many dates they miss."""
    invited = [form.organiser.pk, *(person.agent_id for person in form.people if person.agent_id is not None)]
    if span is None:
        return []
    people = list(Agent.objects.filter(pk__in=invited, is_active=True).order_by("usual_name", "given_name", "pk"))
    if form.draft is not None and form.draft.rule:
        said = _missed(form, people, form.draft)
    else:
        meeting = form.meeting.pk if form.meeting is not None else None
        warned = warnings(people, *span, viewer=form.by, except_meeting=meeting)
        said = [one.message for one in warned if one.reason == Kind.OUT]
    found = [Caution(_code(text), text) for text in said[:NAMED]]
    more = len(said) - NAMED
    if more > 0:
        text = ngettext("%(count)d autre personne est absente.", "%(count)d autres personnes sont absentes.", more)
        found.append(Caution(_code("".join(said)), text % {"count": more}))
    return found


def _missed(form: PlanForm, people: Sequence[Agent], draft: MeetingDraft) -> list[str]:
    timetable = Timetable.of_draft(draft)
    starts = timetable.starts(after=form.now, before=max(form.now, draft.span()[0]) + LOOKED_AHEAD)
    if not starts:
        return []
    spans = [(start.at, timetable.end_of(start)) for start in starts]
    taken = busy([one.pk for one in people], spans[0][0], spans[-1][1], viewer=form.by)
    said = []
    for agent in people:
        away = [piece for piece in taken.get(agent.pk, ()) if piece.kind == Kind.OUT]
        missed = [one for one in spans if any(a.starts_at < one[1] and one[0] < a.ends_at for a in away)]
        if missed:
            text = ngettext(
                "%(name)s : absence à une date de la série (%(day)s).",
                "%(name)s : absence à %(count)d dates de la série (la première : %(day)s).",
                len(missed),
            )
            first = words.local(missed[0][0], draft.time_zone).date()
            said.append(
                text % {"name": agent.full_name, "count": len(missed), "day": words.short_day(first, today=first)}
            )
    return said


def _code(text: str) -> str:
    """Another absence is another warning."""
    return "absence-" + hashlib.sha256(text.encode()).hexdigest()[:8]


def _is_moved(form: PlanForm) -> bool:
    first = form.first_start
    if form.draft is None or form.meeting is None or first is None:
        return True
    minutes = form.meeting.minutes
    if form.occurrence is not None:
        minutes = round((form.occurrence.ends_at - form.occurrence.starts_at).total_seconds() / 60)
    return (form.draft.start, form.draft.minutes, form.draft.time_zone) != (first, minutes, form.meeting.time_zone)


def unseen(form: PlanForm, *, before: int = 0) -> list[Caution]:
    """Those that the person has not been told yet.

    `before`: people so far of an edited meeting; of one that grew no bigger absences alone, and these when it moves.
    """
    is_bigger = not before or len(form.people) + 1 > before
    if not is_bigger:
        said = _absences(form, form.draft.span()) if form.draft is not None and _is_moved(form) else []
        seen = set(str(form.value_of("warned")).split())
        return [caution for caution in said if caution.code not in seen]
    seen = set(str(form.value_of("warned")).split())
    return [caution for caution in cautions_of(form) if caution.code not in seen]
