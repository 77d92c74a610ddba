"""What the scripts say while they work: each step, what it does and how long it took."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

_printing = threading.Lock()


class StepFailed(Exception):
    """A step did not work; the message says what to do."""


def say(text: str = "") -> None:
    with _printing:
        print(text, flush=True)


def seconds(number: float) -> str:
    """`3.21` → `3,2 s`."""
    return f"{number:.1f}".replace(".", ",") + " s"


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
