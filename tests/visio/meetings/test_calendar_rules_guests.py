"""The rules of calendar e-mail about what guests do, R16 and R20: from the bytes that a real SMTP server received."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from suite.agents.models import Agent
from tests import factories
from tests.looking import Mailbox
from tests.visio.meetings.reading import Received, received, send_all
from visio.meetings import counters, series, tokens
from visio.meetings.exception_models import AttendeeException, CounterProposal
from visio.meetings.models import Attendee, Delivery, Meeting, MeetingChange, Occurrence
from visio.meetings.scheduling import edit_meeting, schedule_meeting
from visio.meetings.scopes import Scope

pytestmark = pytest.mark.django_db(transaction=True)
ANNE, BOB = "anne@partenaire.example", "bob@partenaire.example"
HOUR = dt.timedelta(hours=1)
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def boss() -> Agent:
    home = factories.organisation("DINUM")
    return factories.agent("Karim", "Benali", organisation=home, email="karim@dinum.example")


@pytest.fixture
def start() -> dt.datetime:
    """Noon in a week: pages are read at the real time."""
    return (timezone.now() + dt.timedelta(days=7)).replace(hour=11, minute=0, second=0, microsecond=0)


def planned(boss: Agent, start: dt.datetime, **fields: Any) -> Meeting:
    now = timezone.now()
    draft = factories.draft(now=now, starts_at=start, guests=[ANNE, BOB], title="Comité", **fields)
    meeting = schedule_meeting(by=boss, draft=draft, now=now)
    send_all(now)
    return meeting


def last(mailbox: Mailbox, to: str) -> Received:
    return received(mailbox, to)[-1]


def links(mail: Received) -> dict[str, str]:
    """The addresses of the buttons, by the answer that they carry; host left out."""
    found = re.findall(r"https?://[^/\s]+(/invitation/\S+?reponse=(\w+)\S*)", mail.text)
    return {answer: path for path, answer in found}


def everything() -> list[list[Any]]:
    return [list(model.objects.order_by("pk").values()) for model in (Attendee, AttendeeException, Meeting, Occurrence,
            MeetingChange, Delivery, CounterProposal)]  # fmt: skip


def test_r16_reading_a_link_changes_nothing_and_a_deliberate_post_does(
    boss: Agent, start: dt.datetime, mailbox: Mailbox, client: Client
) -> None:
    meeting = planned(boss, start)
    paths = links(last(mailbox, ANNE))
    assert set(paths) == {"accepted", "tentative", "declined"}
    before = everything()
    for path in paths.values():
        assert client.get(path).status_code == client.head(path).status_code == 200
        # The page holds a form to be sent by hand, and no script that would send it.
        page = client.get(path).content.decode()
        assert 'method="post"' in page
        assert not re.search(r"\.submit\(|requestSubmit|autosubmit", page)
    assert everything() == before
    assert client.post(paths["accepted"].split("?")[0], {"answer": "accepted", "revision": "1"}).status_code == 302
    guest = meeting.attendees.get(email=ANNE)
    assert (guest.answer, guest.answered_via) == ("accepted", "page")
    assert meeting.attendees.get(email=BOB).answer == "needs_action"


def test_r16_the_link_survives_a_move_and_shows_today_s_time(
    boss: Agent, start: dt.datetime, mailbox: Mailbox, client: Client
) -> None:
    meeting = planned(boss, start)
    path = links(last(mailbox, ANNE))["accepted"]
    moved = start + dt.timedelta(days=1, hours=3)
    draft = factories.draft(now=timezone.now(), starts_at=moved, guests=[ANNE, BOB], title="Comité")
    edit_meeting(meeting=meeting, by=boss, draft=draft, revision=1, now=timezone.now())
    page = client.get(path).content.decode()
    assert f"{factories.wall_clock(moved, 'Europe/Paris')[1]:%H:%M}" in page
    send_all(timezone.now() + MINUTE)
    assert links(last(mailbox, ANNE))["accepted"] == path


def test_r16_the_link_of_one_date_answers_that_date(
    boss: Agent, start: dt.datetime, mailbox: Mailbox, client: Client
) -> None:
    meeting = planned(boss, start, rule="FREQ=WEEKLY;COUNT=4")
    second = meeting.occurrences.order_by("recurrence_id")[1]
    now = timezone.now()
    draft = factories.draft(now=now, starts_at=second.starts_at + HOUR, guests=[ANNE, BOB], title="Comité")
    series.change(meeting=meeting, occurrence=second, scope=Scope.ONE, by=boss, draft=draft, revision=1, now=now)
    send_all(now + MINUTE)
    path = links(last(mailbox, ANNE))["declined"]
    before = everything()
    assert client.get(path).status_code == 200
    assert everything() == before
    key = re.search(r"date=(\w+)", path)
    assert key is not None
    posted = client.post(
        path, {"answer": "declined", "revision": str(meeting.revision + 1), "date": key[1], "about": "date"}
    )
    assert posted.status_code == 302
    guest = meeting.attendees.get(email=ANNE)
    own = AttendeeException.objects.get(attendee=guest)
    assert (guest.answer, own.answer, own.occurrence_id) == ("needs_action", "declined", second.pk)


def test_r16_the_token_is_one_guest_s_and_one_meeting_s_and_expires(
    boss: Agent, start: dt.datetime, mailbox: Mailbox, client: Client
) -> None:
    one, other = planned(boss, start), planned(boss, start + dt.timedelta(days=1))
    found = {links(mail)["accepted"].split("?")[0] for to in (ANNE, BOB) for mail in received(mailbox, to)}
    assert len(found) == 4
    token = links(received(mailbox, ANNE)[0])["accepted"].split("/")[2]
    # 192 bits, none of which the database holds.
    assert len(token) == 32
    assert not Attendee.objects.filter(link_hash=token).exists()
    assert not Attendee.objects.filter(link_nonce=token).exists()
    guest = tokens.attendee_by_token(token, now=start)
    assert guest is not None
    assert (guest.meeting_id, guest.email) == (one.pk, ANNE)
    assert guest.meeting_id != other.pk
    assert tokens.attendee_by_token(token, now=start + HOUR + tokens.KEPT + MINUTE) is None
    assert client.get(f"/invitation/{token[:-1]}A/").status_code == 404


def propose(meeting: Meeting, email: str, starts_at: dt.datetime, occurrence: Occurrence | None = None) -> Any:
    return counters.propose(
        attendee=meeting.attendees.get(email=email),
        occurrence=occurrence,
        starts_at=starts_at,
        ends_at=starts_at + HOUR,
        comment="Plutôt l’après-midi",
        via="page",
        revision=meeting.revision,
        now=timezone.now(),
    )


def test_r20_an_accepted_counter_is_a_request_with_the_next_sequence_to_all(
    boss: Agent, start: dt.datetime, mailbox: Mailbox
) -> None:
    meeting = planned(boss, start)
    counter = propose(meeting, ANNE, start + 3 * HOUR)
    send_all(timezone.now() + MINUTE)
    meeting.refresh_from_db()
    # To propose is to change nothing (R5), and tells no guest.
    assert (meeting.sequence, len(mailbox.messages(ANNE)), len(mailbox.messages(BOB))) == (0, 1, 1)
    counters.accept(counter=counter, by=boss, now=timezone.now())
    send_all(timezone.now() + MINUTE)
    for guest in (ANNE, BOB):
        mail = last(mailbox, guest)
        assert (mail.method, int(mail.event["SEQUENCE"])) == ("REQUEST", 1)
        assert mail.event["DTSTART"].dt.astimezone(dt.UTC) == start + 3 * HOUR
        assert len(received(mailbox, guest)) == 2


def test_r20_a_refused_counter_is_a_declinecounter_to_that_guest_with_the_same_sequence(
    boss: Agent, start: dt.datetime, mailbox: Mailbox
) -> None:
    meeting = planned(boss, start)
    counter = propose(meeting, ANNE, start + 3 * HOUR)
    counters.refuse(counter=counter, by=boss, now=timezone.now(), words="La salle est prise")
    send_all(timezone.now() + MINUTE)
    mail = last(mailbox, ANNE)
    assert {
        mail.method,
        *filter(None, (part["Content-Type"].params.get("method") for part in mail.message.walk())),
    } == {"DECLINECOUNTER"}
    assert (str(mail.event["UID"]), int(mail.event["SEQUENCE"])) == (meeting.uid, 0)
    assert {"ORGANIZER", "ATTENDEE", "DTSTAMP"} <= set(mail.event)
    assert mail.subject.startswith("Horaire maintenu : Comité")
    text = mail.text.replace("\xa0", " ")
    assert "n’a pas retenu l’horaire que vous proposiez" in text
    assert "La salle est prise" in text
    assert f"{factories.wall_clock(start + 3 * HOUR, 'Europe/Paris')[1]:%H:%M}" in text
    assert len(received(mailbox, BOB)) == 1
    meeting.refresh_from_db()
    assert meeting.sequence == 0


def test_r20_for_one_date_of_a_series(boss: Agent, start: dt.datetime, mailbox: Mailbox) -> None:
    meeting = planned(boss, start, rule="FREQ=WEEKLY;COUNT=4")
    second, third = meeting.occurrences.order_by("recurrence_id")[1:3]
    taken = propose(meeting, ANNE, second.starts_at + HOUR, second)
    refused = propose(meeting, BOB, third.starts_at + HOUR, third)
    counters.refuse(counter=refused, by=boss, now=timezone.now())
    counters.accept(counter=taken, by=boss, now=timezone.now())
    send_all(timezone.now() + MINUTE)
    for guest in (ANNE, BOB):
        mail = next(mail for mail in received(mailbox, guest) if int(mail.event["SEQUENCE"]) == 1)
        assert mail.event["RECURRENCE-ID"].dt.astimezone(dt.UTC) == second.recurrence_id
        assert mail.event["DTSTART"].dt.astimezone(dt.UTC) == second.starts_at + HOUR
    [declined] = [mail for mail in received(mailbox, BOB) if mail.method == "DECLINECOUNTER"]
    assert declined.event["RECURRENCE-ID"].dt.astimezone(dt.UTC) == third.recurrence_id
    assert int(declined.event["SEQUENCE"]) == 0
