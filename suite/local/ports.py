"""Which part listens where, and what to say when a port is taken."""

import contextlib
import random
import socket
from collections.abc import Iterable, Mapping

DEFAULT = 8000
# Added to PORT; the name is the one used in messages.
OFFSETS: Mapping[str, int] = {
    "portal": 0,
    "idp": 1,
    "mailbox": 2,
    "smtp": 3,
    "homeserver": 4,
    "postgres": 5,
    "redis": 6,
    "inbound": 7,
}
NAMES: Mapping[str, str] = {
    "portal": "le portail",
    "idp": "le fournisseur d'identité",
    "mailbox": "la page de la boîte aux lettres",
    "smtp": "le serveur de courriel (SMTP)",
    "homeserver": "le serveur Matrix",
    "postgres": "PostgreSQL",
    "redis": "Redis (Valkey)",
    "inbound": "la réception des réponses (SMTP)",
}
# Below the range from which Linux takes the ports of outgoing connections (32768 and above).
FREE_RANGE = range(20_000, 32_000)
_reserved: dict[int, socket.socket] = {}


class PortTaken(Exception):
    """A port that a part needs is in use; says which part, which port and what to do."""

    def __init__(self, taken: Mapping[str, int]) -> None:
        self.taken = dict(taken)
        lines = [f"Le port {port} est déjà pris : {NAMES[name]} en a besoin." for name, port in taken.items()]
        lines.append("Arrêtez le programme qui l'occupe, ou choisissez d'autres ports : PORT=8100 bin/run")
        super().__init__("\n".join(lines))


def from_base(base: int) -> dict[str, int]:
    """Every part's port when the portal listens on `base`."""
    return {name: base + offset for name, offset in OFFSETS.items()}


def is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def require_free(wanted: Mapping[str, int], names: Iterable[str]) -> None:
    """Raise PortTaken naming every part among `names` whose port is in use."""
    taken = {name: wanted[name] for name in names if not is_free(wanted[name])}
    if taken:
        raise PortTaken(taken)


def reserve() -> int:
    """A free port, kept from every other process that asks here until this process ends.

    Between finding a port free and listening on it, another run on the same machine may find it free too; a name in
    Linux's abstract socket namespace, which the kernel drops with its owner, tells them apart.
    """
    for port in random.sample(FREE_RANGE, 500):
        mark = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with contextlib.ExitStack() as undo:
            undo.callback(mark.close)
            try:
                mark.bind(f"\0portail-port-{port}")
            except OSError:
                continue
            if is_free(port):
                undo.pop_all()
                _reserved[port] = mark
                return port
    raise RuntimeError("Aucun port libre entre 20000 et 32000.")
