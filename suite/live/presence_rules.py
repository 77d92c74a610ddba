"""Which state a person is shown in: pure rules, no clock, no store."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from django.utils.translation import gettext as _

from suite.live import presence_words as wording

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
class Presence:
    """What others see. `at` is the moment it was worked out, which the words are relative to."""

    state: State
    at: dt.datetime
    until: dt.datetime | None = None
    since: dt.datetime | None = None

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
                return wording.away_words(self.since, self.until, self.at)
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
    idle: dt.timedelta = dt.timedelta(minutes=5),
) -> Presence:
    """One person, from all their tabs, devices and calls, what they chose and the end of the meeting they are in.

    Strongest first: do not disturb, in a call, in a meeting, chosen away or offline, idle, available, offline. "Do not
    disturb" and "away" without an end are forgotten while nobody is connected: the person went home.
    """
    alive = [connection for connection in connections if connection.alive_until > now]
    if chosen.until is not None and chosen.until <= now:
        chosen = Chosen()
    held = bool(alive) or chosen.until is not None
    if chosen.state == "do_not_disturb" and held:
        return Presence("do_not_disturb", now, until=chosen.until)
    if meeting_until is not None and meeting_until <= now:
        meeting_until = None
    if meeting_until is not None or any(connection.in_call for connection in alive):
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
