"""Celery: what happens to calls when nobody is left to notice."""

from celery import shared_task
from django.utils import timezone

from visio.rooms import calls


@shared_task(name="visio.sweep_calls")
def sweep_calls() -> int:
    """Everybody of a call was on a server that died: forget them and tell the dashboards."""
    return calls.sweep(now=timezone.now())
