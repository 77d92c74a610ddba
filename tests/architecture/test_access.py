"""Every address × method × role × organisation, generated from the URL resolver: an address that is not in the table fails."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from suite.agents.delegation import grant
from suite.agents.models import Agent, Team
from suite.agents.time_models import Delegation
from tests import factories
from tests.visio.exchange.files import calendar, timed
from tests.visio.polls.asking import poll
from visio.exchange.models import CalendarImport
from visio.meetings.exception_models import CounterProposal
from visio.meetings.models import Attendee, Meeting
from visio.meetings.tokens import link_token
from visio.places.models import Resource, ResourceBooking
from visio.polls.models import Poll, PollParticipant

pytestmark = pytest.mark.django_db
METHODS = ("get", "head", "post", "put", "patch", "delete")

# Anybody, signed in or not; what a token or a bearer opens is tested by the part itself.
PUBLIC = {
    "portal:sign_in",
    "portal:sign_out",
    "portal:refused",
    "portal:language",
    "portal:accessibility",
    "portal:legal",
    "portal:personal_data",
    "portal:cookies",
    "portal:heartbeat",
    "portal:lb_heartbeat",
    "portal:version",
    "portal:theme",
    "oidc_authentication_init",
    "oidc_authentication_callback",
    "oidc_logout",
    "api-schema",
    "api-docs",
    "api-unknown",
}
# A secret in the address or the header: nobody without it.
SECRET = {
    "poll_guest:page",
    "rsvp:page",
    "rsvp:ics",
    "rooms:guest",
    "exchange:feed",
    "reminders:stop",
    "tchap_bridge:transaction",
    "tchap_bridge:ping",
    "tchap_bridge:user",
    "tchap_bridge:room",
}
# Any signed-in agent, who sees only what is theirs.
OWN = {
    "polls:list",
    "polls:new",
    "polls",
    "portal:dashboard",
    "portal:fragment",
    "portal:search",
    "portal:settings",
    "portal:create_token",
    "portal:revoke_token",
    "portal:presence",
    "portal:delegations",
    "reminders:shown",
    "reminders:dismiss",
    "reminders:settings",
    "portal:end_delegation",
    "portal:hours",
    "portal:add_leave",
    "portal:remove_leave",
    "portal:restore_leave",
    "meetings:list",
    "meetings:plan",
    "meetings:recap",
    "meetings:directory",
    "meetings:group",
    "meetings:addresses",
    "meetings:availability",
    "meetings:slots",
    "meetings:instant",
    "exchange:feeds",
    "exchange:revoke_feed",
    "exchange:import",
    "exchange:preview",
    "exchange:agenda",
    "picker:choose",
    "places:list",
    "places:requests",
    "resources-api",
    "meetings",
    "directory",
    "presence-api",
    "availability-api",
    "slots-api",
    "agenda-api",
}
# The people of one meeting; 404 for everybody else.
MEETING = {
    "meetings:detail",
    "meetings:answer",
    "meetings:ics",
    "meetings:fragment-facts",
    "meetings:fragment-ledger",
    "meetings:fragment-side",
    "meetings:fragment-history",
    "meetings:fragment-dates",
    "meetings:propose",
    "meeting",
    "meeting-answer",
    "meeting-undo",
    "occurrences",
    "occurrence",
    "occurrence-answer",
    "counters",
    "counter-accept",
    "counter-refuse",
}
# Its organiser alone; its guests get 403 or 404, everybody else 404.
ORGANISER = {
    "meetings:edit",
    "meetings:cancel",
    "meetings:resend",
    "meetings:undo",
    "meetings:decide",
    "inbox:received",
}
# The people of one poll; 404 for everybody else.
POLL = {"polls:detail", "polls:fragment", "polls:answer", "poll", "poll-vote", "poll-choose", "poll-close"}
# Its organiser alone; those who are asked get 403, everybody else 404.
POLL_ORGANISER = {"polls:edit", "polls:choose", "polls:close", "polls:reopen", "polls:remind"}
ROOM = {"rooms:room"}
# A physical room: everybody of the organisation that lends it; 404 for everybody else.
PLACE = {"places:room"}
TEAM = {"calendars:team", "calendars:team-grid"}
API = {
    "polls",
    "poll",
    "poll-vote",
    "poll-choose",
    "poll-close",
    "meetings",
    "meeting",
    "meeting-answer",
    "meeting-undo",
    "occurrences",
    "occurrence",
    "occurrence-answer",
    "counters",
    "counter-accept",
    "counter-refuse",
    "resources-api",
    "directory",
    "presence-api",
    "availability-api",
    "slots-api",
    "agenda-api",
}


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
TABLE = PUBLIC | SECRET | OWN | MEETING | ORGANISER | POLL | POLL_ORGANISER | ROOM | TEAM | PLACE


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
