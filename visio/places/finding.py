"""Find a room: what is free, what it says about itself now, and what else there is when the wanted one is taken."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db.models import F, Q, QuerySet

from suite.agents.folding import fold
from suite.agents.models import Agent
from visio.places.models import Resource, ResourceKind
from visio.places.permissions import bookable_by
from visio.places.queries import Span, busy_pieces, taken_spans

ALTERNATIVES = 3
# So many resources are looked at for one answer, however many the organisation has.
MOST_LOOKED_AT = 500
# What the list says of today goes no further.
AHEAD = dt.timedelta(hours=24)


@dataclass(frozen=True)
class Wishes:
    """What somebody looks for. `features`: all of them; `text`: words of the name, the site or the floor."""

    text: str = ""
    site: str = ""
    kind: str | None = None
    capacity: int | None = None
    features: tuple[str, ...] = ()


def wished(viewer: Agent, wishes: Wishes) -> QuerySet[Resource]:
    """The viewer's resources that fit, whether free or not, the smallest that is large enough first. A site is exact."""
    found = bookable_by(viewer)
    if wishes.kind:
        found = found.filter(kind=wishes.kind)
    if wishes.site:
        found = found.filter(site=wishes.site)
    if wishes.capacity:
        # Equipment has no seats to be short of.
        found = found.filter(Q(capacity__gte=wishes.capacity) | ~Q(kind=ResourceKind.ROOM))
    if wishes.features:
        found = found.filter(features__contains=list(wishes.features))
    words = fold(wishes.text).split()
    if words:
        named = bookable_by(viewer).order_by().values_list("pk", "name", "site", "floor")
        found = found.filter(
            pk__in=[pk for pk, *texts in named if all(word in fold(" ".join(texts)) for word in words)]
        )
    return found.order_by(F("capacity").asc(nulls_last=True), "site", "name", "pk")


def free_resources(
    viewer: Agent,
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    *,
    capacity: int | None = None,
    features: Collection[str] = (),
    kind: str | None = None,
    site: str = "",
    except_meeting: int | None = None,
) -> list[Resource]:
    """The viewer's own organisation's resources that nobody has in [starts_at, ends_at), the smallest fitting first."""
    wishes = Wishes(site=site, kind=kind, capacity=capacity, features=tuple(features))
    found = list(wished(viewer, wishes)[:MOST_LOOKED_AT])
    taken = taken_spans([one.pk for one in found], [(starts_at, ends_at)], except_meeting=except_meeting)
    return [one for one in found if one.pk not in taken]


@dataclass(frozen=True)
class Choice:
    """One resource for all the dates asked. `taken`: the dates that it cannot have; `others`: what is free instead."""

    resource: Resource
    taken: tuple[Span, ...] = ()
    others: tuple[Resource, ...] = ()

    @property
    def is_free(self) -> bool:
        return not self.taken


def choices(
    found: Sequence[Resource], spans: Sequence[Span], *, seats: int = 0, except_meeting: int | None = None
) -> list[Choice]:
    """`found` with what each can have of `spans`: free ones first, each group in the order given. One statement.

    `others` come from `found` itself, so give all that the viewer may book.
    """
    taken = taken_spans([one.pk for one in found], spans, except_meeting=except_meeting)
    free = [one for one in found if one.pk not in taken]
    held = [
        Choice(one, tuple(taken[one.pk]), tuple(alternatives(one, free, seats=seats)))
        for one in found
        if one.pk in taken
    ]
    return [*(Choice(one) for one in free), *held]


def alternatives(
    taken: Resource, free: Sequence[Resource], *, seats: int = 0, limit: int = ALTERNATIVES
) -> list[Resource]:
    """Up to `limit` of `free` to have instead: of the same kind and site, with enough seats, nearest in capacity and features.

    Enough: for `seats` people when that is known, else as many as the taken one has. Other sites only when the same has none.
    """
    enough = seats or taken.capacity or 0
    fitting = [
        one
        for one in free
        if one.kind == taken.kind and one.pk != taken.pk and (one.capacity is None or one.capacity >= enough)
    ]
    near = [one for one in fitting if one.site == taken.site] or fitting
    size = taken.capacity or enough

    def distance(one: Resource) -> tuple[int, int, bool, str, int]:
        missing = len(set(taken.features) - set(one.features))
        # Who does not say how many seats it has comes last.
        off = abs(one.capacity - size) if one.capacity is not None else 1_000_000
        return (off, missing, one.needs_approval, one.name, one.pk)

    return sorted(near, key=distance)[:limit]


@dataclass(frozen=True)
class NowState:
    """Whether it is free at one instant, and until when: None for "the next 24 hours at least"."""

    is_free: bool
    until: dt.datetime | None


def states_at(resources: Sequence[Resource], at: dt.datetime) -> dict[int, NowState]:
    """{resource: its state at that instant}. One statement."""
    pieces = busy_pieces([one.pk for one in resources], at, at + AHEAD)
    return {one.pk: _state(pieces.get(one.pk, []), at) for one in resources}


def _state(pieces: Sequence[Span], at: dt.datetime) -> NowState:
    for start, end in pieces:
        if start <= at < end:
            return NowState(False, end)
        if start > at:
            return NowState(True, start)
    return NowState(True, None)


def sites_of(viewer: Agent) -> list[str]:
    """The sites of the viewer's resources, in order."""
    return list(bookable_by(viewer).exclude(site="").order_by("site").values_list("site", flat=True).distinct())
