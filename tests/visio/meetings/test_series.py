"""A series is planned, changed and cancelled: one date, this and the following, all."""

import dataclasses
import datetime as dt
from typing import Any

import pytest

from suite.agents.models import Agent
from suite.agents.time_models import Delegation
from tests import factories
from visio.meetings.answers import answer
from visio.meetings.dates import occurrence_key
from visio.meetings.drafts import MeetingDraft, validate_draft
from visio.meetings.exception_models import AttendeeException
from visio.meetings.horizon import HORIZON
from visio.meetings.models import OPEN_END, Attendee, Meeting, Occurrence
from visio.meetings.queries import agenda
from visio.meetings.refusals import DraftRefused, EditConflict, MeetingOver, NotOrganiser
from visio.meetings.scheduling import schedule_meeting
from visio.meetings.scopes import Notify, Scope
from visio.meetings.series import cancel, change

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)
# A Tuesday, 10:00 in Paris.
START = dt.datetime(2026, 11, 24, 9, 0, tzinfo=dt.UTC)
WEEK = dt.timedelta(days=7)
HOUR = dt.timedelta(hours=1)
WEEKLY = "FREQ=WEEKLY;COUNT=6"
OPEN = "FREQ=WEEKLY"


@pytest.fixture
def boss() -> Agent:
    return factories.agent("Karim", "Benali")


@pytest.fixture
def anne() -> Agent:
    return factories.agent("Anne", "Le Goff")


def draft(**fields: Any) -> MeetingDraft:
    fields.setdefault("starts_at", START)
    return factories.draft(now=NOW, **fields)


def series(boss: Agent, *guests: Agent | str, rule: str = WEEKLY, **fields: Any) -> Meeting:
    return schedule_meeting(by=boss, draft=draft(guests=guests, rule=rule, **fields), now=NOW)


def went_out(meeting: Meeting) -> None:
    meeting.deliveries.filter(state="owed").update(state="sent", sent_at=NOW, attempts=1)


def owed(meeting: Meeting) -> list[tuple[str, str, str, str]]:
    rows = meeting.deliveries.filter(state="owed").order_by("recipient", "pk")
    return [
        (row.recipient, row.method, row.reason, f"{row.recurrence_id:%m-%d}" if row.recurrence_id else "")
        for row in rows
    ]


def starts(meeting: Meeting) -> list[dt.datetime]:
    return list(
        meeting.occurrences.filter(status="confirmed").order_by("starts_at").values_list("starts_at", flat=True)
    )


def date(meeting: Meeting, index: int) -> Occurrence:
    return meeting.occurrences.order_by("recurrence_id")[index]


def as_draft(meeting: Meeting, occurrence: Occurrence, *guests: Agent | str, **fields: Any) -> MeetingDraft:
    """What the form shows for that date, with changes."""
    fields.setdefault("title", occurrence.title or meeting.title)
    fields.setdefault("rule", meeting.rrule)
    fields.setdefault("starts_at", occurrence.starts_at)
    return draft(guests=guests, **fields)


def changed(meeting: Meeting, occurrence: Occurrence, scope: Scope, asked: MeetingDraft, **fields: Any) -> Meeting:
    return change(
        meeting=meeting,
        occurrence=occurrence,
        scope=scope,
        by=fields.pop("by", meeting.organiser),
        draft=asked,
        revision=Meeting.objects.get(pk=meeting.pk).revision,
        now=fields.pop("now", NOW),
        **fields,
    )


def test_a_series_is_rows_over_its_dates(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne)

    assert starts(meeting) == [START + count * WEEK for count in range(6)]
    assert (meeting.is_series, meeting.rrule, meeting.until, meeting.expanded_until) == (
        True,
        WEEKLY,
        START + 5 * WEEK,
        None,
    )
    assert {(one.is_series, one.starts_at, one.ends_at) for one in meeting.attendees.all()} == {
        (True, START, START + 5 * WEEK + HOUR)
    }
    assert owed(meeting) == [(anne.email, "REQUEST", "invited", "")]
    assert [occurrence_key(one) for one in meeting.occurrences.all()[:2]] == ["20261124T090000Z", "20261201T090000Z"]


def test_a_series_without_end_reaches_to_the_horizon_and_its_hull_for_ever(boss: Agent) -> None:
    meeting = series(boss, rule=OPEN)

    assert meeting.occurrences.count() == 79
    assert meeting.expanded_until == NOW + HORIZON
    assert meeting.until is None
    assert meeting.attendees.get().ends_at == OPEN_END


def test_ten_o_clock_stays_ten_o_clock(boss: Agent) -> None:
    meeting = series(boss, rule="FREQ=MONTHLY;COUNT=7")

    assert [at.hour for at in starts(meeting)] == [9, 9, 9, 9, 9, 8, 8]


def test_whole_days_are_days_of_the_zone(boss: Agent) -> None:
    meeting = series(boss, rule="", is_all_day=True, minutes=2 * 1440, start_date=dt.date(2027, 3, 28))

    occurrence = meeting.occurrences.get()
    # The night when clocks go forward: 47 hours.
    assert (occurrence.starts_at, occurrence.ends_at) == (
        dt.datetime(2027, 3, 27, 23, tzinfo=dt.UTC),
        dt.datetime(2027, 3, 29, 22, tzinfo=dt.UTC),
    )
    assert (meeting.start_time, meeting.is_all_day) == (dt.time(), True)


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"rule": "FREQ=HOURLY"}, "rule"),
        ({"rule": "FREQ=WEEKLY;UNTIL=20261101T000000Z"}, "rule"),
        ({"rule": "pas une règle"}, "rule"),
        ({"rule": "FREQ=DAILY;COUNT=1", "exdates": (dt.datetime.fromisoformat("2026-11-24T10:00"),)}, "rule"),
        ({"is_all_day": True, "minutes": 90}, "minutes"),
        ({"is_all_day": True, "minutes": 14 * 1440}, "minutes"),
        ({"rdates": (dt.datetime.fromisoformat("2026-11-24T10:00"),) * 1001}, "rdates"),
    ],
)
def test_what_cannot_be_a_series_is_refused(fields: dict[str, Any], wrong: str) -> None:
    assert set(validate_draft(draft(**fields), now=NOW)) == {wrong}


def test_a_whole_day_that_has_begun_may_still_be_planned() -> None:
    today = draft(is_all_day=True, minutes=1440, start_date=dt.date(2026, 11, 22))

    assert validate_draft(today, now=NOW) == {}
    assert set(validate_draft(dataclasses.replace(today, start_date=dt.date(2026, 11, 21)), now=NOW)) == {"start_date"}


def test_a_delegate_plans_in_the_name_of_another(boss: Agent, anne: Agent) -> None:
    with pytest.raises(NotOrganiser):
        schedule_meeting(by=anne, draft=draft(), now=NOW, organiser=boss)
    Delegation.objects.create(principal=boss, delegate=anne)

    meeting = schedule_meeting(by=anne, draft=draft(), now=NOW, organiser=boss)

    assert (meeting.organiser, meeting.scheduled_by) == (boss, anne)
    created = meeting.changes.get()
    assert (created.by, created.on_behalf_of) == (anne, boss)


def test_r3_one_date_moves_alone(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne)
    went_out(meeting)
    answer(attendee=meeting.attendees.get(agent=anne), answer="accepted", via="portal", now=NOW)
    third = date(meeting, 2)

    meeting = changed(meeting, third, Scope.ONE, as_draft(meeting, third, anne, starts_at=third.starts_at + HOUR))

    third.refresh_from_db()
    assert third.starts_at == START + 2 * WEEK + HOUR
    assert (third.recurrence_id, third.is_override, third.sequence) == (START + 2 * WEEK, True, 1)
    assert (meeting.sequence, meeting.revision) == (1, 2)
    assert owed(meeting) == [(anne.email, "REQUEST", "moved", "12-08")]
    row = meeting.deliveries.get(state="owed")
    assert row.before["starts_at"] == (START + 2 * WEEK).isoformat()
    # R9, for that date alone.
    assert meeting.attendees.get(agent=anne).answer == "accepted"
    assert AttendeeException.objects.get(occurrence=third).answer == "needs_action"
    found = agenda([anne.pk], START, START + 4 * WEEK, anne)
    assert [(entry.starts_at - START, entry.answer) for entry in found] == [
        (0 * WEEK, "accepted"),
        (WEEK, "accepted"),
        (2 * WEEK + HOUR, "needs_action"),
        (3 * WEEK, "accepted"),
    ]


def test_r7_words_of_one_date(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne)
    went_out(meeting)
    second = date(meeting, 1)

    meeting = changed(meeting, second, Scope.ONE, as_draft(meeting, second, anne, title="Bilan", place="Salle 3"))

    second.refresh_from_db()
    assert (second.title, second.place, second.description) == ("Bilan", "Salle 3", None)
    assert (meeting.sequence, meeting.revision, meeting.title) == (0, 2, "Comité de suivi")
    assert owed(meeting) == [(anne.email, "REQUEST", "changed", "12-01")]
    assert [entry.title for entry in agenda([anne.pk], START, START + 2 * WEEK, anne)] == ["Comité de suivi", "Bilan"]


def test_a_date_is_not_told_while_the_series_waits(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne)
    second = date(meeting, 1)

    meeting = changed(meeting, second, Scope.ONE, as_draft(meeting, second, anne, title="Bilan"))

    assert owed(meeting) == [(anne.email, "REQUEST", "invited", "")]


def test_a_date_told_twice_is_told_once(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne)
    went_out(meeting)
    second = date(meeting, 1)
    meeting = changed(meeting, second, Scope.ONE, as_draft(meeting, second, anne, starts_at=second.starts_at + HOUR))
    second.refresh_from_db()
    meeting = changed(meeting, second, Scope.ONE, as_draft(meeting, second, anne, starts_at=second.starts_at + HOUR))

    assert owed(meeting) == [(anne.email, "REQUEST", "moved", "12-01")]
    assert meeting.deliveries.get(state="owed").before["starts_at"] == (START + WEEK).isoformat()

    meeting = changed(meeting, date(meeting, 0), Scope.ALL, as_draft(meeting, date(meeting, 0), anne, title="Autre"))
    assert owed(meeting) == [(anne.email, "REQUEST", "changed", "")]


def test_r1_one_date_is_cancelled(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne)
    went_out(meeting)
    second = date(meeting, 1)

    cancel(meeting=meeting, occurrence=second, scope=Scope.ONE, by=boss, now=NOW)
    cancel(meeting=meeting, occurrence=second, scope=Scope.ONE, by=boss, now=NOW)

    assert owed(meeting) == [(anne.email, "CANCEL", "cancelled", "12-01")]
    assert (meeting.sequence, meeting.status) == (1, "confirmed")
    assert starts(meeting) == [START + count * WEEK for count in (0, 2, 3, 4, 5)]
    with pytest.raises(MeetingOver):
        changed(meeting, second, Scope.ONE, as_draft(meeting, second, anne))


def test_p21_a_date_cancelled_before_the_invitation_went_out(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne)

    cancel(meeting=meeting, occurrence=date(meeting, 1), scope=Scope.ONE, by=boss, now=NOW)

    assert owed(meeting) == [(anne.email, "REQUEST", "invited", "")]


def test_the_last_date_that_is_cancelled_cancels_the_series(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne, rule="FREQ=WEEKLY;COUNT=2")
    went_out(meeting)

    cancel(meeting=meeting, occurrence=date(meeting, 0), scope=Scope.ONE, by=boss, now=NOW)
    cancel(meeting=meeting, occurrence=date(meeting, 1), scope=Scope.ONE, by=boss, now=NOW)

    assert meeting.is_cancelled
    assert owed(meeting) == [
        (anne.email, "CANCEL", "cancelled", "11-24"),
        (anne.email, "CANCEL", "cancelled", ""),
    ]


def test_r2_the_series_is_cancelled(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne)
    went_out(meeting)

    cancel(meeting=meeting, occurrence=date(meeting, 3), scope=Scope.ALL, by=boss, now=NOW)

    assert (meeting.is_cancelled, meeting.sequence) == (True, 1)
    assert owed(meeting) == [(anne.email, "CANCEL", "cancelled", "")]
    assert starts(meeting) == []


def test_people_of_one_date(boss: Agent, anne: Agent) -> None:
    paul = factories.agent("Paul", "Petit")
    meeting = series(boss, anne)
    went_out(meeting)
    second = date(meeting, 1)

    meeting = changed(meeting, second, Scope.ONE, as_draft(meeting, second, paul))

    assert owed(meeting) == sorted(
        [(anne.email, "CANCEL", "removed", "12-01"), (paul.email, "REQUEST", "invited", "12-01")]
    )
    assert meeting.sequence == 1
    guest = meeting.attendees.get(agent=paul)
    assert (guest.only_occurrence, guest.is_series, guest.starts_at) == (second, False, START + WEEK)
    window = (START, START + 3 * WEEK)
    assert [entry.starts_at - START for entry in agenda([anne.pk], *window, anne)] == [0 * WEEK, 2 * WEEK]
    assert [entry.starts_at - START for entry in agenda([paul.pk], *window, paul)] == [WEEK]

    # And the other way round.
    went_out(meeting)
    meeting = changed(meeting, second, Scope.ONE, as_draft(meeting, second, anne))
    assert owed(meeting) == sorted(
        [(paul.email, "CANCEL", "removed", "12-01"), (anne.email, "REQUEST", "invited", "12-01")]
    )
    assert not meeting.attendees.filter(agent=paul).exists()
    assert len(agenda([anne.pk], *window, anne)) == 3


def test_a_guest_of_one_date_joins_the_series(boss: Agent, anne: Agent) -> None:
    meeting = series(boss)
    second = date(meeting, 1)
    meeting = changed(meeting, second, Scope.ONE, as_draft(meeting, second, anne))
    went_out(meeting)
    third = date(meeting, 2)
    with_anne = as_draft(meeting, third, anne)
    with pytest.raises(DraftRefused):
        changed(meeting, third, Scope.ONE, with_anne)

    meeting = changed(meeting, date(meeting, 0), Scope.ALL, as_draft(meeting, date(meeting, 0), anne))

    guest = meeting.attendees.get(agent=anne)
    assert (guest.only_occurrence, guest.is_series) == (None, True)
    assert (guest.starts_at, guest.ends_at) == (START, START + 5 * WEEK + HOUR)
    assert owed(meeting) == [(anne.email, "REQUEST", "invited", "")]


def test_a_series_that_has_not_begun_moves_as_a_whole(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne)
    went_out(meeting)
    answer(attendee=meeting.attendees.get(agent=anne), answer="accepted", via="portal", now=NOW)
    third = date(meeting, 2)
    meeting = changed(meeting, third, Scope.ONE, as_draft(meeting, third, anne, starts_at=third.starts_at + 2 * HOUR))
    cancel(meeting=meeting, occurrence=date(meeting, 3), scope=Scope.ONE, by=boss, now=NOW)
    went_out(meeting)
    first = date(meeting, 0)

    # To Wednesday at eleven.
    day = dt.timedelta(days=1)
    moved = changed(meeting, first, Scope.ALL, as_draft(meeting, first, anne, starts_at=START + day + HOUR))

    assert moved.pk == meeting.pk
    assert [at - START - day - HOUR for at in starts(moved)] == [
        0 * WEEK,
        WEEK,
        2 * WEEK + 2 * HOUR,
        4 * WEEK,
        5 * WEEK,
    ]
    assert moved.rrule == WEEKLY
    assert owed(moved) == [(anne.email, "REQUEST", "moved", "")]
    assert moved.attendees.get(agent=anne).answer == "needs_action"
    assert not AttendeeException.objects.exists()
    hull = moved.attendees.get(agent=anne)
    assert (hull.starts_at, hull.ends_at) == (START + day + HOUR, START + day + 5 * WEEK + 2 * HOUR)


def test_r4_this_and_the_following(boss: Agent, anne: Agent) -> None:
    paul = factories.agent("Paul", "Petit")
    meeting = series(boss, anne)
    went_out(meeting)
    answer(attendee=meeting.attendees.get(agent=anne), answer="accepted", via="portal", now=NOW)
    cancel(meeting=meeting, occurrence=date(meeting, 4), scope=Scope.ONE, by=boss, now=NOW)
    went_out(meeting)
    third = date(meeting, 2)

    asked = as_draft(meeting, third, anne, paul, starts_at=third.starts_at + HOUR)
    rest = changed(meeting, third, Scope.FOLLOWING, asked)

    meeting.refresh_from_db()
    assert rest.pk != meeting.pk
    assert rest.uid != meeting.uid
    assert rest.split_from == meeting
    assert starts(meeting) == [START, START + WEEK]
    assert meeting.rrule == "FREQ=WEEKLY;UNTIL=20261208T085959Z"
    assert (meeting.sequence, meeting.attendees.get(agent=anne).ends_at) == (2, START + WEEK + HOUR)
    assert starts(rest) == [START + count * WEEK + HOUR for count in (2, 3, 5)]
    assert rest.rrule == "FREQ=WEEKLY;COUNT=4"
    assert owed(meeting) == [(anne.email, "REQUEST", "changed", "")]
    assert owed(rest) == sorted([(anne.email, "REQUEST", "invited", ""), (paul.email, "REQUEST", "invited", "")])
    # R9: nothing of the first part moved, all of the rest did.
    assert meeting.attendees.get(agent=anne).answer == "accepted"
    assert rest.attendees.get(agent=anne).answer == "needs_action"


def test_r4_other_words_keep_the_answers(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne)
    answer(attendee=meeting.attendees.get(agent=anne), answer="accepted", via="portal", now=NOW)
    third = date(meeting, 2)

    rest = changed(meeting, third, Scope.FOLLOWING, as_draft(meeting, third, anne, title="Suite"))

    assert (rest.title, rest.attendees.get(agent=anne).answer) == ("Suite", "accepted")
    assert starts(rest) == [START + count * WEEK for count in (2, 3, 4, 5)]


def test_from_the_first_date_on_is_all(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne)
    first = date(meeting, 0)

    same = changed(meeting, first, Scope.FOLLOWING, as_draft(meeting, first, anne, title="Autre"))

    assert (same.pk, same.title) == (meeting.pk, "Autre")


def test_a_series_that_has_begun_moves_from_its_next_date_on(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne)
    later = START + WEEK + 2 * HOUR
    fifth = date(meeting, 4)

    asked = as_draft(meeting, fifth, anne, starts_at=fifth.starts_at + HOUR)
    rest = changed(meeting, fifth, Scope.ALL, asked, now=later)

    assert starts(meeting) == [START, START + WEEK]
    assert starts(rest) == [START + count * WEEK + HOUR for count in (2, 3, 4, 5)]


def test_a_series_that_has_begun_is_renamed_as_a_whole(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne)
    third = date(meeting, 2)

    asked = as_draft(meeting, third, anne, title="Autre", rule="FREQ=WEEKLY;COUNT=8")
    same = changed(meeting, third, Scope.ALL, asked, now=START + HOUR)

    assert (same.pk, same.title, len(starts(same))) == (meeting.pk, "Autre", 8)


def test_cancelling_this_and_the_following_ends_the_series(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne)
    went_out(meeting)

    cancel(meeting=meeting, occurrence=date(meeting, 2), scope=Scope.FOLLOWING, by=boss, now=NOW)

    assert starts(meeting) == [START, START + WEEK]
    assert (meeting.is_cancelled, meeting.until) == (False, START + WEEK)
    assert owed(meeting) == [(anne.email, "REQUEST", "changed", "")]
    cancel(meeting=meeting, occurrence=date(meeting, 0), scope=Scope.FOLLOWING, by=boss, now=NOW)
    assert meeting.is_cancelled


def test_a_one_off_becomes_a_series_and_back(boss: Agent, anne: Agent) -> None:
    meeting = schedule_meeting(by=boss, draft=draft(guests=[anne]), now=NOW)
    only = meeting.occurrences.get()

    meeting = changed(meeting, only, Scope.ALL, draft(guests=[anne], rule=WEEKLY))
    assert len(starts(meeting)) == 6
    assert {one.is_series for one in meeting.attendees.all()} == {True}
    assert date(meeting, 0).pk == only.pk

    meeting = changed(meeting, date(meeting, 0), Scope.ALL, draft(guests=[anne]))
    assert [(one.pk, one.recurrence_id) for one in meeting.occurrences.all()] == [(only.pk, None)]
    assert not meeting.is_series
    assert {(one.is_series, one.ends_at) for one in meeting.attendees.all()} == {(False, START + HOUR)}


def test_p19_two_editors_of_dates(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne)
    second, third = date(meeting, 1), date(meeting, 2)
    changed(meeting, second, Scope.ONE, as_draft(meeting, second, anne, title="Bilan"))

    for scope in Scope:
        with pytest.raises(EditConflict) as conflict:
            change(
                meeting=meeting,
                occurrence=third,
                scope=scope,
                by=boss,
                draft=as_draft(meeting, third, anne, title="Autre"),
                revision=1,
                now=NOW,
            )
        assert [one.kind for one in conflict.value.changes] == ["edited"]


@pytest.mark.parametrize(
    ("notify", "told"),
    [(Notify.DEFAULT, 1), (Notify.ALL, 1), (Notify.AFFECTED, 0), (Notify.NOBODY, 0)],
)
def test_whom_a_new_title_is_told(boss: Agent, anne: Agent, notify: Notify, told: int) -> None:
    meeting = series(boss, anne)
    went_out(meeting)

    asked = as_draft(meeting, date(meeting, 0), anne, title="Autre")
    meeting = changed(meeting, date(meeting, 0), Scope.ALL, asked, notify=notify)

    assert len(owed(meeting)) == told


def test_nobody_is_told_but_those_who_wait(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne)

    asked = as_draft(meeting, date(meeting, 0), anne, starts_at=START + HOUR)
    meeting = changed(meeting, date(meeting, 0), Scope.ALL, asked, notify=Notify.NOBODY)
    assert owed(meeting) == [(anne.email, "REQUEST", "invited", "")]

    cancel(meeting=meeting, scope=Scope.ALL, by=boss, now=NOW, notify=Notify.NOBODY)
    assert owed(meeting) == []


def test_all_hear_when_all_are_to_hear(boss: Agent, anne: Agent) -> None:
    paul = factories.agent("Paul", "Petit")
    meeting = series(boss, anne)
    went_out(meeting)

    asked = as_draft(meeting, date(meeting, 0), anne, paul)
    meeting = changed(meeting, date(meeting, 0), Scope.ALL, asked, notify=Notify.ALL)

    assert owed(meeting) == sorted([(anne.email, "REQUEST", "changed", ""), (paul.email, "REQUEST", "invited", "")])


def test_strangers_change_nothing(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne)
    first = date(meeting, 0)
    for scope in Scope:
        with pytest.raises(NotOrganiser):
            changed(meeting, first, scope, as_draft(meeting, first, anne), by=anne)
        with pytest.raises(NotOrganiser):
            cancel(meeting=meeting, occurrence=first, scope=scope, by=anne, now=NOW)
    assert Attendee.objects.filter(meeting=meeting).count() == 2


def test_a_waiting_move_of_one_date_lends_no_false_words_to_the_letter_of_the_series(boss: Agent, anne: Agent) -> None:
    meeting = series(boss, anne)
    went_out(meeting)
    third = date(meeting, 2)
    changed(meeting, third, Scope.ONE, as_draft(meeting, third, anne, starts_at=third.starts_at + HOUR))
    # Before that has left, the series is cut short: one letter tells both, and the series itself did not move.
    cancel(meeting=meeting, occurrence=date(meeting, 3), scope=Scope.FOLLOWING, by=boss, now=NOW)
    [row] = meeting.deliveries.filter(state="owed")
    assert (row.recurrence_id, row.method, row.reason) == (None, "REQUEST", "changed")
    meeting.refresh_from_db()
    assert row.before["rule"] != meeting.rrule
    assert row.before["starts_at"] != third.starts_at.isoformat()
    assert third.recurrence_id is not None
    assert list(row.before["dates"]) == [third.recurrence_id.isoformat()]
