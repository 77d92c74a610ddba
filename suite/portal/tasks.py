"""What Celery calls for the portal as a whole."""

from celery import shared_task
from django.utils import timezone

from suite.core.doorbell import ring
from suite.portal import housekeeping

# Well under the broker's visibility_timeout (60 s), after which a task that still runs is handed out a second time.
_LONGEST_SECONDS = 30.0


@shared_task(name="portal.purge")
def purge() -> None:
    """Delete what has expired; rings again when time is up before all is gone."""
    if not housekeeping.purge(now=timezone.now(), seconds=_LONGEST_SECONDS):
        ring(purge)
