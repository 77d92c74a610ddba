"""Celery's way to the outbox: the doorbell and the sweep do the same, so a lost or doubled ring changes nothing."""

from __future__ import annotations

import time

from celery import shared_task
from django.utils import timezone

from suite.core import doorbell
from suite.mail import outbox
from suite.mail.models import OutboxMail

# Well under the broker's visibility_timeout (60 s).
_LONGEST_SECONDS = 30.0


@shared_task(name="mail.deliver_letters")
def deliver_letters() -> None:
    """Send what the outbox owes, batch after batch; when time is up and letters are left, ring again."""
    stop_at = time.monotonic() + _LONGEST_SECONDS
    while time.monotonic() < stop_at:
        report = outbox.deliver_outbox(now=timezone.now())
        if not report.claimed or report.server_down:
            return
    doorbell.ring(deliver_letters)


@shared_task(name="mail.sweep_letters")
def sweep_letters() -> None:
    """The guarantee behind the doorbell: letters whose hour has come, whose ring was lost, or whose sender died."""
    if OutboxMail.objects.filter(outbox.due_letters(timezone.now())).exists():
        deliver_letters()
