"""Which date of a meeting is meant."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from suite.agents.time_models import Delegation
from tests import factories
from visio.meetings.dates import current_occurrence, current_occurrences, occurrence_by_key, occurrence_key
from visio.meetings.models import Meeting, Occurrence, Status
from visio.meetings.permissions import can_edit_meeting, can_view_meeting, visible_meeting_or_404

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 11, 22, 9, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


def series(*days: int) -> Meeting:
    """One hour at 10:00 UTC on each of these days from today."""
    meeting = factories.meeting(now=NOW - 30 * DAY, starts_at=NOW + dt.timedelta(hours=1))
    meeting.occurrences.all().delete()
    starts = [NOW + dt.timedelta(hours=1) + day * DAY for day in days]
    Occurrence.objects.bulk_create(
        Occurrence(meeting=meeting, recurrence_id=at, starts_at=at, ends_at=at + dt.timedelta(hours=1)) for at in starts
    )
    Meeting.objects.filter(pk=meeting.pk).update(is_series=True)
    return meeting


@pytest.mark.parametrize(
    ("now", "day"),
    [
        (NOW - 10 * DAY, -3),
        (NOW + dt.timedelta(hours=1, minutes=59), 0),  # It goes on.
        (NOW + dt.timedelta(hours=2), 2),  # It is over: the next one.
        (NOW + 30 * DAY, 5),  # All are over: the last one.
    ],
)
def test_the_current_date(now: dt.datetime, day: int) -> None:
    meeting = series(-3, 0, 2, 5)

    assert current_occurrence(meeting, now).starts_at == NOW + dt.timedelta(hours=1) + day * DAY


def test_cancelled_dates_are_passed_over_unless_all_are() -> None:
    meeting = series(0, 2, 5)
    meeting.occurrences.filter(starts_at__lt=NOW + DAY).update(status=Status.CANCELLED)
    assert current_occurrence(meeting, NOW).starts_at == NOW + dt.timedelta(hours=1) + 2 * DAY

    meeting.occurrences.update(status=Status.CANCELLED)
    assert current_occurrence(meeting, NOW).starts_at == NOW + dt.timedelta(hours=1)


def test_many_meetings_cost_one_statement() -> None:
    one, other = series(0, 2), series(1)

    with CaptureQueriesContext(connection) as queries:
        found = current_occurrences([one.pk, other.pk], NOW)

    assert len(queries) == 1
    assert {pk: found[pk].starts_at for pk in found} == {
        one.pk: NOW + dt.timedelta(hours=1),
        other.pk: NOW + dt.timedelta(hours=1) + DAY,
    }
    assert current_occurrences([], NOW) == {}


def test_keys_name_dates() -> None:
    meeting = series(0, 2)
    [first, second] = meeting.occurrences.order_by("starts_at")

    assert occurrence_key(first) == "20261122T100000Z"
    assert occurrence_by_key(meeting, "20261124T100000Z") == second
    for key in ("", "20261123T100000Z", "hier", "20261124T100000"):
        assert occurrence_by_key(meeting, key) is None


def test_the_only_date_of_a_one_off_has_no_key() -> None:
    meeting = factories.meeting()

    found = occurrence_by_key(meeting, "")

    assert found is not None
    assert occurrence_key(found) == ""


def test_a_delegate_sees_and_edits_the_meetings_of_whom_they_act_for() -> None:
    meeting = factories.meeting()
    delegate, stranger = factories.agent(), factories.agent()
    Delegation.objects.create(principal=meeting.organiser, delegate=delegate)

    assert can_view_meeting(meeting, delegate)
    assert can_edit_meeting(meeting, delegate)
    assert visible_meeting_or_404(delegate, meeting.public_id) == meeting
    assert not can_view_meeting(meeting, stranger)
    assert not can_edit_meeting(meeting, stranger)
