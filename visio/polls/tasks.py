"""Celery's part in polls: the reminders that nobody sends by hand."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from visio.polls.reminding import due_polls, remind_before_deadline

# Polls looked at by one sweep; the next one goes on.
MOST_POLLS = 500


@shared_task(name="visio.remind_polls")
def remind_polls() -> None:
    """Owe the reminders that are due. Beat rings it; the outbox's keys keep a doubled ring from writing twice."""
    now = timezone.now()
    for poll_id in list(due_polls(now).values_list("pk", flat=True)[:MOST_POLLS]):
        remind_before_deadline(poll_id=poll_id, now=now)
