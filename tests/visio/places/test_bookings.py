"""Booking rooms for one date and for series, following moves, giving back (R17 without its threads)."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from suite.agents.models import Agent
from tests import factories
from tests.visio.places.rooms import NOW, at, booked, room, rows
from visio.meetings import booked as following
from visio.meetings.horizon import HORIZON, extend_series
from visio.meetings.models import ChangeKind, Meeting, Status
from visio.meetings.refusals import DraftRefused
from visio.meetings.scheduling import cancel_meeting, edit_meeting
from visio.places.bookings import MOST_RESOURCES, BookedDate, book, rebook, release
from visio.places.models import ResourceBooking
from visio.places.refusals import ResourcesRefused, ResourcesTaken

pytestmark = pytest.mark.django_db


@pytest.fixture
def organiser() -> Agent:
    return factories.agent()


def dates_of(meeting: Meeting) -> list[BookedDate]:
    return [BookedDate(one.pk, one.starts_at, one.ends_at) for one in meeting.occurrences.order_by("starts_at")]


def conflicts(refused: pytest.ExceptionInfo[DraftRefused]) -> list[tuple[str, dt.datetime]]:
    cause = refused.value.__cause__
    assert isinstance(cause, ResourcesTaken)
    return [(one.name, one.starts_at) for one in cause.conflicts]


def test_a_meeting_has_its_rooms(organiser: Agent) -> None:
    small, beamer = room(organiser.organisation), room(organiser.organisation, "Projecteur", kind="resource")
    meeting = booked(organiser, small, beamer, starts_at=at(1, 10))
    assert rows(meeting) == [
        ("Fontenoy 1.03", at(1, 10), at(1, 11), "accepted"),
        ("Projecteur", at(1, 10), at(1, 11), "accepted"),
    ]


def test_r17_back_to_back_is_no_conflict(organiser: Agent) -> None:
    small = room(organiser.organisation)
    for hour in (11, 10, 12):
        booked(organiser, small, starts_at=at(1, hour))
    assert ResourceBooking.objects.count() == 3


@pytest.mark.parametrize(
    ("hour", "minute", "minutes"), [(10, 0, 60), (9, 30, 31), (10, 59, 30), (9, 0, 240), (10, 15, 15)]
)
def test_r17_any_overlap_is_refused_and_nothing_stays(organiser: Agent, hour: int, minute: int, minutes: int) -> None:
    small, other = room(organiser.organisation), room(organiser.organisation, "Fontenoy 2.01")
    booked(organiser, small, starts_at=at(1, 10))
    with pytest.raises(DraftRefused) as refused:
        booked(organiser, other, small, starts_at=at(1, hour, minute), minutes=minutes)
    assert conflicts(refused) == [("Fontenoy 1.03 (Fontenoy)", at(1, hour, minute))]
    [message] = refused.value.errors["resources"]
    assert "« Fontenoy 1.03 (Fontenoy) » n’est pas libre : mar. 24 nov. 2026" in message
    assert (ResourceBooking.objects.count(), Meeting.objects.count()) == (1, 1)


def test_r17_a_weekly_booking_leaves_the_rest_of_the_week(organiser: Agent) -> None:
    small = room(organiser.organisation)
    weekly = booked(organiser, small, starts_at=at(1, 10), rule="FREQ=WEEKLY;COUNT=10")
    assert [lower for _name, lower, _upper, _status in rows(weekly)] == [at(1 + 7 * week, 10) for week in range(10)]
    for day in (2, 3, 6, 7):
        booked(organiser, small, starts_at=at(day, 10))
    booked(organiser, small, starts_at=at(8, 9))
    booked(organiser, small, starts_at=at(8, 11), minutes=120)
    with pytest.raises(DraftRefused):
        booked(organiser, small, starts_at=at(8, 10, 30))


def test_every_conflict_of_a_series_is_named(organiser: Agent) -> None:
    small, large = room(organiser.organisation), room(organiser.organisation, "Grande salle")
    booked(organiser, small, starts_at=at(8, 10))
    booked(organiser, large, starts_at=at(15, 9, 30))
    with pytest.raises(DraftRefused) as refused:
        booked(organiser, small, large, starts_at=at(1, 10), rule="FREQ=WEEKLY;COUNT=4")
    assert conflicts(refused) == [
        ("Fontenoy 1.03 (Fontenoy)", at(8, 10)),
        ("Grande salle (Fontenoy)", at(15, 10)),
    ]
    assert ResourceBooking.objects.count() == 2


def test_many_conflicts_are_counted_in_words(organiser: Agent) -> None:
    small = room(organiser.organisation)
    booked(organiser, small, starts_at=at(1, 10), rule="FREQ=DAILY;COUNT=9")
    with pytest.raises(DraftRefused) as refused:
        booked(organiser, small, starts_at=at(1, 10), rule="FREQ=DAILY;COUNT=9")
    [message] = refused.value.errors["resources"]
    assert message.endswith("et 4 autres dates.")


def test_a_series_does_not_meet_itself(organiser: Agent) -> None:
    """Daily meetings of thirty hours: the second begins before the first is over."""
    small = room(organiser.organisation)
    with pytest.raises(DraftRefused) as refused:
        booked(organiser, small, starts_at=at(1, 10), minutes=30 * 60, rule="FREQ=DAILY;COUNT=3")
    assert "deux dates à la fois" in refused.value.errors["resources"][0]
    assert ResourceBooking.objects.count() == 0


def test_what_was_written_before_in_the_transaction_stays(organiser: Agent) -> None:
    small = room(organiser.organisation)
    booked(organiser, small, starts_at=at(1, 10))
    late = factories.meeting(organiser, starts_at=at(1, 10), now=NOW)
    with transaction.atomic():
        organiser.job_title = "Cheffe"
        organiser.save()
        with pytest.raises(ResourcesTaken):
            book(meeting=late, dates=dates_of(late), resource_ids=[small.pk], by=organiser, now=NOW)
    organiser.refresh_from_db()
    assert (organiser.job_title, ResourceBooking.objects.count()) == ("Cheffe", 1)


def test_booking_twice_is_booking_once(organiser: Agent) -> None:
    small = room(organiser.organisation)
    meeting = booked(organiser, small, starts_at=at(1, 10))
    before = list(ResourceBooking.objects.values())
    book(meeting=meeting, dates=dates_of(meeting), resource_ids=[small.pk], by=organiser, now=NOW)
    rebook(meeting=meeting, dates=dates_of(meeting), resource_ids=[small.pk], by=organiser, now=NOW)
    following.follow(meeting, by=organiser, now=NOW)
    assert list(ResourceBooking.objects.values()) == before


@pytest.mark.parametrize("number", [MOST_RESOURCES + 1, 500])
def test_500_resources_at_once_are_refused_without_asking_the_database(organiser: Agent, number: int) -> None:
    meeting = factories.meeting(organiser, starts_at=at(1, 10), now=NOW)
    dates = dates_of(meeting)
    with CaptureQueriesContext(connection) as queries, pytest.raises(ResourcesRefused) as refused:
        book(meeting=meeting, dates=dates, resource_ids=range(number), by=organiser, now=NOW)
    assert (len(queries), refused.value.reason) == (0, "too_many")
    assert f"20 salles et équipements au plus par réunion : il y en a {number}." in refused.value.message


def test_the_most_that_may_be_had(organiser: Agent) -> None:
    many = [room(organiser.organisation, f"Salle {number}") for number in range(MOST_RESOURCES)]
    meeting = booked(organiser, *many, starts_at=at(1, 10), rule="FREQ=WEEKLY;COUNT=52")
    assert len(rows(meeting)) == MOST_RESOURCES * 52


def test_rooms_of_others_closed_and_unknown_ones(organiser: Agent) -> None:
    foreign = room(factories.organisation())
    closed = room(organiser.organisation, is_active=False)
    for resource_id in (foreign.pk, closed.pk, 2**40):
        with pytest.raises(DraftRefused) as refused:
            schedule(organiser, (resource_id,))
        assert list(refused.value.errors) == ["resources"]
    assert ResourceBooking.objects.count() == 0


def schedule(organiser: Agent, resources: tuple[int, ...]) -> Meeting:
    from visio.meetings.scheduling import schedule_meeting

    draft = factories.draft(starts_at=at(1, 10), now=NOW, resources=resources)
    return schedule_meeting(by=organiser, draft=draft, now=NOW)


def edit(meeting: Meeting, organiser: Agent, **changes: Any) -> Meeting:
    draft = factories.draft(starts_at=meeting.occurrences.earliest("starts_at").starts_at, now=NOW, rule=meeting.rrule)
    return edit_meeting(
        meeting=meeting, by=organiser, draft=replace(draft, **changes), revision=meeting.revision, now=NOW
    )


def test_a_move_takes_the_room_along_and_frees_the_old_hour(organiser: Agent) -> None:
    small = room(organiser.organisation)
    meeting = booked(organiser, small, starts_at=at(1, 10))
    edit(meeting, organiser, start_time=dt.time(10, 30), resources=(small.pk,))
    assert rows(meeting) == [("Fontenoy 1.03", at(1, 10, 30), at(1, 11, 30), "accepted")]
    booked(organiser, small, starts_at=at(1, 9, 30))


def test_a_series_moves_onto_its_own_old_dates(organiser: Agent) -> None:
    """Every day moved by a day: each date takes the place of the next one."""
    small = room(organiser.organisation)
    meeting = booked(organiser, small, starts_at=at(1, 10), rule="FREQ=DAILY;COUNT=5")
    edit(meeting, organiser, start_date=at(2, 10).date(), resources=(small.pk,))
    assert [row[1] for row in rows(meeting)] == [at(day, 10) for day in range(2, 7)]


def test_a_move_onto_somebody_elses_hour_changes_nothing(organiser: Agent) -> None:
    small = room(organiser.organisation)
    booked(organiser, small, starts_at=at(1, 14))
    meeting = booked(organiser, small, starts_at=at(1, 10))
    with pytest.raises(DraftRefused):
        edit(meeting, organiser, start_time=dt.time(14), resources=(small.pk,))
    meeting.refresh_from_db()
    assert (meeting.start_time, rows(meeting)[0][1], meeting.sequence) == (dt.time(10), at(1, 10), 0)


def test_another_room_instead(organiser: Agent) -> None:
    small, large = room(organiser.organisation), room(organiser.organisation, "Grande salle")
    meeting = booked(organiser, small, starts_at=at(1, 10))
    edit(meeting, organiser, resources=(large.pk,))
    assert rows(meeting) == [("Grande salle", at(1, 10), at(1, 11), "accepted")]
    booked(organiser, small, starts_at=at(1, 10))


def test_a_cancelled_meeting_gives_its_rooms_back(organiser: Agent) -> None:
    small = room(organiser.organisation)
    meeting = booked(organiser, small, starts_at=at(1, 10), rule="FREQ=DAILY;COUNT=3")
    cancel_meeting(meeting=meeting, by=organiser, now=NOW)
    assert {row[3] for row in rows(meeting)} == {"released"}
    booked(organiser, small, starts_at=at(1, 10))


def test_one_date_gives_its_room_back(organiser: Agent) -> None:
    small = room(organiser.organisation)
    meeting = booked(organiser, small, starts_at=at(1, 10), rule="FREQ=DAILY;COUNT=3")
    second = meeting.occurrences.order_by("starts_at")[1]
    release(meeting=meeting, occurrence_ids=[second.pk])
    assert [row[3] for row in rows(meeting)] == ["accepted", "released", "accepted"]


def test_what_was_given_back_is_taken_again_by_an_undo(organiser: Agent) -> None:
    small = room(organiser.organisation)
    meeting = booked(organiser, small, starts_at=at(1, 10), rule="FREQ=DAILY;COUNT=3")
    release(meeting=meeting)
    following.follow(meeting, by=organiser, now=NOW, or_without=True)
    assert [row[3] for row in rows(meeting)] == ["accepted"] * 3


def test_an_undo_goes_on_without_a_room_that_somebody_took(organiser: Agent) -> None:
    small = room(organiser.organisation)
    meeting = booked(organiser, small, starts_at=at(1, 10), rule="FREQ=DAILY;COUNT=3")
    release(meeting=meeting)
    booked(organiser, small, starts_at=at(2, 10))
    following.follow(meeting, by=organiser, now=NOW, or_without=True)
    assert [row[3] for row in rows(meeting)] == ["accepted", "refused", "accepted"]
    line = meeting.changes.get(kind=ChangeKind.BOOKED)
    assert (line.details["act"], line.details["dates"]) == ("missed", 1)


def test_dates_that_are_over_keep_their_booking(organiser: Agent) -> None:
    small = room(organiser.organisation)
    meeting = booked(organiser, small, starts_at=at(1, 10), rule="FREQ=DAILY;COUNT=3")
    later = at(2, 12)
    rebook(meeting=meeting, dates=dates_of(meeting), resource_ids=[], by=organiser, now=later)
    assert [row[1] for row in rows(meeting)] == [at(1, 10), at(2, 10)]


# --- The horizon ------------------------------------------------------------------------------------------------------
def endless(organiser: Agent, *rooms: Any) -> Meeting:
    return booked(organiser, *rooms, starts_at=at(1, 10), rule="FREQ=WEEKLY")


def test_new_dates_of_a_series_get_its_rooms(organiser: Agent) -> None:
    small = room(organiser.organisation)
    meeting = endless(organiser, small)
    first = meeting.occurrences.count()
    later = NOW + dt.timedelta(days=60)
    assert extend_series(now=later) == 1
    assert meeting.occurrences.count() > first
    assert {row[1] for row in rows(meeting)} == set(meeting.occurrences.values_list("starts_at", flat=True))
    before = rows(meeting)
    following.extend({meeting.pk: NOW}, now=later)
    assert rows(meeting) == before


def test_a_new_date_that_cannot_have_the_room_is_told_and_not_raised(organiser: Agent) -> None:
    small = room(organiser.organisation)
    meeting = endless(organiser, small)
    edge = meeting.occurrences.latest("starts_at").starts_at
    taken = edge + dt.timedelta(days=14)
    booked(organiser, small, starts_at=taken, title="Séminaire")
    extend_series(now=NOW + dt.timedelta(days=60))
    assert [row[1:] for row in rows(meeting) if row[3] == "refused"] == [
        (taken, taken + dt.timedelta(hours=1), "refused")
    ]
    line = meeting.changes.get(kind=ChangeKind.BOOKED)
    assert (line.by, line.details["dates"], line.details["resource"]) == (None, 1, "Fontenoy 1.03 (Fontenoy)")
    # An edit of the title is not refused because of a date that never had the room.
    edit(meeting, organiser, title="Autre titre", resources=(small.pk,))
    assert [row[3] for row in rows(meeting)].count("refused") == 1


def test_a_series_whose_room_was_closed_goes_on_without(organiser: Agent) -> None:
    small = room(organiser.organisation)
    meeting = endless(organiser, small)
    known = len(rows(meeting))
    small.is_active = False
    small.save()
    extend_series(now=NOW + dt.timedelta(days=60))
    assert [row[3] for row in rows(meeting)[known:]].count("accepted") == 0
    assert meeting.changes.filter(kind=ChangeKind.BOOKED).count() == 1


def test_extending_without_rooms_asks_once(organiser: Agent, django_assert_num_queries: Any) -> None:
    meeting = factories.meeting(organiser, starts_at=at(1, 10), now=NOW, rule="FREQ=WEEKLY")
    with django_assert_num_queries(3):  # one, in a savepoint
        following.extend({meeting.pk: NOW + HORIZON}, now=NOW)


def test_queries_of_a_series_do_not_grow_with_its_dates(organiser: Agent) -> None:
    def queries(name: str, count: int) -> int:
        small = room(organiser.organisation, name)
        meeting = factories.meeting(organiser, starts_at=at(1, 10), now=NOW, rule=f"FREQ=DAILY;COUNT={count}")
        with CaptureQueriesContext(connection) as captured:
            rebook(meeting=meeting, dates=dates_of(meeting), resource_ids=[small.pk], by=organiser, now=NOW)
        return len(captured)

    assert queries("Trois", 3) == queries("Trois cents", 300)


def test_cancelled_dates_are_not_booked(organiser: Agent) -> None:
    small = room(organiser.organisation)
    meeting = factories.meeting(organiser, starts_at=at(1, 10), now=NOW, rule="FREQ=DAILY;COUNT=3")
    second = meeting.occurrences.order_by("starts_at")[1]
    second.status = Status.CANCELLED
    second.save()
    following.follow(meeting, by=organiser, now=NOW, resource_ids=[small.pk])
    assert [row[1] for row in rows(meeting)] == [at(1, 10), at(3, 10)]
