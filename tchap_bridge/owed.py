"""The owed rows: a room's row says that its homeserver is behind, who works on it, and when to try again."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Greatest

from tchap_bridge import pauses
from tchap_bridge.matrix import UNREACHABLE, MatrixError
from tchap_bridge.models import MemberState, RoomState, TchapMember, TchapRoom
from visio.meetings.models import Meeting, Occurrence, Status

# A worker that was killed holds its room for this long; a living one prolongs its claim with every step it records.
LEASE = timedelta(minutes=2)
BACK_OFF = (timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10), timedelta(hours=1))
# So many tries that fail while the homeserver answers: the room is set aside (about five hours later).
MOST_TRIES = 8
# Whoever was brought up to date this lately shows that the homeserver answers.
LATELY = timedelta(hours=1)
# A person without an account is looked up again after this long, as long as the meeting is ahead.
LOOK_AGAIN = timedelta(hours=12)


def new_alias(meeting: Meeting) -> str:
    return f"visio-{meeting.public_id.hex}"


def other_alias(meeting: Meeting) -> str:
    """A name that nobody can have foreseen, for when the usual one was taken by somebody else."""
    return f"{new_alias(meeting)}-{secrets.token_hex(4)}"


def owe_room(*, meeting_id: int, now: datetime) -> None:
    """Write down that the meeting's room is behind, in the caller's transaction; does nothing when it has and wants none."""
    # No savepoint: a fault here is the fault of the whole change.
    with transaction.atomic(savepoint=False):
        room = TchapRoom.objects.select_for_update().filter(meeting_id=meeting_id).first()
        meeting = Meeting.objects.only("pk", "public_id", "wants_tchap", "status", "revision").get(pk=meeting_id)
        if room is not None:
            _owe(room, now=now, meeting_revision=meeting.revision)
        elif meeting.wants_tchap and not meeting.is_cancelled:
            made = TchapRoom(
                meeting=meeting, alias_localpart=new_alias(meeting), due_at=now, meeting_revision=meeting.revision
            )
            TchapRoom.objects.bulk_create([made], ignore_conflicts=True)


def _owe(room: TchapRoom, *, now: datetime, meeting_revision: int) -> None:
    room.wanted += 1
    room.meeting_revision = meeting_revision
    if room.state in (RoomState.APPLIED, RoomState.CLOSED):
        room.state = RoomState.OWED
        room.due_at = now
    # An owed room keeps its hour: it may be waiting because the homeserver said so. A refused one waits for an administrator.
    room.save(update_fields=["wanted", "meeting_revision", "state", "due_at"])


def owe_again(*, room_id: int, now: datetime) -> None:
    """Like `owe_room` for a room that is there, when no meeting changed (an answer to give)."""
    with transaction.atomic():
        room = TchapRoom.objects.select_for_update().get(pk=room_id)
        _owe(room, now=now, meeting_revision=room.meeting_revision)


def owe_rolled(*, now: datetime, limit: int = 500) -> int:
    """Owe the rooms of series whose shown date is over; how many. Two statements, through the index of those rooms."""
    return _owe_applied(
        TchapRoom.objects.filter(state=RoomState.APPLIED, rolls_at__lte=now).order_by("rolls_at", "pk")[:limit], now=now
    )


def _owe_applied(rooms: QuerySet[TchapRoom], *, now: datetime) -> int:
    """Owe those of the rooms that are up to date and in nobody's hands. Two statements, however many."""
    with transaction.atomic():
        found = TchapRoom.objects.select_for_update(skip_locked=True).filter(
            pk__in=list(rooms.values_list("pk", flat=True)), state=RoomState.APPLIED
        )
        ids = list(found.order_by("pk").values_list("pk", flat=True))
        return TchapRoom.objects.filter(pk__in=ids).update(wanted=F("wanted") + 1, state=RoomState.OWED, due_at=now)


def owe_missed(*, now: datetime, limit: int = 500) -> int:
    """Owe rooms whose meeting is ahead and was changed without a fact (rows written by other means); how many.

    Compares every meeting that wants a room with its room: seconds on a large database, so not for every sweep.
    """
    ahead = Exists(Occurrence.objects.filter(meeting=OuterRef("pk"), ends_at__gt=now))
    without = Q(wants_tchap=True, status=Status.CONFIRMED, tchap_room=None)
    behind = Q(tchap_room__isnull=False) & ~Q(tchap_room__meeting_revision=F("revision"))
    # A series whose room does not know when to roll on.
    stuck = Q(is_series=True, tchap_room__state=RoomState.APPLIED, tchap_room__rolls_at=None)
    meetings = Meeting.objects.filter(without | behind | stuck).filter(ahead).order_by("pk")
    meeting_ids = list(meetings.values_list("pk", flat=True)[:limit])
    for meeting_id in meeting_ids:
        owe_room(meeting_id=meeting_id, now=now)
    return len(meeting_ids)


def owe_look_ups(*, now: datetime, limit: int = 100) -> None:
    """Owe rooms with somebody who had no account when last looked up, if the meeting is ahead: they may have one now."""
    stale = TchapMember.objects.filter(state=MemberState.NO_ACCOUNT, looked_up_at__lt=now - LOOK_AGAIN)
    ahead = Occurrence.objects.filter(meeting=OuterRef("meeting"), ends_at__gt=now)
    rooms = TchapRoom.objects.filter(state=RoomState.APPLIED, pk__in=stale.values("room_id")).filter(Exists(ahead))
    _owe_applied(rooms.order_by("pk")[:limit], now=now)


def wake_waiting(*, now: datetime) -> None:
    """The homeserver answers again: whoever waits because it could not be reached is due now."""
    waiting = TchapRoom.objects.filter(state=RoomState.OWED, due_at__gt=now, last_error__startswith=UNREACHABLE)
    if pauses.held_until(now=now) is None:
        pauses.set_due(waiting, due_at=now)


def hold_back(*, now: datetime) -> bool:
    """Whether the homeserver wants to hear nothing now; every room that would be due before it does is put off until then."""
    until = pauses.held_until(now=now)
    if until is None:
        return False
    pauses.set_due(TchapRoom.objects.filter(state=RoomState.OWED, due_at__lt=until), due_at=until)
    return True


def due_rooms(*, now: datetime, limit: int) -> list[int]:
    """Ids of rooms to reconcile now, the longest due first; not those somebody works on."""
    free = Q(claimed_until=None) | Q(claimed_until__lt=now)
    rooms = TchapRoom.objects.filter(free, state=RoomState.OWED, due_at__lte=now)
    return list(rooms.order_by("due_at", "pk").values_list("pk", flat=True)[:limit])


def due_rooms_of(*, meeting_id: int, now: datetime) -> list[int]:
    """The id of the meeting's room when it is due, as a list of none or one."""
    rooms = TchapRoom.objects.filter(meeting_id=meeting_id, state=RoomState.OWED, due_at__lte=now)
    return list(rooms.values_list("pk", flat=True))


def retry(room: TchapRoom, *, now: datetime) -> None:
    """An administrator says "try again": the room is due at once, or when the homeserver's limit ends; ring for it after it.

    Where the bot's token was refused, that was every room's trouble: all of them are due.
    """
    due_at = pauses.held_until(now=now) or now
    again = Q(pk=room.pk)
    if pauses.is_locked_out():
        again |= pauses.LOCKED_OUT & Q(state=RoomState.REFUSED)
        pauses.set_due(TchapRoom.objects.filter(state=RoomState.OWED, due_at__lt=due_at), due_at=due_at)
    with transaction.atomic():
        rooms = list(TchapRoom.objects.select_for_update().filter(again).order_by("pk").values_list("pk", flat=True))
        TchapRoom.objects.filter(pk__in=rooms).update(
            state=RoomState.OWED, due_at=due_at, attempts=0, wanted=Greatest(F("wanted"), F("applied") + 1)
        )


class ClaimLost(Exception):
    """The lease ran out and somebody else has the room: stop without another word."""


@dataclass
class Claim:
    """One worker's hold on one room. `room` is its row as read at the claim and kept up to date by `record`."""

    room: TchapRoom
    until: datetime
    now: datetime
    started: float = field(default_factory=time.monotonic)

    def clock(self) -> datetime:
        """`now` plus the time this work has taken."""
        return self.now + timedelta(seconds=time.monotonic() - self.started)

    def record(self, **columns: Any) -> None:
        """Save these columns of the room and prolong the claim; ClaimLost when it is no longer ours."""
        until = self.clock() + LEASE
        mine = TchapRoom.objects.filter(pk=self.room.pk, claimed_until=self.until)
        if not mine.update(**columns, claimed_until=until):
            raise ClaimLost
        self.until = until
        for name, value in columns.items():
            setattr(self.room, name, value)

    def show(self, **shown: Any) -> None:
        """Record what the room shows now."""
        self.record(shown={**self.room.shown, **shown})


def claim(*, room_id: int, now: datetime) -> Claim | None:
    """Take the room to work on it alone; None when nothing is due, somebody has it, or the whole bot keeps quiet."""
    if pauses.is_locked_out() or hold_back(now=now):
        return None
    free = Q(claimed_until=None) | Q(claimed_until__lt=now)
    with transaction.atomic():
        rooms = TchapRoom.objects.select_for_update(skip_locked=True)
        room = rooms.filter(free, pk=room_id, state=RoomState.OWED, due_at__lte=now, wanted__gt=F("applied")).first()
        if room is None:
            return None
        room.claimed_until = now + LEASE
        room.save(update_fields=["claimed_until"])
    return Claim(room=room, until=room.claimed_until, now=now)


def finish(claim: Claim, *, state: RoomState, more: bool = False, rolls_at: datetime | None = None) -> bool:
    """The room shows what was wanted at the claim. True when it is owed again: it changed meanwhile, or `more` is left.

    `rolls_at`: when the room must be looked at again although nothing was changed.
    """
    with transaction.atomic():
        room = _held(claim)
        again = more or room.wanted > claim.room.wanted
        room.state = RoomState.OWED if again else state
        room.applied = claim.room.applied if more else claim.room.wanted
        room.applied_at = claim.clock()
        room.due_at = claim.now if again else room.due_at
        room.attempts = 0
        room.last_error = ""
        room.claimed_until = None
        room.rolls_at = rolls_at
        columns = ["state", "applied", "applied_at", "due_at", "attempts", "last_error", "claimed_until", "rolls_at"]
        room.save(update_fields=columns)
    return again


def set_aside(claim: Claim, error: MatrixError) -> RoomState:
    """The homeserver said no: later when it may help (never before it allows), else refused until an administrator acts.

    A limit puts off every room, and is no failed try of this one.
    """
    is_limit = error.status == 429
    with transaction.atomic():
        room = _held(claim)
        room.last_error = str(error)[:500]
        room.claimed_until = None
        if not is_limit:
            room.attempts = _tries(room, error, now=claim.clock())
        if error.permanent or room.attempts >= MOST_TRIES:
            room.state = RoomState.REFUSED
        else:
            room.due_at = claim.clock() + (error.retry_after or BACK_OFF[max(min(room.attempts, len(BACK_OFF)), 1) - 1])
        room.save(update_fields=["state", "due_at", "attempts", "last_error", "claimed_until"])
    if is_limit:
        hold_back(now=claim.clock())
    return RoomState(room.state)


def put_back(claim: Claim, *, until: datetime) -> None:
    """Nothing is to be said before `until`: the room is as it was, owed and free, and due then."""
    with transaction.atomic():
        room = _held(claim)
        room.claimed_until, room.due_at = None, until
        room.save(update_fields=["claimed_until", "due_at"])


def _tries(room: TchapRoom, error: MatrixError, *, now: datetime) -> int:
    """The failed tries with this one. An outage lengthens the wait and counts no further: it is not the room's failure."""
    if error.permanent or error.errcode or room.attempts < len(BACK_OFF):
        return room.attempts + 1
    others = TchapRoom.objects.exclude(pk=room.pk).filter(applied_at__gt=now - LATELY)
    answers = not error.words.startswith(UNREACHABLE) and others.exists()
    return room.attempts + 1 if answers else room.attempts


def is_refused(meeting_id: int) -> bool:
    """Whether this meeting's room waits for an administrator."""
    return TchapRoom.objects.filter(meeting=meeting_id, state=RoomState.REFUSED).exists()


def _held(claim: Claim) -> TchapRoom:
    room = TchapRoom.objects.select_for_update().filter(pk=claim.room.pk, claimed_until=claim.until).first()
    if room is None:
        raise ClaimLost
    return room
