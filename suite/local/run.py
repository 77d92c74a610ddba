"""`bin/run`: set up, start every part and the portal, announce it, and leave nothing behind.

Two halves. `main` runs on the standard library alone with the machine's Python: it sets up, then becomes the second half,
`supervise`, under the environment's Python, where honcho keeps the processes. The portal's own processes are started with the others but
wait (in their keepers) for a file with their environment, which is written when the parts answer, the database is
migrated and the demo data is there.
"""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO, NoReturn

from suite.local import keeper, places, ports, setup
from suite.local.console import Options, StepFailed, fail
from suite.local.parts import postgres
from suite.local.parts.part import PartFailed

# Whoever gives the first variable gives a real server: the embedded part is not started.
REAL_SERVERS = {
    "postgres": "DATABASE_URL",
    "redis": "REDIS_URL",
    "idp": "OIDC_OP_URL",
    "mail": "EMAIL_HOST",
    "homeserver": "MATRIX_HOMESERVER_URL",
}
LISTENERS = {
    "postgres": ["postgres"],
    "redis": ["redis"],
    "idp": ["idp"],
    "mail": ["smtp", "mailbox"],
    "homeserver": ["homeserver"],
}


def embedded(variables: os._Environ[str] | dict[str, str]) -> list[str]:
    """The parts to start, given the environment."""
    return [name for name, variable in REAL_SERVERS.items() if not variables.get(variable)]


def main(arguments: Sequence[str]) -> int:
    parser = Options(
        prog="bin/run",
        description="Lance le portail et tout ce dont il a besoin.",
        epilog="Les ports suivent de PORT (8000 sinon) ; par exemple : PORT=8100 bin/run",
    )
    parser.add_argument("--fresh", action="store_true", help="repartir de zéro : efface les données de cette copie")
    options = parser.parse_args(arguments)
    end_with_children()
    try:
        port = chosen_port(os.environ.get("PORT", ""))
        wanted = embedded(os.environ)
        folder = places.state_folder(port)
        lock = claim(folder, port)
        try:
            names = ["portal", "inbound", *(listener for part in wanted for listener in LISTENERS[part])]
            ports.require_free(ports.from_base(port), names)
            if options.fresh:
                empty(folder)
            setup.ready(development=False, homeserver="homeserver" in wanted)
        except BaseException:
            give_back(folder, lock)
            raise
    except (StepFailed, PartFailed, ports.PortTaken, FileNotFoundError) as error:
        return fail(error)
    except KeyboardInterrupt:
        return 130
    else:
        # The claim goes along: the second half is the same process.
        os.set_inheritable(lock.fileno(), True)
        become([str(places.venv_python()), "-m", "suite.local.supervise", str(port)])


def become(command: list[str]) -> NoReturn:
    """Go on as another program, in the checkout's folder, under the same process number."""
    os.chdir(places.ROOT)
    sys.stdout.flush()
    os.execv(command[0], command)  # noqa: S606 no shell is wanted


def chosen_port(given: str) -> int:
    """PORT as a number, 8000 when it is empty; StepFailed below 1024 (kept for root) and when seven more do not fit above."""
    if not given:
        return ports.DEFAULT
    if not given.isdigit() or not 1024 <= int(given) <= 65535 - max(ports.OFFSETS.values()):
        raise StepFailed(f"PORT={given} n'est pas un numéro de port possible ; par exemple : PORT=8100 bin/run")
    return int(given)


def end_with_children() -> None:
    """SIGTERM and SIGHUP end what set-up has started (installers) before they end us."""

    def end(number: int, frame: object) -> None:
        keeper.end_descendants()
        os._exit(128 + number)

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGHUP, end)


def claim(folder: Path, port: int) -> IO[str]:
    """Take the state folder for this process; StepFailed when another copy runs on it."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = (folder / "run.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise StepFailed(
            f"Le portail tourne déjà sur le port {port} (données : {folder}).\n"
            "Arrêtez-le (Ctrl-C dans son terminal), ou choisissez d'autres ports : PORT=8100 bin/run"
        ) from None
    return lock


def give_back(folder: Path, lock: IO[str]) -> None:
    """Let the state folder go; when nothing but the claim is in it, it goes too: a refused start leaves no trace."""
    with contextlib.suppress(OSError):
        if [entry.name for entry in folder.iterdir()] == ["run.lock"]:
            (folder / "run.lock").unlink()
            folder.rmdir()
    lock.close()


def empty(folder: Path) -> None:
    """Remove everything of this copy but the lock that is held; also data that PostgreSQL needed elsewhere."""
    postgres.remove_elsewhere(folder)
    for entry in folder.iterdir():
        if entry.name == "run.lock":
            continue
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def portal_variables(own: dict[str, str]) -> dict[str, str]:
    """The portal's environment: what the embedded parts say, and over it what the user's environment says."""
    return {**own, **{name: value for name, value in os.environ.items() if value}}


def write_variables(file: Path, variables: dict[str, str]) -> None:
    fresh = file.with_suffix(".new")
    fresh.touch(mode=0o600)
    fresh.write_text(json.dumps(variables))
    fresh.replace(file)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
