"""Celery's way in: the doorbell and the sweep. Both send whatever is owed, so a lost or doubled ring changes nothing."""

from __future__ import annotations

import datetime as dt
import logging
import math
import time

from celery import shared_task
from django.utils import timezone

from suite.core import doorbell
from suite.mail import throttle
from suite.mail.smtp import close_idle
from visio.meetings import horizon, invitations
from visio.meetings.exception_models import Undo
from visio.meetings.models import Delivery

logger = logging.getLogger(__name__)

# Well under the broker's visibility_timeout (60 s), after which a task that still runs is handed out a second time.
_LONGEST_SECONDS = 30.0
# Rows due within this time are waited for (a limited domain's next slots, a cancel that may still be undone).
_SOON_SECONDS = 12.0
# Woken a little early, it would find nothing and nobody would ring for that second again.
_AFTER_THE_SECOND = 0.05


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
        looked_at = timezone.now()
        report = invitations.deliver(now=looked_at)
        if not report.claimed or report.server_down:
            # The connection served batch after batch; idle, it is the server's again.
            close_idle()
            ring_for_what_is_due_soon(after=timezone.now() if report.server_down else looked_at)
            return
    doorbell.ring(deliver_invitations)


def ring_for_what_is_due_soon(*, after: dt.datetime) -> None:
    """Rows put back for a moment do not wait for the next sweep: one ring for each second in which some are due.

    `after`: when this sender last looked. A row that fell due since, while it was leaving, is nobody else's to see.
    """
    now = timezone.now()
    due_at = invitations.next_due(after)
    if due_at is None or (due_at - now).total_seconds() > _SOON_SECONDS:
        return
    # Slots come one by one: those of a second go together, at its end.
    second = math.ceil(due_at.timestamp())
    if throttle.may_wake(second):
        doorbell.ring(deliver_invitations, countdown=max(0.0, second - now.timestamp()) + _AFTER_THE_SECOND)


@shared_task(name="visio.extend_series")
def extend_series() -> None:
    """Keep every series' dates a horizon ahead; forget how to undo what can be undone no more."""
    stop_at = time.monotonic() + _LONGEST_SECONDS
    while horizon.extend_series(now=timezone.now()):
        if time.monotonic() >= stop_at:
            doorbell.ring(extend_series)
            return
    Undo.objects.filter(until__lt=timezone.now()).delete()


@shared_task(name="visio.sweep_deliveries")
def sweep_deliveries() -> None:
    """The guarantee behind the doorbell: rows whose ring was lost, whose sender died, or whose retry is due."""
    if Delivery.objects.due(timezone.now()).exists():
        deliver_invitations()
