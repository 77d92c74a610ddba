"""What somebody sends who does not use the pages' own fields: refused or read as nothing, never an error of the server."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from tests import factories
from visio.meetings.models import Answer, Attendee
from visio.meetings.tokens import link_token

pytestmark = pytest.mark.django_db
NEVER_SEEN = ["-1", "0", "-99999999999999999999", "99999999999999999999"]


@pytest.fixture
def guest() -> Attendee:
    agent = factories.agent()
    return factories.meeting(guests=[agent]).attendees.get(agent=agent)


@pytest.mark.parametrize("revision", NEVER_SEEN)
def test_an_answer_to_a_version_nobody_saw_is_one_to_this_version(
    client: Client, guest: Attendee, revision: str
) -> None:
    given = {"answer": "accepted", "revision": revision}
    assert client.post(f"/invitation/{link_token(guest)}/", given).status_code == 302
    guest.refresh_from_db()
    assert (guest.answer, guest.answered_revision) == (Answer.ACCEPTED, 1)


@pytest.mark.parametrize("revision", NEVER_SEEN)
def test_the_same_from_the_portal(client: Client, guest: Attendee, revision: str) -> None:
    assert guest.agent is not None
    client.force_login(guest.agent)
    address = reverse("meetings:answer", args=[guest.meeting.public_id])
    assert client.post(address, {"answer": "accepted", "revision": revision}).status_code == 302
    guest.refresh_from_db()
    assert (guest.answer, guest.answered_revision) == (Answer.ACCEPTED, 1)


def test_the_zone_asked_for_survives_the_answer(client: Client, guest: Attendee) -> None:
    page = f"/invitation/{link_token(guest)}/"
    answered = client.post(f"{page}?fuseau=Etc/GMT%2B5", {"answer": "accepted"})
    assert client.get(answered["Location"]).context["zone"] == "Etc/GMT+5"


def test_the_directory_is_asked_for_a_name_with_nul(client: Client) -> None:
    client.force_login(factories.agent())
    assert client.get(reverse("meetings:directory"), {"q": "ab\x00c"}).status_code == 200


@pytest.mark.parametrize("date", ["9999-12-31", "0001-01-01"])
def test_planning_at_the_end_of_time_begins_with_today(client: Client, date: str) -> None:
    client.force_login(factories.agent())
    page = client.get(reverse("meetings:plan"), {"date": date, "start": "23:59"})
    assert page.status_code == 200
    assert page.context["form"].value_of("date") != date
