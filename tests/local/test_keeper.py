"""The keeper: real commands that misbehave, and nothing left of them."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from suite.local import keeper
from tests.waiting import PATIENCE, until

Keep = Callable[..., "subprocess.Popen[bytes]"]

# A child in a session of its own, deaf to SIGTERM; prints its number and stays.
DEAF = "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(os.getpid(), flush=True); time.sleep(600)"


def with_deaf_child(seconds: float) -> str:
    """A command that starts the deaf child and then stays for so many seconds."""
    child = f"subprocess.Popen([sys.executable, '-c', {DEAF!r}], start_new_session=True)"
    return f"import subprocess, sys, time\n{child}\ntime.sleep({seconds})"


@pytest.fixture
def keep() -> Iterator[Keep]:
    """`keep("--grace", "1", code="…")`: a keeper around a Python command, its output on a pipe."""
    started = []

    def start(*options: str, code: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, keeper.__file__, *options, "--", sys.executable, "-c", code]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def first_number(process: "subprocess.Popen[bytes]") -> int:
    assert process.stdout is not None
    return int(process.stdout.readline())


def is_gone(pid: int) -> bool:
    return keeper.start_time(pid) is None


def test_stopping_takes_along_a_child_that_left_its_group_and_ignores_the_signal(keep: Keep) -> None:
    process = keep("--grace", "0.3", code=with_deaf_child(600))
    child = first_number(process)

    process.terminate()

    assert process.wait(timeout=PATIENCE) == 128 + signal.SIGTERM
    assert is_gone(child)


def test_a_command_that_ignores_the_signal_is_killed_after_the_grace(keep: Keep) -> None:
    process = keep("--grace", "0.3", code=DEAF)
    pid = first_number(process)

    process.terminate()

    assert process.wait(timeout=PATIENCE) == 128 + signal.SIGKILL
    assert is_gone(pid)


def test_the_command_gets_the_signal_that_it_wants(keep: Keep) -> None:
    code = """
import signal, sys, time
signal.signal(signal.SIGINT, lambda *_: sys.exit(7))
print(1, flush=True)
time.sleep(600)
"""
    process = keep("--stop-signal", "INT", code=code)
    first_number(process)

    process.terminate()

    assert process.wait(timeout=PATIENCE) == 7


def test_the_exit_status_is_the_commands(keep: Keep) -> None:
    assert keep(code="raise SystemExit(3)").wait(timeout=PATIENCE) == 3


def test_what_a_command_leaves_behind_when_it_ends_is_ended(keep: Keep) -> None:
    process = keep(code=with_deaf_child(1))
    child = first_number(process)

    assert process.wait(timeout=PATIENCE) == 0
    assert is_gone(child)


def test_everything_ends_when_the_owner_is_killed(keep: Keep) -> None:
    owner = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    process = keep("--while-alive", str(owner.pid), code=DEAF.replace("SIG_IGN", "SIG_DFL"))
    pid = first_number(process)

    owner.kill()
    owner.wait()

    process.wait(timeout=PATIENCE)
    assert is_gone(pid)


def test_a_command_whose_owner_is_gone_already_does_not_stay(keep: Keep) -> None:
    owner = subprocess.Popen([sys.executable, "-c", ""])
    owner.wait()

    assert keep("--while-alive", str(owner.pid), code="import time; time.sleep(600)").wait(timeout=PATIENCE) != 0


def test_a_command_that_dies_at_once_is_tried_again_for_a_while(keep: Keep, tmp_path: Path) -> None:
    tries = tmp_path / "tries"
    code = f"open({str(tries)!r}, 'a').write('x'); raise SystemExit(len(open({str(tries)!r}).read()) < 3)"

    assert keep("--retry-seconds", "20", code=code).wait(timeout=PATIENCE) == 0
    assert tries.read_text() == "xxx"


def test_a_kill_on_demand_is_not_taken_for_a_bad_start(keep: Keep) -> None:
    process = keep("--retry-seconds", "20", code=DEAF)
    first_number(process)

    process.send_signal(signal.SIGUSR1)

    assert process.wait(timeout=PATIENCE) == 128 + signal.SIGKILL


def test_it_waits_for_the_environment_and_hands_it_on(keep: Keep, tmp_path: Path) -> None:
    file = tmp_path / "environment.json"
    code = "import os; print(os.environ['NUMBER'], flush=True)"
    process = keep("--variables", str(file), code=code)
    fresh = tmp_path / "fresh"
    fresh.write_text(json.dumps({"NUMBER": "42"}))
    fresh.rename(file)

    assert first_number(process) == 42
    assert process.wait(timeout=PATIENCE) == 0


def test_it_can_be_stopped_while_it_waits(keep: Keep, tmp_path: Path) -> None:
    process = keep("--variables", str(tmp_path / "never"), code="raise SystemExit(9)")
    until(lambda: is_asleep(process.pid))

    process.terminate()

    assert process.wait(timeout=PATIENCE) == 0


def is_asleep(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "S"


def test_the_log_and_the_number_of_the_command_are_kept(keep: Keep, tmp_path: Path) -> None:
    log, number = tmp_path / "log", tmp_path / "pid"

    process = keep("--log", str(log), "--pid-file", str(number), code="import os; print(os.getpid())")

    assert process.wait(timeout=PATIENCE) == 0
    assert log.read_text() == f"{number.read_text()}\n"
    assert log.stat().st_mode & 0o777 == 0o600


def test_a_process_is_told_from_a_later_one_with_its_number() -> None:
    mine = keeper.start_time(os.getpid())
    other = subprocess.Popen([sys.executable, "-c", ""])
    other_start = keeper.start_time(other.pid)
    other.wait()

    assert mine is not None
    assert int(mine) <= int(other_start or time.monotonic())
    assert keeper.start_time(other.pid) is None
