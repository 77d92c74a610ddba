"""The calendar feed: who may read it, what it says, and what it costs to ask again."""

from __future__ import annotations

import datetime as dt
import gzip
import logging
from typing import Any

import pytest
import recurring_ical_events
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from icalendar import Calendar, Event

from suite.agents.models import Agent
from suite.logs import Line
from tests import factories
from tests.visio.meetings.serial import override
from visio.exchange.feeds import MOST_FEEDS, create_feed, feed_url, revoke_feed, webcal_url
from visio.exchange.models import CalendarFeed
from visio.meetings.answers import answer
from visio.meetings.exception_models import AttendeeException
from visio.meetings.models import Attendee, Meeting, Status
from visio.meetings.scheduling import cancel_meeting, edit_meeting

pytestmark = pytest.mark.django_db
NOW = timezone.now()
DAY = dt.timedelta(days=1)


@pytest.fixture
def agent() -> Agent:
    return factories.agent("Claire", "Morel")


@pytest.fixture
def secret(agent: Agent) -> str:
    return create_feed(agent=agent, name="Outlook du bureau", detail="full")[1]


def path(secret: str, query: str = "") -> str:
    return f"/calendrier/{secret}.ics{query}"


def read(secret: str, query: str = "") -> Calendar:
    response = Client().get(path(secret, query))
    assert response.status_code == 200
    assert response["Content-Type"] == "text/calendar; charset=utf-8"
    assert all(len(line) <= 75 for line in response.content.split(b"\r\n"))
    return Calendar.from_ical(response.content)


def titles(calendar: Calendar) -> set[str]:
    return {str(event["SUMMARY"]) for event in calendar.walk("VEVENT")}


def event(calendar: Calendar, title: str) -> Event:
    [found] = [one for one in calendar.walk("VEVENT") if str(one["SUMMARY"]) == title]
    return found


def test_the_secret_is_long_and_kept_as_a_hash(agent: Agent, secret: str) -> None:
    assert len(secret) >= 43  # 256 bits in base64
    feed = CalendarFeed.objects.get(agent=agent)
    assert secret not in str(vars(feed))
    assert webcal_url(feed_url(secret)) == f"webcal://{feed_url(secret).split('://')[1]}"


def test_meetings_that_i_organise_and_attend(agent: Agent, secret: str) -> None:
    boss = factories.agent("Jean", "Petit")
    factories.meeting(agent, title="La mienne", place="Salle 3", guests=["x@ext.example"])
    invited = factories.meeting(boss, title="Invitée", guests=[agent, "secret@ext.example"])
    declined = factories.meeting(boss, title="Déclinée", guests=[agent])
    answer(attendee=Attendee.objects.get(meeting=declined, agent=agent), answer="declined", via="portal", now=NOW)
    answer(attendee=Attendee.objects.get(meeting=invited, agent=agent), answer="tentative", via="portal", now=NOW)
    cancelled = factories.meeting(boss, title="Annulée", guests=[agent])
    cancel_meeting(meeting=cancelled, by=boss, now=NOW)
    factories.meeting(boss, title="Des autres")
    factories.meeting(agent, title="Vieille", starts_at=NOW - 92 * DAY)
    factories.meeting(agent, title="De l’été", starts_at=NOW - 80 * DAY, privacy="private")
    calendar = read(secret)
    assert titles(calendar) == {"La mienne", "Invitée", "De l’été"}
    assert titles(read(secret, "?declinees=1")) == titles(calendar) | {"Déclinée"}
    mine, theirs = event(calendar, "La mienne"), event(calendar, "Invitée")
    assert mine["ATTENDEE"].params["PARTSTAT"] == "ACCEPTED"
    assert theirs["ATTENDEE"].params["PARTSTAT"] == "TENTATIVE"
    assert theirs["ATTENDEE"] == f"mailto:{agent.email}", "nobody else's address"
    assert theirs["ORGANIZER"] == f"mailto:{boss.email}"
    assert event(calendar, "De l’été")["CLASS"] == "PRIVATE"
    assert "/visio/" in mine["URL"]
    assert calendar["X-WR-CALNAME"] == "Outlook du bureau"
    assert b"REFRESH-INTERVAL;VALUE=DURATION:PT1H" in Client().get(path(secret)).content
    assert "METHOD" not in calendar


def test_only_busy_says_when_and_nothing_else(agent: Agent) -> None:
    boss = factories.agent("Jean", "Petit")
    meeting = factories.meeting(
        boss, title="Licenciements", description="Liste", place="Bureau du chef", guests=[agent, "x@ext.example"]
    )
    secret = create_feed(agent=agent, name="Famille", detail="busy")[1]
    raw = Client().get(path(secret)).content.decode()
    for word in ("Licenciements", "Liste", "Bureau", "x@ext", boss.email, "Petit", "/visio/"):
        assert word not in raw, word
    [only] = Calendar.from_ical(raw).walk("VEVENT")
    assert str(only["SUMMARY"]) == "Occupé"
    assert only["DTSTART"].dt == meeting.occurrences.get().starts_at


def test_only_busy_hides_the_words_of_one_date_too(agent: Agent) -> None:
    meeting = factories.meeting(agent, rule="FREQ=WEEKLY;COUNT=3")
    override(meeting, 1, title="Secret du jour", place="Cachette", description="Tout")
    secret = create_feed(agent=agent, name="Famille", detail="busy")[1]
    raw = Client().get(path(secret)).content.decode()
    assert "Secret" not in raw
    assert "Cachette" not in raw
    assert raw.count("BEGIN:VEVENT") == 2


def test_a_series_as_its_rule_with_what_differs(agent: Agent, secret: str) -> None:
    boss = factories.agent()
    meeting = factories.meeting(boss, rule="FREQ=WEEKLY;COUNT=6", guests=[agent])
    rows = list(meeting.occurrences.order_by("recurrence_id"))
    me = meeting.attendees.get(agent=agent)
    override(meeting, 1, status=Status.CANCELLED)
    override(meeting, 2, title="Bureau élargi")
    AttendeeException.objects.create(occurrence=rows[3], attendee=me, removed=True)
    AttendeeException.objects.create(occurrence=rows[4], attendee=me, answer="declined")
    AttendeeException.objects.create(occurrence=rows[5], attendee=me, answer="accepted")
    calendar = read(secret)
    found = recurring_ical_events.of(calendar).between(NOW, NOW + 90 * DAY)
    starts = sorted(one["DTSTART"].dt.astimezone(dt.UTC) for one in found)
    assert starts == [rows[0].starts_at, rows[2].starts_at, rows[5].starts_at]
    answers = {
        one["DTSTART"].dt.astimezone(dt.UTC): one["ATTENDEE"].params["PARTSTAT"]
        for one in calendar.walk("VEVENT")
        if "RECURRENCE-ID" in one
    }
    assert answers == {rows[2].starts_at: "NEEDS-ACTION", rows[5].starts_at: "ACCEPTED"}
    assert [str(zone["TZID"]) for zone in calendar.walk("VTIMEZONE")] == ["Europe/Paris"]


def test_a_series_declined_with_one_date_accepted_is_that_date(agent: Agent, secret: str) -> None:
    meeting = factories.meeting(factories.agent(), rule="FREQ=WEEKLY;COUNT=3", guests=[agent])
    me = meeting.attendees.get(agent=agent)
    me.answer = "declined"
    me.save()
    rows = list(meeting.occurrences.order_by("recurrence_id"))
    assert not read(secret).walk("VEVENT")
    AttendeeException.objects.create(occurrence=rows[1], attendee=me, answer="accepted")
    [only] = read(secret).walk("VEVENT")
    assert only["RECURRENCE-ID"].dt.astimezone(dt.UTC) == rows[1].starts_at
    assert only["ATTENDEE"].params["PARTSTAT"] == "ACCEPTED"


def test_guest_of_one_date_has_that_date(agent: Agent, secret: str) -> None:
    meeting = factories.meeting(factories.agent(), rule="FREQ=WEEKLY;COUNT=3")
    second = meeting.occurrences.order_by("recurrence_id")[1]
    nonce = "n" * 32
    Attendee.objects.create(
        meeting=meeting,
        agent=agent,
        email=agent.email,
        only_occurrence=second,
        starts_at=second.starts_at,
        ends_at=second.ends_at,
        link_nonce=nonce,
        link_hash="h" * 64,
    )
    [only] = read(secret).walk("VEVENT")
    assert only["DTSTART"].dt.astimezone(dt.UTC) == second.starts_at
    assert "RRULE" not in only


@pytest.mark.parametrize("way", ["unknown", "revoked", "left", "short"])
def test_no_other_address_opens(agent: Agent, secret: str, way: str) -> None:
    feed = CalendarFeed.objects.get()
    if way == "unknown":
        secret = secret[:-1] + ("A" if secret[-1] != "A" else "B")
    elif way == "revoked":
        assert revoke_feed(agent=agent, feed_id=feed.pk, now=NOW)
    elif way == "left":
        Agent.objects.filter(pk=agent.pk).update(is_active=False)
    else:
        secret = "x"
    for method in ("get", "head"):
        assert getattr(Client(), method)(path(secret)).status_code == 404


def test_asking_again_costs_two_statements_and_says_304(agent: Agent, secret: str) -> None:
    for index in range(5):
        factories.meeting(agent, title=f"Point {index}", guests=["x@ext.example"])
    client = Client()
    first = client.get(path(secret))
    assert first["Cache-Control"] == "private, no-cache"
    for headers in (
        {"If-None-Match": first["ETag"]},
        {"If-None-Match": f"W/{first['ETag']}"},
        {"If-Modified-Since": first["Last-Modified"]},
    ):
        with CaptureQueriesContext(connection) as captured:
            again = client.get(path(secret), headers=headers)
        assert again.status_code == 304
        assert again.content == b""
        assert len(captured) == 2, [one["sql"] for one in captured]
        assert again["ETag"] == first["ETag"]


def test_the_whole_costs_the_same_for_one_and_for_many(agent: Agent, secret: str) -> None:
    counts = []
    Client().get(path(secret))
    for number in (1, 6):
        for _index in range(number):
            factories.meeting(agent, guests=["x@ext.example"])
            factories.meeting(agent, rule="FREQ=WEEKLY;COUNT=3")
        Client().get(path(secret))
        with CaptureQueriesContext(connection) as captured:
            Client().get(path(secret))
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 8


def changes(agent: Agent, meeting: Meeting) -> dict[str, Any]:
    me = meeting.attendees.get(agent=agent)
    boss = meeting.organiser

    def leave() -> None:
        draft = factories.draft(title=meeting.title, starts_at=meeting.occurrences.get().starts_at)
        edit_meeting(meeting=meeting, by=boss, draft=draft, revision=meeting.revision, now=NOW)

    def rename() -> None:
        draft = factories.draft(title="Autre titre", guests=[agent], starts_at=meeting.occurrences.get().starts_at)
        edit_meeting(meeting=meeting, by=boss, draft=draft, revision=meeting.revision, now=NOW)

    return {
        "answered": lambda: answer(attendee=me, answer="accepted", via="portal", now=NOW),
        "renamed": rename,
        "removed": leave,
        "cancelled": lambda: cancel_meeting(meeting=meeting, by=boss, now=NOW),
        "added": lambda: factories.meeting(agent),
    }


@pytest.mark.parametrize("what", ["answered", "renamed", "removed", "cancelled", "added"])
def test_every_change_makes_a_new_version_for_both_validators(agent: Agent, secret: str, what: str) -> None:
    meeting = factories.meeting(factories.agent(), title="Point", guests=[agent])
    client = Client()
    first = client.get(path(secret))
    changes(agent, meeting)[what]()
    for headers in ({"If-None-Match": first["ETag"]}, {"If-Modified-Since": first["Last-Modified"]}):
        again = client.get(path(secret), headers=headers)
        assert again.status_code == 200, what
        assert again.content != first.content


def test_compressed_for_who_takes_it(agent: Agent, secret: str) -> None:
    for _index in range(3):
        factories.meeting(agent)
    plain = Client().get(path(secret))
    packed = Client().get(path(secret), headers={"Accept-Encoding": "gzip"})
    assert gzip.decompress(packed.content) == plain.content
    again = Client().get(path(secret), headers={"Accept-Encoding": "gzip", "If-None-Match": packed["ETag"]})
    assert again.status_code == 304


def test_the_log_holds_no_secret(secret: str) -> None:
    record = logging.LogRecord("django.request", 30, "", 0, "Not Found: %s", (path(secret),), None)
    assert secret not in Line("%(message)s").format(record)


# --- The settings page --------------------------------------------------------------------------------------------


@pytest.fixture
def page(client: Client, agent: Agent) -> Client:
    client.force_login(agent, backend="suite.agents.login.ProConnectBackend")
    return client


def test_create_copy_once_revoke(page: Client, agent: Agent) -> None:
    made = page.post("/reglages/abonnements/", {"name": "Téléphone", "detail": "busy"})
    assert made.status_code == 302
    html = page.get("/reglages/abonnements/").content.decode()
    secret = html.split("/calendrier/")[1].split(".ics")[0]
    assert "webcal://" in html
    assert Client().get(path(secret)).status_code == 200
    again = page.get("/reglages/abonnements/").content.decode()
    assert secret not in again
    assert "Téléphone" in again
    feed = CalendarFeed.objects.get(agent=agent)
    assert page.post(f"/reglages/abonnements/{feed.pk}/revoquer/").status_code == 302
    assert Client().get(path(secret)).status_code == 404
    assert (
        "Téléphone"
        not in page.get("/reglages/abonnements/").content.decode().split('<ul class="ps-list xc-feeds">')[-1]
    )


def test_another_agents_feed_does_not_exist(page: Client) -> None:
    other, secret = create_feed(agent=factories.agent(), name="À moi", detail="full")
    assert page.post(f"/reglages/abonnements/{other.pk}/revoquer/").status_code == 404
    assert Client().get(path(secret)).status_code == 200
    assert "À moi" not in page.get("/reglages/abonnements/").content.decode()


@pytest.mark.parametrize("fields", [{"name": "", "detail": "full"}, {"name": "x", "detail": "all"}])
def test_what_is_missing_is_said(page: Client, fields: dict[str, str]) -> None:
    refused = page.post("/reglages/abonnements/", fields)
    assert refused.status_code == 422
    assert "fr-error-text" in refused.content.decode()
    assert not CalendarFeed.objects.exists()


def test_so_many_and_no_more(page: Client, agent: Agent) -> None:
    for index in range(MOST_FEEDS):
        create_feed(agent=agent, name=f"N {index}", detail="full")
    assert page.post("/reglages/abonnements/", {"name": "Un de plus", "detail": "full"}).status_code == 422
    assert CalendarFeed.objects.count() == MOST_FEEDS
