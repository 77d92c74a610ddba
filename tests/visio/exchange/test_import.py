"""An imported file becomes meetings: once, faithfully, and without a word to anybody."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from suite.agents.models import Agent
from tests import factories
from tests.looking import Mailbox
from tests.visio.exchange.files import calendar, event, timed
from visio.exchange.importing import Done, carry_out
from visio.exchange.planning import Plan, plan_import
from visio.meetings.ical import meeting_ics
from visio.meetings.invitations import deliver
from visio.meetings.models import Attendee, Delivery, Meeting, Occurrence
from visio.meetings.queries import agenda
from visio.meetings.series import cancel

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 24, 9, 0, tzinfo=dt.UTC)
PARIS = zoneinfo.ZoneInfo("Europe/Paris")


@pytest.fixture
def agent() -> Agent:
    return factories.agent("Claire", "Morel", email="claire.morel@dinum.example")


def plan(agent: Agent, content: bytes) -> Plan:
    return plan_import(content, agent=agent, now=NOW)


def imported(agent: Agent, content: bytes, *, invites: bool = False) -> Done:
    return carry_out(plan(agent, content), agent=agent, now=NOW, invites=invites)


def only(agent: Agent) -> Meeting:
    return Meeting.objects.get(organiser=agent)


def starts(meeting: Meeting) -> list[dt.datetime]:
    return [one.starts_at for one in meeting.occurrences.filter(status="confirmed").order_by("starts_at")]


def paris(day: int, hour: int, month: int = 1, year: int = 2027) -> dt.datetime:
    return dt.datetime(year, month, day, hour, tzinfo=PARIS)


def everything() -> list[Any]:
    return [
        list(model.objects.order_by("pk").values())  # type: ignore[attr-defined]
        for model in (Meeting, Occurrence, Attendee, Delivery)
    ]


def test_one_meeting(agent: Agent) -> None:
    place, text = "LOCATION:Salle Fontenoy\\, 2e", "DESCRIPTION:Ordre du jour\\nBudget"
    done = imported(agent, calendar(timed(place, text, "CLASS:CONFIDENTIAL")))
    meeting = only(agent)
    assert done.counts == {"create": 1}
    assert (meeting.title, meeting.place, meeting.description) == (
        "Point d’équipe",
        "Salle Fontenoy, 2e",
        "Ordre du jour\nBudget",
    )
    assert meeting.privacy == "private"
    assert meeting.room is None
    assert not meeting.wants_tchap
    assert starts(meeting) == [paris(12, 10)]
    [mine] = agenda([agent.pk], paris(12, 0), paris(13, 0), agent)
    assert mine.title == "Point d’équipe"


def test_imported_twice_nothing_changes(agent: Agent) -> None:
    rule = "RRULE:FREQ=WEEKLY;BYDAY=TU;COUNT=5"
    moved = event(
        "RECURRENCE-ID;TZID=Europe/Paris:20270119T100000",
        "DTSTART;TZID=Europe/Paris:20270120T140000",
        "DTEND;TZID=Europe/Paris:20270120T150000",
        "LOCATION:Ailleurs",
    )
    gone = timed("RECURRENCE-ID;TZID=Europe/Paris:20270126T100000", "STATUS:CANCELLED", start="20270126T100000")
    others = timed("ORGANIZER;CN=Jean Petit:mailto:jean@autre.example", uid="b@x", summary="Invitée ailleurs")
    whole = event("DTSTART;VALUE=DATE:20270301", "DTEND;VALUE=DATE:20270304", uid="c@x", summary="Séminaire")
    guests = timed("ORGANIZER:mailto:claire.morel@dinum.example", "ATTENDEE:mailto:x@ext.example", uid="d@x")
    content = calendar(timed(rule), moved, gone, others, whole, guests, event("DTSTART:20270501T080000Z", uid=""))
    assert imported(agent, content).counts == {"create": 5}
    before = everything()
    again = plan(agent, content)
    assert [step.action for step in again.steps] == ["same"] * 5, [step.changes for step in again.steps]
    assert imported(agent, content) == Done()
    assert everything() == before


def test_a_series_with_moved_cancelled_added_and_removed_dates(agent: Agent) -> None:
    zone = ";TZID=Europe/Paris"
    master = timed(
        "RRULE:FREQ=WEEKLY;COUNT=5",
        f"RDATE{zone}:20270114T100000",
        f"EXDATE{zone}:20270202T100000",
    )
    moved = event(
        f"RECURRENCE-ID{zone}:20270119T100000",
        f"DTSTART{zone}:20270120T140000",
        f"DTEND{zone}:20270120T143000",
        summary="Point élargi",
    )
    gone = timed(f"RECURRENCE-ID{zone}:20270126T100000", "STATUS:CANCELLED")
    imported(agent, calendar(master, moved, gone))
    meeting = only(agent)
    assert starts(meeting) == [paris(12, 10), paris(14, 10), paris(20, 14), paris(9, 10, month=2)]
    row = meeting.occurrences.get(is_override=True)
    assert (row.title, row.place, row.ends_at) == ("Point élargi", None, paris(20, 14) + dt.timedelta(minutes=30))
    # Its people's hull follows, and so does what other calendars read of it.
    assert meeting.attendees.get().ends_at == paris(9, 11, month=2)
    assert b"20270120T140000" in meeting_ics(meeting)


def test_a_date_beyond_the_horizon_is_kept_until_the_series_reaches_it(agent: Agent) -> None:
    zone = ";TZID=Europe/Paris"
    moved = event(
        f"RECURRENCE-ID{zone}:20290116T100000", f"DTSTART{zone}:20290117T100000", f"DTEND{zone}:20290117T110000"
    )
    imported(agent, calendar(timed("RRULE:FREQ=WEEKLY;BYDAY=TU"), moved))
    assert paris(17, 10, year=2029) in starts(only(agent))


def test_a_changed_file_updates_what_it_made(agent: Agent) -> None:
    zone = ";TZID=Europe/Paris"
    imported(agent, calendar(timed("RRULE:FREQ=WEEKLY;COUNT=3"), timed(uid="b@x", summary="Autre")))
    moved = event(
        f"RECURRENCE-ID{zone}:20270119T110000", f"DTSTART{zone}:20270121T110000", f"DTEND{zone}:20270121T120000"
    )
    changed = timed(
        "RRULE:FREQ=WEEKLY;COUNT=4",
        "SEQUENCE:1",
        start="20270112T110000",
        end="20270112T120000",
        summary="Point déplacé",
    )
    content = calendar(changed, moved, timed(uid="b@x", summary="Autre"))
    preview = plan(agent, content)
    assert [(step.action, set(step.changes)) for step in preview.steps] == [
        ("change", {"title", "times", "dates"}),
        ("same", set()),
    ]
    assert imported(agent, content).counts == {"change": 1}
    meeting = Meeting.objects.get(source_uid="a@ailleurs.example")
    assert meeting.title == "Point déplacé"
    assert starts(meeting) == [paris(12, 11), paris(21, 11), paris(26, 11), paris(2, 11, month=2)]
    assert meeting.revision == 2
    assert [step.action for step in plan(agent, content).steps] == ["same", "same"]
    # And back: the moved date is as the series has it again.
    imported(agent, calendar(changed))
    meeting.refresh_from_db()
    assert starts(meeting) == [paris(12, 11), paris(19, 11), paris(26, 11), paris(2, 11, month=2)]


def test_a_meeting_that_the_file_cancels(agent: Agent) -> None:
    imported(agent, calendar(timed()))
    cancelled = calendar(timed("STATUS:CANCELLED"))
    assert [step.action for step in plan(agent, cancelled).steps] == ["cancel"]
    assert imported(agent, cancelled).counts == {"cancel": 1}
    assert only(agent).is_cancelled
    # A file of a meeting that one cancelled oneself brings it back to nobody.
    assert not plan(agent, calendar(timed())).steps


def test_past_meetings_are_history(agent: Agent) -> None:
    old = calendar(timed("RRULE:FREQ=WEEKLY;COUNT=3", start="20240109T100000", end="20240109T110000"))
    [step] = plan(agent, old).steps
    assert step.is_over
    imported(agent, old)
    assert len(starts(only(agent))) == 3


def test_others_meetings_are_mine_alone(agent: Agent) -> None:
    colleague = factories.agent("Karim", "Benali", email="karim@dinum.example")
    people = ("ORGANIZER;CN=Jean Petit:mailto:jean@autre.example", "ATTENDEE:mailto:karim@dinum.example")
    imported(agent, calendar(timed(*people, "DESCRIPTION:Le fond")), invites=True)
    meeting = only(agent)
    assert meeting.description == "Organisée par Jean Petit <jean@autre.example>.\n\nLe fond"
    assert meeting.privacy == "private"
    assert [one.agent for one in meeting.attendees.all()] == [agent]
    assert not Delivery.objects.exists()
    assert not agenda([colleague.pk], paris(12, 0), paris(13, 0), colleague)


GUESTS = ("ORGANIZER:mailto:Claire.Morel@dinum.example", "ATTENDEE;CN=Anne:mailto:anne@ext.example")


def test_r19_an_import_mails_nobody(agent: Agent, mailbox: Mailbox) -> None:
    content = calendar(timed(*GUESTS, "ATTENDEE;ROLE=OPT-PARTICIPANT:mailto:bob@ext.example"))
    imported(agent, content)
    renamed = calendar(timed(*GUESTS, summary="Autre titre", start="20270113T100000", end="20270113T110000"))
    assert imported(agent, renamed).counts == {"change": 1}
    imported(agent, calendar(timed(*GUESTS, "STATUS:CANCELLED")))
    assert not Delivery.objects.exists()
    deliver(now=NOW + dt.timedelta(minutes=1))
    assert mailbox.count() == 0


def test_r19_unless_asked_for_what_is_mine_and_to_come(agent: Agent, mailbox: Mailbox) -> None:
    past = timed(*GUESTS, start="20240112T100000", end="20240112T110000", uid="old@x", summary="Vieille")
    others = timed("ORGANIZER:mailto:jean@autre.example", "ATTENDEE:mailto:anne@ext.example", uid="b@x")
    imported(agent, calendar(timed(*GUESTS), past, others), invites=True)
    deliver(now=NOW + dt.timedelta(minutes=1))
    [letter] = mailbox.wait("anne@ext.example")
    assert "Point d’équipe" in letter["subject"]
    assert mailbox.count() == 1
    # A change that was asked to be told is told; one that was not is not.
    imported(agent, calendar(timed(*GUESTS, "LOCATION:Salle 4")))
    deliver(now=NOW + dt.timedelta(minutes=2))
    assert mailbox.count() == 1
    imported(agent, calendar(timed(*GUESTS, "LOCATION:Salle 5")), invites=True)
    deliver(now=NOW + dt.timedelta(minutes=3))
    assert mailbox.count() == 2


def test_people_are_found_in_the_directory(agent: Agent) -> None:
    known = factories.agent("Karim", "Benali", email="karim@dinum.example")
    lines = (
        "ORGANIZER:mailto:claire.morel@dinum.example",
        "ATTENDEE;CN=K:MAILTO:Karim@DINUM.example",
        'ATTENDEE;ROLE=OPT-PARTICIPANT;CN="Le Goff, Anne":mailto:anne@ext.example',
        "ATTENDEE:mailto:claire.morel@dinum.example",
        "ATTENDEE;CUTYPE=ROOM:mailto:salle@dinum.example",
        "ATTENDEE:mailto:pas une adresse",
    )
    [step] = plan(agent, calendar(timed(*lines))).steps
    assert "1 adresse illisible" in step.notes
    imported(agent, calendar(timed(*lines)))
    people = {(one.email, one.role, one.agent_id) for one in only(agent).attendees.exclude(role="chair")}
    assert people == {("karim@dinum.example", "required", known.pk), ("anne@ext.example", "optional", None)}


def test_what_was_exported_from_here_is_here_already(agent: Agent) -> None:
    meeting = factories.meeting(factories.agent(), guests=[agent])
    [left] = plan(agent, meeting_ics(meeting)).left_out
    assert "déjà" in left.words


def test_two_agents_import_the_same_file(agent: Agent) -> None:
    other = factories.agent()
    for one in (agent, other):
        imported(one, calendar(timed()))
    assert Meeting.objects.count() == 2


def test_a_stopped_import_goes_on(agent: Agent) -> None:
    content = calendar(*(timed(uid=f"{number}@x") for number in range(4)))
    first = carry_out(plan(agent, content), agent=agent, now=NOW, invites=False, seconds=0)
    assert (first.counts["create"], first.left) == (1, 3)
    rest = imported(agent, content)
    assert (rest.counts["create"], rest.left) == (3, 0)
    assert Meeting.objects.count() == 4


def test_a_plan_made_twice_at_once_makes_one_meeting(agent: Agent) -> None:
    made = plan(agent, calendar(timed()))
    carry_out(made, agent=agent, now=NOW, invites=False)
    carry_out(made, agent=agent, now=NOW, invites=False)
    assert Meeting.objects.count() == 1


def test_a_preview_costs_the_same_for_one_and_for_many(agent: Agent) -> None:
    counts = []
    for number in (1, 30):
        content = calendar(*(timed(*GUESTS, uid=f"{index}@x") for index in range(number)))
        imported(agent, content)
        with CaptureQueriesContext(connection) as captured:
            plan(agent, content)
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 6


def test_one_cancelled_date_in_the_portal_is_the_files_again(agent: Agent) -> None:
    content = calendar(timed("RRULE:FREQ=WEEKLY;COUNT=3"))
    imported(agent, content)
    meeting = only(agent)
    cancel(meeting=meeting, occurrence=meeting.occurrences.all()[1], scope="one", by=agent, now=NOW, undoable=False)
    [step] = plan(agent, content).steps
    assert (step.action, step.changes) == ("change", ("dates",))
    imported(agent, content)
    assert len(starts(meeting)) == 3
