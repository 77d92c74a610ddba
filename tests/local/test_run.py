"""`bin/run`: its decisions, and the whole of it as a real process."""

import fcntl
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from suite.local import keeper, places, ports, run
from suite.local.console import StepFailed
from tests.looking import Matrix
from tests.processes import fetch
from tests.waiting import PATIENCE, until


@pytest.fixture
def base() -> int:
    """A PORT with seven more free ports above it."""
    return next(
        port
        for port in random.sample(range(12_000, 19_000, 10), 600)
        if all(ports.is_free(number) for number in ports.from_base(port).values())
    )


@pytest.fixture
def state() -> Iterator[Path]:
    """The folder of the copies' data; its name is short, so that scratch files fit in it (places.OWN_SCRATCH_LIMIT)."""
    folder = Path(tempfile.mkdtemp(prefix="s"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)  # After a failure its processes may still be ending.


@pytest.fixture
def variables(state: Path, base: int) -> dict[str, str]:
    """The environment of somebody who runs the portal, without what this test run has set."""
    given = {
        name: os.environ[name] for name in ("PATH", "HOME", "LANG", "COVERAGE_PROCESS_CONFIG") if name in os.environ
    }
    return {**given, "PORT": str(base), "PORTAL_LOCAL_DIR": str(state)}


def bin_run(variables: dict[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Call it where it must refuse before it sets anything up."""
    command = [sys.executable, str(places.ROOT / "bin" / "run"), *arguments]
    return subprocess.run(command, env=variables, capture_output=True, text=True, timeout=PATIENCE, check=False)


# --- decisions --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("given", "started"),
    [
        ({}, ["postgres", "redis", "idp", "mail", "homeserver"]),
        ({"DATABASE_URL": "postgres://db/portal"}, ["redis", "idp", "mail", "homeserver"]),
        ({"REDIS_URL": "redis://cache", "EMAIL_HOST": "smtp", "DATABASE_URL": ""}, ["postgres", "idp", "homeserver"]),
        ({"OIDC_OP_URL": "https://op", "MATRIX_HOMESERVER_URL": "https://hs"}, ["postgres", "redis", "mail"]),
    ],
)
def test_a_part_is_not_started_when_a_real_server_is_given(given: dict[str, str], started: list[str]) -> None:
    assert run.embedded(given) == started


def test_every_part_that_can_be_started_has_its_ports_checked() -> None:
    assert run.LISTENERS.keys() == run.REAL_SERVERS.keys()
    assert {"portal", "inbound", *(name for names in run.LISTENERS.values() for name in names)} == ports.OFFSETS.keys()


@pytest.mark.parametrize(("given", "port"), [("", 8000), ("8100", 8100), ("65528", 65528)])
def test_the_port_is_the_one_given_or_8000(given: str, port: int) -> None:
    assert run.chosen_port(given) == port


@pytest.mark.parametrize("given", ["0", "70", "1023", "abc", "-1", "65529", "8e3"])
def test_a_port_that_cannot_be_is_told(given: str) -> None:
    with pytest.raises(StepFailed, match=f"PORT={given} n'est pas un numéro de port possible"):
        run.chosen_port(given)


def test_what_the_person_sets_wins_over_what_the_parts_say() -> None:
    found = run.portal_variables({"PATH": "nowhere", "EMAIL_FROM": "portail@localhost", "SECRET_KEY": "local-1"})

    assert found["PATH"] == os.environ["PATH"]
    assert found["SECRET_KEY"] == os.environ["SECRET_KEY"]
    assert run.portal_variables({"NOT_SET_BY_ANYBODY": "kept"})["NOT_SET_BY_ANYBODY"] == "kept"


def test_fresh_removes_everything_but_the_claim(tmp_path: Path) -> None:
    data, elsewhere = tmp_path / "state", tmp_path / "elsewhere"
    (data / "postgres-data").mkdir(parents=True)
    elsewhere.mkdir()
    (data / "secrets.json").write_text("{}")
    (data / "postgres-data-is-in").write_text(str(elsewhere))
    with run.claim(data, 8000):
        run.empty(data)

        assert [entry.name for entry in data.iterdir()] == ["run.lock"]
        assert not elsewhere.exists()


def test_the_environment_file_is_private_and_appears_whole(tmp_path: Path) -> None:
    run.write_variables(tmp_path / "environment.json", {"A": "1"})

    assert json.loads((tmp_path / "environment.json").read_text()) == {"A": "1"}
    assert (tmp_path / "environment.json").stat().st_mode & 0o777 == 0o600
    assert len(list(tmp_path.iterdir())) == 1


# --- refusals, by the command itself ----------------------------------------------------------------------------
def test_a_second_copy_on_the_same_port_is_refused(variables: dict[str, str], base: int, state: Path) -> None:
    (state / str(base)).mkdir()
    with (state / str(base) / "run.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)

        done = bin_run(variables)

    assert done.returncode == 1
    assert f"Le portail tourne déjà sur le port {base}" in done.stderr


def test_a_taken_port_is_told_by_name(variables: dict[str, str], base: int, state: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", base + ports.OFFSETS["redis"]))
        other.listen()

        done = bin_run(variables, "--fresh")

    assert done.returncode == 1
    assert f"Le port {base + 6} est déjà pris : Redis (Valkey) en a besoin." in done.stderr
    assert "PORT=8100 bin/run" in done.stderr
    assert not (state / str(base)).exists(), "a refused start leaves nothing"


def test_a_refused_start_keeps_what_an_earlier_run_left(variables: dict[str, str], base: int, state: Path) -> None:
    data = state / str(base)
    data.mkdir()
    (data / "secrets.json").write_text("{}")
    with socket.socket() as other:
        other.bind(("127.0.0.1", base))
        other.listen()

        assert bin_run(variables).returncode == 1

    assert sorted(entry.name for entry in data.iterdir()) == ["run.lock", "secrets.json"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--frsh"], "Option inconnue : --frsh"),
        (["--fresh", "-x", "8100"], "Options inconnues : -x 8100"),
        (["--fresh=oui"], "--fresh=oui"),
    ],
)
def test_an_unknown_option_is_told_in_french_and_does_nothing(
    variables: dict[str, str], state: Path, arguments: list[str], told: str
) -> None:
    done = bin_run(variables, *arguments)

    assert done.returncode == 2
    assert told in done.stderr
    assert "Utilisation : bin/run [--fresh] [-h]" in done.stderr
    assert "PORT=8100 bin/run" in done.stderr
    assert not re.search("usage|error|unrecognized|argument", done.stderr)
    assert list(state.iterdir()) == []


def test_the_help_is_french(variables: dict[str, str]) -> None:
    done = bin_run(variables, "--help")

    assert done.returncode == 0
    assert "Lance le portail et tout ce dont il a besoin." in done.stdout
    assert "repartir de zéro" in done.stdout
    assert not re.search("usage|show this help|options:", done.stdout)


def test_a_wrong_port_is_told(variables: dict[str, str]) -> None:
    done = bin_run({**variables, "PORT": "x"})

    assert (done.returncode, "PORT=x n'est pas" in done.stderr) == (1, True)


# --- the whole of it --------------------------------------------------------------------------------------------
class Supervised:
    """The second half of `bin/run` (the first has only set up what this test run rests on already)."""

    def __init__(self, variables: dict[str, str], log: Path) -> None:
        self.log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [str(places.venv_python()), "-m", "suite.local.supervise", variables["PORT"]],
                env=variables,
                cwd=places.ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def said(self) -> str:
        return self.log.read_text()

    def wait_for(self, text: str, seconds: float = 240) -> None:
        until(lambda: text in self.said() or self.process.poll() is not None, seconds, what=text)
        assert text in self.said(), self.said()

    def end(self, number: signal.Signals) -> list[str]:
        """Send a signal, wait for the end, and answer the commands of its processes that are still there after that."""
        everybody = keeper.descendants(self.process.pid)
        assert len(everybody) > 10
        self.process.send_signal(number)
        self.process.wait(timeout=10)
        end = time.monotonic() + (0 if number != signal.SIGKILL else PATIENCE)
        while (left := [pid for pid in everybody if keeper.start_time(pid)]) and time.monotonic() < end:
            time.sleep(0.05)
        return [Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ") for pid in left]


@pytest.fixture
def supervised(variables: dict[str, str], homeserver: Matrix, tmp_path: Path) -> Iterator[Supervised]:
    # The homeserver is the test run's: the slowest part to start, and the test of a real server given.
    given = {
        "MATRIX_HOMESERVER_URL": homeserver.url,
        "MATRIX_SERVER_NAME": homeserver.server_name,
        "MATRIX_ACCESS_TOKEN": homeserver.bot_token,
    }
    started = Supervised({**variables, **given}, tmp_path / "said")
    yield started
    started.process.kill()
    started.process.wait()


def test_everything_runs_keeps_its_data_and_leaves_nothing(supervised: Supervised, base: int, state: Path) -> None:
    ready = f"Portail prêt : http://localhost:{base}\n"
    supervised.wait_for(ready)

    assert supervised.said().endswith(ready)
    steps = re.findall(r"^✓ (.+) \([\d,]+ s\)$", supervised.said(), re.M)
    assert {"PostgreSQL", "Migrations", "Données de démonstration", "Portail et travaux de fond"} <= set(steps)
    assert "Synapse" not in supervised.said()
    environment = json.loads((state / str(base) / "environment.json").read_text())
    assert environment["SESSION_COOKIE_NAME"] == f"session_{base}"
    scratch = state / str(base) / "tmp"
    # Not PostgreSQL nor Valkey, which write their titles over their environments.
    parts = ("portal", "worker", "beat", "inbound", "idp", "mailcatcher")
    homes = {variable(int((scratch.parent / f"{part}.pid").read_text()), "TMPDIR") for part in parts}
    assert homes == {str(scratch) if len(str(scratch)) <= places.OWN_SCRATCH_LIMIT else None}
    assert '"state": "up"' in fetch(f"http://localhost:{base}/__heartbeat__")
    assert "Boîte aux lettres" in fetch(f"http://localhost:{base + 2}/")
    secrets = (state / str(base) / "secrets.json").read_text()

    assert supervised.end(signal.SIGTERM) == []
    assert supervised.process.returncode == 128 + signal.SIGTERM
    assert (state / str(base) / "secrets.json").read_text() == secrets
    assert not scratch.exists()
    assert all(ports.is_free(number) for number in ports.from_base(base).values())


def variable(pid: int, name: str) -> str | None:
    """A variable of another process's environment."""
    environment = Path(f"/proc/{pid}/environ").read_text().split("\0")
    return next((entry.partition("=")[2] for entry in environment if entry.startswith(f"{name}=")), None)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_stays_when_it_is_stopped_while_starting(supervised: Supervised, number: signal.Signals) -> None:
    supervised.wait_for("… Migrations")

    assert supervised.end(number) == []


def test_when_a_process_ends_everything_ends_and_its_name_is_told(
    supervised: Supervised, base: int, state: Path
) -> None:
    supervised.wait_for("✓ Redis (Valkey)")

    os.kill(int((state / str(base) / "valkey.pid").read_text()), signal.SIGKILL)

    supervised.process.wait(timeout=PATIENCE)
    assert "✗ valkey s'est arrêté : tout s'arrête." in supervised.said()
    assert supervised.process.returncode != 0
