"""What a test needs around the portal's own processes."""

import os
import urllib.request
from collections.abc import Mapping

from suite.local.parts.portal import Celery, Daphne, Listener, PortalProcess
from tests.waiting import PATIENCE


class ForTests(PortalProcess):
    """Only a browser test's own process may call the ORM under a running loop (see `browser`), not what it starts."""

    def environment(self) -> Mapping[str, str]:
        return {**super().environment(), "DJANGO_ALLOW_ASYNC_UNSAFE": ""}


class LivePortal(ForTests, Daphne):
    """The portal served by daphne at `.url`; `.ws_url` for sockets, `.logged()` for what it said."""


class CeleryProcess(ForTests, Celery):
    """A Celery worker or Beat; `.logged()` for what it said."""


class MailListener(ForTests, Listener):
    """`manage.py receive_mail` on `.port`."""


def fetch(url: str) -> str:
    """The body of GET `url`, past any proxy of the machine."""
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=PATIENCE) as answer:
        return str(answer.read().decode())


def working_database(name: str) -> str:
    """DATABASE_URL with another database's name (the one that this worker's tests use)."""
    return f"{os.environ['DATABASE_URL'].rpartition('/')[0]}/{name}"
