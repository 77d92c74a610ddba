"""Facts about agents that others may hear. Past tense, frozen, ids only."""

from dataclasses import dataclass


@dataclass(frozen=True)
class AvailabilityChanged:
    """An agent's working hours or absences are others now."""

    agent_id: int


@dataclass(frozen=True)
class AddressProven:
    """The identity provider vouches for an agent's address, which the portal did not know as theirs before."""

    agent_id: int
