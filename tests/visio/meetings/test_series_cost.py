"""What an act on a series costs: the same number of statements, however many are invited and however many dates there are."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from suite.agents.models import Agent
from tests import factories
from tests.visio.meetings.planned_series import HOUR, NOW, as_draft, changed, date, series, went_out
from visio.meetings.answers import answer
from visio.meetings.models import Attendee, Meeting
from visio.meetings.scopes import Scope
from visio.meetings.series import cancel
from visio.meetings.undo import undo
from visio.places.models import Resource

pytestmark = pytest.mark.django_db
Act = Callable[[Meeting], Meeting]


def planned(boss: Agent, size: int) -> tuple[Meeting, tuple[Agent | str, ...]]:
    """`size` guests, of whom some answered; three times as many dates; guests of single dates; a room."""
    room = Resource.objects.create(organisation=boss.organisation, name=f"Salle {size}", site="Ségur")
    guests: tuple[Agent | str, ...] = (
        *(factories.agent() for _number in range(size)),
        *(f"invite{number}@partenaire.example" for number in range(size)),
    )
    meeting = series(boss, *guests, rule=f"FREQ=DAILY;COUNT={3 * size + 6}", resources=(room.pk,))
    for number in range(size):
        one = date(meeting, 5 + number)
        asked = as_draft(meeting, one, *guests, f"seul{number}@partenaire.example", resources=(room.pk,))
        meeting = changed(meeting, one, Scope.ONE, asked)
    people = list(meeting.attendees.exclude(role="chair").filter(only_occurrence=None))
    for attendee in people[:size]:
        answer(attendee=attendee, answer="accepted", via="portal", now=NOW)
        answer(attendee=attendee, answer="declined", via="portal", now=NOW, occurrence=date(meeting, 5))
    went_out(meeting)
    Attendee.objects.filter(meeting=meeting, email__startswith="seul").update(answer="accepted")
    return Meeting.objects.get(pk=meeting.pk), guests


def statements(size: int, act: str, scope: Scope) -> int:
    boss = factories.agent()
    meeting, guests = planned(boss, size)
    third = date(meeting, 3)
    room = Resource.objects.get(name=f"Salle {size}", organisation=boss.organisation)
    if act == "change":
        asked = as_draft(meeting, third, *guests, starts_at=third.starts_at + HOUR, resources=(room.pk,))
        with CaptureQueriesContext(connection) as queries:
            changed(meeting, third, scope, asked)
        return len(queries)
    if act == "cancel":
        with CaptureQueriesContext(connection) as queries:
            cancel(meeting=meeting, occurrence=third, scope=scope, by=boss, now=NOW)
        return len(queries)
    cancel(meeting=meeting, occurrence=third, scope=scope, by=boss, now=NOW)
    with CaptureQueriesContext(connection) as queries:
        undo(meeting=meeting, by=boss, now=NOW)
    return len(queries)


@pytest.mark.parametrize("scope", list(Scope))
@pytest.mark.parametrize("act", ["change", "cancel", "undo"])
def test_an_act_takes_the_same_statements_for_two_and_for_many(act: str, scope: Scope) -> None:
    few, many = statements(1, act, scope), statements(5, act, scope)
    assert few == many < 90
