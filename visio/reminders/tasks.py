"""Beat's way in. Everything here is safe to repeat: two Beats remind once (PROMISES 24)."""

from __future__ import annotations

import time

from celery import shared_task
from django.utils import timezone

from visio.reminders import digest, due

_LONGEST_SECONDS = 30.0


@shared_task(name="visio.remind")
def remind() -> None:
    """Plan what is due soon, and say what is due now."""
    stop_at = time.monotonic() + _LONGEST_SECONDS
    due.plan_reminders(now=timezone.now())
    while due.say_due(now=timezone.now()) == due.BATCH and time.monotonic() < stop_at:
        pass


@shared_task(name="visio.make_digests")
def make_digests() -> None:
    """The morning mails whose hour has come."""
    stop_at = time.monotonic() + _LONGEST_SECONDS
    while digest.make_digests(now=timezone.now()) == digest.BATCH and time.monotonic() < stop_at:
        pass
