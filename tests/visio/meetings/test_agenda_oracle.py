"""The agenda's SQL against a slow and simple reading of the same rows, and what must hold after any sequence of edits.

A run is short and always the same. For a longer one, with other edits each time (about a second an example):
`AGENDA_EXAMPLES=200 AGENDA_RANDOM=1 .venv/bin/python -m pytest tests/visio/meetings/test_agenda_oracle.py`.
"""

from __future__ import annotations

import datetime as dt
import os
import random
import zoneinfo
from collections import Counter

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from suite.agents.models import Agent
from suite.agents.time_models import Delegation
from tests import factories
from visio.meetings.attendance import hull
from visio.meetings.dates import occurrence_key
from visio.meetings.drafting import draft_of
from visio.meetings.drafts import MeetingDraft
from visio.meetings.exception_models import AttendeeException
from visio.meetings.models import Answer, Attendee, Delivery, Meeting, Occurrence, Privacy
from visio.meetings.queries import Entry, agenda
from visio.meetings.refusals import DraftRefused, MeetingOver
from visio.meetings.scheduling import schedule_meeting
from visio.meetings.scopes import Scope
from visio.meetings.series import cancel, change
from visio.meetings.undo import undo, undo_offer
from visio.meetings.wallclock import day_span

EXAMPLES = int(os.environ.get("AGENDA_EXAMPLES", "15"))
# Ten times what a busy machine needs.
pytestmark = [pytest.mark.django_db, pytest.mark.timeout(max(300, EXAMPLES * 20))]
NOW = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)
RULES = [
    "",
    "",
    "FREQ=DAILY;COUNT=5",
    "FREQ=WEEKLY;BYDAY=MO,TH;COUNT=6",
    "FREQ=WEEKLY",
    "FREQ=MONTHLY;BYDAY=2TU;UNTIL=20270701T000000Z",
]
ZONES = ["Europe/Paris", "Pacific/Noumea", "America/Cayenne", "Pacific/Kiritimati", "Pacific/Pago_Pago"]


def expected(agents: list[Agent], start: dt.datetime, end: dt.datetime, viewer: Agent) -> list[Entry]:
    asked = {agent.pk for agent in agents}
    delegations = list(Delegation.objects.filter(delegate=viewer))
    principals = {one.principal_id for one in delegations}
    exceptions = {(one.occurrence_id, one.attendee_id): one for one in AttendeeException.objects.all()}
    entries: list[Entry] = []
    order: dict[int, int] = {}
    dates = Occurrence.objects.select_related("meeting__organiser", "meeting__room")
    for occurrence in dates.order_by("starts_at", "ends_at", "meeting_id"):
        meeting = occurrence.meeting
        if "cancelled" in (occurrence.status, meeting.status) or not touches(occurrence, start, end, viewer):
            continue
        everybody = list(Attendee.objects.filter(meeting=meeting).order_by("agent_id"))
        there = [one for one in everybody if one.only_occurrence_id in (None, occurrence.pk)]
        for attendee in there:
            exception = exceptions.get((occurrence.pk, attendee.pk))
            if attendee.agent_id not in asked or (exception is not None and exception.removed):
                continue
            mine = viewer.pk in {one.agent_id for one in there} or meeting.organiser_id in principals
            seen = {one.principal_id for one in delegations if one.sees_private}
            masked = meeting.privacy == "private" and not mine and attendee.agent_id not in seen
            first, last = days_of(occurrence)
            zone = zoneinfo.ZoneInfo(viewer.time_zone)
            midnights = [
                dt.datetime.combine(date, dt.time(), zone).astimezone(dt.UTC)
                for date in (first, last + dt.timedelta(days=1))
            ]
            times = midnights if meeting.is_all_day else [occurrence.starts_at, occurrence.ends_at]
            entries.append(
                Entry(
                    agent_id=attendee.agent_id or 0,
                    starts_at=times[0],
                    ends_at=times[1],
                    answer=(exception.answer if exception is not None else None) or attendee.answer,
                    role=attendee.role,
                    is_masked=masked,
                    is_mine=mine,
                    is_private=meeting.privacy == "private",
                    public_id=None if masked else meeting.public_id,
                    title="" if masked else occurrence.title or meeting.title,
                    place="" if masked else meeting.place if occurrence.place is None else occurrence.place,
                    organiser="" if masked else meeting.organiser.full_name,
                    room_slug=meeting.room.slug if mine and meeting.room else "",
                    people=len(everybody) if attendee.agent_id == viewer.pk else 0,
                    recurrence_key="" if masked else occurrence_key(occurrence),
                    occurrence_id=None if masked else occurrence.pk,
                    is_series=meeting.is_series,
                    is_all_day=meeting.is_all_day,
                    first_day=first if meeting.is_all_day else None,
                    last_day=last if meeting.is_all_day else None,
                )
            )
            order[id(entries[-1])] = meeting.pk
    return sorted(entries, key=lambda entry: (entry.starts_at, entry.ends_at, order[id(entry)], entry.agent_id))


def days_of(occurrence: Occurrence) -> tuple[dt.date, dt.date]:
    zone = zoneinfo.ZoneInfo(occurrence.meeting.time_zone)
    last = occurrence.ends_at - dt.timedelta(seconds=1)
    return occurrence.starts_at.astimezone(zone).date(), last.astimezone(zone).date()


def touches(occurrence: Occurrence, start: dt.datetime, end: dt.datetime, viewer: Agent) -> bool:
    if not occurrence.meeting.is_all_day:
        return occurrence.ends_at > start and occurrence.starts_at < end
    zone = zoneinfo.ZoneInfo(viewer.time_zone)
    first, last = days_of(occurrence)
    until = (end - dt.timedelta(seconds=1)).astimezone(zone).date()
    return first <= until and last >= start.astimezone(zone).date()


def random_draft(chance: random.Random, guests: list[Agent]) -> MeetingDraft:
    is_all_day = chance.random() < 0.2
    return factories.draft(
        guests=guests,
        now=NOW,
        starts_at=NOW + dt.timedelta(minutes=15 * chance.randint(1, 700)),
        time_zone=chance.choice(ZONES),
        minutes=chance.choice([1, 2, 13]) * 1440 if is_all_day else chance.choice([15, 60, 1440, 13 * 1440]),
        is_all_day=is_all_day,
        rule=chance.choice(RULES),
        title=f"T{chance.random()}",
        privacy=chance.choice(Privacy.values),
        wants_room=chance.random() < 0.7,
    )


def act(chance: random.Random, meeting: Meeting, crowd: list[Agent]) -> Meeting:
    """One random edit or cancel, and sometimes its undo; a refused one changes nothing."""
    occurrence = chance.choice(list(meeting.occurrences.order_by("starts_at")[:6]))
    scope = chance.choice(list(Scope))
    guests = chance.sample([agent for agent in crowd if agent != meeting.organiser], chance.randint(0, 3))
    try:
        if chance.random() < 0.25:
            cancel(meeting=meeting, occurrence=occurrence, scope=scope, by=meeting.organiser, now=NOW)
            result = meeting
        else:
            asked = draft_of(meeting, occurrence, scope=scope)
            fields = {
                "attendees": tuple(factories.invitee(guest) for guest in guests),
                "title": f"T{chance.random()}",
                "place": chance.choice(["", "Salle 3"]),
                "start_date": asked.start_date + dt.timedelta(days=chance.choice([0, 1, 7])),
                "start_time": chance.choice([asked.start_time, dt.time(chance.randint(0, 23), 30)]),
                "rule": chance.choice([asked.rule, asked.rule, chance.choice(RULES)]),
                "time_zone": chance.choice([asked.time_zone, chance.choice(ZONES)]),
            }
            kept = {name: value for name, value in fields.items() if chance.random() < 0.4}
            result = change(
                meeting=meeting,
                occurrence=occurrence,
                scope=scope,
                by=meeting.organiser,
                draft=MeetingDraft(**{**vars(asked), **kept}),
                revision=meeting.revision,
                now=NOW,
            )
        if chance.random() < 0.2 and undo_offer(result, meeting.organiser, NOW) is not None:
            result = undo(meeting=result, by=meeting.organiser, now=NOW)
    except (DraftRefused, MeetingOver):
        result = meeting
    return Meeting.objects.get(pk=result.pk)


def check_invariants(agents: list[Agent], versions: Counter[tuple[int, str]]) -> None:
    for meeting in Meeting.objects.filter(organiser__in=agents):
        # DATA, trap 5: the copies that make a week one index range follow every edit.
        starts_at, ends_at = hull(meeting)
        for one in meeting.attendees.select_related("only_occurrence"):
            only = one.only_occurrence
            times = (only.starts_at, only.ends_at) if only else (starts_at, ends_at)
            assert (one.starts_at, one.ends_at) == times, (meeting.rrule, one.only_occurrence_id, one.role)
            assert one.is_series == (meeting.is_series and only is None)
            assert only is None or only.meeting_id == meeting.pk
        dates = list(meeting.occurrences.all())
        assert dates
        assert all((one.recurrence_id is not None) == meeting.is_series for one in dates)
        assert all(one.ends_at <= ends_at and one.starts_at >= starts_at for one in dates if one.status == "confirmed")
        if meeting.is_all_day:
            for one in dates:
                first, last = days_of(one)
                whole = day_span(first, meeting.time_zone, (last - first).days + 1)
                assert (one.starts_at, one.ends_at) == whole, (meeting.time_zone, one.is_override)
        for name in ("sequence", "revision"):
            assert getattr(meeting, name) >= versions[meeting.pk, name]
            versions[meeting.pk, name] = getattr(meeting, name)
        # One unsent REQUEST for the whole meeting at most, and one for a date.
        unsent = Counter(
            Delivery.objects.filter(meeting=meeting, state="owed", method="REQUEST").values_list(
                "recipient", "recurrence_id"
            )
        )
        assert not unsent or max(unsent.values()) == 1
    for exception in AttendeeException.objects.select_related("attendee", "occurrence"):
        assert exception.attendee.meeting_id == exception.occurrence.meeting_id
    # Nothing was ever sent: nobody may hear of a cancellation.
    assert not Delivery.objects.filter(method="CANCEL").exclude(state="superseded").exists()


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="AGENDA_RANDOM" not in os.environ,
    suppress_health_check=list(HealthCheck),
)
@given(seed=st.integers(0, 2**32))
# One whole day of a series, asked for in a zone that is not the series'.
@example(seed=1953877238)
def test_after_random_edits_the_statement_reads_what_the_rows_say(seed: int) -> None:
    chance = random.Random(seed)
    home = factories.organisation()
    agents = [factories.agent(organisation=home, time_zone=chance.choice(ZONES)) for _ in range(5)]
    for pair in (agents[:2], agents[3:]):
        Delegation.objects.create(principal=pair[0], delegate=pair[1], sees_private=chance.random() < 0.5)
    # Those of the example before, or each would be slower than the last.
    Meeting.objects.all().delete()
    versions: Counter[tuple[int, str]] = Counter()
    for _ in range(4):
        boss = chance.choice(agents)
        guests = chance.sample([agent for agent in agents if agent != boss], chance.randint(0, 4))
        asked = random_draft(chance, guests)
        try:
            meeting = schedule_meeting(by=boss, draft=asked, now=NOW)
        except DraftRefused:
            continue
        for attendee in meeting.attendees.exclude(role="chair"):
            Attendee.objects.filter(pk=attendee.pk).update(answer=chance.choice(Answer.values))
        for _ in range(chance.randint(0, 4)):
            meeting = act(chance, meeting, agents)
            check_invariants(agents, versions)
    for _ in range(6):
        start = NOW + dt.timedelta(hours=chance.randint(-24, 400))
        end = start + dt.timedelta(hours=chance.choice([1, 24, 7 * 24]))
        shown, viewer = chance.sample(agents, chance.randint(1, 5)), chance.choice(agents)
        assert agenda([agent.pk for agent in shown], start, end, viewer) == expected(shown, start, end, viewer)
