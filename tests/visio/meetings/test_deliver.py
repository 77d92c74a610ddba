"""The ledger goes out: asserted on the bytes that a real SMTP server received."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import pytest
from django.conf import settings

from suite.agents.models import Agent
from suite.core.events import subscribe
from tests import factories
from tests.looking import Mailbox
from tests.visio.meetings.reading import received, send_all
from visio.events import DeliveriesProgressed
from visio.meetings.answers import answer
from visio.meetings.invitations import BACKOFF, deliver
from visio.meetings.models import Delivery, Meeting
from visio.meetings.owing import ResendRefused, resend
from visio.meetings.scheduling import cancel_meeting, edit_meeting, schedule_meeting
from visio.meetings.tokens import guest_join_url, join_url, rsvp_url

pytestmark = pytest.mark.django_db(transaction=True)
NOW = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)
START = dt.datetime(2026, 11, 24, 13, 0, tzinfo=dt.UTC)
EXT = "anne@partenaire.example"


@pytest.fixture
def boss() -> Agent:
    home = factories.organisation("DINUM")
    return factories.agent("Karim", "Benali", organisation=home, email="karim@dinum.example")


def planned(boss: Agent, *guests: Agent | str, **fields: Any) -> Meeting:
    fields.setdefault("starts_at", START)
    return schedule_meeting(by=boss, draft=factories.draft(guests=guests, now=NOW, **fields), now=NOW)


def changed(meeting: Meeting, *guests: Agent | str, **fields: Any) -> Meeting:
    fields.setdefault("starts_at", START)
    draft = factories.draft(guests=guests, now=NOW, **fields)
    return edit_meeting(meeting=meeting, by=meeting.organiser, draft=draft, revision=meeting.revision, now=NOW)


def states(meeting: Meeting) -> list[tuple[str, str, str, str]]:
    return [(r.recipient, r.method, r.reason, r.state) for r in meeting.deliveries.order_by("pk")]


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
    for mail in received(mailbox, EXT):
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


def test_4xx_is_tried_again_later_and_only_for_that_guest(boss: Agent, mailbox: Mailbox) -> None:
    meeting = planned(boss, EXT, "autre@partenaire.example")
    mailbox.refuse(EXT, "451 4.3.0 Revenez plus tard", times=2)
    [report] = send_all(NOW)
    assert (report.sent, report.retried) == (1, 1)
    row = meeting.deliveries.get(recipient=EXT)
    assert (row.state, row.attempts, row.server_words) == ("owed", 1, "451 4.3.0 Revenez plus tard")
    assert abs(row.due_at - (NOW + BACKOFF[0])) < dt.timedelta(seconds=5)
    assert send_all(NOW + BACKOFF[0] - dt.timedelta(seconds=10)) == []
    again = NOW + BACKOFF[0] + dt.timedelta(seconds=5)
    send_all(again)
    row.refresh_from_db()
    assert (row.state, row.attempts) == ("owed", 2)
    assert abs(row.due_at - (again + BACKOFF[1])) < dt.timedelta(seconds=5)
    send_all(again + BACKOFF[1] + dt.timedelta(seconds=5))
    row.refresh_from_db()
    assert (row.state, row.attempts, row.server_words) == ("sent", 3, "")
    assert len(mailbox.messages(EXT)) == len(mailbox.messages("autre@partenaire.example")) == 1


def test_5xx_is_a_failure_with_the_server_s_words(boss: Agent, mailbox: Mailbox) -> None:
    meeting = planned(boss, EXT)
    mailbox.refuse(EXT, "550 5.1.1 Adresse inconnue")
    [report] = send_all(NOW)
    assert (report.failed, report.sent) == (1, 0)
    row = meeting.deliveries.get()
    assert (row.state, row.server_words, row.sent_at) == ("failed", "550 5.1.1 Adresse inconnue", None)
    assert send_all(NOW + dt.timedelta(days=2)) == []


def test_a_guest_who_never_got_the_invitation_is_invited_by_the_next_change_and_told_of_no_cancel(
    boss: Agent, mailbox: Mailbox
) -> None:
    meeting = planned(boss, EXT)
    mailbox.refuse(EXT, "550 5.1.1 Adresse inconnue", times=1)
    send_all(NOW)
    meeting = changed(meeting, EXT, starts_at=START + dt.timedelta(hours=1))
    assert states(meeting)[-1] == (EXT, "REQUEST", "invited", "owed")
    cancel_meeting(meeting=meeting, by=boss, now=NOW)
    assert send_all(NOW) == []
    assert mailbox.messages() == []


def test_a_server_that_is_down_costs_no_attempt(boss: Agent, mailbox: Mailbox, settings: Any) -> None:
    meeting = planned(boss, EXT, "autre@partenaire.example")
    port = settings.EMAIL_PORT
    settings.EMAIL_PORT = 9
    [report] = send_all(NOW)
    assert report.server_down
    assert {(r.state, r.attempts, r.maybe_received) for r in meeting.deliveries.all()} == {("owed", 0, False)}
    settings.EMAIL_PORT = port
    assert send_all(NOW) == []
    send_all(NOW + dt.timedelta(seconds=20))
    assert len(mailbox.messages()) == 2


def test_p21_cancelled_before_it_went_out_nothing_is_sent(boss: Agent, mailbox: Mailbox) -> None:
    meeting = planned(boss, EXT)
    cancel_meeting(meeting=meeting, by=boss, now=NOW)
    assert send_all(NOW) == []
    assert states(meeting) == [(EXT, "REQUEST", "invited", "superseded")]
    assert mailbox.messages() == []


def test_p21_cancelled_while_claimed_nothing_is_sent(boss: Agent, mailbox: Mailbox) -> None:
    """A sender holds the row, the meeting is cancelled: the CANCEL is owed in case, and dropped when it proves needless."""
    meeting = planned(boss, EXT)
    meeting.deliveries.update(state="sending", claimed_until=NOW - dt.timedelta(seconds=1), attempts=1)
    cancel_meeting(meeting=meeting, by=boss, now=NOW)
    assert states(meeting)[-1] == (EXT, "CANCEL", "cancelled", "owed")
    # That sender died without a word: the guest may have the invitation, so the CANCEL goes, and no REQUEST after it.
    send_all(NOW)
    assert [m.method for m in received(mailbox, EXT)] == ["CANCEL"]
    assert [r.state for r in meeting.deliveries.order_by("pk")] == ["superseded", "sent"]


def test_p21_a_cancel_waits_for_the_request_in_another_sender_s_hands(boss: Agent, mailbox: Mailbox) -> None:
    meeting = planned(boss, EXT)
    meeting.deliveries.update(state="sending", claimed_until=NOW + dt.timedelta(seconds=60), attempts=1)
    cancel_meeting(meeting=meeting, by=boss, now=NOW)
    deliver(now=NOW)
    assert mailbox.messages() == []
    assert meeting.deliveries.get(method="CANCEL").state == "owed"
    meeting.deliveries.filter(method="REQUEST").update(state="superseded", claimed_until=None)
    send_all(NOW + dt.timedelta(seconds=10))
    assert mailbox.messages() == []
    assert meeting.deliveries.get(method="CANCEL").state == "superseded"


def test_p20_an_edit_while_the_rows_are_claimed(boss: Agent, mailbox: Mailbox) -> None:
    """The rows in a sender's hands are out of date when it comes to them: each guest gets today's version, as an invitation."""
    meeting = planned(boss, EXT)
    meeting.deliveries.update(state="sending", claimed_until=NOW - dt.timedelta(seconds=1))
    meeting = changed(meeting, EXT, starts_at=START + dt.timedelta(hours=1))
    meeting.deliveries.filter(revision=1).update(state="owed")
    send_all(NOW)
    [mail] = received(mailbox, EXT)
    assert (int(mail.event["SEQUENCE"]), mail.subject.split(" ")[0]) == (1, "Invitation")
    assert states(meeting) == [(EXT, "REQUEST", "invited", "superseded"), (EXT, "REQUEST", "invited", "sent")]


def test_p20_a_guest_added_while_the_first_rows_are_claimed(boss: Agent, mailbox: Mailbox) -> None:
    """Nobody is owed a change, yet the claimed row is out of date: it is owed anew under today's version."""
    meeting = planned(boss, EXT)
    meeting.deliveries.update(state="sending", claimed_until=NOW + dt.timedelta(seconds=60))
    meeting = changed(meeting, EXT, "autre@partenaire.example")
    meeting.deliveries.filter(revision=1).update(state="owed")
    send_all(NOW)
    assert [len(received(mailbox, to)) for to in (EXT, "autre@partenaire.example")] == [1, 1]
    assert (EXT, "REQUEST", "invited", "sent") in states(meeting)


def test_resend_makes_a_failed_row_owed_again(boss: Agent, mailbox: Mailbox) -> None:
    meeting = planned(boss, EXT, "autre@partenaire.example")
    mailbox.refuse("*", "550 5.7.1 Non", times=2)
    send_all(NOW)
    rows = resend(meeting=meeting, by=boss, now=NOW)
    assert {row.recipient for row in rows} == {EXT, "autre@partenaire.example"}
    send_all(NOW)
    assert {row.state for row in meeting.deliveries.all()} == {"sent"}
    assert len(mailbox.messages()) == 2


def test_resend_of_an_old_version_sends_today_s(boss: Agent, mailbox: Mailbox) -> None:
    meeting = planned(boss, EXT)
    send_all(NOW)
    first = meeting.deliveries.get()
    meeting = changed(meeting, EXT, "autre@partenaire.example")
    send_all(NOW)
    [row] = resend(delivery=first, by=boss, now=NOW)
    assert (row.revision, row.recipient) == (2, EXT)
    send_all(NOW)
    assert len(mailbox.messages(EXT)) == 2


def test_resend_refusals(boss: Agent, mailbox: Mailbox) -> None:
    stranger = factories.agent()
    meeting = planned(boss, EXT)
    row = meeting.deliveries.get()
    for by, reason in ((stranger, "not_allowed"), (boss, "under_way")):
        with pytest.raises(ResendRefused) as refused:
            resend(delivery=row, by=by, now=NOW)
        assert refused.value.reason == reason
    send_all(NOW)
    changed(meeting)
    with pytest.raises(ResendRefused) as refused:
        resend(delivery=row, by=boss, now=NOW)
    assert refused.value.reason == "removed"


def test_the_ledger_tells_once_per_meeting_and_batch(boss: Agent, mailbox: Mailbox) -> None:
    told: list[DeliveriesProgressed] = []
    subscribe(DeliveriesProgressed, told.append)
    meeting = planned(boss, *(f"invite{number}@partenaire.example" for number in range(60)))
    reports = send_all(NOW)
    assert [report.claimed for report in reports] == [50, 10]
    mine = [fact for fact in told if fact.meeting_id == meeting.pk]
    assert 2 <= len(mine) <= 10


def test_a_row_that_cannot_be_written_lets_the_others_pass(boss: Agent, mailbox: Mailbox) -> None:
    broken = planned(boss, EXT)
    Delivery.objects.filter(meeting=broken).update(reason="moved", before={})
    Delivery.objects.filter(meeting=broken).update(maybe_received=True, revision=1, resends=1)
    fine = planned(boss, "autre@partenaire.example")
    with pytest.raises(KeyError):
        deliver(now=NOW)
    row = broken.deliveries.get()
    assert (row.state, row.attempts, row.server_words) == ("owed", 1, "portal: internal error")
    assert row.due_at > NOW
    send_all(NOW + dt.timedelta(seconds=5))
    assert [r.state for r in fine.deliveries.all()] == ["sent"]


def test_a_batch_costs_few_statements_per_letter(
    boss: Agent, mailbox: Mailbox, django_assert_max_num_queries: Any
) -> None:
    planned(boss, *(f"invite{number}@partenaire.example" for number in range(40)))
    with django_assert_max_num_queries(40 + 16):
        deliver(now=NOW)


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
