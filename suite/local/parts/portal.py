"""The portal's own processes: daphne, the Celery worker, Celery Beat, the listener for guests' answers."""

import smtplib
from collections.abc import Mapping, Sequence
from pathlib import Path

from suite.local import places
from suite.local.parts.part import Part, answers


class PortalProcess(Part):
    """A process under the environment's Python with the portal's environment in `variables`."""

    advice = "Le journal ci-dessous dit pourquoi."

    def __init__(self, folder: Path, port: int, variables: Mapping[str, str]) -> None:
        super().__init__(folder, port)
        self.variables = dict(variables)

    def environment(self) -> Mapping[str, str]:
        return {**self.variables, "PYTHONPATH": str(places.ROOT), "PYTHONUNBUFFERED": "1"}

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def logged(self) -> str:
        """Everything it has said since its last start (its log is emptied then)."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def prepare(self) -> None:
        self.log.unlink(missing_ok=True)


class Daphne(PortalProcess):
    """The portal at `url`: pages and sockets. It logs no request: their paths hold the secrets of invitation links."""

    name = "portal"
    title = "Le portail"

    @property
    def ws_url(self) -> str:
        return f"ws://localhost:{self.port}"

    def command(self) -> list[str]:
        options = ["-b", "127.0.0.1", "-p", str(self.port), "--verbosity", "0"]
        return [str(places.venv_python()), "-m", "daphne", *options, "suite.asgi:application"]

    def is_ready(self) -> bool:
        return answers(f"http://127.0.0.1:{self.port}/__lbheartbeat__", seconds=5)


class Celery(PortalProcess):
    """`celery -A suite.celery <role>`; `role` is "worker" or "beat". Listens on no port."""

    title = "Celery"
    SAYS_READY: Mapping[str, str] = {"worker": " ready.", "beat": "beat: Starting"}

    def __init__(self, folder: Path, variables: Mapping[str, str], *, role: str, options: Sequence[str] = ()) -> None:
        super().__init__(folder, 0, variables)
        self.name = role
        self.role = role
        self.options = [*options, "--schedule", str(folder / "beat-schedule")] if role == "beat" else list(options)

    def command(self) -> list[str]:
        words = ["-m", "celery", "-A", "suite.celery", self.role, "--loglevel", "INFO", *self.options]
        return [str(places.venv_python()), *words]

    def environment(self) -> Mapping[str, str]:
        # As root Celery repeats a long warning at every start; on one's own machine it says nothing new.
        return {**super().environment(), "PYTHONWARNINGS": "ignore::RuntimeWarning:celery.platforms"}

    def is_ready(self) -> bool:
        return self.SAYS_READY[self.role] in self.logged()


class Listener(PortalProcess):
    """`manage.py receive_mail`: takes the answers of guests' calendars on `port`. `lmtp`: it speaks LMTP."""

    name = "inbound"
    title = "La réception des réponses"

    def __init__(
        self, folder: Path, port: int, variables: Mapping[str, str], *, lmtp: bool = False, options: Sequence[str] = ()
    ) -> None:
        super().__init__(folder, port, variables)
        self.lmtp = lmtp
        self.options = ["--lmtp", *options] if lmtp else list(options)

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        return [str(places.venv_python()), "manage.py", "receive_mail", *self.options]

    def environment(self) -> Mapping[str, str]:
        return {**super().environment(), "INBOUND_HOST": "127.0.0.1", "INBOUND_PORT": str(self.port)}

    def is_ready(self) -> bool:
        try:
            with (smtplib.LMTP if self.lmtp else smtplib.SMTP)("127.0.0.1", self.port, timeout=2) as server:
                server.noop()
        except (OSError, smtplib.SMTPException):
            return False
        return True
