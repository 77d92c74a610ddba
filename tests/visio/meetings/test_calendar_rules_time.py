"""The rules of calendar e-mail about time, R11 to R14: asserted on the bytes that a real SMTP server received."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from typing import Any

import pytest
import recurring_ical_events
from icalendar import Calendar

from suite.agents.models import Agent
from tests import factories
from tests.looking import Mailbox
from tests.visio.meetings.reading import Received, received, send_all
from visio.meetings import series
from visio.meetings.models import Meeting
from visio.meetings.scheduling import schedule_meeting
from visio.meetings.scopes import Scope

pytestmark = pytest.mark.django_db(transaction=True)
NOW = dt.datetime(2026, 9, 1, 9, 0, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(seconds=30)
ANNE = "anne@partenaire.example"
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def boss() -> Agent:
    return factories.agent("Karim", "Benali", organisation=factories.organisation("DINUM"))


def planned(boss: Agent, date: dt.date, time: dt.time = dt.time(10), **fields: Any) -> Meeting:
    fields.setdefault("guests", [ANNE])
    draft = factories.draft(now=NOW, start_date=date, start_time=time, **fields)
    meeting = schedule_meeting(by=boss, draft=draft, now=NOW)
    send_all(NOW)
    return meeting


def last(mailbox: Mailbox) -> Received:
    return received(mailbox, ANNE)[-1]


def dates(mail: Received) -> list[Any]:
    """Every start that the received object makes, by a library that is not ours."""
    found = recurring_ical_events.of(mail.calendar, keep_recurrence_attributes=True).all()
    return sorted(event["DTSTART"].dt for event in found)


def values(calendar: Calendar, name: str) -> list[Any]:
    return [value for event in calendar.walk("VEVENT") for key, value in event.property_items() if key == name]


@pytest.mark.parametrize("zone", ["Europe/Paris", "America/Cayenne", "Pacific/Noumea", "Africa/Casablanca", "UTC"])
def test_r11_a_series_is_in_local_time_and_brings_its_zone(boss: Agent, mailbox: Mailbox, zone: str) -> None:
    meeting = planned(boss, dt.date(2026, 10, 6), rule="FREQ=WEEKLY;COUNT=40", time_zone=zone)
    series.cancel(
        meeting=meeting,
        occurrence=meeting.occurrences.order_by("recurrence_id")[2],
        scope=Scope.ONE,
        by=boss,
        now=NOW,
    )
    send_all(LATER)
    for mail in received(mailbox, ANNE):
        named = {
            value.params["TZID"]
            for event in mail.calendar.walk("VEVENT")
            for _name, value in event.property_items()
            if "TZID" in getattr(value, "params", {})
        }
        assert named == {zone} == {str(component["TZID"]) for component in mail.calendar.walk("VTIMEZONE")}
        for name in ("DTSTART", "DTEND", "RECURRENCE-ID"):
            assert f"\r\n{name}:".encode() not in mail.ics.split(b"BEGIN:VEVENT")[1]
    # The rules that the object itself brings say what the zone's own say, over its forty weeks.
    [component] = received(mailbox, ANNE)[0].calendar.walk("VTIMEZONE")
    told, own = component.to_tz(lookup_tzid=False), zoneinfo.ZoneInfo(zone)
    for occurrence in meeting.occurrences.all():
        wall = occurrence.starts_at.astimezone(own).replace(tzinfo=None)
        assert wall.replace(tzinfo=told).utcoffset() == wall.replace(tzinfo=own).utcoffset(), wall


def test_r11_yearly_changes_of_a_zone_are_rules_with_byday(boss: Agent, mailbox: Mailbox) -> None:
    planned(boss, dt.date(2026, 10, 6), rule="FREQ=WEEKLY")
    [component] = last(mailbox).calendar.walk("VTIMEZONE")
    rules = sorted(part["RRULE"].to_ical().decode() for part in component.subcomponents)
    assert rules == ["FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10", "FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3"]


def test_r12_until_is_in_utc_and_takes_the_last_date_in(boss: Agent, mailbox: Mailbox) -> None:
    # The last Tuesday is after the end of summer time: ten in Paris is nine in UTC.
    planned(boss, dt.date(2026, 10, 6), rule="FREQ=WEEKLY;BYDAY=TU;UNTIL=20261103T090000Z")
    mail = last(mailbox)
    assert mail.event["RRULE"]["UNTIL"] == [dt.datetime(2026, 11, 3, 9, tzinfo=dt.UTC)]
    assert [f"{one:%m-%d %H}" for one in dates(mail)] == ["10-06 10", "10-13 10", "10-20 10", "10-27 10", "11-03 10"]


def test_r12_exdate_and_recurrence_id_take_the_type_of_dtstart(boss: Agent, mailbox: Mailbox) -> None:
    for is_all_day, kind in ((False, dt.datetime), (True, dt.date)):
        meeting = planned(
            boss,
            dt.date(2026, 10, 6),
            dt.time() if is_all_day else dt.time(10),
            minutes=24 * 60 if is_all_day else 60,
            is_all_day=is_all_day,
            rule="FREQ=WEEKLY;UNTIL=20261110",
        )
        first, second = meeting.occurrences.order_by("recurrence_id")[:2]
        series.cancel(meeting=meeting, occurrence=second, scope=Scope.ONE, by=boss, now=NOW)
        send_all(LATER)
        cancel = last(mailbox)
        draft = factories.draft(
            now=NOW,
            start_date=dt.date(2026, 10, 6),
            start_time=dt.time() if is_all_day else dt.time(10),
            minutes=meeting.minutes,
            is_all_day=is_all_day,
            rule=Meeting.objects.get(pk=meeting.pk).rrule,
            title="Bureau",
            guests=[ANNE],
        )
        series.change(meeting=meeting, occurrence=first, scope=Scope.ALL, by=boss, draft=draft, revision=2, now=NOW)
        send_all(LATER)
        [recurrence_id], [exdate] = values(cancel.calendar, "RECURRENCE-ID"), values(last(mailbox).calendar, "EXDATE")
        start = last(mailbox).event["DTSTART"]
        assert type(start.dt) is type(recurrence_id.dt) is type(exdate.dts[0].dt) is kind
        assert recurrence_id.params == exdate.params == start.params
        assert recurrence_id.dt == exdate.dts[0].dt
        [until] = last(mailbox).event["RRULE"]["UNTIL"]
        assert type(until) is kind
        assert len(dates(last(mailbox))) == 5


def test_r13_an_hour_that_a_rule_skips_is_neither_held_nor_counted(boss: Agent, mailbox: Mailbox) -> None:
    # 28 March 2027 has no half past two in Paris.
    meeting = planned(boss, dt.date(2027, 3, 27), dt.time(2, 30), rule="FREQ=DAILY;COUNT=3")
    starts = [one.starts_at for one in meeting.occurrences.order_by("starts_at")]
    assert starts == [
        dt.datetime(2027, 3, 27, 1, 30, tzinfo=dt.UTC),
        dt.datetime(2027, 3, 29, 0, 30, tzinfo=dt.UTC),
        dt.datetime(2027, 3, 30, 0, 30, tzinfo=dt.UTC),
    ]
    text = last(mailbox).ics.decode()
    assert "DTSTART;TZID=Europe/Paris:20270327T023000" in text


def test_r13_a_literal_start_in_the_gap_uses_the_offset_before_it(boss: Agent, mailbox: Mailbox) -> None:
    meeting = planned(boss, dt.date(2027, 3, 28), dt.time(2, 30))
    at = dt.datetime(2027, 3, 28, 1, 30, tzinfo=dt.UTC)
    assert meeting.occurrences.get().starts_at == at
    assert last(mailbox).event["DTSTART"].dt.astimezone(dt.UTC) == at
    assert "03:30" in last(mailbox).text


def test_r13_an_hour_that_comes_twice_is_the_first(boss: Agent, mailbox: Mailbox) -> None:
    meeting = planned(boss, dt.date(2026, 10, 25), dt.time(2, 30), minutes=30, rule="FREQ=WEEKLY;COUNT=2")
    assert meeting.occurrences.earliest("starts_at").starts_at == dt.datetime(2026, 10, 25, 0, 30, tzinfo=dt.UTC)
    start = last(mailbox).event["DTSTART"].dt
    assert (f"{start:%m-%d %H:%M}", start.fold) == ("10-25 02:30", 0)


def test_r14_whole_days_are_dates_that_nobody_converts(boss: Agent, mailbox: Mailbox) -> None:
    far = factories.agent(time_zone="Pacific/Noumea", email="loin@dinum.example")
    # Three days, of which one has 25 hours in Paris.
    planned(
        boss,
        dt.date(2026, 10, 24),
        dt.time(),
        minutes=3 * 24 * 60,
        is_all_day=True,
        guests=[ANNE, far],
        title="Séminaire",
    )
    for guest in (ANNE, far.email):
        [mail] = received(mailbox, guest)
        event = mail.event
        assert (event["DTSTART"].dt, event["DTEND"].dt) == (dt.date(2026, 10, 24), dt.date(2026, 10, 27))
        assert event["DTSTART"].params["VALUE"] == event["DTEND"].params["VALUE"] == "DATE"
        assert b"TZID" not in mail.ics
        assert b"VTIMEZONE" not in mail.ics
        assert "Du samedi 24 octobre 2026 au lundi 26 octobre 2026" in mail.text
        assert "Pour vous" not in mail.text
        assert "00:00" not in mail.text
        assert mail.subject == "Invitation : Séminaire, sam. 24 oct."


def test_r14_one_day_ends_the_day_after(boss: Agent, mailbox: Mailbox) -> None:
    planned(boss, dt.date(2026, 10, 6), dt.time(), minutes=24 * 60, is_all_day=True)
    mail = last(mailbox)
    assert (mail.event["DTSTART"].dt, mail.event["DTEND"].dt) == (dt.date(2026, 10, 6), dt.date(2026, 10, 7))
    assert "Mardi 6 octobre 2026\r\nJournée entière" in mail.text
