"""System checks of the mail settings: a misconfiguration is told at start, with what to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks

from suite.mail.throttle import BadRates, parse_rates


@checks.register("mail")
def check_rates(app_configs: Sequence[AppConfig] | None, **_options: Any) -> list[checks.CheckMessage]:
    try:
        parse_rates(settings.MAIL_DOMAIN_RATES)
    except BadRates as bad:
        return [
            checks.Error(
                f"MAIL_DOMAIN_RATES holds {str(bad)!r}, which is no rate.",
                hint="Write domain=messages a second, comma separated, for example gouv.fr=50,*=0.",
                id="mail.E001",
            )
        ]
    return []


@checks.register("mail")
def check_reply_domain(app_configs: Sequence[AppConfig] | None, **_options: Any) -> list[checks.CheckMessage]:
    domain = settings.REPLY_DOMAIN
    if domain and ("@" in domain or not domain.isascii() or any(character.isspace() for character in domain)):
        return [
            checks.Error(
                f"REPLY_DOMAIN is no domain: {domain!r}.",
                hint="Write the domain alone, for example reponses.portail.example.gouv.fr.",
                id="mail.E002",
            )
        ]
    return []
