"""What came by mail, on the organiser's page and in the administration."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from suite.agents.models import Agent
from suite.agents.time_models import Delegation
from suite.portal import housekeeping
from tests import factories
from tests.visio.meetings.pages import client_of, text_of
from visio.inbox.models import InboundMessage, Verdict
from visio.meetings.models import Attendee, Meeting

pytestmark = pytest.mark.django_db
EXT = "anne@partenaire.example"


@pytest.fixture
def guest() -> Agent:
    return factories.agent("Karim", "Benali")


@pytest.fixture
def meeting(guest: Agent) -> Meeting:
    return factories.meeting(guests=[guest, EXT])


def message(meeting: Meeting, verdict: Verdict, **fields: object) -> InboundMessage:
    number = InboundMessage.objects.count()
    given = {
        "digest": f"{number}",
        "received_at": timezone.now(),
        "envelope_to": "r@x.example",
        "sender": EXT,
        "raw": b"From: x\r\n\r\nbytes",
        "words": f"Parce que {verdict}.",
        "attendee": meeting.attendees.get(email=EXT),
    }
    return InboundMessage.objects.create(meeting=meeting, verdict=verdict, **(given | fields))


def fragment(meeting: Meeting) -> str:
    return reverse("inbox:received", args=[meeting.public_id])


def test_the_organiser_sees_what_did_not_count_and_why(meeting: Meeting) -> None:
    page = client_of(meeting.organiser)
    assert "Réponses reçues par courriel" not in text_of(page.get(fragment(meeting)))
    message(meeting, Verdict.APPLIED, words="")
    message(meeting, Verdict.EARLIER, answer="accepted")
    message(meeting, Verdict.SPOOFED, sender="<b>mallory@x.example")
    message(meeting, Verdict.APPLIED, words="Délègue sa place à carole@x.example.")
    for address in (fragment(meeting), reverse("meetings:detail", args=[meeting.public_id])):
        shown = text_of(page.get(address))
        assert "Réponses reçues par courriel" in shown
        assert "Parce que earlier." in shown
        assert "Réponse à une version précédente" in shown
        assert "&lt;b&gt;mallory@x.example" in shown
        assert "Délègue sa place" in shown
        assert shown.count('class="mt-gone__line"') == 3


def test_whoever_answered_again_is_not_told_as_late(meeting: Meeting) -> None:
    row = message(meeting, Verdict.EARLIER)
    Attendee.objects.filter(pk=row.attendee_id).update(answered_at=row.received_at + dt.timedelta(seconds=1))
    assert "Parce que" not in text_of(client_of(meeting.organiser).get(fragment(meeting)))


def test_guests_and_strangers_do_not_see_it(meeting: Meeting, guest: Agent) -> None:
    message(meeting, Verdict.SPOOFED)
    assert client_of(guest).get(fragment(meeting)).status_code == 403
    assert client_of(factories.agent()).get(fragment(meeting)).status_code == 404
    assert Client().get(fragment(meeting)).status_code == 302
    assert "Parce que" not in text_of(client_of(guest).get(reverse("meetings:detail", args=[meeting.public_id])))
    delegate = factories.agent()
    Delegation.objects.create(principal=meeting.organiser, delegate=delegate)
    assert "Parce que" in text_of(client_of(delegate).get(fragment(meeting)))


def test_twenty_cost_what_one_costs(meeting: Meeting, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    page = client_of(meeting.organiser)
    message(meeting, Verdict.MALFORMED)
    page.get(fragment(meeting))
    with django_assert_num_queries(4) as few:
        page.get(fragment(meeting))
    for _ in range(25):
        message(meeting, Verdict.MALFORMED)
    with django_assert_num_queries(len(few)):
        shown = text_of(page.get(fragment(meeting)))
    assert shown.count("mt-gone__line") == 20


def test_the_message_itself_is_for_superusers(meeting: Meeting) -> None:
    row = message(meeting, Verdict.MALFORMED)
    address = reverse("admin:visio_inboundmessage_raw", args=[row.pk])
    staff, root = factories.agent(is_staff=True), factories.agent(is_staff=True, is_superuser=True)
    assert Client().get(address).status_code == 302
    assert client_of(meeting.organiser).get(address).status_code == 302
    assert client_of(staff).get(address).status_code == 403
    answer = client_of(root).get(address)
    assert (answer.status_code, answer.content) == (200, b"From: x\r\n\r\nbytes")
    assert answer["Content-Disposition"] == f'attachment; filename="message-{row.pk}.eml"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert client_of(root).post(address).status_code == 405
    page = text_of(client_of(root).get(reverse("admin:visio_inboundmessage_change", args=[row.pk])))
    assert address in page
    assert (
        text_of(client_of(root).get(reverse("admin:visio_inboundmessage_changelist"))).count("Parce que malformed.")
        == 1
    )


def test_after_ninety_days_it_goes(meeting: Meeting) -> None:
    now = timezone.now()
    kept = message(meeting, Verdict.MALFORMED, received_at=now - dt.timedelta(days=89))
    message(meeting, Verdict.MALFORMED, received_at=now - dt.timedelta(days=91))
    assert housekeeping.purge(now=now, seconds=30)
    assert list(InboundMessage.objects.all()) == [kept]
