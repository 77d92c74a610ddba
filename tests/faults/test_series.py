"""Promises about series, and about everything that may be sent twice (PROMISES 18, 19, 20, 21, 22, 34)."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
import zoneinfo
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.utils import timezone

from suite.agents.models import Agent
from tests import factories
from tests.faults.test_invitations import crowd, in_the_middle_of_a_fan_out
from tests.looking import Mailbox
from tests.visio.meetings.pages import client_of, text_of
from tests.visio.meetings.pages import form as plan_form
from tests.visio.meetings.reading import received, send_all
from tests.visio.meetings.test_api import api
from tests.visio.meetings.test_views_series import TUESDAY, date_form, dates, url, weekly
from tests.visio.polls.test_pages import form as poll_form
from tests.waiting import PATIENCE
from visio.meetings.dates import occurrence_key
from visio.meetings.drafting import draft_of
from visio.meetings.exception_models import CounterProposal
from visio.meetings.models import Delivery, Meeting, Occurrence
from visio.meetings.scopes import Scope
from visio.meetings.series import cancel, change
from visio.meetings.tokens import link_token
from visio.places.models import Resource, ResourceBooking
from visio.polls.models import Poll

pytestmark = pytest.mark.django_db(transaction=True)
EXT = "anne@b.example"


@pytest.fixture
def boss() -> Agent:
    return factories.agent("Claire", "Morel")


def together(*acts: Callable[[], Any]) -> list[Any]:
    """What each answers, all of them begun at the same moment."""
    ready = Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        ready.wait(PATIENCE)
        try:
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return [future.result(PATIENCE) for future in [pool.submit(run, act) for act in acts]]


# --- 18: repeated posts ------------------------------------------------------------------------------------------------
def posted(agent: Agent, path: str, data: dict[str, Any]) -> Callable[[], Any]:
    client = client_of(agent)
    return lambda: client.post(path, data)


def asked(agent: Agent, path: str, data: dict[str, Any], key: str) -> Callable[[], Any]:
    tool = api(agent)
    return lambda: tool.post(path, data, content_type="application/json", headers={"Idempotency-Key": key})


def test_p18_a_series_with_a_room_posted_four_times_at_once_is_one(boss: Agent) -> None:
    room = Resource.objects.create(organisation=boss.organisation, name="Fontenoy", site="Ségur")
    sent = plan_form(date=TUESDAY.isoformat(), attendees=EXT, repeat="weekly", resources=[str(room.public_id)])
    sent |= {"repeat_for": TUESDAY.isoformat(), "repeat_end": "count", "repeat_count": "4"}
    answers = together(*(posted(boss, "/reunions/planifier/", sent) for _number in range(4)))
    assert {answer.status_code for answer in answers} == {302}
    assert len({answer["Location"] for answer in answers}) == 1
    counts = (Meeting.objects.count(), Occurrence.objects.count(), Delivery.objects.count())
    assert (*counts, ResourceBooking.objects.filter(status="accepted").count()) == (1, 4, 1, 4)


def test_p18_a_series_by_the_api_is_one_and_the_answer_the_same(boss: Agent) -> None:
    body = {"title": "Série", "start": f"{TUESDAY}T10:00", "minutes": 30, "rrule": "FREQ=WEEKLY;COUNT=3"}
    body |= {"attendees": [{"email": EXT}]}  # type: ignore[dict-item]
    answers = together(*(asked(boss, "/api/v1/meetings/", body, "once") for _number in range(4)))
    assert {answer.status_code for answer in answers} == {201}
    assert all(answer.json() == answers[0].json() for answer in answers)
    assert (Meeting.objects.count(), Occurrence.objects.count(), Delivery.objects.count()) == (1, 3, 1)


def test_p18_one_edit_of_a_date_posted_twice_at_once_rises_by_one(boss: Agent) -> None:
    series = weekly(boss)
    Delivery.objects.update(state="sent", sent_at=timezone.now())
    third = dates(series)[2]
    sent = date_form(series, third, start="14:00", end="15:00")
    answers = together(*(posted(boss, url(series, "edit", third), sent) for _number in range(3)))
    # The others are told that the meeting changed meanwhile.
    assert sorted(answer.status_code for answer in answers) == [302, 409, 409]
    series.refresh_from_db()
    assert (series.sequence, series.revision) == (1, 2)
    assert Delivery.objects.filter(reason="moved").count() == 2


def test_p18_a_poll_posted_four_times_at_once_is_one(boss: Agent) -> None:
    fields = poll_form()
    answers = together(*(posted(boss, "/sondages/nouveau/", fields) for _number in range(4)))
    assert {answer.status_code for answer in answers} == {302}
    assert len({answer["Location"] for answer in answers}) == 1
    assert Poll.objects.count() == 1


def test_p18_another_time_proposed_twice_by_the_api_is_one(boss: Agent) -> None:
    guest = factories.agent(organisation=boss.organisation)
    series = weekly(boss, guests=[guest])
    third = dates(series)[2]
    body = {
        "occurrence": occurrence_key(third),
        "starts_at": (third.starts_at + dt.timedelta(hours=2)).isoformat(),
        "ends_at": (third.ends_at + dt.timedelta(hours=2)).isoformat(),
    }
    answers = together(
        *(asked(guest, f"/api/v1/meetings/{series.public_id}/counters/", body, "once") for _number in range(3))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert all(answer.json() == answers[0].json() for answer in answers)
    assert CounterProposal.objects.count() == 1


def test_p18_a_proposed_time_taken_twice_moves_once(boss: Agent) -> None:
    guest = factories.agent(organisation=boss.organisation)
    series = weekly(boss, guests=[guest])
    third = dates(series)[2]
    day = third.starts_at.date().isoformat()
    proposed = {"day": day, "from_hour": "16:00", "to_hour": "17:00", "comment": ""}
    assert client_of(guest).post(url(series, "propose", third), proposed).status_code == 302
    counter = CounterProposal.objects.get()
    decide = f"/reunions/{series.public_id}/autre-horaire/{counter.public_id}/"
    together(*(posted(boss, decide, {"decision": "accept"}) for _number in range(3)))
    series.refresh_from_db()
    assert (series.sequence, series.revision) == (1, 2)


def test_p18_a_file_imported_twice_at_once_is_there_once(boss: Agent) -> None:
    content = "\r\n".join(
        [
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "PRODID:-//Autre//FR",
            "BEGIN:VEVENT",
            "UID:serie-1@ailleurs.example",
            f"DTSTART;TZID=Europe/Paris:{TUESDAY:%Y%m%d}T100000",
            "DURATION:PT1H",
            "RRULE:FREQ=WEEKLY;COUNT=5",
            "SUMMARY:Série venue d’ailleurs",
            "DTSTAMP:20260101T000000Z",
            "END:VEVENT",
            "END:VCALENDAR",
            "",
        ]
    ).encode()
    client: Client = client_of(boss)
    uploaded = client.post("/reunions/importer/", {"file": SimpleUploadedFile("a.ics", content, "text/calendar")})
    assert uploaded.status_code == 302, text_of(uploaded)
    answers = together(*(posted(boss, uploaded["Location"], {}) for _number in range(3)))
    assert all(answer.status_code < 500 for answer in answers)
    assert [(one.title, one.occurrences.count()) for one in Meeting.objects.all()] == [("Série venue d’ailleurs", 5)]


# --- 19: two editors of one date ----------------------------------------------------------------------------------------
def test_p19_two_editors_of_one_date_by_the_page(boss: Agent) -> None:
    series = weekly(boss)
    third = dates(series)[2]
    acts = [
        posted(boss, url(series, "edit", third), date_form(series, third, start=f"{hour}:00", end=f"{hour + 1}:00"))
        for hour in (14, 16)
    ]
    answers = together(*acts)
    assert sorted(answer.status_code for answer in answers) == [302, 409]
    [told] = [text_of(answer) for answer in answers if answer.status_code == 409]
    assert "La réunion a changé pendant que vous l’écriviez." in told
    assert "Claire Morel" in told
    series.refresh_from_db()
    assert (series.sequence, series.revision) == (1, 2)
    assert Occurrence.objects.get(pk=third.pk).sequence == 1
    assert Occurrence.objects.filter(is_override=True).count() == 1


def test_p19_two_editors_of_one_date_by_the_api(boss: Agent) -> None:
    series = weekly(boss)
    third = dates(series)[2]
    path = f"/api/v1/meetings/{series.public_id}/occurrences/{occurrence_key(third)}/"
    day = third.starts_at.date().isoformat()

    def patch(hour: int) -> Callable[[], Any]:
        tool, body = api(boss), {"start": f"{day}T{hour}:00", "revision": 1}
        return lambda: tool.patch(path, body, content_type="application/json")

    answers = together(patch(14), patch(16))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    [told] = [answer.json() for answer in answers if answer.status_code == 409]
    assert told["meeting"]["revision"] == 2
    series.refresh_from_db()
    assert series.sequence == 1


# --- 20, 21: a date while the invitations go out ------------------------------------------------------------------------
def big_series(boss: Agent) -> Meeting:
    return weekly(boss, guests=crowd(150))


def test_p20_a_date_moves_while_the_series_goes_out(boss: Agent, mailbox: Mailbox) -> None:
    series = big_series(boss)
    third = dates(series)[2]
    moved = dataclasses.replace(draft_of(series, third, scope=Scope.ONE), start_time=dt.time(15))

    def move() -> None:
        change(
            meeting=series,
            occurrence=third,
            scope=Scope.ONE,
            by=boss,
            draft=moved,
            revision=1,
            now=timezone.now(),
            undoable=False,
        )

    got = in_the_middle_of_a_fan_out(mailbox, series, move)
    assert len(got) == 150
    kinds = Counter(len(mails) for mails in got.values())
    assert kinds.keys() <= {1, 2}
    assert kinds[2] >= 30, "those who had it were told"
    for mails in got.values():
        # The last thing that each holds about that date is its new time.
        last = [one for one in mails[-1].calendar.walk("VEVENT") if "RECURRENCE-ID" in one]
        assert [one["DTSTART"].dt.hour for one in last] == [15]
        assert [int(one["SEQUENCE"]) for one in last] == [1]
    assert not series.deliveries.filter(state__in=["owed", "sending", "failed"]).exists()


def test_p21_a_date_is_cancelled_while_the_series_goes_out(boss: Agent, mailbox: Mailbox) -> None:
    series = big_series(boss)
    third = dates(series)[2]

    def drop() -> None:
        cancel(meeting=series, occurrence=third, scope=Scope.ONE, by=boss, now=timezone.now(), undoable=False)

    got = in_the_middle_of_a_fan_out(mailbox, series, drop)
    assert len(got) == 150, "the series is for all"
    orders = Counter(tuple(mail.method for mail in mails) for mails in got.values())
    assert set(orders) <= {("REQUEST",), ("REQUEST", "CANCEL")}
    assert orders["REQUEST", "CANCEL"] >= 30
    gone = third.recurrence_id
    for mails in got.values():
        if len(mails) == 2:
            assert mails[1].event["RECURRENCE-ID"].dt == gone
        else:
            # Invited after it was cancelled: the series comes without that date.
            exdates = mails[0].event["EXDATE"]
            assert [one.dt for one in exdates.dts] == [gone]


def test_p21_a_date_cancelled_before_anything_went_out_is_only_left_out(boss: Agent, mailbox: Mailbox) -> None:
    series = weekly(boss, guests=[EXT])
    cancel(meeting=series, occurrence=dates(series)[2], scope=Scope.ONE, by=boss, now=timezone.now(), undoable=False)
    send_all(timezone.now() + dt.timedelta(seconds=30))
    assert [mail.method for mail in received(mailbox, EXT)] == ["REQUEST"]


# --- 22: daylight saving ------------------------------------------------------------------------------------------------
# The promise's own nights, and those of the year to come: their kind comes back each year.
def last_sunday(year: int, month: int) -> dt.date:
    end = dt.date(year, month + 1, 1) - dt.timedelta(days=1)
    return end - dt.timedelta(days=(end.weekday() + 1) % 7)


YEAR = timezone.now().year + 1
SPRINGS = sorted({dt.date(2027, 3, 28), last_sunday(YEAR, 3)})
AUTUMNS = sorted({dt.date(2026, 10, 25), last_sunday(YEAR, 10)})
PARIS = zoneinfo.ZoneInfo("Europe/Paris")


def before(night: dt.date, *, weeks: int) -> dt.datetime:
    return dt.datetime.combine(night - dt.timedelta(weeks=weeks), dt.time(8), dt.UTC)


def lived(boss: Agent, night: dt.date, time: dt.time, mailbox: Mailbox) -> tuple[Meeting, Any, Client]:
    """A weekly series of three dates, its second on that Sunday; what the guest got; and the organiser's browser.

    Planned in the week before the first, whatever today is.
    """
    now = before(night, weeks=2)
    series = factories.meeting(
        boss,
        guests=[EXT],
        now=now,
        start_date=night - dt.timedelta(days=7),
        start_time=time,
        rule="FREQ=WEEKLY;COUNT=3",
        minutes=30,
    )
    send_all(now)
    [mail] = received(mailbox, EXT)
    return series, mail, client_of(boss)


@pytest.mark.parametrize("night", [*SPRINGS, *AUTUMNS], ids=str)
def test_p22_ten_o_clock_stays_ten_o_clock(boss: Agent, mailbox: Mailbox, night: dt.date) -> None:
    series, mail, client = lived(boss, night, dt.time(10), mailbox)
    found = dates(series)
    assert [one.starts_at.astimezone(PARIS).hour for one in found] == [10, 10, 10]
    assert len({one.starts_at.hour for one in found}) == 2, "the offset changed between them"
    for one in found:
        assert "10:00 – 10:30" in text_of(client.get(url(series, "detail", one)))
    assert "10:00" in mail.text
    assert mail.event["DTSTART"].dt.hour == 10
    assert mail.event["DTSTART"].params["TZID"] == "Europe/Paris"


@pytest.mark.parametrize("night", AUTUMNS, ids=str)
def test_p22_half_past_two_of_the_autumn_night_is_the_first_of_the_two(
    boss: Agent, mailbox: Mailbox, night: dt.date
) -> None:
    series, mail, client = lived(boss, night, dt.time(2, 30), mailbox)
    second = dates(series)[1]
    assert second.starts_at == dt.datetime.combine(night, dt.time(0, 30), dt.UTC)
    # Half an hour later the clocks go back: both hours are those of that night's walls.
    assert "02:30 – 02:00" in text_of(client.get(url(series, "detail", second)))
    assert "02:30" in mail.text


@pytest.mark.parametrize("night", SPRINGS, ids=str)
def test_p22_half_past_two_of_the_spring_night_does_not_exist_and_is_left_out(
    boss: Agent, mailbox: Mailbox, night: dt.date
) -> None:
    series, mail, client = lived(boss, night, dt.time(2, 30), mailbox)
    days = [one.starts_at.astimezone(PARIS).date() for one in dates(series)]
    # R13: an instance that falls into the gap is neither held nor counted.
    assert days == [night + dt.timedelta(days=offset) for offset in (-7, 7, 14)]
    page = text_of(client.get(url(series, "detail")))
    assert page.count("02:30") >= 1
    assert f"{night:%Y%m%d}" not in page
    assert "02:30" in mail.text


@pytest.mark.parametrize("night", SPRINGS, ids=str)
def test_p22_a_meeting_put_into_the_gap_is_told_as_it_will_be(boss: Agent, mailbox: Mailbox, night: dt.date) -> None:
    now = before(night, weeks=1)
    meeting = factories.meeting(boss, guests=[EXT], now=now, start_date=night, start_time=dt.time(2, 30), minutes=30)
    send_all(now)
    assert dates(meeting)[0].starts_at == dt.datetime.combine(night, dt.time(1, 30), dt.UTC)
    # The offset before the gap: the clocks of that morning show half past three, and so do the page and the mail.
    assert "03:30 – 04:00" in text_of(client_of(boss).get(url(meeting, "detail")))
    [mail] = received(mailbox, EXT)
    assert "03:30" in mail.text
    assert "02:30" not in mail.text


# --- 34: an answer to an earlier version -----------------------------------------------------------------------------------
def test_p34_an_answer_on_the_page_to_an_earlier_hour_is_kept_and_shown_as_such(boss: Agent) -> None:
    series = weekly(boss, guests=[EXT])
    third = dates(series)[2]
    guest = series.attendees.get(email=EXT)
    moved = date_form(series, third, start="14:00", end="15:00")
    assert client_of(boss).post(url(series, "edit", third), moved).status_code == 302
    # The page that the guest opened before says version 1.
    link = f"/invitation/{link_token(guest)}/?date={occurrence_key(third)}"
    assert Client().post(link, {"answer": "accepted", "about": "date", "revision": "1"}).status_code == 302
    said = third.exceptions.get(attendee=guest)
    assert (said.answer, said.answered_revision) == ("accepted", 1)
    page = text_of(client_of(boss).get(url(series, "detail", third)))
    assert "L’horaire a changé depuis sa réponse." in page
    # Once more, having seen the new hour: now it counts for it.
    assert Client().post(link, {"answer": "accepted", "about": "date", "revision": "2"}).status_code == 302
    assert "L’horaire a changé depuis sa réponse." not in text_of(client_of(boss).get(url(series, "detail", third)))


def test_p18_the_same_key_for_another_body_is_refused(boss: Agent) -> None:
    key = str(uuid.uuid4())
    body = {"title": "Série", "start": f"{TUESDAY}T10:00", "minutes": 30, "rrule": "FREQ=WEEKLY;COUNT=3"}
    assert asked(boss, "/api/v1/meetings/", body, key)().status_code == 201
    assert asked(boss, "/api/v1/meetings/", body | {"rrule": "FREQ=DAILY;COUNT=3"}, key)().status_code == 422
    assert Meeting.objects.count() == 1
