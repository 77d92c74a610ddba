"""Who may enter a room: the rule, over every combination, and what is read for it."""

import itertools
from dataclasses import asdict

import pytest
from django.utils import timezone

from tests import factories
from visio.meetings.scheduling import cancel_meeting, start_instant_meeting
from visio.rooms.access import Admission, Refusal, Role, Standing, decide, may_enter
from visio.rooms.models import Room

FACTS = list(asdict(Standing()))
EVERY_STANDING = [
    Standing(**dict(zip(FACTS, values, strict=True)))
    for values in itertools.product([False, True], repeat=len(FACTS))
    if not (values[FACTS.index("organiser")] and not values[FACTS.index("signed_in")])
]


@pytest.mark.parametrize("standing", EVERY_STANDING)
def test_is_let_in_exactly_when_known_and_the_room_is_open(standing: Standing) -> None:
    known = standing.organiser or standing.holds_link or (standing.signed_in and (standing.invited or standing.trusted))
    here = not standing.other_date or standing.organiser or (standing.signed_in and standing.trusted)
    assert decide(standing).allowed == (known and here and not standing.closed and not standing.cancelled)


@pytest.mark.parametrize("standing", EVERY_STANDING)
def test_strangers_never_learn_what_became_of_the_meeting(standing: Standing) -> None:
    admission = decide(standing)
    if admission.refusal in (Refusal.CANCELLED, Refusal.CLOSED):
        assert decide(Standing(**{**asdict(standing), "closed": False, "cancelled": False})).allowed


@pytest.mark.parametrize("standing", EVERY_STANDING)
def test_always_a_role_or_a_refusal(standing: Standing) -> None:
    admission = decide(standing)
    assert (admission.role is None) != (admission.refusal is None)


def room_of(meeting) -> Room:
    return Room.objects.get(meeting=meeting)


@pytest.mark.django_db
def test_organiser_attendee_and_stranger() -> None:
    organiser, guest, stranger = factories.agent(), factories.agent(), factories.agent()
    room = room_of(factories.meeting(organiser, guests=[guest]))
    assert may_enter(room, organiser, None) == Admission(role=Role.HOST)
    assert may_enter(room, guest, None) == Admission(role=Role.AGENT)
    assert may_enter(room, stranger, None) == Admission(refusal=Refusal.NOT_INVITED)
    assert may_enter(room, None, None) == Admission(refusal=Refusal.SIGN_IN)


@pytest.mark.django_db
def test_inactive_agents_are_nobody() -> None:
    organiser = factories.agent()
    room = room_of(factories.meeting(organiser))
    organiser.is_active = False
    assert may_enter(room, organiser, None) == Admission(refusal=Refusal.SIGN_IN)


@pytest.mark.django_db
def test_trusted_room_lets_any_agent_in_but_nobody_else() -> None:
    room = room_of(start_instant_meeting(by=factories.agent(), now=timezone.now()))
    assert may_enter(room, factories.agent(), None) == Admission(role=Role.AGENT)
    assert may_enter(room, None, None) == Admission(refusal=Refusal.SIGN_IN)


@pytest.mark.django_db
def test_link_opens_its_own_meeting_only() -> None:
    meeting = factories.meeting(guests=["samir@exterieur.example"])
    other = factories.meeting()
    attendee = meeting.attendees.get(agent=None)
    assert may_enter(room_of(meeting), None, attendee) == Admission(role=Role.GUEST)
    assert may_enter(room_of(other), None, attendee) == Admission(refusal=Refusal.SIGN_IN)


@pytest.mark.django_db
def test_link_of_somebody_who_has_left_opens_nothing() -> None:
    leaver = factories.agent()
    meeting = factories.meeting(guests=[leaver])
    attendee = meeting.attendees.get(agent=leaver)
    assert may_enter(room_of(meeting), None, attendee) == Admission(role=Role.GUEST)
    attendee.agent.is_active = False
    assert may_enter(room_of(meeting), None, attendee) == Admission(refusal=Refusal.SIGN_IN)


@pytest.mark.django_db
def test_cancelled_and_closed() -> None:
    organiser = factories.agent()
    meeting = factories.meeting(organiser)
    room = room_of(meeting)
    room.closed_at = timezone.now()
    assert may_enter(room, organiser, None) == Admission(refusal=Refusal.CLOSED)
    cancel_meeting(meeting=meeting, by=organiser, now=timezone.now())
    assert may_enter(room_of(meeting), organiser, None) == Admission(refusal=Refusal.CANCELLED)


@pytest.mark.django_db
def test_room_without_a_meeting_is_closed() -> None:
    room = Room.objects.create()
    assert may_enter(room, factories.agent(), None) == Admission(refusal=Refusal.CLOSED)
    assert may_enter(room, None, None) == Admission(refusal=Refusal.SIGN_IN)


@pytest.mark.django_db
def test_two_queries_at_most(django_assert_max_num_queries) -> None:
    guest = factories.agent()
    meeting = factories.meeting(guests=[guest])
    room = room_of(meeting)
    with django_assert_max_num_queries(2):
        may_enter(room, guest, None)
