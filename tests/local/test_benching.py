"""`bin/bench` runs every bench; its figures are read by people, so only their lines are checked."""

import os
import subprocess
import sys

import pytest

from suite.local import benching, places


@pytest.mark.timeout(300)
def test_every_bench_runs_and_compares() -> None:
    command = [sys.executable, str(places.ROOT / "bin" / "bench")]
    command += ["calendars", "hub", "invitations", "live_dom", "pages"]
    assert command[2:] == benching.names()
    done = subprocess.run(
        command, env={**os.environ, "BENCH_SMALL": "1"}, capture_output=True, text=True, check=False, timeout=280
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for expected in (
        "free/busy of 2, 20 events each, both over HTTP: portal",
        "slots for 6 attendees over 14 days",
        "sockets, ratio:",
        "20 invitations by the portal, 2 workers:",
        "another browser's DOM",
        "dashboard queries:",
    ):
        assert expected in done.stdout or "left out" in done.stdout, done.stdout


def test_an_unknown_bench_is_told_with_the_known_ones() -> None:
    done = subprocess.run(
        [sys.executable, str(places.ROOT / "bin" / "bench"), "nothing"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "calendars, hub, invitations, live_dom, pages" in done.stderr
