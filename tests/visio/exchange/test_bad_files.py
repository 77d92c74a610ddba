"""Bad calendar files: a clear reason, nothing lost, never an exception, in bounded time."""

from __future__ import annotations

import datetime as dt
import time
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from suite.agents.models import Agent
from tests import factories
from tests.visio.exchange.files import calendar, event, timed
from visio.exchange.importing import carry_out
from visio.exchange.parsing import MOST_BYTES, MOST_EVENTS, FileRefused, read_calendar
from visio.exchange.planning import Plan, plan_import
from visio.exchange.sorting import Sorted, sort_calendar
from visio.meetings.models import Meeting, Occurrence

NOW = dt.datetime(2026, 11, 24, 9, 0, tzinfo=dt.UTC)


@pytest.fixture
def agent(db: None) -> Agent:
    return factories.agent("Claire", "Morel")


def sort(content: bytes) -> Sorted:
    return sort_calendar(read_calendar(content), zone="Europe/Paris", now=NOW)


def reason(content: bytes) -> str:
    found = sort(content)
    assert not found.found
    return found.left_out[-1].words


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (("DTSTART:20270101T100000Z", "RRULE:FREQ=SECONDLY"), "plusieurs fois par jour"),
        (("DTSTART:20270101T100000Z", "RRULE:FREQ=HOURLY;COUNT=3"), "plusieurs fois par jour"),
        (("DTSTART:20270101T100000Z", "RRULE:FREQ=DAILY;COUNT=2", "RRULE:FREQ=DAILY;COUNT=3"), "plusieurs règles"),
        (("DTSTART:20270101T100000Z", "RRULE:FREQ=DAILY", "EXRULE:FREQ=WEEKLY"), "plusieurs règles"),
        (("DTEND:20270101T100000Z",), "date de début"),
        (("DTSTART:demain",), "illisible"),
        (("DTSTART:20270230T100000",), "illisible"),
        (("DTSTART:20270101T250000",), "illisible"),
        (("DTSTART:20270101T100000", "DTEND:20270101T090000"), "avant de commencer"),
        (("DTSTART:20270101T100000", "DURATION:-PT1H"), "illisible"),
        (("DTSTART:20270101T100000", "DTEND:20270115T100001"), "quatorze jours"),
        (("DTSTART;VALUE=DATE:20270101", "DTEND;VALUE=DATE:20270115"), "treize journées"),
        (("DTSTART;TZID=Mars/Olympus:20270101T100000",), "Mars/Olympus"),
        (("DTSTART:00010101T000000",), "hors du calendrier"),
        (("DTSTART:20270101T100000", "RDATE;VALUE=PERIOD:20270102T100000/PT1H"), "durée à elles"),
        (("DTSTART:20270101T100000", "RECURRENCE-ID;RANGE=THISANDFUTURE:20270101T100000"), "dates suivantes"),
    ],
)
def test_an_event_that_is_left_out_says_why(lines: tuple[str, ...], words: str) -> None:
    assert words in reason(calendar(event(*lines)))


@pytest.mark.parametrize(
    ("tzid", "zone"),
    [
        ("Europe/Paris", "Europe/Paris"),
        ("europe/paris", "Europe/Paris"),
        ("Romance Standard Time", "Europe/Paris"),
        ("Central Pacific Standard Time", "Pacific/Guadalcanal"),
        ("/mozilla.org/20050126_1/Europe/Paris", "Europe/Paris"),
        ("/freeassociation.sourceforge.net/America/Argentina/Ushuaia", "America/Argentina/Ushuaia"),
        ("Indian/Reunion", "Indian/Reunion"),
        ("tzone://Microsoft/Utc", "UTC"),
    ],
)
def test_zones_as_programs_name_them(tzid: str, zone: str) -> None:
    made = event(f'DTSTART;TZID="{tzid}":20270115T100000', "DURATION:PT1H", "RRULE:FREQ=WEEKLY;COUNT=2")
    [found] = sort(calendar(made)).found
    assert found.timetable.zone == zone


def test_a_zone_that_the_file_explains() -> None:
    zone = "BEGIN:VTIMEZONE\r\nTZID:Bureau\r\nX-LIC-LOCATION:Indian/Reunion\r\nEND:VTIMEZONE"
    [found] = sort(calendar(zone, event("DTSTART;TZID=Bureau:20270115T100000", "DURATION:PT1H"))).found
    assert found.timetable.zone == "Indian/Reunion"


@pytest.mark.parametrize(
    ("lines", "start", "minutes"),
    [
        (("DTSTART:20270715T080000Z", "DTEND:20270715T091530Z"), "2027-07-15T10:00:00", 76),
        (("DTSTART:20270715T100000", "DURATION:P1DT2H"), "2027-07-15T10:00:00", 26 * 60),
        # A calendar day over the end of summer time is 25 hours long.
        (("DTSTART:20261024T100000", "DURATION:P1D"), "2026-10-24T10:00:00", 25 * 60),
        (("DTSTART:20270715T100000",), "2027-07-15T10:00:00", 1),
        (("DTSTART;VALUE=DATE:20270715",), "2027-07-15T00:00:00", 1440),
        (("DTSTART:20270715", "DTEND:20270717"), "2027-07-15T00:00:00", 2880),
        (("DTSTART;VALUE=DATE:20270715", "DURATION:P1W"), "2027-07-15T00:00:00", 7 * 1440),
    ],
)
def test_times(lines: tuple[str, ...], start: str, minutes: int) -> None:
    [found] = sort(calendar(event(*lines))).found
    assert (found.timetable.start.isoformat(), found.timetable.minutes) == (start, minutes)
    assert found.timetable.zone == "Europe/Paris"


def test_a_series_in_utc_keeps_its_clock() -> None:
    [found] = sort(calendar(event("DTSTART:20270715T080000Z", "DURATION:PT1H", "RRULE:FREQ=WEEKLY"))).found
    assert (found.timetable.zone, found.timetable.start.hour) == ("UTC", 8)


def test_doubles_keep_the_newest() -> None:
    found = sort(calendar(timed("SEQUENCE:2", summary="Neuve"), timed("SEQUENCE:1", summary="Vieille")))
    assert [one.event.title for one in found.found] == ["Neuve"]
    assert ["double" in one.words for one in found.left_out] == [True]
    assert found.left_out[0].title == "Vieille"


def test_a_lonely_date_is_a_meeting_of_its_own() -> None:
    [found] = sort(calendar(timed("RECURRENCE-ID;TZID=Europe/Paris:20270112T100000"))).found
    assert not found.timetable.is_series
    assert found.event.uid.endswith("#20270112T090000Z")


def test_a_date_that_the_series_does_not_have_is_said() -> None:
    stray = timed("RECURRENCE-ID;TZID=Europe/Paris:20270113T100000")
    found = sort(calendar(timed("RRULE:FREQ=WEEKLY;COUNT=2"), stray))
    assert len(found.found) == 1
    assert "pas de date à ce moment" in found.left_out[0].words


def test_what_is_not_kept_is_said() -> None:
    alarm = "BEGIN:VALARM\r\nTRIGGER:-PT15M\r\nSUMMARY:Réveil\r\nEND:VALARM"
    made = timed("ATTACH:https://ailleurs.example/x.pdf", alarm, "DESCRIPTION:" + "é" * 11_000)
    todo = "BEGIN:VTODO\r\nSUMMARY:À faire\r\nEND:VTODO"
    found = sort(calendar(made, todo))
    [one] = found.found
    notes = " ".join(one.notes)
    assert "rappels non repris" in notes
    assert "pièces jointes" in notes
    assert "coupés" in notes
    assert one.event.title == "Point d’équipe", "the alarm's summary is not the meeting's"
    assert found.others == 1


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "not_calendar"),
        (b"\xff\xd8\xff\xe0JFIF", "not_calendar"),
        (b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "empty"),
        (calendar(timed(), head=("METHOD:REPLY",)), "answer"),
        (b"x" * (MOST_BYTES + 1), "too_big"),
        (calendar(*["BEGIN:VEVENT\r\nEND:VEVENT"] * (MOST_EVENTS + 1)), "too_many"),
        (b"BEGIN:VCALENDAR\n" + b"BEGIN:VEVENT\n" * 50_000, "too_deep"),
        (b"BEGIN:VCALENDAR\n" + b"\n" * 200_000, "too_many"),
    ],
)
def test_a_file_that_is_refused_says_why(content: bytes, code: str) -> None:
    with pytest.raises(FileRefused) as refused:
        read_calendar(content)
    assert refused.value.reason == code
    assert refused.value.message


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("breaks", ["\r\n", "\n", "\r"])
def test_encodings_and_line_breaks(encoding: str, breaks: str) -> None:
    text = calendar(timed("DESCRIPTION:long\r\n  texte")).decode().replace("\r\n", breaks)
    [found] = sort(text.encode(encoding)).found
    assert (found.event.title, found.event.description) == ("Point d’équipe", "long texte")


def test_folded_in_the_middle_of_a_letter() -> None:
    raw = calendar(timed()).replace("’".encode(), b"\xe2\x80\r\n \x99")
    assert sort(raw).found or sort(raw).left_out


BOMBS = [
    "FREQ=SECONDLY",
    "FREQ=DAILY;COUNT=36525",
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=YEARLY;BYWEEKNO=53;BYDAY=MO;BYSETPOS=-1",
    "FREQ=DAILY;COUNT=36525;BYMONTH=2;BYMONTHDAY=29",
    "FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYSETPOS=366,-366,1,2,3",
]


@pytest.mark.parametrize("rule", BOMBS)
def test_rule_bombs_are_bounded(agent: Agent, rule: str) -> None:
    """A file of 3,000 of them, from the first year that there is."""
    one = event("DTSTART:15830101T000000Z", "DTEND:15830101T010000Z", f"RRULE:{rule}", uid="{}@x", summary="B")
    content = calendar(*(one.replace("{}", str(number)) for number in range(3_000)))
    begin = time.process_time()
    found = plan_import(content, agent=agent, now=NOW)
    assert time.process_time() - begin < 12
    assert len(found.steps) + len(found.left_out) == 3_000


@pytest.mark.django_db
def test_ten_thousand_removed_dates_are_refused_quickly(agent: Agent) -> None:
    dates = ",".join(f"2027{1 + n % 12:02d}{1 + n % 28:02d}T{n % 24:02d}{n % 60:02d}00" for n in range(10_000))
    content = calendar(timed("RRULE:FREQ=DAILY", f"EXDATE;TZID=Europe/Paris:{dates}"))
    begin = time.process_time()
    found = plan_import(content, agent=agent, now=NOW)
    assert time.process_time() - begin < 5
    assert "1000 dates au plus" in found.left_out[0].words.replace("\xa0", "").replace("\u202f", "")


@pytest.mark.parametrize("text", ["Titre\\nBcc: x@y.example", "a\x85b", "a\u2028b", "<script>", "é" * 500, "\x00"])
def test_a_title_stays_one_line(agent: Agent, text: str) -> None:
    content = calendar(timed(summary=text))
    carry_out(plan_import(content, agent=agent, now=NOW), agent=agent, now=NOW, invites=False)
    title = Meeting.objects.get().title
    assert title
    assert not set(title) & set("\n\r\x85\u2028\x00")
    assert len(title) <= 200


# --- Fuzz ---------------------------------------------------------------------------------------------------------

_PROPERTIES = (
    "DTSTART DTEND DURATION RRULE EXDATE RDATE RECURRENCE-ID UID SUMMARY STATUS ATTENDEE ORGANIZER SEQUENCE CLASS BEGIN END"
    " X-A DESCRIPTION LOCATION"
)
_NAMES = st.sampled_from(_PROPERTIES.split())
_PARAMETERS = st.sampled_from(
    [
        "",
        ";VALUE=DATE",
        ";TZID=Europe/Paris",
        ';TZID="Romance Standard Time"',
        ";TZID=Nulle/Part",
        ";X=",
        ";CN=a,b",
        ";",
    ]
)
_KNOWN = (
    "20270112T100000 20270112T100000Z 20270112 99991231T235959Z 00010101 19000101T000000 20270328T023000 PT1H P1D P99999D"
    " PT99999999S FREQ=DAILY FREQ=WEEKLY;BYDAY=TU;COUNT=3 FREQ=YEARLY;UNTIL=1 VEVENT VCALENDAR VALARM VTIMEZONE CANCELLED"
    " mailto:a@b.example mailto: a@ailleurs.example 20270112T100000,20270113T100000 20271231T100000Z,x"
    " FREQ=DAILY;COUNT=2;BYHOUR=10;BYMINUTE=1"
)
_VALUES = st.one_of(st.sampled_from(_KNOWN.split()), st.text(max_size=30))
_LINES = st.tuples(_NAMES, _PARAMETERS, _VALUES).map(lambda parts: f"{parts[0]}{parts[1]}:{parts[2]}")
_EVENTS = st.lists(_LINES, max_size=10).map(lambda lines: event(*lines, uid=""))


def check(plan: Plan, agent: Agent) -> None:
    done = carry_out(plan, agent=agent, now=NOW, invites=True)
    assert not done.failed
    assert done.counts["create"] == Meeting.objects.count() == plan.count("create")
    assert not Occurrence.objects.filter(ends_at__lte=dt.datetime.min.replace(tzinfo=dt.UTC)).exists()


@pytest.mark.django_db(transaction=False)
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(_EVENTS, min_size=1, max_size=5))
@example([event("DTSTART;VALUE=DATE:20270101", "RDATE:20270101T100000", "EXDATE:20270101")])
@example([event("DTSTART:99991231T235959Z", "DTEND:99991231T235959Z")])
@example([event("DTSTART:00010101T000000Z", "DURATION:PT1S")])
@example([event("DTSTART:20270328T023000", "RRULE:FREQ=DAILY;COUNT=2", "DURATION:PT1H")])
def test_any_file_is_read_or_refused_and_what_is_shown_is_done(events: list[str]) -> None:
    Meeting.objects.all().delete()
    agent = Agent.objects.filter(sub="fuzz").first() or factories.agent(sub="fuzz")
    try:
        plan = plan_import(calendar(*events), agent=agent, now=NOW)
    except FileRefused:
        return
    check(plan, agent)
    again = plan_import(calendar(*events), agent=agent, now=NOW)
    assert not again.to_do, [(step.action, step.changes, step.draft) for step in again.to_do]


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400), st.integers(0, 200))
def test_any_bytes_are_read_or_refused(noise: bytes, at: int) -> None:
    whole = calendar(timed("RRULE:FREQ=WEEKLY;COUNT=3"))
    for content in (noise, whole[:at] + noise + whole[at:]):
        with suppress(FileRefused):
            sort(content)
