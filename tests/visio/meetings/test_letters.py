"""Whatever people type, a letter keeps its shape."""

from __future__ import annotations

import datetime as dt
import html
from html.parser import HTMLParser

import pytest
from django.utils import translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from suite.core.plain import clean_text, one_line
from suite.mail.message import render_bytes
from tests import factories
from tests.visio.meetings.reading import Received, read
from visio.meetings.ical import meeting_ics
from visio.meetings.letters import Press, message_id
from visio.meetings.models import Delivery, Meeting, Method
from visio.places.models import Resource

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)
START = dt.datetime(2026, 11, 24, 13, 0, tzinfo=dt.UTC)
TRAPS = [
    "\r\nBcc: autre@x.example",
    "\nATTENDEE:mailto:autre@x.example",
    "\x85END:VEVENT",
    "\u2028BEGIN:VALARM",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "a;b:c,d\"e\\f^n^'",
    "{{ title }}{% now %}",
    "=?utf-8?q?x?=",
    "\x00\x0b\x0c\x1b",
    "é" * 190,
]
NASTY = st.one_of(
    st.sampled_from(TRAPS),
    st.text(
        alphabet=st.one_of(st.sampled_from("\r\n\x85\u2028\"'<>&;:,\\^=é "), st.characters(codec="utf-8")), max_size=200
    ),
)


class Elements(HTMLParser):
    """The tags of a page, and its visible text."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def a_meeting() -> Meeting:
    boss = factories.agent("Karim", "Benali", organisation=factories.organisation("DINUM"))
    return factories.meeting(
        boss, guests=["ext@partenaire.example"], now=NOW, starts_at=START, title="T", place="P", description="D"
    )


def letter(meeting: Meeting, row: Delivery) -> Received:
    row.meeting = meeting
    mail = Press(now=NOW).letter(row, now=NOW)
    return read(render_bytes(mail))


def properties(mail: Received) -> list[str]:
    return sorted(name for name, _value in mail.calendar.property_items())


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(title=NASTY, place=NASTY, description=NASTY, name=NASTY)
def test_nothing_typed_changes_the_shape_of_a_letter(title: str, place: str, description: str, name: str) -> None:
    meeting = Meeting.objects.filter(title="T").first() or a_meeting()
    row = Delivery.objects.select_related("attendee").get(meeting=meeting)
    plain = letter(meeting, row)
    meeting.title, meeting.place, meeting.description = title, place or "P", description
    meeting.organiser.given_name, meeting.organiser.usual_name = name, ""
    row.recipient_name = name
    nasty = letter(meeting, row)

    missing = {name for name, value in (("DESCRIPTION", description),) if not clean_text(value)}
    assert nasty.message.keys() == plain.message.keys()
    assert set(properties(plain)) - set(properties(nasty)) <= missing
    assert len(properties(nasty)) == len(properties(plain))
    # The same count for readers that break lines at every Unicode line end.
    unfolded = nasty.ics.decode().replace("\r\n ", "")
    assert len(unfolded.splitlines()) == len(unfolded.split("\r\n")) - 1
    assert str(nasty.event["SUMMARY"]) == one_line(title)

    page = Elements(nasty.html)
    assert not {"script", "img"} & set(page.tags)
    assert page.tags.count("h1") == 1
    assert one_line(title) in html.unescape("".join(page.words))


def test_the_same_in_three_languages() -> None:
    meeting = a_meeting()
    row = Delivery.objects.select_related("attendee").get(meeting=meeting)
    for language in ("fr", "en", "de"):
        row.language = language
        mail = letter(meeting, row)
        assert f'<html lang="{language}">' in mail.html
        assert "INVALID-TEMPLATE-VARIABLE" not in mail.html + mail.text
    assert translation.get_language() == "fr"


def test_the_message_id_depends_on_each_of_its_parts() -> None:
    row = Delivery(uid="u", sequence=0, revision=1, recipient="a@x.example", method="REQUEST")
    changes = [
        {"uid": "v"},
        {"recurrence_id": NOW},
        {"sequence": 1},
        {"revision": 2},
        {"recipient": "b@x.example"},
        {"method": "CANCEL"},
        {"resends": 1},
    ]
    seen = {message_id(row)}
    for change in changes:
        fields = {"uid": "u", "sequence": 0, "revision": 1, "recipient": "a@x.example", "method": "REQUEST", **change}
        seen.add(message_id(Delivery(**fields)))
    assert len(seen) == len(changes) + 1
    assert message_id(row) == message_id(row)


def test_people_are_named_then_counted() -> None:
    boss = factories.agent("Karim", "Benali")
    guests = [factories.agent("Anne", f"N{number}") for number in range(5)]
    meeting = factories.meeting(boss, guests=guests, now=NOW, starts_at=START)
    row = Delivery.objects.filter(meeting=meeting).select_related("attendee__agent").order_by("pk")[0]
    words = letter(meeting, row).text
    assert "Karim Benali (organisateur), Anne N0, Anne N1, Anne N2 et 2 autres" in words


def test_the_rooms_are_named_for_people_who_come_in_person() -> None:
    boss = factories.agent("Karim", "Benali")
    rooms = [
        Resource.objects.create(organisation=boss.organisation, name=name, site="Ségur", needs_approval=needs_approval)
        for name, needs_approval in (("Fontenoy 1.03", False), ("Salle du conseil", True))
    ]
    meeting = factories.meeting(
        boss, guests=["a@x.example"], now=NOW, starts_at=START, resources=tuple(room.pk for room in rooms)
    )
    row = Delivery.objects.filter(meeting=meeting).select_related("attendee__agent").get()
    received = letter(meeting, row)
    told = "Salles : Fontenoy 1.03 (Ségur), Salle du conseil (Ségur) (à confirmer)"
    assert told in received.text
    assert told.removeprefix("Salles : ") in received.html
    row.method = Method.CANCEL
    assert "Fontenoy" not in letter(meeting, row).text


def test_the_downloaded_file_has_no_method_and_no_attendee() -> None:
    meeting = a_meeting()
    text = meeting_ics(meeting).decode()
    assert "METHOD" not in text
    assert "ATTENDEE" not in text
    assert f"UID:{meeting.uid}" in text.replace("\r\n ", "")
    assert meeting_ics(meeting) == meeting_ics(meeting)
