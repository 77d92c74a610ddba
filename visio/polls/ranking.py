"""Which date suits best. Pure: counts in, an order out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from visio.polls.models import Choice


@dataclass(frozen=True, slots=True)
class Vote:
    """One answer for one date; `is_required`: whether the voter must be there."""

    choice: str
    is_required: bool = True


@dataclass(frozen=True, slots=True)
class Tally:
    """What was said of one date. `required_*` count those who must be there among `yes` and `if_need_be`."""

    starts_at: dt.datetime
    yes: int = 0
    if_need_be: int = 0
    no: int = 0
    required_yes: int = 0
    required_can: int = 0

    @property
    def can(self) -> int:
        return self.yes + self.if_need_be

    @property
    def answers(self) -> int:
        return self.can + self.no

    @property
    def merit(self) -> tuple[int, int, int, int]:
        """The greater the better: who must be there can, gladly; then whoever can, gladly."""
        return (self.required_can, self.required_yes, self.can, self.yes)


def tally(starts_at: dt.datetime, votes: Iterable[Vote]) -> Tally:
    """Count the votes for one date; their order says nothing."""
    listed = list(votes)

    def count(choice: str, *, required: bool = False) -> int:
        return sum(vote.choice == choice and (vote.is_required or not required) for vote in listed)

    required_yes = count(Choice.YES, required=True)
    return Tally(
        starts_at=starts_at,
        yes=count(Choice.YES),
        if_need_be=count(Choice.IF_NEED_BE),
        no=count(Choice.NO),
        required_yes=required_yes,
        required_can=required_yes + count(Choice.IF_NEED_BE, required=True),
    )


def ranked(tallies: Iterable[Tally]) -> list[Tally]:
    """Best first; of equals the earlier date."""
    by_date = sorted(tallies, key=lambda one: one.starts_at)
    return sorted(by_date, key=lambda one: one.merit, reverse=True)


def best(tallies: Sequence[Tally]) -> list[Tally]:
    """Those that no other beats, in order of their dates; none as long as no date suits anybody."""
    top = max((one.merit for one in tallies), default=(0, 0, 0, 0))
    if not any(top):
        return []
    return sorted((one for one in tallies if one.merit == top), key=lambda one: one.starts_at)
