"""When the whole bot keeps quiet: a limit and a refused token are about all its rooms. The rooms' own rows say so."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Max, Q, QuerySet

from tchap_bridge.models import RoomState, TchapRoom

# How the homeserver's words begin in a row (see MatrixError).
LIMITED = Q(last_error__startswith="429 ")
LOCKED_OUT = Q(last_error__startswith="401 ")


class Held(Exception):
    """The homeserver asked the bot to be quiet until `until`: no request of any room before it."""

    def __init__(self, until: datetime) -> None:
        self.until = until
        super().__init__(until.isoformat())


def held_until(*, now: datetime) -> datetime | None:
    """Until when the homeserver wants to hear nothing; None when it set no limit. Reads the index of owed rooms."""
    limited = TchapRoom.objects.filter(LIMITED, state=RoomState.OWED, due_at__gt=now)
    until: datetime | None = limited.aggregate(until=Max("due_at"))["until"]
    return until


def check(*, now: datetime) -> None:
    """Held when the bot must not ask anything at `now`."""
    until = held_until(now=now)
    if until is not None:
        raise Held(until)


def is_locked_out() -> bool:
    """Whether the homeserver refused the bot's token, and no administrator has said "try again" since."""
    return TchapRoom.objects.filter(LOCKED_OUT, state=RoomState.REFUSED).exists()


def set_due(rooms: QuerySet[TchapRoom], *, due_at: datetime) -> None:
    """Change the hour of several rooms; those that somebody holds are left to them, so that nobody waits for two rooms."""
    with transaction.atomic():
        free = list(rooms.select_for_update(skip_locked=True).order_by("pk").values_list("pk", flat=True))
        TchapRoom.objects.filter(pk__in=free).update(due_at=due_at)
