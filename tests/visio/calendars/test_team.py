"""A team's week: what is drawn, for whom, and at what cost."""

import datetime as dt
import uuid
import zoneinfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from suite.agents.models import Agent, Team
from tests import factories
from visio.calendars.layout import Lane
from visio.calendars.team import Kind, TeamWeek, team_week
from visio.calendars.views import monday_to_show
from visio.meetings.answers import answer
from visio.meetings.models import Answer, AnsweredVia, Attendee, Privacy
from visio.meetings.scale import Steps

pytestmark = pytest.mark.django_db

PARIS = zoneinfo.ZoneInfo("Europe/Paris")
MADE = dt.datetime(2026, 11, 20, 9, tzinfo=dt.UTC)
MONDAY = dt.date(2026, 11, 23)
WEDNESDAY = dt.datetime(2026, 11, 25, 10, 42, tzinfo=PARIS)
ADDRESS = "/equipe/"
WEEK = {"semaine": "2026-W48"}


@pytest.fixture
def claire() -> Agent:
    return factories.agent("Claire", "Morel", job_title="Cheffe")


@pytest.fixture
def karim(claire: Agent) -> Agent:
    return factories.agent("Karim", "Benali", organisation=claire.organisation)


@pytest.fixture
def portail(claire: Agent, karim: Agent) -> Team:
    return factories.team("Portail", managers=[claire], members=[claire, karim])


def at(day: int, hour: int, minute: int = 0) -> dt.datetime:
    return dt.datetime(2026, 11, day, hour, minute, tzinfo=PARIS)


def drawn(week: TeamWeek) -> dict[str, list[list[tuple[Kind, Steps]]]]:
    return {
        row.agent.given_name: [[(block.kind, block.steps) for block in cell.blocks] for cell in row.cells]
        for row in week.rows
    }


def test_kinds_by_answer_and_privacy(portail: Team, claire: Agent, karim: Agent) -> None:
    for hour, given in ((9, Answer.ACCEPTED), (10, Answer.TENTATIVE), (11, None), (12, Answer.DECLINED)):
        meeting = factories.meeting(guests=[karim], starts_at=at(23, hour), now=MADE)
        if given:
            attendee = Attendee.objects.get(meeting=meeting, agent=karim)
            answer(attendee=attendee, answer=given, via=AnsweredVia.PORTAL, now=MADE)
    factories.meeting(karim, starts_at=at(24, 15), now=MADE, privacy=Privacy.PRIVATE)

    assert drawn(team_week(portail, claire, MONDAY, WEDNESDAY)) == {
        "Karim": [
            [(Kind.MEETING, Steps(36, 4)), (Kind.TENTATIVE, Steps(40, 4)), (Kind.TENTATIVE, Steps(44, 4))],
            [(Kind.BUSY, Steps(60, 4))],
            [],
            [],
            [],
        ],
        "Claire": [[], [], [], [], []],
    }


def test_the_viewers_own_private_meeting_is_a_meeting(portail: Team, claire: Agent, karim: Agent) -> None:
    factories.meeting(claire, guests=[karim], starts_at=at(23, 9), now=MADE, privacy=Privacy.PRIVATE)

    week = team_week(portail, claire, MONDAY, WEDNESDAY)

    assert drawn(week)["Claire"][0] == [(Kind.MEETING, Steps(36, 4))]
    assert drawn(week)["Karim"][0] == [(Kind.TENTATIVE, Steps(36, 4))]


def test_meetings_at_once_stand_in_lanes(portail: Team, claire: Agent, karim: Agent) -> None:
    factories.meeting(karim, starts_at=at(23, 9), now=MADE)
    factories.meeting(karim, starts_at=at(23, 9, 30), now=MADE)

    [row, _claire] = team_week(portail, claire, MONDAY, WEDNESDAY).rows

    assert [block.lane for block in row.cells[0].blocks] == [Lane(0, 2), Lane(1, 2)]


def test_the_weekend_is_there_only_when_something_lies_there(portail: Team, claire: Agent, karim: Agent) -> None:
    assert len(team_week(portail, claire, MONDAY, WEDNESDAY).days) == 5

    factories.meeting(karim, starts_at=at(28, 9), now=MADE)
    assert len(team_week(portail, claire, MONDAY, WEDNESDAY).days) == 6

    factories.meeting(karim, starts_at=at(29, 9), now=MADE)
    assert len(team_week(portail, claire, MONDAY, WEDNESDAY).days) == 7


def test_the_scale_grows_with_what_lies_outside(portail: Team, claire: Agent, karim: Agent) -> None:
    factories.meeting(karim, starts_at=at(23, 6, 30), now=MADE)

    week = team_week(portail, claire, MONDAY, WEDNESDAY)

    assert (week.first_hour, week.last_hour, week.first_step, week.step_count) == (6, 19, 24, 52)


@pytest.mark.parametrize(
    ("now", "today_index", "step", "minutes"),
    [
        (WEDNESDAY, 2, 42, 12),
        (WEDNESDAY.replace(hour=20), 2, None, 12),
        (WEDNESDAY - dt.timedelta(days=7), None, None, 12),
    ],
)
def test_the_line_of_now(
    portail: Team, claire: Agent, now: dt.datetime, today_index: int | None, step: int | None, minutes: int
) -> None:
    week = team_week(portail, claire, MONDAY, now)

    assert (week.today_index, week.now_step, week.now_minutes) == (today_index, step, minutes)


def test_the_week_is_drawn_in_the_viewers_zone(portail: Team, claire: Agent, karim: Agent) -> None:
    factories.meeting(karim, starts_at=at(23, 9), now=MADE)
    claire.time_zone = "Indian/Reunion"

    week = team_week(portail, claire, MONDAY, WEDNESDAY)

    assert drawn(week)["Karim"][0] == [(Kind.MEETING, Steps(48, 4))]


def test_those_who_left_are_not_shown(portail: Team, claire: Agent, karim: Agent) -> None:
    karim.is_active = False
    karim.save()

    assert [row.agent for row in team_week(portail, claire, MONDAY, WEDNESDAY).rows] == [claire]


def test_the_page_costs_the_same_for_one_agent_and_for_three(client: Client, claire: Agent) -> None:
    def cost(number: int) -> int:
        members = [factories.agent(organisation=claire.organisation) for _index in range(number)]
        team = factories.team(managers=[claire], members=members)
        for member in members:
            factories.meeting(member, guests=[claire, *members], starts_at=at(23, 9), now=MADE)
        address = f"{ADDRESS}?equipe={team.public_id}&semaine=2026-W48"
        with CaptureQueriesContext(connection) as queries:
            response = client.get(address)
        assert len(response.context["week"].rows) == number
        return len(queries)

    client.force_login(claire)
    cost(1)  # what the first page alone reads

    assert (cost(1), cost(3)) == (cost(1), cost(1))


# --- who may look -------------------------------------------------------------------------------------------------
def test_a_manager_sees_the_week_with_private_meetings_masked(
    client: Client, portail: Team, claire: Agent, karim: Agent
) -> None:
    factories.meeting(karim, starts_at=at(23, 9), now=MADE, title="Revue publique")
    factories.meeting(karim, starts_at=at(24, 9), now=MADE, title="Affaire secrète", privacy=Privacy.PRIVATE)
    client.force_login(claire)

    page = client.get(ADDRESS, WEEK).content.decode()

    assert "Revue publique" in page
    assert "Affaire secrète" not in page
    assert "Karim Benali, mardi 24 novembre, 1 réunion, 09:00 – 10:00 Occupé (réunion privée)" in page


def test_links_lead_only_where_the_viewer_may_go(client: Client, portail: Team, claire: Agent, karim: Agent) -> None:
    shared = factories.meeting(karim, guests=[claire], starts_at=at(23, 9), now=MADE)
    other = factories.meeting(karim, starts_at=at(24, 9), now=MADE)
    client.force_login(claire)

    page = client.get(ADDRESS, WEEK).content.decode()

    assert reverse("meetings:detail", args=[shared.public_id]) in page
    assert str(other.public_id) not in page


def test_the_grid_alone_is_what_the_page_holds(client: Client, portail: Team, claire: Agent) -> None:
    client.force_login(claire)
    page = client.get(ADDRESS, WEEK)

    grid = client.get(page.context["grid"])

    assert next(template.name for template in grid.templates) == "visio/calendars/_grid.html"
    assert grid.content.decode().strip() in page.content.decode()


@pytest.mark.parametrize("name", ["calendars:team", "calendars:team-grid"])
@pytest.mark.parametrize("who", ["member", "colleague", "administrator", "stranger"])
def test_others_get_404_for_the_week_or_its_grid(
    client: Client, portail: Team, claire: Agent, karim: Agent, name: str, who: str
) -> None:
    viewer = {
        "member": karim,
        "colleague": factories.agent(organisation=claire.organisation),
        "administrator": factories.agent(organisation=claire.organisation, is_staff=True, is_superuser=True),
        "stranger": factories.agent(),
    }[who]
    factories.team("Autre", managers=[viewer])
    factories.meeting(claire, starts_at=at(23, 9), now=MADE, title="Revue")
    client.force_login(viewer)

    response = client.get(reverse(name), {"equipe": str(portail.public_id), **WEEK})

    if who == "member" and name == "calendars:team":
        assert response.templates[0].name == "visio/calendars/members.html"
        assert "Revue" not in response.content.decode()
    else:
        assert response.status_code == 404


@pytest.mark.parametrize("name", ["calendars:team", "calendars:team-grid"])
def test_nobody_is_sent_to_sign_in(client: Client, portail: Team, name: str) -> None:
    response = client.get(reverse(name), {"equipe": str(portail.public_id)})

    assert response.status_code == 302
    assert response["Location"].startswith("/connexion/")


def test_a_member_sees_who_is_there(client: Client, portail: Team, karim: Agent) -> None:
    client.force_login(karim)

    response = client.get(ADDRESS)

    assert {member for member, _state in response.context["people"]} == set(Agent.objects.filter(team=portail))
    assert "Claire Morel" in response.content.decode()


def test_an_agent_without_a_team_is_told_so(client: Client) -> None:
    client.force_login(factories.agent())

    assert "Vous n’appartenez à aucune équipe" in client.get(ADDRESS).content.decode()


@pytest.mark.parametrize("week", ["2026-W54", "2026-48", "1999-W01", "", "x", "2026-W00", "२०२६-W48"])
def test_a_week_that_does_not_exist_is_404(client: Client, portail: Team, claire: Agent, week: str) -> None:
    client.force_login(claire)

    assert client.get(ADDRESS, {"semaine": week}).status_code == 404


@pytest.mark.parametrize("team", ["", "x", str(uuid.UUID(int=7))])
def test_a_team_that_does_not_exist_is_404(client: Client, portail: Team, claire: Agent, team: str) -> None:
    client.force_login(claire)

    assert client.get(ADDRESS, {"equipe": team}).status_code == 404


def test_without_a_week_it_is_this_one_or_the_coming_one(client: Client, portail: Team, claire: Agent) -> None:
    client.force_login(claire)

    assert client.get(ADDRESS).context["week"].monday == monday_to_show(timezone.localdate())


@pytest.mark.parametrize(
    ("today", "monday"),
    [
        ("2026-11-16", "2026-11-16"),
        ("2026-11-20", "2026-11-16"),
        ("2026-11-21", "2026-11-23"),
        ("2026-11-22", "2026-11-23"),
    ],
)
def test_on_a_weekend_the_coming_week_is_shown(today: str, monday: str) -> None:
    assert monday_to_show(dt.date.fromisoformat(today)) == dt.date.fromisoformat(monday)


def test_arrows_cross_the_turn_of_the_year(client: Client, portail: Team, claire: Agent) -> None:
    client.force_login(claire)

    context = client.get(ADDRESS, {"semaine": "2026-W53"}).context

    assert context["previous"].endswith("semaine=2026-W52")
    assert context["next"].endswith("semaine=2027-W01")
    assert context["dates"] == "28 décembre 2026 – 1er janvier 2027"


def test_a_manager_of_several_teams_chooses(client: Client, portail: Team, claire: Agent) -> None:
    other = factories.team("Accueil", managers=[claire])
    client.force_login(claire)

    own = client.get(ADDRESS)
    chosen = client.get(ADDRESS, {"equipe": str(other.public_id)})

    assert own.context["week"].team == portail, "the team one belongs to comes first"
    assert chosen.context["week"].team == other
    assert "Vos équipes" in own.content.decode()
    assert "Cette équipe n’a encore aucun membre." in chosen.content.decode()
