"""A day's scale of quarters, as the dashboard, the team's week and the planning form draw it. Pure."""

from __future__ import annotations

from dataclasses import dataclass

STEPS_AN_HOUR = 4
LAST_STEP = 24 * STEPS_AN_HOUR


@dataclass(frozen=True, slots=True)
class Steps:
    """A stretch of one day in quarters of wall clock: `start` (0 to 95) and `length` (1 or more), `start + length` ≤ 96."""

    start: int
    length: int

    @property
    def end(self) -> int:
        return self.start + self.length


class Scale:
    """What is drawn of a day: from `first_hour` to `last_hour`."""

    first_hour: int
    last_hour: int

    @property
    def first_step(self) -> int:
        return self.first_hour * STEPS_AN_HOUR

    @property
    def step_count(self) -> int:
        return (self.last_hour - self.first_hour) * STEPS_AN_HOUR
