"""Proposed slots in words: when, who, and why. Pure but for the language."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from suite.agents.models import Agent
from visio.meetings import words, zones
from visio.meetings.slots import Slot
from visio.places.models import Resource

NAMED = 3


@dataclass(frozen=True)
class SlotLine:
    """One proposal as the page lists it. `date`, `start`, `end` are wall clocks of the form's zone."""

    slot: Slot
    date: str
    start: str
    end: str
    day: str
    hours: str
    # "13:30 à La Réunion", one for each other zone of the people.
    far: tuple[str, ...]
    coming: int
    people: int
    reason: str
    is_chosen: bool

    @property
    def is_full(self) -> bool:
        return self.coming == self.people and not self.slot.is_lunch


def slot_line(
    slot: Slot,
    *,
    people: Mapping[int, Agent],
    rooms: Mapping[int, Resource],
    preferred: int | None,
    zone_name: str,
    now: dt.datetime,
    chosen: dt.datetime | None,
) -> SlotLine:
    """`people`: all that were looked at, by id; `preferred`: the room that the organiser had chosen."""
    start, end = words.local(slot.starts_at, zone_name), words.local(slot.ends_at, zone_name)
    return SlotLine(
        slot=slot,
        date=start.date().isoformat(),
        start=f"{start:%H:%M}",
        end=f"{end:%H:%M}",
        day=capfirst(words.short_day(start.date(), today=words.local(now, zone_name).date())),
        hours=words.hours(slot.starts_at, slot.ends_at, zone_name),
        far=_far(slot, people.values(), zone_name),
        coming=len(people) - len(slot.missing) - len(slot.outside),
        people=len(people),
        reason=reason(slot, people=people, rooms=rooms, preferred=preferred),
        is_chosen=chosen == slot.starts_at,
    )


def reason(
    slot: Slot, *, people: Mapping[int, Agent], rooms: Mapping[int, Resource], preferred: int | None = None
) -> str:
    """Why this slot: "Tout le monde est libre, la salle aussi." and what speaks against it."""
    said = [_who(slot, people)]
    room = rooms.get(slot.room) if slot.room is not None else None
    if room is not None and preferred == room.pk:
        said.append(_("La salle est libre."))
    elif room is not None and preferred is not None:
        said.append(_("La salle choisie est prise : %(room)s est libre.") % {"room": room})
    elif room is not None:
        said.append(_("Salle libre : %(room)s.") % {"room": room})
    if slot.is_lunch:
        said.append(_("C’est la pause déjeuner."))
    return " ".join(said)


def _who(slot: Slot, people: Mapping[int, Agent]) -> str:
    if slot.outside:
        return _("Hors des heures de travail de %(names)s.") % {"names": _names(slot.outside, people)}
    if slot.missing:
        sentence = ngettext(
            "Tous les indispensables sont libres, sauf un invité facultatif : %(names)s.",
            "Tous les indispensables sont libres, sauf %(count)d invités facultatifs : %(names)s.",
            len(slot.missing),
        )
        return sentence % {"count": len(slot.missing), "names": _names(slot.missing, people)}
    return _("Tous disponibles.")


def _names(ids: Sequence[int], people: Mapping[int, Agent]) -> str:
    names = [people[one].full_name for one in ids[:NAMED] if one in people]
    return ", ".join(names) + ("…" if len(ids) > NAMED else "")


def _far(slot: Slot, people: Iterable[Agent], zone_name: str) -> tuple[str, ...]:
    here = words.local(slot.starts_at, zone_name).utcoffset()
    found: dict[str, None] = {}
    for one in people:
        if words.local(slot.starts_at, one.time_zone).utcoffset() != here:
            found[f"{words.hour(slot.starts_at, one.time_zone)} {zones.zone_where(one.time_zone)}"] = None
    return tuple(found)[:NAMED]
