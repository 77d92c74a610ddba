"""Acts on one series at the same moment, each on a connection of its own: whoever waits finds what the other left."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, transaction

from suite.agents.models import Agent
from tests import factories
from tests.visio.meetings.planned_series import (
    HOUR,
    NOW,
    START,
    WEEK,
    as_draft,
    changed,
    date,
    series,
    starts,
    went_out,
)
from tests.waiting import until
from visio.meetings.answers import answer
from visio.meetings.counters import CounterRefused, accept, propose
from visio.meetings.drafting import draft_of
from visio.meetings.exception_models import CounterProposal
from visio.meetings.horizon import HORIZON, extend_series
from visio.meetings.models import Attendee, Meeting, Occurrence
from visio.meetings.refusals import EditConflict, MeetingOver
from visio.meetings.scopes import Scope
from visio.meetings.series import cancel, change
from visio.meetings.undo import UndoRefused, undo
from visio.places.deciding import decide
from visio.places.models import Resource, ResourceBooking

pytestmark = pytest.mark.django_db(transaction=True)
REFUSALS = (EditConflict, MeetingOver, UndoRefused, CounterRefused)
Act = Callable[[], object]


@pytest.fixture
def boss() -> Agent:
    return factories.agent("Karim", "Benali")


@pytest.fixture
def anne() -> Agent:
    return factories.agent("Anne", "Le Goff")


def tried(act: Act) -> object:
    """What it gives, or how it was refused; on this thread's own connection."""
    try:
        return act()
    except REFUSALS as refused:
        return refused
    finally:
        connection.close()


def is_waiting() -> bool:
    """Whether somebody waits for a lock of this database."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(cursor.fetchone()[0])


@contextmanager
def behind(late: Act) -> Iterator[Future[object]]:
    """The body is done, and not committed yet, when `late` has begun and waits for it. The result is there afterwards."""
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            outcome: Future[object] = Future()
            yield outcome
            running = pool.submit(tried, late)
            until(is_waiting, what="the second act waits for the first")
        outcome.set_result(running.result(30))


def moved(meeting: Meeting, occurrence: Occurrence, scope: Scope, **changes: Any) -> Act:
    """An editor's act, whose form was filled before anything else happened."""
    asked = dataclasses.replace(draft_of(meeting, occurrence, scope=scope), **changes)
    fresh, revision = Meeting.objects.get(pk=meeting.pk), meeting.revision
    return lambda: change(
        meeting=fresh, occurrence=occurrence, scope=scope, by=meeting.organiser, draft=asked, revision=revision, now=NOW
    )


def cancelled(meeting: Meeting, occurrence: Occurrence, scope: Scope) -> Act:
    """By a program that names no version."""
    fresh = Meeting.objects.get(pk=meeting.pk)
    return lambda: cancel(meeting=fresh, occurrence=occurrence, scope=scope, by=meeting.organiser, now=NOW)


def version(meeting: Meeting) -> tuple[int, int]:
    found = Meeting.objects.get(pk=meeting.pk)
    return found.sequence, found.revision


def test_what_follows_a_date_is_cancelled_from_where_the_date_is_now(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne)
    third = date(meeting, 2)
    with behind(cancelled(meeting, third, Scope.FOLLOWING)) as outcome:
        # An hour earlier: the third date lies before the one that the other saw.
        moved(meeting, date(meeting, 0), Scope.ALL, start_time=dt.time(9))()
    assert outcome.result() is None
    assert starts(meeting) == [START - HOUR, START + WEEK - HOUR]
    assert version(meeting) == (2, 3)


def test_what_follows_is_cancelled_once_by_two(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne)
    went_out(meeting)
    third = date(meeting, 2)
    with behind(cancelled(meeting, third, Scope.FOLLOWING)) as outcome:
        cancelled(meeting, third, Scope.FOLLOWING)()
    assert outcome.result() is None
    assert version(meeting) == (1, 2)
    assert meeting.deliveries.filter(state="owed").count() == 1


@pytest.mark.parametrize("scope", [Scope.ONE, Scope.FOLLOWING])
def test_a_date_that_became_another_meetings_is_not_cancelled_there_nor_said_to_be(
    boss: Agent, anne: Agent, scope: Scope
) -> None:
    meeting = series(boss, anne)
    fourth = date(meeting, 3)
    split = moved(meeting, date(meeting, 2), Scope.FOLLOWING, start_time=dt.time(15))
    with behind(cancelled(meeting, fourth, scope)) as outcome:
        rest = split()
    assert isinstance(outcome.result(), MeetingOver)
    assert isinstance(rest, Meeting)
    assert len(starts(rest)) == 4
    assert len(starts(meeting)) == 2
    assert version(meeting) == (1, 2)


def test_an_editor_of_a_date_that_is_cancelled_meanwhile_is_told_so(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne)
    edit = moved(meeting, date(meeting, 4), Scope.ONE, start_time=dt.time(15))
    with behind(edit) as outcome:
        cancelled(meeting, date(meeting, 3), Scope.FOLLOWING)()
    conflict = outcome.result()
    assert isinstance(conflict, EditConflict)
    assert [one.kind for one in conflict.changes] == ["cancelled"]
    assert len(starts(meeting)) == 3


def test_a_counter_to_a_date_that_is_cancelled_meanwhile_moves_nothing(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne)
    fifth = date(meeting, 4)
    counter = propose(
        attendee=meeting.attendees.get(agent=anne),
        occurrence=fifth,
        starts_at=fifth.starts_at + HOUR,
        ends_at=fifth.ends_at + HOUR,
        via="portal",
        now=NOW,
    )
    seen = CounterProposal.objects.select_related("meeting", "occurrence").get(pk=counter.pk)
    with behind(lambda: accept(counter=seen, by=boss, now=NOW)) as outcome:
        moved(meeting, date(meeting, 3), Scope.FOLLOWING, start_time=dt.time(15))()
    refused = outcome.result()
    assert isinstance(refused, CounterRefused)
    assert refused.reason == "decided"
    assert version(meeting) == (1, 2)
    assert Occurrence.objects.filter(is_override=True).count() == 0


def test_undo_and_an_editor_at_the_same_moment_do_not_both_win(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne)
    cancelled(meeting, date(meeting, 2), Scope.ONE)()
    meeting.refresh_from_db()
    edit = moved(meeting, date(meeting, 1), Scope.ONE, start_time=dt.time(15))
    with behind(lambda: undo(meeting=meeting, by=boss, now=NOW)) as outcome:
        edit()
    refused = outcome.result()
    assert isinstance(refused, UndoRefused)
    assert refused.reason == "changed"
    assert (len(starts(meeting)), version(meeting)) == (5, (2, 3))

    meeting.refresh_from_db()
    late = moved(meeting, date(meeting, 4), Scope.ONE, start_time=dt.time(16))
    with behind(late) as outcome:
        undo(meeting=meeting, by=boss, now=NOW)
    assert isinstance(outcome.result(), EditConflict)
    assert START + WEEK in starts(meeting)


def test_an_answer_while_undo_is_pressed_is_kept(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne)
    cancelled(meeting, date(meeting, 2), Scope.ONE)()
    guest = meeting.attendees.get(agent=anne)
    with behind(lambda: answer(attendee=guest, answer="accepted", via="portal", now=NOW)) as outcome:
        undo(meeting=meeting, by=boss, now=NOW)
    assert isinstance(outcome.result(), Attendee)
    assert meeting.attendees.get(agent=anne).answer == "accepted"
    assert len(starts(meeting)) == 6


def test_the_horizon_passes_by_who_is_edited_and_comes_again(boss: Agent) -> None:
    meeting = series(boss, rule="FREQ=WEEKLY")
    later = NOW + dt.timedelta(days=40)
    edit = moved(meeting, date(meeting, 0), Scope.ALL, start_time=dt.time(15))
    with transaction.atomic(), ThreadPoolExecutor(1) as pool:
        edit()
        assert pool.submit(tried, lambda: extend_series(now=later)).result(30) == 0

    # And the other way round: the editor waits, and finds what the horizon laid.
    meeting.refresh_from_db()
    edit = moved(meeting, date(meeting, 0), Scope.ALL, start_time=dt.time(16))
    with behind(edit) as outcome:
        assert extend_series(now=later) == 1
    assert isinstance(outcome.result(), Meeting)
    extend_series(now=later)
    found = starts(meeting)
    assert found == sorted(set(found))
    assert {later - earlier for earlier, later in itertools.pairwise(found)} <= {
        WEEK,
        WEEK + HOUR,
        WEEK - HOUR,
    }
    assert found[-1] > NOW + HORIZON + dt.timedelta(days=40) - WEEK
    assert {one.hour for one in found} == {14, 15}


def test_a_room_refused_while_its_date_moves_is_decided_by_who_came_first(boss: Agent) -> None:
    room = Resource.objects.create(organisation=boss.organisation, name="Ségur", site="Ségur", needs_approval=True)
    manager = factories.agent(organisation=boss.organisation)
    room.managers.add(manager)
    meeting = series(boss, resources=(room.pk,))
    third = date(meeting, 2)

    def refuse() -> object:
        ids = list(ResourceBooking.objects.filter(meeting=meeting).values_list("pk", flat=True))
        return decide(by=manager, booking_ids=ids, accept=False, words="Travaux", now=NOW).number

    asked = [row.pk for row in ResourceBooking.objects.filter(meeting=meeting)]
    with behind(lambda: decide(by=manager, booking_ids=asked, accept=False, now=NOW).number) as outcome:
        moved(meeting, third, Scope.ONE, start_time=dt.time(15))()
    # The moved date asks anew, for a time that nobody refused.
    assert outcome.result() == 5
    assert dict(ResourceBooking.objects.filter(occurrence=third).values_list("occurrence", "status")) == {
        third.pk: "pending"
    }

    with behind(lambda: undo(meeting=meeting, by=boss, now=NOW)) as outcome:
        assert refuse() == 1
    assert isinstance(outcome.result(), Meeting)
    # Taken back, it is its own hour that is asked for; the others stay refused.
    statuses = ResourceBooking.objects.filter(meeting=meeting).order_by("during").values_list("status", flat=True)
    assert list(statuses) == ["refused", "refused", "pending", "refused", "refused", "refused"]
    assert len(starts(meeting)) == 6


def test_all_of_it_at_once_ends_well(boss: Agent, anne: Agent) -> None:
    """No deadlock, no act half done: several rounds of everything that may happen to a series with rooms."""
    rooms = [
        Resource.objects.create(organisation=boss.organisation, name=name, site="Ségur", needs_approval=name == "B")
        for name in "ABC"
    ]
    manager = factories.agent(organisation=boss.organisation)
    rooms[1].managers.add(manager)
    guests = [factories.agent() for _number in range(4)]
    meeting = series(boss, anne, *guests, rule="FREQ=WEEKLY", resources=(rooms[0].pk, rooms[1].pk))
    went_out(meeting)

    def refuse() -> object:
        ids = list(ResourceBooking.objects.filter(status="pending").values_list("pk", flat=True)[:30])
        return decide(by=manager, booking_ids=ids, accept=False, now=NOW).number

    def answers(guest: Attendee) -> Act:
        return lambda: answer(attendee=guest, answer="accepted", via="portal", now=NOW)

    for number in range(4):
        meeting.refresh_from_db()
        last = meeting.occurrences.count() - 1
        others = (rooms[2].pk, rooms[1].pk) if number % 2 else (rooms[0].pk, rooms[1].pk)
        acts: list[Act] = [
            moved(meeting, date(meeting, min(3, last)), Scope.ONE, start_time=dt.time(15 + number)),
            moved(
                meeting, date(meeting, min(6, last)), Scope.FOLLOWING, start_time=dt.time(9 + number), resources=others
            ),
            cancelled(meeting, date(meeting, min(2 + number, last)), Scope.ONE),
            lambda: undo(meeting=Meeting.objects.get(pk=meeting.pk), by=boss, now=NOW),
            refuse,
            lambda: extend_series(now=NOW + dt.timedelta(days=40)),
            *(answers(one) for one in meeting.attendees.exclude(role="chair")[:3]),
        ]
        with ThreadPoolExecutor(len(acts)) as pool:
            for running in [pool.submit(tried, act) for act in acts]:
                running.result(60)

    for one in Meeting.objects.all():
        ids = list(one.occurrences.order_by("recurrence_id").values_list("recurrence_id", flat=True))
        assert len(ids) == len(set(ids)) > 0
        chair = one.attendees.get(role="chair")
        dates = one.occurrences.filter(status="confirmed").order_by("starts_at")
        first = dates.first() or one.occurrences.order_by("starts_at")[0]
        assert chair.starts_at == first.starts_at
        held = ResourceBooking.objects.filter(meeting=one, status__in=["pending", "accepted"])
        for row in held.select_related("occurrence"):
            assert row.occurrence.meeting_id == one.pk
            assert (row.during.lower, row.during.upper) == (row.occurrence.starts_at, row.occurrence.ends_at)
            assert row.occurrence.status == "confirmed"
    versions = list(meeting.changes.order_by("pk").values_list("revision", flat=True))
    assert versions == sorted(versions)
    assert changed(
        Meeting.objects.get(pk=meeting.pk),
        date(meeting, 0),
        Scope.ALL,
        as_draft(meeting, date(meeting, 0), title="Fin"),
    )
