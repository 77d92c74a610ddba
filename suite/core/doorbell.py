"""Ring Celery: "there is owed work". The row in PostgreSQL is the work; a lost ring costs one sweep interval, nothing else."""

import logging
from typing import Any

from celery import Task
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)


def ring(task: "Task[Any, Any]", *args: int, countdown: float | None = None) -> bool:
    """Queue `task(*args)` without waiting or retrying; False, logged, when the broker is down. Call it after commit.

    `countdown`: seconds that it waits with the worker; keep it far below the broker's visibility_timeout.
    """
    wait: dict[str, Any] = {} if countdown is None else {"countdown": countdown}
    try:
        task.apply_async(args=args, retry=False, **wait)
    except (OperationalError, RedisError, OSError) as error:
        logger.warning("doorbell %s unheard (%s): the sweep will do it", task.name, type(error).__name__)
        return False
    return True
