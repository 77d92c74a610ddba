"""After any edits in any order, each guest's own calendar shows what the portal shows.

A calendar that knows only iTIP (tests.flows.itip) applies the messages that a real SMTP server received. Edits pile up before
they are mailed, so that rows supersede and cover one another; some letters leave between two edits, some are refused for a while.

A run is short and always the same. For a longer one, with other edits each time (two seconds an example, more when the machine
is busy): `CALENDAR_EXAMPLES=300 CALENDAR_RANDOM=1 .venv/bin/python -m pytest tests/flows/test_guest_calendars.py`; with
CALENDAR_SHRINK=1 a failure is made as small as it can be, which takes minutes.
"""

from __future__ import annotations

import datetime as dt
import os
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from suite.agents.models import Agent
from tests import factories
from tests.flows.itip import GuestCalendar, Shown
from tests.looking import Mailbox
from tests.visio.meetings.reading import read
from visio.meetings import counters, series
from visio.meetings.answers import answer
from visio.meetings.drafts import Invitee, MeetingDraft
from visio.meetings.exception_models import AttendeeException
from visio.meetings.invitations import deliver
from visio.meetings.models import Attendee, Delivery, Meeting, Occurrence
from visio.meetings.refusals import DraftRefused
from visio.meetings.scheduling import schedule_meeting
from visio.meetings.scopes import Scope
from visio.meetings.undo import undo, undo_offer
from visio.meetings.words import local

EXAMPLES = int(os.environ.get("CALENDAR_EXAMPLES", "12"))
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(max(300, EXAMPLES * 30))]
NOW = dt.datetime(2026, 9, 21, 9, 0, tzinfo=dt.UTC)
# Enough for every rule below but the endless one; across the end of summer time.
FIRST, LAST = dt.date(2026, 9, 21), dt.date(2027, 3, 1)
GUESTS = ("anne@partenaire.example", "bob@partenaire.example", "chloe@partenaire.example")
RULES = ("", "FREQ=WEEKLY;BYDAY=TU;COUNT=6", "FREQ=DAILY;COUNT=5", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH", "FREQ=MONTHLY")
ZONES = ("Europe/Paris", "Indian/Reunion", "America/Cayenne")
PARTSTAT = {
    "needs_action": "NEEDS-ACTION",
    "accepted": "ACCEPTED",
    "tentative": "TENTATIVE",
    "declined": "DECLINED",
}
MINUTES = st.sampled_from([-60, 30, 60, 24 * 60])
# The mails of an act that may be undone wait for these seconds.
UNDO = dt.timedelta(seconds=15)
# More than a batch takes, whose letters are stamped by a running clock.
SENDING = dt.timedelta(seconds=6)
# The notes of the run that failed are often enough.
PHASES = [phase for phase in Phase if phase != Phase.shrink or "CALENDAR_SHRINK" in os.environ]


def which_of(meeting: Meeting, occurrence: Occurrence | None) -> dt.datetime | dt.date | None:
    """The date as a calendar names it."""
    if occurrence is None or occurrence.recurrence_id is None:
        return None
    at = occurrence.recurrence_id
    return local(at, meeting.time_zone).date() if meeting.is_all_day else at.astimezone(dt.UTC)


class Edits(RuleBasedStateMachine):
    """One organiser, three guests, up to three meetings (and what "this and the following" splits off)."""

    def __init__(self, mailbox: Mailbox, boss: Agent) -> None:
        super().__init__()
        self.mailbox, self.boss = mailbox, boss
        self.now = NOW
        self.calendars = {email: GuestCalendar(email) for email in GUESTS}
        self.read = max((mail["id"] for mail in mailbox.messages(limit=1)), default=0)
        self.made = 0
        Meeting.objects.filter(organiser=boss).delete()

    # What there is to act on ------------------------------------------------------------------------------------

    def meetings(self) -> list[Meeting]:
        return list(Meeting.objects.filter(organiser=self.boss, status="confirmed").order_by("pk"))

    def dates(self, meeting: Meeting) -> list[Occurrence]:
        found = meeting.occurrences.filter(status="confirmed", ends_at__gt=self.now).order_by("starts_at")
        return list(found[:12])

    def draw(self, data: Any) -> tuple[Meeting, Occurrence] | None:
        offered = [(meeting, date) for meeting in self.meetings() for date in self.dates(meeting)]
        if not offered:
            return None
        meeting, date = data.draw(st.sampled_from(offered), label="date")
        # Now and then before what may be undone has left.
        self.now += dt.timedelta(seconds=data.draw(st.sampled_from([60, 1]), label="seconds later"))
        return meeting, date

    def draft(self, meeting: Meeting, date: Occurrence, scope: Scope, **changes: Any) -> MeetingDraft:
        """What the form shows for that date, with `changes`; `minutes_later` moves it, `guests` are addresses."""
        own = scope == Scope.ONE
        start = local(date.starts_at, meeting.time_zone).replace(tzinfo=None)
        start += dt.timedelta(minutes=changes.pop("minutes_later", 0))
        minutes = round((date.ends_at - date.starts_at).total_seconds() / 60)
        guests = changes.pop("guests", None)
        fields: dict[str, Any] = {
            "title": date.title if own and date.title is not None else meeting.title,
            "place": date.place if own and date.place is not None else meeting.place,
            "start_date": start.date(),
            "start_time": dt.time() if meeting.is_all_day else start.time(),
            "time_zone": meeting.time_zone,
            "minutes": meeting.minutes if meeting.is_all_day else minutes,
            "is_all_day": meeting.is_all_day,
            "wants_room": False,
            "wants_tchap": False,
            "rule": meeting.rrule,
            "rdates": tuple(map(dt.datetime.fromisoformat, meeting.rdates)),
            "exdates": tuple(map(dt.datetime.fromisoformat, meeting.exdates)),
            "attendees": tuple(
                Invitee(email=email) for email in (self.invited(meeting, date, own) if guests is None else guests)
            ),
        }
        return MeetingDraft(**{**fields, **changes})

    def invited(self, meeting: Meeting, date: Occurrence, own: bool) -> list[str]:
        found = []
        for one in meeting.attendees.exclude(role="chair").order_by("pk"):
            away = AttendeeException.objects.filter(attendee=one, occurrence=date, removed=True).exists()
            here = one.only_occurrence_id in ({None, date.pk} if own else {None})
            if here and not (own and away):
                found.append(one.email)
        return found

    def change(self, meeting: Meeting, date: Occurrence, scope: Scope, **changes: Any) -> None:
        if not meeting.is_series:
            scope = Scope.ALL
        note(f"{scope} of {meeting.pk} from {date.recurrence_id}: {changes}")
        draft = self.draft(meeting, date, scope, **changes)
        asked = {"occurrence": date, "scope": scope, "draft": draft, "revision": meeting.revision}
        try:
            series.change(meeting=meeting, by=self.boss, now=self.now, **asked)
        except DraftRefused as refused:
            # Nothing happened then, to anybody.
            note(f"refused: {refused.errors}")

    # What the organiser does ------------------------------------------------------------------------------------

    @initialize(repeats=st.sampled_from(RULES[1:]), zone=st.sampled_from(ZONES), is_all_day=st.booleans())
    def begin(self, repeats: str, zone: str, is_all_day: bool) -> None:
        """A series with everybody, as most of what can go wrong needs one."""
        self.create_meeting(repeats, zone, is_all_day, set(GUESTS))
        self.mail()

    @precondition(lambda self: self.made < 3)
    @rule(
        repeats=st.sampled_from(RULES),
        zone=st.sampled_from(ZONES),
        is_all_day=st.booleans(),
        guests=st.sets(st.sampled_from(GUESTS), min_size=1),
    )
    def create(self, repeats: str, zone: str, is_all_day: bool, guests: set[str]) -> None:
        self.create_meeting(repeats, zone, is_all_day, guests)

    def create_meeting(self, repeats: str, zone: str, is_all_day: bool, guests: set[str]) -> None:
        self.made += 1
        self.now += dt.timedelta(minutes=1)
        draft = MeetingDraft(
            title=f"Réunion {self.made}",
            start_date=dt.date(2026, 10, 6),
            start_time=dt.time() if is_all_day else dt.time(10),
            time_zone=zone,
            minutes=24 * 60 if is_all_day else 60,
            is_all_day=is_all_day,
            rule=repeats,
            wants_room=False,
            wants_tchap=False,
            attendees=tuple(Invitee(email=email) for email in sorted(guests)),
        )
        schedule_meeting(by=self.boss, draft=draft, now=self.now)

    @precondition(lambda self: self.meetings())
    @rule(data=st.data(), minutes=MINUTES, scope=st.sampled_from(Scope))
    def move(self, data: Any, minutes: int, scope: Scope) -> None:
        drawn = self.draw(data)
        if drawn is not None:
            meeting, date = drawn
            later = 24 * 60 if meeting.is_all_day else minutes
            if scope != Scope.ONE and later % (24 * 60) == 0 and meeting.is_series and not meeting.is_all_day:
                later = 90
            if scope != Scope.ONE and meeting.is_series and meeting.is_all_day:
                return
            self.change(meeting, date, scope, minutes_later=later)

    @precondition(lambda self: self.meetings())
    @rule(data=st.data(), scope=st.sampled_from(Scope))
    def rename(self, data: Any, scope: Scope) -> None:
        drawn = self.draw(data)
        if drawn is not None:
            self.change(*drawn, scope, title=f"Titre {self.now:%H%M}", place=f"Salle {self.now:%M}")

    @precondition(lambda self: self.meetings())
    @rule(data=st.data(), scope=st.sampled_from(Scope), guests=st.sets(st.sampled_from(GUESTS)))
    def invite_others(self, data: Any, scope: Scope, guests: set[str]) -> None:
        """Adds some, removes some."""
        drawn = self.draw(data)
        if drawn is None:
            return
        meeting, date = drawn
        if scope == Scope.ONE:
            # Whoever is invited to another date alone can only be invited to the whole.
            elsewhere = meeting.attendees.filter(only_occurrence__isnull=False).exclude(only_occurrence=date)
            guests = guests - set(elsewhere.values_list("email", flat=True))
        self.change(meeting, date, scope, guests=sorted(guests))

    @precondition(lambda self: self.meetings())
    @rule(data=st.data(), zone=st.sampled_from(ZONES))
    def change_zone(self, data: Any, zone: str) -> None:
        drawn = self.draw(data)
        if drawn is not None:
            self.change(*drawn, Scope.ALL, time_zone=zone)

    @precondition(lambda self: self.meetings())
    @rule(data=st.data(), scope=st.sampled_from(Scope))
    def cancel(self, data: Any, scope: Scope) -> None:
        drawn = self.draw(data)
        if drawn is not None:
            meeting, date = drawn
            note(f"cancel {scope} of {meeting.pk} from {date.recurrence_id}")
            series.cancel(meeting=meeting, occurrence=date, scope=scope, by=self.boss, now=self.now)

    @precondition(lambda self: self.made)
    @rule()
    def take_back(self) -> None:
        """The last act of each meeting, where that is still offered."""
        for meeting in Meeting.objects.filter(organiser=self.boss).order_by("pk"):
            if undo_offer(meeting, self.boss, self.now) is not None:
                note(f"undo {meeting.pk}")
                undo(meeting=meeting, by=self.boss, now=self.now)

    # What the guests do -----------------------------------------------------------------------------------------

    @precondition(lambda self: self.meetings())
    @rule(data=st.data(), said=st.sampled_from(["accepted", "tentative", "declined"]), one_date=st.booleans())
    def respond(self, data: Any, said: str, one_date: bool) -> None:
        """In their own calendar, which tells the portal."""
        drawn = self.draw_known(data, one_date)
        if drawn is None:
            return
        meeting, date, guest, which = drawn
        note(f"{guest.email} answers {said} for {which}")
        answer(
            attendee=guest,
            answer=said,
            via="email",
            now=self.now,
            occurrence=date if which is not None and guest.only_occurrence_id is None else None,
        )
        self.calendars[guest.email].answer(meeting.uid, which, PARTSTAT[said])

    @precondition(lambda self: self.meetings())
    @rule(data=st.data(), accepted=st.booleans(), one_date=st.booleans())
    def counter(self, data: Any, accepted: bool, one_date: bool) -> None:
        """A guest proposes another time; the organiser takes it, or not (R20)."""
        drawn = self.draw_known(data, one_date)
        if drawn is None:
            return
        meeting, date, guest, which = drawn
        if meeting.is_all_day or (meeting.is_series and which is None):
            return
        later = dt.timedelta(minutes=45)
        counter = counters.propose(
            attendee=guest,
            occurrence=date if meeting.is_series else None,
            starts_at=date.starts_at + later,
            ends_at=date.ends_at + later,
            comment="",
            via="email",
            revision=meeting.revision,
            now=self.now,
        )
        note(f"{guest.email} counters {which}: {accepted}")
        if accepted:
            counters.accept(counter=counter, by=self.boss, now=self.now)
        else:
            counters.refuse(counter=counter, by=self.boss, now=self.now)

    def draw_known(self, data: Any, one_date: bool) -> tuple[Meeting, Occurrence, Attendee, Any] | None:
        """A date that is still ahead, of a guest whose calendar holds it as the portal does: all mail was read."""
        self.mail()
        drawn = self.draw(data)
        if drawn is None:
            return None
        meeting, date = drawn
        guest = data.draw(st.sampled_from(GUESTS), label="guest")
        attendee = meeting.attendees.filter(email=guest).first()
        if attendee is None or guest not in self.invited(meeting, date, own=True):
            return None
        alone = attendee.only_occurrence_id is not None
        which = which_of(meeting, date) if one_date or alone else None
        known = self.calendars[guest].has(meeting.uid, which)
        return (meeting, date, attendee, which) if known else None

    # And in the end ---------------------------------------------------------------------------------------------

    @rule(limit=st.sampled_from([1, 2, 50]), refused=st.sampled_from([None, *GUESTS]))
    def mail_some(self, limit: int, refused: str | None) -> None:
        """Some of what is due leaves; a server may ask for patience. It is read later."""
        note(f"mail {limit}, {refused} refused")
        if refused is not None:
            self.mailbox.refuse(refused, "451 4.3.0 Later", times=1)
        deliver(limit=limit, now=self.now)
        self.mailbox.behave()
        self.now += SENDING

    @rule()
    def mail(self) -> None:
        """Everything is sent and read; then nobody sees anything else than the portal."""
        self.now += UNDO
        while (
            waiting := Delivery.objects.filter(state__in=["owed", "sending"]).order_by("-due_at").first()
        ) is not None:
            self.now = max(self.now, waiting.due_at) + SENDING
            deliver(now=self.now)
        self.now += SENDING
        assert not Delivery.objects.exclude(state__in=["sent", "superseded"]).exists()
        fresh = [one for one in reversed(self.mailbox.messages(limit=500)) if one["id"] > self.read]
        for one in fresh:
            self.read = one["id"]
            [recipient] = one["recipients"]
            message = read(self.mailbox.raw(one["id"]))
            note(f"→ {recipient}: {message.method} {message.subject}")
            self.calendars[recipient].receive(message.ics)
        for email in GUESTS:
            expected, seen = self.portal(email), self.seen(email)
            assert seen == expected, (
                f"{email}'s calendar\nmissing {set(expected) - set(seen)}\ntoo many {set(seen) - set(expected)}"
            )

    def teardown(self) -> None:
        self.mail()

    @invariant()
    def nothing_is_told_twice_at_once(self) -> None:
        """At most one unsent invitation for each person and date."""
        owed = Delivery.objects.filter(state="owed", method="REQUEST").order_by("pk")
        keys = list(owed.values_list("meeting", "recipient", "recurrence_id"))
        assert len(keys) == len(set(keys))

    def seen(self, email: str) -> list[Shown]:
        """(The library answers what overlaps the window; the portal is asked for what starts in it.)"""
        found = self.calendars[email].shown(FIRST, LAST)
        return [one for one in found if str(FIRST) <= one.start < str(LAST)]

    def portal(self, email: str) -> list[Shown]:
        found = []
        for guest in Attendee.objects.filter(email=email, meeting__status="confirmed").select_related("meeting"):
            meeting = guest.meeting
            exceptions = {one.occurrence_id: one for one in AttendeeException.objects.filter(attendee=guest)}
            for date in meeting.occurrences.filter(status="confirmed"):
                own = exceptions.get(date.pk)
                if guest.only_occurrence_id not in (None, date.pk) or (own and own.removed):
                    continue
                found.append(self.as_shown(meeting, date, (own and own.answer) or guest.answer))
        return sorted(one for one in found if str(FIRST) <= one.start < str(LAST))

    def as_shown(self, meeting: Meeting, date: Occurrence, answered: str) -> Shown:
        start, end = (local(at, meeting.time_zone) for at in (date.starts_at, date.ends_at))
        return Shown(
            str(start.date()) if meeting.is_all_day else str(date.starts_at.astimezone(dt.UTC)),
            str(end.date()) if meeting.is_all_day else str(date.ends_at.astimezone(dt.UTC)),
            meeting.title if date.title is None else date.title,
            meeting.place if date.place is None else date.place,
            PARTSTAT[answered],
        )


def test_guests_calendars_end_as_the_portal_s(mailbox: Mailbox) -> None:
    boss = factories.agent("Karim", "Benali")
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        lambda: Edits(mailbox, boss),
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=14,
            deadline=None,
            derandomize="CALENDAR_RANDOM" not in os.environ,
            phases=PHASES,
            suppress_health_check=list(HealthCheck),
        ),
    )
