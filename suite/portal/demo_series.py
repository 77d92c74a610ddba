"""What comes back by a rule in the demonstration: two weekly series, a whole day, an absence, and who plans for whom."""

from __future__ import annotations

import datetime as dt
import uuid
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass, replace

from suite.agents.delegation import grant
from suite.agents.leaves import add_leave, whole_days
from suite.agents.models import Agent
from suite.agents.time_models import Delegation, Leave
from suite.portal.demo_rites import CLAIRE, JULIEN, KARIM, LEA, PAUL, SOPHIE, SUPPLIER, THOMAS, Guest
from visio.meetings import answers, series
from visio.meetings.drafting import draft_of
from visio.meetings.drafts import DAY_MINUTES, Invitee, MeetingDraft
from visio.meetings.models import AnsweredVia, Delivery, DeliveryState, Meeting, Occurrence
from visio.meetings.scheduling import schedule_meeting
from visio.meetings.scopes import Scope

NAMESPACE = uuid.UUID("a8d0a0b5-6f3c-5b0e-8a6b-3f7c5a1f2d90")
PARIS = zoneinfo.ZoneInfo("Europe/Paris")
WEEK = dt.timedelta(days=7)


@dataclass(frozen=True)
class PlannedSeries:
    """`weekday` (Monday is 0) of the first date, in the week before the first load. `moved_to`: the day and hour of the date in
    `moved` weeks from this one; that of `cancelled` weeks does not take place.
    """

    key: str
    organiser: str
    title: str
    weekday: int
    time: dt.time
    minutes: int
    rule: str
    guests: tuple[Guest, ...]
    description: str = ""
    moved: int | None = None
    moved_to: tuple[int, dt.time] = (0, dt.time())
    cancelled: int | None = None


SERIES = (
    PlannedSeries(
        key="editorial",
        organiser=CLAIRE,
        title="Comité éditorial",
        weekday=0,
        time=dt.time(11, 15),
        minutes=45,
        rule="FREQ=WEEKLY;BYDAY=MO",
        guests=(Guest(KARIM, answer="accepted"), Guest(SOPHIE, answer="tentative"), Guest(LEA), SUPPLIER),
        description="1. Nouveautés à annoncer\n2. Pages d’aide à relire",
        moved=1,
        moved_to=(1, dt.time(16, 0)),
        cancelled=2,
    ),
    PlannedSeries(
        key="accompagnement",
        organiser=KARIM,
        title="Accompagnement des préfectures",
        weekday=3,
        time=dt.time(15, 30),
        minutes=30,
        rule="FREQ=WEEKLY;BYDAY=TH",
        guests=(Guest(CLAIRE, answer="accepted"), Guest(JULIEN, answer="accepted"), Guest(THOMAS, optional=True)),
    ),
)
SEMINAR = "Journée des produits numériques"


def load_demo_series(agents: Mapping[str, Agent], *, now: dt.datetime) -> int:
    """Plan them once, nobody is mailed; how many meetings are new. `agents` by address. What was edited stays."""
    today = now.astimezone(PARIS).date()
    monday = today - dt.timedelta(days=today.weekday())
    made = sum(_plan(one, agents, monday, now) for one in SERIES if one.organiser in agents)
    if {KARIM, CLAIRE, SOPHIE} <= agents.keys():
        made += _plan_seminar(agents, monday, now)
    if THOMAS in agents and not Leave.objects.filter(agent=agents[THOMAS]).exists():
        first = monday + 2 * WEEK
        starts_at, ends_at = whole_days(first, first + dt.timedelta(days=4), zone_name=agents[THOMAS].time_zone)
        add_leave(agent=agents[THOMAS], starts_at=starts_at, ends_at=ends_at, is_all_day=True, now=now)
    if {PAUL, CLAIRE} <= agents.keys() and not Delegation.objects.filter(principal=agents[PAUL]).exists():
        grant(principal=agents[PAUL], delegate=agents[CLAIRE])
    return made


def _plan(planned: PlannedSeries, agents: Mapping[str, Agent], monday: dt.date, now: dt.datetime) -> bool:
    key = uuid.uuid5(NAMESPACE, planned.key)
    organiser = agents[planned.organiser]
    if Meeting.objects.filter(organiser=organiser, creation_key=key).exists():
        return False
    first = monday - WEEK + dt.timedelta(days=planned.weekday)
    draft = MeetingDraft(
        title=planned.title,
        start_date=first,
        start_time=planned.time,
        time_zone=PARIS.key,
        minutes=planned.minutes,
        description=planned.description,
        wants_tchap=False,
        attendees=_people(planned.guests, agents),
        rule=planned.rule,
    )
    meeting = _write(draft, organiser, key, planned.guests, now=now)
    changed_at = min(now, _at(monday, planned.time))
    for weeks, what in ((planned.moved, "move"), (planned.cancelled, "cancel")):
        if weeks is None:
            continue
        date = _date(meeting, monday + weeks * WEEK + dt.timedelta(days=planned.weekday), planned.time)
        if what == "move":
            day, time = planned.moved_to
            asked = replace(
                draft_of(meeting, date, scope=Scope.ONE),
                start_date=monday + weeks * WEEK + dt.timedelta(days=day),
                start_time=time,
            )
            series.change(
                meeting=meeting,
                occurrence=date,
                scope=Scope.ONE,
                by=organiser,
                draft=asked,
                revision=meeting.revision,
                now=changed_at,
                undoable=False,
            )
        else:
            series.cancel(
                meeting=meeting, occurrence=date, scope=Scope.ONE, by=organiser, now=changed_at, undoable=False
            )
        _consider_sent(meeting, changed_at)
        meeting.refresh_from_db()
    return True


def _plan_seminar(agents: Mapping[str, Agent], monday: dt.date, now: dt.datetime) -> bool:
    """The whole Friday of next week: one in each week of a demonstration that goes on."""
    friday = monday + WEEK + dt.timedelta(days=4)
    key = uuid.uuid5(NAMESPACE, f"seminaire {friday.isoformat()}")
    if Meeting.objects.filter(organiser=agents[KARIM], creation_key=key).exists():
        return False
    guests = (Guest(CLAIRE, answer="accepted"), Guest(SOPHIE))
    draft = MeetingDraft(
        title=SEMINAR,
        start_date=friday,
        start_time=dt.time(),
        time_zone=PARIS.key,
        minutes=DAY_MINUTES,
        is_all_day=True,
        place="Ségur-Fontenoy, hall",
        wants_room=False,
        wants_tchap=False,
        attendees=_people(guests, agents),
    )
    _write(draft, agents[KARIM], key, guests, now=now)
    return True


def _write(
    draft: MeetingDraft, organiser: Agent, key: uuid.UUID, guests: tuple[Guest, ...], *, now: dt.datetime
) -> Meeting:
    """Planned two days before it begins, or now; answered soon after."""
    starts_at, _ends_at = draft.span()
    invited_at = min(now, starts_at - dt.timedelta(days=2))
    meeting = schedule_meeting(by=organiser, draft=draft, now=invited_at, creation_key=key, is_demo=True)
    _consider_sent(meeting, invited_at)
    answered = {guest.email: guest.answer for guest in guests if guest.answer is not None}
    for attendee in meeting.attendees.filter(email__in=answered).select_related("meeting", "agent"):
        answers.answer(
            attendee=attendee,
            answer=answered[attendee.email] or "",
            via=AnsweredVia.PORTAL if attendee.agent_id else AnsweredVia.PAGE,
            now=invited_at,
        )
    return meeting


def _consider_sent(meeting: Meeting, at: dt.datetime) -> None:
    """In the transaction that owed them: no worker ever sees these rows owed."""
    owed = Delivery.objects.filter(meeting=meeting, state=DeliveryState.OWED)
    owed.update(state=DeliveryState.SENT, sent_at=at, attempts=1, server_words="250 2.0.0 Ok")


def _date(meeting: Meeting, day: dt.date, time: dt.time) -> Occurrence:
    return Occurrence.objects.get(meeting=meeting, recurrence_id=_at(day, time))


def _at(day: dt.date, time: dt.time) -> dt.datetime:
    return dt.datetime.combine(day, time, PARIS)


def _people(guests: tuple[Guest, ...], agents: Mapping[str, Agent]) -> tuple[Invitee, ...]:
    found = ((guest, agents.get(guest.email)) for guest in guests)
    return tuple(
        Invitee(
            email=guest.email.lower(),
            name=agent.full_name if agent else guest.name,
            agent_id=agent.pk if agent else None,
            role="optional" if guest.optional else "required",
        )
        for guest, agent in found
    )
