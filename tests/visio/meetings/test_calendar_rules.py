"""The rules of calendar e-mail that others get wrong, R1 to R10: asserted on the bytes that a real SMTP server received.

(R11 to R14 are in test_calendar_rules_time.)
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from suite.agents.models import Agent
from tests import factories
from tests.flows.itip import GuestCalendar
from tests.looking import Mailbox
from tests.visio.meetings.reading import Received, received, send_all
from visio.meetings import series
from visio.meetings.answers import answer
from visio.meetings.drafts import MeetingDraft
from visio.meetings.models import Meeting, Occurrence
from visio.meetings.scheduling import cancel_meeting, edit_meeting, schedule_meeting
from visio.meetings.scopes import Scope
from visio.meetings.words import local

pytestmark = pytest.mark.django_db(transaction=True)
NOW = dt.datetime(2026, 9, 1, 9, 0, tzinfo=dt.UTC)
START = dt.datetime(2026, 10, 6, 8, 0, tzinfo=dt.UTC)
# What can be undone is mailed a little later.
LATER = NOW + dt.timedelta(seconds=30)
HOUR = dt.timedelta(hours=1)
ANNE, BOB = "anne@partenaire.example", "bob@partenaire.example"


@pytest.fixture
def boss() -> Agent:
    home = factories.organisation("DINUM")
    return factories.agent("Karim", "Benali", organisation=home, email="karim@dinum.example")


def asked(**fields: Any) -> MeetingDraft:
    """An hour on Tuesday 6 October 2026 at ten in Paris, with Anne and Bob."""
    fields.setdefault("title", "Comité")
    fields.setdefault("starts_at", START)
    fields.setdefault("guests", [ANNE, BOB])
    return factories.draft(now=NOW, **fields)


def planned(boss: Agent, **fields: Any) -> Meeting:
    """Scheduled, and its invitations read."""
    meeting = schedule_meeting(by=boss, draft=asked(**fields), now=NOW)
    send_all(NOW)
    return meeting


def weekly(boss: Agent, **fields: Any) -> Meeting:
    """Tuesdays at ten, five times."""
    return planned(boss, rule="FREQ=WEEKLY;BYDAY=TU;COUNT=5", **fields)


def edited(meeting: Meeting, **fields: Any) -> Meeting:
    now = fields.pop("now", NOW)
    meeting = edit_meeting(
        meeting=meeting, by=meeting.organiser, draft=asked(**fields), revision=meeting.revision, now=now
    )
    send_all(LATER)
    return meeting


def date(meeting: Meeting, number: int) -> Occurrence:
    return meeting.occurrences.order_by("recurrence_id")[number]


def changed(meeting: Meeting, occurrence: Occurrence, scope: Scope, **fields: Any) -> Meeting:
    """`fields` of the draft that the form shows for that date; `later` moves it."""
    meeting.refresh_from_db()
    start = local(occurrence.starts_at + fields.pop("later", dt.timedelta()), meeting.time_zone)
    draft = asked(starts_at=start, rule=meeting.rrule, **fields)
    return series.change(
        meeting=meeting,
        occurrence=occurrence,
        scope=scope,
        by=meeting.organiser,
        draft=draft,
        revision=meeting.revision,
        now=NOW,
    )


def cancelled(meeting: Meeting, occurrence: Occurrence, scope: Scope) -> None:
    series.cancel(meeting=meeting, occurrence=occurrence, scope=scope, by=meeting.organiser, now=NOW)
    send_all(LATER)


def last(mailbox: Mailbox, to: str = ANNE) -> Received:
    return received(mailbox, to)[-1]


def methods(mail: Received) -> set[str]:
    """METHOD of the body, and of every Content-Type that names one."""
    told = {part["Content-Type"].params.get("method") for part in mail.message.walk()}
    return {mail.method, *filter(None, told)}


def utc(value: Any) -> dt.datetime:
    at: dt.datetime = value.dt
    return at.astimezone(dt.UTC)


def sequence(mail: Received) -> int:
    return int(mail.event["SEQUENCE"])


def test_r1_one_cancelled_date_is_one_cancel_of_that_date(boss: Agent, mailbox: Mailbox) -> None:
    meeting = weekly(boss)
    moved = changed(meeting, date(meeting, 0), Scope.ONE, later=HOUR)
    send_all(LATER)
    sent_before = [sequence(mail) for mail in received(mailbox, ANNE)]
    gone = date(meeting, 1)
    cancelled(moved, gone, Scope.ONE)
    mail = last(mailbox)
    assert methods(mail) == {"CANCEL"}
    [event] = mail.calendar.walk("VEVENT")
    assert str(event["UID"]) == meeting.uid
    assert utc(event["RECURRENCE-ID"]) == gone.recurrence_id
    first = received(mailbox, ANNE)[0].event
    assert event["RECURRENCE-ID"].params == first["DTSTART"].params
    assert int(event["SEQUENCE"]) > max(sent_before)
    assert event["ORGANIZER"] == first["ORGANIZER"]
    assert set(mail.attendees) == {ANNE, boss.email}
    assert event["DTSTAMP"].dt > first["DTSTAMP"].dt
    assert str(event["STATUS"]) == "CANCELLED"
    assert not {"RRULE", "RDATE", "EXDATE"} & set(event)
    # One mail for each guest, and the other dates stay.
    assert len(received(mailbox, ANNE)) == 3
    calendar = GuestCalendar(ANNE)
    for one in received(mailbox, ANNE):
        calendar.receive(one.ics)
    shown = [one.start[:10] for one in calendar.shown(dt.date(2026, 10, 1), dt.date(2026, 12, 1))]
    assert shown == ["2026-10-06", "2026-10-20", "2026-10-27", "2026-11-03"]


def test_r2_a_cancelled_series_is_one_cancel_without_a_date(boss: Agent, mailbox: Mailbox) -> None:
    meeting = weekly(boss)
    cancelled(meeting, date(meeting, 0), Scope.ALL)
    for guest in (ANNE, BOB):
        first, mail = received(mailbox, guest)
        assert methods(mail) == {"CANCEL"}
        [event] = mail.calendar.walk("VEVENT")
        assert "RECURRENCE-ID" not in event
        assert (str(event["UID"]), sequence(mail)) == (meeting.uid, sequence(first) + 1)
        assert mail.subject == "Annulé : Comité, toutes les dates"


def test_r2_who_is_removed_alone_gets_a_cancel(boss: Agent, mailbox: Mailbox, settings: Any) -> None:
    settings.REPLY_DOMAIN = "reponses.portail.example"
    meeting = planned(boss)
    edited(meeting, guests=[BOB])
    first, mail = received(mailbox, ANNE)
    assert methods(mail) == {"CANCEL"}
    assert (sequence(mail), "RECURRENCE-ID" in mail.event) == (1, False)
    # Their calendar knows the meeting by its ORGANIZER.
    assert mail.event["ORGANIZER"] == first.event["ORGANIZER"]
    assert len(received(mailbox, BOB)) == 1


def test_r3_one_moved_date_is_one_request_with_its_new_times(boss: Agent, mailbox: Mailbox) -> None:
    meeting = weekly(boss)
    second = date(meeting, 1)
    changed(meeting, second, Scope.ONE, later=dt.timedelta(days=1, hours=2))
    send_all(LATER)
    mail = last(mailbox)
    assert methods(mail) == {"REQUEST"}
    [event] = mail.calendar.walk("VEVENT")
    assert utc(event["RECURRENCE-ID"]) == second.recurrence_id
    assert utc(event["DTSTART"]) == second.starts_at + dt.timedelta(days=1, hours=2)
    assert "RRULE" not in event
    text = " ".join(mail.text.replace("\xa0", " ").split())
    assert "a déplacé une seule date, celle du mardi 13 octobre 2026, 10:00" in text
    assert "Avant : Mardi 13 octobre 2026, 10:00 – 11:00" in text
    assert "Mercredi 14 octobre 2026, 12:00 – 13:00" in text
    assert mail.subject == "Modifié : Comité, mer. 14 oct. 12:00 au lieu de mar. 13 oct. 10:00"


def test_r4_this_and_the_following_ends_one_series_and_begins_another(boss: Agent, mailbox: Mailbox) -> None:
    meeting = weekly(boss)
    cancelled(meeting, date(meeting, 3), Scope.ONE)
    meeting = Meeting.objects.get(pk=meeting.pk)
    changed(meeting, date(meeting, 4), Scope.ONE, title="Dernier comité")
    send_all(LATER)
    before = len(received(mailbox, ANNE))
    new = changed(meeting, date(meeting, 2), Scope.FOLLOWING, later=2 * HOUR)
    send_all(LATER + dt.timedelta(minutes=1))
    told = {str(mail.event["UID"]): mail for mail in received(mailbox, ANNE)[before:]}
    assert set(told) == {meeting.uid, new.uid}
    assert new.uid != meeting.uid
    old_rule, new_rule = (told[uid].event["RRULE"] for uid in (meeting.uid, new.uid))
    [until] = old_rule["UNTIL"]
    # In UTC, before the split, and not before the last date that stays.
    assert until.utcoffset() == dt.timedelta()
    assert START + dt.timedelta(days=7) <= until < START + dt.timedelta(days=14)
    assert "COUNT" not in old_rule
    assert new_rule["COUNT"] == [3]
    # The cancelled date and the renamed one moved along.
    calendar = GuestCalendar(ANNE)
    for mail in received(mailbox, ANNE):
        calendar.receive(mail.ics)
    assert [(one.start[:16], one.title) for one in calendar.shown(dt.date(2026, 10, 1), dt.date(2026, 12, 1))] == [
        ("2026-10-06 08:00", "Comité"),
        ("2026-10-13 08:00", "Comité"),
        ("2026-10-20 10:00", "Comité"),
        ("2026-11-03 11:00", "Dernier comité"),
    ]


def test_r5_sequence_rises_with_times_rule_and_status_and_with_every_cancel(boss: Agent, mailbox: Mailbox) -> None:
    meeting = planned(boss)
    steps: list[tuple[dict[str, Any], int]] = [
        ({"title": "Bureau"}, 0),
        ({"title": "Bureau", "starts_at": START + HOUR}, 1),
        ({"title": "Bureau", "starts_at": START + HOUR, "minutes": 90}, 2),
        ({"title": "Bureau", "starts_at": START + HOUR, "minutes": 90, "place": "Salle 4"}, 2),
        ({"title": "Bureau", "starts_at": START + HOUR, "minutes": 90, "rule": "FREQ=DAILY;COUNT=2"}, 3),
    ]
    for fields, expected in steps:
        meeting = edited(meeting, **fields)
        assert sequence(last(mailbox)) == expected, fields
    cancelled(meeting, date(meeting, 0), Scope.ONE)
    assert (last(mailbox).method, sequence(last(mailbox))) == ("CANCEL", 4)
    answer(attendee=meeting.attendees.get(email=ANNE), answer="accepted", via="page", now=NOW)
    meeting.refresh_from_db()
    assert meeting.sequence == 4
    cancel_meeting(meeting=meeting, by=boss, now=NOW)
    send_all(LATER)
    assert (last(mailbox).method, sequence(last(mailbox))) == ("CANCEL", 5)


def test_r6_dtstamp_is_fresh_and_later_messages_come_later_in_the_order(boss: Agent, mailbox: Mailbox) -> None:
    meeting = planned(boss)
    draft = asked(title="Bureau")
    edit_meeting(meeting=meeting, by=boss, draft=draft, revision=1, now=NOW)
    send_all(NOW + dt.timedelta(minutes=5))
    first, second = received(mailbox, ANNE)
    assert sequence(first) == sequence(second) == 0
    between = second.event["DTSTAMP"].dt - first.event["DTSTAMP"].dt
    assert dt.timedelta(minutes=4, seconds=50) < between < dt.timedelta(minutes=5, seconds=10)
    # A calendar that reads them in the wrong order ends with the newer.
    calendar = GuestCalendar(ANNE)
    calendar.receive(second.ics)
    calendar.receive(first.ics)
    assert [one.title for one in calendar.shown(START.date(), START.date() + dt.timedelta(days=1))] == ["Bureau"]
    assert calendar.ignored == 1


@pytest.mark.parametrize(
    ("fields", "name", "value"),
    [
        ({"title": "Bureau"}, "SUMMARY", "Bureau"),
        ({"place": "Salle 4"}, "LOCATION", "Salle 4"),
        ({"description": "1. Budget"}, "DESCRIPTION", "1. Budget"),
        ({"wants_room": True}, "URL", "/rejoindre/"),
    ],
)
def test_r7_words_place_and_link_are_mailed_too(
    boss: Agent, mailbox: Mailbox, fields: dict[str, Any], name: str, value: str
) -> None:
    meeting = planned(boss, wants_room=False)
    edited(meeting, **{"wants_room": False, **fields})
    for guest in (ANNE, BOB):
        _first, second = received(mailbox, guest)
        assert (second.method, sequence(second)) == ("REQUEST", 0)
        assert value in str(second.event[name])


def test_r8_an_added_guest_alone_is_mailed_and_an_answer_goes_to_nobody(boss: Agent, mailbox: Mailbox) -> None:
    meeting = planned(boss, guests=[ANNE])
    answer(attendee=meeting.attendees.get(email=ANNE), answer="accepted", via="page", now=NOW)
    send_all(LATER)
    assert len(mailbox.messages()) == 1
    edited(meeting, guests=[ANNE, BOB])
    assert (len(received(mailbox, ANNE)), len(received(mailbox, BOB))) == (1, 1)


def test_r8_a_guest_added_to_one_date_hears_of_that_date_alone(boss: Agent, mailbox: Mailbox) -> None:
    meeting = weekly(boss, guests=[ANNE])
    second = date(meeting, 1)
    changed(meeting, second, Scope.ONE, guests=[ANNE, BOB])
    send_all(LATER)
    assert len(received(mailbox, ANNE)) == 1
    [mail] = received(mailbox, BOB)
    [event] = mail.calendar.walk("VEVENT")
    assert (utc(event["RECURRENCE-ID"]), "RRULE" in event) == (second.recurrence_id, False)


def partstat(mail: Received, guest: str = ANNE) -> str:
    return str(mail.attendees[guest].params["PARTSTAT"])


def test_r9_a_move_asks_everybody_again_and_nothing_else_does(boss: Agent, mailbox: Mailbox) -> None:
    meeting = planned(boss)
    answer(attendee=meeting.attendees.get(email=ANNE), answer="accepted", via="page", now=NOW)
    meeting = edited(meeting, title="Bureau")
    assert partstat(last(mailbox)) == "ACCEPTED"
    edited(meeting, title="Bureau", starts_at=START + HOUR)
    assert partstat(last(mailbox)) == "NEEDS-ACTION"
    assert partstat(last(mailbox), boss.email) == "ACCEPTED"


def test_r9_one_moved_date_asks_again_for_that_date(boss: Agent, mailbox: Mailbox) -> None:
    meeting = weekly(boss)
    answer(attendee=meeting.attendees.get(email=ANNE), answer="accepted", via="page", now=NOW)
    meeting = changed(meeting, date(meeting, 1), Scope.ONE, later=HOUR)
    send_all(LATER)
    assert partstat(last(mailbox)) == "NEEDS-ACTION"
    # The series, told again, keeps the answer to the other dates.
    changed(meeting, date(meeting, 0), Scope.ALL, title="Bureau")
    send_all(LATER + dt.timedelta(minutes=1))
    events = {"RECURRENCE-ID" in event: event for event in last(mailbox).calendar.walk("VEVENT")}
    told = {
        alone: next(one.params["PARTSTAT"] for one in event["ATTENDEE"] if ANNE in one)
        for alone, event in events.items()
    }
    assert told == {False: "ACCEPTED", True: "NEEDS-ACTION"}


def test_r10_a_request_is_never_cancelled_and_a_cancel_has_no_buttons(boss: Agent, mailbox: Mailbox) -> None:
    meeting = weekly(boss)
    cancelled(meeting, date(meeting, 1), Scope.ONE)
    meeting = Meeting.objects.get(pk=meeting.pk)
    changed(meeting, date(meeting, 0), Scope.ALL, title="Bureau")
    send_all(LATER)
    cancelled(meeting, date(meeting, 0), Scope.ALL)
    mails = received(mailbox, ANNE)
    assert [mail.method for mail in mails] == ["REQUEST", "CANCEL", "REQUEST", "CANCEL"]
    for mail in mails:
        states = {str(event["STATUS"]) for event in mail.calendar.walk("VEVENT")}
        assert states == ({"CANCELLED"} if mail.method == "CANCEL" else {"CONFIRMED"})
        assert ("?reponse=" in mail.html) == ("?reponse=" in mail.text) == (mail.method == "REQUEST")
        assert ("RSVP" in mail.attendees[ANNE].params) == (mail.method == "REQUEST")


def test_r10_every_method_is_told_once_in_the_content_type(boss: Agent, mailbox: Mailbox) -> None:
    meeting = planned(boss)
    cancel_meeting(meeting=meeting, by=boss, now=NOW)
    send_all(LATER)
    mails = received(mailbox, ANNE)
    assert [mail.method for mail in mails] == ["REQUEST", "CANCEL"]
    for mail in mails:
        assert methods(mail) == {mail.method}
        assert all(len(part.get_all("Content-Type")) == 1 for part in mail.message.walk())
