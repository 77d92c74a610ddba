"""Absences: what may be added, and what comes back."""

from __future__ import annotations

import datetime as dt

import pytest

from suite.agents.leaves import LeaveRefused, add_leave, coming_leaves, remove_leave, restore_leave, whole_days
from suite.agents.models import Agent, Leave
from tests import factories

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)


@pytest.fixture
def agent() -> Agent:
    return factories.agent(time_zone="Indian/Reunion")


def add(agent: Agent, **changed: object) -> Leave:
    starts_at, ends_at = whole_days(dt.date(2026, 12, 21), dt.date(2026, 12, 31), zone_name=agent.time_zone)
    values: dict[str, object] = {"starts_at": starts_at, "ends_at": ends_at, "is_all_day": True, "now": NOW}
    return add_leave(agent=agent, **{**values, **changed})  # type: ignore[arg-type]


def test_whole_days_are_midnights_of_the_agents_zone(agent: Agent) -> None:
    leave = add(agent, note="Saint-Denis")
    assert leave.starts_at == dt.datetime(2026, 12, 20, 20, tzinfo=dt.UTC)
    assert leave.ends_at == dt.datetime(2026, 12, 31, 20, tzinfo=dt.UTC)
    assert (leave.kind, leave.note, leave.is_all_day) == ("leave", "Saint-Denis", True)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"ends_at": NOW, "starts_at": NOW}, "ends_at"),
        ({"starts_at": NOW - dt.timedelta(days=3), "ends_at": NOW}, "ends_at"),
        ({"starts_at": NOW, "ends_at": NOW + dt.timedelta(days=400)}, "ends_at"),
        ({"starts_at": NOW + dt.timedelta(days=4000), "ends_at": NOW + dt.timedelta(days=4001)}, "starts_at"),
        ({"kind": "holiday"}, "kind"),
        ({"note": "a\r\nb"}, "note"),
        ({"note": "x" * 201}, "note"),
    ],
)
def test_a_wrong_absence_is_refused_at_its_field(agent: Agent, changed: dict[str, object], field: str) -> None:
    with pytest.raises(LeaveRefused) as refused:
        add(agent, **changed)
    assert list(refused.value.errors) == [field]
    assert not Leave.objects.exists()


def test_the_same_absence_twice_is_one(agent: Agent) -> None:
    assert add(agent).pk == add(agent).pk
    assert Leave.objects.count() == 1


def test_a_hundred_at_most(agent: Agent) -> None:
    Leave.objects.bulk_create(
        Leave(agent=agent, starts_at=NOW + dt.timedelta(days=day), ends_at=NOW + dt.timedelta(days=day, hours=1))
        for day in range(100)
    )
    with pytest.raises(LeaveRefused):
        add(agent)
    assert coming_leaves(agent, now=NOW).count() == 100
    add(agent, now=NOW + dt.timedelta(days=2))  # those that are over do not count


def test_what_was_removed_comes_back_whole(agent: Agent) -> None:
    leave = add(agent, note="Noël", kind="out_of_office")
    memory = remove_leave(agent=agent, leave_id=leave.pk)
    assert memory is not None
    assert not Leave.objects.exists()
    back = restore_leave(agent=agent, memory=memory, now=NOW)
    assert back is not None
    assert {name: getattr(back, name) for name in ("kind", "note", "starts_at", "ends_at", "is_all_day")} == {
        name: getattr(leave, name) for name in ("kind", "note", "starts_at", "ends_at", "is_all_day")
    }
    restore_leave(agent=agent, memory=memory, now=NOW)
    assert Leave.objects.count() == 1


def test_anothers_absence_is_neither_removed_nor_restored(agent: Agent) -> None:
    other = factories.agent()
    leave = add(agent)
    assert remove_leave(agent=other, leave_id=leave.pk) is None
    assert Leave.objects.count() == 1
    memory = remove_leave(agent=agent, leave_id=leave.pk)
    assert memory is not None
    assert restore_leave(agent=other, memory=memory, now=NOW) is None
    assert restore_leave(agent=agent, memory=memory[:-2] + "xx", now=NOW) is None
    assert restore_leave(agent=agent, memory=memory, now=NOW + dt.timedelta(days=90)) is None, "over since"
    assert not Leave.objects.exists()
