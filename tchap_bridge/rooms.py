"""Bring a meeting's Tchap room to its desired state: compare, apply the difference, write down what is shown.

Safe to repeat and to interrupt anywhere: every step either is idempotent on the homeserver (the alias, state events,
invitations) or has its identity fixed in the database first (messages). Run twice, it makes no request the second time.
"""

from __future__ import annotations

import logging
import uuid
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum

from django.db import transaction

from suite.live import push
from tchap_bridge import desired, owed, pauses
from tchap_bridge.contents import MESSAGE_KEY, columns, message_content
from tchap_bridge.desired import RoomWanted
from tchap_bridge.facts import MeetingFacts, client_url, read_facts
from tchap_bridge.handover import is_taken_over, take_over
from tchap_bridge.matrix import (
    Event,
    Matrix,
    MatrixAccess,
    MatrixError,
    NewRoom,
    StateContent,
    configured_access,
)
from tchap_bridge.members import Members
from tchap_bridge.messages import Text
from tchap_bridge.models import RoomState, TchapMessage, TchapRoom
from tchap_bridge.news import news, remembered
from visio.meetings.links import attach_link, detach_link
from visio.meetings.models import Attendee, ChangeKind, Meeting, MeetingChange

logger = logging.getLogger(__name__)

# The link's label on the meeting, and the topic of open pages.
LABEL = "tchap"
CARD = "card"
# A task must end well within Celery's visibility time-out: more people than this are left to the next run.
MEMBERS_PER_RUN = 100


class Outcome(StrEnum):
    NOTHING = "nothing"  # not due, held by somebody else, or no homeserver configured
    DONE = "done"
    AGAIN = "again"  # done, and owed again already
    HELD = "held"  # the meeting's last change may still be taken back: nothing was said of it
    WAITING = "waiting"  # a temporary error: the row says when to try again
    REFUSED = "refused"  # a permanent one: an administrator must act


def reconcile(*, room_id: int, now: datetime, most_invited: int = MEMBERS_PER_RUN) -> Outcome:
    """Apply to the homeserver what the room `room_id` (TchapRoom) owes, if it is due; invite at most so many people."""
    access = configured_access()
    if access is None:
        return Outcome.NOTHING
    claim = owed.claim(room_id=room_id, now=now)
    if claim is None:
        return Outcome.NOTHING
    try:
        return _work(access, claim, most_invited)
    except owed.ClaimLost:
        return Outcome.NOTHING


def _work(access: MatrixAccess, claim: owed.Claim, most_invited: int) -> Outcome:
    """Work on a claimed room until it is as wanted, or the homeserver says no; ClaimLost when it is no longer ours."""
    try:
        with Matrix(access, before=lambda: pauses.check(now=claim.clock())) as matrix:
            result = _Reconciliation(matrix, claim, most_invited).run_or_rejoin()
        owed.wake_waiting(now=claim.now)
        again = owed.finish(claim, state=result.state, more=result.more, rolls_at=result.rolls_at)
        if claim.room.applied == 0 or result.state == RoomState.CLOSED:
            _tell_pages(claim.room)
        return Outcome.AGAIN if again else Outcome.DONE
    except pauses.Held as held:
        owed.put_back(claim, until=held.until)
        return Outcome.WAITING
    except _Undoable as act:
        owed.put_back(claim, until=act.until)
        return Outcome.HELD
    except MatrixError as error:
        if owed.set_aside(claim, error) == RoomState.REFUSED:
            # Never the words: they may hold an address.
            logger.error("tchap room %s is refused: %s %s", claim.room.pk, error.status, error.errcode)
            _tell_pages(claim.room)
            return Outcome.REFUSED
        logger.warning("tchap room %s waits: %s %s", claim.room.pk, error.status, error.errcode)
        return Outcome.WAITING


def _tell_pages(room: TchapRoom) -> None:
    """The attendees' open pages show the room's state: opened, closed, refused."""
    people = Attendee.objects.filter(meeting=room.meeting_id, agent__isnull=False).order_by()
    push.nudge([pk for pk in people.values_list("agent_id", flat=True) if pk is not None], LABEL)


def is_configured() -> bool:
    """Whether there is a homeserver at all; without one, rooms stay owed."""
    return configured_access() is not None


@dataclass(frozen=True)
class _Result:
    """What a run left: the state the room is in, whether people are left to invite, when its next date is to be shown."""

    state: RoomState
    more: bool = False
    rolls_at: datetime | None = None


class _Undoable(Exception):
    """The meeting's last change may be taken back until `until`: the room hears of it then."""

    def __init__(self, until: datetime) -> None:
        self.until = until
        super().__init__(until.isoformat())


class _Reconciliation:
    """One run over one claimed room."""

    def __init__(self, matrix: Matrix, claim: owed.Claim, most_invited: int) -> None:
        self.matrix = matrix
        self.claim = claim
        self.most_invited = most_invited
        self.members = Members(matrix, claim)
        self.room: TchapRoom = claim.room

    def run_or_rejoin(self) -> _Result:
        """Run; refused because we are out of the room, accept the invitation there may be and run again, once."""
        try:
            return self.run()
        except MatrixError as error:
            if error.status != 403 or not self.room.room_id:
                raise
            try:
                self.matrix.join(self.room.room_id)
            except MatrixError as not_invited:
                if not not_invited.permanent:
                    raise
                raise error from not_invited
            return self.run()

    def run(self) -> _Result:
        facts = read_facts(self.room.meeting_id, self.claim.now)
        if facts.held_until is not None:
            # What was owed before is said all the same: an answer, say.
            if self.room.room_id:
                self._say()
            raise _Undoable(facts.held_until)
        wanted = desired.wanted_room(facts)
        expected = take_over(self.claim, facts) if not self.room.room_id and not wanted.closed else None
        if expected is not None:
            self._link(facts, expected.alias_localpart)
            raise pauses.Held(expected.at)
        if not self.room.room_id:
            if wanted.closed or facts.is_over:
                if not facts.wants_tchap:
                    # The link to the room that would have become its own.
                    self._link(facts, "")
                return _Result(RoomState.CLOSED)
            self._create_or_adopt(wanted)
        elif is_taken_over(facts, self.room.shown.get("told", {})):
            # The meeting that continues this one takes the room as it is, and tells what changed.
            return _Result(RoomState.APPLIED)
        self._owe_news(facts)
        self._name(wanted)
        self._pin(wanted)
        self._link(facts, self.room.alias_localpart)
        more = self.members.bring(facts, wanted, most=self.most_invited)
        self.members.give_powers(wanted)
        self._say()
        return _Result(RoomState.CLOSED if wanted.closed else RoomState.APPLIED, more, desired.rolls_at(facts))

    # --- the room itself ----------------------------------------------------------------------------------------
    def _create_or_adopt(self, wanted: RoomWanted) -> None:
        new = NewRoom(
            alias_localpart=self.room.alias_localpart,
            name=wanted.name,
            topic=wanted.topic,
            initial_state=desired.INITIAL_STATE,
            power_levels=desired.POWER_LEVELS,
        )
        try:
            room_id = self.matrix.create_room(new)
        except MatrixError as error:
            if error.errcode != "M_ROOM_IN_USE":
                raise
            self._adopt()
        else:
            self.claim.record(room_id=room_id, shown={"name": wanted.name, "topic": wanted.topic, "told": wanted.told})

    def _adopt(self) -> None:
        """An earlier try created the room and its answer was lost, or it died half-way, or somebody took the name."""
        alias = f"#{self.room.alias_localpart}:{self.matrix.access.server_name}"
        room_id = self.matrix.room_of_alias(alias)
        state = self._state_if_ours(room_id) if room_id is not None else None
        if room_id is None or state is None:
            # Nothing of ours behind the alias: free it if it is ours to free, and begin again under a name nobody can foresee.
            self._abandon_alias(alias)
            raise MatrixError("M_ROOM_IN_USE", 400, f"{alias} leads to no room of ours", permanent=False)
        there = {(event.type, event.state_key) for event in state}
        missing = [*desired.INITIAL_STATE, desired.JOIN_RULES]
        missing.append(StateContent("m.room.canonical_alias", {"alias": alias}))
        for content in missing:
            if (content.type, content.state_key) not in there:
                self.matrix.put_state(room_id, content)
        self.claim.record(room_id=room_id, shown={})

    def _state_if_ours(self, room_id: str) -> tuple[Event, ...] | None:
        """The room's state when we created it and are in it, else None."""
        try:
            state = self.matrix.state(room_id)
        except MatrixError as error:
            if error.status in (403, 404):
                return None
            raise
        me = self.matrix.whoami()
        creators = [event.sender for event in state if event.type == "m.room.create"]
        # Who left may still read the state as it was then.
        is_in = any(
            event.type == "m.room.member" and event.state_key == me and event.content.get("membership") == "join"
            for event in state
        )
        return state if is_in and creators == [me] else None

    def _abandon_alias(self, alias: str) -> None:
        try:
            self.matrix.forget_alias(alias)
        except MatrixError as error:
            if not error.permanent:
                raise
            meeting = Meeting.objects.only("public_id").get(pk=self.room.meeting_id)
            self.claim.record(alias_localpart=owed.other_alias(meeting))

    # --- what it shows ------------------------------------------------------------------------------------------
    def _name(self, wanted: RoomWanted) -> None:
        for name, value in (("name", wanted.name), ("topic", wanted.topic)):
            if self.room.shown.get(name) != value:
                self.matrix.put_state(self.room.room_id, StateContent(f"m.room.{name}", {name: value}))
                self.claim.show(**{name: value})

    def _pin(self, wanted: RoomWanted) -> None:
        """The pinned message is sent once and edited afterwards, so that it stays where people found it."""
        card = asdict(wanted.card)
        message, _made = TchapMessage.objects.get_or_create(
            room=self.room, about=CARD, defaults=columns(wanted.card, quiet=True)
        )
        if not message.event_id:
            self._send(message)
            self.claim.show(card={"body": message.body, "html": message.formatted_body})
        if self.room.shown.get("card") != card:
            self._send(self._edit_owed(wanted.card, message.event_id))
            self.claim.show(card=card)
        if self.room.shown.get("pinned") != message.event_id:
            pinned = StateContent("m.room.pinned_events", {"pinned": [message.event_id]})
            self.matrix.put_state(self.room.room_id, pinned)
            self.claim.show(pinned=message.event_id)

    def _edit_owed(self, text: Text, card_event_id: str) -> TchapMessage:
        """The row of the pinned message's edit to `text`: the one of an interrupted try, else a new one."""
        unsent = TchapMessage.objects.filter(room=self.room, about__startswith=f"{CARD}:", event_id="")
        edit = unsent.filter(body=text.body, formatted_body=text.html).first()
        # An edit to an older text, sent after this one, would win.
        (unsent.exclude(pk=edit.pk) if edit else unsent).delete()
        return edit or TchapMessage.objects.create(
            room=self.room,
            about=f"{CARD}:{uuid.uuid4().hex}",
            **columns(text, quiet=True, replaces=card_event_id),
        )

    def _link(self, facts: MeetingFacts, alias_localpart: str) -> None:
        """Hang the room on the meeting's page (and take it down when the organiser no longer wants it)."""
        meeting = Meeting.objects.get(pk=facts.meeting_id)
        url = client_url(alias_localpart=alias_localpart) if facts.wants_tchap else ""
        there = meeting.links.filter(label=LABEL).values_list("url", flat=True).first() or ""
        if url == there:
            return
        # Not within a transaction that holds the room's row: an edit locks the meeting first and the room after it.
        with transaction.atomic():
            if url:
                attach_link(meeting=meeting, label=LABEL, url=url)
                if not there and not meeting.changes.filter(kind=ChangeKind.TCHAP_LINKED).exists():
                    MeetingChange.objects.create(
                        meeting=meeting, at=self.claim.now, kind=ChangeKind.TCHAP_LINKED, revision=meeting.revision
                    )
            else:
                detach_link(meeting=meeting, label=LABEL)

    # --- what is said -------------------------------------------------------------------------------------------
    def _owe_news(self, facts: MeetingFacts) -> None:
        """Write down the messages that the difference makes, together with the fact that the room is (to be) told."""
        told = self.room.shown.get("told", {})
        now = remembered(facts, told)
        if told == now:
            return
        with transaction.atomic():
            # The room's row first, its messages after it, as everywhere.
            self.claim.show(told=now)
            for about, text in news(facts, told):
                TchapMessage.objects.get_or_create(room=self.room, about=about, defaults=columns(text))

    def _say(self) -> None:
        for message in TchapMessage.objects.filter(room=self.room, event_id="").order_by("pk"):
            self._send(message)

    def _send(self, message: TchapMessage) -> None:
        event_id = self._found_in_room(message) if message.tried_at is not None else None
        if event_id is None:
            TchapMessage.objects.filter(pk=message.pk).update(tried_at=self.claim.clock())
            event_id = self.matrix.send(
                self.room.room_id, message_content(message), transaction_id=str(message.transaction_id)
            )
        message.event_id = event_id
        message.save(update_fields=["event_id"])
        self.claim.record()

    def _found_in_room(self, message: TchapMessage) -> str | None:
        """The event of an earlier try whose answer was lost."""
        for event in self.matrix.latest_messages(self.room.room_id):
            if event.content.get(MESSAGE_KEY) == str(message.transaction_id) and event.sender == self.matrix.whoami():
                return event.event_id
        return None
