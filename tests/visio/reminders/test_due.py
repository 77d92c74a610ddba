"""Reminders: each exactly once, for whoever still comes, in the portal and by mail; the morning digest."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from suite.agents.models import Agent
from suite.mail import outbox
from suite.mail.models import OutboxMail
from tests import factories
from tests.looking import Mailbox
from visio.meetings.answers import answer
from visio.meetings.models import Attendee, Meeting
from visio.meetings.scheduling import cancel_meeting
from visio.reminders.digest import make_digests
from visio.reminders.due import plan_reminders, say_due, shown_to
from visio.reminders.models import Digest, Reminder

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2030, 5, 14, 8, 0, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def people() -> tuple[Agent, Agent]:
    dinum = factories.organisation()
    claire = factories.agent("Claire", "Morel", organisation=dinum)
    karim = factories.agent("Karim", "Benali", organisation=dinum)
    Agent.objects.update(reminder_minutes=[10], reminds_by_email=True)
    return Agent.objects.get(pk=claire.pk), Agent.objects.get(pk=karim.pk)


def planned(people: tuple[Agent, Agent], *, starts_at: dt.datetime = NOW + 30 * MINUTE) -> Meeting:
    """A meeting of the two that was planned long before."""
    claire, karim = people
    meeting = factories.meeting(organiser=claire, starts_at=starts_at, attendees=[factories.invitee(karim)])
    Meeting.objects.update(created_at=NOW - dt.timedelta(days=3))
    return meeting


def tick(now: dt.datetime) -> int:
    """How many reminders were dealt with."""
    plan_reminders(now=now)
    return say_due(now=now)


def reminded() -> list[tuple[str, int]]:
    mails = OutboxMail.objects.filter(kind="reminder")
    return sorted(Counter(mails.values_list("recipient", flat=True)).items())


def test_each_is_reminded_once_at_their_time(people: tuple[Agent, Agent], mailbox: Mailbox) -> None:
    claire, karim = people
    planned(people)
    for minutes in range(0, 35):
        tick(NOW + minutes * MINUTE)
        expected = 1 if minutes >= 20 else 0
        assert OutboxMail.objects.filter(recipient=karim.email).count() == expected, minutes
    assert reminded() == [(claire.email, 1), (karim.email, 1)]
    outbox.deliver_outbox(now=timezone.now())
    assert mailbox.count() == 0, "a reminder of what has begun is not worth sending"


def test_the_letter_says_what_when_and_how_to_stop(people: tuple[Agent, Agent], mailbox: Mailbox) -> None:
    _claire, karim = people
    meeting = planned(people, starts_at=timezone.now() + 10 * MINUTE)
    Meeting.objects.update(created_at=timezone.now() - dt.timedelta(days=3))
    tick(timezone.now())
    outbox.deliver_outbox(now=timezone.now())
    [letter] = mailbox.wait(karim.email)
    assert letter["subject"] == f"Rappel : {meeting.title}, dans 10 minutes"
    stop = dict(letter["headers"])["List-Unsubscribe"].strip("<>")
    path = stop[stop.index("/rappels/") :]
    client = Client(enforce_csrf_checks=True)
    assert client.get(path).status_code == 200
    karim.refresh_from_db()
    assert karim.reminds_by_email, "GET changes nothing"
    assert client.post(path, {"List-Unsubscribe": "One-Click"}).status_code == 200
    karim.refresh_from_db()
    assert not karim.reminds_by_email
    assert client.get(path[:-3] + "xx/").status_code == 404


@pytest.mark.parametrize("for_good", [False, True], ids=["put right", "for good"])
@pytest.mark.parametrize("jump", [60 * MINUTE, -60 * MINUTE], ids=["forward", "back"])
def test_p23_a_jumping_clock_skips_none_and_doubles_none(
    people: tuple[Agent, Agent], jump: dt.timedelta, for_good: bool
) -> None:
    Agent.objects.update(reminder_minutes=[5, 10, 60])
    # At 08:25 the clock jumps, in the midst of the first one's reminders; those of the second fall into the hour that it
    # leaves out; the third's come after.
    meetings = (32, 88, 150)
    for starts_at in meetings:
        planned(people, starts_at=NOW + starts_at * MINUTE)
    dealt_with = 0
    for minutes in range(-60, 250):
        at = NOW + minutes * MINUTE
        # Put right after a minute, or never: then it was wrong before.
        is_off = minutes >= 25 if for_good else minutes == 25
        dealt_with += tick(at + jump if is_off else at)
    expected = [(NOW + starts_at * MINUTE, minutes) for starts_at in meetings for minutes in (5, 10, 60)]
    if jump > dt.timedelta(0) and for_good:
        # At 09:25 the first meeting is over: its last reminder would come too late.
        expected.remove((NOW + 32 * MINUTE, 5))
    for agent in people:
        said = Reminder.objects.filter(agent=agent, dismissed_at=None, done_at__isnull=False)
        assert list(said.order_by("starts_at", "minutes").values_list("starts_at", "minutes")) == expected
    assert [count for _who, count in reminded()] == [len(expected), len(expected)]
    assert dealt_with == 2 * len(expected), "open pages hear of each once too"
    assert not Reminder.objects.filter(done_at=None).exists()


@pytest.mark.django_db(transaction=True)
def test_p24_two_beats_remind_once(people: tuple[Agent, Agent]) -> None:
    planned(people)

    def beat(_number: int) -> None:
        try:
            tick(NOW + 21 * MINUTE)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(beat, range(8)))
    assert [count for _who, count in reminded()] == [1, 1]
    assert Reminder.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_p24_what_one_beat_has_in_hand_is_not_the_others(people: tuple[Agent, Agent]) -> None:
    planned(people)
    plan_reminders(now=NOW + 20 * MINUTE)

    def other_beat() -> int:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '3s'")
            return say_due(now=NOW + 21 * MINUTE)
        finally:
            connection.close()

    with transaction.atomic(), ThreadPoolExecutor(1) as pool:
        assert say_due(now=NOW + 21 * MINUTE) == 2
        # Said, and not committed yet.
        assert pool.submit(other_beat).result(30) == 0
    assert other_beat() == 0
    assert [count for _who, count in reminded()] == [1, 1]


def test_after_an_hour_without_a_worker_those_not_begun_are_said(people: tuple[Agent, Agent]) -> None:
    Agent.objects.update(reminder_minutes=[60])
    planned(people, starts_at=NOW + 65 * MINUTE)
    tick(NOW + 62 * MINUTE)
    assert [count for _who, count in reminded()] == [1, 1]


def test_what_does_not_take_place_reminds_nobody(people: tuple[Agent, Agent]) -> None:
    claire, karim = people
    declined = planned(people)
    answer(attendee=declined.attendees.get(agent=karim), answer="declined", via="portal", now=NOW)
    tick(NOW + 21 * MINUTE)
    assert reminded() == [(claire.email, 1)]

    cancelled = planned(people)
    plan_reminders(now=NOW + 19 * MINUTE)
    cancel_meeting(meeting=cancelled, by=claire, now=NOW + 19 * MINUTE)
    say_due(now=NOW + 21 * MINUTE)
    assert reminded() == [(claire.email, 1)]
    assert not Reminder.objects.filter(done_at=None).exists()


def test_a_date_that_moves_reminds_anew(people: tuple[Agent, Agent]) -> None:
    _claire, karim = people
    meeting = planned(people)
    tick(NOW + 20 * MINUTE)
    occurrence = meeting.occurrences.get()
    occurrence.starts_at += dt.timedelta(hours=3)
    occurrence.ends_at += dt.timedelta(hours=3)
    occurrence.save()
    assert shown_to(karim.pk, now=NOW + 21 * MINUTE) == [], "the old time is no news any more"
    for minutes in range(30, 260, 5):
        tick(NOW + minutes * MINUTE)
    assert [count for _who, count in reminded()] == [2, 2]


def test_planned_at_the_last_minute_the_invitation_is_the_reminder(people: tuple[Agent, Agent]) -> None:
    planned(people)
    Meeting.objects.update(created_at=NOW + 25 * MINUTE)
    tick(NOW + 26 * MINUTE)
    assert reminded() == []


def test_only_the_guests_of_a_date_are_reminded_of_it(people: tuple[Agent, Agent]) -> None:
    claire, karim = people
    meeting = planned(people)
    other = factories.meeting(organiser=claire, starts_at=NOW + dt.timedelta(days=9))
    Attendee.objects.filter(agent=karim, meeting=meeting).update(only_occurrence=other.occurrences.get())
    tick(NOW + 21 * MINUTE)
    assert reminded() == [(claire.email, 1)]


def test_on_the_page_until_closed_or_begun(people: tuple[Agent, Agent]) -> None:
    claire, karim = people
    meeting = planned(people, starts_at=timezone.now() + 9 * MINUTE)
    Meeting.objects.update(created_at=timezone.now() - dt.timedelta(days=3))
    tick(timezone.now())
    mine, hers = Client(), Client()
    mine.force_login(karim)
    hers.force_login(claire)
    with CaptureQueriesContext(connection) as one:
        assert meeting.title in mine.get("/rappels/").content.decode()
    row = Reminder.objects.get(agent=karim)
    assert hers.post(f"/rappels/{row.pk}/fermer/").status_code == 404
    assert Client().post(f"/rappels/{row.pk}/fermer/").status_code == 302
    for _time in range(2):
        assert mine.post(f"/rappels/{row.pk}/fermer/", headers={"HX-Request": "true"}).status_code == 204
    assert meeting.title not in mine.get("/rappels/").content.decode()
    assert meeting.title in hers.get("/rappels/").content.decode()
    for _number in range(3):
        planned(people, starts_at=timezone.now() + 9 * MINUTE)
    Meeting.objects.update(created_at=timezone.now() - dt.timedelta(days=3))
    tick(timezone.now())
    with CaptureQueriesContext(connection) as three:
        assert mine.get("/rappels/").content.decode().count("ps-reminder__words") == 3
    assert len(three) == len(one)


def test_the_choices_are_kept_and_odd_ones_refused(people: tuple[Agent, Agent]) -> None:
    _claire, karim = people
    client = Client()
    client.force_login(karim)
    page = "/reglages/rappels/"
    assert client.get(page).status_code == 200
    sent = {"minutes": ["1440", "5"], "by_email": "on", "digest": "on", "digest_time": "06:45"}
    assert client.post(page, sent).status_code == 302
    karim.refresh_from_db()
    assert (karim.reminder_minutes, karim.wants_digest, karim.digest_time) == ([5, 1440], True, dt.time(6, 45))
    for wrong in ({"minutes": ["7"]}, {"digest_time": "25:00"}, {"digest_time": "13:00"}):
        assert client.post(page, {**sent, **wrong}).status_code == 422
    karim.refresh_from_db()
    assert karim.reminder_minutes == [5, 1440]
    client.post(page, {})
    karim.refresh_from_db()
    assert (karim.reminder_minutes, karim.reminds_by_email) == ([], False)


@pytest.mark.parametrize(
    ("zone", "hour"), [("Europe/Paris", 5), ("Pacific/Noumea", 20), ("America/Cayenne", 10), ("Indian/Reunion", 3)]
)
def test_the_digest_comes_at_the_readers_own_hour_once(people: tuple[Agent, Agent], zone: str, hour: int) -> None:
    _claire, karim = people
    Agent.objects.filter(pk=karim.pk).update(wants_digest=True, digest_time=dt.time(7, 30), time_zone=zone)
    at = dt.datetime(2030, 5, 14, hour, 30, tzinfo=dt.UTC)
    planned(people, starts_at=at + 60 * MINUTE)
    make_digests(now=at - MINUTE)
    assert not OutboxMail.objects.exists()
    for minutes in (0, 5, 60):
        make_digests(now=at + minutes * MINUTE)
    [mail] = OutboxMail.objects.filter(kind="digest")
    assert mail.recipient == karim.email
    assert "1 réunion" in mail.subject
    assert "08:30" in mail.text
    assert mail.unsubscribe_url


def test_no_digest_for_a_free_day_nor_for_whoever_wants_none(people: tuple[Agent, Agent]) -> None:
    _claire, karim = people
    Agent.objects.filter(pk=karim.pk).update(wants_digest=True)
    at = dt.datetime(2030, 5, 14, 5, 30, tzinfo=dt.UTC)
    planned(people, starts_at=at + dt.timedelta(days=2))
    assert make_digests(now=at) == 1
    assert make_digests(now=at) == 0
    assert not OutboxMail.objects.exists()
    assert Digest.objects.get().agent == karim


def test_a_digest_half_a_day_late_is_none(people: tuple[Agent, Agent]) -> None:
    _claire, karim = people
    Agent.objects.filter(pk=karim.pk).update(wants_digest=True)
    assert make_digests(now=dt.datetime(2030, 5, 14, 12, 0, tzinfo=dt.UTC)) == 0
