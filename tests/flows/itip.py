"""A guest's calendar: an iTIP client (RFC 5546) that knows nothing of the portal, built with icalendar alone.

It applies every message in the order received, as the RFC tells attendees to: a message older than what it has by (SEQUENCE,
DTSTAMP) changes nothing; a REQUEST with the master replaces the series and its overrides; a REQUEST with RECURRENCE-ID alone
changes that date; a CANCEL takes a date or everything away. Dates of a series are listed by recurring_ical_events.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

import recurring_ical_events
from icalendar import Calendar, Component, Event

# (SEQUENCE, DTSTAMP): what orders the messages about one component.
Order = tuple[int, dt.datetime]
# A date of a series as it was first: an instant, or a day. None: the whole.
Which = dt.datetime | dt.date | None


@dataclass(frozen=True, order=True)
class Shown:
    """One event as the guest sees it: instants, or days with an exclusive end."""

    start: str
    end: str
    title: str
    place: str
    answer: str


@dataclass
class _Entry:
    """What the calendar holds under one UID."""

    zones: list[Component] = field(default_factory=list)
    events: dict[Which, Event] = field(default_factory=dict)
    # The last message about each, kept also of what was cancelled.
    orders: dict[Which, Order] = field(default_factory=dict)
    cancelled: set[Which] = field(default_factory=set)
    # Dates that the guest answered by themself.
    answered: set[Which] = field(default_factory=set)


class GuestCalendar:
    def __init__(self, address: str) -> None:
        self.address = address
        self._entries: dict[str, _Entry] = {}
        self.ignored = 0

    def receive(self, ics: bytes) -> None:
        """Apply one message of the organiser's."""
        calendar = Calendar.from_ical(ics)
        method = str(calendar["METHOD"])
        assert method in {"REQUEST", "CANCEL", "DECLINECOUNTER"}, method
        events = [event for event in calendar.walk("VEVENT") if isinstance(event, Event)]
        uids = {str(event["UID"]) for event in events}
        assert len(uids) == 1, "one object, one UID (RFC 5546 §3.2)"
        self._check(calendar, events, method)
        if method == "DECLINECOUNTER":
            return
        entry = self._entries.setdefault(uids.pop(), _Entry())
        if method == "CANCEL":
            [event] = events
            self._cancel(entry, event)
            return
        entry.zones = list(calendar.walk("VTIMEZONE"))
        whole = next((event for event in events if "RECURRENCE-ID" not in event), None)
        if whole is None:
            for event in events:
                self._set_date(entry, event)
        elif self._is_newer(entry, whole):
            self._replace(entry, whole, [event for event in events if event is not whole])

    def _check(self, calendar: Calendar, events: list[Event], method: str) -> None:
        """What makes any client stumble, whatever it holds."""
        told = {str(zone["TZID"]) for zone in calendar.walk("VTIMEZONE")}
        for event in events:
            used = {
                value.params["TZID"]
                for _name, value in event.property_items()
                if "TZID" in getattr(value, "params", {})
            }
            assert used <= told, "a TZID without its VTIMEZONE"
            assert self.address in {_address(one) for one in _listed(event.get("ATTENDEE"))}
            assert "RRULE" not in event or "RECURRENCE-ID" not in event
            status = str(event.get("STATUS", ""))
            assert status == ("CANCELLED" if method == "CANCEL" else "CONFIRMED"), status

    def _is_newer(self, entry: _Entry, event: Event) -> bool:
        which, order = _which(event), _order(event)
        known = [entry.orders[one] for one in (which, None) if one in entry.orders]
        # A series that is newer than this date's message knows better, whatever the clock said (§2.1.5).
        newer = all(order[0] >= sequence for sequence, _stamp in known) and order >= entry.orders.get(which, order)
        self.ignored += not newer
        return newer

    def _replace(self, entry: _Entry, master: Event, overrides: list[Event]) -> None:
        order = _order(master)
        later = {one for one, its in entry.orders.items() if one is not None and its[0] > order[0]}
        entry.events = {one: event for one, event in entry.events.items() if one in later}
        entry.cancelled &= later
        entry.orders = {one: its for one, its in entry.orders.items() if one in later}
        entry.answered = {one for one in entry.answered if any(_which(event) == one for event in overrides)}
        entry.events[None], entry.orders[None] = master, order
        for event in overrides:
            self._set_date(entry, event)

    def _set_date(self, entry: _Entry, event: Event) -> None:
        if self._is_newer(entry, event):
            which = _which(event)
            entry.events[which], entry.orders[which] = event, _order(event)
            entry.cancelled.discard(which)

    def _cancel(self, entry: _Entry, event: Event) -> None:
        if not self._is_newer(entry, event):
            return
        which = _which(event)
        entry.orders[which] = _order(event)
        if which is None:
            entry.events.clear()
            entry.cancelled.clear()
            entry.answered.clear()
            return
        entry.events.pop(which, None)
        entry.cancelled.add(which)

    def answer(self, uid: str, which: Which, partstat: str) -> None:
        """The guest answers in their own calendar: the whole meeting, or one date of it."""
        entry = self._entries[uid]
        if which is None:
            usual = _mine(entry.events[None], self.address)
            for one, event in entry.events.items():
                # A date that was answered by itself keeps its answer; one that only looks like the others goes with them.
                if one not in entry.answered:
                    self._mark(event, partstat, only_from=usual)
            return
        if which not in entry.events:
            entry.events[which] = self._detach(entry, which)
            entry.orders[which] = entry.orders[None]
        entry.answered.add(which)
        self._mark(entry.events[which], partstat)

    def has(self, uid: str, which: Which = None) -> bool:
        entry = self._entries.get(uid)
        if entry is None:
            return False
        return which in entry.events or (None in entry.events and which not in entry.cancelled)

    def _mark(self, event: Event, partstat: str, only_from: str | None = None) -> None:
        for one in _listed(event["ATTENDEE"]):
            if _address(one) == self.address and only_from in {None, one.params["PARTSTAT"]}:
                one.params["PARTSTAT"] = partstat

    def _detach(self, entry: _Entry, which: Which) -> Event:
        """A date of its own, as clients make one when only that date is answered."""
        master = entry.events[None]
        event = Event.from_ical(master.to_ical())
        assert isinstance(event, Event)
        for name in ("RRULE", "EXDATE", "RDATE"):
            event.pop(name, None)
        span = event["DTEND"].dt - event["DTSTART"].dt
        start = which.astimezone(event["DTSTART"].dt.tzinfo) if isinstance(which, dt.datetime) else which
        assert start is not None
        for name, value in (("DTSTART", start), ("DTEND", start + span), ("RECURRENCE-ID", start)):
            event.pop(name, None)
            event.add(name, value)
        return event

    def shown(self, first: dt.date, last: dt.date) -> list[Shown]:
        """Every event between the two days, in order."""
        found = []
        for entry in self._entries.values():
            if not entry.events:
                continue
            calendar = Calendar()
            for component in entry.zones:
                calendar.add_component(component)
            for event in entry.events.values():
                calendar.add_component(event)
            query = recurring_ical_events.of(calendar, keep_recurrence_attributes=False)
            for event in query.between(first, last):
                which = (
                    _instant(event["RECURRENCE-ID"].dt) if "RECURRENCE-ID" in event else _instant(event["DTSTART"].dt)
                )
                if which not in entry.cancelled:
                    found.append(self._shown(event))
        return sorted(found)

    def _shown(self, event: Any) -> Shown:
        end = event["DTEND"].dt if "DTEND" in event else event["DTSTART"].dt + event["DURATION"].dt
        return Shown(
            str(_instant(event["DTSTART"].dt)),
            str(_instant(end)),
            str(event["SUMMARY"]),
            str(event.get("LOCATION", "")),
            _mine(event, self.address),
        )


def _which(event: Event) -> Which:
    return _instant(event["RECURRENCE-ID"].dt) if "RECURRENCE-ID" in event else None


def _instant(value: dt.datetime | dt.date) -> dt.datetime | dt.date:
    return value.astimezone(dt.UTC) if isinstance(value, dt.datetime) else value


def _order(event: Event) -> Order:
    return int(event.get("SEQUENCE", 0)), event["DTSTAMP"].dt


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value] if value is not None else []


def _address(value: Any) -> str:
    return str(value).removeprefix("mailto:")


def _mine(event: Any, address: str) -> str:
    return next(str(one.params["PARTSTAT"]) for one in _listed(event["ATTENDEE"]) if _address(one) == address)
