"""The portal's own processes, started for a test as real ones: daphne and Celery."""

import os
import sys
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

from suite.local import places
from suite.local.parts.part import Part, answers


class PortalProcess(Part):
    """A process of the portal with the environment of this pytest worker and the changes in `variables`."""

    advice = "Its log is beside it."

    def __init__(self, folder: Path, port: int, variables: Mapping[str, str]) -> None:
        super().__init__(folder, port)
        self.variables = dict(variables)

    def environment(self) -> Mapping[str, str]:
        # Only a browser test's own process may call the ORM under a running loop (see `browser`).
        return {**self.variables, "DJANGO_ALLOW_ASYNC_UNSAFE": "", "PYTHONPATH": str(places.ROOT)}

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def logged(self) -> str:
        """Everything it has said so far."""
        return self.log.read_text() if self.log.exists() else ""


class LivePortal(PortalProcess):
    """The portal served by daphne at `.url`; `.ws_url` for sockets."""

    name = "daphne"
    title = "The portal"

    @property
    def ws_url(self) -> str:
        return f"ws://localhost:{self.port}"

    def command(self) -> list[str]:
        arguments = ["-b", "127.0.0.1", "-p", str(self.port), "--verbosity", "0", "suite.asgi:application"]
        return [sys.executable, "-m", "daphne", *arguments]

    def is_ready(self) -> bool:
        return answers(f"http://127.0.0.1:{self.port}/__lbheartbeat__", seconds=5)


class CeleryProcess(PortalProcess):
    """`celery -A suite.celery worker|beat`."""

    name = "celery"
    title = "Celery"

    def __init__(self, folder: Path, variables: Mapping[str, str], *, role: str, options: Sequence[str]) -> None:
        super().__init__(folder, 0, variables)
        self.role = role
        self.options = options
        self.name = f"celery-{role}"

    def command(self) -> list[str]:
        return [sys.executable, "-m", "celery", "-A", "suite.celery", self.role, "--loglevel", "INFO", *self.options]

    def prepare(self) -> None:
        self.log.unlink(missing_ok=True)

    def is_ready(self) -> bool:
        return {"worker": " ready.", "beat": "beat: Starting"}[self.role] in self.logged()


def fetch(url: str) -> str:
    """The body of GET `url`, past any proxy of the machine."""
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=10) as answer:
        return str(answer.read().decode())


def working_database(name: str) -> str:
    """DATABASE_URL with another database's name (the one that this worker's tests use)."""
    return f"{os.environ['DATABASE_URL'].rpartition('/')[0]}/{name}"
