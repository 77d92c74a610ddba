import base64
import datetime as dt
from typing import Any

import pytest

from tests import factories
from visio.meetings.models import Attendee
from visio.meetings.tokens import attendee_by_token, guest_join_url, link_token, new_link, revoke_link, rsvp_url

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)
START = dt.datetime(2026, 11, 24, 13, 0, tzinfo=dt.UTC)


@pytest.fixture
def guest() -> Attendee:
    return factories.meeting(guests=["ext@partenaire.example"], now=NOW, starts_at=START).attendees.get(agent=None)


def test_a_token_carries_at_least_128_bits_and_is_not_kept(guest: Attendee) -> None:
    token = link_token(guest)
    assert len(base64.urlsafe_b64decode(token)) * 8 >= 128
    assert token not in (guest.link_nonce, guest.link_hash)
    assert len({new_link() for _ in range(100)}) == 100


def test_the_token_leads_to_its_attendee_alone(guest: Attendee) -> None:
    assert attendee_by_token(link_token(guest), now=NOW) == guest
    for wrong in ("", "x", guest.link_hash, guest.link_nonce, link_token(guest)[:-1] + "_"):
        assert attendee_by_token(wrong, now=NOW) is None


def test_the_link_survives_a_move_and_expires_thirty_days_after_the_end(guest: Attendee) -> None:
    token, end = link_token(guest), START + dt.timedelta(hours=1)
    assert attendee_by_token(token, now=end + dt.timedelta(days=29)) == guest
    assert attendee_by_token(token, now=end + dt.timedelta(days=30)) is None
    Attendee.objects.filter(pk=guest.pk).update(ends_at=end + dt.timedelta(days=7))
    assert attendee_by_token(token, now=end + dt.timedelta(days=30)) == guest


def test_a_revoked_link_is_dead_and_the_next_one_works(guest: Attendee) -> None:
    old = link_token(guest)
    revoke_link(guest)
    assert attendee_by_token(old, now=NOW) is None
    assert attendee_by_token(link_token(guest), now=NOW) == guest


def test_links_survive_a_rotation_of_the_key_through_the_fallbacks(guest: Attendee, settings: Any) -> None:
    old, before = link_token(guest), settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another key", [before]
    assert link_token(guest) == old
    settings.SECRET_KEY_FALLBACKS = []
    fresh = link_token(guest)
    assert fresh != old
    assert attendee_by_token(fresh, now=NOW) == guest


def test_the_addresses(guest: Attendee, settings: Any) -> None:
    token = link_token(guest)
    assert rsvp_url(guest) == f"{settings.PORTAL_URL}/invitation/{token}/"
    assert guest_join_url(guest) == f"{settings.PORTAL_URL}/invitation/{token}/rejoindre/"


def test_r16_reading_a_link_changes_nothing(guest: Attendee) -> None:
    before = Attendee.objects.values().get(pk=guest.pk)
    attendee_by_token(link_token(guest), now=NOW)
    assert Attendee.objects.values().get(pk=guest.pk) == before
