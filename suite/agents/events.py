"""Facts about agents that others may hear. Past tense, frozen, ids only."""

from dataclasses import dataclass


@dataclass(frozen=True)
class AvailabilityChanged:
    """An agent's working hours or absences are others now."""

    agent_id: int
