"""Personal tokens: another tool acts for the agent over the REST API. Shown once, kept as a hash."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Collection
from typing import Any

from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from suite.agents.models import Agent, PersonalToken
from suite.agents.scopes import ALL

PREFIX = "suite_"
LONGEST_DAYS = 366
MOST_TOKENS = 20
# `last_used_at` is a hint for people: written at most this often, so that a busy tool costs no write a request.
USED_PRECISION = dt.timedelta(minutes=5)


class TooManyTokens(Exception):
    """The agent holds MOST_TOKENS usable tokens already."""


def hash_secret(secret: str) -> str:
    """A fast hash is right here: the secret is 256 random bits, not a password."""
    return hashlib.sha256(secret.encode()).hexdigest()


@transaction.atomic
def issue_token(
    *, agent: Agent, name: str, days: int, now: dt.datetime, scopes: Collection[str] = ALL
) -> tuple[PersonalToken, str]:
    """A new token and its secret, which is never to be seen again. `days` is cut to a year; TooManyTokens.

    `scopes`: keys of suite.agents.scopes; what is none of them is left out.
    """
    lock_agent(agent)
    if usable_tokens(agent, now=now).count() >= MOST_TOKENS:
        raise TooManyTokens
    secret = PREFIX + secrets.token_urlsafe(32)
    token = PersonalToken.objects.create(
        agent=agent,
        name=name[:80],
        token_hash=hash_secret(secret),
        scopes=[key for key in ALL if key in scopes],
        expires_at=now + dt.timedelta(days=max(1, min(days, LONGEST_DAYS))),
    )
    return token, secret


def lock_agent(agent: Agent) -> None:
    """One at a time for each agent, until the transaction ends: what is counted stays so. Reads and references go on."""
    Agent.objects.select_for_update(no_key=True).order_by().values_list("pk").get(pk=agent.pk)


def usable_tokens(agent: Agent, *, now: dt.datetime) -> Any:
    """Tokens neither revoked nor expired, newest first."""
    return PersonalToken.objects.filter(agent=agent, revoked_at=None, expires_at__gt=now)


def revoke_token(*, agent: Agent, token_id: int, now: dt.datetime) -> bool:
    """True when this agent's token was usable and is no longer."""
    return bool(PersonalToken.objects.filter(agent=agent, pk=token_id, revoked_at=None).update(revoked_at=now))


class PersonalTokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer suite_…` (RFC 6750 §2.1)."""

    def authenticate(self, request: Request) -> tuple[Agent, PersonalToken] | None:
        header = get_authorization_header(request).split()
        if not header or header[0].lower() != b"bearer":
            return None
        if len(header) != 2 or not header[1].startswith(PREFIX.encode()):
            raise AuthenticationFailed(_("Ce jeton n’est pas valable."))
        now = timezone.now()
        token = (
            PersonalToken.objects.select_related("agent__organisation", "agent__team")
            .filter(
                token_hash=hash_secret(header[1].decode("ascii", "replace")),
                revoked_at=None,
                expires_at__gt=now,
                agent__is_active=True,
            )
            .first()
        )
        if token is None:
            raise AuthenticationFailed(_("Ce jeton n’est pas valable."))
        if token.last_used_at is None or token.last_used_at < now - USED_PRECISION:
            PersonalToken.objects.filter(pk=token.pk).update(last_used_at=now)
        if "Accept-Language" not in request.headers:
            # Otherwise LocaleMiddleware has read it; no session tells it whose request this is.
            translation.activate(token.agent.language)
        return token.agent, token

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"
