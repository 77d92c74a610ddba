from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from typing import Any

import pytest
from django.db import transaction

from suite.agents.events import AddressProven
from suite.agents.models import Agent
from suite.core.events import publish
from suite.mail.models import OutboxMail
from suite.mail.outbox import deliver_outbox
from tests import factories
from tests.looking import Mailbox
from tests.visio.polls.asking import ANNE, BOB, DAY, MAYBE, NO, NOW, YES, answered, keys, owed, person, poll, poll_draft
from visio.meetings.models import Delivery, Meeting
from visio.meetings.scheduling import cancel_meeting
from visio.polls.closing import choose_date, close_poll, may_reopen, reopen_poll
from visio.polls.listing import waiting_for
from visio.polls.models import Poll, PollParticipant, PollVote
from visio.polls.opening import edit_poll, open_poll
from visio.polls.refusals import (
    ChoiceRefused,
    NotPollOrganiser,
    PollConflict,
    PollNotOpen,
    PollRefused,
    VoteRefused,
)
from visio.polls.reminding import remind
from visio.polls.voting import vote

pytestmark = pytest.mark.django_db


def changed(of: Poll, **fields: Any) -> Poll:
    draft = poll_draft([ANNE], now=NOW)
    return edit_poll(poll=of, by=of.organiser, draft=dataclasses.replace(draft, **fields), now=NOW)


# --- opening ----------------------------------------------------------------------------------------------------
def test_opening_writes_everything_and_owes_one_letter_a_person(boss: Agent) -> None:
    lea = factories.agent("Léa", language="en")
    draft = poll_draft(now=NOW, people=(), title="  Comité \u202f de suivi ")
    people = (factories.invitee(lea), factories.invitee(ANNE, role="optional"), factories.invitee(boss))
    made = open_poll(by=boss, draft=dataclasses.replace(draft, people=people), now=NOW)
    assert (made.title, made.status, made.minutes) == ("Comité de suivi", "open", 60)
    starts = [option.starts_at for option in made.options.all()]
    assert starts == [NOW + days * DAY for days in (7, 8, 9)]
    rows = made.participants.order_by("pk").values_list("email", "agent", "is_required", "answered_at", "asked_at")
    assert list(rows) == [(lea.email, lea.pk, True, None, NOW), (ANNE, None, False, None, NOW)]
    assert sorted(owed("invite")) == sorted([lea.email, ANNE])
    letter = OutboxMail.objects.get(recipient=lea.email)
    assert (letter.reply_to, letter.kind) == (boss.email, "poll")


def test_the_same_creation_key_is_one_poll(boss: Agent) -> None:
    key, draft = uuid.uuid4(), poll_draft([ANNE], now=NOW)
    first = open_poll(by=boss, draft=draft, now=NOW, creation_key=key)
    assert open_poll(by=boss, draft=draft, now=NOW, creation_key=key) == first
    assert open_poll(by=factories.agent(), draft=draft, now=NOW, creation_key=key) != first
    assert OutboxMail.objects.count() == 2


def test_a_refused_draft_writes_nothing(boss: Agent) -> None:
    with pytest.raises(PollRefused) as refused:
        open_poll(by=boss, draft=poll_draft([ANNE], now=NOW, days=[7], title="A\r\nBcc: x"), now=NOW)
    assert set(refused.value.faults.errors) == {"dates", "title"}
    assert not Poll.objects.exists()
    assert not OutboxMail.objects.exists()


# --- voting -----------------------------------------------------------------------------------------------------
def test_the_last_vote_counts(boss: Agent) -> None:
    made = poll(boss, [ANNE], now=NOW)
    answered(made, ANNE, YES, NO, NO, now=NOW)
    voter = answered(made, ANNE, NO, MAYBE, YES, now=NOW + DAY)
    assert (voter.answered_at, voter.comment) == (NOW + DAY, "")
    assert list(PollVote.objects.order_by("option__starts_at").values_list("choice", flat=True)) == [NO, MAYBE, YES]


@pytest.mark.parametrize(
    ("choices", "reason"),
    [
        ({}, "incomplete"),
        ({0: YES}, "incomplete"),
        ({0: YES, 1: YES, 2: "oui"}, "unknown_choice"),
        ({0: YES, 1: YES, 2: YES, "20200101T000000Z": NO}, "unknown_date"),
    ],
)
def test_a_vote_is_for_every_date_and_for_these_alone(boss: Agent, choices: dict[Any, str], reason: str) -> None:
    made = poll(boss, [ANNE], now=NOW)
    named = {keys(made)[key] if isinstance(key, int) else key: choice for key, choice in choices.items()}
    with pytest.raises(VoteRefused) as refused:
        vote(participant=person(made, ANNE), choices=named, now=NOW)
    assert refused.value.reason == reason
    assert refused.value.message
    assert not PollVote.objects.exists()


def test_no_vote_after_the_deadline_the_end_or_the_removal(boss: Agent) -> None:
    made = poll(boss, [ANNE, BOB], now=NOW, deadline_in=dt.timedelta(days=2))
    bob = person(made, BOB)
    answered(made, ANNE, YES, YES, YES, now=NOW + dt.timedelta(days=2, seconds=-1))

    def reason(at: dt.datetime = NOW) -> str:
        with pytest.raises(VoteRefused) as refused:
            vote(participant=bob, choices=dict.fromkeys(keys(made), YES), now=at)
        return refused.value.reason

    assert reason(NOW + dt.timedelta(days=2)) == "late"
    changed(made)
    assert reason() == "removed"
    close_poll(poll=made, by=boss, now=NOW)
    assert reason() == "closed"
    choose_date(poll=made, key=keys(made)[0], by=boss, now=NOW)
    assert reason() == "chosen"


# --- editing ----------------------------------------------------------------------------------------------------
def test_votes_for_dates_that_stay_are_kept_and_new_dates_are_asked_about(boss: Agent) -> None:
    made = poll(boss, [ANNE, BOB], now=NOW)
    answered(made, ANNE, YES, MAYBE, NO, now=NOW)
    draft = poll_draft([ANNE, BOB, "carl@partenaire.example"], now=NOW, days=[8, 9, 10])
    edit_poll(poll=made, by=boss, draft=draft, now=NOW + DAY)
    assert [option.starts_at for option in made.options.all()] == [NOW + days * DAY for days in (8, 9, 10)]
    assert [vote.choice for vote in PollVote.objects.order_by("option__starts_at")] == [MAYBE, NO]
    # Anne is asked to complete; Carl has the invitation and nothing else.
    assert person(made, ANNE).answered_at is None
    assert owed("dates") == [ANNE, BOB]
    assert owed("invite") == [ANNE, BOB, "carl@partenaire.example"]


def test_editing_words_keeps_the_votes_and_writes_to_nobody(boss: Agent) -> None:
    made = poll(boss, [ANNE], now=NOW)
    answered(made, ANNE, YES, MAYBE, NO, now=NOW)
    OutboxMail.objects.all().delete()
    changed(made, title="Autre titre", minutes=90, place="Salle 3")
    assert PollVote.objects.count() == 3
    assert person(made, ANNE).answered_at == NOW
    assert {option.ends_at - option.starts_at for option in made.options.all()} == {dt.timedelta(minutes=90)}
    assert not OutboxMail.objects.exists()


def test_who_is_removed_loses_votes_link_and_unsent_letter(boss: Agent) -> None:
    made = poll(boss, [ANNE, BOB], now=NOW)
    answered(made, BOB, YES, YES, YES, now=NOW)
    changed(made)
    assert list(PollParticipant.objects.values_list("email", flat=True)) == [ANNE]
    assert not PollVote.objects.exists()
    assert owed("invite") == [ANNE]


def test_dates_that_were_proposed_already_may_be_past_and_new_ones_not(boss: Agent) -> None:
    made = poll(boss, [ANNE], now=NOW)
    later = NOW + dt.timedelta(days=8)
    draft = poll_draft([ANNE], now=NOW, days=[7, 8, 9], title="Plus tard")
    assert edit_poll(poll=made, by=boss, draft=draft, now=later).title == "Plus tard"
    with pytest.raises(PollRefused) as refused:
        edit_poll(poll=made, by=boss, draft=poll_draft([ANNE], now=NOW, days=[6, 7, 8]), now=later)
    assert refused.value.faults.rows == {0}


def test_a_stale_form_and_a_stranger_change_nothing(boss: Agent) -> None:
    made = poll(boss, [ANNE], now=NOW)
    seen = made.changed_at
    changed(made, title="Entre-temps")
    draft = poll_draft([ANNE], now=NOW)
    with pytest.raises(PollConflict):
        edit_poll(poll=made, by=boss, draft=draft, now=NOW, seen=seen)
    stranger = factories.agent()
    for act in (
        lambda: edit_poll(poll=made, by=stranger, draft=draft, now=NOW),
        lambda: close_poll(poll=made, by=stranger, now=NOW),
        lambda: reopen_poll(poll=made, by=stranger, now=NOW),
        lambda: remind(poll=made, by=stranger, now=NOW),
        lambda: choose_date(poll=made, key=keys(made)[0], by=stranger, now=NOW),
    ):
        with pytest.raises(NotPollOrganiser):
            act()
    close_poll(poll=made, by=boss, now=NOW)
    with pytest.raises(PollNotOpen):
        edit_poll(poll=made, by=boss, draft=draft, now=NOW)
    assert Poll.objects.get().title == "Entre-temps"


# --- the end ----------------------------------------------------------------------------------------------------
def test_closing_tells_those_who_were_told_of_the_poll(boss: Agent, mailbox: Mailbox) -> None:
    made = poll(boss, [ANNE], now=NOW)
    deliver_outbox(now=NOW)
    edit_poll(poll=made, by=boss, draft=poll_draft([ANNE, BOB], now=NOW), now=NOW)
    close_poll(poll=made, by=boss, now=NOW)
    close_poll(poll=made, by=boss, now=NOW)
    deliver_outbox(now=NOW)
    assert [mail["subject"] for mail in mailbox.messages(ANNE)] == [
        "Sondage clos : Comité de suivi",
        "Sondage : Comité de suivi",
    ]
    assert mailbox.messages(BOB) == []


def test_reopening_asks_again(boss: Agent) -> None:
    made = poll(boss, [ANNE], now=NOW, deadline_in=2 * DAY)
    with pytest.raises(PollNotOpen):
        reopen_poll(poll=made, by=boss, now=NOW)
    close_poll(poll=made, by=boss, now=NOW)
    opened = reopen_poll(poll=made, by=boss, now=NOW + 3 * DAY)
    assert (opened.status, opened.deadline) == ("open", None)
    assert owed("reopened") == [ANNE]
    answered(made, ANNE, YES, YES, YES, now=NOW + 3 * DAY)


def test_choosing_makes_the_meeting_with_everybody(boss: Agent) -> None:
    lea, gone = factories.agent("Léa"), factories.agent("Paul")
    draft = poll_draft(now=NOW, place="Salle 3", description="Ordre du jour", wants_tchap=False)
    people = (factories.invitee(lea), factories.invitee(ANNE, role="optional"), factories.invitee(gone))
    made = open_poll(by=boss, draft=dataclasses.replace(draft, people=people), now=NOW)
    gone.is_active = False
    gone.save()
    meeting = choose_date(poll=made, key=keys(made)[1], by=boss, now=NOW)
    occurrence = meeting.occurrences.get()
    assert (occurrence.starts_at, occurrence.ends_at) == (NOW + 8 * DAY, NOW + 8 * DAY + dt.timedelta(hours=1))
    assert (meeting.title, meeting.place, meeting.description) == ("Comité de suivi", "Salle 3", "Ordre du jour")
    assert (meeting.room is not None, meeting.wants_tchap) == (True, False)
    assert list(meeting.attendees.order_by("pk").values_list("email", "role", "answer")) == [
        (boss.email, "chair", "accepted"),
        (lea.email, "required", "needs_action"),
        (ANNE, "optional", "needs_action"),
    ]
    assert set(Delivery.objects.values_list("recipient", "reason")) == {(lea.email, "invited"), (ANNE, "invited")}
    made.refresh_from_db()
    assert (made.status, made.meeting) == ("chosen", meeting)
    assert [option.is_chosen for option in made.options.all()] == [False, True, False]
    assert owed("invite") == [], "the meeting's own invitation says all"
    # Two clicks are one meeting; another date is refused.
    assert choose_date(poll=made, key=keys(made)[1], by=boss, now=NOW) == meeting
    with pytest.raises(ChoiceRefused, match="chosen"):
        choose_date(poll=made, key=keys(made)[0], by=boss, now=NOW)
    with pytest.raises(PollNotOpen):
        close_poll(poll=made, by=boss, now=NOW)
    assert Meeting.objects.count() == 1


def test_a_date_that_is_past_or_unknown_is_not_chosen(boss: Agent) -> None:
    made = poll(boss, [ANNE], now=NOW)
    for key, at, reason in ((keys(made)[0], NOW + 7 * DAY, "past"), ("20200101T000000Z", NOW, "unknown_date")):
        with pytest.raises(ChoiceRefused) as refused:
            choose_date(poll=made, key=key, by=boss, now=at)
        assert refused.value.reason == reason
    assert not Meeting.objects.exists()


def test_a_poll_whose_meeting_was_cancelled_can_look_again(boss: Agent) -> None:
    made = poll(boss, [ANNE], now=NOW)
    first = choose_date(poll=made, key=keys(made)[0], by=boss, now=NOW)
    made.refresh_from_db()
    assert not may_reopen(made)
    cancel_meeting(meeting=first, by=boss, now=NOW)
    made = reopen_poll(poll=Poll.objects.get(), by=boss, now=NOW)
    second = choose_date(poll=made, key=keys(made)[0], by=boss, now=NOW)
    assert second != first
    assert [option.is_chosen for option in made.options.all()] == [True, False, False]


@pytest.mark.parametrize(
    ("zone", "wall"),
    [
        ("Europe/Paris", dt.datetime(2027, 3, 28, 2, 30, tzinfo=dt.UTC)),
        ("Europe/Paris", dt.datetime(2027, 10, 31, 2, 30, tzinfo=dt.UTC)),
    ],
)
def test_r13_a_wall_clock_that_is_skipped_or_doubled_is_the_meetings_too(
    boss: Agent, zone: str, wall: dt.datetime
) -> None:
    draft = poll_draft(
        [ANNE], now=NOW, time_zone=zone, dates=tuple(one.replace(tzinfo=None) for one in (wall, wall + DAY))
    )
    made = open_poll(by=boss, draft=draft, now=NOW)
    option = made.options.first()
    assert option is not None
    meeting = choose_date(poll=made, key=option.key, by=boss, now=NOW)
    assert meeting.occurrences.get().starts_at == option.starts_at


# --- people -----------------------------------------------------------------------------------------------------
def test_whoever_was_asked_by_address_finds_the_poll_after_signing_in(boss: Agent) -> None:
    made, other = poll(boss, [ANNE, BOB], now=NOW), poll(boss, [ANNE], now=NOW)
    anne = factories.agent("Anne", email=ANNE)
    PollParticipant.objects.filter(poll=other).update(agent=anne)
    with transaction.atomic():
        publish(AddressProven(agent_id=anne.pk))
    assert set(PollParticipant.objects.filter(agent=anne).values_list("poll", flat=True)) == {made.pk, other.pk}
    assert person(made, BOB).agent is None
    assert [row.poll for row in waiting_for(anne, NOW)] == [made, other]
