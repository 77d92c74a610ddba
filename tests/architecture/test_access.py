"""Every address × method × role × organisation, generated from the URL resolver: an address that is not in the table fails."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from suite.agents.delegation import grant
from tests import factories
from tests.architecture.cast import Cast
from tests.architecture.table import (
    API,
    MEETING,
    ORGANISER,
    OWN,
    POLL,
    POLL_ORGANISER,
    PUBLIC,
    SECRET,
    TABLE,
)
from tests.visio.polls.asking import poll
from visio.places.models import Resource

pytestmark = pytest.mark.django_db
METHODS = ("get", "head", "post", "put", "patch", "delete")


@pytest.fixture
def cast() -> Cast:
    home = factories.organisation()
    organiser, guest, colleague, manager = (factories.agent(organisation=home) for _index in range(4))
    place = Resource.objects.create(organisation=home, name="Salle du conseil", needs_approval=True)
    outsider = factories.agent()
    grant(principal=outsider, delegate=factories.agent(organisation=outsider.organisation))
    return Cast(
        organiser=organiser,
        guest=guest,
        colleague=colleague,
        outsider=outsider,
        manager=manager,
        meeting=factories.meeting(organiser, guests=[guest, "x@ext.example"], resources=(place.pk,)),
        place=place,
        poll=poll(organiser, [guest, "x@ext.example"]),
        team=factories.team(organisation=home, managers=[manager], members=[organiser, guest, colleague]),
    )


def addresses(
    patterns: list[URLPattern | URLResolver] | None = None, prefix: str = "", namespace: str = ""
) -> Iterator[tuple[str, str]]:
    """(name, route) of every address but the admin's, which has its own test."""
    for entry in get_resolver().url_patterns if patterns is None else patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            if route != "admin/":
                inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
                yield from addresses(entry.url_patterns, route, inner)
        else:
            yield namespace + str(entry.name), route


ADDRESSES = sorted(addresses())


def test_the_table_names_every_address_and_no_other() -> None:
    assert {name for name, _route in ADDRESSES} == TABLE


def ask(client: Client, method: str, path: str) -> Any:
    return getattr(client, method)(path)


@pytest.mark.parametrize(("name", "route"), [pair for pair in ADDRESSES if pair[0] in TABLE - PUBLIC - SECRET])
def test_nobody_is_sent_to_sign_in(cast: Cast, name: str, route: str) -> None:
    before = cast.state()
    path = cast.path(name, route)
    for method in METHODS:
        answer = ask(cast.client("nobody"), method, path)
        if name in API:
            assert answer.status_code in {401, 403, 405}, (method, path)
        else:
            assert answer.status_code == 302, (method, path)
            assert answer["Location"].startswith(reverse("portal:sign_in")), (method, path)
    assert cast.state() == before


@pytest.mark.parametrize("role", ["colleague", "outsider", "manager"])
@pytest.mark.parametrize(
    ("name", "route"), [pair for pair in ADDRESSES if pair[0] in MEETING | ORGANISER | POLL | POLL_ORGANISER]
)
def test_who_is_not_of_a_meeting_gets_404_and_changes_nothing(cast: Cast, name: str, route: str, role: str) -> None:
    before = cast.state()
    path = cast.path(name, route)
    seen = {method: ask(cast.client(role), method, path).status_code for method in METHODS}
    assert set(seen.values()) <= {404, 405}, seen
    assert 404 in seen.values()
    assert cast.state() == before


@pytest.mark.parametrize("role", ["organiser", "guest"])
@pytest.mark.parametrize(("name", "route"), [pair for pair in ADDRESSES if pair[0] in POLL])
def test_the_people_of_a_poll_are_let_in(cast: Cast, name: str, route: str, role: str) -> None:
    path = cast.path(name, route)
    assert cast.client(role).get(path).status_code in {200, 405}
    if (name, role) != ("polls:answer", "organiser"):  # who organises is not asked
        assert cast.client(role).post(path).status_code != 404


@pytest.mark.parametrize(("name", "route"), [pair for pair in ADDRESSES if pair[0] in POLL_ORGANISER])
def test_who_is_asked_does_not_do_what_is_the_organisers(cast: Cast, name: str, route: str) -> None:
    before = cast.state()
    path = cast.path(name, route)
    seen = {method: ask(cast.client("guest"), method, path).status_code for method in METHODS}
    assert set(seen.values()) <= {403, 405}, seen
    assert cast.state() == before


@pytest.mark.parametrize("role", ["organiser", "guest"])
@pytest.mark.parametrize(("name", "route"), [pair for pair in ADDRESSES if pair[0] in MEETING])
def test_the_people_of_a_meeting_are_let_in(cast: Cast, name: str, route: str, role: str) -> None:
    path = cast.path(name, route)
    assert cast.client(role).get(path).status_code in {200, 405}
    # Who organises is coming: there is nothing to answer or to propose.
    if (name, role) not in {("meetings:answer", "organiser"), ("meetings:propose", "organiser")}:
        assert cast.client(role).post(path).status_code != 404


@pytest.mark.parametrize(("name", "route"), [pair for pair in ADDRESSES if pair[0] in ORGANISER])
def test_a_guest_does_not_do_what_is_the_organisers(cast: Cast, name: str, route: str) -> None:
    before = cast.state()
    path = cast.path(name, route)
    seen = {method: ask(cast.client("guest"), method, path).status_code for method in METHODS}
    assert set(seen.values()) <= {403, 404, 405}, seen
    assert cast.state() == before


@pytest.mark.parametrize(
    ("role", "status"), [("organiser", 200), ("guest", 200), ("colleague", 403), ("outsider", 403), ("manager", 403)]
)
def test_a_restricted_room_opens_for_the_people_of_its_meeting(cast: Cast, role: str, status: int) -> None:
    answer = cast.client(role).get(cast.path("rooms:room", "visio/<slug:slug>/"))
    assert answer.status_code == status
    # Whoever has found a code learns that they are not invited, and nothing of the meeting.
    assert (cast.meeting.title in answer.content.decode()) is (status == 200)


@pytest.mark.parametrize(
    ("role", "status"), [("organiser", 200), ("guest", 200), ("colleague", 200), ("manager", 200), ("outsider", 404)]
)
def test_a_room_shows_its_week_to_its_own_organisation(cast: Cast, role: str, status: int) -> None:
    answer = cast.client(role).get(cast.path("places:room", dict(ADDRESSES)["places:room"]))
    assert answer.status_code == status
    # Who may not open the meeting learns that the room is taken, not what for.
    assert (cast.meeting.title in answer.content.decode()) is (role in {"organiser", "guest"})


@pytest.mark.parametrize(
    ("role", "week", "grid"),
    [("manager", 200, 200), ("organiser", 200, 404), ("colleague", 200, 404), ("outsider", 404, 404)],
)
def test_a_team_opens_its_week_for_its_manager(cast: Cast, role: str, week: int, grid: int) -> None:
    routes = dict(ADDRESSES)
    page = cast.client(role).get(cast.path("calendars:team", routes["calendars:team"]))
    assert page.status_code == week
    # Members read who is there; the grid of meetings is their manager's.
    assert ('role="grid"' in page.content.decode()) is (role == "manager")
    assert cast.client(role).get(cast.path("calendars:team-grid", routes["calendars:team-grid"])).status_code == grid


@pytest.mark.parametrize(("name", "route"), [pair for pair in ADDRESSES if pair[0] in OWN])
def test_any_agent_opens_their_own_pages(cast: Cast, name: str, route: str) -> None:
    status = cast.client("outsider").get(cast.path(name, route)).status_code
    # What only a POST reaches says so; a fragment or a search may want a parameter.
    assert status in {200, 400, 405}, status


@pytest.mark.parametrize("name", ["rsvp:page", "rsvp:ics", "poll_guest:page", "rooms:guest", "exchange:feed"])
@pytest.mark.parametrize("role", ["nobody", "outsider"])
def test_a_wrong_link_opens_nothing_whoever_holds_it(cast: Cast, name: str, role: str) -> None:
    before = cast.state()
    path = reverse(name, kwargs={"token": "A" * 32})
    seen = {ask(cast.client(role), method, path).status_code for method in METHODS}
    assert seen <= {404, 405, 410}, seen
    assert cast.state() == before


@pytest.mark.parametrize(("name", "route"), [pair for pair in ADDRESSES if pair[0].startswith("tchap_bridge:")])
def test_the_homeservers_addresses_want_its_token(cast: Cast, name: str, route: str) -> None:
    path = cast.path(name, route)
    for header in ("", "Bearer ", "Bearer wrong"):
        client = Client(HTTP_AUTHORIZATION=header) if header else Client()
        assert {ask(client, method, path).status_code for method in METHODS} <= {401, 403, 405}


ADMIN = sorted(model._meta.label_lower for model in admin.site._registry)


@pytest.mark.parametrize("label", ADMIN)
@pytest.mark.parametrize("view", ["changelist", "add"])
def test_the_admin_opens_for_administrators_alone(cast: Cast, label: str, view: str) -> None:
    path = reverse(f"admin:{label.replace('.', '_')}_{view}")
    assert cast.client("nobody").get(path).status_code == 302
    assert cast.client("manager").get(path).status_code in {302, 403}
    cast.organiser.is_staff = True
    cast.organiser.save()
    assert cast.client("organiser").get(path).status_code == 403, "staff without the permission"
    cast.organiser.is_superuser = True
    cast.organiser.save()
    assert cast.client("organiser").get(path).status_code in {200, 403}, "some tables are read only"
