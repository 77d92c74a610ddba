"""What `bin/test` makes of its arguments."""

import os
import subprocess
import sys

import pytest

from suite.local import keeper, places, testing


@pytest.mark.parametrize("arguments", [[], ["-x"], ["-q", "--durations=10"], ["--maxfail", "3"]])
def test_a_whole_run_measures_coverage(arguments: list[str]) -> None:
    command = testing.pytest_command(arguments)

    assert "--cov" in command
    assert command[-len(arguments) :] == arguments or not arguments


@pytest.mark.parametrize(
    "arguments", [["-k", "planning"], ["tests/local"], ["tests/local/test_testing.py::test_a"], ["--lf"]]
)
def test_a_choice_of_tests_does_not(arguments: list[str]) -> None:
    assert "--cov" not in testing.pytest_command(arguments)


def test_measurements_of_runs_that_are_over_are_removed_and_others_stay() -> None:
    over = subprocess.Popen([sys.executable, "-c", ""])
    started = keeper.start_time(over.pid) or "1"
    over.wait()
    old = places.shared_folder() / "coverage" / f"{over.pid}-{started}"
    old.mkdir(parents=True)

    own = testing.coverage_folder()

    assert own.name == f"{os.getpid()}-{keeper.start_time(os.getpid())}"
    assert own.is_dir()
    assert not old.exists()
