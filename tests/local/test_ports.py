"""Ports: which part listens where, and what one reads when a port is taken."""

import socket
import subprocess
import sys

import pytest

from suite.local import ports


def test_ports_follow_from_the_portals() -> None:
    assert ports.from_base(8000) == {
        "portal": 8000,
        "idp": 8001,
        "mailbox": 8002,
        "smtp": 8003,
        "homeserver": 8004,
        "postgres": 8005,
        "redis": 8006,
        "inbound": 8007,
    }


def test_every_part_has_a_name_for_people() -> None:
    assert ports.NAMES.keys() == ports.OFFSETS.keys()


def test_a_taken_port_is_told_with_its_part_and_what_to_do() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        wanted = {**ports.from_base(ports.reserve()), "smtp": taken}

        with pytest.raises(ports.PortTaken) as told:
            ports.require_free(wanted, ["smtp"])

    assert told.value.taken == {"smtp": taken}
    assert str(told.value).splitlines() == [
        f"Le port {taken} est déjà pris : le serveur de courriel (SMTP) en a besoin.",
        "Arrêtez le programme qui l'occupe, ou choisissez d'autres ports : PORT=8100 bin/run",
    ]


def test_ports_of_parts_that_are_not_started_do_not_matter() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()

        ports.require_free({"smtp": other.getsockname()[1], "redis": ports.reserve()}, ["redis"])


def test_a_reserved_port_is_not_given_to_another_process() -> None:
    mine = ports.reserve()
    code = f"import socket; socket.socket(socket.AF_UNIX).bind('\\0portail-port-{mine}')"

    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert "Address already in use" in other.stderr
    assert ports.is_free(mine)
