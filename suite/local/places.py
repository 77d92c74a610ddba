"""Where things stand: the checkout, what is kept for this machine, and the interpreters."""

import os
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PEOPLE = ROOT / "suite" / "local" / "demo_people.json"


def local_folder() -> Path:
    """The folder that holds everything made on this machine; PORTAL_LOCAL_DIR moves it."""
    return Path(os.environ.get("PORTAL_LOCAL_DIR") or ROOT / ".local").resolve()


def shared_folder() -> Path:
    """What every copy of the portal on this machine may share (downloads, the homeserver's environment, Node)."""
    return ROOT / ".local"


def venv_python() -> Path:
    return ROOT / ".venv" / "bin" / "python"


def synapse_python() -> Path:
    return shared_folder() / "synapse-venv" / "bin" / "python"


def site_packages() -> Path:
    """The environment's packages, found without running its Python; FileNotFoundError when there is none yet."""
    if Path(sys.prefix) == ROOT / ".venv":
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        return ROOT / ".venv" / "lib" / version / "site-packages"
    found = sorted((ROOT / ".venv" / "lib").glob("python3.*/site-packages"))
    if not found:
        raise FileNotFoundError("Il n'y a pas encore d'environnement .venv : lancez bin/run ou bin/test.")
    return found[-1]


def node() -> Path | None:
    """The machine's Node.js, else the one that set-up took from PyPI, else None."""
    machine = shutil.which("node")
    if machine:
        return Path(machine)
    own = sorted((shared_folder() / "node").glob("**/bin/node"))
    return own[0] if own else None
