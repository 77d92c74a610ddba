"""The secrets made for one machine, once; each starts with `local-` so that production refuses it."""

import json
import os
import secrets
from pathlib import Path

NAMES = (
    "SECRET_KEY",
    "OIDC_RP_CLIENT_SECRET",
    "POSTGRES_PASSWORD",
    "REDIS_PASSWORD",
    "MATRIX_REGISTRATION_SECRET",
    "MATRIX_PASSWORD_SEED",
    "MATRIX_AS_TOKEN",
    "MATRIX_HS_TOKEN",
)


def load(folder: Path) -> dict[str, str]:
    """The secrets kept in `folder`, making those that are missing (readable by the owner alone)."""
    file = folder / "secrets.json"
    kept: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
    missing = [name for name in NAMES if name not in kept]
    if missing:
        kept.update({name: f"local-{secrets.token_hex(24)}" for name in missing})
        write_private(file, json.dumps(kept, indent=1))
    return kept


def write_private(file: Path, text: str) -> None:
    """Replace `file` at one stroke by `text`, readable by its owner alone."""
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f"{file.name}.{os.getpid()}.new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
        stream.write(text)
    fresh.replace(file)
