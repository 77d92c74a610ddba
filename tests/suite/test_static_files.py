"""Static files of production: a name that browsers keep for ever must lead to names that may be kept as well."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.contrib.staticfiles.finders import get_finders

from suite.settings import base
from suite.static_files import PortalStaticFiles

OURS = ("live/", "portal/", "visio/")
IMPORTED = re.compile(
    r"""^\s*(?:import|export)\b[^"';]*from\s*["']([^"']+)["']|import\(["']([^"']+)["']\)""", re.MULTILINE
)


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Our scripts as collectstatic leaves them: {hashed name: file}."""
    folder = tmp_path_factory.mktemp("static")
    storage = PortalStaticFiles(location=folder, base_url="/static/")
    paths = {}
    for finder in get_finders():
        for path, source in finder.list([]):
            if path.startswith(OURS) and path.endswith(".js"):
                with source.open(path) as file:
                    storage.save(path, file)
                paths[path] = (storage, path)
    hashed = {}
    for path, name, processed in storage.post_process(paths):
        assert not isinstance(processed, Exception), (path, processed)
        if not str(name).endswith(".gz"):
            hashed[str(name)] = folder / str(name)
    return hashed


def test_every_import_of_ours_is_hashed(collected: dict[str, Path]) -> None:
    found = []
    for name, file in collected.items():
        for match in IMPORTED.finditer(file.read_text()):
            target = Path(name).parent / (match[1] or match[2])
            parts: list[str] = []
            for part in target.parts:
                if part == "..":
                    parts.pop()
                else:
                    parts.append(part)
            found.append("/".join(parts))
    assert len(found) > 10
    assert [name for name in found if name not in collected] == []


def test_production_names_files_this_way() -> None:
    assert base.STORAGES["staticfiles"]["BACKEND"] == "suite.static_files.PortalStaticFiles"
