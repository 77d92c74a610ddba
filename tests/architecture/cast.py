"""The people and things that every address is asked about."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.test import Client
from django.urls import reverse

from suite.agents.models import Agent, Team
from suite.agents.time_models import Delegation
from tests.architecture.table import MEETING, PLACE, POLL, POLL_ORGANISER, TEAM
from tests.visio.exchange.files import calendar, timed
from visio.exchange.models import CalendarImport
from visio.meetings.exception_models import CounterProposal
from visio.meetings.models import Attendee, Meeting
from visio.meetings.tokens import link_token
from visio.places.models import Resource, ResourceBooking
from visio.polls.models import Poll, PollParticipant


@dataclass
class Cast:
    """The people of one play; `meeting` is private to organiser and guest, `team` is managed by the manager."""

    organiser: Agent
    guest: Agent
    colleague: Agent
    outsider: Agent
    manager: Agent
    meeting: Meeting
    poll: Poll
    team: Team
    place: Resource

    def client(self, role: str) -> Client:
        client = Client(raise_request_exception=True)
        if role != "nobody":
            client.force_login(getattr(self, role), backend="suite.agents.login.ProConnectBackend")
        return client

    def path(self, name: str, pattern: str) -> str:
        """The address of `name` for this meeting and team."""
        guest = Attendee.objects.get(meeting=self.meeting, agent=self.guest)
        values: dict[str, Any] = {
            "public_id": self.poll.public_id
            if name in POLL | POLL_ORGANISER
            else self.place.public_id
            if name in PLACE
            else self.meeting.public_id,
            "slug": self.meeting.room.slug if self.meeting.room else "",
            "token": link_token(guest),
            "key": "only" if name in MEETING else self.poll.options.all()[0].key,
            "piece": "resultats",
            "token_id": 1,
            "counter_id": self.counter().public_id,
            "leave_id": 1,
            "feed_id": 1,
            "import_id": self.kept_file().public_id,
            "delegation_id": self.delegation().pk,
            "reminder_id": 1,
            "part": "invitations",
            "transaction_id": "1",
            "user_id": "@visio-x:tchap.localhost",
            "alias": "#visio-x:tchap.localhost",
        }
        names = [
            piece.split(":")[-1].rstrip(">") for piece in pattern.split("<")[1:] for piece in [piece.split(">")[0]]
        ]
        path = reverse(name, kwargs={key: values[key] for key in names})
        return f"{path}?equipe={self.team.public_id}" if name in TEAM else path

    def counter(self) -> CounterProposal:
        """Another time that the guest proposes, which waits for the organiser."""
        guest = Attendee.objects.get(meeting=self.meeting, agent=self.guest)
        day = self.meeting.occurrences.get().starts_at + dt.timedelta(days=1)
        made, _new = CounterProposal.objects.get_or_create(
            meeting=self.meeting,
            attendee=guest,
            defaults={"starts_at": day, "ends_at": day + dt.timedelta(hours=1), "revision": 1, "via": "portal"},
        )
        return made

    def delegation(self) -> Delegation:
        """What the outsider lets a colleague of theirs do."""
        return Delegation.objects.get(principal=self.outsider)

    def kept_file(self) -> CalendarImport:
        """A calendar file of the outsider's."""
        content = calendar(timed())
        return CalendarImport.objects.filter(agent=self.outsider).first() or CalendarImport.objects.create(
            agent=self.outsider, content=content
        )

    def state(self) -> list[Any]:
        """All that a stranger could have changed."""
        meetings = Meeting.objects.order_by("pk").values_list("pk", "revision", "status", "title")
        attendees = Attendee.objects.order_by("pk").values_list("pk", "answer", "link_hash")
        bookings = ResourceBooking.objects.order_by("pk").values_list("pk", "status")
        polls = Poll.objects.order_by("pk").values_list("pk", "status", "title", "changed_at")
        asked = PollParticipant.objects.order_by("pk").values_list("pk", "answered_at", "reminded_at", "link_hash")
        delegations = Delegation.objects.order_by("pk").values_list("pk", "sees_private")
        return [*polls, *asked, *meetings, *attendees, *bookings, *delegations]
