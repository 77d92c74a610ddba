"""How a place in a call ends, and how it survives a lost socket: under a real daphne."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace

import pytest
from django.utils import timezone

from suite.agents.deactivation import deactivate
from suite.agents.models import Agent
from suite.live import presence
from tests import factories
from tests.processes import LivePortal
from tests.visio.rooms.sockets import Call, Caller, guest_of, here, joined, seats, signed_in
from tests.waiting import until
from visio.meetings.models import Meeting
from visio.meetings.scheduling import cancel_meeting, edit_meeting
from visio.meetings.tokens import revoke_link
from visio.rooms import calls
from visio.rooms.tickets import guest_ticket

pytestmark = pytest.mark.django_db(transaction=True)


# --- Losing the right to stay ---------------------------------------------------------------------------------------
def test_cancelling_ends_the_call_within_5_seconds(call: Call, meeting: Meeting, claire: Agent, karim: Agent) -> None:
    caller, watcher = call(karim), call(claire)
    joined(caller)
    watcher.hello()
    cancel_meeting(meeting=meeting, by=claire, now=timezone.now())
    assert caller.hear("refused", seconds=5)["code"] == "cancelled"
    assert (caller.closing(), watcher.closing(seconds=5)) == (4410, 4410)
    until(lambda: here(meeting) == [])


def test_removed_attendees_are_out_within_5_seconds(call: Call, meeting: Meeting, claire: Agent, karim: Agent) -> None:
    caller, guest, host = call(karim), call(), call(claire)
    joined(host)
    joined(caller)
    joined(guest, guest_of(meeting), name="Samir")
    occurrence = meeting.occurrences.get()
    unchanged = factories.draft(title=meeting.title, starts_at=occurrence.starts_at)
    edit_meeting(meeting=meeting, by=claire, draft=unchanged, revision=meeting.revision, now=timezone.now())
    assert caller.closing(seconds=5) == 4403
    assert guest.closing(seconds=5) == 4401
    host.hear_people("Claire Morel")


def test_signing_out_ends_the_call_within_5_seconds(call: Call, karim: Agent) -> None:
    client, other = signed_in(karim), signed_in(karim)
    caller, kept = call(client=client), call(client=other)
    joined(caller)
    joined(kept)
    client.logout()
    assert caller.closing(seconds=5) == 4401
    kept.hear_people("Karim Ouali")


def test_deactivated_agents_are_out_within_5_seconds(call: Call, karim: Agent) -> None:
    caller = call(karim)
    joined(caller)
    deactivate(agents=Agent.objects.filter(pk=karim.pk), now=timezone.now())
    assert caller.closing(seconds=5) == 4401


def test_call_entered_by_link_ends_within_5_seconds_when_its_agent_is_deactivated(
    call: Call, meeting: Meeting, karim: Agent
) -> None:
    guest = call()
    joined(guest, guest_ticket(meeting.room, meeting.attendees.get(agent=karim)), name="Karim")
    deactivate(agents=Agent.objects.filter(pk=karim.pk), now=timezone.now())
    assert guest.closing(seconds=5) == 4401
    until(lambda: here(meeting) == [])


def test_revoked_link_ends_the_guests_call_within_5_seconds(call: Call, meeting: Meeting) -> None:
    guest = call()
    joined(guest, guest_of(meeting), name="Samir")
    revoke_link(meeting.attendees.get(agent=None))
    assert guest.closing(seconds=5) == 4401


# --- Losing the socket ----------------------------------------------------------------------------------------------
def test_lost_socket_comes_back_as_the_same_participant(
    call: Call, meeting: Meeting, claire: Agent, karim: Agent
) -> None:
    host, watcher = call(claire), call(karim)
    watcher.hello()
    host.hello()
    first = host.join()
    [before] = watcher.hear_people("Claire Morel")
    host.vanish()
    again = call(claire)
    again.hello()
    second = again.join(seat=first["seat"])
    assert second["ticket"]["participant"] == first["ticket"]["participant"]
    assert [replace(person, connection="").public() for person in here(meeting)] == [before]
    # The old socket's end, whenever the server notices it, changes nothing.
    again.say("ping")
    again.hear("pong")
    assert [person.id for person in here(meeting)] == [before["id"]]


def test_somebody_whose_socket_was_lost_is_gone_within_70_seconds(call: Call, claire: Agent, karim: Agent) -> None:
    host, watcher = call(claire), call(karim)
    joined(watcher)
    joined(host)
    watcher.hear_people("Karim Ouali", "Claire Morel")
    host.vanish()
    watcher.hear_people("Karim Ouali", seconds=70)
    until(lambda: presence.states([claire], now=timezone.now())[claire.pk].state == "offline")


def test_second_socket_with_the_same_seat_takes_over(call: Call, claire: Agent) -> None:
    host, again = call(claire), call(claire)
    host.hello()
    seat = host.join()["seat"]
    again.hello()
    again.join(seat=seat)
    assert host.closing() == 4409


def test_socket_whose_seat_was_taken_elsewhere_ends_at_its_next_beat(
    call: Call, meeting: Meeting, claire: Agent
) -> None:
    host = call(claire)
    joined(host)
    [seat] = seats(meeting)
    # The word of it was lost: only Redis knows.
    calls.enter(participant=replace(seat, connection="another"), capacity=6, now=timezone.now())
    assert host.closing(seconds=calls.BEAT_SECONDS + 5) == 4409
    assert [person.connection for person in seats(meeting)] == ["another"]


def test_somebody_elses_seat_is_worth_nothing(call: Call, claire: Agent, karim: Agent) -> None:
    host, thief = call(claire), call(karim)
    host.hello()
    taken = host.join()
    thief.hello()
    assert thief.join(seat=taken["seat"])["ticket"]["participant"] != taken["ticket"]["participant"]
    thief.say("ping")
    thief.hear("pong")
    host.say("ping")
    host.hear("pong")


def test_people_of_a_killed_server_are_gone_within_70_seconds(
    start_portal: Callable[..., LivePortal], meeting: Meeting, claire: Agent
) -> None:
    portal = start_portal()
    caller = Caller(portal.url, meeting.room.slug, agent=claire)
    joined(caller)
    portal.kill()
    assert [person.name for person in here(meeting)] == ["Claire Morel"]
    later = timezone.now() + dt.timedelta(seconds=70)
    assert calls.people_in_rooms([meeting.room.pk], now=later)[meeting.room.pk] == []


def test_seat_is_taken_again_after_redis_was_emptied(call: Call, meeting: Meeting, claire: Agent, redis_client) -> None:
    caller = call(claire)
    joined(caller)
    redis_client.flushall()
    assert here(meeting) == []
    until(lambda: [person.name for person in here(meeting)] == ["Claire Morel"], calls.BEAT_SECONDS + 5)
