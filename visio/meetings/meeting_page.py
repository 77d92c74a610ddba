"""What a meeting's page shows: the meeting, or one date of a series. Each function is one piece's context, fetched by itself too."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Max, Q
from django.http import HttpRequest
from django.utils import timezone

from suite.agents.models import Agent
from suite.live.presence import states
from visio.meetings import words
from visio.meetings.date_pages import address_of, day_words
from visio.meetings.dates import occurrence_key
from visio.meetings.exception_models import AttendeeException, CounterProposal, CounterState
from visio.meetings.history import history_lines
from visio.meetings.ledger import read_ledger
from visio.meetings.links import is_refused
from visio.meetings.models import (
    LONGEST,
    Attendee,
    ChangeKind,
    DeliveryState,
    Meeting,
    MeetingChange,
    Occurrence,
    Role,
    Status,
)
from visio.meetings.permissions import can_edit_meeting
from visio.meetings.repeat_form import kept_words
from visio.meetings.requests import page_number
from visio.meetings.tokens import join_url
from visio.meetings.undo import undo_offer
from visio.places.queries import resources_of
from visio.rooms.access import may_enter
from visio.rooms.calls import people_in_rooms
from visio.rooms.models import Room

HISTORY_SHOWN = 20
DATES_SHOWN = 6
MOST_DATES = 60
COUNTERS_SHOWN = 50
TCHAP = "tchap"
# Mails to people who were taken off the list are worth a line as long as they have not gone out.
UNSENT = (DeliveryState.OWED, DeliveryState.SENDING, DeliveryState.FAILED)
GONE_SHOWN = 20
# After this long a Tchap room that has not come deserves a sentence.
TCHAP_PATIENCE = dt.timedelta(minutes=10)


@dataclass(frozen=True)
class Page:
    """What is looked at. `one_date`: the page of one date of a series, and not of all of it.

    `is_alone`: the reader is invited to that date only, and reads nothing of the others. `away`: dates of the series (their
    recurrence ids by id) that the reader was left out of, and reads nothing of.
    """

    meeting: Meeting
    occurrence: Occurrence
    agent: Agent
    now: dt.datetime
    one_date: bool
    is_alone: bool = False
    away: Mapping[int, dt.datetime] = field(default_factory=dict)

    @property
    def date(self) -> Occurrence | None:
        """The date that the page is about; None when it is about the whole meeting."""
        return self.occurrence if self.one_date else None

    @property
    def zone(self) -> str:
        """Whole days are never converted (R14)."""
        return self.meeting.time_zone if self.meeting.is_all_day else self.agent.time_zone


def facts(page: Page) -> dict[str, Any]:
    meeting, occurrence, agent, now = page.meeting, page.occurrence, page.agent, page.now
    starts_at, ends_at = occurrence.starts_at, occurrence.ends_at
    can_edit = can_edit_meeting(meeting, agent)
    is_cancelled = meeting.is_cancelled or occurrence.status == Status.CANCELLED
    return {
        "page": "meetings",
        "now": now,
        "meeting": meeting,
        "occurrence": occurrence,
        "one_date": page.one_date,
        "date_key": occurrence_key(occurrence) if page.one_date else "",
        # What an edit begins with: the date that is shown.
        "act_key": occurrence_key(occurrence),
        "title": meeting.title if occurrence.title is None or not page.one_date else occurrence.title,
        "place": meeting.place if occurrence.place is None or not page.one_date else occurrence.place,
        "description": meeting.description
        if occurrence.description is None or not page.one_date
        else occurrence.description,
        "starts_at": starts_at,
        "ends_at": ends_at,
        "zone": page.zone,
        "starts_hour": words.hour(starts_at, agent.time_zone),
        "ends_hour": words.hour(ends_at, agent.time_zone),
        "elsewhere": _elsewhere(meeting, occurrence, agent),
        "is_cancelled": is_cancelled,
        "cancelled": _cancellation(meeting, occurrence) if is_cancelled else None,
        "over": ends_at <= now,
        "running": starts_at <= now < ends_at,
        "can_edit": can_edit,
        "is_organiser": meeting.organiser_id == agent.pk,
        "editable": can_edit and not is_cancelled and ends_at > now,
        "resendable": can_edit and not is_cancelled and (ends_at > now or meeting.is_series),
        "series_address": address_of(meeting, None),
        "rule": kept_words(meeting) if meeting.is_series else "",
        "moved_date": occurrence.recurrence_id not in (None, starts_at),
        "own_words": any(value is not None for value in (occurrence.title, occurrence.place, occurrence.description)),
    }


def _cancellation(meeting: Meeting, occurrence: Occurrence) -> MeetingChange | None:
    """Who cancelled it and when: the meeting, else that date."""
    acts = meeting.changes.filter(kind=ChangeKind.CANCELLED).select_related("by")
    if not meeting.is_cancelled and occurrence.recurrence_id is not None:
        acts = acts.filter(details__date=occurrence.recurrence_id.isoformat())
    return acts.first()


def _elsewhere(meeting: Meeting, occurrence: Occurrence, agent: Agent) -> str:
    """The hours where the meeting is planned, when they are not the reader's; with the day when that differs too."""
    if meeting.is_all_day or meeting.time_zone == agent.time_zone:
        return ""
    starts_at, ends_at = occurrence.starts_at, occurrence.ends_at
    here, there = (words.hours(starts_at, ends_at, zone) for zone in (agent.time_zone, meeting.time_zone))
    days = [words.local(starts_at, zone).date() for zone in (agent.time_zone, meeting.time_zone)]
    if days[0] != days[1]:
        return f"{words.short_day(days[1], today=days[0])}, {there}"
    return there if there != here else ""


@dataclass(frozen=True)
class DateLine:
    """One date in the list of a series."""

    address: str
    day: str
    is_cancelled: bool
    is_moved: bool
    title: str  # "" when it is the series' own
    answer: str  # the reader's own, when it differs from the one to the series


def dates(request: HttpRequest, page: Page, mine: Attendee | None) -> dict[str, Any]:
    """The next dates of a series, and the neighbours of the one that is shown. Nothing for a one-off."""
    meeting, now = page.meeting, page.now
    if not meeting.is_series or page.is_alone:
        return {"date_lines": [], "before": "", "after": "", "more_dates": ""}
    asked = MOST_DATES if request.GET.get("dates") == "tout" else DATES_SHOWN
    coming = list(
        meeting.occurrences.filter(starts_at__gt=now - LONGEST, ends_at__gt=now)
        .exclude(pk__in=page.away)
        .order_by("starts_at")[: asked + 1]
    )
    shown = coming[:asked]
    answers: dict[int, str] = {}
    if mine is not None:
        own = AttendeeException.objects.filter(attendee=mine, occurrence__in=[one.pk for one in shown])
        answers = {one.occurrence_id: one.answer for one in own if one.answer is not None}
    around: dict[str, str] = {"before": "", "after": ""}
    if page.one_date:
        others = meeting.occurrences.exclude(pk__in=[page.occurrence.pk, *page.away])
        earlier = others.filter(starts_at__lt=page.occurrence.starts_at).order_by("-starts_at").first()
        later = others.filter(starts_at__gte=page.occurrence.starts_at).order_by("starts_at").first()
        around = {
            "before": address_of(meeting, earlier) if earlier else "",
            "after": address_of(meeting, later) if later else "",
        }
    lines = [
        DateLine(
            address=address_of(meeting, one),
            day=day_words(meeting, one, page.agent, now),
            is_cancelled=meeting.is_cancelled or one.status == Status.CANCELLED,
            is_moved=one.recurrence_id not in (None, one.starts_at),
            title=one.title or "",
            answer=answers.get(one.pk, ""),
        )
        for one in shown
    ]
    more = f"{address_of(meeting, page.date)}{'&' if page.one_date else '?'}dates=tout#dates-titre"
    return {"date_lines": lines, "more_dates": more if len(coming) > asked and asked < MOST_DATES else "", **around}


def own_answer(page: Page, mine: Attendee | None) -> dict[str, Any]:
    """The reader's own answer to what is shown, and the other time that they proposed. Two queries for who is invited."""
    if mine is None:
        return {"mine": None}
    given, comment = mine.answer, mine.comment
    exception = None
    if page.meeting.is_series and mine.only_occurrence_id is None and page.one_date:
        exception = AttendeeException.objects.filter(attendee=mine, occurrence=page.occurrence).first()
        if exception is not None and exception.answer is not None:
            given, comment = exception.answer, exception.comment
    is_invited = (exception is None or not exception.removed) and mine.only_occurrence_id in (None, page.occurrence.pk)
    pending = CounterProposal.objects.filter(attendee=mine, state=CounterState.PENDING)
    wanted = pending.filter(occurrence=page.occurrence if page.meeting.is_series and page.one_date else None)
    counter = wanted.first() if is_invited else None
    return {
        "mine": mine if is_invited else None,
        "given": given,
        "given_comment": comment,
        "asks_scope": page.meeting.is_series and page.one_date and mine.only_occurrence_id is None,
        "for_date": exception is not None and exception.answer is not None,
        "own_counter": counter,
        "own_counter_when": counter_words(counter, page) if counter else "",
    }


@dataclass(frozen=True)
class CounterLine:
    counter: CounterProposal
    name: str
    date: str  # which date of the series it is about; "" for a one-off, or for all of it
    when: str


def counters(page: Page) -> dict[str, Any]:
    """Other times that wait for the organiser. One query."""
    if not can_edit_meeting(page.meeting, page.agent):
        return {"counters": []}
    waiting = CounterProposal.objects.filter(meeting=page.meeting, state=CounterState.PENDING)
    if page.one_date:
        waiting = waiting.filter(Q(occurrence=page.occurrence) | Q(occurrence=None))
    found = waiting.select_related("attendee__agent", "occurrence").order_by("pk")[:COUNTERS_SHOWN]
    return {
        "counters": [
            CounterLine(
                counter=one,
                name=one.attendee.display_name,
                date=day_words(page.meeting, one.occurrence, page.agent, page.now) if one.occurrence else "",
                when=counter_words(one, page),
            )
            for one in found
        ]
    }


def counter_words(counter: CounterProposal, page: Page) -> str:
    """ "Mercredi 25 novembre, 14:00 – 15:00" where the reader is."""
    proposed = Occurrence(meeting=page.meeting, starts_at=counter.starts_at, ends_at=counter.ends_at)
    return day_words(page.meeting, proposed, page.agent, page.now)


def undoing(page: Page, *, can_edit: bool) -> dict[str, Any]:
    """The last act, as long as it can be taken back. `undone`: "cancelled", "moved" or "other"."""
    offer = undo_offer(page.meeting, page.agent, page.now) if can_edit else None
    if offer is None:
        return {"undo": None}
    kinds = set(offer.meeting.changes.filter(revision=offer.revision).values_list("kind", flat=True))
    undone = "cancelled" if ChangeKind.CANCELLED in kinds else "moved" if ChangeKind.MOVED in kinds else "other"
    return {"undo": offer, "undone": undone}


def ledger(request: HttpRequest, page: Page) -> dict[str, Any]:
    meeting = page.meeting
    moves = meeting.changes.filter(kind=ChangeKind.MOVED)
    about_series = ~Q(details__has_key="date")
    if page.one_date and page.occurrence.recurrence_id is not None:
        moves = moves.filter(about_series | Q(details__date=page.occurrence.recurrence_id.isoformat()))
    elif meeting.is_series:
        moves = moves.filter(about_series)
    moved = moves.aggregate(last=Max("revision"))["last"]
    unfolded = request.GET.get("tout") == "1"
    found = read_ledger(
        meeting, moved_revision=moved or 1, page=page_number(request), unfolded=unfolded, occurrence=page.date
    )
    # Who sees this page shares the meeting with everybody on it, so may see their presence.
    ids = [row.agent_id for row in found.rows if row.agent_id is not None]
    agents = {agent.pk: agent for agent in Agent.objects.filter(pk__in=ids, is_active=True)}
    gone = meeting.deliveries.filter(attendee=None, state__in=UNSENT).order_by("pk")[:GONE_SHOWN]
    return {
        "ledger": found,
        "lines": [(row, agents.get(row.agent_id or 0)) for row in found.rows],
        "gone": gone,
        "states": states(agents.values(), now=page.now),
        "unfolded": unfolded,
        "date_query": f"date={occurrence_key(page.occurrence)}&" if page.one_date else "",
    }


def _may_see_call(page: Page, room: Room) -> bool:
    """Whoever is invited to some dates of a series sees who is in the room around those dates only, as they enter it."""
    if page.meeting.is_cancelled:
        return False
    return not (page.away or page.is_alone) or may_enter(room, page.agent, None, now=page.now).allowed


def side(page: Page) -> dict[str, Any]:
    meeting = page.meeting
    room = meeting.room
    link = meeting.links.filter(label=TCHAP).first()
    date_id = page.occurrence.pk if page.one_date else None
    return {
        "people_here": people_in_rooms([room.pk]).get(room.pk, []) if room and _may_see_call(page, room) else [],
        "join_url": join_url(meeting),
        "tchap_url": link.url if link else "",
        "tchap_refused": meeting.wants_tchap and link is None and is_refused(meeting=meeting, label=TCHAP),
        "tchap_late": meeting.changed_at < timezone.now() - TCHAP_PATIENCE,
        "rooms": []
        if meeting.is_cancelled
        else resources_of(meeting.pk, after=page.now, occurrence_id=date_id, without=page.away),
    }


def history(page: Page) -> dict[str, Any]:
    found = MeetingChange.objects.filter(meeting=page.meeting).select_related("by", "on_behalf_of")
    about_all = ~Q(details__has_key="date")
    if page.is_alone and page.occurrence.recurrence_id is not None:
        found = found.filter(about_all | Q(details__date=page.occurrence.recurrence_id.isoformat()))
    elif page.away:
        hidden = [at.isoformat() for at in page.away.values()]
        # What became of a date and all that follow is no secret of that date.
        found = found.filter(about_all | Q(details__contains={"scope": "following"}) | ~Q(details__date__in=hidden))
    changes = found[:HISTORY_SHOWN]
    today = words.local(page.now, page.agent.time_zone).date()
    return {"history": history_lines(changes, viewer=page.agent, today=today)}


def attendance_of(meeting: Meeting, agent: Agent) -> Attendee | None:
    """The agent's own row, unless they organise."""
    return meeting.attendees.filter(agent=agent).exclude(role=Role.CHAIR).first()
