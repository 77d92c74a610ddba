"""The ledger of a series: which mail matters, and who is invited on one date."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.visio.meetings.serial import series
from visio.meetings.exception_models import AttendeeException
from visio.meetings.ledger import LedgerRow, read_ledger
from visio.meetings.models import Attendee, Delivery, Meeting, Occurrence

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 9, 1, 9, 0, tzinfo=dt.UTC)
GUESTS = ("anne@partenaire.example", "bob@partenaire.example", "chloe@partenaire.example")


@pytest.fixture
def weekly() -> Meeting:
    return series(rule="FREQ=WEEKLY;BYDAY=TU;COUNT=5", date=dt.date(2026, 10, 6), now=NOW, guests=GUESTS)


def date(meeting: Meeting, number: int) -> Occurrence:
    return meeting.occurrences.order_by("recurrence_id")[number]


def rows(meeting: Meeting, occurrence: Occurrence | None = None) -> dict[str, LedgerRow]:
    return {row.email: row for row in read_ledger(meeting, moved_revision=1, occurrence=occurrence).rows}


def told(meeting: Meeting, email: str, occurrence: Occurrence | None, revision: int, state: str) -> None:
    Delivery.objects.create(
        meeting=meeting,
        attendee=meeting.attendees.get(email=email),
        uid=meeting.uid,
        recurrence_id=occurrence.recurrence_id if occurrence else None,
        sequence=revision,
        revision=revision,
        recipient=email,
        method="REQUEST",
        reason="changed",
        state=state,
        due_at=NOW,
    )


def test_an_invitation_that_failed_is_not_hidden_by_the_mail_of_one_date(weekly: Meeting) -> None:
    anne, bob, chloe = GUESTS
    weekly.deliveries.filter(recipient__in=[anne, bob]).update(state="failed")
    weekly.deliveries.filter(recipient=chloe).update(state="sent")
    told(weekly, anne, date(weekly, 1), 2, "sent")
    told(weekly, bob, None, 2, "sent")
    told(weekly, chloe, date(weekly, 1), 2, "owed")
    told(weekly, chloe, date(weekly, 2), 3, "sent")
    seen = rows(weekly)
    assert {email: seen[email].mail for email in GUESTS} == {anne: "failed", bob: "sent", chloe: "owed"}
    assert seen[chloe].mail_revision == 2
    # On a page of the other date, that date's mail is nobody's concern.
    assert rows(weekly, date(weekly, 2))[chloe].mail == "sent"


def test_one_date_shows_who_is_invited_that_day_and_their_answer_to_it(weekly: Meeting) -> None:
    anne, bob, chloe = (weekly.attendees.get(email=email) for email in GUESTS)
    Attendee.objects.filter(meeting=weekly).exclude(role="chair").update(answer="accepted", comment="À bientôt")
    second, third = date(weekly, 1), date(weekly, 2)
    AttendeeException.objects.create(attendee=anne, occurrence=second, answer="declined", comment="Congé")
    AttendeeException.objects.create(attendee=bob, occurrence=second, removed=True)
    Attendee.objects.filter(pk=chloe.pk).update(only_occurrence=third)
    seen = rows(weekly, second)
    assert {email: (row.answer, row.comment) for email, row in seen.items() if row.role != "chair"} == {
        anne.email: ("declined", "Congé")
    }
    assert {email for email, row in rows(weekly, third).items() if row.role != "chair"} == set(GUESTS)
    assert rows(weekly)[anne.email].answer == "accepted"
    assert read_ledger(weekly, moved_revision=1, occurrence=second).tallies.people == 2
