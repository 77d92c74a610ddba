"""Series as calendars read them: expanded by a library that is not ours."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import recurring_ical_events
from icalendar import Calendar, Event

from tests import factories
from tests.visio.meetings.serial import override, series
from visio.meetings.exception_models import AttendeeException
from visio.meetings.ical import CalendarText, Recipient, dates_of, meeting_ics
from visio.meetings.ical_lines import ValueKind
from visio.meetings.models import Meeting, Status
from visio.places.models import BookingStatus, Resource, ResourceBooking

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 9, 1, 9, 0, tzinfo=dt.UTC)
PARIS = ValueKind(zone="Europe/Paris", is_all_day=False, is_series=True)
HOUR = dt.timedelta(hours=1)


def parsed(ics: bytes) -> Calendar:
    assert all(len(line) <= 75 for line in ics.split(b"\r\n"))
    return Calendar.from_ical(ics)


def starts(calendar: Calendar) -> list[Any]:
    found = recurring_ical_events.of(calendar, keep_recurrence_attributes=True).between((2026, 1, 1), (2028, 1, 1))
    return sorted(event["DTSTART"].dt for event in found)


def portal(meeting: Meeting) -> list[dt.datetime]:
    return [one.starts_at for one in meeting.occurrences.exclude(status="cancelled").order_by("starts_at")]


def master(calendar: Calendar) -> Event:
    [found] = [event for event in calendar.walk("VEVENT") if "RECURRENCE-ID" not in event]
    return found


def test_a_weekly_series_across_daylight_saving() -> None:
    meeting = series(rule="FREQ=WEEKLY;BYDAY=TU;UNTIL=20261208T090000Z", date=dt.date(2026, 10, 6), now=NOW)
    calendar = parsed(meeting_ics(meeting))
    event = master(calendar)
    assert [one.astimezone(dt.UTC) for one in starts(calendar)] == portal(meeting)
    assert {one.hour for one in starts(calendar)} == {10}
    assert len(starts(calendar)) == 10
    assert event["DTSTART"].params["TZID"] == "Europe/Paris"
    assert event.to_ical().count(b"UNTIL=20261208T090000Z") == 1
    assert [str(zone["TZID"]) for zone in calendar.walk("VTIMEZONE")] == ["Europe/Paris"]


def test_a_cancelled_date_and_a_moved_one() -> None:
    meeting = series(rule="FREQ=WEEKLY;BYDAY=TU;COUNT=4", date=dt.date(2026, 10, 6), now=NOW)
    gone = override(meeting, 1, status=Status.CANCELLED)
    moved = override(meeting, 2, title="Bureau", place="Salle 4", description="", sequence=3)
    moved.starts_at, moved.ends_at = moved.starts_at + 26 * HOUR, moved.ends_at + 27 * HOUR
    moved.save()
    Meeting.objects.filter(pk=meeting.pk).update(place="Salle 1", description="Ordre du jour")
    calendar = parsed(meeting_ics(Meeting.objects.get(pk=meeting.pk), join_url=""))
    assert [one.astimezone(dt.UTC) for one in starts(calendar)] == portal(meeting)
    [other] = [event for event in calendar.walk("VEVENT") if "RECURRENCE-ID" in event]
    assert other["RECURRENCE-ID"].dt.astimezone(dt.UTC) == moved.recurrence_id
    assert other["RECURRENCE-ID"].params == master(calendar)["DTSTART"].params
    assert (str(other["SUMMARY"]), str(other["LOCATION"])) == ("Bureau", "Salle 4")
    assert not {"RRULE", "EXDATE", "DESCRIPTION"} & set(other)
    assert other["DTEND"].dt - other["DTSTART"].dt == 2 * HOUR
    [exdate] = master(calendar)["EXDATE"].dts
    assert exdate.dt.astimezone(dt.UTC) == gone.recurrence_id
    assert master(calendar)["EXDATE"].params["TZID"] == "Europe/Paris"


def test_a_series_planned_in_utc_is_in_local_time_all_the_same() -> None:
    meeting = series(rule="FREQ=DAILY;COUNT=3", date=dt.date(2026, 10, 6), zone="UTC", now=NOW)
    calendar = parsed(meeting_ics(meeting))
    assert master(calendar)["DTSTART"].params["TZID"] == "UTC"
    assert [str(zone["TZID"]) for zone in calendar.walk("VTIMEZONE")] == ["UTC"]
    assert [one.astimezone(dt.UTC) for one in starts(calendar)] == portal(meeting)


def test_whole_days_know_no_zone() -> None:
    meeting = series(
        rule="FREQ=WEEKLY;COUNT=5",
        date=dt.date(2026, 10, 24),
        time=dt.time(0),
        minutes=2 * 24 * 60,
        is_all_day=True,
        now=NOW,
    )
    override(meeting, 1, status=Status.CANCELLED)
    override(meeting, 3, title="Autre")
    calendar = parsed(meeting_ics(meeting))
    event = master(calendar)
    # The first one spans the day of 25 hours.
    assert (event["DTSTART"].dt, event["DTEND"].dt) == (dt.date(2026, 10, 24), dt.date(2026, 10, 26))
    assert starts(calendar) == [
        dt.date(2026, 10, 24),
        dt.date(2026, 11, 7),
        dt.date(2026, 11, 14),
        dt.date(2026, 11, 21),
    ]
    assert [one.dt for one in event["EXDATE"].dts] == [dt.date(2026, 10, 31)]
    assert b"VTIMEZONE" not in meeting_ics(meeting)
    assert b"TZID" not in meeting_ics(meeting)


def test_added_and_removed_dates_of_an_imported_rule() -> None:
    meeting = series(rule="FREQ=WEEKLY;COUNT=3", date=dt.date(2026, 10, 6), now=NOW)
    Meeting.objects.filter(pk=meeting.pk).update(rdates=["2026-10-08T15:00:00"], exdates=["2026-10-13T10:00:00"])
    calendar = parsed(meeting_ics(Meeting.objects.get(pk=meeting.pk)))
    assert [f"{one:%d %H}" for one in starts(calendar)] == ["06 10", "08 15", "20 10"]


def test_a_start_in_the_gap_keeps_its_wall_clock() -> None:
    meeting = series(rule="FREQ=DAILY;COUNT=3", date=dt.date(2027, 3, 28), time=dt.time(2, 30), now=NOW)
    text = meeting_ics(meeting).decode()
    assert "DTSTART;TZID=Europe/Paris:20270328T023000" in text
    assert "DTEND;TZID=Europe/Paris:20270328T043000" in text


def test_one_date_as_a_file() -> None:
    meeting = series(rule="FREQ=WEEKLY;BYDAY=TU;COUNT=4", date=dt.date(2026, 10, 6), now=NOW)
    second = meeting.occurrences.order_by("recurrence_id")[1]
    [event] = parsed(meeting_ics(meeting, second)).walk("VEVENT")
    assert event["RECURRENCE-ID"].dt.astimezone(dt.UTC) == second.recurrence_id
    assert event["DTSTART"].dt.astimezone(dt.UTC) == second.starts_at
    assert "RRULE" not in event


def rendered(meeting: Meeting, recipient: Recipient, **fields: Any) -> Calendar:
    also = [*recipient.absent, *recipient.answers]
    text = CalendarText(
        meeting=meeting, dates=dates_of(meeting, also=also), method="REQUEST", sequence=meeting.sequence, **fields
    )
    return parsed(text.render(recipient=recipient, join_url="", stamp=NOW))


def test_what_differs_for_one_guest() -> None:
    meeting = series(rule="FREQ=WEEKLY;BYDAY=TU;COUNT=4", date=dt.date(2026, 10, 6), now=NOW)
    override(meeting, 3, title="Autre")
    without, answered = list(meeting.occurrences.order_by("recurrence_id")[1:3])
    assert without.recurrence_id
    assert answered.recurrence_id
    guest = Recipient(
        "a@x.example",
        "Anne",
        answer="accepted",
        absent=frozenset({without.recurrence_id}),
        answers={answered.recurrence_id: "declined"},
    )
    calendar = rendered(meeting, guest)
    assert [f"{one:%d}" for one in starts(calendar)] == ["06", "20", "27"]
    told = {
        event["RECURRENCE-ID"].dt.day if "RECURRENCE-ID" in event else 0: event["ATTENDEE"][0].params["PARTSTAT"]
        for event in calendar.walk("VEVENT")
    }
    assert told == {0: "ACCEPTED", 20: "DECLINED", 27: "ACCEPTED"}
    # Somebody else is told nothing of it.
    assert [f"{one:%d}" for one in starts(rendered(meeting, Recipient("b@x.example", "")))] == ["06", "13", "20", "27"]


def test_an_override_of_somebody_who_is_not_there_that_day_is_not_told() -> None:
    meeting = series(rule="FREQ=WEEKLY;BYDAY=TU;COUNT=3", date=dt.date(2026, 10, 6), now=NOW)
    changed = override(meeting, 1, title="Autre")
    assert changed.recurrence_id
    calendar = rendered(meeting, Recipient("a@x.example", "", absent=frozenset({changed.recurrence_id})))
    assert len(calendar.walk("VEVENT")) == 1
    assert [f"{one:%d}" for one in starts(calendar)] == ["06", "20"]


def test_exceptions_of_the_portal_reach_the_letter() -> None:
    from visio.meetings.letter_rows import know

    meeting = series(rule="FREQ=WEEKLY;BYDAY=TU;COUNT=3", date=dt.date(2026, 10, 6), now=NOW)
    guest = meeting.attendees.exclude(role="chair").get()
    first, second, third = meeting.occurrences.order_by("recurrence_id")
    AttendeeException.objects.create(attendee=guest, occurrence=first, removed=True)
    AttendeeException.objects.create(attendee=guest, occurrence=second, answer="tentative")
    AttendeeException.objects.create(attendee=guest, occurrence=third)
    row = meeting.deliveries.select_related("attendee").get()
    found = know([meeting], [row], now=NOW)[meeting.pk].differences[guest.pk]
    assert (found.absent, found.answers) == ({first.recurrence_id}, {second.recurrence_id: "tentative"})


def test_rooms_and_equipment_attend() -> None:
    meeting = factories.meeting(guests=["a@x.example"], now=NOW, starts_at=NOW + 24 * HOUR, place="")
    occurrence = meeting.occurrences.get()
    home = meeting.organiser.organisation
    for kind, name, status in (
        ("room", "Salle 4", BookingStatus.ACCEPTED),
        ("resource", "Caméra", BookingStatus.PENDING),
        ("room", "Salle 5", BookingStatus.REFUSED),
    ):
        resource = Resource.objects.create(organisation=home, kind=kind, name=name, site="Ségur")
        ResourceBooking.objects.create(
            resource=resource,
            meeting=meeting,
            occurrence=occurrence,
            during=(occurrence.starts_at, occurrence.ends_at),
            status=status,
        )
    [event] = rendered(meeting, Recipient("a@x.example", "")).walk("VEVENT")
    there = {str(one.params["CN"]): one.params for one in event["ATTENDEE"] if str(one).startswith("urn:")}
    assert {name: (one["CUTYPE"], one["PARTSTAT"]) for name, one in there.items()} == {
        "Salle 4 (Ségur)": ("ROOM", "ACCEPTED"),
        "Caméra (Ségur)": ("RESOURCE", "TENTATIVE"),
    }
    assert str(event["LOCATION"]) == "Salle 4 (Ségur)"


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("FREQ=DAILY;UNTIL=20261208T090000Z", "FREQ=DAILY;UNTIL=20261208T090000Z"),
        ("FREQ=DAILY;UNTIL=20261208", "FREQ=DAILY;UNTIL=20261208T225959Z"),
        ("FREQ=DAILY;UNTIL=20260708T100000", "FREQ=DAILY;UNTIL=20260708T080000Z"),
    ],
)
def test_until_is_in_utc(written: str, sent: str) -> None:
    assert PARIS.rrule_line(written) == f"RRULE:{sent}\r\n".encode()


def test_until_of_whole_days_is_a_date() -> None:
    kind = ValueKind(zone="Europe/Paris", is_all_day=True, is_series=True)
    assert kind.rrule_line("FREQ=DAILY;UNTIL=20261208T000000Z;INTERVAL=2") == (
        b"RRULE:FREQ=DAILY;UNTIL=20261208;INTERVAL=2\r\n"
    )
