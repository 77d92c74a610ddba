"""Send what the ledger owes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from visio.meetings.owing import owe_after_edit, owe_cancellations, owe_invitations, resend

__all__ = ["DeliveryReport", "deliver", "owe_after_edit", "owe_cancellations", "owe_invitations", "resend"]


@dataclass(frozen=True)
class DeliveryReport:
    """What one call of `deliver` did. `server_down`: stop calling, a later sweep will."""

    claimed: int = 0
    sent: int = 0
    retried: int = 0
    failed: int = 0
    superseded: int = 0
    server_down: bool = False


def deliver(*, limit: int = 50, now: dt.datetime) -> DeliveryReport:
    """Claim up to `limit` rows and send them."""
    return DeliveryReport()
