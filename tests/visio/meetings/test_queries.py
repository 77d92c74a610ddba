"""The calendar statement: what it finds, and what it hides from whom."""

import datetime as dt
import zoneinfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from suite.agents.models import Agent
from tests import factories
from visio.meetings.models import Attendee, Meeting, Occurrence, Privacy, Status
from visio.meetings.queries import Entry, agenda
from visio.meetings.scheduling import cancel_meeting

pytestmark = pytest.mark.django_db

MADE = dt.datetime(2026, 11, 20, 9, tzinfo=dt.UTC)
MONDAY = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)
NEXT_MONDAY = MONDAY + dt.timedelta(days=7)


@pytest.fixture
def claire() -> Agent:
    return factories.agent("Claire", "Morel")


@pytest.fixture
def karim(claire: Agent) -> Agent:
    return factories.agent("Karim", "Benali", organisation=claire.organisation)


def at(hours: float) -> dt.datetime:
    return MONDAY + dt.timedelta(hours=hours)


def week(*agents: Agent, viewer: Agent) -> list[Entry]:
    return agenda([agent.pk for agent in agents], MONDAY, NEXT_MONDAY, viewer)


def test_an_entry_as_its_own_agent_sees_it(claire: Agent, karim: Agent) -> None:
    meeting = factories.meeting(
        karim, guests=[claire, "guest@ailleurs.example"], starts_at=at(9), now=MADE, title="Comité", place="Salle 1"
    )
    assert meeting.room is not None

    assert week(claire, viewer=claire) == [
        Entry(
            agent_id=claire.pk,
            starts_at=at(9),
            ends_at=at(10),
            answer="needs_action",
            role="required",
            is_masked=False,
            is_mine=True,
            is_private=False,
            public_id=meeting.public_id,
            title="Comité",
            place="Salle 1",
            organiser="Karim Benali",
            room_slug=meeting.room.slug,
            people=3,
            occurrence_id=meeting.occurrences.get().pk,
        )
    ]


def test_a_private_meeting_is_masked_for_whoever_does_not_attend(claire: Agent, karim: Agent) -> None:
    factories.meeting(
        karim, starts_at=at(9), now=MADE, title="Médecin", place="Brest", privacy=Privacy.PRIVATE, description="secret"
    )

    assert week(karim, viewer=claire) == [
        Entry(
            agent_id=karim.pk,
            starts_at=at(9),
            ends_at=at(10),
            answer="accepted",
            role="chair",
            is_masked=True,
            is_mine=False,
            is_private=True,
            public_id=None,
            title="",
            place="",
            organiser="",
            room_slug="",
            people=0,
        )
    ]


def test_a_private_meeting_is_open_to_its_attendees_in_every_calendar(claire: Agent, karim: Agent) -> None:
    factories.meeting(karim, guests=[claire], starts_at=at(9), now=MADE, title="Entretien", privacy=Privacy.PRIVATE)

    found = week(karim, claire, viewer=claire)

    assert [(entry.agent_id, entry.title, entry.is_masked) for entry in found] == [
        (agent_id, "Entretien", False) for agent_id in sorted([karim.pk, claire.pk])
    ]


def test_a_public_meeting_of_others_shows_its_title_but_no_way_in(claire: Agent, karim: Agent) -> None:
    factories.meeting(karim, starts_at=at(9), now=MADE, title="Revue")

    [found] = week(karim, viewer=claire)

    assert (found.title, found.is_mine, found.room_slug, found.people) == ("Revue", False, "", 0)


def test_only_what_touches_the_window(claire: Agent) -> None:
    for title, starts_at, minutes in [
        ("fini", at(-1), 60),
        ("déborde", at(-1), 61),
        ("long", at(-24 * 13), 14 * 24 * 60),
        ("dernière minute", NEXT_MONDAY - dt.timedelta(minutes=1), 30),
        ("après", NEXT_MONDAY, 30),
    ]:
        factories.meeting(claire, starts_at=starts_at, now=MADE - dt.timedelta(days=30), title=title, minutes=minutes)

    assert [entry.title for entry in week(claire, viewer=claire)] == ["long", "déborde", "dernière minute"]


def test_cancelled_meetings_and_cancelled_occurrences_are_left_out(claire: Agent) -> None:
    cancelled = factories.meeting(claire, starts_at=at(9), now=MADE)
    cancel_meeting(meeting=cancelled, by=claire, now=MADE)
    one_date = factories.meeting(claire, starts_at=at(12), now=MADE)
    Occurrence.objects.filter(meeting=one_date).update(status=Status.CANCELLED)

    assert week(claire, viewer=claire) == []


def test_every_date_of_a_series_by_its_hull(claire: Agent) -> None:
    meeting = factories.meeting(claire, starts_at=at(9), now=MADE, title="Point quotidien")
    Meeting.objects.filter(pk=meeting.pk).update(is_series=True)
    Occurrence.objects.bulk_create(
        Occurrence(
            meeting=meeting,
            recurrence_id=at(9 + 24 * day),
            starts_at=at(9 + 24 * day),
            ends_at=at(10 + 24 * day),
            title="Point exceptionnel" if day == 2 else None,
        )
        for day in (1, 2, 8)
    )
    Attendee.objects.filter(meeting=meeting).update(is_series=True, starts_at=at(9), ends_at=at(24 * 9))

    assert [(entry.starts_at, entry.title) for entry in week(claire, viewer=claire)] == [
        (at(9), "Point quotidien"),
        (at(33), "Point quotidien"),
        (at(57), "Point exceptionnel"),
    ]


def test_a_guest_of_one_date_sees_that_date_alone(claire: Agent, karim: Agent) -> None:
    meeting = factories.meeting(claire, guests=[karim], starts_at=at(9), now=MADE)
    other = Occurrence.objects.create(meeting=meeting, recurrence_id=at(33), starts_at=at(33), ends_at=at(34))
    Attendee.objects.filter(agent=karim).update(only_occurrence=other, starts_at=at(33), ends_at=at(34))

    assert [entry.starts_at for entry in week(karim, viewer=karim)] == [at(33)]


def test_nobody_asked_costs_no_query(claire: Agent) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert agenda([], MONDAY, NEXT_MONDAY, claire) == []

    assert len(queries) == 0


@pytest.mark.parametrize("number", [1, 3])
def test_one_statement_whatever_the_number_of_agents(claire: Agent, number: int) -> None:
    agents = [factories.agent(organisation=claire.organisation) for _index in range(number)]
    for agent in agents:
        factories.meeting(agent, guests=agents, starts_at=at(9), now=MADE)

    with CaptureQueriesContext(connection) as queries:
        found = week(*agents, viewer=claire)

    assert len(found) == number * number
    assert len(queries) == 1


@pytest.mark.parametrize("rule", ["", "FREQ=MONTHLY"])
@pytest.mark.parametrize(
    ("zone", "of_the_meeting"),
    [
        ("Europe/Paris", "Europe/Paris"),
        ("Pacific/Kiritimati", "Europe/Paris"),
        ("Pacific/Pago_Pago", "Europe/Paris"),
        # As far apart as zones are: the one's date is over two hours before the other's begins.
        ("Etc/GMT+12", "Pacific/Kiritimati"),
        ("Pacific/Kiritimati", "Etc/GMT+12"),
    ],
)
def test_r14_a_whole_day_is_that_date_wherever_one_looks(zone: str, of_the_meeting: str, rule: str) -> None:
    boss = factories.agent(time_zone=zone)
    meeting = factories.meeting(
        boss,
        now=MADE,
        is_all_day=True,
        minutes=1440,
        start_date=dt.date(2026, 11, 25),
        time_zone=of_the_meeting,
        rule=rule,
    )
    here = zoneinfo.ZoneInfo(zone)

    def on(day: int) -> list[Entry]:
        start = dt.datetime(2026, 11, day, tzinfo=here)
        return agenda([boss.pk], start, start + dt.timedelta(days=1), boss)

    assert [len(on(day)) for day in (24, 25, 26)] == [0, 1, 0]
    [found] = on(25)
    assert (found.first_day, found.last_day) == (dt.date(2026, 11, 25), dt.date(2026, 11, 25))
    assert found.starts_at == dt.datetime(2026, 11, 25, tzinfo=here)
    assert (found.public_id, found.is_all_day) == (meeting.public_id, True)
