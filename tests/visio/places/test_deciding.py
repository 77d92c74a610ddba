"""Requests for rooms that somebody must approve: who is asked, who decides, who is told."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from django.db import transaction

from suite.agents.models import Agent
from suite.mail.models import OutboxMail, OutboxState
from suite.mail.outbox import deliver_outbox
from tests import factories
from tests.looking import Mailbox
from tests.visio.places.rooms import NOW, at, booked, room, rows
from visio.meetings import booked as following
from visio.meetings.history import history_lines
from visio.meetings.models import ChangeKind, Meeting
from visio.meetings.scheduling import cancel_meeting, edit_meeting
from visio.places.bookings import release
from visio.places.deciding import decide
from visio.places.models import Resource, ResourceBooking

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss() -> Agent:
    return factories.agent("Nadia", "Roux")


@pytest.fixture
def organiser(boss: Agent) -> Agent:
    return factories.agent("Claire", "Morel", organisation=boss.organisation)


@pytest.fixture
def council(boss: Agent) -> Resource:
    return room(boss.organisation, "Salle du conseil", needs_approval=True, managers=[boss])


def pending_ids() -> list[int]:
    return list(ResourceBooking.objects.filter(status="pending").order_by("pk").values_list("pk", flat=True))


def states(meeting: Meeting) -> list[str]:
    return [row[3] for row in rows(meeting)]


def letters(kind: str) -> list[tuple[str, str, str]]:
    """(recipient, subject, state) of every letter owed so far."""
    return list(OutboxMail.objects.filter(kind=kind).order_by("pk").values_list("recipient", "subject", "state"))


def move(meeting: Meeting, organiser: Agent, hour: int) -> None:
    draft = factories.draft(starts_at=at(1, 10), now=NOW, rule=meeting.rrule, resources=meeting_rooms(meeting))
    asked = replace(draft, start_time=dt.time(hour))
    edit_meeting(meeting=meeting, by=organiser, draft=asked, revision=meeting.revision, now=NOW)


def meeting_rooms(meeting: Meeting) -> tuple[int, ...]:
    return tuple(ResourceBooking.objects.filter(meeting=meeting).values_list("resource", flat=True).distinct())


def test_a_request_waits_and_holds_the_room(organiser: Agent, council: Resource, boss: Agent) -> None:
    meeting = booked(organiser, council, starts_at=at(1, 10))
    assert states(meeting) == ["pending"]
    with pytest.raises(Exception, match="resources"):
        booked(factories.agent(organisation=boss.organisation), council, starts_at=at(1, 10, 30))
    assert letters("place_asked") == [
        (boss.email, "Salle à valider : Salle du conseil, mar. 24 nov. 2026, 10:00 – 11:00", "owed")
    ]


def test_its_manager_needs_nobody(council: Resource, boss: Agent) -> None:
    meeting = booked(boss, council, starts_at=at(1, 10))
    assert (states(meeting), letters("place_asked")) == (["accepted"], [])


def test_a_manager_of_another_organisation_is_none(council: Resource, organiser: Agent) -> None:
    stranger = factories.agent()
    council.managers.add(stranger)
    booked(organiser, council, starts_at=at(1, 10))
    assert stranger.email not in {recipient for recipient, _subject, _state in letters("place_asked")}
    assert decide(by=stranger, booking_ids=pending_ids(), accept=True, now=NOW).number == 0


def test_accepted_and_told(organiser: Agent, council: Resource, boss: Agent, mailbox: Mailbox) -> None:
    meeting = booked(organiser, council, starts_at=at(1, 10), rule="FREQ=WEEKLY;COUNT=3", title="Conseil")
    assert decide(by=boss, booking_ids=pending_ids(), accept=True, words="Clé à l’accueil", now=NOW).number == 3
    assert states(meeting) == ["accepted"] * 3
    # The managers' letter is not sent any more: there is nothing left to decide.
    assert [state for _recipient, _subject, state in letters("place_asked")] == [OutboxState.WITHDRAWN]
    deliver_outbox(now=NOW + dt.timedelta(minutes=5))
    [message] = mailbox.wait(organiser.email)
    assert message["subject"] == "Salle accordée : Salle du conseil, mar. 24 nov. 2026, 10:00 – 11:00"
    assert "Clé à l’accueil" in message["text"]
    assert "3 dates" in message["text"]
    assert f"/reunions/{meeting.public_id}/" in message["text"]
    change = meeting.changes.get(kind=ChangeKind.BOOKED)
    assert (change.by, change.on_behalf_of) == (boss, None)
    [line] = history_lines([change], viewer=organiser, today=NOW.date())
    assert line.text == (
        "Réservation acceptée : Salle du conseil (Fontenoy), mar. 24 nov. 2026, 10:00 – 11:00 et 2 autres dates."
        " « Clé à l’accueil »"
    )


def test_refused_gives_the_room_free(organiser: Agent, council: Resource, boss: Agent) -> None:
    meeting = booked(organiser, council, starts_at=at(1, 10))
    decide(by=boss, booking_ids=pending_ids(), accept=False, words="Travaux", now=NOW)
    assert states(meeting) == ["refused"]
    assert [subject for _to, subject, _state in letters("place_decided")] == [
        "Salle refusée : Salle du conseil, mar. 24 nov. 2026, 10:00 – 11:00"
    ]
    booked(boss, council, starts_at=at(1, 10))


def test_deciding_twice_is_deciding_once(organiser: Agent, council: Resource, boss: Agent) -> None:
    meeting = booked(organiser, council, starts_at=at(1, 10))
    ids = pending_ids()
    assert [decide(by=boss, booking_ids=ids, accept=yes, now=NOW).number for yes in (True, False, True)] == [1, 0, 0]
    assert (states(meeting), len(letters("place_decided"))) == (["accepted"], 1)


def test_some_dates_only(organiser: Agent, council: Resource, boss: Agent) -> None:
    meeting = booked(organiser, council, starts_at=at(1, 10), rule="FREQ=WEEKLY;COUNT=3")
    decide(by=boss, booking_ids=pending_ids()[1:2], accept=False, now=NOW)
    assert states(meeting) == ["pending", "refused", "pending"]


def test_nobody_else_decides(organiser: Agent, council: Resource) -> None:
    meeting = booked(organiser, council, starts_at=at(1, 10))
    for who in (organiser, factories.agent(organisation=organiser.organisation), factories.agent()):
        assert decide(by=who, booking_ids=pending_ids(), accept=True, now=NOW).number == 0
    assert states(meeting) == ["pending"]


def test_a_move_asks_again(organiser: Agent, council: Resource, boss: Agent) -> None:
    meeting = booked(organiser, council, starts_at=at(1, 10))
    decide(by=boss, booking_ids=pending_ids(), accept=True, now=NOW)
    move(meeting, organiser, 14)
    assert rows(meeting) == [("Salle du conseil", at(1, 14), at(1, 15), "pending")]
    assert letters("place_asked")[-1] == (
        boss.email,
        "Salle à valider : Salle du conseil, mar. 24 nov. 2026, 14:00 – 15:00",
        "owed",
    )


def test_what_was_refused_is_not_asked_for_by_another_title(organiser: Agent, council: Resource, boss: Agent) -> None:
    meeting = booked(organiser, council, starts_at=at(1, 10), rule="FREQ=WEEKLY;COUNT=3")
    ids = pending_ids()
    decide(by=boss, booking_ids=ids[:1], accept=False, now=NOW)
    decide(by=boss, booking_ids=ids[1:], accept=True, now=NOW)
    draft = factories.draft(starts_at=at(1, 10), now=NOW, rule=meeting.rrule, resources=(council.pk,), title="Autre")
    edit_meeting(meeting=meeting, by=organiser, draft=draft, revision=meeting.revision, now=NOW)
    assert states(meeting) == ["refused", "accepted", "accepted"]


def test_given_up_and_asked_for_anew(organiser: Agent, council: Resource, boss: Agent) -> None:
    meeting = booked(organiser, council, starts_at=at(1, 10))
    decide(by=boss, booking_ids=pending_ids(), accept=False, now=NOW)
    following.follow(meeting, by=organiser, now=NOW, resource_ids=[])
    following.follow(meeting, by=organiser, now=NOW, resource_ids=[council.pk])
    assert states(meeting) == ["pending"]


def test_a_cancelled_meeting_takes_its_request_back(organiser: Agent, council: Resource, boss: Agent) -> None:
    meeting = booked(organiser, council, starts_at=at(1, 10))
    cancel_meeting(meeting=meeting, by=organiser, now=NOW)
    assert [state for _to, _subject, state in letters("place_asked")] == [OutboxState.WITHDRAWN]
    assert (
        decide(by=boss, booking_ids=[row.pk for row in ResourceBooking.objects.all()], accept=True, now=NOW).number == 0
    )


def test_an_undone_cancellation_keeps_the_managers_yes(organiser: Agent, council: Resource, boss: Agent) -> None:
    meeting = booked(organiser, council, starts_at=at(1, 10))
    decide(by=boss, booking_ids=pending_ids(), accept=True, words="D’accord", now=NOW)
    release(meeting=meeting)
    following.follow(meeting, by=organiser, now=NOW, or_without=True)
    row = ResourceBooking.objects.get()
    assert (row.status, row.decided_by, row.words) == ("accepted", boss, "D’accord")


def test_managers_do_not_learn_a_private_title(organiser: Agent, council: Resource) -> None:
    booked(organiser, council, starts_at=at(1, 10), privacy="private", title="Entretien préalable")
    letter = OutboxMail.objects.get(kind="place_asked")
    assert "Entretien préalable" not in letter.text + letter.html + letter.subject
    assert "Réunion privée" in letter.text


@pytest.mark.parametrize("words", ["a\r\nBcc: x@y.example", "<script>alert(1)</script>", "x" * 600, '\x85;:,"'])
def test_a_managers_words_stay_words(
    organiser: Agent, council: Resource, boss: Agent, words: str, mailbox: Mailbox
) -> None:
    booked(organiser, council, starts_at=at(1, 10), title='Conseil ; "x"')
    decide(by=boss, booking_ids=pending_ids(), accept=False, words=words, now=NOW)
    deliver_outbox(now=NOW)
    [message] = mailbox.wait(organiser.email)
    assert "<script>" not in message["html"]
    assert message["recipients"] == [organiser.email]
    assert len(ResourceBooking.objects.get().words) <= 500


def test_a_rolled_back_decision_tells_nobody(organiser: Agent, council: Resource, boss: Agent) -> None:
    meeting = booked(organiser, council, starts_at=at(1, 10))
    with transaction.atomic():
        decide(by=boss, booking_ids=pending_ids(), accept=True, now=NOW)
        transaction.set_rollback(True)
    assert (states(meeting), letters("place_decided")) == (["pending"], [])
