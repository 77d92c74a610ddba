"""System checks of the whole: a misconfiguration is told at start, with what to do. Tchap's own are in tchap_bridge.checks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core import checks

from suite.portal.health import LATE_SECONDS
from visio.meetings.invitations import LEASE
from visio.rooms.engines.registry import ENGINES

ICE_SCHEMES = ("stun:", "stuns:", "turn:", "turns:")


@checks.register("portal")
def check_addresses(app_configs: Sequence[AppConfig] | None, **_options: Any) -> list[checks.CheckMessage]:
    found: list[checks.CheckMessage] = []
    for number, name in enumerate(("PORTAL_URL", "OIDC_OP_URL"), start=1):
        parts = urlsplit(getattr(settings, name))
        if parts.scheme not in ("http", "https") or not parts.hostname:
            found.append(
                checks.Error(
                    f"{name} is no web address: {getattr(settings, name)!r}.",
                    hint="Write it whole, for example https://portail.example.gouv.fr.",
                    id=f"suite.E00{number}",
                )
            )
    host = urlsplit(settings.PORTAL_URL).hostname
    allowed = settings.ALLOWED_HOSTS
    if host and "*" not in allowed and not any(host == name or host.endswith(name) for name in allowed):
        found.append(
            checks.Error(
                f"ALLOWED_HOSTS does not hold {host!r}, the host of PORTAL_URL: every page would answer 400.",
                hint="Add it to ALLOWED_HOSTS, or leave that variable out.",
                id="suite.E003",
            )
        )
    return found


@checks.register("portal")
def check_calls(app_configs: Sequence[AppConfig] | None, **_options: Any) -> list[checks.CheckMessage]:
    found: list[checks.CheckMessage] = []
    if settings.ROOM_ENGINE not in ENGINES:
        found.append(
            checks.Error(
                f"ROOM_ENGINE is {settings.ROOM_ENGINE!r}, which no engine is called.",
                hint=f"Known engines: {', '.join(sorted(ENGINES))}.",
                id="suite.E004",
            )
        )
    odd = [server for server in settings.ICE_SERVERS if not server.startswith(ICE_SCHEMES)]
    if odd:
        found.append(
            checks.Error(
                f"ICE_SERVERS holds {odd[0]!r}, which a browser would refuse.",
                hint="Every entry begins with stun:, stuns:, turn: or turns:, for example stun:stun.example.gouv.fr:3478.",
                id="suite.E005",
            )
        )
    return found


@checks.register("portal")
def check_sweeps(app_configs: Sequence[AppConfig] | None, **_options: Any) -> list[checks.CheckMessage]:
    if 0 < settings.SWEEP_SECONDS < LATE_SECONDS:
        return []
    return [
        checks.Error(
            f"SWEEP_SECONDS is {settings.SWEEP_SECONDS:g}: owed e-mails and rooms would be called late between two sweeps.",
            hint=f"Choose more than 0 and less than {LATE_SECONDS}; 15 is usual.",
            id="suite.E006",
        )
    ]


@checks.register("portal")
def check_mail(app_configs: Sequence[AppConfig] | None, **_options: Any) -> list[checks.CheckMessage]:
    found: list[checks.CheckMessage] = []
    if settings.EMAIL_USE_TLS and settings.EMAIL_USE_SSL:
        found.append(
            checks.Error(
                "EMAIL_USE_TLS and EMAIL_USE_SSL are both set, and exclude each other.",
                hint="EMAIL_USE_TLS is STARTTLS (port 25 or 587), EMAIL_USE_SSL is TLS from the first byte (port 465).",
                id="suite.E007",
            )
        )
    longest = LEASE.total_seconds()
    if not 0 < settings.EMAIL_TIMEOUT < longest:
        found.append(
            checks.Error(
                f"EMAIL_TIMEOUT is {settings.EMAIL_TIMEOUT:g}: two workers could send the same e-mail.",
                hint=f"Choose more than 0 and less than {longest:g} seconds, after which an e-mail is given to another worker.",
                id="suite.E008",
            )
        )
    return found
