"""What the scripts say while they work: each step, what it does and how long it took."""

import argparse
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

_printing = threading.Lock()


class StepFailed(Exception):
    """A step did not work; the message says what to do."""


def say(text: str = "") -> None:
    with _printing:
        print(text, flush=True)


def seconds(number: float) -> str:
    """`3.21` → `3,2 s`."""
    return f"{number:.1f}".replace(".", ",") + " s"


class Options(argparse.ArgumentParser):
    """A command's options, whose help and refusals are French (argparse speaks the language of its own catalogues)."""

    def __init__(self, **described: Any) -> None:
        super().__init__(**described, add_help=False, allow_abbrev=False, formatter_class=_FrenchHelp)
        self._read: list[str] = []

    def parse_args(self, args: Sequence[str], namespace: None = None) -> argparse.Namespace:  # type: ignore[override]
        """The options; ends the process with status 2, and what to do, when one cannot be."""
        if not any("--help" in action.option_strings for action in self._actions):
            self.add_argument("-h", "--help", action="help", help="afficher cette aide")
        self._read = list(args)
        found, unknown = self.parse_known_args(self._read)
        if unknown:
            self._refuse(f"{'Option inconnue' if len(unknown) == 1 else 'Options inconnues'} : {' '.join(unknown)}")
        return found

    def error(self, message: str) -> NoReturn:
        """What argparse itself refuses: a value for an option that takes none, or none for one that does."""
        self._refuse(f"Options impossibles : {' '.join(self._read)}")

    def _refuse(self, what: str) -> NoReturn:
        with _printing:
            print(f"✗ {what}\n{self.format_help()}", file=sys.stderr, end="", flush=True)
        self.exit(2)


class _FrenchHelp(argparse.HelpFormatter):
    HEADINGS: Mapping[str | None, str] = {
        "positional arguments": "arguments\N{NO-BREAK SPACE}",
        "options": "options possibles\N{NO-BREAK SPACE}",
    }

    def add_usage(self, usage: Any, actions: Any, groups: Any, prefix: str | None = None) -> None:
        super().add_usage(usage, actions, groups, prefix or "Utilisation : ")

    def start_section(self, heading: str | None) -> None:
        super().start_section(self.HEADINGS.get(heading, heading))


@contextmanager
def step(title: str) -> Iterator[None]:
    """Announce a step and, when it is over, its time."""
    say(f"… {title}")
    began = time.monotonic()
    try:
        yield
    except BaseException:
        say(f"✗ {title} ({seconds(time.monotonic() - began)})")
        raise
    say(f"✓ {title} ({seconds(time.monotonic() - began)})")


def together(*works: Callable[[], None]) -> None:
    """Do the works at the same time; when all are over, raise the first one's error."""
    with ThreadPoolExecutor(max(len(works), 1)) as pool:
        futures = [pool.submit(work) for work in works]
    for future in futures:
        future.result()


def run(
    command: Sequence[str | Path], *, advice: str, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> str:
    """Run a command to its end and answer its output; StepFailed with its last words and `advice`."""
    done = subprocess.run(
        [str(word) for word in command],
        env=env,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        words = (done.stdout + done.stderr).strip().splitlines()[-20:]
        said = "\n".join(f"  {line}" for line in words)
        raise StepFailed(f"La commande a échoué : {' '.join(str(word) for word in command)}\n{said}\n{advice}")
    return done.stdout


def fail(error: Exception) -> int:
    """Say what went wrong and what to do; answers the exit status."""
    with _printing:
        print(f"\n✗ {error}", file=sys.stderr, flush=True)
    return 1
