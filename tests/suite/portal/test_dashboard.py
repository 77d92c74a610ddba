"""The dashboard: what it says of a full and of an empty day, what it costs, and to whom."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from suite.agents.models import Agent
from suite.portal.dashboard import progress, read_hero, read_invitations, read_rooms, seconds_to_change
from tchap_bridge.models import RoomState, TchapRoom
from tests import factories
from tests.suite.portal.noon import agent_at_noon
from visio.calendars.day import dashboard_day
from visio.meetings.answers import answer
from visio.meetings.links import attach_link
from visio.meetings.models import Attendee, Meeting
from visio.rooms.calls import Participant, enter
from visio.rooms.models import Room

pytestmark = pytest.mark.django_db

FRAGMENTS = ["prochaine", "journee", "invitations", "salons", "equipe", "compte"]
MOST_QUERIES = 10


def page(client: Client, agent: Agent, path: str = "/") -> str:
    client.force_login(agent)
    response = client.get(path)
    assert response.status_code == 200, response
    html = " ".join(response.content.decode().split())
    assert "INVALID-TEMPLATE-VARIABLE" not in html
    return html


def invited(agent: Agent, *, minutes: int, now: dt.datetime, given: str = "", title: str = "Comité") -> Meeting:
    """A meeting of somebody else's in `minutes`, answered as told."""
    meeting = factories.meeting(guests=[agent], starts_at=now + dt.timedelta(minutes=minutes), now=now, title=title)
    if given:
        answer(attendee=Attendee.objects.get(meeting=meeting, agent=agent), answer=given, via="api", now=now)
    return meeting


# --- what it says -----------------------------------------------------------------------------------------------
def test_next_meeting_with_its_room(client: Client) -> None:
    now = timezone.now()
    agent = agent_at_noon(now)
    meeting = invited(agent, minutes=20, now=now, given="accepted", title="Comité de suivi")
    assert meeting.room is not None
    html = page(client, agent)
    assert "Commence dans" in html
    assert re.search(r"\b(20|19) min", html)  # a minute may have passed
    assert f'href="/visio/{meeting.room.slug}/"' in html
    assert f"Organisée par {meeting.organiser.full_name}" in html
    assert "2 participants, 2 acceptent" in html
    assert "1 réunion aujourd’hui" in html


def test_running_meeting_counts_down_to_its_end(client: Client) -> None:
    now = timezone.now()
    agent = agent_at_noon(now)
    factories.meeting(agent, starts_at=now - dt.timedelta(minutes=20), minutes=60)
    html = page(client, agent)
    assert "Se termine dans" in html
    assert re.search(r"\b(40|39) min", html)  # a minute may have passed
    assert "Vous organisez" in html


def test_people_in_the_room_are_named(client: Client) -> None:
    now = timezone.now()
    agent = agent_at_noon(now)
    meeting = factories.meeting(agent, starts_at=now + dt.timedelta(minutes=5))
    assert meeting.room is not None
    for number, name in enumerate(["Karim Benali", "Anne Le Goff"]):
        person = Participant(
            id=f"p{number}",
            room_id=meeting.room.pk,
            name=name,
            agent_id=7 if number == 0 else None,
            attendee_id=None if number == 0 else 8,
        )
        enter(participant=person, capacity=6, now=now)
    html = page(client, agent)
    assert "2 personnes dans la réunion :</strong> Karim Benali, Anne Le Goff" in html
    assert html.count("(externe)") == 1


def test_empty_day_names_what_comes_next(client: Client) -> None:
    now = timezone.now()
    agent = agent_at_noon(now)
    invited(agent, minutes=24 * 60, now=now, given="accepted", title="Recette du portail")
    html = page(client, agent)
    assert "Aucune réunion aujourd’hui" in html
    assert "La journée est libre." in html
    assert "demain" in html
    assert "Les sept prochains jours" in html
    assert "Recette du portail" in html
    assert "Rien à traiter : vous avez répondu à toutes les invitations." in html


def test_nothing_at_all(client: Client) -> None:
    html = page(client, agent_at_noon(timezone.now()))
    assert "Rien de prévu dans les sept prochains jours." in html
    assert "Vous n’êtes rattaché à aucune équipe" in html
    assert ">Équipe</a>" not in html.split("<main")[0]


def test_day_over(client: Client) -> None:
    now = timezone.now()
    agent = agent_at_noon(now)
    factories.meeting(agent, starts_at=now - dt.timedelta(hours=2), minutes=30)
    html = page(client, agent)
    assert "Plus de réunion aujourd’hui" in html
    assert "dash-block--past" in html
    assert "terminée" in html


def test_looks_of_the_day(client: Client) -> None:
    now = timezone.now()
    agent = agent_at_noon(now)
    factories.meeting(agent, starts_at=now + dt.timedelta(minutes=30), title="Acceptée")
    invited(agent, minutes=45, now=now, given="tentative", title="Peut-être ?")
    invited(agent, minutes=180, now=now, title="Sans réponse ?")
    invited(agent, minutes=240, now=now, given="declined", title="Déclinée")
    html = page(client, agent)
    for kind in ("accepted", "tentative", "unanswered"):
        assert f"dash-block--{kind}" in html
    assert "Chevauchement" in html
    assert "Déclinée" not in html
    assert "1 invitation à traiter" in html


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "Aucune réunion aujourd’hui"), (1, "1 réunion aujourd’hui"), (3, "3 réunions aujourd’hui")],
)
def test_plurals_of_the_title_line(client: Client, number: int, words: str) -> None:
    now = timezone.now()
    agent = agent_at_noon(now)
    for index in range(number):
        factories.meeting(agent, starts_at=now + dt.timedelta(minutes=20 + index))
    assert words in page(client, agent)


def test_title_is_escaped(client: Client) -> None:
    now = timezone.now()
    agent = agent_at_noon(now)
    factories.meeting(agent, starts_at=now + dt.timedelta(minutes=20), title='<script>alert("1")</script>')
    html = page(client, agent)
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert" in html


# --- invitations ------------------------------------------------------------------------------------------------
def test_invitation_knows_what_it_overlaps() -> None:
    now = timezone.now()
    agent = agent_at_noon(now)
    factories.meeting(agent, starts_at=now + dt.timedelta(hours=3), title="Recette v3")
    clashing = invited(agent, minutes=210, now=now)
    free = invited(agent, minutes=300, now=now)
    rows = read_invitations(agent, now).rows
    assert [(row.attendee.meeting_id, row.conflict, row.is_free) for row in rows] == [
        (clashing.pk, "Recette v3", False),
        (free.pk, "", True),
    ]


def test_declined_meeting_is_no_conflict() -> None:
    now = timezone.now()
    agent = agent_at_noon(now)
    invited(agent, minutes=180, now=now, given="declined")
    invited(agent, minutes=180, now=now)
    assert [row.is_free for row in read_invitations(agent, now).rows] == [True]


def test_answered_row_stays_ten_seconds() -> None:
    now = timezone.now()
    agent = agent_at_noon(now)
    meeting = invited(agent, minutes=60, now=now)
    answer(attendee=Attendee.objects.get(meeting=meeting, agent=agent), answer="accepted", via="portal", now=now)
    soon, later = now + dt.timedelta(seconds=9), now + dt.timedelta(seconds=11)
    assert [row.is_answered for row in read_invitations(agent, soon).rows] == [True]
    assert read_invitations(agent, soon).waiting == 0
    assert read_invitations(agent, later).rows == ()


def test_more_invitations_than_fit(client: Client) -> None:
    now = timezone.now()
    agent, host = agent_at_noon(now), factories.agent()
    for index in range(14):
        factories.meeting(host, guests=[agent], starts_at=now + dt.timedelta(days=1, hours=index))
    found = read_invitations(agent, now)
    assert (len(found.rows), found.waiting, found.hidden) == (12, 14, 2)
    assert "2 autres invitations" in page(client, agent, "/accueil/invitations/")


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (3, None),
        (4, "Afficher l’autre invitation"),
        (9, "Afficher les 6 autres invitations"),
        (14, "Afficher les 11 autres invitations"),
    ],
)
def test_three_invitations_and_the_others_behind_a_line(client: Client, count: int, words: str | None) -> None:
    now = timezone.now()
    agent, host = agent_at_noon(now), factories.agent()
    for index in range(count):
        factories.meeting(host, guests=[agent], starts_at=now + dt.timedelta(days=1, hours=index))
    html = page(client, agent, "/accueil/invitations/")
    first, line, others = html.partition("<details")
    assert (first.count("<li "), others.count("<li ")) == (3, min(count, 12) - 3)
    assert (words in others) if words else (line == "")


def test_the_line_counts_what_waits_and_not_what_was_answered_a_moment_ago() -> None:
    now = timezone.now()
    agent, host = agent_at_noon(now), factories.agent()
    for index in range(5):
        factories.meeting(host, guests=[agent], starts_at=now + dt.timedelta(days=1, hours=index))
    first, *_others, last = Attendee.objects.filter(agent=agent, meeting__organiser=host).order_by("starts_at")
    answer(attendee=first, answer="accepted", via="portal", now=now)
    found = read_invitations(agent, now)
    # The answered row stays where it was, and the next one comes up behind it.
    assert ([row.is_answered for row in found.first], len(found.rest), found.more) == (
        [True, False, False, False],
        1,
        1,
    )
    answer(attendee=last, answer="declined", via="portal", now=now)
    found = read_invitations(agent, now)
    assert (len(found.first), found.rest, found.more) == (5, (), 0)


# --- Tchap ------------------------------------------------------------------------------------------------------
def room_of(meeting: Meeting, state: str = RoomState.OWED) -> TchapRoom:
    room, _made = TchapRoom.objects.get_or_create(
        meeting=meeting, defaults={"alias_localpart": f"reunion-{meeting.pk}", "due_at": timezone.now()}
    )
    room.state = state
    room.save()
    return room


def test_rooms_of_my_meetings_only() -> None:
    now = timezone.now()
    agent = agent_at_noon(now)
    mine = invited(agent, minutes=60, now=now, title="La mienne")
    declined = invited(agent, minutes=60, now=now, given="declined")
    foreign = factories.meeting(starts_at=now + dt.timedelta(hours=1))
    for meeting in (mine, declined, foreign):
        room_of(meeting)
    assert [(room.title, room.url, room.is_waiting) for room in read_rooms(agent, now)] == [("La mienne", "", True)]
    attach_link(meeting=mine, label="tchap", url="https://tchap.example/#/room/!a:b")
    room_of(mine, RoomState.APPLIED)
    assert [(room.url, room.is_waiting) for room in read_rooms(agent, now)] == [
        ("https://tchap.example/#/room/!a:b", False)
    ]


def test_refused_room_is_said(client: Client) -> None:
    now = timezone.now()
    agent = agent_at_noon(now)
    room_of(invited(agent, minutes=60, now=now), RoomState.REFUSED)
    assert "Salon refusé par Tchap" in page(client, agent, "/accueil/salons/")


# --- the clock --------------------------------------------------------------------------------------------------
def test_progress() -> None:
    start = dt.datetime(2026, 11, 24, 10, tzinfo=dt.UTC)
    end = start + dt.timedelta(hours=1)
    minutes = [-90, -60, -15, 0, 30, 60, 90]
    assert [progress(start, end, start + dt.timedelta(minutes=at)) for at in minutes] == [0, 0, 75, 0, 50, 100, 100]


def test_stale_when_a_meeting_begins_or_at_midnight() -> None:
    now = timezone.now()
    agent = agent_at_noon(now)
    midnight = dashboard_day(agent, now).now.replace(hour=0, minute=0, second=0, microsecond=0) + dt.timedelta(days=1)
    assert seconds_to_change(dashboard_day(agent, now)) == -int((now - midnight).total_seconds() // 1)
    meeting = factories.meeting(agent, starts_at=now + dt.timedelta(minutes=20))
    starts_at = meeting.occurrences.get().starts_at
    assert seconds_to_change(dashboard_day(agent, now)) == -int((now - starts_at).total_seconds() // 1)


def test_hero_without_anything_is_none() -> None:
    now = timezone.now()
    agent = agent_at_noon(now)
    assert read_hero(agent, dashboard_day(agent, now)) is None


# --- what it costs ----------------------------------------------------------------------------------------------
def queries(client: Client, agent: Agent, path: str = "/") -> int:
    client.force_login(agent)
    client.get(path)  # The session is written once after signing in.
    with CaptureQueriesContext(connection) as captured:
        assert client.get(path).status_code == 200
    return len(captured)


def fill(agent: Agent, number: int, now: dt.datetime) -> None:
    """`number` of everything the page shows."""
    for index in range(number):
        factories.agent(organisation=agent.organisation, team=agent.team)
        mine = factories.meeting(agent, guests=["a@b.example"], starts_at=now + dt.timedelta(minutes=10 + index))
        invited(agent, minutes=40 + index, now=now)
        room_of(mine)
        attach_link(meeting=mine, label="tchap", url=f"https://tchap.example/#/room/!{index}:b")


def test_at_most_ten_queries_whatever_it_holds(client: Client) -> None:
    now = timezone.now()
    counts = []
    for number in (1, 3):
        manager = factories.agent()
        team = factories.team(organisation=manager.organisation, managers=[manager])
        agent = agent_at_noon(now, organisation=manager.organisation, team=team)
        fill(agent, number, now)
        counts.append(queries(client, agent))
    assert counts[0] == counts[1]
    assert counts[0] <= MOST_QUERIES


@pytest.mark.parametrize("part", FRAGMENTS)
def test_fragments_cost_the_same_with_one_and_three(client: Client, part: str) -> None:
    now = timezone.now()
    counts = []
    for number in (1, 3):
        agent = agent_at_noon(now)
        fill(agent, number, now)
        counts.append(queries(client, agent, f"/accueil/{part}/"))
    assert counts[0] == counts[1]
    assert counts[0] <= 6


# --- to whom ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("path", ["/", *(f"/accueil/{part}/" for part in FRAGMENTS)])
def test_nobody_is_sent_to_sign_in(client: Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 302
    assert response["Location"].startswith(reverse("portal:sign_in"))


def test_unknown_fragment(client: Client) -> None:
    client.force_login(factories.agent())
    assert client.get("/accueil/autre/").status_code == 404


def test_others_see_nothing_of_mine(client: Client) -> None:
    now = timezone.now()
    agent = agent_at_noon(now)
    meeting = invited(agent, minutes=20, now=now, title="Titre très reconnaissable")
    room_of(meeting)
    for stranger in (
        agent_at_noon(now, organisation=agent.organisation),
        agent_at_noon(now),
    ):
        for path in ("/", *(f"/accueil/{part}/" for part in FRAGMENTS)):
            assert "reconnaissable" not in page(client, stranger, path)


def test_fragments_are_what_the_page_holds(client: Client) -> None:
    now = timezone.now()
    agent = agent_at_noon(now)
    fill(agent, 2, now)
    whole = page(client, agent)
    for part in ("journee", "salons", "equipe"):
        assert timeless(page(client, agent, f"/accueil/{part}/")) in timeless(whole)


def timeless(html: str) -> str:
    """Without what a second changes."""
    return re.sub(r'(data-(refresh-in|now-minutes)|value)="[^"]*"', "", html)


def test_room_without_meeting_is_not_in_the_way(client: Client) -> None:
    Room.objects.create()
    assert page(client, agent_at_noon(timezone.now()))
