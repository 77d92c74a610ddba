from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from suite.agents.models import Agent
from tests import factories
from visio.meetings.answers import answer
from visio.meetings.drafts import Invitee, MeetingDraft
from visio.meetings.models import Attendee, Delivery, Meeting, MeetingChange
from visio.meetings.scheduling import (
    AlreadyMade,
    DraftRefused,
    EditConflict,
    MeetingOver,
    NotOrganiser,
    cancel_meeting,
    edit_meeting,
    schedule_meeting,
    start_instant_meeting,
)
from visio.rooms.models import AccessLevel

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)
START = dt.datetime(2026, 11, 24, 13, 0, tzinfo=dt.UTC)


def draft(**fields: Any) -> MeetingDraft:
    fields.setdefault("starts_at", START)
    return factories.draft(now=NOW, **fields)


def edited(meeting: Meeting, draft: MeetingDraft, *, at: dt.datetime = NOW) -> Meeting:
    return edit_meeting(meeting=meeting, by=meeting.organiser, draft=draft, revision=meeting.revision, now=at)


def owed(meeting: Meeting) -> list[tuple[str, str, str, int, int]]:
    rows = meeting.deliveries.filter(state="owed").order_by("recipient", "pk")
    return [(row.recipient, row.method, row.reason, row.sequence, row.revision) for row in rows]


def went_out(meeting: Meeting) -> None:
    """As if every owed row had been sent."""
    meeting.deliveries.filter(state="owed").update(state="sent", sent_at=NOW, attempts=1)


def test_schedule_writes_everything_at_once(boss: Agent) -> None:
    anne = factories.agent("Anne", "Le Goff", language="de")
    meeting = schedule_meeting(by=boss, draft=draft(guests=[anne, "ext@partenaire.example"], place="Salle 3"), now=NOW)
    assert meeting.room is not None
    assert meeting.room.access_level == AccessLevel.RESTRICTED
    occurrence = meeting.occurrences.get()
    assert (occurrence.starts_at, occurrence.ends_at) == (START, START + dt.timedelta(hours=1))
    assert [(a.email, a.role, a.answer, a.starts_at, a.ends_at) for a in meeting.attendees.all()] == [
        (boss.email, "chair", "accepted", START, occurrence.ends_at),
        (anne.email, "required", "needs_action", START, occurrence.ends_at),
        ("ext@partenaire.example", "required", "needs_action", START, occurrence.ends_at),
    ]
    rows = Delivery.objects.filter(meeting=meeting).order_by("pk")
    assert [(r.recipient, r.method, r.reason, r.state, r.language, r.sequence, r.revision) for r in rows] == [
        (anne.email, "REQUEST", "invited", "owed", "de", 0, 1),
        ("ext@partenaire.example", "REQUEST", "invited", "owed", "fr", 0, 1),
    ]
    change = MeetingChange.objects.get(meeting=meeting)
    assert (change.kind, change.by, change.at, change.revision, change.details) == (
        "created",
        boss,
        NOW,
        1,
        {"attendees": 3, "draft": change.details["draft"]},
    )


def test_the_organiser_and_doubles_are_invited_once(boss: Agent) -> None:
    invitees = (
        Invitee(email=boss.email.upper(), role="optional"),
        Invitee(email="ext@partenaire.example"),
        Invitee(email="EXT@partenaire.example", name="Encore"),
    )
    meeting = schedule_meeting(by=boss, draft=draft(attendees=invitees), now=NOW)
    assert [(a.email, a.role) for a in meeting.attendees.all()] == [
        (boss.email, "chair"),
        ("ext@partenaire.example", "required"),
    ]


def test_a_refused_draft_writes_nothing(boss: Agent) -> None:
    with pytest.raises(DraftRefused) as refused:
        schedule_meeting(by=boss, draft=dataclasses.replace(draft(title=""), time_zone="Europe/Pari"), now=NOW)
    assert set(refused.value.errors) == {"title", "time_zone"}
    assert not Meeting.objects.exists()
    assert not Delivery.objects.exists()


def test_the_same_creation_key_gives_the_same_meeting(boss: Agent) -> None:
    key = uuid.uuid4()
    first = schedule_meeting(by=boss, draft=draft(guests=["ext@partenaire.example"]), now=NOW, creation_key=key)
    again = schedule_meeting(by=boss, draft=draft(guests=["ext@partenaire.example"]), now=NOW, creation_key=key)
    assert again == first
    with pytest.raises(AlreadyMade) as made:
        schedule_meeting(by=boss, draft=draft(title="Autre"), now=NOW, creation_key=key)
    assert made.value.meeting == first
    other = factories.agent()
    assert schedule_meeting(by=other, draft=draft(), now=NOW, creation_key=key) != first
    assert Delivery.objects.count() == 1


def test_instant_meeting_starts_this_minute_for_whoever_has_the_link() -> None:
    boss = factories.agent(time_zone="Indian/Reunion")
    now = dt.datetime(2026, 11, 22, 9, 7, 33, tzinfo=dt.UTC)
    meeting = start_instant_meeting(by=boss, now=now)
    occurrence = meeting.occurrences.get()
    assert (occurrence.starts_at, meeting.minutes) == (dt.datetime(2026, 11, 22, 9, 7, tzinfo=dt.UTC), 60)
    assert (meeting.start_time, meeting.time_zone) == (dt.time(13, 7), "Indian/Reunion")
    assert meeting.room is not None
    assert meeting.room.access_level == AccessLevel.TRUSTED
    assert not meeting.wants_tchap
    assert start_instant_meeting(by=boss, now=now, creation_key=meeting.creation_key) == meeting


def test_r5_new_times_raise_sequence_and_r9_reset_the_answers(boss: Agent) -> None:
    anne = factories.agent()
    meeting = schedule_meeting(by=boss, draft=draft(guests=[anne]), now=NOW)
    went_out(meeting)
    answer(attendee=meeting.attendees.get(agent=anne), answer="accepted", via="portal", now=NOW)
    later = START + dt.timedelta(hours=2)
    meeting = edited(meeting, draft(guests=[anne], starts_at=later))
    assert (meeting.sequence, meeting.revision) == (1, 2)
    assert owed(meeting) == [(anne.email, "REQUEST", "moved", 1, 2)]
    assert {a.role: a.answer for a in meeting.attendees.all()} == {"chair": "accepted", "required": "needs_action"}
    assert {(a.starts_at, a.ends_at) for a in meeting.attendees.all()} == {(later, later + dt.timedelta(hours=1))}
    assert meeting.occurrences.get().starts_at == later
    assert meeting.deliveries.get(state="owed").before == {
        "starts_at": START.isoformat(),
        "ends_at": (START + dt.timedelta(hours=1)).isoformat(),
        "time_zone": "Europe/Paris",
        "title": "Comité de suivi",
        "place": "",
        "room": meeting.room.slug if meeting.room else "",
        "is_all_day": False,
        "rule": "",
    }
    assert [c.kind for c in meeting.changes.filter(revision=2)] == ["moved"]


@pytest.mark.parametrize(
    "change", [{"title": "Autre titre"}, {"place": "Salle 3"}, {"description": "Ordre du jour"}, {"wants_room": False}]
)
def test_r7_a_changed_text_or_link_is_mailed_without_raising_sequence(boss: Agent, change: dict[str, Any]) -> None:
    anne = factories.agent()
    meeting = schedule_meeting(by=boss, draft=draft(guests=[anne]), now=NOW)
    went_out(meeting)
    answer(attendee=meeting.attendees.get(agent=anne), answer="accepted", via="portal", now=NOW)
    meeting = edited(meeting, draft(guests=[anne], **change))
    assert (meeting.sequence, meeting.revision) == (0, 2)
    assert owed(meeting) == [(anne.email, "REQUEST", "changed", 0, 2)]
    assert meeting.attendees.get(agent=anne).answer == "accepted"


@pytest.mark.parametrize("change", [{"privacy": "private"}, {"wants_tchap": False}])
def test_what_concerns_no_guest_is_not_mailed(boss: Agent, change: dict[str, Any]) -> None:
    meeting = schedule_meeting(by=boss, draft=draft(guests=["ext@partenaire.example"]), now=NOW)
    went_out(meeting)
    meeting = edited(meeting, draft(guests=["ext@partenaire.example"], **change))
    assert meeting.revision == 2
    assert owed(meeting) == []


def test_an_edit_without_a_change_is_none(boss: Agent) -> None:
    meeting = schedule_meeting(by=boss, draft=draft(guests=["ext@partenaire.example"]), now=NOW)
    went_out(meeting)
    assert edited(meeting, draft(guests=["ext@partenaire.example"])).revision == 1
    assert owed(meeting) == []


def test_r8_adding_a_guest_mails_only_that_guest(boss: Agent) -> None:
    meeting = schedule_meeting(by=boss, draft=draft(guests=["un@partenaire.example"]), now=NOW)
    went_out(meeting)
    meeting = edited(meeting, draft(guests=["un@partenaire.example", "deux@partenaire.example"]))
    assert (meeting.sequence, meeting.revision) == (0, 2)
    assert owed(meeting) == [("deux@partenaire.example", "REQUEST", "invited", 0, 2)]


def test_r2_a_removed_guest_alone_gets_a_cancel_with_a_higher_sequence(boss: Agent) -> None:
    meeting = schedule_meeting(
        by=boss, draft=draft(guests=["un@partenaire.example", "deux@partenaire.example"]), now=NOW
    )
    went_out(meeting)
    meeting = edited(meeting, draft(guests=["deux@partenaire.example"]))
    assert (meeting.sequence, meeting.revision) == (1, 2)
    assert owed(meeting) == [("un@partenaire.example", "CANCEL", "removed", 1, 2)]
    assert not Attendee.objects.filter(email="un@partenaire.example").exists()


def test_p21_a_guest_removed_before_the_invitation_went_out_hears_nothing(boss: Agent) -> None:
    meeting = schedule_meeting(by=boss, draft=draft(guests=["un@partenaire.example"]), now=NOW)
    meeting = edited(meeting, draft())
    assert owed(meeting) == []
    assert [row.state for row in meeting.deliveries.all()] == ["superseded"]


def test_p20_an_edit_supersedes_what_is_unsent_and_still_invites(boss: Agent) -> None:
    meeting = schedule_meeting(by=boss, draft=draft(guests=["un@partenaire.example"]), now=NOW)
    meeting = edited(meeting, draft(guests=["un@partenaire.example"], title="Autre titre"))
    assert owed(meeting) == [("un@partenaire.example", "REQUEST", "invited", 0, 2)]
    assert meeting.deliveries.filter(state="superseded").count() == 1


def test_p20_two_moves_before_the_first_went_out_tell_where_it_was_at_first(boss: Agent) -> None:
    meeting = schedule_meeting(by=boss, draft=draft(guests=["un@partenaire.example"]), now=NOW)
    went_out(meeting)
    meeting = edited(meeting, draft(guests=["un@partenaire.example"], starts_at=START + dt.timedelta(hours=1)))
    meeting = edited(
        meeting, draft(guests=["un@partenaire.example"], starts_at=START + dt.timedelta(hours=1), title="T")
    )
    assert owed(meeting) == [("un@partenaire.example", "REQUEST", "moved", 1, 3)]
    assert meeting.deliveries.get(state="owed").before["starts_at"] == START.isoformat()


def test_p20_adding_a_guest_keeps_the_others_unsent_invitation_alive(boss: Agent) -> None:
    meeting = schedule_meeting(by=boss, draft=draft(guests=["un@partenaire.example"]), now=NOW)
    meeting = edited(meeting, draft(guests=["un@partenaire.example", "deux@partenaire.example"]))
    assert owed(meeting) == [
        ("deux@partenaire.example", "REQUEST", "invited", 0, 2),
        ("un@partenaire.example", "REQUEST", "invited", 0, 2),
    ]


def test_cancelling_owes_a_cancel_to_those_who_were_invited(boss: Agent) -> None:
    meeting = schedule_meeting(by=boss, draft=draft(guests=["un@partenaire.example"]), now=NOW)
    went_out(meeting)
    meeting = edited(meeting, draft(guests=["un@partenaire.example", "deux@partenaire.example"]))
    cancel_meeting(meeting=meeting, by=boss, now=NOW)
    assert owed(meeting) == [("un@partenaire.example", "CANCEL", "cancelled", 1, 3)]
    meeting.refresh_from_db()
    assert (meeting.is_cancelled, meeting.occurrences.get().status) == (True, "cancelled")
    assert meeting.room is not None
    assert meeting.room.closed_at == NOW


def test_cancelling_twice_is_cancelling_once(boss: Agent) -> None:
    meeting = schedule_meeting(by=boss, draft=draft(guests=["un@partenaire.example"]), now=NOW)
    went_out(meeting)
    cancel_meeting(meeting=meeting, by=boss, now=NOW)
    cancel_meeting(meeting=meeting, by=boss, now=NOW)
    assert (meeting.sequence, meeting.revision, len(owed(meeting))) == (1, 2, 1)


def test_p19_the_second_of_two_editors_learns_what_changed(boss: Agent) -> None:
    meeting = schedule_meeting(by=boss, draft=draft(), now=NOW)
    edited(meeting, draft(title="Premier"))
    with pytest.raises(EditConflict) as conflict:
        edit_meeting(meeting=meeting, by=boss, draft=draft(title="Second"), revision=1, now=NOW)
    assert (conflict.value.meeting.title, conflict.value.meeting.revision) == ("Premier", 2)
    assert [change.details for change in conflict.value.changes] == [
        {"fields": {"title": ["Comité de suivi", "Premier"]}}
    ]


def test_only_the_organiser_edits_and_cancels(boss: Agent) -> None:
    anne = factories.agent()
    meeting = schedule_meeting(by=boss, draft=draft(guests=[anne]), now=NOW)
    with pytest.raises(NotOrganiser):
        edit_meeting(meeting=meeting, by=anne, draft=draft(title="T"), revision=1, now=NOW)
    with pytest.raises(NotOrganiser):
        cancel_meeting(meeting=meeting, by=anne, now=NOW)


def test_what_is_over_or_cancelled_changes_no_more(boss: Agent) -> None:
    meeting = schedule_meeting(by=boss, draft=draft(), now=NOW)
    after = START + dt.timedelta(hours=1)
    with pytest.raises(MeetingOver):
        edited(meeting, draft(title="T"), at=after)
    with pytest.raises(MeetingOver):
        cancel_meeting(meeting=meeting, by=boss, now=after)
    cancel_meeting(meeting=meeting, by=boss, now=NOW)
    with pytest.raises(MeetingOver):
        edited(meeting, draft(title="T"))


def test_a_running_meeting_may_be_renamed_but_not_moved_into_the_past(boss: Agent) -> None:
    meeting = schedule_meeting(by=boss, draft=draft(), now=NOW)
    during = START + dt.timedelta(minutes=10)
    assert edited(meeting, draft(title="T"), at=during).title == "T"
    meeting.refresh_from_db()
    with pytest.raises(DraftRefused):
        edited(meeting, draft(starts_at=START - dt.timedelta(hours=1)), at=during)


def test_taking_the_room_away_closes_it_and_giving_it_back_opens_another(boss: Agent) -> None:
    meeting = schedule_meeting(by=boss, draft=draft(), now=NOW)
    first = meeting.room
    assert first is not None
    meeting = edited(meeting, draft(wants_room=False))
    first.refresh_from_db()
    assert (meeting.room, first.closed_at) == (None, NOW)
    meeting = edited(meeting, draft())
    assert meeting.room is not None
    assert meeting.room != first


def test_roles_follow_without_a_mail(boss: Agent) -> None:
    meeting = schedule_meeting(by=boss, draft=draft(guests=["un@partenaire.example"]), now=NOW)
    went_out(meeting)
    optional = dataclasses.replace(draft(), attendees=(Invitee("un@partenaire.example", "Une", role="optional"),))
    meeting = edited(meeting, optional)
    kept = meeting.attendees.get(email="un@partenaire.example")
    assert (kept.role, kept.name, meeting.revision, owed(meeting)) == ("optional", "Une", 1, [])


def test_the_search_vector_follows(boss: Agent) -> None:
    def found(word: str) -> bool:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT search @@ plainto_tsquery('simple', unaccent(%s)) FROM visio_meeting WHERE id = %s",
                [word, meeting.pk],
            )
            return bool(cursor.fetchone()[0])

    meeting = schedule_meeting(by=boss, draft=draft(title="Comité", place="Élysée", description="réseau"), now=NOW)
    assert [found(word) for word in ("comite", "elysee", "réseau", "budget")] == [True, True, True, False]
    edited(meeting, draft(title="Budget"))
    assert [found(word) for word in ("comite", "budget")] == [False, True]


def test_p25_ten_thousand_attendees_are_saved_in_a_constant_number_of_statements(
    boss: Agent, django_assert_max_num_queries: Any
) -> None:
    crowd = tuple(Invitee(f"invite{number}@partenaire.example") for number in range(10_000))
    asked = draft(attendees=crowd)
    with django_assert_max_num_queries(40):
        meeting = schedule_meeting(by=boss, draft=asked, now=NOW)
    assert meeting.attendees.count() == 10_001
    assert meeting.deliveries.filter(state="owed").count() == 10_000
    with pytest.raises(DraftRefused):
        schedule_meeting(by=boss, draft=draft(attendees=(*crowd, Invitee("un@partenaire.example"))), now=NOW)


def test_scheduling_for_ten_costs_as_many_statements_as_for_three(boss: Agent) -> None:
    counts = []
    for size in (3, 10):
        asked = draft(guests=[factories.agent() for _ in range(size)])
        with CaptureQueriesContext(connection) as captured:
            schedule_meeting(by=boss, draft=asked, now=NOW)
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 16
