"""Where scratch files go, and that they go with what made them."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from suite.local import places
from suite.local.parts import postgres
from tests.services import services


@pytest.fixture
def told() -> Iterator[None]:
    """Put back what the tests tell this process about scratch files."""
    before = os.environ.get("TMPDIR")
    yield
    if before is None:
        os.environ.pop("TMPDIR", None)
    else:
        os.environ["TMPDIR"] = before
    tempfile.tempdir = None


def test_scratch_files_of_this_process_and_of_those_it_starts_are_in_the_folder(told: None) -> None:
    folder = Path(tempfile.mkdtemp(prefix="s"))

    with places.own_scratch(folder):
        inside = subprocess.run(
            [sys.executable, "-c", "import tempfile; print(tempfile.mkdtemp())"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        assert Path(inside).parent == folder / "tmp" == Path(tempfile.gettempdir())

    assert list(folder.iterdir()) == []
    assert Path(tempfile.gettempdir()) != folder / "tmp"
    folder.rmdir()


def test_what_a_killed_run_left_is_removed_by_the_next(told: None) -> None:
    folder = Path(tempfile.mkdtemp(prefix="s"))
    (folder / "tmp" / "profile").mkdir(parents=True)

    with places.own_scratch(folder):
        assert list((folder / "tmp").iterdir()) == []

    folder.rmdir()


def test_a_folder_too_deep_for_a_sockets_address_is_not_used(told: None, tmp_path: Path) -> None:
    before = tempfile.gettempdir()
    deep = tmp_path / ("d" * 60)

    with places.own_scratch(deep):
        assert tempfile.gettempdir() == before

    assert not deep.exists()


def test_a_browsers_socket_fits_where_scratch_files_go() -> None:
    assert places.OWN_SCRATCH_LIMIT + len("/org.chromium.Chromium.XXXXXX/SingletonSocket") == 107


def test_the_tests_scratch_files_go_with_their_run() -> None:
    folder = services.folder / "tmp"

    assert (Path(tempfile.gettempdir()) == folder) == (len(str(folder)) <= places.OWN_SCRATCH_LIMIT)


def test_data_that_postgresql_needed_elsewhere_goes_with_the_folder_that_remembers_it(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "data").mkdir(parents=True)
    folder = tmp_path / "run"
    (folder / "gw0").mkdir(parents=True)
    (folder / "gw0" / "postgres-data-is-in").write_text(str(elsewhere))

    postgres.remove_elsewhere(folder)

    assert not elsewhere.exists()
    assert folder.exists()
