"""The dashboard's day."""

import dataclasses
import datetime as dt
import uuid
import zoneinfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from tests import factories
from visio.calendars.day import Block, Day, Kind, build_day, dashboard_day
from visio.calendars.layout import Lane
from visio.meetings.answers import answer
from visio.meetings.models import Answer, AnsweredVia, Attendee, Meeting
from visio.meetings.queries import Entry
from visio.meetings.scale import Steps
from visio.meetings.scheduling import cancel_meeting

PARIS = zoneinfo.ZoneInfo("Europe/Paris")
NINE = dt.datetime(2026, 11, 24, 9, 48, tzinfo=PARIS)


def entry(start: str, end: str, title: str = "Comité", answer: Answer = Answer.ACCEPTED) -> Entry:
    at, until = (dt.datetime.combine(NINE.date(), dt.time.fromisoformat(time), PARIS) for time in (start, end))
    return an_entry(at, until, title, answer)


def an_entry(at: dt.datetime, until: dt.datetime, title: str = "Comité", answer: Answer = Answer.ACCEPTED) -> Entry:
    return Entry(
        agent_id=1,
        starts_at=at.astimezone(dt.UTC),
        ends_at=until.astimezone(dt.UTC),
        answer=answer,
        role="required",
        is_masked=False,
        is_mine=True,
        is_private=False,
        public_id=uuid.UUID(int=1),
        title=title,
        place="",
        organiser="Karim Benali",
        room_slug="abc-defg-hij",
        people=3,
    )


def day(*entries: Entry, now: dt.datetime = NINE) -> Day:
    return build_day(entries, later=[], now=now, zone=PARIS)


def titles(*blocks: Block | None) -> list[str | None]:
    return [block.entry.title if block else None for block in blocks]


def test_kinds() -> None:
    found = day(
        entry("08:30", "09:00"),
        entry("10:00", "11:00"),
        entry("14:30", "15:30", answer=Answer.TENTATIVE),
        entry("16:30", "17:30", answer=Answer.NEEDS_ACTION),
    )

    assert [block.kind for block in found.blocks] == [Kind.PAST, Kind.ACCEPTED, Kind.TENTATIVE, Kind.UNANSWERED]


def test_overlapping_meetings_stand_side_by_side_and_are_told() -> None:
    found = day(entry("14:00", "15:00"), entry("14:30", "15:30"), entry("15:30", "16:00"))

    assert [(block.steps, block.lane, block.overlaps) for block in found.blocks] == [
        (Steps(56, 4), Lane(0, 2), True),
        (Steps(58, 4), Lane(1, 2), True),
        (Steps(62, 2), Lane(0, 1), False),
    ]


def test_short_meetings_side_by_side_do_not_count_as_overlapping() -> None:
    found = day(entry("10:00", "10:10"), entry("10:15", "10:25"))

    assert [(block.lane, block.overlaps) for block in found.blocks] == [(Lane(0, 2), False), (Lane(1, 2), False)]


def test_running_and_next() -> None:
    found = day(entry("09:00", "10:00", "Revue"), entry("09:30", "10:00", "Recette"), entry("10:00", "11:00", "Comité"))

    assert titles(found.running, found.next) == ["Recette", "Comité"]


def test_what_was_accepted_runs_before_what_was_not() -> None:
    found = day(entry("09:00", "10:00", "Revue"), entry("09:30", "10:00", "Recette", Answer.NEEDS_ACTION))

    assert titles(found.running, found.next) == ["Revue", None]


def test_an_empty_day() -> None:
    found = day()

    assert (found.blocks, found.running, found.next) == ((), None, None)
    assert (found.first_hour, found.last_hour, found.now_step, found.now_minutes) == (8, 18, 39, 3)
    assert found.free == dt.timedelta(hours=8), "from 10:00, the next whole quarter, to 18:00"
    assert [gap.steps for gap in found.gaps] == [Steps(32, 40)]


def test_gaps_of_two_hours_are_named_while_an_hour_is_left() -> None:
    entries = [entry("10:00", "12:00"), entry("14:00", "18:00")]

    assert [(gap.starts_at.hour, gap.ends_at.hour) for gap in day(*entries).gaps] == [(12, 14)]
    assert day(*entries, now=NINE.replace(hour=13, minute=1)).gaps == ()


def test_the_scale_grows_for_an_early_and_a_late_meeting() -> None:
    found = day(entry("06:40", "07:00"), entry("20:00", "21:10"))

    assert (found.first_hour, found.last_hour, found.first_step, found.step_count) == (6, 22, 24, 64)


def test_outside_the_scale_there_is_no_line_of_now() -> None:
    assert day(now=NINE.replace(hour=19)).now_step is None


@given(
    st.lists(
        st.tuples(st.integers(-600, 1500), st.integers(1, 600), st.sampled_from(list(Answer)[:3])),
        max_size=15,
    ),
    st.integers(0, 24 * 60 - 1),
)
def test_any_day_can_be_drawn(meetings: list[tuple[int, int, Answer]], minute: int) -> None:
    midnight = NINE.replace(hour=0, minute=0)
    entries = [
        an_entry(
            midnight + dt.timedelta(minutes=start),
            midnight + dt.timedelta(minutes=start + length),
            answer=answer,
        )
        for start, length, answer in meetings
    ]

    found = day(*entries, now=midnight + dt.timedelta(minutes=minute))

    last = found.first_step + found.step_count
    assert all(found.first_step <= block.steps.start and block.steps.end <= last for block in found.blocks)
    for gap in found.gaps:
        assert all(gap.steps.end <= block.steps.start or block.steps.end <= gap.steps.start for block in found.blocks)
    assert dt.timedelta(0) <= found.free <= dt.timedelta(hours=10)


@pytest.mark.django_db
def test_dashboard_day_reads_today_and_the_week_after_in_the_agents_zone() -> None:
    claire = factories.agent("Claire", time_zone="Europe/Paris")
    karim = factories.agent("Karim")
    made = dt.datetime(2026, 11, 20, 9, tzinfo=dt.UTC)

    def at(day: int, hour: int, title: str, month: int = 11) -> Meeting:
        return factories.meeting(
            karim,
            guests=[claire],
            starts_at=dt.datetime(2026, month, day, hour, tzinfo=PARIS),
            now=made,
            title=title,
        )

    at(23, 23, "Hier")
    at(24, 10, "Comité")
    declined = at(24, 11, "Déclinée")
    cancelled = at(24, 12, "Annulée")
    at(25, 0, "Minuit")
    at(30, 9, "Lundi")
    at(1, 23, "Le dernier soir", month=12)
    at(2, 0, "Trop loin", month=12)
    factories.meeting(karim, starts_at=dt.datetime(2026, 11, 24, 15, tzinfo=PARIS), now=made, title="Sans elle")
    attendee = Attendee.objects.get(meeting=declined, agent=claire)
    answer(attendee=attendee, answer=Answer.DECLINED, via=AnsweredVia.PORTAL, now=made)
    cancel_meeting(meeting=cancelled, by=karim, now=made)

    with CaptureQueriesContext(connection) as queries:
        found = dashboard_day(claire, NINE)

    assert [block.entry.title for block in found.blocks] == ["Comité"]
    assert [entry.title for entry in found.later] == ["Minuit", "Lundi", "Le dernier soir"]
    assert len(queries) == 1


def test_whole_days_take_no_hours() -> None:
    away = dataclasses.replace(
        entry("00:00", "23:59", "Séminaire"), is_all_day=True, first_day=NINE.date(), last_day=NINE.date()
    )
    found = day(away, entry("14:00", "15:00"))

    assert titles(*found.blocks) == ["Comité"]
    assert [one.title for one in found.whole] == ["Séminaire"]
    assert found.running is None
    assert (found.first_hour, found.last_hour) == (8, 18)
