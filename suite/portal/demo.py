"""The demonstration organisations, their agents, and about two weeks of meetings around today.

Rows are written in bulk, not through `schedule_meeting`: nobody is mailed, and a first start makes no hundreds of
Tchap rooms. Invitations stand in the ledger as already sent. Running it again the same day changes nothing:
meetings are known by a `creation_key` derived from their day. Running it the next day fills the day that came in.
"""

import datetime as dt
import json
import random
import uuid
import zoneinfo
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from suite.agents.models import Agent, Organisation, Team
from suite.core.events import publish
from suite.portal.demo_places import book_rooms, load_rooms
from suite.portal.demo_plan import Person, PlannedMeeting, plan_day, plan_moment, window
from suite.portal.demo_polls import load_demo_polls
from suite.portal.demo_rites import Guest
from suite.portal.demo_series import load_demo_series
from visio.events import MeetingScheduled
from visio.meetings.models import (
    Answer,
    AnsweredVia,
    Attendee,
    ChangeKind,
    Delivery,
    DeliveryReason,
    DeliveryState,
    Meeting,
    MeetingChange,
    Method,
    Occurrence,
    Privacy,
    Role,
)
from visio.meetings.tokens import new_link
from visio.meetings.traces import index_for_search
from visio.meetings.wallclock import span
from visio.rooms.models import Room

PEOPLE_FILE = settings.BASE_DIR / "suite" / "local" / "demo_people.json"
NAMESPACE = uuid.UUID("6f1d0f1c-7c1c-5c53-9f0a-3c2f5b1b7a10")
PARIS = zoneinfo.ZoneInfo("Europe/Paris")
REFUSED = "ancien.compte@partenaire.example"
# How colleagues answer what lies ahead, and what is over.
AHEAD = ((Answer.ACCEPTED, 58), (Answer.NEEDS_ACTION, 22), (Answer.TENTATIVE, 12), (Answer.DECLINED, 8))
OVER = ((Answer.ACCEPTED, 82), (Answer.NEEDS_ACTION, 4), (Answer.TENTATIVE, 5), (Answer.DECLINED, 9))
NEW_ROOMS = 2


@dataclass(frozen=True)
class Loaded:
    """How many rows came anew."""

    organisations: int
    agents: int
    meetings: int


@transaction.atomic
def load_demo(*, now: dt.datetime, people_file: Path = PEOPLE_FILE) -> Loaded:
    """Bring the demonstration data up to the day of `now` (aware). What exists, edited or not, stays."""
    told = json.loads(people_file.read_text(encoding="utf-8"))
    organisations = _load_organisations(told["organisations"])
    agents = _load_agents(told["people"])
    load_rooms()
    by_email = {agent.email: agent for agent in Agent.objects.filter(is_demo=True).select_related("organisation")}
    people = [_person(entry) for entry in told["people"] if entry["email"] in by_email]
    planned = [meeting for day in window(now.astimezone(PARIS).date()) for meeting in plan_day(people, day)]
    planned += plan_moment(people, now.astimezone(PARIS))
    load_demo_polls(by_email, now=now)
    written = _write_meetings(planned, by_email, now)
    return Loaded(organisations, agents, written + load_demo_series(by_email, now=now))


def _load_organisations(entries: Iterable[dict[str, Any]]) -> int:
    created = 0
    for entry in entries:
        organisation, is_new = Organisation.objects.get_or_create(
            siret=entry["siret"],
            defaults={
                "name": entry["name"],
                "legal_name": entry["legal_name"],
                "domain": entry["domain"],
                "is_demo": True,
            },
        )
        created += is_new
        for name in entry["teams"]:
            Team.objects.get_or_create(organisation=organisation, name=name)
    return created


def _load_agents(entries: Sequence[dict[str, Any]]) -> int:
    known = {agent.sub: agent for agent in Agent.objects.filter(sub__in=[entry["sub"] for entry in entries])}
    organisations = {organisation.siret: organisation for organisation in Organisation.objects.all()}
    teams = {(team.organisation_id, team.name): team for team in Team.objects.all()}
    created = 0
    for entry in entries:
        organisation = organisations[entry["siret"]]
        team = teams[organisation.pk, entry["organizational_unit"]]
        agent = known.get(entry["sub"])
        if agent is None:
            agent = _new_agent(entry, organisation, team)
            created += 1
            if entry["manager"]:
                team.managers.add(agent)
        elif agent.is_demo and not agent.matrix_id and _matrix_id(entry):
            # The homeserver's name came into the configuration after the agent did.
            agent.matrix_id = _matrix_id(entry)
            agent.save(update_fields=["matrix_id"])
    return created


def _new_agent(entry: dict[str, Any], organisation: Organisation, team: Team) -> Agent:
    return Agent.objects.create_user(
        sub=entry["sub"],
        email=entry["email"],
        given_name=entry["given_name"],
        usual_name=entry["usual_name"],
        organisation=organisation,
        organizational_unit=entry["organizational_unit"],
        team=team,
        job_title=entry["job_title"],
        time_zone=entry["zone"],
        language=entry["language"],
        matrix_id=_matrix_id(entry),
        is_staff=entry["administrator"],
        is_superuser=entry["administrator"],
        is_demo=True,
    )


def _matrix_id(entry: dict[str, Any]) -> str:
    if not (entry["tchap"] and settings.MATRIX_SERVER_NAME):
        return ""
    return f"@{entry['email'].replace('@', '-')}:{settings.MATRIX_SERVER_NAME}"


def _person(entry: dict[str, Any]) -> Person:
    return Person(
        email=entry["email"],
        given_name=entry["given_name"],
        unit=entry["organizational_unit"],
        domain=entry["email"].partition("@")[2],
        zone=entry["zone"],
        is_manager=entry["manager"],
    )


def creation_key(planned: PlannedMeeting) -> uuid.UUID:
    """The same for the same rite on the same day, so that loading twice makes one meeting."""
    return uuid.uuid5(NAMESPACE, f"{planned.organiser} {planned.date.isoformat()} {planned.key}")


def _write_meetings(planned: Sequence[PlannedMeeting], agents: dict[str, Agent], now: dt.datetime) -> int:
    keys = {creation_key(plan): plan for plan in planned if plan.organiser in agents}
    known = set(Meeting.objects.filter(creation_key__in=keys).values_list("creation_key", flat=True))
    rooms_left = NEW_ROOMS if settings.MATRIX_HOMESERVER_URL and not known else 0
    batch = _Batch(agents, now)
    for key, plan in keys.items():
        if key in known:
            continue
        _starts_at, ends_at = span(plan.date, plan.time, plan.zone, plan.minutes)
        with_tchap = plan.wants_tchap and rooms_left > 0 and ends_at > now
        rooms_left -= with_tchap
        batch.add(key, replace(plan, wants_tchap=with_tchap))
    batch.write()
    book_rooms(batch.meetings, batch.occurrences, batch.attendees, now=now)
    return len(batch.meetings)


class _Batch:
    """Rows gathered for a handful of bulk inserts."""

    def __init__(self, agents: dict[str, Agent], now: dt.datetime) -> None:
        self.agents = agents
        self.now = now
        self.rooms: list[Room] = []
        self.meetings: list[Meeting] = []
        self.occurrences: list[Occurrence] = []
        self.attendees: list[Attendee] = []
        self.deliveries: list[Delivery] = []
        self.changes: list[MeetingChange] = []

    def add(self, key: uuid.UUID, plan: PlannedMeeting) -> None:
        """One planned meeting with everything that hangs on it."""
        organiser = self.agents[plan.organiser]
        starts_at, ends_at = span(plan.date, plan.time, plan.zone, plan.minutes)
        invited_at = min(self.now, starts_at) - dt.timedelta(days=2, minutes=key.int % 360)
        chance = random.Random(key.int)  # noqa: S311  nothing secret is drawn here
        room = Room() if plan.wants_room else None
        if room:
            self.rooms.append(room)
        meeting = Meeting(
            organiser=organiser,
            title=plan.title,
            description=plan.description,
            place=plan.place,
            privacy=Privacy.PRIVATE if plan.private else Privacy.PUBLIC,
            start_date=plan.date,
            start_time=plan.time,
            time_zone=plan.zone,
            minutes=plan.minutes,
            room=room,
            wants_tchap=plan.wants_tchap,
            creation_key=key,
            is_demo=True,
        )
        self.meetings.append(meeting)
        self.occurrences.append(Occurrence(meeting=meeting, starts_at=starts_at, ends_at=ends_at))
        self.changes.append(
            MeetingChange(meeting=meeting, at=invited_at, by=organiser, kind=ChangeKind.CREATED, revision=1)
        )
        times = {"starts_at": starts_at, "ends_at": ends_at}
        self._add_attendee(
            meeting, times, Guest(organiser.email), role=Role.CHAIR, answer=Answer.ACCEPTED, answered_at=invited_at
        )
        for guest in plan.guests:
            answer = Answer(guest.answer) if guest.answer else _draw(chance, OVER if ends_at <= self.now else AHEAD)
            attendee = self._add_attendee(
                meeting,
                times,
                guest,
                role=Role.OPTIONAL if guest.optional else Role.REQUIRED,
                answer=answer,
                answered_at=invited_at + dt.timedelta(minutes=chance.randrange(4, 600)),
            )
            self._add_delivery(meeting, attendee, invited_at)

    def _add_attendee(
        self,
        meeting: Meeting,
        times: dict[str, dt.datetime],
        guest: Guest,
        *,
        role: Role,
        answer: Answer,
        answered_at: dt.datetime,
    ) -> Attendee:
        agent = self.agents.get(guest.email)
        answered = answer != Answer.NEEDS_ACTION
        nonce, digest = new_link()
        attendee = Attendee(
            meeting=meeting,
            agent=agent,
            email=guest.email,
            name=agent.full_name if agent else guest.name,
            role=role,
            answer=answer,
            answered_at=min(answered_at, self.now) if answered else None,
            answered_revision=1 if answered else None,
            answered_via=(AnsweredVia.PORTAL if agent else AnsweredVia.PAGE) if answered else "",
            link_nonce=nonce,
            link_hash=digest,
            **times,
        )
        self.attendees.append(attendee)
        return attendee

    def _add_delivery(self, meeting: Meeting, attendee: Attendee, invited_at: dt.datetime) -> None:
        refused = attendee.email == REFUSED
        self.deliveries.append(
            Delivery(
                meeting=meeting,
                attendee=attendee,
                uid=meeting.uid,
                sequence=0,
                revision=1,
                recipient=attendee.email,
                recipient_name=attendee.name,
                method=Method.REQUEST,
                reason=DeliveryReason.INVITED,
                state=DeliveryState.FAILED if refused else DeliveryState.SENT,
                due_at=invited_at,
                attempts=1,
                sent_at=None if refused else invited_at + dt.timedelta(seconds=3),
                server_words="550 5.1.1 Boîte inconnue" if refused else "250 2.0.0 Ok",
            )
        )

    def write(self) -> None:
        """Insert everything, then tell the few meetings that want a Tchap room."""
        Room.objects.bulk_create(self.rooms)
        Meeting.objects.bulk_create(self.meetings)
        Occurrence.objects.bulk_create(self.occurrences)
        Attendee.objects.bulk_create(self.attendees)
        Delivery.objects.bulk_create(self.deliveries)
        MeetingChange.objects.bulk_create(self.changes)
        index_for_search(*self.meetings)
        for meeting in self.meetings:
            if meeting.wants_tchap:
                publish(MeetingScheduled(meeting_id=meeting.pk))


def _draw(chance: random.Random, weighted: Sequence[tuple[Answer, int]]) -> Answer:
    return chance.choices([answer for answer, _weight in weighted], [weight for _answer, weight in weighted])[0]
