"""Celery's way to the outbox: the doorbell and the sweep do the same, so a lost or doubled ring changes nothing."""

from __future__ import annotations

import datetime as dt
import math
import time

from celery import shared_task
from django.utils import timezone

from suite.core import doorbell
from suite.mail import outbox, throttle
from suite.mail.models import OutboxMail
from suite.mail.smtp import close_idle

# Well under the broker's visibility_timeout (60 s).
_LONGEST_SECONDS = 30.0
# Letters due within this time are rung for (a limited domain's next slots).
_SOON_SECONDS = 12.0
# Woken a little early, it would find nothing and nobody would ring for that second again.
_AFTER_THE_SECOND = 0.05


@shared_task(name="mail.deliver_letters")
def deliver_letters() -> None:
    """Send what the outbox owes, batch after batch; when time is up and letters are left, ring again."""
    stop_at = time.monotonic() + _LONGEST_SECONDS
    while time.monotonic() < stop_at:
        looked_at = timezone.now()
        report = outbox.deliver_outbox(now=looked_at)
        if not report.claimed or report.server_down:
            # The connection served batch after batch; idle, it is the server's again.
            close_idle()
            _ring_for_what_is_due_soon(after=timezone.now() if report.server_down else looked_at)
            return
    doorbell.ring(deliver_letters)


def _ring_for_what_is_due_soon(*, after: dt.datetime) -> None:
    """One ring for each second in which a slot of a limited domain comes; `after`: when this sender last looked."""
    now = timezone.now()
    due_at = outbox.next_due(after)
    if due_at is None or (due_at - now).total_seconds() > _SOON_SECONDS:
        return
    second = math.ceil(due_at.timestamp())
    if throttle.may_wake(second, ":letters"):
        doorbell.ring(deliver_letters, countdown=max(0.0, second - now.timestamp()) + _AFTER_THE_SECOND)


@shared_task(name="mail.sweep_letters")
def sweep_letters() -> None:
    """The guarantee behind the doorbell: letters whose hour has come, whose ring was lost, or whose sender died."""
    if OutboxMail.objects.filter(outbox.due_letters(timezone.now())).exists():
        deliver_letters()
