"""A date of a series that a reader has nothing to read of: they were left out of it, or it was cancelled with those that followed."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from suite.agents.models import Agent
from tests import factories
from tests.visio.meetings.pages import PARIS, client_of, text_of
from tests.visio.meetings.test_views_series import date_form, dates, day_of, days, url, weekly
from visio.meetings.dates import occurrence_key
from visio.meetings.exception_models import AttendeeException
from visio.meetings.models import Meeting, Occurrence
from visio.meetings.scopes import Scope
from visio.meetings.series import cancel
from visio.meetings.tokens import link_token
from visio.places.models import Resource
from visio.rooms.calls import Participant, enter

pytestmark = pytest.mark.django_db

# What the date says of its own, and nobody who was left out of it may read.
OWN = {"title": "Mutations", "place": "Bureau 41", "description": "Liste nominative", "start": "15:15", "end": "16:00"}
SECRETS = ("Mutations", "Bureau 41", "Liste nominative", "15:15", "Lowendal", "secret@b.example")
PAGES = ("detail", "fragment-facts", "fragment-ledger", "fragment-side", "fragment-dates", "fragment-history", "ics")


@pytest.fixture
def meeting(organiser: Agent, guest: Agent) -> Meeting:
    return weekly(organiser, guests=[guest, "anne@b.example"])


def leave_out(meeting: Meeting, number: int, **changed: Any) -> Occurrence:
    """That date with words, hours and a room of its own, without Karim and without Anne."""
    date = dates(meeting)[number]
    room = Resource.objects.create(organisation=meeting.organiser.organisation, name="Lowendal")
    sent = date_form(meeting, date, **OWN, attendees="secret@b.example", resources=[str(room.public_id)])
    meeting.refresh_from_db()
    sent |= {"revision": meeting.revision} | changed
    assert client_of(meeting.organiser).post(url(meeting, "edit", date), sent).status_code == 302
    meeting.refresh_from_db()
    date.refresh_from_db()
    return date


# --- left out of one date ----------------------------------------------------------------------------------------------------
def test_who_was_left_out_of_a_date_reads_nothing_of_it(meeting: Meeting, guest: Agent) -> None:
    second = leave_out(meeting, 1)
    reader = client_of(guest)
    for name in PAGES:
        answer = reader.get(url(meeting, name, second))
        assert answer.status_code == 404, name
        assert not [word for word in SECRETS if word in text_of(answer)], name
    said = text_of(reader.get(url(meeting, "detail", second)))
    assert "Vous n’êtes pas sur la liste de cette date." in said
    assert f'href="{url(meeting, "detail")}"' in said
    key = occurrence_key(second)
    sent = {"day": "2038-01-12", "from_hour": "10:00", "to_hour": "11:00"}
    assert reader.post(f"{url(meeting, 'propose')}?date={key}", sent).status_code == 404
    answered = reader.post(url(meeting, "answer"), {"answer": "accepted", "date": key, "only_date": "on"}, follow=True)
    assert answered.status_code == 404


def test_nor_does_the_page_of_the_series_tell_it(meeting: Meeting, guest: Agent) -> None:
    second = leave_out(meeting, 1)
    reader = client_of(guest)
    for name in (*PAGES, "detail"):
        answer = reader.get(url(meeting, name))
        assert answer.status_code == 200, name
        # The list of people is that of the series, single guests too: that they come is no word of that date.
        assert not [word for word in SECRETS[:-1] if word in text_of(answer)], name
    assert url(meeting, "detail", second) not in text_of(reader.get(url(meeting, "detail")))
    assert url(meeting, "detail", second) not in text_of(reader.get(url(meeting, "detail", dates(meeting)[2])))
    # Who organises reads it all.
    page = text_of(client_of(meeting.organiser).get(url(meeting, "detail", second)))
    assert not [word for word in SECRETS if word not in page]


def test_the_series_begins_with_the_next_date_that_they_are_invited_to(meeting: Meeting, guest: Agent) -> None:
    first, second = leave_out(meeting, 0), dates(meeting)[1]
    reader = client_of(guest)
    for address in (url(meeting, "detail"), "/reunions/?onglet=a-traiter", "/"):
        page = text_of(reader.get(address))
        assert not [word for word in SECRETS[:-1] if word in page], address
        assert day_of(first) not in page, address
    assert day_of(second) in text_of(reader.get(url(meeting, "detail")))
    assert day_of(second) in text_of(reader.get("/reunions/?onglet=a-traiter"))


def test_lists_search_agenda_and_feed_know_nothing_of_it(meeting: Meeting, guest: Agent) -> None:
    second = leave_out(meeting, 1)
    reader = client_of(guest)
    start = second.starts_at.astimezone(PARIS).date()
    for address in (
        "/reunions/",
        "/recherche/?q=Comité",
        f"{reverse('exchange:agenda')}?du={start}&au={start}",
        "/",
    ):
        answer = reader.get(address)
        assert answer.status_code == 200, address
        assert not [word for word in SECRETS if word in text_of(answer)], address
    for secret in ("Mutations", "liste nominative"):
        assert str(meeting.public_id) not in text_of(reader.get("/recherche/", {"q": secret}))
    assert str(meeting.public_id) in text_of(reader.get("/recherche/", {"q": "Comité"}))


def test_a_guest_without_an_account_neither(meeting: Meeting) -> None:
    second = leave_out(meeting, 1)
    anne = meeting.attendees.get(email="anne@b.example")
    link = f"/invitation/{link_token(anne)}/"
    of_date = Client().get(f"{link}?date={occurrence_key(second)}")
    assert "Vous n’êtes pas sur la liste de cette date." in text_of(of_date)
    for answer in (of_date, Client().get(link), Client().get(f"{link}reunion.ics")):
        assert not [word for word in SECRETS[:-1] if word in text_of(answer)]
    assert Client().get(f"{link}reunion.ics?date={occurrence_key(second)}").status_code == 404
    file = text_of(Client().get(f"{link}reunion.ics"))
    assert (file.count("BEGIN:VEVENT"), file.count("EXDATE")) == (1, 1)


def test_the_guest_link_opens_the_next_date_that_they_are_invited_to(meeting: Meeting) -> None:
    first, second = leave_out(meeting, 0), dates(meeting)[1]
    anne = meeting.attendees.get(email="anne@b.example")
    answer = Client().get(f"/invitation/{link_token(anne)}/")
    assert answer.status_code == 200
    assert answer.context["occurrence"] == second
    assert "Mutations" not in text_of(answer)
    assert first != second


def test_nor_does_it_name_who_is_in_the_room_on_that_date(organiser: Agent, guest: Agent) -> None:
    now = timezone.now()
    soon = factories.meeting(
        organiser, guests=[guest, "x@b.example"], starts_at=now + dt.timedelta(minutes=5), rule="FREQ=WEEKLY;COUNT=3"
    )
    assert soon.room is not None
    enter(participant=Participant(id="p1", room_id=soon.room.pk, name="Samir Haddad"), capacity=6, now=now)
    for name in ("detail", "fragment-side"):
        assert "Samir Haddad" in text_of(client_of(guest).get(url(soon, name)))
    AttendeeException.objects.create(occurrence=dates(soon)[0], attendee=soon.attendees.get(agent=guest), removed=True)
    for name in ("detail", "fragment-side"):
        assert "Samir Haddad" not in text_of(client_of(guest).get(url(soon, name)))
        assert "Samir Haddad" in text_of(client_of(organiser).get(url(soon, name)))


# --- cancelled with the following --------------------------------------------------------------------------------------------
def test_a_date_cancelled_with_the_following_says_when_and_by_whom(
    meeting: Meeting, organiser: Agent, guest: Agent
) -> None:
    gone = dates(meeting)[3:]
    cancel(meeting=meeting, occurrence=gone[0], scope=Scope.FOLLOWING, by=organiser, now=timezone.now())
    for date in gone:
        for reader in (guest, organiser):
            answer = client_of(reader).get(url(meeting, "detail", date))
            page = text_of(answer)
            assert answer.status_code == 410
            assert day_of(date) in page
            assert "Cette date et les suivantes ont été annulées" in page
            assert "par Claire Morel" in page
            assert f'href="{url(meeting, "detail")}"' in page
        assert client_of(factories.agent()).get(url(meeting, "detail", date)).status_code == 404
        for name in PAGES[1:]:
            assert client_of(guest).get(url(meeting, name, date)).status_code == 404, name
    assert client_of(guest).get(url(meeting, "detail", dates(meeting)[2])).status_code == 200


def test_a_date_that_never_was_is_unknown_all_the_same(meeting: Meeting, organiser: Agent, guest: Agent) -> None:
    fourth = dates(meeting)[3]
    last = dates(meeting)[5]
    cancel(meeting=meeting, occurrence=fourth, scope=Scope.FOLLOWING, by=organiser, now=timezone.now())
    for wrong in (dt.timedelta(hours=1), dt.timedelta(days=1)):
        never = Occurrence(recurrence_id=fourth.recurrence_id + wrong if fourth.recurrence_id else None)
        assert client_of(guest).get(url(meeting, "detail", never)).status_code == 404
    beyond = Occurrence(recurrence_id=last.starts_at + dt.timedelta(days=7))
    assert client_of(guest).get(url(meeting, "detail", beyond)).status_code == 404
    far = url(meeting, "detail") + "?date=99991201T000000Z"
    assert client_of(guest).get(far).status_code == 404


def test_what_was_taken_back_is_a_date_again(meeting: Meeting, organiser: Agent, guest: Agent) -> None:
    fourth = dates(meeting)[3]
    desk = client_of(organiser)
    desk.post(url(meeting, "cancel", fourth), {"scope": "following", "revision": "1"})
    assert client_of(guest).get(url(meeting, "detail", fourth)).status_code == 410
    desk.post(url(meeting, "undo"))
    assert len(days(meeting)) == 6
    assert client_of(guest).get(url(meeting, "detail", fourth)).status_code == 200


def test_a_guest_of_the_cancelled_date_is_told_too(meeting: Meeting, organiser: Agent) -> None:
    fourth = dates(meeting)[3]
    anne = meeting.attendees.get(email="anne@b.example")
    link = f"/invitation/{link_token(anne)}/"
    cancel(meeting=meeting, occurrence=fourth, scope=Scope.FOLLOWING, by=organiser, now=timezone.now())
    answer = Client().get(f"{link}?date={occurrence_key(fourth)}")
    assert answer.status_code == 410
    assert "Cette date est annulée." in text_of(answer)
    assert f'href="{link}"' in text_of(answer)
    assert answer["Referrer-Policy"] == "no-referrer"
    assert Client().get(f"{link}?date=zzz").status_code == 404


def test_a_date_that_went_into_a_new_series_leads_there(meeting: Meeting, organiser: Agent, guest: Agent) -> None:
    fourth = dates(meeting)[3]
    sent = date_form(meeting, fourth, scope="following", title="Comité réduit")
    client_of(organiser).post(url(meeting, "edit", fourth), sent)
    rest = Meeting.objects.get(split_from=meeting)
    assert client_of(guest).get(url(meeting, "detail", fourth))["Location"] == url(rest, "detail", fourth)
    assert client_of(factories.agent()).get(url(meeting, "detail", fourth)).status_code == 404
    rest.attendees.filter(agent=guest).delete()
    assert client_of(guest).get(url(meeting, "detail", fourth)).status_code == 404


def test_one_cancelled_date_says_when_and_by_whom(meeting: Meeting, organiser: Agent, guest: Agent) -> None:
    second = dates(meeting)[1]
    cancel(meeting=meeting, occurrence=second, scope=Scope.ONE, by=organiser, now=timezone.now())
    page = text_of(client_of(guest).get(url(meeting, "fragment-facts", second)))
    assert "Date annulée" in page
    assert "par Claire Morel" in page
    assert "Annulée" not in text_of(client_of(guest).get(url(meeting, "fragment-facts", dates(meeting)[2])))


# --- one date as a file ------------------------------------------------------------------------------------------------------
def test_the_page_of_a_date_gives_that_date_as_a_file(meeting: Meeting, organiser: Agent, guest: Agent) -> None:
    second = dates(meeting)[1]
    for reader in (organiser, guest):
        page = text_of(client_of(reader).get(url(meeting, "detail", second)))
        assert f'href="{url(meeting, "ics", second)}" download' in page
        assert "Ajouter cette date à mon agenda (.ics)" in page
        assert f'href="{url(meeting, "ics")}" download' in text_of(client_of(reader).get(url(meeting, "detail")))
    file = text_of(client_of(guest).get(url(meeting, "ics", second)))
    assert (file.count("BEGIN:VEVENT"), "FREQ=WEEKLY" in file, "RECURRENCE-ID" in file) == (1, False, True)


def test_the_guest_page_of_a_date_gives_that_date_as_a_file(meeting: Meeting) -> None:
    second = dates(meeting)[1]
    link = f"/invitation/{link_token(meeting.attendees.get(email='anne@b.example'))}/"
    file = f"{link}reunion.ics?date={occurrence_key(second)}"
    assert f'href="{file}" download' in text_of(Client().get(f"{link}?date={occurrence_key(second)}"))
    text = text_of(Client().get(file))
    assert (text.count("BEGIN:VEVENT"), "FREQ=WEEKLY" in text, "RECURRENCE-ID" in text) == (1, False, True)
    assert Client().get(f"{link}reunion.ics?date=zzz").status_code == 404
