"""Publish facts, hear them after commit. Imports nothing of ours.

A fact is a frozen dataclass of ids. Whoever wants to hear it subscribes at start-up (an AppConfig's ready()); it is called
once per publication, after the transaction that published it has committed, and never when that was rolled back.

Whoever owes work because of a fact hears it `inside` that transaction instead, so that the row that says so is committed or
rolled back with the change itself. Such a subscriber writes rows and nothing else; its fault fails the change.
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
_inside: dict[type[Any], list[Subscriber]] = defaultdict(list)


def subscribe(fact_type: type[F], subscriber: Callable[[F], None], *, inside: bool = False) -> None:
    """Call `subscriber(fact)` after the commit of every transaction that publishes a `fact_type`. Safe to repeat.

    `inside`: call it in that transaction, at the moment of publication (for rows that say what is owed).
    """
    subscribers = (_inside if inside else _subscribers)[fact_type]
    if subscriber not in subscribers:
        subscribers.append(subscriber)


def publish(fact: object) -> None:
    """Tell `fact` to its subscribers once the current transaction has committed (at once outside one)."""
    for subscriber in _inside[type(fact)]:
        subscriber(fact)
    for subscriber in _subscribers[type(fact)]:
        # robust: one subscriber's fault is logged and must neither stop the next nor fail a request whose rows are committed.
        transaction.on_commit(_call(subscriber, fact), robust=True)


def _call(subscriber: Subscriber, fact: object) -> Callable[[], None]:
    def call() -> None:
        subscriber(fact)

    return call
