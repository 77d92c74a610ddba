"""What an import would do: each meeting of the file beside what the portal has already. Reads, writes nothing.

A fixed number of statements, however long the file is.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from suite.agents.models import Agent
from suite.core.plain import clean_text, one_line
from visio.exchange.drafting import draft_of, organised_by
from visio.exchange.moments import EventRefused
from visio.exchange.parsing import read_calendar
from visio.exchange.reading import ReadEvent
from visio.exchange.sorting import Budget, Date, Found, LeftOut, sort_calendar
from visio.meetings.drafts import Invitee, MeetingDraft, is_organiser, validate_draft
from visio.meetings.models import Attendee, Meeting, Occurrence, Privacy, Role, Status
from visio.meetings.timetable import Timetable

# What differs between the file and the portal, as codes: "times", "title", "description", "place", "privacy", "people", "dates".
TEXTS = ("title", "description", "place", "privacy")


@dataclass(frozen=True)
class Step:
    """One meeting to make, change or cancel; or one that stays as it is ("same"). `existing`: its id in the portal."""

    action: str  # "create" | "change" | "cancel" | "same"
    line: int
    source_uid: str
    draft: MeetingDraft
    timetable: Timetable
    dates: tuple[Date, ...]
    is_mine: bool
    starts_at: dt.datetime
    ends_at: dt.datetime
    is_over: bool
    notes: tuple[str, ...] = ()
    existing: int | None = None
    changes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    steps: tuple[Step, ...]
    left_out: tuple[LeftOut, ...]
    others: int = 0

    def count(self, action: str) -> int:
        return sum(1 for step in self.steps if step.action == action)

    @property
    def to_do(self) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.action != "same")


@dataclass(frozen=True)
class _Known:
    """The portal's meeting that this file made before."""

    meeting: Meeting
    guests: frozenset[str]
    dates: frozenset[Date]


def plan_import(content: bytes, *, agent: Agent, now: dt.datetime) -> Plan:
    """Raises FileRefused. Words are in the language that is active."""
    budget = Budget()
    sorted_file = sort_calendar(read_calendar(content), zone=agent.time_zone, now=now, budget=budget)
    uids = {one.event.uid for one in sorted_file.found}
    known = _known(agent, uids)
    at_home = _at_home(agent, uids)
    directory = _directory({person.email for one in sorted_file.found for person in one.event.attendees})
    steps: list[Step] = []
    left_out = list(sorted_file.left_out)
    for found in sorted_file.found:
        if found.event.uid in at_home:
            left_out.append(_left(found, _("Il est déjà dans vos réunions.")))
            continue
        try:
            if found.timetable.is_series:
                budget.check()
            step = _step(found, known.get(found.event.uid), agent, directory, now)
        except EventRefused as refused:
            step = _left(found, refused.message)
        if isinstance(step, LeftOut):
            left_out.append(step)
        else:
            steps.append(step)
    return Plan(tuple(steps), tuple(sorted(left_out, key=lambda one: one.line)), sorted_file.others)


def _step(
    found: Found, known: _Known | None, agent: Agent, directory: dict[str, Agent], now: dt.datetime
) -> Step | LeftOut:
    event = found.event
    is_mine = event.organiser is None or event.organiser.email == agent.email.lower()
    draft = _draft(event, agent, directory, is_mine=is_mine)
    if known is not None:
        meeting = known.meeting
        draft = replace(draft, wants_room=meeting.room_id is not None, wants_tchap=meeting.wants_tchap)
        if meeting.is_cancelled:
            return _left(found, _("Vous l’avez annulé dans le portail."))
    elif event.is_cancelled:
        return _left(found, _("Il est annulé."))
    errors = validate_draft(draft, now=now, may_have_begun=True)
    if errors:
        return _left(found, " ".join(words for messages in errors.values() for words in messages))
    starts_at, ends_at = draft.span()
    is_over = _is_over(found, ends_at, now)
    notes = list(found.notes)
    if not is_mine and event.attendees:
        notes.append(_("participants non repris : une autre personne l’organise"))
    if is_over:
        notes.append(_("déjà passé"))
    step = Step(
        action="create",
        line=event.line,
        source_uid=event.uid,
        draft=draft,
        timetable=found.timetable,
        dates=found.dates,
        is_mine=is_mine,
        starts_at=starts_at,
        ends_at=ends_at,
        is_over=is_over,
        notes=tuple(notes),
    )
    if known is None:
        return step
    step = replace(step, existing=known.meeting.pk)
    if event.is_cancelled:
        if is_over:
            return _left(found, _("Il est annulé, et déjà passé."))
        return replace(step, action="cancel")
    changes = _changes(step, known)
    return replace(step, action="change" if changes else "same", changes=changes)


def _is_over(found: Found, ends_at: dt.datetime, now: dt.datetime) -> bool:
    ends = [ends_at, *(date.ends_at for date in found.dates)]
    if found.timetable.is_series:
        last = found.timetable.last()
        if last is None:
            return False
        ends.append(found.timetable.end_of(last))
    return max(ends) <= now


def _draft(event: ReadEvent, agent: Agent, directory: dict[str, Agent], *, is_mine: bool) -> MeetingDraft:
    if not is_mine and event.organiser is not None:
        others = draft_of(event)
        description = organised_by(event.description, event.organiser)
        return replace(others, description=description, privacy=Privacy.PRIVATE.value)
    guests: dict[str, Invitee] = {}
    for person in event.attendees:
        known = directory.get(person.email)
        if known is not None:
            guest = Invitee(known.email.lower(), known.full_name, known.pk, person.role)
        else:
            guest = Invitee(person.email, person.name, None, person.role)
        if not is_organiser(guest, agent):
            guests.setdefault(guest.email, guest)
    return draft_of(event, attendees=tuple(guests.values()))


def _changes(step: Step, known: _Known) -> tuple[str, ...]:
    meeting, draft = known.meeting, step.draft
    found = []
    if Timetable.of_meeting(meeting) != step.timetable:
        found.append("times")
    wanted = {
        "title": one_line(draft.title),
        "description": clean_text(draft.description),
        "place": one_line(draft.place),
        "privacy": draft.privacy,
    }
    found += [name for name in TEXTS if getattr(meeting, name) != wanted[name]]
    if known.guests != {guest.email for guest in draft.attendees}:
        found.append("people")
    if known.dates != frozenset(step.dates):
        found.append("dates")
    return tuple(found)


def change_words(changes: Iterable[str]) -> str:
    named = {
        "times": _("horaire"),
        "title": _("titre"),
        "description": _("description"),
        "place": _("lieu"),
        "privacy": _("visibilité"),
        "people": _("participants"),
        "dates": _("dates modifiées ou annulées"),
    }
    return ", ".join(named[name] for name in changes)


def own_dates(occurrences: Iterable[Occurrence]) -> frozenset[Date]:
    """The rows of a series that differ from it, as the file would say them."""
    dates = set()
    for one in occurrences:
        at = one.recurrence_id
        if at is None:
            continue
        if one.status == Status.CANCELLED:
            dates.add(Date(at, at, at, is_cancelled=True))
        else:
            dates.add(Date(at, one.starts_at, one.ends_at, False, one.title, one.place, one.description))
    return frozenset(dates)


def _known(agent: Agent, uids: Collection[str]) -> dict[str, _Known]:
    meetings = {
        meeting.pk: meeting
        for meeting in Meeting.objects.filter(organiser=agent, source_uid__in=uids).select_related("room")
    }
    guests: dict[int, set[str]] = defaultdict(set)
    rows = Attendee.objects.filter(meeting__in=meetings, only_occurrence=None).exclude(role=Role.CHAIR).order_by()
    for meeting_id, email in rows.values_list("meeting_id", "email"):
        guests[meeting_id].add(email)
    special: dict[int, list[Occurrence]] = defaultdict(list)
    differing = Q(is_override=True) | Q(status=Status.CANCELLED)
    for occurrence in Occurrence.objects.filter(differing, meeting__in=meetings).order_by():
        special[occurrence.meeting_id].append(occurrence)
    return {
        meeting.source_uid: _Known(meeting, frozenset(guests[pk]), own_dates(special[pk]))
        for pk, meeting in meetings.items()
    }


def _at_home(agent: Agent, uids: Collection[str]) -> set[str]:
    """UIDs of the portal's own meetings that the agent has anyway: the file was exported from here."""
    return set(Meeting.objects.involving(agent).filter(uid__in=uids).order_by().values_list("uid", flat=True))


def _directory(emails: Collection[str]) -> dict[str, Agent]:
    if not emails:
        return {}
    agents = Agent.objects.annotate(lower_email=Lower("email")).filter(lower_email__in=emails, is_active=True)
    return {agent.email.lower(): agent for agent in agents}


def _left(found: Found, words: str) -> LeftOut:
    return LeftOut(found.event.line, found.event.title, words)


def count_words(plan: Plan) -> list[str]:
    """ "12 réunions à créer", … for those that are not none."""
    said = [
        (
            plan.count("create"),
            ngettext("%(count)d réunion à créer", "%(count)d réunions à créer", plan.count("create")),
        ),
        (plan.count("change"), ngettext("%(count)d à modifier", "%(count)d à modifier", plan.count("change"))),
        (plan.count("cancel"), ngettext("%(count)d à annuler", "%(count)d à annuler", plan.count("cancel"))),
        (plan.count("same"), ngettext("%(count)d inchangée", "%(count)d inchangées", plan.count("same"))),
        (
            len(plan.left_out),
            ngettext("%(count)d laissée de côté", "%(count)d laissées de côté", len(plan.left_out)),
        ),
    ]
    return [words % {"count": count} for count, words in said if count]
