"""The agenda's SQL against a slow and simple reading of the same rows, over random data."""

from __future__ import annotations

import datetime as dt
import random

import pytest

from suite.agents.models import Agent
from tests import factories
from visio.meetings.models import Answer, Attendee, Meeting, Occurrence, Privacy
from visio.meetings.queries import Entry, agenda
from visio.meetings.scheduling import cancel_meeting, edit_meeting

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)


def expected(agents: list[Agent], start: dt.datetime, end: dt.datetime, viewer: Agent) -> list[Entry]:
    entries = []
    for occurrence in Occurrence.objects.select_related("meeting__organiser", "meeting__room").order_by(
        "starts_at", "ends_at", "meeting_id"
    ):
        meeting = occurrence.meeting
        if (
            "cancelled" in (occurrence.status, meeting.status)
            or occurrence.ends_at <= start
            or occurrence.starts_at >= end
        ):
            continue
        everybody = list(Attendee.objects.filter(meeting=meeting).order_by("agent_id"))
        for attendee in everybody:
            if attendee.agent_id not in {agent.pk for agent in agents}:
                continue
            mine = viewer.pk in {one.agent_id for one in everybody}
            masked = meeting.privacy == "private" and not mine
            entries.append(
                Entry(
                    agent_id=attendee.agent_id or 0,
                    starts_at=occurrence.starts_at,
                    ends_at=occurrence.ends_at,
                    answer=attendee.answer,
                    role=attendee.role,
                    is_masked=masked,
                    is_mine=mine,
                    is_private=meeting.privacy == "private",
                    public_id=None if masked else meeting.public_id,
                    title="" if masked else meeting.title,
                    place="" if masked else meeting.place,
                    organiser="" if masked else meeting.organiser.full_name,
                    room_slug=meeting.room.slug if mine and meeting.room else "",
                    people=len(everybody) if attendee.agent_id == viewer.pk else 0,
                )
            )
    return entries


@pytest.mark.parametrize("seed", range(4))
def test_the_statement_reads_what_the_rows_say(seed: int) -> None:
    chance = random.Random(seed)
    home = factories.organisation()
    agents = [factories.agent(organisation=home) for _ in range(6)]
    for _ in range(30):
        boss = chance.choice(agents)
        meeting = factories.meeting(
            boss,
            guests=chance.sample([agent for agent in agents if agent != boss], chance.randint(0, 4)),
            now=NOW,
            starts_at=NOW + dt.timedelta(minutes=15 * chance.randint(1, 700)),
            minutes=chance.choice([15, 60, 24 * 60, 13 * 24 * 60]),
            title=f"T{chance.random()}",
            privacy=chance.choice(Privacy.values),
            wants_room=chance.random() < 0.7,
        )
        for attendee in meeting.attendees.exclude(role="chair"):
            Attendee.objects.filter(pk=attendee.pk).update(answer=chance.choice(Answer.values))
        if chance.random() < 0.2:
            cancel_meeting(meeting=meeting, by=boss, now=NOW)
        elif chance.random() < 0.3:
            moved = factories.draft(
                guests=chance.sample([agent for agent in agents if agent != boss], 2),
                starts_at=NOW + dt.timedelta(minutes=15 * chance.randint(1, 700)),
                privacy=chance.choice(Privacy.values),
            )
            edit_meeting(meeting=meeting, by=boss, draft=moved, revision=1, now=NOW)
    for _ in range(10):
        start = NOW + dt.timedelta(hours=chance.randint(-24, 200))
        end = start + dt.timedelta(hours=chance.choice([1, 24, 7 * 24]))
        asked, viewer = chance.sample(agents, chance.randint(1, 6)), chance.choice(agents)
        assert agenda([agent.pk for agent in asked], start, end, viewer) == expected(asked, start, end, viewer)


def test_attendees_keep_the_times_of_their_occurrence() -> None:
    """DATA, trap 5: the copies that make a week one index range follow every move."""
    chance = random.Random(7)
    agents = [factories.agent() for _ in range(4)]
    meeting = factories.meeting(agents[0], guests=agents[1:3], now=NOW)
    for _ in range(12):
        moved = factories.draft(
            guests=chance.sample(agents[1:], chance.randint(0, 3)),
            starts_at=NOW + dt.timedelta(minutes=15 * chance.randint(1, 700)),
            minutes=chance.choice([15, 45, 600]),
        )
        meeting = edit_meeting(meeting=meeting, by=agents[0], draft=moved, revision=meeting.revision, now=NOW)
        occurrence = Occurrence.objects.get(meeting=meeting)
        assert set(meeting.attendees.values_list("starts_at", "ends_at")) == {
            (occurrence.starts_at, occurrence.ends_at)
        }
    assert Meeting.objects.count() == 1
