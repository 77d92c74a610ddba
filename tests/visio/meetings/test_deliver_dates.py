"""Rows for one date and rows for a whole series: which go, and what they say."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from suite.agents.models import Agent
from tests import factories
from tests.looking import Mailbox
from tests.visio.meetings.reading import Received, received, send_all
from tests.visio.meetings.serial import override, series
from visio.meetings.models import Attendee, Delivery, Meeting, Occurrence, Status

pytestmark = pytest.mark.django_db(transaction=True)
NOW = dt.datetime(2026, 9, 1, 9, 0, tzinfo=dt.UTC)
EXT = "anne@partenaire.example"
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def boss() -> Agent:
    home = factories.organisation("DINUM")
    return factories.agent("Karim", "Benali", organisation=home, email="karim@dinum.example")


@pytest.fixture
def weekly(boss: Agent) -> Meeting:
    """Tuesdays at ten in Paris, from 6 October on, five times; the invitation is owed."""
    return series(boss, rule="FREQ=WEEKLY;BYDAY=TU;COUNT=5", date=dt.date(2026, 10, 6), now=NOW, title="Comité")


def date(meeting: Meeting, number: int) -> Occurrence:
    return meeting.occurrences.order_by("recurrence_id")[number]


def bump(meeting: Meeting) -> None:
    meeting.sequence += 1
    meeting.revision += 1
    meeting.save()


def owe(meeting: Meeting, occurrence: Occurrence | None = None, **fields: Any) -> Delivery:
    """One row for EXT, for that date or the whole meeting, at today's version."""
    given = {
        "attendee": meeting.attendees.filter(email=EXT).first(),
        "recipient": EXT,
        "method": "REQUEST",
        "reason": "changed",
        **fields,
    }
    return Delivery.objects.create(
        meeting=meeting,
        uid=meeting.uid,
        recurrence_id=occurrence.recurrence_id if occurrence else None,
        sequence=meeting.sequence,
        revision=meeting.revision,
        due_at=NOW,
        **given,
    )


def times(occurrence: Occurrence) -> dict[str, Any]:
    return {
        "starts_at": occurrence.starts_at.isoformat(),
        "ends_at": occurrence.ends_at.isoformat(),
        "time_zone": "Europe/Paris",
        "is_all_day": False,
    }


def move(meeting: Meeting, occurrence: Occurrence, by: dt.timedelta = 2 * HOUR) -> Delivery:
    bump(meeting)
    before = times(occurrence)
    occurrence.starts_at, occurrence.ends_at = occurrence.starts_at + by, occurrence.ends_at + by
    occurrence.is_override, occurrence.sequence = True, meeting.sequence
    occurrence.save()
    return owe(meeting, occurrence, reason="moved", before=before)


def words(mail: Received) -> str:
    return "\n".join(mail.text.replace("\xa0", " ").splitlines())


def state(row: Delivery) -> str:
    row.refresh_from_db()
    return row.state


def test_the_invitation_to_a_series(weekly: Meeting, mailbox: Mailbox) -> None:
    send_all(NOW)
    [mail] = received(mailbox, EXT)
    assert mail.subject == "Invitation : Comité, à partir du mar. 6 oct. 10:00"
    text = words(mail)
    assert "Karim Benali (DINUM) vous invite à une réunion régulière en Visio." in text
    assert "Toutes les semaines, le mardi, 5 fois" in text
    assert "Première date : Mardi 6 octobre 2026, 10:00 – 11:00" in text
    assert "date=" not in text
    assert "RRULE" in mail.event


def test_one_date_moved(weekly: Meeting, mailbox: Mailbox) -> None:
    send_all(NOW)
    moved = date(weekly, 1)
    move(weekly, moved)
    send_all(NOW)
    mail = received(mailbox, EXT)[-1]
    assert mail.subject == "Modifié : Comité, mar. 13 oct. 12:00 au lieu de mar. 13 oct. 10:00"
    text = words(mail)
    assert "a déplacé une seule date, celle du mardi 13 octobre 2026, 10:00 : les autres restent." in text
    assert "Avant : Mardi 13 octobre 2026, 10:00 – 11:00" in text
    assert "Maintenant : Mardi 13 octobre 2026, 12:00 – 13:00" in text
    assert text.index("Une date d’une réunion régulière.\nAvant :") < text.index("Maintenant :")
    assert "?reponse=accepted&date=20261013T080000Z" in text
    assert mail.event["RECURRENCE-ID"].dt.astimezone(dt.UTC) == moved.recurrence_id
    assert "RRULE" not in mail.event


def test_a_row_for_one_date_lives_beside_another_date_s(weekly: Meeting, mailbox: Mailbox) -> None:
    send_all(NOW)
    one, other = move(weekly, date(weekly, 1)), move(weekly, date(weekly, 2))
    send_all(NOW)
    assert (state(one), state(other)) == ("sent", "sent")
    assert [int(mail.event["SEQUENCE"]) for mail in received(mailbox, EXT)] == [0, 1, 2]


def test_a_newer_row_for_the_series_says_it_all(weekly: Meeting, mailbox: Mailbox) -> None:
    send_all(NOW)
    one = move(weekly, date(weekly, 1))
    bump(weekly)
    whole = owe(weekly)
    send_all(NOW)
    assert (state(one), state(whole)) == ("superseded", "sent")
    last = received(mailbox, EXT)[-1]
    assert [event["RECURRENCE-ID"].dt.day for event in last.calendar.walk("VEVENT") if "RECURRENCE-ID" in event] == [13]


def test_a_row_for_the_series_is_not_covered_by_one_date(weekly: Meeting, mailbox: Mailbox) -> None:
    send_all(NOW)
    bump(weekly)
    whole = owe(weekly)
    one = move(weekly, date(weekly, 1))
    send_all(NOW)
    # The series goes with today's date in it; the date's own letter says what moved.
    assert (state(whole), state(one)) == ("sent", "sent")


def test_a_date_waits_for_nobody_s_first_invitation(weekly: Meeting, mailbox: Mailbox) -> None:
    """The invitation was refused for now: the date is not told before it, and the invitation tells it then."""
    mailbox.refuse(EXT, "451 4.3.0 Plus tard", times=1)
    send_all(NOW)
    one = move(weekly, date(weekly, 1))
    send_all(NOW + dt.timedelta(seconds=1))
    assert state(one) == "superseded"
    assert mailbox.messages() == []
    send_all(NOW + dt.timedelta(minutes=5))
    [mail] = received(mailbox, EXT)
    assert mail.subject.startswith("Invitation : ")


def test_a_date_cancelled_meanwhile_is_not_told_as_moved(weekly: Meeting, mailbox: Mailbox) -> None:
    send_all(NOW)
    moved = date(weekly, 1)
    one = move(weekly, moved)
    bump(weekly)
    Occurrence.objects.filter(pk=moved.pk).update(status=Status.CANCELLED)
    cancel = owe(weekly, moved, method="CANCEL", reason="cancelled", before=times(moved))
    send_all(NOW)
    assert (state(one), state(cancel)) == ("superseded", "sent")
    mail = received(mailbox, EXT)[-1]
    assert mail.subject == "Annulé : Comité, mar. 13 oct. 12:00"
    assert "a annulé une seule date, celle du mardi 13 octobre 2026, 12:00 : les autres restent." in mail.text
    assert "?reponse=" not in mail.text + mail.html


def test_a_date_that_the_rule_makes_no_more_is_cancelled_all_the_same(weekly: Meeting, mailbox: Mailbox) -> None:
    send_all(NOW)
    gone = date(weekly, 1)
    bump(weekly)
    row = owe(weekly, gone, method="CANCEL", reason="cancelled", before=times(gone))
    gone.delete()
    send_all(NOW)
    assert state(row) == "sent"
    mail = received(mailbox, EXT)[-1]
    assert mail.event["RECURRENCE-ID"].dt == mail.event["DTSTART"].dt
    assert mail.event["DTSTART"].dt.astimezone(dt.UTC) == dt.datetime(2026, 10, 13, 8, tzinfo=dt.UTC)


def test_a_cancelled_date_of_an_invitation_that_never_went_out(weekly: Meeting, mailbox: Mailbox) -> None:
    gone = date(weekly, 1)
    Occurrence.objects.filter(pk=gone.pk).update(status=Status.CANCELLED)
    bump(weekly)
    row = owe(weekly, gone, method="CANCEL", reason="cancelled", before=times(gone))
    send_all(NOW)
    [mail] = received(mailbox, EXT)
    assert [one.dt.day for one in mail.event["EXDATE"].dts] == [13]
    # The one went, so the other goes too: needless, never wrong.
    assert state(row) in {"sent", "superseded"}


def test_an_older_row_that_nothing_covers_goes_and_tells_today(weekly: Meeting, mailbox: Mailbox) -> None:
    """Somebody else was removed meanwhile: this guest is owed nothing new, and their row is still theirs."""
    bump(weekly)
    weekly.title = "Bureau"
    weekly.save()
    send_all(NOW)
    [mail] = received(mailbox, EXT)
    assert (str(mail.event["SUMMARY"]), int(mail.event["SEQUENCE"])) == ("Bureau", 0)


def test_a_guest_of_one_date_alone(weekly: Meeting, mailbox: Mailbox) -> None:
    only = date(weekly, 2)
    Attendee.objects.filter(email=EXT).update(only_occurrence=only, is_series=False)
    send_all(NOW)
    [mail] = received(mailbox, EXT)
    assert mail.event["RECURRENCE-ID"].dt.astimezone(dt.UTC) == only.recurrence_id
    assert "RRULE" not in mail.event
    assert "vous invite à une date d’une réunion régulière" in mail.text
    assert "Mardi 20 octobre 2026" in mail.text
    assert "&date=20261020T080000Z" in mail.text


def test_an_edit_between_two_letters_is_seen(weekly: Meeting, mailbox: Mailbox) -> None:
    """Nobody was to be told, yet what goes out afterwards is what is true."""
    send_all(NOW)
    override(weekly, 1, title="Séminaire")
    row = move(weekly, date(weekly, 1))
    Meeting.objects.filter(pk=weekly.pk).update(revision=9, title="Autre")
    send_all(NOW)
    assert state(row) == "sent"
    assert str(received(mailbox, EXT)[-1].event["SUMMARY"]) == "Séminaire"


def test_the_calendar_answers_to_the_reply_address(weekly: Meeting, mailbox: Mailbox, settings: Any) -> None:
    from visio.meetings.reply_addresses import attendee_by_reply_address

    settings.REPLY_DOMAIN = "reponses.portail.example"
    send_all(NOW)
    [mail] = received(mailbox, EXT)
    organizer = mail.event["ORGANIZER"]
    assert attendee_by_reply_address(str(organizer).removeprefix("mailto:")) == weekly.attendees.get(email=EXT)
    assert (organizer.params["CN"], organizer.params["EMAIL"]) == ("Karim Benali", "karim@dinum.example")
    assert "SENT-BY" not in organizer.params
    assert mail.message["Reply-To"].addresses[0].addr_spec == "karim@dinum.example"


def test_who_is_removed_hears_from_the_address_that_invited(weekly: Meeting, mailbox: Mailbox, settings: Any) -> None:
    settings.REPLY_DOMAIN = "reponses.portail.example"
    send_all(NOW)
    guest = weekly.attendees.get(email=EXT)
    bump(weekly)
    before = {**times(date(weekly, 0)), "attendee": str(guest.public_id)}
    owe(weekly, method="CANCEL", reason="removed", before=before)
    guest.delete()
    send_all(NOW)
    invitation, cancel = received(mailbox, EXT)
    assert cancel.method == "CANCEL"
    assert cancel.event["ORGANIZER"] == invitation.event["ORGANIZER"]


def test_planned_by_somebody_else_says_for_whom(boss: Agent, mailbox: Mailbox) -> None:
    meeting = factories.meeting(boss, guests=[EXT], now=NOW, starts_at=NOW + 24 * HOUR)
    Meeting.objects.filter(pk=meeting.pk).update(scheduled_by=factories.agent("Lina", "Faure"))
    send_all(NOW)
    [mail] = received(mailbox, EXT)
    assert "Lina Faure vous invite à une réunion en Visio, de la part de Karim Benali (DINUM)." in mail.text
    assert mail.event["ORGANIZER"].params["CN"] == "Karim Benali"
