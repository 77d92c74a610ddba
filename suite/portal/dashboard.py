"""What the dashboard shows, as frozen values: what comes next, the invitations, my team, the rooms of my meetings."""

from __future__ import annotations

import datetime as dt
import math
import zoneinfo
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce

from suite.agents.models import Agent, Team
from suite.live.presence import Presence, states
from tchap_bridge.models import RoomState, TchapRoom
from visio.calendars.day import Day
from visio.meetings.exception_models import AttendeeException
from visio.meetings.models import LONGEST, Answer, AnsweredVia, Attendee, Meeting, MeetingLink, Occurrence
from visio.meetings.queries import Entry, agenda
from visio.meetings.waiting import at_waiting_dates
from visio.polls.listing import waiting_for
from visio.polls.models import PollParticipant
from visio.rooms.calls import Participant, people_in_rooms

TCHAP = "tchap"
MOST_INVITATIONS = 12
# Invitations are put in order of the date that waits: so many are looked at.
MOST_LOOKED_AT = 200
# So many are seen at once: the day must not begin below the screen of a phone.
FIRST_INVITATIONS = 3
MOST_POLLS = 3
MOST_COLLEAGUES = 10
MOST_ROOMS = 5
# A row just answered stays in the list, with "Annuler", for as long as its page promises.
UNDO = dt.timedelta(seconds=10)
# Before the start, the bar fills over this long.
APPROACH = dt.timedelta(hours=1)
# Rooms of meetings that ended are still at hand this long.
AFTERWARDS = dt.timedelta(hours=12)


@dataclass(frozen=True)
class Hero:
    """What happens next: a meeting that runs, or the next one today, or on a later day (`is_today` is false)."""

    entry: Entry
    is_running: bool
    is_today: bool
    is_tomorrow: bool
    accepted: int
    guests: int
    tchap_url: str
    organised_by_me: bool
    present: tuple[Participant, ...]
    # 0 to 100: how much of the hour before, or of the meeting, has gone.
    progress: int


def read_hero(agent: Agent, day: Day) -> Hero | None:
    """One query and one look into Redis; None when the next seven days hold nothing."""
    block = day.running or day.next
    later = next((entry for entry in day.later if entry.starts_at > day.now and not entry.is_all_day), None)
    entry = block.entry if block else later
    if entry is None or entry.public_id is None:  # One's own calendar masks nothing.
        return None
    meeting = (
        Meeting.objects.filter(public_id=entry.public_id)
        .annotate(
            accepted=_people_of(entry, answer=Answer.ACCEPTED),
            guests=_people_of(entry),
            tchap_url=_tchap_url(OuterRef("pk")),
        )
        .order_by("pk")
        .values("room_id", "organiser_id", "accepted", "guests", "tchap_url")
        .get()
    )
    room_id = meeting["room_id"]
    present = people_in_rooms([room_id], now=day.now)[room_id] if room_id and block else []
    return Hero(
        entry=entry,
        is_running=entry.starts_at <= day.now,
        is_today=block is not None,
        is_tomorrow=entry.starts_at.astimezone(day.now.tzinfo).date() == day.date + dt.timedelta(days=1),
        accepted=meeting["accepted"],
        guests=meeting["guests"],
        tchap_url=meeting["tchap_url"],
        organised_by_me=meeting["organiser_id"] == agent.pk,
        present=tuple({participant.person: participant for participant in present}.values()),
        progress=progress(entry.starts_at, entry.ends_at, day.now),
    )


def seconds_to_change(day: Day) -> int:
    """When the pictures of the day go stale by the clock alone: a meeting starts or ends, or midnight."""
    edges = [edge for block in day.blocks for edge in (block.entry.starts_at, block.entry.ends_at)]
    midnight = day.now.replace(hour=0, minute=0, second=0, microsecond=0) + dt.timedelta(days=1)
    ahead = min(edge for edge in [*edges, midnight] if edge > day.now)
    return math.ceil((ahead - day.now).total_seconds())


def progress(starts_at: dt.datetime, ends_at: dt.datetime, now: dt.datetime) -> int:
    """Per cent: of the meeting once it runs, of the hour before it until then."""
    if now >= starts_at:
        share = (now - starts_at) / (ends_at - starts_at)
    else:
        share = 1 - (starts_at - now) / APPROACH
    return round(100 * min(max(share, 0.0), 1.0))


def _people_of(entry: Entry, answer: str = "") -> Coalesce:
    """How many are invited to that date (and gave that answer to it), in a query of meetings."""
    own = AttendeeException.objects.filter(attendee=OuterRef("pk"), occurrence=entry.occurrence_id)
    people = (
        Attendee.objects.filter(
            Q(only_occurrence=None) | Q(only_occurrence=entry.occurrence_id), meeting=OuterRef("pk")
        )
        .exclude(Exists(own.filter(removed=True)))
        .alias(said=Coalesce(Subquery(own.values("answer")[:1]), "answer"))
    )
    if answer:
        people = people.filter(said=answer)
    counted = people.order_by().values("meeting").annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(counted), Value(0))


def _tchap_url(meeting: OuterRef) -> Coalesce:
    link = MeetingLink.objects.filter(meeting=meeting, label=TCHAP).values("url")[:1]
    return Coalesce(Subquery(link), Value(""))


@dataclass(frozen=True)
class Invitation:
    """One row: waiting for an answer, or answered a moment ago. `conflict` is the title it overlaps, "" when free."""

    attendee: Attendee
    is_answered: bool
    conflict: str
    is_free: bool


@dataclass(frozen=True)
class Invitations:
    """`waiting` counts all of them; `rows` holds the first MOST_INVITATIONS by time.

    `first` is seen at once (three that wait, and what was answered among them), `rest` is unfolded.
    """

    rows: tuple[Invitation, ...]
    waiting: int

    @property
    def first(self) -> tuple[Invitation, ...]:
        ends = [number for number, row in enumerate(self.rows, start=1) if not row.is_answered]
        # Nothing is unfolded for what is answered already.
        is_all = self.waiting <= FIRST_INVITATIONS or len(ends) < FIRST_INVITATIONS
        return self.rows if is_all else self.rows[: ends[FIRST_INVITATIONS - 1]]

    @property
    def rest(self) -> tuple[Invitation, ...]:
        return self.rows[len(self.first) :]

    @property
    def more(self) -> int:
        """How many wait that are not in `first`."""
        return self.waiting - sum(not row.is_answered for row in self.first)

    @property
    def hidden(self) -> int:
        return self.waiting - sum(not row.is_answered for row in self.rows)


def read_invitations(agent: Agent, now: dt.datetime) -> Invitations:
    """Two queries, two more with a series among them, and one when there are very many."""
    unanswered = Attendee.objects.unanswered_by(agent, now=now)
    just_answered = Q(ends_at__gt=now, answered_at__gt=now - UNDO, answered_via=AnsweredVia.PORTAL) & ~Q(role="chair")
    found = list(
        Attendee.objects.filter(Q(pk__in=unanswered.values("pk")) | just_answered, meeting__status="confirmed")
        .filter(agent=agent)
        .select_related("meeting__organiser__organisation")
        .order_by("starts_at", "pk")[: MOST_LOOKED_AT + 1]
    )
    # A series began long ago: its place in the list is that of the date that waits.
    ordered = at_waiting_dates(found, now)
    shown = ordered[:MOST_INVITATIONS]
    waiting = sum(attendee.answer == Answer.NEEDS_ACTION for attendee in ordered)
    if len(found) > MOST_LOOKED_AT:
        waiting = unanswered.count()
    busy: list[Entry] = []
    if shown:
        first, last = min(row.starts_at for row in shown), max(row.ends_at for row in shown)
        taken = (Answer.ACCEPTED, Answer.TENTATIVE)
        busy = [entry for entry in agenda([agent.pk], first, last, agent) if entry.answer in taken]
    return Invitations(tuple(_invitation(attendee, busy) for attendee in shown), waiting)


def _invitation(attendee: Attendee, busy: Sequence[Entry]) -> Invitation:
    clash = next(
        (
            entry.title
            for entry in busy
            if entry.public_id != attendee.meeting.public_id
            and entry.starts_at < attendee.ends_at
            and attendee.starts_at < entry.ends_at
        ),
        "",
    )
    return Invitation(attendee, attendee.answer != Answer.NEEDS_ACTION, clash, not clash)


@dataclass(frozen=True)
class Polls:
    """Date polls that wait for my vote: the first MOST_POLLS by their deadline, and whether there are more."""

    rows: tuple[PollParticipant, ...]
    has_more: bool


def read_polls(agent: Agent, now: dt.datetime) -> Polls:
    """One query."""
    found = waiting_for(agent, now).select_related("poll__organiser__organisation")[: MOST_POLLS + 1]
    rows = tuple(found)
    return Polls(rows[:MOST_POLLS], len(rows) > MOST_POLLS)


@dataclass(frozen=True)
class Colleagues:
    """My team without me, those who can be reached first; `states` by agent id, mine too."""

    team: Team | None
    people: tuple[Agent, ...]
    total: int
    states: dict[int, Presence]


def read_colleagues(agent: Agent, now: dt.datetime) -> Colleagues:
    """One query for the people, one for the meetings they are in, one look into Redis."""
    team = agent.team
    others = list(Agent.objects.filter(team=team, is_active=True).exclude(pk=agent.pk)) if team else []
    known = states([agent, *others], now=now)
    others.sort(key=lambda other: known[other.pk].rank)
    return Colleagues(team, tuple(others[:MOST_COLLEAGUES]), len(others) + 1, known)


@dataclass(frozen=True)
class ChatRoom:
    """The Tchap room of one of my meetings. `url` is "" until the homeserver has made it."""

    title: str
    meeting_id: str
    url: str
    state: str
    starts_at: dt.datetime
    is_waiting: bool
    is_refused: bool


def read_rooms(agent: Agent, now: dt.datetime) -> list[ChatRoom]:
    """One query: the rooms of my meetings that run, come next or ended a while ago, nearest first."""
    rooms = (
        TchapRoom.objects.filter(
            meeting__attendees__agent=agent,
            meeting__attendees__ends_at__gt=now - AFTERWARDS,
            meeting__status="confirmed",
            meeting__wants_tchap=True,
        )
        .exclude(meeting__attendees__agent=agent, meeting__attendees__answer=Answer.DECLINED)
        .exclude(state=RoomState.CLOSED)
        .select_related("meeting")
        .annotate(url=_tchap_url(OuterRef("meeting")), starts_at=_starts_at(agent, now))
        .filter(starts_at__isnull=False)
        .order_by("starts_at", "pk")[:MOST_ROOMS]
    )
    return [
        ChatRoom(
            title=room.meeting.title,
            meeting_id=str(room.meeting.public_id),
            url=room.url,
            state=room.state,
            starts_at=room.starts_at,
            is_waiting=not room.url and room.state != RoomState.REFUSED,
            is_refused=room.state == RoomState.REFUSED,
        )
        for room in rooms
    ]


def _starts_at(agent: Agent, now: dt.datetime) -> Subquery:
    """Of the date of the agent's that goes on, comes next or ended a while ago."""
    left_out = AttendeeException.objects.filter(occurrence=OuterRef("pk"), attendee__agent=agent, removed=True)
    elsewhere = Attendee.objects.filter(
        meeting=OuterRef("meeting"), agent=agent, only_occurrence__isnull=False
    ).exclude(only_occurrence=OuterRef("pk"))
    dates = Occurrence.objects.filter(
        meeting=OuterRef("meeting"), status="confirmed", starts_at__gt=now - AFTERWARDS - LONGEST
    )
    theirs = dates.filter(~Exists(left_out), ~Exists(elsewhere), ends_at__gt=now - AFTERWARDS)
    return Subquery(theirs.order_by("starts_at").values("starts_at")[:1])


@dataclass(frozen=True)
class Facts:
    """The figures of the title line."""

    meetings: int
    this_week: int
    free: dt.timedelta


def read_facts(day: Day) -> Facts:
    """From the day already read: today's meetings and those until Sunday."""
    zone = day.now.tzinfo if isinstance(day.now.tzinfo, zoneinfo.ZoneInfo) else zoneinfo.ZoneInfo("UTC")
    sunday = day.date + dt.timedelta(days=6 - day.date.weekday())
    rest = sum(entry.starts_at.astimezone(zone).date() <= sunday for entry in day.later)
    return Facts(len(day.blocks) + len(day.whole), rest, day.free)
