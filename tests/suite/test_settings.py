"""Production settings read the environment alone, and refuse to start with a missing or a development secret, naming it."""

import os
import subprocess
import sys

import pytest
from django.conf import settings

from suite.local import check, places

DATABASE = "postgres://portal:local-0123456789@127.0.0.1:1/portal"
SAFE_DATABASE = "postgres://portal:Zk2x9vQmWd41@127.0.0.1:1/portal"
LONG = "Zk2x9vQmWd41" * 4
READ = (
    "import json, django; django.setup(); from django.conf import settings as s; "
    "print('form-action', *s.CONTENT_SECURITY_POLICY['DIRECTIVES']['form-action']); "
    "print(json.dumps({n: getattr(s, n) for n in ("
    "'DEBUG', 'SESSION_COOKIE_SECURE', 'CSRF_COOKIE_SECURE', 'SECURE_SSL_REDIRECT', 'SECURE_HSTS_SECONDS')} "
    "| s.DATABASES['default']['OPTIONS']))"
)


def start(**changes: str | None) -> subprocess.CompletedProcess[str]:
    """Django under the production settings, in a process that inherits nothing of the tests' environment but its PATH."""
    variables = {"PATH": os.environ["PATH"], **check.production(DATABASE)}
    for name, value in changes.items():
        variables.pop(name, None)
        if value is not None:
            variables[name] = value
    # Coverage follows into the process by these.
    variables |= {name: value for name, value in os.environ.items() if name.startswith("COVERAGE")}
    return subprocess.run(
        [sys.executable, "-c", READ], env=variables, cwd=places.ROOT, capture_output=True, text=True, check=False
    )


def test_a_whole_environment_starts_and_is_safe() -> None:
    done = start()
    assert done.returncode == 0, done.stderr
    assert '"DEBUG": false' in done.stdout
    assert done.stdout.count("true") == 3
    assert '"SECURE_HSTS_SECONDS": 31536000' in done.stdout


@pytest.mark.parametrize(
    "name",
    [
        "SECRET_KEY",
        "PORTAL_URL",
        "DATABASE_URL",
        "REDIS_URL",
        "OIDC_OP_URL",
        "OIDC_RP_CLIENT_ID",
        "OIDC_RP_CLIENT_SECRET",
        "EMAIL_HOST",
    ],
)
@pytest.mark.parametrize("value", [None, ""])
def test_what_is_missing_is_named(name: str, value: str | None) -> None:
    done = start(**{name: value})
    assert done.returncode != 0
    assert f"Set the environment variable {name} " in done.stderr


def test_options_of_the_database_address_are_kept() -> None:
    done = start(DATABASE_URL=f"{SAFE_DATABASE}?sslmode=verify-full")
    assert '"sslmode": "verify-full"' in done.stdout
    assert '"pool": {' in done.stdout


LOCAL = "local-" + "x9vQmWd41" * 8


@pytest.mark.parametrize(
    ("name", "value", "others"),
    [
        ("SECRET_KEY", LOCAL, {}),
        ("SECRET_KEY", "quite-brief", {}),
        ("SECRET_KEY", "Zk2x9vQmWd41" * 2 + "Zk2x9vQ", {}),
        ("SECRET_KEY", "django-insecure-" + LONG, {}),
        ("SECRET_KEY", "a" * 60, {}),
        ("SECRET_KEY_FALLBACKS", f"{LONG},{LOCAL}", {}),
        ("SECRET_KEY_FALLBACKS", "quite-brief", {}),
        ("OIDC_RP_CLIENT_SECRET", LOCAL, {}),
        ("OIDC_RP_CLIENT_SECRET", "quite-brief", {}),
        ("MATRIX_ACCESS_TOKEN", LOCAL, {}),
        ("MATRIX_ACCESS_TOKEN", "", {}),
        ("MATRIX_HS_TOKEN", LOCAL, {}),
        ("MATRIX_HS_TOKEN", "", {"MATRIX_TRANSPORT": "appservice"}),
        ("MATRIX_HS_TOKEN", "quite-brief", {"MATRIX_TRANSPORT": "appservice"}),
        ("TURN_SECRET", LOCAL, {}),
        ("TURN_SECRET", "quite-brief", {}),
        ("TURN_SECRET", "", {"ICE_SERVERS": "stun:stun.example.gouv.fr,turns:turn.example.gouv.fr"}),
        ("EMAIL_HOST_PASSWORD", LOCAL, {"EMAIL_HOST_USER": "portail"}),
        ("EMAIL_HOST_PASSWORD", "", {"EMAIL_HOST_USER": "portail"}),
        ("DATABASE_URL", DATABASE, {}),
        ("DATABASE_URL", "postgres://portal@db.example/portal", {}),
        ("DATABASE_URL", "postgres://portal:portal@db.example/portal", {}),
        ("DATABASE_URL", "postgres://portal:postgres@db.example/portal", {}),
        ("REDIS_URL", f"redis://:{LOCAL}@redis.example:6379/0", {}),
    ],
)
def test_a_missing_or_known_secret_is_refused_by_name_and_not_shown(
    name: str, value: str, others: dict[str, str]
) -> None:
    done = start(**{name: value}, **others)
    assert done.returncode != 0
    assert f"ImproperlyConfigured: {name} " in done.stderr
    for secret in {value, LOCAL} - {""}:
        assert secret not in done.stderr


@pytest.mark.parametrize(
    "right",
    [
        {"SECRET_KEY_FALLBACKS": f"{LONG},{LONG}2"},
        {"MATRIX_HOMESERVER_URL": "", "MATRIX_ACCESS_TOKEN": "", "MATRIX_HS_TOKEN": ""},
        {"MATRIX_TRANSPORT": "bot", "MATRIX_HS_TOKEN": ""},
        {"ICE_SERVERS": "turns:turn.example.gouv.fr", "TURN_SECRET": LONG},
        {"EMAIL_HOST_USER": "portail", "EMAIL_HOST_PASSWORD": "brief-but-theirs"},
        {"DATABASE_URL": SAFE_DATABASE},
        {"DATABASE_URL": "postgres://portal@db.example/portal?sslcert=/etc/portal.crt"},
        {"DATABASE_URL": "postgres://portal@/portal"},
        {"REDIS_URL": "redis://redis.example:6379/0"},
    ],
    ids=lambda right: " ".join(right),
)
def test_what_needs_no_secret_starts_without_one(right: dict[str, str]) -> None:
    done = start(**right)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("changes", "allowed"),
    [
        ({}, "https://proconnect.example.gouv.fr"),
        ({"OIDC_OP_URL": "https://proconnect.example.gouv.fr/api/v2"}, "https://proconnect.example.gouv.fr"),
        (
            {
                "OIDC_OP_AUTHORIZATION_ENDPOINT": "https://entree.example.gouv.fr/authorize",
                "OIDC_OP_LOGOUT_ENDPOINT": "https://sortie.example.gouv.fr:8443/end?from=portail",
            },
            "https://proconnect.example.gouv.fr https://entree.example.gouv.fr https://sortie.example.gouv.fr:8443",
        ),
    ],
)
def test_forms_may_lead_to_the_providers_pages(changes: dict[str, str], allowed: str) -> None:
    """A browser holds form-action against every address that a form is redirected to: signing in, signing out."""
    assert f"form-action 'self' {allowed}\n" in start(**changes).stdout


def test_two_ways_of_tls_at_once_are_refused() -> None:
    done = start(EMAIL_USE_TLS="true", EMAIL_USE_SSL="true")
    assert done.returncode != 0
    assert "ImproperlyConfigured: EMAIL_USE_TLS and EMAIL_USE_SSL exclude each other" in done.stderr
    assert start(EMAIL_USE_SSL="true", EMAIL_TIMEOUT="5").returncode == 0


def test_plain_http_is_refused() -> None:
    done = start(PORTAL_URL="http://portail.example.gouv.fr")
    assert done.returncode != 0
    assert "PORTAL_URL must start with https://" in done.stderr


def test_beat_leaves_no_pile_of_old_rings() -> None:
    """What waited longer than the next ring (or a minute, should two machines' clocks differ) is forgotten unread."""
    for name, entry in settings.CELERY_BEAT_SCHEDULE.items():
        seconds = entry["schedule"] if isinstance(entry["schedule"], float) else 24 * 3600
        expires = entry.get("options", {}).get("expires")
        assert expires is not None, name
        assert 60 <= expires <= max(60, seconds), name


def test_every_check_has_a_command_and_an_environment() -> None:
    titles = [title for title, _command, _variables in check.checks(DATABASE)]
    assert len(titles) == len(set(titles)) == 10
    assert check.carry_out(("passes", [sys.executable, "-c", ""], {}))
    assert not check.carry_out(("fails", [sys.executable, "-c", "raise SystemExit(1)"], {}))
