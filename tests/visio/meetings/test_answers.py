import datetime as dt

import pytest

from suite.core.events import subscribe
from tests import factories
from visio.events import AttendeeAnswered
from visio.meetings.answers import AnswerRefused, answer
from visio.meetings.models import Attendee
from visio.meetings.scheduling import cancel_meeting

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)
START = dt.datetime(2026, 11, 24, 13, 0, tzinfo=dt.UTC)


@pytest.fixture
def guest() -> Attendee:
    return factories.meeting(guests=["ext@partenaire.example"], now=NOW, starts_at=START).attendees.get(agent=None)


def said(guest: Attendee) -> tuple[object, ...]:
    guest.refresh_from_db()
    return (guest.answer, guest.answered_at, guest.answered_revision, guest.answered_via, guest.comment)


def test_the_last_answer_counts(guest: Attendee) -> None:
    answer(attendee=guest, answer="accepted", via="page", now=NOW)
    answer(attendee=guest, answer="declined", comment="En congé\r\nce jour", via="portal", now=START)
    assert said(guest) == ("declined", START, 1, "portal", "En congé ce jour")


def test_an_answer_may_be_taken_back(guest: Attendee) -> None:
    answer(attendee=guest, answer="accepted", via="portal", now=NOW)
    answer(attendee=guest, answer="needs_action", via="portal", now=NOW)
    assert said(guest) == ("needs_action", None, None, "", "")


def test_p34_an_answer_to_an_old_version_is_kept_as_such(guest: Attendee) -> None:
    guest.meeting.revision = 3
    guest.meeting.save()
    answer(attendee=guest, answer="accepted", via="page", now=NOW, revision=1)
    assert said(guest)[:3] == ("accepted", NOW, 1)
    answer(attendee=guest, answer="accepted", via="page", now=NOW, revision=9)
    assert said(guest)[2] == 3


@pytest.mark.parametrize(
    ("value", "now", "reason"),
    [("peut-être", NOW, "unknown_answer"), ("accepted", START + dt.timedelta(hours=1), "over")],
)
def test_refused(guest: Attendee, value: str, now: dt.datetime, reason: str) -> None:
    before = said(guest)
    with pytest.raises(AnswerRefused) as refused:
        answer(attendee=guest, answer=value, via="page", now=now)
    assert refused.value.reason == reason
    assert refused.value.message
    assert said(guest) == before


def test_refused_when_cancelled_and_from_the_organiser(guest: Attendee) -> None:
    chair = guest.meeting.attendees.get(role="chair")
    with pytest.raises(AnswerRefused, match="organiser"):
        answer(attendee=chair, answer="declined", via="portal", now=NOW)
    cancel_meeting(meeting=guest.meeting, by=guest.meeting.organiser, now=NOW)
    with pytest.raises(AnswerRefused, match="cancelled"):
        answer(attendee=guest, answer="accepted", via="page", now=NOW)


@pytest.mark.django_db(transaction=True)
def test_the_answer_is_told_after_commit(guest: Attendee) -> None:
    told: list[AttendeeAnswered] = []
    subscribe(AttendeeAnswered, told.append)
    answer(attendee=guest, answer="accepted", via="page", now=NOW)
    assert told[-1] == AttendeeAnswered(meeting_id=guest.meeting_id, attendee_id=guest.pk)
