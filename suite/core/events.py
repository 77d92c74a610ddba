"""Publish facts, hear them after commit. Imports nothing of ours.

A fact is a frozen dataclass of ids. Whoever wants to hear it subscribes at start-up (an AppConfig's ready()); it is called
once per publication, after the transaction that published it has committed, and never when that was rolled back.
"""

import logging
from collections import defaultdict
from collections.abc import Callable
from typing import Any, TypeVar

from django.db import transaction

logger = logging.getLogger(__name__)

F = TypeVar("F")
Subscriber = Callable[[Any], None]
_subscribers: dict[type[Any], list[Subscriber]] = defaultdict(list)


def subscribe(fact_type: type[F], subscriber: Callable[[F], None]) -> None:
    """Call `subscriber(fact)` after the commit of every transaction that publishes a `fact_type`. Safe to repeat."""
    if subscriber not in _subscribers[fact_type]:
        _subscribers[fact_type].append(subscriber)


def publish(fact: object) -> None:
    """Tell `fact` to its subscribers once the current transaction has committed (at once outside one)."""
    for subscriber in _subscribers[type(fact)]:
        # robust: one subscriber's fault is logged and must neither stop the next nor fail a request whose rows are committed.
        transaction.on_commit(_call(subscriber, fact), robust=True)


def _call(subscriber: Subscriber, fact: object) -> Callable[[], None]:
    def call() -> None:
        subscriber(fact)

    return call
