"""`bin/test`: set up what tests need, then become pytest, which brings its own parts (tests/services.py).

The command becomes pytest instead of starting it, so that whoever kills it kills the run, and every part with it.
"""

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from suite.local import keeper, places, setup
from suite.local.console import StepFailed, fail
from suite.local.run import become, end_with_children

# Options of pytest that choose some of the tests: the share of branches covered then says nothing.
CHOOSING = ("-k", "-m", "--lf", "--last-failed", "--ff", "--sw", "--stepwise", "--deselect", "--ignore", "--co")


def is_whole_run(arguments: Sequence[str]) -> bool:
    """Whether every test runs, so that coverage is measured and its floor holds."""
    return not any(
        argument.startswith(CHOOSING) or (not argument.startswith("-") and Path(argument.partition("::")[0]).exists())
        for argument in arguments
    )


def pytest_command(arguments: Sequence[str]) -> list[str]:
    command = [str(places.venv_python()), "-m", "pytest", "-n", "auto", "--dist", "worksteal"]
    if is_whole_run(arguments):
        command += ["--cov", "--cov-branch", "--cov-config", "pyproject.toml", "--cov-report", "term:skip-covered"]
    return [*command, *arguments]


def coverage_folder() -> Path:
    """A folder for this run's measurements and scratch files, so that two runs never mix theirs; those of runs that are over go."""
    home = places.shared_folder() / "coverage"
    home.mkdir(parents=True, exist_ok=True)
    for old in home.iterdir():
        pid, _, started = old.name.partition("-")
        if keeper.start_time(int(pid)) != started:
            shutil.rmtree(old, ignore_errors=True)
    own = home / f"{os.getpid()}-{keeper.start_time(os.getpid())}"
    own.mkdir()
    return own


def main(arguments: Sequence[str]) -> int:
    end_with_children()
    try:
        setup.ready(development=True, homeserver=True)
        setup.chromium()
    except (StepFailed, FileNotFoundError) as error:
        return fail(error)
    except KeyboardInterrupt:
        return 130
    else:
        folder = coverage_folder()
        os.environ["COVERAGE_FILE"] = str(folder / "data")
        os.environ.pop("PORTAL_TEST_SERVICES", None)
        become([*pytest_command(arguments), "--basetemp", str(folder / "scratch")])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
