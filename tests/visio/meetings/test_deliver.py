"""The ledger goes out: asserted on the bytes that a real SMTP server received."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from suite.agents.models import Agent
from suite.core.events import subscribe
from tests import factories
from tests.looking import Mailbox
from tests.visio.meetings.mailed import EXT, NOW, START, changed, planned
from tests.visio.meetings.reading import received, send_all
from visio.events import DeliveriesProgressed
from visio.meetings.answers import answer
from visio.meetings.invitations import deliver
from visio.meetings.models import Delivery, Meeting
from visio.meetings.resending import resend
from visio.meetings.scheduling import cancel_meeting, schedule_meeting
from visio.meetings.tokens import guest_join_url, join_url, rsvp_url

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def boss() -> Agent:
    home = factories.organisation("DINUM")
    return factories.agent("Karim", "Benali", organisation=home, email="karim@dinum.example")


def test_each_guest_gets_one_invitation_for_their_eyes_only(boss: Agent, mailbox: Mailbox) -> None:
    agent = factories.agent("Anne", "Le Goff", email="anne.legoff@dinum.example")
    meeting = planned(boss, agent, EXT)
    [report] = send_all(NOW)
    assert (report.claimed, report.sent) == (2, 2)
    by_agent, by_ext = received(mailbox, agent.email), received(mailbox, EXT)
    assert len(by_agent) == len(by_ext) == 1
    theirs = {a.email: a for a in meeting.attendees.all()}
    assert rsvp_url(theirs[EXT]) in by_ext[0].text
    assert rsvp_url(theirs[agent.email]) not in by_ext[0].text
    assert join_url(meeting) in by_agent[0].text
    assert guest_join_url(theirs[EXT]) in by_ext[0].html
    assert {m["connection"] for m in mailbox.messages()} == {mailbox.messages()[0]["connection"]}
    assert mailbox.messages(boss.email) == []


def test_the_envelope_and_headers(boss: Agent, mailbox: Mailbox) -> None:
    planned(boss, EXT)
    send_all(NOW)
    [mail] = received(mailbox)
    message = mail.message
    assert [str(a) for a in message["From"].addresses] == [f"Karim Benali via Visio <{settings.DEFAULT_FROM_EMAIL}>"]
    assert [str(a) for a in message["Reply-To"].addresses] == ["Karim Benali <karim@dinum.example>"]
    assert message["Auto-Submitted"] == "auto-generated"
    assert "Sender" not in message
    assert b"SENT-BY" not in mail.ics
    assert len(message.get_all("Content-Type")) == 1
    for part in message.walk():
        if part.get_content_type() == "text/calendar":
            assert len(part.get_all("Content-Type")) == 1
            assert part["Content-Type"].params["method"] == mail.method == "REQUEST"


def test_the_calendar_of_an_invitation(boss: Agent, mailbox: Mailbox) -> None:
    meeting = planned(boss, EXT, title="Comité", place="Salle 3", description="1. Avancement", privacy="private")
    send_all(NOW)
    [mail] = received(mailbox)
    url = guest_join_url(meeting.attendees.get(email=EXT))
    event = mail.event
    assert {
        name: str(event[name]) for name in ("UID", "SEQUENCE", "SUMMARY", "STATUS", "CLASS", "LOCATION", "URL")
    } == {
        "UID": meeting.uid,
        "SEQUENCE": "0",
        "SUMMARY": "Comité",
        "STATUS": "CONFIRMED",
        "CLASS": "PRIVATE",
        "LOCATION": f"Salle 3 – {url}",
        "URL": url,
    }
    assert str(event["DESCRIPTION"]).splitlines() == [f"Rejoindre la visio : {url}", "", "1. Avancement"]
    assert str(event["CONFERENCE"]) == url
    assert event["CONFERENCE"].params["FEATURE"] == ["AUDIO", "VIDEO"]
    attendee = mail.attendees[EXT]
    assert {name: attendee.params[name] for name in ("RSVP", "PARTSTAT", "ROLE")} == {
        "RSVP": "TRUE",
        "PARTSTAT": "NEEDS-ACTION",
        "ROLE": "REQ-PARTICIPANT",
    }


def test_r15_the_organiser_is_organizer_and_not_who_the_mail_is_from(boss: Agent, mailbox: Mailbox) -> None:
    """(The portal acts on no inbound mail: Reply-To leads a typed answer to the organiser's own mailbox.)"""
    planned(boss, EXT)
    send_all(NOW)
    [mail] = received(mailbox)
    assert str(mail.event["ORGANIZER"]) == "mailto:karim@dinum.example"
    assert mail.event["ORGANIZER"].params["CN"] == "Karim Benali"
    assert mail.message["From"].addresses[0].addr_spec != "karim@dinum.example"
    assert mail.attendees["karim@dinum.example"].params["ROLE"] == "CHAIR"


def test_r5_sequence_rises_with_the_times_only(boss: Agent, mailbox: Mailbox) -> None:
    meeting = planned(boss, EXT)
    send_all(NOW)
    meeting = changed(meeting, EXT, title="Autre titre")
    send_all(NOW)
    meeting = changed(meeting, EXT, title="Autre titre", starts_at=START + dt.timedelta(hours=1))
    send_all(NOW)
    cancel_meeting(meeting=meeting, by=boss, now=NOW)
    send_all(NOW)
    mails = received(mailbox, EXT)
    assert [(m.method, int(m.event["SEQUENCE"])) for m in mails] == [
        ("REQUEST", 0),
        ("REQUEST", 0),
        ("REQUEST", 1),
        ("CANCEL", 2),
    ]
    assert len({str(m.event["UID"]) for m in mails}) == 1
    assert len({m.message["Message-ID"] for m in mails}) == 4


def test_r6_dtstamp_is_fresh_in_every_message(boss: Agent, mailbox: Mailbox) -> None:
    meeting = planned(boss, EXT)
    send_all(NOW)
    changed(meeting, EXT, title="Autre titre")
    send_all(NOW + dt.timedelta(minutes=5))
    first, second = (m.event["DTSTAMP"].dt for m in received(mailbox, EXT))
    assert dt.timedelta(minutes=4, seconds=55) < second - first < dt.timedelta(minutes=5, seconds=5)
    assert abs(first - NOW) < dt.timedelta(seconds=5)


def test_r7_a_new_title_is_mailed_with_the_old_one_beside(boss: Agent, mailbox: Mailbox) -> None:
    meeting = planned(boss, EXT, title="Comité")
    send_all(NOW)
    answer(attendee=meeting.attendees.get(email=EXT), answer="accepted", via="page", now=NOW)
    changed(meeting, EXT, title="Bureau")
    send_all(NOW)
    mail = received(mailbox, EXT)[-1]
    assert mail.subject.startswith("Modifié (titre) : Bureau, ")
    assert "avant : Comité" in mail.text
    assert mail.attendees[EXT].params["PARTSTAT"] == "ACCEPTED"


def test_r9_a_move_asks_again_and_shows_before_and_now(boss: Agent, mailbox: Mailbox) -> None:
    meeting = planned(boss, EXT)
    send_all(NOW)
    answer(attendee=meeting.attendees.get(email=EXT), answer="accepted", via="page", now=NOW)
    changed(meeting, EXT, starts_at=START + dt.timedelta(hours=2))
    send_all(NOW)
    mail = received(mailbox, EXT)[-1]
    assert mail.attendees[EXT].params["PARTSTAT"] == "NEEDS-ACTION"
    text = mail.text.replace("\xa0", " ")
    assert "Avant : Mardi 24 novembre 2026, 14:00 – 15:00" in text
    assert "Maintenant : Mardi 24 novembre 2026, 16:00 – 17:00" in text
    assert "Participerez-vous au nouvel horaire ?" in text


def test_r10_a_cancel_has_no_buttons_and_a_request_is_never_cancelled(boss: Agent, mailbox: Mailbox) -> None:
    meeting = planned(boss, EXT)
    link = rsvp_url(meeting.attendees.get(email=EXT))
    send_all(NOW)
    cancel_meeting(meeting=meeting, by=boss, now=NOW)
    send_all(NOW)
    request, cancel = received(mailbox, EXT)
    assert (request.method, str(request.event["STATUS"])) == ("REQUEST", "CONFIRMED")
    assert (cancel.method, str(cancel.event["STATUS"])) == ("CANCEL", "CANCELLED")
    assert link in request.html
    assert link not in cancel.html + cancel.text
    assert "reponse=" not in cancel.html + cancel.text
    assert "RSVP" not in cancel.attendees[EXT].params
    assert cancel.message["Content-Type"].params["boundary"]
    assert {
        p["Content-Type"].params["method"] for p in cancel.message.walk() if p.get_content_subtype() == "calendar"
    } == {"CANCEL"}
    assert cancel.subject.startswith("Annulé : ")


def test_r2_the_removed_guest_alone_hears_of_it(boss: Agent, mailbox: Mailbox) -> None:
    meeting = planned(boss, EXT, "autre@partenaire.example")
    send_all(NOW)
    changed(meeting, "autre@partenaire.example")
    send_all(NOW)
    assert [m.method for m in received(mailbox, "autre@partenaire.example")] == ["REQUEST"]
    cancel = received(mailbox, EXT)[-1]
    assert (cancel.method, int(cancel.event["SEQUENCE"]), list(cancel.attendees)) == ("CANCEL", 1, [EXT, boss.email])
    assert "RECURRENCE-ID" not in cancel.event


def test_r11_every_tzid_has_its_vtimezone(boss: Agent, mailbox: Mailbox) -> None:
    planned(boss, EXT, time_zone="America/Cayenne")
    planned(boss, EXT, time_zone="Europe/Paris")
    planned(boss, EXT, time_zone="UTC")
    send_all(NOW)
    mails = received(mailbox, EXT)
    assert len(mails) == 3
    for mail in mails:
        used = {p.params["TZID"] for _name, p in mail.event.property_items() if "TZID" in getattr(p, "params", {})}
        told = {str(zone["TZID"]) for zone in mail.calendar.walk("VTIMEZONE")}
        assert used == told
        assert mail.event["DTSTART"].dt.astimezone(dt.UTC) == START
        assert mail.event["DTEND"].dt.astimezone(dt.UTC) == START + dt.timedelta(hours=1)


def test_an_end_in_the_repeated_hour_is_told_by_its_duration(boss: Agent, mailbox: Mailbox) -> None:
    # 02:30 to 02:30 an hour later, on the night when Paris goes back.
    planned(boss, EXT, start_date=dt.date(2038, 10, 31), start_time=dt.time(2, 30), minutes=60)
    send_all(NOW)
    [mail] = received(mailbox, EXT)
    assert mail.event["DURATION"].dt == dt.timedelta(hours=1)
    assert "DTEND" not in mail.event


def test_the_reader_s_own_clock_and_language(boss: Agent, mailbox: Mailbox) -> None:
    far = factories.agent(time_zone="Indian/Reunion", email="loin@dinum.example")
    near = factories.agent(time_zone="Europe/Paris", email="ici@dinum.example")
    planned(boss, far, near, title="Comité")
    Meeting.objects.update(changed_at=NOW)  # The year is told when it is not that of the letter.
    send_all(NOW)
    [there], [here] = received(mailbox, far.email), received(mailbox, near.email)
    assert here.subject.endswith("24 nov. 14:00")
    assert there.subject.endswith("24 nov. 14:00 à Paris")
    assert "Pour vous, à La Réunion : Mardi 24 novembre 2026, 17:00 – 18:00" in there.text.replace("\xa0", " ")
    assert "Pour vous" not in here.text


def test_the_message_id_is_derived_and_stable(boss: Agent, mailbox: Mailbox) -> None:
    meeting = planned(boss, EXT)
    send_all(NOW)
    meeting.deliveries.update(state="owed")
    send_all(NOW)
    first, second = (m.message["Message-ID"] for m in received(mailbox, EXT))
    assert first == second
    resend(delivery=meeting.deliveries.get(), by=boss, now=NOW)
    send_all(NOW)
    assert received(mailbox, EXT)[-1].message["Message-ID"] != first


def test_the_ledger_tells_once_per_meeting_and_batch(boss: Agent, mailbox: Mailbox) -> None:
    told: list[DeliveriesProgressed] = []
    subscribe(DeliveriesProgressed, told.append)
    meeting = planned(boss, *(f"invite{number}@partenaire.example" for number in range(60)))
    reports = send_all(NOW)
    assert [report.claimed for report in reports] == [50, 10]
    mine = [fact for fact in told if fact.meeting_id == meeting.pk]
    assert 2 <= len(mine) <= 10


def test_a_batch_costs_few_statements_per_letter(boss: Agent, mailbox: Mailbox) -> None:
    planned(boss, *(f"invite{number}@partenaire.example" for number in range(40)))
    with CaptureQueriesContext(connection) as asked:
        deliver(now=NOW)
    # A slow sender asks before a letter whether the meeting is still what it says: a matter of the clock, not of this test.
    told = [
        one["sql"] for one in asked if not one["sql"].startswith("SELECT sequence, revision, status FROM visio_meeting")
    ]
    assert len([sql for sql in told if "UPDATE visio_delivery" in sql and "RETURNING" in sql]) == 40
    assert len(told) <= 40 + 16


def test_letters_of_a_meeting_without_a_room(boss: Agent, mailbox: Mailbox) -> None:
    planned(boss, EXT, wants_room=False, place="Salle 3")
    send_all(NOW)
    [mail] = received(mailbox, EXT)
    assert str(mail.event["LOCATION"]) == "Salle 3"
    assert not {"URL", "CONFERENCE", "DESCRIPTION"} & set(mail.event)
    assert "en Visio" not in mail.text


def test_optional_guests_are_optional(boss: Agent, mailbox: Mailbox) -> None:
    draft = dataclasses.replace(
        factories.draft(now=NOW, starts_at=START), attendees=(factories.invitee(EXT, role="optional"),)
    )
    schedule_meeting(by=boss, draft=draft, now=NOW)
    send_all(NOW)
    [mail] = received(mailbox, EXT)
    assert mail.attendees[EXT].params["ROLE"] == "OPT-PARTICIPANT"


def test_a_small_meeting_does_not_wait_behind_a_crowd(boss: Agent, mailbox: Mailbox) -> None:
    factories.meeting(boss, guests=[f"g{number:03d}@crowd.example" for number in range(70)])
    factories.meeting(boss, guests=["anne@small.example"])
    deliver(limit=50, now=timezone.now())
    sent = Delivery.objects.filter(state="sent").values_list("recipient", flat=True)
    assert len(sent) == 50
    assert "anne@small.example" in sent
    deliver(limit=50, now=timezone.now())
    assert not Delivery.objects.exclude(state="sent").exists()


def test_the_newest_do_not_overtake_an_unsent_one_to_the_same_person(boss: Agent, mailbox: Mailbox) -> None:
    factories.meeting(boss, guests=[f"g{number:03d}@crowd.example" for number in range(70)])
    meeting = factories.meeting(boss, guests=["anne@small.example"])
    first = meeting.deliveries.get()
    # Two unsent mails to one person, the first of them in a sender's hands.
    Delivery.objects.filter(pk=first.pk).update(
        state="sending", claimed_until=timezone.now() + dt.timedelta(seconds=30)
    )
    first.pk, first.revision = None, 2
    first.save()
    deliver(limit=50, now=timezone.now())
    assert Delivery.objects.filter(state="sent").count() == 50
    assert set(meeting.deliveries.values_list("revision", "state")) == {(1, "sending"), (2, "owed")}
