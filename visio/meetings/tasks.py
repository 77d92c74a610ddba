"""Celery's way in: the doorbell and the sweep. Both send whatever is owed, so a lost or doubled ring changes nothing."""

from __future__ import annotations

import logging
import time

from celery import shared_task
from django.utils import timezone

from suite.core import doorbell
from visio.meetings import invitations
from visio.meetings.models import Delivery

logger = logging.getLogger(__name__)

# Well under the broker's visibility_timeout (60 s), after which a task that still runs is handed out a second time.
_LONGEST_SECONDS = 30.0


@shared_task(name="visio.deliver_invitations")
def deliver_invitations() -> None:
    """Send what is owed, batch after batch; when time is up and rows are left, ring again.

    A full first batch means that there is more than one sender's work: it calls one more, who may call the next.
    """
    stop_at = time.monotonic() + _LONGEST_SECONDS
    alone = True
    while time.monotonic() < stop_at:
        if alone and Delivery.objects.due(timezone.now()).order_by()[invitations.BATCH :].exists():
            doorbell.ring(deliver_invitations)
            alone = False
        report = invitations.deliver(now=timezone.now())
        if not report.claimed or report.server_down:
            return
    doorbell.ring(deliver_invitations)


@shared_task(name="visio.sweep_deliveries")
def sweep_deliveries() -> None:
    """The guarantee behind the doorbell: rows whose ring was lost, whose sender died, or whose retry is due."""
    if Delivery.objects.due(timezone.now()).exists():
        deliver_invitations()
