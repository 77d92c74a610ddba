"""Keep one command: stop it well, leave none of its descendants, and never let it outlive who asked for it.

Run as a script (`python keeper.py [options] -- command …`) between whoever starts a part and the part itself:
PostgreSQL wants SIGINT where others want SIGTERM, its children leave their process group, and a starter killed by
SIGKILL cannot tidy up. The keeper adopts orphans (PR_SET_CHILD_SUBREAPER), so that it sees every descendant.
"""

import argparse
import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
LOG_BYTES = 5_000_000
# SIGUSR1 asks the keeper to kill its command at once, as a crash would.
WATCHED = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGCHLD}
# A command that dies sooner than this is tried again when --retry-seconds allows.
SOON = 2.0


def start_time(pid: int) -> str | None:
    """The process's start in clock ticks since boot, which tells it from a later one with its number; None: gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] == "Z" else fields[19]


def descendants(pid: int) -> list[int]:
    """Every living process below `pid`."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                children.setdefault(parent, []).append(int(entry.name))
    found: list[int] = []
    todo = [pid]
    while todo:
        below = children.get(todo.pop(), [])
        found += below
        todo += below
    return found


def unblock_signals() -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, set())


def around(command: Sequence[str], *, owner: int, options: Sequence[str] = ()) -> list[str]:
    """The command under a keeper that ends it when process `owner` is gone."""
    return [sys.executable, __file__, "--while-alive", str(owner), *options, "--", *command]


def end_descendants(seconds: float = 5.0) -> None:
    """SIGTERM every process below this one, and wait for their end."""
    end = time.monotonic() + seconds
    asked: set[int] = set()
    while (left := [pid for pid in descendants(os.getpid()) if start_time(pid)]) and time.monotonic() < end:
        for pid in set(left) - asked:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        asked.update(left)
        time.sleep(0.02)


class Keeper:
    def __init__(self, options: argparse.Namespace) -> None:
        self.command: list[str] = options.command
        self.stop_signal: int = signal.Signals[f"SIG{options.stop_signal}"]
        self.grace: float = options.grace
        self.retry_until: float = time.monotonic() + options.retry_seconds
        self.user: int | None = options.user
        self.pid_file: Path | None = options.pid_file
        self.variables_file: Path | None = options.variables
        self.variables = dict(os.environ)
        self.owner: int = options.while_alive
        self.owner_start = start_time(self.owner) if self.owner else None
        self.stopping = False

    def run(self) -> int:
        """Start the command and stay until it is over; answers its exit status, 128 + n after signal n."""
        if self.variables_file and not self._wait_for(self.variables_file):
            return 0
        while True:
            started = time.monotonic()
            status = self._run_once()
            died_soon = time.monotonic() - started < SOON
            if self.stopping or status == 0 or not died_soon or time.monotonic() > self.retry_until:
                return status
            time.sleep(0.2)

    def _wait_for(self, file: Path) -> bool:
        """Wait until the file of environment variables (JSON) is there and take it in; False: told to stop first."""
        while not file.exists():
            received = signal.sigtimedwait(WATCHED, 0.1)
            if (received is not None and received.si_signo != signal.SIGCHLD) or self._owner_is_gone():
                return False
        self.variables |= json.loads(file.read_text())
        return True

    def _owner_is_gone(self) -> bool:
        """Whether who asked for the command is there no more; it may have gone before we came."""
        return bool(self.owner) and (self.owner_start is None or start_time(self.owner) != self.owner_start)

    def _run_once(self) -> int:
        child = subprocess.Popen(
            self.command,
            env=self.variables,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            user=self.user,
            group=self.user,
            extra_groups=None if self.user is None else [],
            # The child must not inherit the signals that the keeper blocks in order to wait for them.
            preexec_fn=unblock_signals,
        )
        if self.pid_file:
            self.pid_file.write_text(str(child.pid))
        while child.poll() is None:
            received = signal.sigtimedwait(WATCHED, 0.5)
            if received is not None and received.si_signo == signal.SIGCHLD:
                self._reap(child)
            elif received is not None or self._owner_is_gone():
                self.stopping = True
                if received is not None and received.si_signo == signal.SIGUSR1:
                    child.kill()
                else:
                    self._stop(child)
        self._clear()
        return child.returncode if child.returncode >= 0 else 128 - child.returncode

    def _stop(self, child: "subprocess.Popen[bytes]") -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child.pid, self.stop_signal)
        end = time.monotonic() + self.grace
        while child.poll() is None and time.monotonic() < end:
            signal.sigtimedwait({signal.SIGCHLD}, 0.1)
            self._reap(child)
        if child.poll() is None:
            child.kill()
            child.wait()

    def _reap(self, child: "subprocess.Popen[bytes]") -> None:
        """Collect adopted orphans that have ended, so that they do not stay as zombies."""
        for pid in descendants(os.getpid()):
            if pid != child.pid:
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)

    def _clear(self) -> None:
        """SIGKILL whatever the command left behind, after a moment in which it may go by itself."""
        end = time.monotonic() + 1.0
        while left := descendants(os.getpid()):
            if time.monotonic() > end:
                for pid in left:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
            for pid in left:
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)
            time.sleep(0.02)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--while-alive", type=int, default=0, help="stop when the process of this number is gone")
    parser.add_argument("--stop-signal", default="TERM")
    parser.add_argument("--grace", type=float, default=4.0, help="seconds between the stop signal and SIGKILL")
    parser.add_argument("--retry-seconds", type=float, default=0.0, help="start again what dies at once, so long")
    parser.add_argument("--user", type=int, default=None, help="run the command as this user and group number")
    parser.add_argument("--log", type=Path, default=None)
    parser.add_argument("--pid-file", type=Path, default=None)
    parser.add_argument("--variables", type=Path, default=None, help="wait for this file, JSON, and add it")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    if options.log:
        too_long = options.log.exists() and options.log.stat().st_size > LOG_BYTES
        flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if too_long else os.O_APPEND)
        log = os.open(options.log, flags, 0o600)
        os.dup2(log, 1)
        os.dup2(log, 2)
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
    return Keeper(options).run()


if __name__ == "__main__":
    sys.exit(main())
