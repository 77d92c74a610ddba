"""Whoever was invited by address before their first sign-in finds those meetings in the portal."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from suite.agents.login import SignInRefused, agent_from_claims
from suite.agents.models import Agent, Organisation
from tests import factories
from visio.meetings.answers import answer
from visio.meetings.models import OPEN_END, Answer, Attendee, Delivery, Meeting
from visio.meetings.scheduling import cancel_meeting

pytestmark = pytest.mark.django_db
NEW = "lea.nguyen@dinum.example"


@pytest.fixture
def dinum() -> Organisation:
    return factories.organisation("DINUM", siret="13002526500013")


def sign_in(**changes: Any) -> Agent:
    """What happens once ProConnect has said who it is."""
    claims = {
        "sub": "lea",
        "email": "Lea.Nguyen@dinum.example",
        "siret": "13002526500013",
        "given_name": "Léa",
        "usual_name": "Nguyen",
        **changes,
    }
    return agent_from_claims(claims, expected_sub="lea")


def people(meeting: Meeting) -> set[tuple[str, int | None, str]]:
    return set(meeting.attendees.exclude(role="chair").values_list("email", "agent", "answer"))


def test_the_first_sign_in_finds_the_invitations_on_the_dashboard(client: Client, dinum: Organisation) -> None:
    meeting = factories.meeting(guests=[NEW, "autre@ailleurs.example"], title="Comité des usagers")
    guest = meeting.attendees.get(email=NEW)
    agent = sign_in()
    client.force_login(agent)

    page = client.get(reverse("portal:dashboard")).content.decode()

    assert "Comité des usagers" in page
    assert client.get(reverse("meetings:detail", args=[meeting.public_id])).status_code == 200
    assert people(meeting) == {
        (NEW, agent.pk, "needs_action"),
        ("autre@ailleurs.example", None, "needs_action"),
    }
    adopted = meeting.attendees.get(email=NEW)
    assert (adopted.pk, adopted.link_hash) == (guest.pk, guest.link_hash), "the link in the e-mail still opens"
    assert (adopted.starts_at, adopted.ends_at) == (guest.starts_at, guest.ends_at)


def test_an_answer_given_as_a_guest_stays(dinum: Organisation) -> None:
    meeting = factories.meeting(guests=[NEW])
    answer(attendee=meeting.attendees.get(email=NEW), answer="accepted", via="page", now=timezone.now())

    agent = sign_in()

    assert people(meeting) == {(NEW, agent.pk, "accepted")}


def test_a_series_without_end_is_found_too(dinum: Organisation) -> None:
    meeting = factories.meeting(guests=[NEW])
    meeting.attendees.update(is_series=True, starts_at=timezone.now() - dt.timedelta(days=300), ends_at=OPEN_END)

    assert meeting.attendees.get(agent=sign_in()).email == NEW


def test_what_is_over_or_cancelled_is_left_alone(dinum: Organisation) -> None:
    now = timezone.now()
    over = factories.meeting(guests=[NEW], starts_at=now - dt.timedelta(days=2), now=now - dt.timedelta(days=3))
    cancelled = factories.meeting(guests=[NEW])
    cancel_meeting(meeting=cancelled, by=cancelled.organiser, now=now)

    sign_in()

    for meeting in (over, cancelled):
        assert {agent for _email, agent, _answer in people(meeting)} == {None}


def test_one_that_goes_on_right_now_is_found(dinum: Organisation) -> None:
    now = timezone.now()
    meeting = factories.meeting(
        guests=[NEW], starts_at=now - dt.timedelta(minutes=10), now=now - dt.timedelta(days=1), minutes=14 * 24 * 60
    )

    assert meeting.attendees.filter(agent=sign_in()).exists()


def test_a_new_address_finds_what_was_sent_to_it(dinum: Organisation) -> None:
    agent = factories.agent("Léa", "Nguyen", sub="lea", email="ancienne@dinum.example", organisation=dinum)
    meeting = factories.meeting(guests=[NEW])

    sign_in()

    assert people(meeting) == {(NEW, agent.pk, "needs_action")}


@pytest.mark.parametrize(
    ("as_agent", "as_guest", "kept"),
    [
        ("needs_action", "needs_action", "needs_action"),
        ("needs_action", "declined", "declined"),
        ("accepted", "needs_action", "accepted"),
        ("accepted", "declined", "accepted"),
    ],
)
def test_invited_twice_they_come_once(dinum: Organisation, as_agent: str, as_guest: str, kept: str) -> None:
    """The agent's own place is kept, with the answer given on either; the mail goes on to the new address."""
    agent = factories.agent("Léa", "Nguyen", sub="lea", email="ancienne@dinum.example", organisation=dinum)
    meeting = factories.meeting(guests=[agent, NEW])
    own, guest = meeting.attendees.get(agent=agent), meeting.attendees.get(email=NEW)
    for attendee, said in ((own, as_agent), (guest, as_guest)):
        if said != Answer.NEEDS_ACTION:
            answer(attendee=attendee, answer=said, via="portal", now=timezone.now())

    sign_in()

    assert people(meeting) == {(NEW, agent.pk, kept)}
    assert meeting.attendees.get(agent=agent).pk == own.pk
    assert set(Delivery.objects.filter(meeting=meeting).values_list("attendee", flat=True)) == {own.pk}


def test_the_organiser_invited_at_their_new_address_stays_the_organiser(dinum: Organisation) -> None:
    agent = factories.agent("Léa", "Nguyen", sub="lea", email="ancienne@dinum.example", organisation=dinum)
    meeting = factories.meeting(agent, guests=[NEW])

    sign_in()

    [place] = meeting.attendees.values_list("agent", "role", "answer")
    assert place == (agent.pk, "chair", "accepted")


def test_a_guest_of_the_whole_series_who_was_an_agent_of_one_date_comes_to_all(dinum: Organisation) -> None:
    agent = factories.agent("Léa", "Nguyen", sub="lea", email="ancienne@dinum.example", organisation=dinum)
    meeting = factories.meeting(guests=[agent, NEW])
    hull = (timezone.now() + dt.timedelta(days=1), OPEN_END)
    meeting.attendees.filter(agent=agent).update(only_occurrence=meeting.occurrences.get())
    meeting.attendees.filter(email=NEW).update(is_series=True, starts_at=hull[0], ends_at=hull[1])

    sign_in()

    own = meeting.attendees.get(agent=agent)
    assert (own.only_occurrence, own.is_series, own.starts_at, own.ends_at) == (None, True, *hull)


def test_an_address_that_the_provider_has_not_verified_finds_nothing(dinum: Organisation) -> None:
    meeting = factories.meeting(guests=[NEW])
    sign_in(email_verified=False)

    assert people(meeting) == {(NEW, None, "needs_action")}


def test_an_account_made_without_the_provider_finds_nothing(dinum: Organisation) -> None:
    meeting = factories.meeting(guests=[NEW])
    factories.agent("Léa", "Nguyen", email=NEW, organisation=dinum)

    assert people(meeting) == {(NEW, None, "needs_action")}


def test_a_refused_sign_in_finds_nothing(dinum: Organisation) -> None:
    factories.agent(sub="someone-else", email=NEW, organisation=dinum)
    meeting = factories.meeting(guests=[NEW])
    with pytest.raises(SignInRefused):
        sign_in()
    assert people(meeting) == {(NEW, None, "needs_action")}


def test_their_tchap_room_is_owed_again(dinum: Organisation) -> None:
    """They may be a member now."""
    meeting = factories.meeting(guests=[NEW])
    before = meeting.tchap_room.wanted

    sign_in()

    meeting.tchap_room.refresh_from_db()
    assert meeting.tchap_room.wanted == before + 1


def test_a_thousand_other_guests_cost_nothing(dinum: Organisation, django_assert_max_num_queries: Any) -> None:
    sign_in()
    for number in range(3):
        factories.meeting(guests=["lea.neuve@dinum.example", f"autre{number}@ailleurs.example"])
    with django_assert_max_num_queries(4 + 5 + 3 * 10):
        sign_in(email="lea.neuve@dinum.example")
    assert Attendee.objects.filter(agent__sub="lea").count() == 3
