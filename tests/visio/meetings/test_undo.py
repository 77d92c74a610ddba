"""Taking back a cancel or a move before anything of it is mailed."""

import datetime as dt
from typing import Any

import pytest

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
    draft,
    owed,
    series,
    starts,
    went_out,
)
from visio.meetings.answers import answer
from visio.meetings.invitations import deliver
from visio.meetings.models import Meeting
from visio.meetings.queries import agenda
from visio.meetings.scheduling import schedule_meeting
from visio.meetings.scopes import Scope
from visio.meetings.series import cancel, change
from visio.meetings.undo import UndoRefused, undo, undo_offer

pytestmark = pytest.mark.django_db
SOON = NOW + dt.timedelta(seconds=3)
LATE = NOW + dt.timedelta(seconds=11)


def picture(meeting: Meeting) -> list[Any]:
    """All that an undo must bring back."""
    meeting.refresh_from_db()
    return [
        (meeting.title, meeting.status, meeting.rrule, meeting.until, meeting.start_time, meeting.room_id),
        list(
            meeting.occurrences.order_by("recurrence_id").values_list(
                "pk", "recurrence_id", "starts_at", "ends_at", "status", "title", "is_override"
            )
        ),
        list(
            meeting.attendees.order_by("pk").values_list(
                "pk", "email", "answer", "is_series", "starts_at", "ends_at", "only_occurrence", "link_hash"
            )
        ),
        sorted(
            meeting.attendees.exclude(exceptions=None).values_list(
                "exceptions__occurrence", "exceptions__answer", "exceptions__removed"
            ),
            key=str,
        ),
    ]


def test_a_cancelled_meeting_comes_back_and_nobody_hears(boss: Agent, anne: Agent) -> None:
    meeting = schedule_meeting(by=boss, draft=draft(guests=[anne]), now=NOW)
    went_out(meeting)
    before = picture(meeting)

    cancel(meeting=meeting, by=boss, now=NOW)
    assert {row.due_at for row in meeting.deliveries.filter(state="owed")} == {NOW + dt.timedelta(seconds=10)}
    assert deliver(now=SOON).claimed == 0
    assert undo_offer(meeting, boss, SOON) is not None
    assert undo_offer(meeting, anne, SOON) is None
    undo(meeting=meeting, by=boss, now=SOON)

    assert picture(meeting) == before
    assert (meeting.revision, meeting.sequence) == (3, 1)
    assert owed(meeting) == []
    assert meeting.room is not None
    assert meeting.room.closed_at is None
    assert [change.kind for change in meeting.changes.all()] == ["restored", "cancelled", "created"]
    assert len(agenda([anne.pk], START, START + WEEK, anne)) == 1


@pytest.mark.parametrize("scope", list(Scope))
@pytest.mark.parametrize("what", ["cancel", "move"])
def test_every_act_on_a_series_is_taken_back(boss: Agent, anne: Agent, scope: Scope, what: str) -> None:
    paul = factories.agent("Paul", "Petit")
    meeting = series(boss, anne, paul)
    fourth = date(meeting, 3)
    guest = factories.agent()
    meeting = changed(meeting, fourth, Scope.ONE, as_draft(meeting, fourth, anne, guest, title="Bilan"))
    went_out(meeting)
    for who in (anne, paul):
        answer(attendee=meeting.attendees.get(agent=who), answer="accepted", via="portal", now=NOW)
    before, third = picture(meeting), date(meeting, 2)

    if what == "cancel":
        result = meeting
        cancel(meeting=meeting, occurrence=third, scope=scope, by=boss, now=NOW)
    else:
        asked = as_draft(meeting, third, anne, factories.agent(), starts_at=third.starts_at + HOUR)
        result = changed(meeting, third, scope, asked)
    assert picture(meeting) != before
    revision = meeting.revision
    # From whichever page it is asked.
    assert undo_offer(result, boss, SOON) is not None
    restored = undo(meeting=result, by=boss, now=SOON)

    assert restored.pk == meeting.pk
    assert picture(meeting) == before
    assert meeting.revision == revision + 1
    assert owed(meeting) == []
    if result.pk != meeting.pk:
        assert picture(result)[0][1] == "cancelled"
        assert owed(result) == []
        assert [one.role for one in result.attendees.all()] == ["chair"]
    with pytest.raises(UndoRefused):
        undo(meeting=result, by=boss, now=SOON)


def test_what_the_act_had_superseded_is_owed_again(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne)

    cancel(meeting=meeting, by=boss, now=NOW)
    assert owed(meeting) == []
    undo(meeting=meeting, by=boss, now=SOON)

    assert owed(meeting) == [(anne.email, "REQUEST", "invited", "")]
    [row] = meeting.deliveries.filter(state="owed")
    meeting.refresh_from_db()
    assert (row.revision, row.sequence) == (meeting.revision, meeting.sequence)


def test_too_late(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne)
    went_out(meeting)
    cancel(meeting=meeting, occurrence=date(meeting, 1), scope=Scope.ONE, by=boss, now=NOW)

    assert undo_offer(meeting, boss, LATE) is None
    with pytest.raises(UndoRefused) as refused:
        undo(meeting=meeting, by=boss, now=LATE)
    assert refused.value.reason == "too_late"
    assert refused.value.message


def test_a_mail_that_left_early_cannot_be_taken_back(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne)
    went_out(meeting)
    cancel(meeting=meeting, by=boss, now=NOW)
    meeting.deliveries.filter(state="owed").update(state="sending")

    with pytest.raises(UndoRefused):
        undo(meeting=meeting, by=boss, now=SOON)
    assert Meeting.objects.get(pk=meeting.pk).is_cancelled


def test_a_later_edit_makes_it_void(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne)
    second = date(meeting, 1)
    meeting = changed(meeting, second, Scope.ONE, as_draft(meeting, second, anne, starts_at=second.starts_at + HOUR))
    assert undo_offer(meeting, boss, SOON) is not None

    meeting = changed(meeting, date(meeting, 0), Scope.ALL, as_draft(meeting, date(meeting, 0), anne, title="Autre"))

    assert undo_offer(meeting, boss, SOON) is None
    assert starts(meeting)[1] == START + WEEK + HOUR


def test_words_alone_go_at_once_and_offer_no_undo(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne)
    went_out(meeting)

    asked = as_draft(meeting, date(meeting, 0), anne, title="Autre")
    meeting = change(meeting=meeting, scope=Scope.ALL, by=boss, draft=asked, revision=1, now=NOW)

    assert undo_offer(meeting, boss, SOON) is None
    assert {row.due_at for row in meeting.deliveries.filter(state="owed")} == {NOW}


def test_a_single_date_that_was_split_off_ends_as_a_single_date(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne)
    last = date(meeting, 5)
    rest = changed(meeting, last, Scope.FOLLOWING, as_draft(meeting, last, anne, rule=""))
    assert not rest.is_series
    undo(meeting=meeting, by=boss, now=SOON)
    assert [one.recurrence_id for one in rest.occurrences.all()] == [None]


@pytest.mark.parametrize("scope", [Scope.ONE, Scope.FOLLOWING])
def test_what_people_answered_meanwhile_stays(boss: Agent, anne: Agent, scope: Scope) -> None:
    meeting = series(boss, anne)
    answer(attendee=meeting.attendees.get(agent=anne), answer="declined", via="portal", now=NOW - HOUR)
    cancel(meeting=meeting, occurrence=date(meeting, 3), scope=scope, by=boss, now=NOW)
    second = date(meeting, 1)
    given: dict[str, Any] = {"attendee": meeting.attendees.get(agent=anne), "via": "portal", "now": SOON}
    answer(answer="accepted", **given)
    answer(answer="tentative", occurrence=second, comment="Peut-être", **given)

    undo(meeting=meeting, by=boss, now=SOON)

    row = meeting.attendees.get(agent=anne)
    assert (row.answer, row.answered_at) == ("accepted", SOON)
    said = second.exceptions.get()
    assert (said.answer, said.comment, said.attendee_id) == ("tentative", "Peut-être", row.pk)
    assert len(starts(meeting)) == 6


def test_what_people_answered_to_a_time_that_is_taken_back_goes_with_it(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne)
    second = date(meeting, 1)
    given: dict[str, Any] = {"attendee": meeting.attendees.get(agent=anne), "via": "portal"}
    answer(answer="accepted", occurrence=second, now=NOW - HOUR, **given)
    changed(meeting, second, Scope.ONE, as_draft(meeting, second, anne, starts_at=second.starts_at + HOUR, rule=""))
    answer(answer="declined", occurrence=second, now=SOON, **given)
    undo(meeting=meeting, by=boss, now=SOON)
    assert second.exceptions.get().answer == "accepted"
