"""A meeting's page, its fragments, the ledger and resending."""

import datetime as dt
from dataclasses import replace

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from suite.agents.models import Agent
from tchap_bridge.models import RoomState, TchapRoom
from tests import factories
from tests.visio.meetings.pages import client_of, text_of
from visio.meetings.answers import answer
from visio.meetings.ledger import read_ledger
from visio.meetings.links import attach_link
from visio.meetings.models import Delivery, Meeting
from visio.meetings.resending import ResendRefused, resend_to_all
from visio.meetings.scheduling import cancel_meeting, edit_meeting

pytestmark = pytest.mark.django_db

PAGES = ("detail", "ics", "fragment-facts", "fragment-ledger", "fragment-side", "fragment-history")


@pytest.fixture
def meeting(organiser: Agent, guest: Agent) -> Meeting:
    return factories.meeting(organiser, guests=[guest, "anne@b.example"])


def url(meeting: Meeting, name: str) -> str:
    return reverse(f"meetings:{name}", args=[meeting.public_id])


def mails(meeting: Meeting, **state: object) -> None:
    Delivery.objects.filter(meeting=meeting).update(**state)


@pytest.mark.parametrize("name", PAGES)
def test_organiser_and_attendees_only(meeting: Meeting, organiser: Agent, guest: Agent, name: str) -> None:
    address = url(meeting, name)
    assert client_of(organiser).get(address).status_code == 200
    assert client_of(guest).get(address).status_code == 200
    assert client_of(factories.agent(organisation=organiser.organisation)).get(address).status_code == 404
    assert client_of(factories.agent()).get(address).status_code == 404
    assert Client().get(address).status_code == 302


def test_what_an_attendee_may_not_do_is_not_offered(meeting: Meeting, organiser: Agent, guest: Agent) -> None:
    mine, theirs = (text_of(client_of(who).get(url(meeting, "detail"))) for who in (organiser, guest))
    for name in ("edit", "cancel"):
        assert url(meeting, name) in mine
        assert url(meeting, name) not in theirs
    assert 'id="reponse"' in theirs
    assert 'id="reponse"' not in mine


def test_the_hour_is_the_readers_and_the_meetings_own_when_they_differ(organiser: Agent) -> None:
    there = factories.agent("Marie", "Payet", time_zone="Indian/Reunion")
    meeting = factories.meeting(organiser, guests=[there], start_date=dt.date(2038, 1, 11), start_time=dt.time(10, 0))
    mine = text_of(client_of(organiser).get(url(meeting, "fragment-facts")))
    theirs = text_of(client_of(there).get(url(meeting, "fragment-facts")))
    assert 'Lundi 11 janvier 2038, <span class="ps-nums">10:00 – 11:00</span></strong> (Paris)' in mine
    assert "13:00 – 14:00</span></strong> (La Réunion)" in theirs
    assert "10:00 – 11:00</span> à Paris" in theirs


def test_description_is_text_with_safe_links(organiser: Agent) -> None:
    meeting = factories.meeting(organiser, description="Un <b>\nhttps://docs.example/x?a=1&b=2\njavascript:alert(1)")
    page = text_of(client_of(organiser).get(url(meeting, "fragment-ledger")))
    assert 'Un &lt;b&gt;<br><a href="https://docs.example/x?a=1&amp;b=2" rel="nofollow">' in page
    assert 'href="javascript' not in page


def test_a_refused_mail_comes_first_with_the_servers_words_and_what_to_do(
    meeting: Meeting, organiser: Agent, guest: Agent
) -> None:
    mails(meeting, state="sent", sent_at=timezone.now())
    failed = Delivery.objects.get(meeting=meeting, recipient="anne@b.example")
    Delivery.objects.filter(pk=failed.pk).update(state="failed", server_words="550 5.1.1 <no> such user", sent_at=None)
    page = text_of(client_of(organiser).get(url(meeting, "fragment-ledger")))
    assert page.index("anne@b.example") < page.index("Karim Benali")
    assert "550 5.1.1 &lt;no&gt; such user" in page
    assert f'name="delivery" value="{failed.pk}"' in page
    assert "Corriger l’adresse" in page
    assert "1 échec" in page
    assert "1 envoyé" in page
    assert "Corriger l’adresse" not in text_of(client_of(guest).get(url(meeting, "fragment-ledger")))


def test_a_mail_that_waits_shows_why(meeting: Meeting, organiser: Agent) -> None:
    mails(meeting, state="owed", attempts=1, server_words="451 4.7.1 Greylisted")
    page = text_of(client_of(organiser).get(url(meeting, "fragment-ledger")))
    assert page.count("451 4.7.1 Greylisted") == 2
    assert "2 en attente" in page


def test_an_answer_to_an_earlier_hour_says_so(meeting: Meeting, organiser: Agent, guest: Agent) -> None:
    now = timezone.now()
    answer(attendee=meeting.attendees.get(agent=guest), answer="accepted", via="portal", now=now)
    asked = replace(
        factories.draft(guests=[guest, "anne@b.example"]), start_date=meeting.start_date + dt.timedelta(days=2)
    )
    edit_meeting(meeting=meeting, by=organiser, draft=asked, revision=1, now=now)
    page = text_of(client_of(organiser).get(url(meeting, "fragment-ledger")))
    assert "L’horaire a changé depuis sa réponse." in page
    answer(attendee=meeting.attendees.get(agent=guest), answer="accepted", via="portal", now=now)
    assert "L’horaire a changé" not in text_of(client_of(organiser).get(url(meeting, "fragment-ledger")))


def test_an_edit_that_moves_nothing_keeps_answers_fresh(meeting: Meeting, organiser: Agent, guest: Agent) -> None:
    now = timezone.now()
    answer(attendee=meeting.attendees.get(agent=guest), answer="accepted", via="portal", now=now)
    asked = replace(
        factories.draft(guests=[guest, "anne@b.example"], title="Autre"),
        start_date=meeting.start_date,
        start_time=meeting.start_time,
    )
    edit_meeting(meeting=meeting, by=organiser, draft=asked, revision=1, now=now)
    page = text_of(client_of(organiser).get(url(meeting, "fragment-ledger")))
    assert "1 accepte" not in page  # the organiser accepts too
    assert "2 acceptent" in page
    assert "L’horaire a changé" not in page


def test_history_names_what_changed(meeting: Meeting, organiser: Agent, guest: Agent) -> None:
    asked = factories.draft(guests=[guest, "yann@b.example"], title="Revue")
    edit_meeting(
        meeting=meeting,
        by=organiser,
        draft=replace(asked, start_date=meeting.start_date, start_time=meeting.start_time),
        revision=1,
        now=timezone.now(),
    )
    mine = text_of(client_of(organiser).get(url(meeting, "fragment-history")))
    theirs = text_of(client_of(guest).get(url(meeting, "fragment-history")))
    assert "Renommée : avant « Comité de suivi »" in mine
    assert "Participant ajouté : yann@b.example. Participant retiré : anne@b.example" in mine
    assert "Vous, à l’instant" in mine
    assert "Claire Morel, à l’instant" in theirs


def test_moves_are_told_as_short_as_they_differ(organiser: Agent) -> None:
    meeting = factories.meeting(organiser, start_date=dt.date(2038, 1, 11), start_time=dt.time(14, 0))
    asked = factories.draft(start_date=dt.date(2038, 1, 11), start_time=dt.time(10, 0))
    edit_meeting(meeting=meeting, by=organiser, draft=asked, revision=1, now=timezone.now())
    edit_meeting(meeting=meeting, by=organiser, draft=replace(asked, minutes=90), revision=2, now=timezone.now())
    edit_meeting(
        meeting=meeting,
        by=organiser,
        draft=replace(asked, minutes=90, start_date=dt.date(2038, 1, 12)),
        revision=3,
        now=timezone.now(),
    )
    page = text_of(client_of(organiser).get(url(meeting, "fragment-history")))
    assert "Déplacée : 14:00 devient 10:00" in page
    assert "Déplacée : 10:00 – 11:00 devient 10:00 – 11:30" in page
    assert "Déplacée : lun. 11 jan. 2038, 10:00 devient mar. 12 jan. 2038, 10:00" in page


def test_tchap_waits_then_links(meeting: Meeting, organiser: Agent) -> None:
    client = client_of(organiser)
    assert "Salon en attente" in text_of(client.get(url(meeting, "fragment-side")))
    Meeting.objects.update(changed_at=timezone.now() - dt.timedelta(hours=1))
    assert "Tchap n’a pas encore répondu" in text_of(client.get(url(meeting, "fragment-side")))
    attach_link(meeting=meeting, label="tchap", url="https://tchap.example/#/room/x")
    page = text_of(client.get(url(meeting, "fragment-side")))
    assert 'href="https://tchap.example/#/room/x"' in page
    assert "Salon en attente" not in page


def test_a_refused_room_is_not_said_to_come(meeting: Meeting, organiser: Agent) -> None:
    Meeting.objects.update(changed_at=timezone.now() - dt.timedelta(hours=1))
    TchapRoom.objects.filter(meeting=meeting).update(state=RoomState.REFUSED)
    page = text_of(client_of(organiser).get(url(meeting, "fragment-side")))
    assert "Salon refusé par Tchap" in page
    assert "Un administrateur du portail doit intervenir." in page
    assert "tout seul" not in page
    assert "Salon en attente" not in page
    assert (
        "tchap" in client_of(organiser).get(url(meeting, "detail")).content.decode().split('id="reunion-cote"')[1][:120]
    )


def test_without_visio_nothing_to_join(organiser: Agent) -> None:
    meeting = factories.meeting(organiser, wants_room=False, wants_tchap=False, place="Ségur 2.14")
    page = text_of(client_of(organiser).get(url(meeting, "fragment-side")))
    assert "Sans Visio" in page
    assert "Ségur 2.14" in page
    assert "Salon Tchap" not in page


def test_a_cancelled_meeting_says_so(meeting: Meeting, organiser: Agent, guest: Agent) -> None:
    cancel_meeting(meeting=meeting, by=organiser, now=timezone.now())
    page = text_of(client_of(guest).get(url(meeting, "detail")))
    assert "Réunion annulée" in page
    assert 'id="reponse"' not in page


def test_the_calendar_file(meeting: Meeting, guest: Agent) -> None:
    response = client_of(guest).get(url(meeting, "ics"))
    assert response["Content-Type"].startswith("text/calendar")
    assert "attachment" in response["Content-Disposition"]
    assert f"UID:{meeting.uid}".encode() in response.content.replace(b"\r\n ", b"")


def test_a_cancellation_that_did_not_reach_a_removed_guest_is_shown(
    meeting: Meeting, organiser: Agent, guest: Agent
) -> None:
    mails(meeting, state="sent", sent_at=timezone.now(), attempts=1)
    asked = replace(factories.draft(guests=[guest]), start_date=meeting.start_date, start_time=meeting.start_time)
    edit_meeting(meeting=meeting, by=organiser, draft=asked, revision=1, now=timezone.now())
    client = client_of(organiser)
    assert "Annulation en attente" in text_of(client.get(url(meeting, "fragment-ledger")))
    row = Delivery.objects.get(meeting=meeting, method="CANCEL")
    Delivery.objects.filter(pk=row.pk).update(state="failed", server_words="550 5.1.1 gone")
    page = text_of(client.get(url(meeting, "fragment-ledger")))
    assert "L’annulation n’est pas arrivée" in page
    assert "550 5.1.1 gone" in page
    client.post(url(meeting, "resend"), {"delivery": row.pk})
    row.refresh_from_db()
    assert row.state == "owed"


def test_presence_stands_beside_the_agents(meeting: Meeting, organiser: Agent, guest: Agent) -> None:
    page = text_of(client_of(organiser).get(url(meeting, "fragment-ledger")))
    assert f'data-presence="{guest.public_id}" data-state="offline"' in page


# --- resending --------------------------------------------------------------------------------------------------------
def test_resending_owes_the_mail_again(meeting: Meeting, organiser: Agent) -> None:
    mails(meeting, state="failed", server_words="550 no", attempts=1)
    row = Delivery.objects.filter(meeting=meeting).order_by("pk").first()
    assert row is not None
    response = client_of(organiser).post(url(meeting, "resend"), {"delivery": row.pk}, follow=True)
    row.refresh_from_db()
    assert (row.state, row.resends, row.server_words) == ("owed", 1, "")
    assert "1 courriel repart." in text_of(response)
    assert Delivery.objects.filter(meeting=meeting, state="failed").count() == 1


def test_resending_every_failure(meeting: Meeting, organiser: Agent) -> None:
    mails(meeting, state="failed", server_words="550 no")
    response = client_of(organiser).post(url(meeting, "resend"), follow=True)
    assert Delivery.objects.filter(meeting=meeting, state="owed").count() == 2
    assert "2 courriels repartent." in text_of(response)


def test_a_mail_under_way_is_not_sent_twice(meeting: Meeting, organiser: Agent) -> None:
    row = Delivery.objects.filter(meeting=meeting).first()
    assert row is not None
    response = client_of(organiser).post(url(meeting, "resend"), {"delivery": row.pk}, follow=True)
    assert "déjà en route" in text_of(response)


def test_only_the_organiser_resends_and_only_this_meetings_mails(
    meeting: Meeting, organiser: Agent, guest: Agent
) -> None:
    other = factories.meeting(guests=["x@y.example"])
    foreign = Delivery.objects.get(meeting=other)
    assert client_of(guest).post(url(meeting, "resend")).status_code == 403
    assert client_of(factories.agent()).post(url(meeting, "resend")).status_code == 404
    assert client_of(organiser).post(url(meeting, "resend"), {"delivery": foreign.pk}).status_code == 404
    assert client_of(organiser).post(url(meeting, "resend"), {"delivery": "1 OR 1"}).status_code == 404
    assert client_of(organiser).get(url(meeting, "resend")).status_code == 405


def test_a_mail_that_arrived_is_sent_again_on_demand(meeting: Meeting, organiser: Agent) -> None:
    mails(meeting, state="sent", sent_at=timezone.now())
    row = Delivery.objects.filter(meeting=meeting).order_by("pk").first()
    assert row is not None
    client = client_of(organiser)
    assert f'name="delivery" value="{row.pk}"' in text_of(client.get(url(meeting, "detail")))
    assert "1 courriel repart." in text_of(client.post(url(meeting, "resend"), {"delivery": row.pk}, follow=True))
    row.refresh_from_db()
    assert (row.state, row.resends) == ("owed", 1)


def test_everybody_is_sent_the_meeting_again(meeting: Meeting, organiser: Agent) -> None:
    mails(meeting, state="sent", sent_at=timezone.now())
    client = client_of(organiser)
    response = client.post(url(meeting, "resend"), {"everyone": "1"}, follow=True)
    assert "2 courriels repartent." in text_of(response)
    assert list(Delivery.objects.filter(meeting=meeting).values_list("state", "resends")) == [("owed", 1)] * 2
    # Both are under way now: pressing again sends nothing twice.
    assert "Les courriels sont déjà en route." in text_of(
        client.post(url(meeting, "resend"), {"everyone": "1"}, follow=True)
    )
    assert list(Delivery.objects.filter(meeting=meeting).values_list("state", "resends")) == [("owed", 1)] * 2


def test_sending_to_everybody_takes_as_many_statements_for_many(
    organiser: Agent, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    meeting = factories.meeting(organiser, guests=[f"g{number:03d}@b.example" for number in range(60)])
    mails(meeting, state="sent", sent_at=timezone.now())
    with django_assert_max_num_queries(12):
        assert resend_to_all(meeting=meeting, by=organiser, now=timezone.now()) == 60


def test_who_only_has_an_older_version_is_sent_today_s(meeting: Meeting, organiser: Agent) -> None:
    mails(meeting, state="sent", sent_at=timezone.now())
    Meeting.objects.filter(pk=meeting.pk).update(revision=2)
    meeting.refresh_from_db()
    assert resend_to_all(meeting=meeting, by=organiser, now=timezone.now()) == 2
    found = Delivery.objects.filter(meeting=meeting).order_by("revision").values_list("revision", "state", "resends")
    assert list(found) == [(1, "sent", 0)] * 2 + [(2, "owed", 0)] * 2


def test_a_meeting_that_is_over_is_sent_to_nobody(meeting: Meeting, organiser: Agent) -> None:
    later = timezone.now() + dt.timedelta(days=400)
    with pytest.raises(ResendRefused) as refused:
        resend_to_all(meeting=meeting, by=organiser, now=later)
    assert refused.value.reason == "over"


def test_a_guest_sends_nobody_anything(meeting: Meeting, guest: Agent) -> None:
    with pytest.raises(ResendRefused) as refused:
        resend_to_all(meeting=meeting, by=guest, now=timezone.now())
    assert refused.value.reason == "not_allowed"


# --- what is the organiser's ------------------------------------------------------------------------------------------
def test_a_message_to_the_organiser_is_read_by_the_organiser_and_its_writer(
    meeting: Meeting, organiser: Agent, guest: Agent
) -> None:
    mails(meeting, state="failed", server_words="550 unknown mailbox")
    meeting.attendees.filter(email="anne@b.example").update(comment="Je suis souffrante.")
    meeting.attendees.filter(agent=guest).update(comment="En retard.")
    seen = text_of(client_of(organiser).get(url(meeting, "fragment-ledger")))
    for written in ("Je suis souffrante.", "En retard.", "550 unknown mailbox"):
        assert written in seen
    seen = text_of(client_of(guest).get(url(meeting, "fragment-ledger")))
    assert "En retard." in seen
    for hidden in ("Je suis souffrante.", "550", "Courriel"):
        assert hidden not in seen


# --- the ledger's size ------------------------------------------------------------------------------------------------
def test_quiet_rows_fold_beyond_ten(organiser: Agent) -> None:
    meeting = factories.meeting(organiser, guests=[f"g{number:02d}@b.example" for number in range(14)])
    meeting.attendees.exclude(role="chair").update(answer="accepted", answered_revision=1, answered_at=timezone.now())
    mails(meeting, state="sent", sent_at=timezone.now())
    meeting.attendees.filter(email="g13@b.example").update(answer="declined")
    folded = read_ledger(meeting, moved_revision=1)
    assert (len(folded.rows), folded.folded) == (10, 5)
    assert folded.rows[0].email == "g13@b.example"
    page = text_of(client_of(organiser).get(url(meeting, "detail")))
    assert "Afficher les 5 autres, tous envoyés et acceptés" in page
    whole = read_ledger(meeting, moved_revision=1, unfolded=True)
    assert (len(whole.rows), whole.folded) == (15, 0)


def test_a_large_meeting_is_paginated(organiser: Agent) -> None:
    meeting = factories.meeting(organiser, guests=[f"g{number:03d}@b.example" for number in range(120)])
    client = client_of(organiser)
    first = text_of(client.get(url(meeting, "detail")))
    last = text_of(client.get(url(meeting, "detail") + "?page=3"))
    assert first.count('<tr role="row" class="mt-row') == 50
    assert last.count('<tr role="row" class="mt-row') == 21
    assert "Page 3 sur 3" in last
    assert client.get(url(meeting, "detail") + "?page=99").status_code == 200
    assert client.get(url(meeting, "detail") + "?page=x").status_code == 200


@pytest.mark.parametrize("name", ["detail", "fragment-ledger", "fragment-side"])
def test_queries_do_not_grow_with_the_rows(
    organiser: Agent, name: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    counts = []
    for guests in (1, 3):
        meeting = factories.meeting(organiser, guests=[factories.agent() for _index in range(guests)])
        client = client_of(organiser)
        client.get(url(meeting, name))
        with django_assert_num_queries(BUDGET[name]) as captured:
            client.get(url(meeting, name))
        counts.append(len(captured))
    assert counts[0] == counts[1]


# While a Tchap room is awaited, one query more asks whether it is in vain.
BUDGET = {"detail": 21, "fragment-ledger": 10, "fragment-side": 7}


def test_ten_thousand_attendees_cost_no_more_queries_and_no_longer_page(
    organiser: Agent, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    meeting = factories.meeting(organiser, guests=[f"g{number}@b.example" for number in range(10_000)])
    client = client_of(organiser)
    with django_assert_max_num_queries(BUDGET["detail"]):
        response = client.get(url(meeting, "detail"))
    assert response.status_code == 200
    assert len(response.content) < 200_000
