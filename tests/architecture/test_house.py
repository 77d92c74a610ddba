"""Rules of the house that no single module's test would notice."""

import re
from pathlib import Path

import pytest

from suite.local import floors

ROOT = Path(__file__).resolve().parent.parent.parent
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
WEB_TEMPLATES = [path for path in TEMPLATES if "mail" not in path.relative_to(ROOT).parts]
SCRIPTS = [path for folder in ("assets", "visio/static") for path in sorted((ROOT / folder).rglob("*.js"))]


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_no_package_is_below_the_floor_of_its_advisories() -> None:
    assert floors.below_floor() == []


def test_a_version_below_its_floor_is_noticed() -> None:
    assert floors.parts("26.9.3") < floors.parts("26.10") <= floors.parts("26.10.0.post1")


@pytest.mark.parametrize("path", WEB_TEMPLATES, ids=name)
def test_pages_hold_nothing_that_the_content_security_policy_refuses(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    scripts = re.findall(r"<script(?![^>]*\bsrc=)(?![^>]*type=\"application/json\")[^>]*>", text)
    assert scripts == []
    assert re.findall(r"<style|\sstyle=|\son[a-z]+=\"|javascript:", text) == []


@pytest.mark.parametrize("path", WEB_TEMPLATES + SCRIPTS, ids=name)
def test_no_asset_comes_from_another_host(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert re.findall(r"(?:src=|@import|url\(|from |import\()[\"']?(?:https?:)?//", text) == []
    assert re.findall(r"<link[^>]+href=\"(?:https?:)?//", text) == []


@pytest.mark.parametrize("path", SCRIPTS, ids=name)
def test_scripts_run_no_text_as_code(path: Path) -> None:
    assert re.findall(r"\beval\(|new Function\(|document\.write\(", path.read_text(encoding="utf-8")) == []


def test_lock_files_name_no_registry() -> None:
    for path in [*ROOT.glob("requirements*"), ROOT / "package-lock.json"]:
        text = path.read_text(encoding="utf-8")
        assert re.findall(r"^-i |index-url|find-links|\"resolved\": \"https?:", text, re.MULTILINE) == [], path.name
