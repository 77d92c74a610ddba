"""visio's own facts -> Celery's doorbell and the sockets."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils import timezone

from suite.agents.events import AddressProven
from suite.agents.models import Agent, Team
from suite.core import doorbell
from suite.core.events import subscribe
from suite.live import push
from visio.events import (
    AttendeeAnswered,
    AttendeesRemoved,
    BookingsDecided,
    CallChanged,
    CallEnded,
    CallStarted,
    CounterDecided,
    CounterProposed,
    DeliveriesProgressed,
    LinkAttached,
    MeetingCancelled,
    MeetingChanged,
    MeetingScheduled,
    ReplyReceived,
)
from visio.meetings.adoption import adopt_invitations
from visio.meetings.booking_news import remember_decision
from visio.meetings.models import Attendee, Meeting
from visio.meetings.tasks import deliver_invitations
from visio.polls import news as poll_news
from visio.rooms import news

MeetingFact = (
    MeetingScheduled
    | MeetingChanged
    | MeetingCancelled
    | AttendeeAnswered
    | LinkAttached
    | CounterProposed
    | CounterDecided
) | BookingsDecided
CallFact = CallStarted | CallChanged | CallEnded


def connect() -> None:
    """Subscribe; called once at start-up."""
    subscribe(AddressProven, _adopt, inside=True)
    subscribe(MeetingScheduled, _ring)
    subscribe(MeetingScheduled, _nudge_attendees)
    subscribe(MeetingChanged, _ring)
    subscribe(MeetingChanged, _nudge_attendees)
    subscribe(MeetingChanged, _check_access)
    subscribe(MeetingCancelled, _ring)
    subscribe(MeetingCancelled, _nudge_attendees)
    subscribe(MeetingCancelled, _check_access)
    subscribe(AttendeesRemoved, _nudge_removed)
    subscribe(AttendeeAnswered, _nudge_attendees)
    subscribe(LinkAttached, _nudge_attendees)
    subscribe(CounterProposed, _nudge_attendees)
    subscribe(CounterDecided, _nudge_attendees)
    subscribe(CounterDecided, _ring)
    subscribe(BookingsDecided, remember_decision, inside=True)
    subscribe(BookingsDecided, _nudge_attendees)
    subscribe(DeliveriesProgressed, _nudge_ledger)
    subscribe(ReplyReceived, _nudge_ledger)
    subscribe(CallStarted, _nudge_call)
    subscribe(CallChanged, _nudge_call)
    subscribe(CallEnded, _nudge_call)
    news.connect()
    poll_news.connect()


def _adopt(fact: AddressProven) -> None:
    adopt_invitations(agent=Agent.objects.get(pk=fact.agent_id), now=timezone.now())


def _ring(fact: MeetingScheduled | MeetingChanged | MeetingCancelled | CounterDecided) -> None:
    doorbell.ring(deliver_invitations)


def _nudge_attendees(fact: MeetingFact) -> None:
    agents = _agents_of(fact.meeting_id)
    _nudge(agents, fact.meeting_id)
    _nudge_managers(agents)


def _check_access(fact: MeetingChanged | MeetingCancelled) -> None:
    news.check_access(fact.meeting_id)


def _nudge_removed(fact: AttendeesRemoved) -> None:
    _nudge(fact.agent_ids, fact.meeting_id)
    _nudge_managers(fact.agent_ids)


def _nudge_ledger(fact: DeliveriesProgressed | ReplyReceived) -> None:
    """The ledger stands on the meeting's page alone; dashboards are left in peace."""
    _nudge_page(_agents_of(fact.meeting_id), fact.meeting_id)


def _nudge_call(fact: CallFact) -> None:
    """Who is in a room: the call's own sockets, dashboards, and the meeting's page of every attendee."""
    news.tell_call(fact.room_id)
    for meeting_id in Meeting.objects.filter(room=fact.room_id).values_list("pk", flat=True):
        _nudge(_agents_of(meeting_id), meeting_id)


def _nudge(agent_ids: Iterable[int], meeting_id: int) -> None:
    agents = list(agent_ids)
    push.nudge(agents, "meetings")
    _nudge_page(agents, meeting_id)


def _nudge_page(agent_ids: Iterable[int], meeting_id: int) -> None:
    """The meeting's own page; a meeting that was deleted since the fact has none left."""
    public_id = Meeting.objects.filter(pk=meeting_id).values_list("public_id", flat=True).first()
    if public_id is not None:
        push.nudge(agent_ids, f"meeting:{public_id}")


def _nudge_managers(agent_ids: Iterable[int]) -> None:
    """Whoever manages a team of these agents may have its week open (visio.calendars.team)."""
    managed = Team.objects.filter(members__in=list(agent_ids)).order_by()
    push.nudge(managed.values_list("managers", flat=True).exclude(managers=None).distinct(), "meetings")


def _agents_of(meeting_id: int) -> list[int]:
    agents = Attendee.objects.filter(meeting=meeting_id, agent__isnull=False).order_by()
    return [agent_id for agent_id in agents.values_list("agent_id", flat=True) if agent_id is not None]
