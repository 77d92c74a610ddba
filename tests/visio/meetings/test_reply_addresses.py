"""An attendee's calendar answers to an address that nobody can guess."""

from __future__ import annotations

from typing import Any

import pytest

from tests import factories
from visio.meetings.models import Attendee
from visio.meetings.reply_addresses import attendee_by_reply_address, reply_address

pytestmark = pytest.mark.django_db
EXT = "anne@partenaire.example"


@pytest.fixture
def attendee(settings: Any) -> Attendee:
    settings.REPLY_DOMAIN = "reponses.portail.example"
    return factories.meeting(guests=[EXT]).attendees.get(email=EXT)


def test_there_and_back(attendee: Attendee) -> None:
    address = reply_address(attendee)
    assert attendee_by_reply_address(address) == attendee
    assert attendee_by_reply_address(f"Anne <{address.upper()}>") == attendee
    assert reply_address(attendee) == address
    local_part = address.split("@")[0]
    assert local_part.startswith("r+")
    assert len(local_part) <= 64


def test_each_attendee_has_their_own(attendee: Attendee) -> None:
    assert len({reply_address(one) for one in attendee.meeting.attendees.all()}) == 2


def test_an_address_that_was_not_given_out_opens_nothing(attendee: Attendee) -> None:
    address = reply_address(attendee)
    other = reply_address(attendee.meeting.attendees.exclude(pk=attendee.pk).get())
    local_part, _at, domain = address.partition("@")
    swapped = "a" if local_part[-2] != "a" else "b"
    for wrong in (
        "",
        "anne@reponses.portail.example",
        f"{local_part}@ailleurs.example",
        f"{local_part[:-2]}{swapped}{local_part[-1]}@{domain}",
        f"{local_part.split('.')[0]}.{other.split('@')[0].split('.')[1]}@{domain}",
    ):
        assert attendee_by_reply_address(wrong) is None, wrong


def test_it_outlives_a_change_of_key(attendee: Attendee, settings: Any) -> None:
    address = reply_address(attendee)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-key-for-this-test"
    assert attendee_by_reply_address(address) == attendee
    settings.SECRET_KEY_FALLBACKS = []
    assert attendee_by_reply_address(address) is None


def test_without_a_domain_there_is_none(attendee: Attendee, settings: Any) -> None:
    address = reply_address(attendee)
    settings.REPLY_DOMAIN = ""
    assert reply_address(attendee) == ""
    assert attendee_by_reply_address(address) is None
