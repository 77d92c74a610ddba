"""Who is taken when: the statement against a slow reading of the rows, and what nobody learns from it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import random

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from suite.agents.hours import Stretch, set_hours
from suite.agents.models import Agent, Leave
from tests import factories
from visio.meetings.availability import Busy, Kind, busy, resources_busy, warnings
from visio.meetings.models import Answer, Attendee, Meeting, Occurrence, Privacy, Status
from visio.meetings.querysets import AttendeeQuerySet
from visio.models import AttendeeException, Resource, ResourceBooking

pytestmark = pytest.mark.django_db

MADE = dt.datetime(2026, 11, 20, 9, tzinfo=dt.UTC)
MONDAY = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)
FRIDAY = MONDAY + dt.timedelta(days=4)


@pytest.fixture
def claire() -> Agent:
    return factories.agent("Claire", "Morel")


@pytest.fixture
def karim() -> Agent:
    """Of another organisation."""
    return factories.agent("Karim", "Benali")


def at(hours: float) -> dt.datetime:
    return MONDAY + dt.timedelta(hours=hours)


def pieces(agent: Agent, viewer: Agent, start: float = 0, end: float = 96) -> list[tuple[float, float, str]]:
    """(from, to, kind), hours since Monday."""
    found = busy([agent.pk], at(start), at(end), viewer=viewer)[agent.pk]
    return [(_hours(one.starts_at), _hours(one.ends_at), one.kind.value) for one in found]


def _hours(moment: dt.datetime) -> float:
    return (moment - MONDAY) / dt.timedelta(hours=1)


def mine(agent: Agent) -> AttendeeQuerySet:
    return Attendee.objects.filter(agent=agent)


def series(organiser: Agent, guests: list[Agent], days: int) -> Meeting:
    """Daily from Monday 9:00, one hour."""
    meeting = factories.meeting(organiser, guests=guests, starts_at=at(9), now=MADE)
    Meeting.objects.filter(pk=meeting.pk).update(is_series=True)
    meeting.occurrences.update(recurrence_id=at(9))
    Occurrence.objects.bulk_create(
        Occurrence(
            meeting=meeting, recurrence_id=at(9 + 24 * day), starts_at=at(9 + 24 * day), ends_at=at(10 + 24 * day)
        )
        for day in range(1, days)
    )
    Attendee.objects.filter(meeting=meeting).update(is_series=True, starts_at=at(9), ends_at=at(24 * days))
    return meeting


# --- what is taken ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("answer", "kind"),
    [("accepted", "busy"), ("tentative", "tentative"), ("needs_action", "tentative"), ("declined", None)],
)
def test_each_answer_says_how_sure_it_is(claire: Agent, karim: Agent, answer: str, kind: str | None) -> None:
    factories.meeting(claire, guests=[karim], starts_at=at(9), now=MADE)
    mine(karim).update(answer=answer)
    assert pieces(karim, claire) == ([(9, 10, kind)] if kind else [])
    assert pieces(claire, karim) == [(9, 10, "busy")], "who organises comes, whatever else is written"


def test_meetings_that_touch_are_one_stretch_and_back_to_back_leaves_no_hole(claire: Agent, karim: Agent) -> None:
    for start, minutes in ((9, 60), (10, 30), (10.25, 60), (14, 30)):
        factories.meeting(claire, starts_at=at(start), minutes=minutes, now=MADE)
    assert pieces(claire, karim) == [(9, 11.25, "busy"), (14, 14.5, "busy")]


def test_absent_outranks_busy_and_busy_outranks_provisional(claire: Agent, karim: Agent) -> None:
    factories.meeting(karim, guests=[claire], starts_at=at(8), minutes=240, now=MADE)
    factories.meeting(claire, starts_at=at(9), minutes=120, now=MADE)
    Leave.objects.create(agent=claire, starts_at=at(10), ends_at=at(10.5), note="secret")
    assert pieces(claire, karim) == [
        (8, 9, "tentative"),
        (9, 10, "busy"),
        (10, 10.5, "out"),
        (10.5, 11, "busy"),
        (11, 12, "tentative"),
    ]


def test_nothing_outside_the_window_is_told(claire: Agent, karim: Agent) -> None:
    factories.meeting(claire, starts_at=at(8), minutes=120, now=MADE)
    Leave.objects.create(agent=claire, starts_at=at(20), ends_at=at(500))
    factories.meeting(claire, starts_at=at(6), minutes=60, now=MADE)
    factories.meeting(claire, starts_at=at(30), minutes=60, now=MADE)
    assert pieces(claire, karim, 9, 24) == [(9, 10, "busy"), (20, 24, "out")]
    assert pieces(claire, karim, 10, 20) == []


def test_what_began_thirteen_days_ago_still_counts(claire: Agent) -> None:
    factories.meeting(claire, starts_at=at(-24 * 13), minutes=14 * 24 * 60, now=MADE - dt.timedelta(days=20))
    assert pieces(claire, claire, 0, 2) == [(0, 2, "busy")]


def test_cancelled_meetings_and_dates_are_free(claire: Agent) -> None:
    first = factories.meeting(claire, starts_at=at(9), now=MADE)
    Meeting.objects.filter(pk=first.pk).update(status=Status.CANCELLED)
    second = factories.meeting(claire, starts_at=at(11), now=MADE)
    Occurrence.objects.filter(meeting=second).update(status=Status.CANCELLED)
    assert pieces(claire, claire) == []


def test_a_series_with_other_answers_on_some_dates(claire: Agent, karim: Agent) -> None:
    meeting = series(claire, [karim], 4)
    mine(karim).update(answer="accepted")
    dates = list(meeting.occurrences.order_by("starts_at"))
    attendee = mine(karim).get()
    AttendeeException.objects.create(occurrence=dates[1], attendee=attendee, answer="declined")
    AttendeeException.objects.create(occurrence=dates[2], attendee=attendee, removed=True)
    AttendeeException.objects.create(occurrence=dates[3], attendee=attendee, comment="answered as the series")
    assert pieces(karim, claire, 0, 24 * 5) == [(9, 10, "busy"), (81, 82, "busy")]
    assert len(pieces(claire, karim)) == 4


def test_a_guest_of_one_date_is_taken_on_that_date_alone(claire: Agent, karim: Agent) -> None:
    meeting = series(claire, [karim], 4)
    third = meeting.occurrences.order_by("starts_at")[2]
    mine(karim).update(is_series=False, only_occurrence=third, starts_at=third.starts_at, ends_at=third.ends_at)
    assert pieces(karim, claire) == [(57, 58, "tentative")]
    AttendeeException.objects.create(occurrence=third, attendee=mine(karim).get(), answer="accepted")
    assert pieces(karim, claire) == [(57, 58, "busy")]


def test_the_meeting_being_moved_is_no_obstacle_to_itself(claire: Agent) -> None:
    meeting = factories.meeting(claire, starts_at=at(9), now=MADE)
    found = busy([claire.pk], at(0), at(24), viewer=claire, except_meeting=meeting.pk)
    assert found == {claire.pk: []}


# --- privacy ----------------------------------------------------------------------------------------------------
def test_a_stretch_is_hours_and_a_kind_and_nothing_else() -> None:
    assert [field.name for field in dataclasses.fields(Busy)] == ["starts_at", "ends_at", "kind"]


def test_another_organisation_learns_the_hours_of_a_private_meeting_and_no_word_of_it(
    claire: Agent, karim: Agent
) -> None:
    factories.meeting(
        claire, starts_at=at(9), now=MADE, title="TITRE", place="LIEU", description="TEXTE", privacy=Privacy.PRIVATE
    )
    Leave.objects.create(agent=claire, starts_at=at(12), ends_at=at(14), note="NOTE", kind="leave")
    with CaptureQueriesContext(connection) as queries:
        found = busy([claire.pk], at(0), at(24), viewer=karim)
    assert len(queries) == 1
    assert found == {claire.pk: [Busy(at(9), at(10), Kind.BUSY), Busy(at(12), at(14), Kind.OUT)]}
    statement = str(queries[0]["sql"])
    assert not [name for name in ("title", "place", "description", "note", "privacy") if name in statement]


def test_a_closed_account_is_in_nobodys_answer_and_asks_nothing(claire: Agent, karim: Agent) -> None:
    factories.meeting(claire, guests=[karim], starts_at=at(9), now=MADE)
    Agent.objects.filter(pk=claire.pk).update(is_active=False)
    assert list(busy([claire.pk, karim.pk, 10**9], at(0), at(24), viewer=karim)) == [karim.pk]
    assert busy([karim.pk], at(0), at(24), viewer=claire) == {}


def test_nobody_asked_costs_no_query(claire: Agent) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert busy([], at(0), at(24), viewer=claire) == {}
        assert busy([claire.pk], at(24), at(0), viewer=claire) == {}
    assert len(queries) == 0


# --- against a slow reading -------------------------------------------------------------------------------------
def expected(agent: Agent, start: dt.datetime, end: dt.datetime) -> list[Busy]:
    """Minute by minute, from the rows."""
    rank = {"out": 3, "busy": 2, "tentative": 1}
    spans: list[tuple[dt.datetime, dt.datetime, str]] = [
        (leave.starts_at, leave.ends_at, "out") for leave in Leave.objects.filter(agent=agent)
    ]
    for attendee in Attendee.objects.filter(agent=agent).select_related("meeting"):
        for occurrence in attendee.meeting.occurrences.all():
            if "cancelled" in (attendee.meeting.status, occurrence.status) or attendee.answer == "declined":
                continue
            sure = attendee.role == "chair" or attendee.answer == "accepted"
            spans.append((occurrence.starts_at, occurrence.ends_at, "busy" if sure else "tentative"))
    found: list[Busy] = []
    moment, step = start, dt.timedelta(minutes=15)
    while moment < end:
        kinds = [kind for starts_at, ends_at, kind in spans if starts_at <= moment < ends_at]
        if kinds:
            kind = Kind(max(kinds, key=rank.__getitem__))
            if found and found[-1].ends_at == moment and found[-1].kind == kind:
                found[-1] = Busy(found[-1].starts_at, moment + step, kind)
            else:
                found.append(Busy(moment, moment + step, kind))
        moment += step
    return found


@pytest.mark.parametrize("seed", range(3))
def test_the_statement_says_what_the_rows_say(seed: int) -> None:
    chance = random.Random(seed)
    agents = [factories.agent() for _index in range(5)]
    for _index in range(25):
        boss = chance.choice(agents)
        meeting = factories.meeting(
            boss,
            guests=chance.sample([agent for agent in agents if agent != boss], chance.randint(0, 4)),
            now=MADE,
            starts_at=at(chance.randint(1, 360) / 4),
            minutes=chance.choice([15, 60, 600, 24 * 60]),
        )
        for attendee in meeting.attendees.exclude(role="chair"):
            Attendee.objects.filter(pk=attendee.pk).update(answer=chance.choice(Answer.values))
        if chance.random() < 0.2:
            Meeting.objects.filter(pk=meeting.pk).update(status="cancelled")
    for agent in agents[:3]:
        start = chance.randint(1, 300) / 4
        Leave.objects.create(agent=agent, starts_at=at(start), ends_at=at(start + chance.randint(1, 40)))
    for _index in range(4):
        start = at(chance.randint(0, 200) / 4)
        end = start + dt.timedelta(hours=chance.choice([1, 24, 72]))
        found = busy([agent.pk for agent in agents], start, end, viewer=agents[0])
        assert found == {agent.pk: expected(agent, start, end) for agent in agents}


# --- rooms ------------------------------------------------------------------------------------------------------
def test_rooms_are_taken_by_what_is_booked_or_waits_for_approval(claire: Agent) -> None:
    room, other = (
        Resource.objects.create(organisation=claire.organisation, name=name, site="Ségur") for name in ("2.14", "1.03")
    )
    for index, status in enumerate(("accepted", "pending", "refused", "released")):
        meeting = factories.meeting(claire, starts_at=at(9 + index), now=MADE)
        ResourceBooking.objects.create(
            resource=room,
            meeting=meeting,
            occurrence=meeting.occurrences.get(),
            during=(at(9 + index), at(10 + index)),
            status=status,
        )
    found = resources_busy([room.pk, other.pk], at(9.5), at(24))
    assert found == {
        room.pk: [Busy(at(9.5), at(10), Kind.BUSY), Busy(at(10), at(11), Kind.TENTATIVE)],
        other.pk: [],
    }
    first = Meeting.objects.order_by("pk")[0]
    assert resources_busy([room.pk], at(9), at(10), except_meeting=first.pk) == {room.pk: []}


# --- warnings ---------------------------------------------------------------------------------------------------
def test_a_meeting_in_somebodys_leave_warns_and_says_until_when(claire: Agent, karim: Agent) -> None:
    Leave.objects.create(agent=karim, starts_at=at(-1), ends_at=at(24 * 4 - 1), note="Brest")
    Leave.objects.create(agent=claire, starts_at=at(9), ends_at=at(11), is_all_day=False)
    said = warnings([claire, karim], at(9.5), at(10), viewer=claire)
    assert [one.message for one in said] == [
        "Claire Morel : absence jusqu’au lun. 23 nov. à 12:00.",
        "Karim Benali : absence jusqu’au jeu. 26 nov. inclus.",
    ]


def test_the_gravest_reason_of_each_person_is_said(claire: Agent, karim: Agent) -> None:
    sophie, lea = factories.agent("Sophie", "Lambert"), factories.agent("Léa", "Petit")
    factories.meeting(claire, guests=[karim], starts_at=at(9), now=MADE)
    set_hours(agent=sophie, stretches=[Stretch(0, dt.time(14), dt.time(18))])
    said = warnings([claire, karim, sophie, lea], at(9), at(9.5), viewer=lea)
    assert [(one.agent, one.reason) for one in said] == [(claire, "busy"), (karim, "tentative"), (sophie, "hours")]
    assert said[2].message == "Sophie Lambert ne travaille pas à cette heure."
    assert warnings([lea], at(9), at(10), viewer=claire) == []


@pytest.mark.parametrize("number", [1, 3])
def test_warnings_cost_three_queries_whatever_the_number(claire: Agent, number: int) -> None:
    people = [factories.agent() for _index in range(number)]
    for person in people:
        Leave.objects.create(agent=person, starts_at=at(0), ends_at=at(24))
    with CaptureQueriesContext(connection) as queries:
        assert len(warnings(people, at(9), at(10), viewer=claire)) == number
    assert len(queries) == 3
