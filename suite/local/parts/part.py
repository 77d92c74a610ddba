"""What every embedded part can do: start, be ready, be killed, stop."""

import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path

from suite.local import keeper


class PartFailed(Exception):
    """A part did not come up; the message holds what to do and the end of its log."""


class Part(ABC):
    """One process on loopback with its own folder. `name` is short and ASCII, `title` is for people (French)."""

    name: str
    title: str
    advice: str
    stop_signal = "TERM"
    retry_seconds = 0.0
    seconds_to_start = 60.0

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self._keeper: subprocess.Popen[bytes] | None = None

    # --- what a part says of itself -----------------------------------------------------------------------------
    @property
    @abstractmethod
    def url(self) -> str:
        """Where its clients reach it."""

    @abstractmethod
    def command(self) -> list[str]:
        """The process to run."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Whether it answers now."""

    def environment(self) -> Mapping[str, str]:
        """Variables for its process besides the inherited ones."""
        return {}

    def prepare(self) -> None:
        """Make what must exist before the process starts; called every time, must be safe to repeat."""

    def complete(self) -> None:
        """Do what needs the running process (accounts, databases); called every time, must be safe to repeat."""

    def run_as(self) -> int | None:
        """The user number the process must have; None leaves it as it is."""
        return None

    # --- running it ---------------------------------------------------------------------------------------------
    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    @property
    def pid_file(self) -> Path:
        return self.folder / f"{self.name}.pid"

    @property
    def keeper_file(self) -> Path:
        return self.folder / f"{self.name}.keeper"

    def kept_command(self, *, owner: int, to_log: bool = True, variables: Path | None = None) -> list[str]:
        """The command under its keeper, which ends it when process `owner` is gone.

        With `variables` the keeper waits for that file and adds the environment that it holds (JSON).
        """
        user = self.run_as()
        self.pid_file.unlink(missing_ok=True)
        options = ["--stop-signal", self.stop_signal, "--pid-file", str(self.pid_file)]
        options += ["--retry-seconds", str(self.retry_seconds)]
        options += ["--log", str(self.log)] if to_log else []
        options += ["--variables", str(variables)] if variables else []
        options += ["--user", str(user)] if user is not None else []
        return keeper.around(self.command(), owner=owner, options=options)

    def start(self, *, owner: int | None = None) -> None:
        """Start and wait until it answers; it ends with process `owner` (this one unless told). Raises PartFailed."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.prepare()
        self.launch(owner=owner)
        self.wait_until_ready()
        self.complete()

    def launch(self, *, owner: int | None = None) -> None:
        """Start the process alone, without preparing or waiting."""
        self._keeper = subprocess.Popen(
            self.kept_command(owner=os.getpid() if owner is None else owner),
            stdin=subprocess.DEVNULL,
            env={**os.environ, **self.environment()},
            start_new_session=True,
        )
        self.keeper_file.write_text(f"{self._keeper.pid} {keeper.start_time(self._keeper.pid)}")

    def wait_until_ready(self) -> None:
        end = time.monotonic() + self.seconds_to_start
        while not self.is_ready():
            if self._keeper is not None and self._keeper.poll() is not None:
                raise PartFailed(self._story(f"s'est arrêté (code {self._keeper.returncode})"))
            if time.monotonic() > end:
                self.stop()
                raise PartFailed(self._story(f"ne répond pas après {self.seconds_to_start:.0f} s"))
            time.sleep(0.03)

    @property
    def pid(self) -> int:
        """The number of the part's own process (not its keeper's)."""
        return int(self.pid_file.read_text())

    @property
    def running(self) -> bool:
        return self._keeper is not None and self._keeper.poll() is None

    def kill(self) -> None:
        """SIGKILL the part, as a crash would, and wait until nothing of it is left."""
        if self._keeper is not None:
            self._keeper.send_signal(signal.SIGUSR1)
            self._keeper.wait()

    def stop(self) -> None:
        """End the part in its own orderly way (SIGKILL after 4 s); does nothing when it is not running.

        It may have been started by another process, which left its keeper's number in the folder.
        """
        if self._keeper is not None:
            if self._keeper.poll() is None:
                self._keeper.terminate()
                self._keeper.wait()
        elif self.keeper_file.exists():
            pid, started = self.keeper_file.read_text().split()
            if keeper.start_time(int(pid)) == started:
                os.kill(int(pid), signal.SIGTERM)
                while keeper.start_time(int(pid)) == started:
                    time.sleep(0.02)

    def _story(self, what: str) -> str:
        lines = self.log.read_text(errors="replace").splitlines()[-15:] if self.log.exists() else []
        return "\n".join(
            [f"{self.title} {what}.", self.advice, f"Fin de {self.log} :", *("  " + line for line in lines)]
        )


def answers(url: str, *, seconds: float = 1.0) -> bool:
    """Whether GET `url` answers with a status below 400 within `seconds`."""
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=seconds):
            return True
    except (urllib.error.URLError, OSError):
        return False
