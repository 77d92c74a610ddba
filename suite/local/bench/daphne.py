"""The portal's server as the benches start it."""

from __future__ import annotations

import os
import sys
from typing import ClassVar

from suite.local.parts.part import Part, answers


class Daphne(Part):
    """Serves `application` on the environment's database and Redis."""

    name = "daphne"
    title = "daphne"
    advice = "bin/bench wants the portal's environment (DATABASE_URL, REDIS_URL …)."
    application: ClassVar[str] = "suite.asgi:application"

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def environment(self) -> dict[str, str]:
        return {**os.environ, "PORTAL_URL": self.url, "ALLOWED_HOSTS": "localhost,127.0.0.1"}

    def command(self) -> list[str]:
        options = ["-b", "127.0.0.1", "-p", str(self.port), "--verbosity", "0"]
        return [sys.executable, "-m", "daphne", *options, self.application]

    def is_ready(self) -> bool:
        return answers(f"{self.url}/__lbheartbeat__", seconds=5)
