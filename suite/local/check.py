"""`bin/check`: everything that can be told without running the portal. Standard library only; the tools run in .venv."""

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from suite.local import places, ports, setup
from suite.local.console import Options, StepFailed, fail, run, say, seconds
from suite.local.parts import postgres
from suite.local.parts.part import PartFailed

OURS = ["agents", "visio", "tchap_bridge"]


def tool(name: str) -> str:
    return str(places.ROOT / ".venv" / "bin" / name)


def django(*words: str) -> list[str]:
    return [str(places.venv_python()), "manage.py", *words]


def development(database: str) -> dict[str, str]:
    """The environment of a checkout that only looks at itself: a database, and nothing else that answers."""
    return {
        "DJANGO_SETTINGS_MODULE": "suite.settings.test",
        "SECRET_KEY": "local-check",
        "PORTAL_URL": "http://localhost:8000",
        "DATABASE_URL": database,
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "OIDC_OP_URL": "http://localhost:8001",
        "OIDC_RP_CLIENT_ID": "portal",
        "OIDC_RP_CLIENT_SECRET": "local-check",
        "EMAIL_HOST": "localhost",
        "LOG_LEVEL": "ERROR",
    }


def production(database: str) -> dict[str, str]:
    """The environment of a deployment, with secrets made up for the moment."""
    return development(database) | {
        "DJANGO_SETTINGS_MODULE": "suite.settings.production",
        "SECRET_KEY": secrets.token_urlsafe(50),
        # Nothing of the deployment settings' check asks the database; a local copy's password would be refused.
        "DATABASE_URL": f"postgres://portal:{secrets.token_urlsafe(30)}@database.example.gouv.fr/portal",
        "PORTAL_URL": "https://portail.example.gouv.fr",
        "OIDC_OP_URL": "https://proconnect.example.gouv.fr",
        "OIDC_RP_CLIENT_SECRET": secrets.token_urlsafe(50),
        "MATRIX_HOMESERVER_URL": "https://matrix.example.gouv.fr",
        "MATRIX_SERVER_NAME": "example.gouv.fr",
        "MATRIX_ACCESS_TOKEN": secrets.token_urlsafe(30),
        "MATRIX_HS_TOKEN": secrets.token_urlsafe(30),
    }


# Refused by the linter, looked at and kept. 0004 widens a varchar, which rewrites nothing and which the code of before can live
# with, and makes a partial unique index over a column that is new and empty in the same migration.
LOOKED_AT = ("--ignore-name", "0004_series_places_polls")


def checks(database: str) -> list[tuple[str, list[str], Mapping[str, str]]]:
    """(title, command, environment) of every check; each succeeds with status 0."""
    here, there = development(database), production(database)
    return [
        ("ruff format", [tool("ruff"), "format", "--check", "--quiet", "."], here),
        ("ruff check", [tool("ruff"), "check", "--quiet", "."], here),
        ("mypy --strict", [tool("mypy")], here),
        ("import-linter", [tool("lint-imports"), "--no-cache"], here),
        ("makemigrations --check", django("makemigrations", "--check", "--dry-run"), here),
        (
            "migration linter",
            django("lintmigrations", "--include-apps", *OURS, "--ignore-initial-migrations", "--no-cache", *LOOKED_AT),
            here,
        ),
        ("catalogues complete", django("messages", "--check"), here),
        ("version floors", [str(places.venv_python()), "-m", "suite.local.floors"], here),
        ("check --deploy", django("check", "--deploy", "--fail-level", "WARNING"), there),
        ("OpenAPI schema", django("spectacular", "--validate", "--fail-on-warn", "--file", os.devnull), here),
    ]


def carry_out(check: tuple[str, list[str], Mapping[str, str]]) -> bool:
    """Run one check and say how it went; its words only when it fails."""
    title, command, variables = check
    began = time.monotonic()
    done = subprocess.run(
        command,
        cwd=places.ROOT,
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    passed = done.returncode == 0
    say(f"{'✓' if passed else '✗'} {title} ({seconds(time.monotonic() - began)})")
    if not passed:
        say("\n".join(f"    {line}" for line in (done.stdout + done.stderr).strip().splitlines()[-60:]))
    return passed


def lock() -> None:
    """Write the two lock files again from the two .in files: hashes, no address of a registry."""
    # For every Python from 3.11.0 on: Debian 12's 3.11.2 wants packages that a later 3.11 does not.
    words = ["--universal", "--python-version", "3.11"]
    words += ["--generate-hashes", "--no-emit-index-url", "--no-emit-find-links", "--no-header", "--quiet"]
    for name in ("requirements", "requirements-dev"):
        run([setup.uv(), "pip", "compile", *words, f"{name}.in", "-o", f"{name}.txt"], advice="", cwd=places.ROOT)
        say(f"✓ {name}.txt")


def main(arguments: Sequence[str]) -> int:
    parser = Options(prog="bin/check", description="Vérifie le code sans lancer le portail.")
    parser.add_argument("--lock", action="store_true", help="refaire les fichiers de versions verrouillées")
    try:
        if parser.parse_args(arguments).lock:
            lock()
            return 0
        setup.ready(development=True, homeserver=False)
        places.shared_folder().mkdir(exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="check-", dir=places.shared_folder()))
        try:
            return _check(folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    except (StepFailed, PartFailed, FileNotFoundError) as error:
        return fail(error)


def _check(folder: Path) -> int:
    began = time.monotonic()
    database = postgres.start(folder, ports.reserve(), durable=False)
    try:
        with ThreadPoolExecutor(os.cpu_count() or 2) as pool:
            outcomes = list(pool.map(carry_out, checks(database.url)))
    finally:
        database.stop()
    failed = outcomes.count(False)
    say(f"{len(outcomes) - failed} passed, {failed} failed in {seconds(time.monotonic() - began)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
