"""Which state a person is shown in: pure rules, no clock, no store."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from django.utils.translation import gettext as _

from suite.live import presence_words as wording

if TYPE_CHECKING:
    from suite.agents.leaves import Absence

State = Literal["available", "away", "in_meeting", "do_not_disturb", "offline", "unknown"]
# The order of lists: who can be reached first.
STATES: tuple[State, ...] = ("available", "in_meeting", "do_not_disturb", "away", "offline", "unknown")


@dataclass(frozen=True, slots=True)
class Connection:
    """One open tab, or one place in a call."""

    alive_until: dt.datetime
    active_at: dt.datetime  # last sign of a person: a key, a pointer
    in_call: bool = False


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the person asked to be shown as; `until` None means until they change it."""

    state: str = "automatic"
    until: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Engaged:
    """What the calendar says of somebody now: the end of the meeting they are in, the absence they are in."""

    meeting_until: dt.datetime | None = None
    absence: Absence | None = None

    def joined(self, other: Engaged | None) -> Engaged:
        """With what another source says; the later end counts."""
        if other is None:
            return self
        ends = [one.meeting_until for one in (self, other) if one.meeting_until is not None]
        away = [one.absence for one in (self, other) if one.absence is not None]
        return Engaged(max(ends, default=None), max(away, key=lambda one: one.until, default=None))


@dataclass(frozen=True, slots=True)
class Presence:
    """What others see. `at` is the moment it was worked out, which the words are relative to."""

    state: State
    at: dt.datetime
    until: dt.datetime | None = None
    since: dt.datetime | None = None
    # The last whole day of an absence, which says more than the midnight that ends it.
    last_day: dt.date | None = None

    @property
    def words(self) -> str:
        """In the active language and time zone: "En réunion jusqu’à 11 h"."""
        match self.state:
            case "available":
                return _("Disponible")
            case "in_meeting":
                return wording.in_meeting_words(self.until, self.at)
            case "do_not_disturb":
                return wording.do_not_disturb_words(self.until, self.at)
            case "away":
                return wording.away_words(self.since, self.until, self.at, last_day=self.last_day)
            case "offline":
                return wording.offline_words(self.until, self.at)
            case "unknown":
                return _("Présence en pause")

    @property
    def reachable(self) -> bool:
        """A call would not be out of place."""
        return self.state == "available"

    @property
    def rank(self) -> int:
        """For sorting: who can be reached first."""
        return STATES.index(self.state)


def resolve(
    connections: Iterable[Connection],
    chosen: Chosen,
    meeting_until: dt.datetime | None,
    now: dt.datetime,
    *,
    absence: Absence | None = None,
    idle: dt.timedelta = dt.timedelta(minutes=5),
) -> Presence:
    """One person, from all their tabs, devices and calls, what they chose, their leave and the end of the meeting they are in.

    Strongest first: do not disturb, in a call, on leave, in a meeting, chosen away or offline, idle, available, offline. "Do
    not disturb" and "away" without an end are forgotten while nobody is connected: the person went home. Who is on leave is
    in none of the meetings of their calendar, unless they joined the call.
    """
    alive = [connection for connection in connections if connection.alive_until > now]
    if chosen.until is not None and chosen.until <= now:
        chosen = Chosen()
    held = bool(alive) or chosen.until is not None
    if chosen.state == "do_not_disturb" and held:
        return Presence("do_not_disturb", now, until=chosen.until)
    in_call = any(connection.in_call for connection in alive)
    if meeting_until is not None and meeting_until <= now:
        meeting_until = None
    if absence is not None and absence.until > now and not in_call:
        return Presence("away", now, until=absence.until, last_day=absence.last_day)
    if meeting_until is not None or in_call:
        return Presence("in_meeting", now, until=meeting_until)
    if chosen.state == "offline":
        return Presence("offline", now, until=chosen.until)
    if chosen.state == "away" and held:
        return Presence("away", now, until=chosen.until)
    if not alive:
        return Presence("offline", now)
    active_at = max(connection.active_at for connection in alive)
    if now - active_at >= idle:
        return Presence("away", now, since=active_at)
    return Presence("available", now)
