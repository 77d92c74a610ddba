"""What set-up decides; that it installs is seen by every run from a fresh checkout."""

import sys
from pathlib import Path

import pytest

from suite.local import places, setup
from suite.local.parts.valkey import binary


def program(path: Path, says: str) -> Path:
    path.write_text(f"#!{sys.executable}\nprint({says!r})\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(("says", "major"), [("v20.11.1", 20), ("v9.0.0", 9), ("what?", 0)])
def test_nodes_version_is_read_or_taken_for_none(tmp_path: Path, says: str, major: int) -> None:
    assert setup.node_version(program(tmp_path / "node", says)) == major


def test_node_is_found_for_the_identity_provider() -> None:
    node = places.node()

    assert node is not None
    assert setup.node_version(node) >= setup.OLDEST_NODE


@pytest.mark.parametrize("name", ["uv", "synapse", "node"])
def test_what_set_up_installs_is_pinned_by_hash_and_names_no_registry(name: str) -> None:
    lock = (setup.LOCKS / f"{name}.txt").read_text()

    pins = [line for line in lock.splitlines() if line and line[0] not in " #"]
    assert pins
    assert all("==" in pin and pin.endswith("\\") for pin in pins)
    assert lock.count("--hash=sha256:") >= len(pins)
    assert "://" not in lock


def test_the_embedded_binaries_are_where_they_are_looked_for() -> None:
    assert binary().name == "valkey-server"
