"""System checks: a misconfigured bridge is told at start, with a hint."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks


@checks.register("tchap")
def check_matrix_settings(app_configs: Sequence[AppConfig] | None, **_options: Any) -> list[checks.CheckMessage]:
    if not settings.MATRIX_HOMESERVER_URL:
        return [
            checks.Warning(
                "No Matrix homeserver is configured: Tchap rooms are noted down and not made.",
                hint="Set MATRIX_HOMESERVER_URL, MATRIX_SERVER_NAME and MATRIX_ACCESS_TOKEN.",
                id="tchap_bridge.W001",
            )
        ]
    found: list[checks.CheckMessage] = []
    needed = ["MATRIX_SERVER_NAME", "MATRIX_ACCESS_TOKEN"]
    if settings.MATRIX_TRANSPORT == "appservice":
        needed.append("MATRIX_HS_TOKEN")
    for name in needed:
        if not getattr(settings, name):
            found.append(checks.Error(f"{name} is empty.", hint=f"Set {name}.", id="tchap_bridge.E001"))
    if settings.MATRIX_TRANSPORT not in ("bot", "appservice"):
        found.append(
            checks.Error(
                f"MATRIX_TRANSPORT is {settings.MATRIX_TRANSPORT!r}.",
                hint='Set it to "bot" or "appservice".',
                id="tchap_bridge.E002",
            )
        )
    if not settings.MATRIX_HOMESERVER_URL.startswith(("http://", "https://")):
        found.append(
            checks.Error(
                "MATRIX_HOMESERVER_URL is no web address.",
                hint="It begins with https:// (http:// on one machine).",
                id="tchap_bridge.E003",
            )
        )
    return found
