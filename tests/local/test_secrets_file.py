"""The secrets of one machine."""

import json
from pathlib import Path

from suite.local import secrets_file


def test_secrets_are_made_once_private_and_marked_as_local(tmp_path: Path) -> None:
    made = secrets_file.load(tmp_path / "new")

    assert made.keys() == set(secrets_file.NAMES)
    assert all(value.startswith("local-") and len(value) >= 50 for value in made.values())
    assert len(set(made.values())) == len(made)
    assert (tmp_path / "new" / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert secrets_file.load(tmp_path / "new") == made


def test_a_secret_that_is_missing_is_added_to_those_that_are_there(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text(json.dumps({"SECRET_KEY": "local-old"}))

    found = secrets_file.load(tmp_path)

    assert found["SECRET_KEY"] == "local-old"
    assert found.keys() == set(secrets_file.NAMES)
