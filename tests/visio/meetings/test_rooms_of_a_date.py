"""The room of one date is changed by itself; a proposed time whose room is taken is refused with its words."""

from __future__ import annotations

import dataclasses
import datetime as dt
import html
import re
import uuid
import zoneinfo
from typing import Any

import pytest
from django.utils import timezone

from suite.agents.models import Agent
from tests import factories
from tests.visio.meetings.pages import client_of, text_of
from tests.visio.meetings.test_api import api
from tests.visio.meetings.test_views_series import date_form, url
from visio.meetings.counters import propose
from visio.meetings.drafting import draft_of
from visio.meetings.exception_models import CounterProposal
from visio.meetings.models import Attendee, Delivery, Meeting, MeetingChange, Occurrence
from visio.meetings.refusals import DraftRefused
from visio.meetings.scopes import Scope
from visio.meetings.series import change
from visio.places.models import Resource, ResourceBooking

pytestmark = pytest.mark.django_db
PARIS = zoneinfo.ZoneInfo("Europe/Paris")
HOUR, WEEK = dt.timedelta(hours=1), dt.timedelta(days=7)
# Ten o'clock, next week.
START = (timezone.now().astimezone(PARIS) + WEEK).replace(hour=10, minute=0, second=0, microsecond=0)
GUEST = "ext@partenaire.example"


@pytest.fixture
def rooms(boss: Agent) -> tuple[Resource, Resource]:
    first, second = (
        Resource.objects.create(organisation=boss.organisation, name=name, site="Ségur")
        for name in ("Fontenoy", "Lowendal")
    )
    return first, second


def weekly(boss: Agent, *rooms: Resource, starts_at: dt.datetime = START, **fields: Any) -> Meeting:
    asked = {"guests": [GUEST], "rule": "FREQ=WEEKLY;COUNT=4", **fields}
    meeting = factories.meeting(boss, starts_at=starts_at, resources=tuple(one.pk for one in rooms), **asked)
    Delivery.objects.filter(meeting=meeting).update(state="sent", sent_at=timezone.now(), attempts=1)
    return meeting


def date(meeting: Meeting, index: int) -> Occurrence:
    return meeting.occurrences.order_by("recurrence_id")[index]


def held(meeting: Meeting) -> list[list[str]]:
    """The names of the rooms that each date has, in the order of the dates."""
    return [
        sorted(
            ResourceBooking.objects.filter(occurrence=one, status="accepted").values_list("resource__name", flat=True)
        )
        for one in meeting.occurrences.order_by("recurrence_id")
    ]


def other_room(meeting: Meeting, index: int, *rooms: Resource) -> Meeting:
    asked = draft_of(meeting, date(meeting, index), scope=Scope.ONE)
    return change(
        meeting=meeting,
        occurrence=date(meeting, index),
        scope=Scope.ONE,
        by=meeting.organiser,
        draft=dataclasses.replace(asked, resources=tuple(one.pk for one in rooms)),
        revision=Meeting.objects.get(pk=meeting.pk).revision,
        now=timezone.now(),
    )


def everything(meeting: Meeting) -> list[Any]:
    """What must be the same after a refusal."""
    return [
        list(model.objects.order_by("pk").values())
        for model in (Meeting, Occurrence, Attendee, Delivery, ResourceBooking, MeetingChange, CounterProposal)
    ]


def test_another_room_for_one_date_is_that_date_s_alone(boss: Agent, rooms: tuple[Resource, Resource]) -> None:
    first, second = rooms
    meeting = weekly(boss, first)

    other_room(meeting, 1, second)
    assert held(meeting) == [["Fontenoy"], ["Lowendal"], ["Fontenoy"], ["Fontenoy"]]
    meeting.refresh_from_db()
    assert (meeting.revision, meeting.sequence) == (2, 0), "a room is no new time (R7)"

    other_room(meeting, 1, first, second)
    other_room(meeting, 2)
    assert held(meeting) == [["Fontenoy"], ["Fontenoy", "Lowendal"], [], ["Fontenoy"]]
    assert {one.recurrence_id for one in Delivery.objects.filter(meeting=meeting, state="owed")} == {
        date(meeting, 1).recurrence_id,
        date(meeting, 2).recurrence_id,
    }


def test_a_room_is_given_to_one_date_of_a_series_without_any(boss: Agent, rooms: tuple[Resource, Resource]) -> None:
    meeting = weekly(boss)
    other_room(meeting, 1, rooms[0])
    assert held(meeting) == [[], ["Fontenoy"], [], []]


def test_a_room_that_is_taken_that_day_is_refused_and_nothing_is_written(
    boss: Agent, rooms: tuple[Resource, Resource]
) -> None:
    first, second = rooms
    meeting = weekly(boss, first)
    factories.meeting(boss, starts_at=START + WEEK + HOUR / 2, resources=(second.pk,))
    before = everything(meeting)
    with pytest.raises(DraftRefused) as refused:
        other_room(meeting, 1, second)
    assert "Lowendal" in " ".join(refused.value.errors["resources"])
    assert everything(meeting) == before


def test_the_form_of_one_date_changes_its_room(boss: Agent, rooms: tuple[Resource, Resource]) -> None:
    first, second = rooms
    meeting = weekly(boss, first)
    client = client_of(boss)
    asked = date_form(meeting, date(meeting, 1), resources=[str(second.public_id)])
    assert client.post(url(meeting, "edit", date(meeting, 1)), asked).status_code == 302
    assert held(meeting) == [["Fontenoy"], ["Lowendal"], ["Fontenoy"], ["Fontenoy"]]

    meeting.refresh_from_db()
    factories.meeting(boss, starts_at=START + 2 * WEEK, resources=(second.pk,))
    before = everything(meeting)
    asked = date_form(meeting, date(meeting, 2), resources=[str(second.public_id)])
    refused = client.post(url(meeting, "edit", date(meeting, 2)), asked)
    assert refused.status_code == 422
    assert "Lowendal" in text_of(refused)
    assert everything(meeting) == before


def taken_at_the_proposed_time(boss: Agent, room: Resource, index: int | None) -> CounterProposal:
    """A guest proposes an hour at which somebody else has the meeting's room."""
    meeting = weekly(boss, room, **({} if index is not None else {"rule": ""}))
    shown = date(meeting, index or 0)
    factories.meeting(boss, starts_at=shown.starts_at + 2 * HOUR, resources=(room.pk,))
    return propose(
        attendee=meeting.attendees.get(email=GUEST),
        occurrence=shown if index is not None else None,
        starts_at=shown.starts_at + 2 * HOUR,
        ends_at=shown.starts_at + 3 * HOUR,
        via="page",
        now=timezone.now(),
    )


@pytest.mark.parametrize("index", [None, 1], ids=["one-off", "date of a series"])
def test_r20_a_proposed_time_whose_room_is_taken_is_refused_on_the_page(
    boss: Agent, rooms: tuple[Resource, Resource], index: int | None
) -> None:
    counter = taken_at_the_proposed_time(boss, rooms[0], index)
    before = everything(counter.meeting)
    path = f"/reunions/{counter.meeting.public_id}/autre-horaire/{counter.public_id}/"
    answer = client_of(boss).post(path, {"decision": "accept"}, follow=True)
    page = text_of(answer)
    assert answer.status_code == 200
    [said] = [str(one) for one in answer.context["messages"]]
    assert "la réunion n’a pas changé" in said
    assert "Fontenoy" in said
    assert "Nouvel horaire retenu" not in page
    assert everything(counter.meeting) == before
    # One click further the form holds the proposed time, and saving it with another room moves the meeting there.
    [link] = re.findall(r'href="([^"]+proposition=[^"]+)"', page)
    form_page = client_of(boss).get(html.unescape(link))
    values = form_page.context["form"].initial
    start = counter.starts_at.astimezone(PARIS)
    assert (values["date"], values["start"], values["end"]) == (
        f"{start:%Y-%m-%d}",
        f"{start:%H:%M}",
        f"{start + HOUR:%H:%M}",
    )
    assert f'name="date" type="date" required value="{start:%Y-%m-%d}"' in text_of(form_page)
    assert f"Horaire proposé par {GUEST}" in text_of(form_page)
    sent = {name: value for name, value in values.items() if value is not False}
    sent["resources"] = [str(rooms[1].public_id)]
    assert client_of(boss).post(html.unescape(link), sent).status_code == 302
    moved = date(counter.meeting, index or 0)
    assert (moved.starts_at, moved.ends_at) == (counter.starts_at, counter.ends_at)
    assert [one.resource.name for one in moved.bookings.filter(status="accepted")] == ["Lowendal"]


def test_the_time_of_a_proposal_is_lent_to_no_other_form(boss: Agent, rooms: tuple[Resource, Resource]) -> None:
    counter = taken_at_the_proposed_time(boss, rooms[0], 1)
    other = weekly(boss, starts_at=START + HOUR * 5)
    for meeting, which, asked in (
        (counter.meeting, date(counter.meeting, 2), str(counter.public_id)),
        (other, date(other, 1), str(counter.public_id)),
        (counter.meeting, date(counter.meeting, 1), "zzz"),
        (counter.meeting, date(counter.meeting, 1), str(uuid.uuid4())),
    ):
        page = client_of(boss).get(f"{url(meeting, 'edit', which)}&proposition={asked}")
        assert page.context["form"].initial["start"] == f"{which.starts_at.astimezone(PARIS):%H:%M}"
        assert "Horaire proposé par" not in text_of(page)


@pytest.mark.parametrize("index", [None, 1], ids=["one-off", "date of a series"])
def test_r20_a_proposed_time_whose_room_is_taken_is_refused_over_the_api(
    boss: Agent, rooms: tuple[Resource, Resource], index: int | None
) -> None:
    counter = taken_at_the_proposed_time(boss, rooms[0], index)
    before = everything(counter.meeting)
    tool = api(boss)
    path = f"/api/v1/meetings/{counter.meeting.public_id}/counters/{counter.public_id}/accept/"
    answer = tool.post(path, {}, content_type="application/json", headers={"Idempotency-Key": "once"})
    assert (answer.status_code, answer["Content-Type"]) == (409, "application/problem+json"), answer.content
    assert "Fontenoy" in answer.json()["detail"]
    assert everything(counter.meeting) == before

    # The room is free again: the same proposal can still be taken.
    other = Meeting.objects.exclude(pk=counter.meeting.pk).get()
    assert tool.delete(f"/api/v1/meetings/{other.public_id}/").status_code == 200
    answer = tool.post(path, {}, content_type="application/json", headers={"Idempotency-Key": "once"})
    assert answer.status_code == 200, answer.content
    counter.refresh_from_db()
    assert counter.state == "accepted"
