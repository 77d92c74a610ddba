"""An agent's absences: others see that they are away and until when, never why."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core import signing
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from suite.agents.events import AvailabilityChanged
from suite.agents.models import Agent
from suite.agents.time_models import Leave, LeaveKind
from suite.core.events import publish
from suite.core.plain import is_control, one_line

LONGEST = dt.timedelta(days=366)
FURTHEST = dt.timedelta(days=5 * 366)
MOST_LEAVES = 100
NOTE_LENGTH = 200
UNDO_FOR = dt.timedelta(minutes=10)


class LeaveRefused(Exception):
    """`.errors`: {field: messages}, for the person, in the current language."""

    def __init__(self, errors: dict[str, list[str]]) -> None:
        super().__init__(errors)
        self.errors = errors


def whole_days(first: dt.date, last: dt.date, *, zone_name: str) -> tuple[dt.datetime, dt.datetime]:
    """From the midnight that begins `first` to the one that ends `last`, in UTC. OverflowError past the calendar's ends."""
    zone = zoneinfo.ZoneInfo(zone_name)
    starts = dt.datetime.combine(first, dt.time(), zone)
    ends = dt.datetime.combine(last + dt.timedelta(days=1), dt.time(), zone)
    return starts.astimezone(dt.UTC), ends.astimezone(dt.UTC)


def check(
    *, starts_at: dt.datetime, ends_at: dt.datetime, kind: str, note: str, now: dt.datetime
) -> dict[str, list[str]]:
    """What is wrong, by field; empty when nothing is. Pure."""
    wrong: dict[str, list[str]] = {}
    if kind not in LeaveKind.values:
        wrong["kind"] = [_("Choisissez un genre d’absence de la liste.")]
    if ends_at <= starts_at:
        wrong["ends_at"] = [_("La fin doit venir après le début.")]
    elif ends_at <= now:
        wrong["ends_at"] = [_("Cette absence est déjà finie.")]
    elif ends_at - starts_at > LONGEST:
        wrong["ends_at"] = [_("Une absence dure un an au plus.")]
    if starts_at > now + FURTHEST:
        wrong["starts_at"] = [_("Choisissez une date dans les cinq ans.")]
    if any(is_control(character) for character in note):
        wrong["note"] = [_("Écrivez sur une seule ligne, sans caractère de contrôle.")]
    elif len(note) > NOTE_LENGTH:
        wrong["note"] = [_("200 caractères au plus.")]
    return wrong


@transaction.atomic
def add_leave(
    *,
    agent: Agent,
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    is_all_day: bool,
    now: dt.datetime,
    kind: str = LeaveKind.LEAVE.value,
    note: str = "",
) -> Leave:
    """Instants are aware; whole days come from whole_days(). Adding what is there already changes nothing. LeaveRefused."""
    wrong = check(starts_at=starts_at, ends_at=ends_at, kind=kind, note=note, now=now)
    if wrong:
        raise LeaveRefused(wrong)
    # One at a time, so that a double click makes one absence and the limit holds.
    Agent.objects.select_for_update().only("pk").get(pk=agent.pk)
    same = Leave.objects.filter(agent=agent, starts_at=starts_at, ends_at=ends_at, kind=kind).first()
    if same is not None:
        return same
    if coming_leaves(agent, now=now).count() >= MOST_LEAVES:
        raise LeaveRefused({"starts_at": [_("Cent absences à venir au plus : retirez-en une d’abord.")]})
    leave = Leave.objects.create(
        agent=agent, kind=kind, starts_at=starts_at, ends_at=ends_at, is_all_day=is_all_day, note=one_line(note)
    )
    publish(AvailabilityChanged(agent_id=agent.pk))
    return leave


@transaction.atomic
def remove_leave(*, agent: Agent, leave_id: int) -> str | None:
    """Remove one of the agent's own; answers what `restore_leave` takes, or None when there is none such."""
    leave = Leave.objects.select_for_update().filter(agent=agent, pk=leave_id).first()
    if leave is None:
        return None
    memory = {
        "kind": leave.kind,
        "starts_at": leave.starts_at.isoformat(),
        "ends_at": leave.ends_at.isoformat(),
        "is_all_day": leave.is_all_day,
        "note": leave.note,
    }
    leave.delete()
    publish(AvailabilityChanged(agent_id=agent.pk))
    return signing.dumps(memory, salt=_salt(agent))


def restore_leave(*, agent: Agent, memory: str, now: dt.datetime) -> Leave | None:
    """Bring back what `remove_leave` removed, for ten minutes; None when `memory` is another's, too old or no memory at all."""
    try:
        known: dict[str, Any] = signing.loads(memory, salt=_salt(agent), max_age=UNDO_FOR)
    except signing.BadSignature:
        return None
    try:
        return add_leave(
            agent=agent,
            starts_at=dt.datetime.fromisoformat(known["starts_at"]),
            ends_at=dt.datetime.fromisoformat(known["ends_at"]),
            is_all_day=known["is_all_day"],
            kind=known["kind"],
            note=known["note"],
            now=now,
        )
    except LeaveRefused:
        # It ended meanwhile: nothing is left to come back.
        return None


def coming_leaves(agent: Agent, *, now: dt.datetime) -> QuerySet[Leave]:
    """Absences that are not over, the first one first."""
    return Leave.objects.filter(agent=agent, ends_at__gt=now).order_by("starts_at", "pk")


@dataclass(frozen=True, slots=True)
class Absence:
    """Until when somebody is away; `last_day` is the last whole day of it in their own zone, None when it ends within a day."""

    until: dt.datetime
    last_day: dt.date | None = None


def absence_of(
    stretches: Iterable[tuple[dt.datetime, dt.datetime, bool]], *, zone_name: str, now: dt.datetime
) -> Absence | None:
    """The absence that one person is in, from theirs as (start, end, whole days?); those that follow each other are one. Pure."""
    found: Absence | None = None
    for starts_at, ends_at, is_all_day in sorted(stretches):
        until = found.until if found else now
        if starts_at <= until < ends_at:
            last = ends_at.astimezone(zoneinfo.ZoneInfo(zone_name)).date() - dt.timedelta(days=1)
            found = Absence(ends_at, last if is_all_day else None)
    return found


def _salt(agent: Agent) -> str:
    return f"leave:{agent.pk}"
