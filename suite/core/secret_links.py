"""Secrets in addresses: an attendee's link, a poll's.

A token is 192 bits of HMAC-SHA256 over a nonce with the server's key. The database holds the nonce and the token's hash:
neither a dump of the database nor a page can be turned into a link without the key. `purpose` keeps them apart: the token of
one kind of page never opens another's.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import Protocol

from django.conf import settings

_BYTES = 24


class Linked(Protocol):
    """A saved row that has a link."""

    link_nonce: str
    link_hash: str

    def save(self, *, update_fields: list[str]) -> None: ...


def new_secret(purpose: str) -> tuple[str, str]:
    """(nonce, hash) for a row about to be saved."""
    nonce = secrets.token_hex(16)
    return nonce, hash_of(derived(purpose, nonce))


def hash_of(token: str) -> str:
    """What is kept of a token, and looked up by: SHA-256 in hexadecimal."""
    return hashlib.sha256(token.encode()).hexdigest()


def derived(purpose: str, nonce: str, key: str = "") -> str:
    """The token that `key` (the current SECRET_KEY) makes of the nonce: 32 URL-safe characters."""
    digest = hmac.digest(f"{purpose}:{key or settings.SECRET_KEY}".encode(), nonce.encode(), "sha256")
    return base64.urlsafe_b64encode(digest[:_BYTES]).decode()


def token_behind(purpose: str, *, nonce: str, kept_hash: str) -> str | None:
    """The token whose hash was kept; None when no known key made it. Lives through a rotation by SECRET_KEY_FALLBACKS."""
    for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        token = derived(purpose, nonce, key)
        if hmac.compare_digest(hash_of(token), kept_hash):
            return token
    return None


def link_token(purpose: str, row: Linked) -> str:
    """The row's secret. When the link in old e-mails is dead already, a new one is issued and saved."""
    token = token_behind(purpose, nonce=row.link_nonce, kept_hash=row.link_hash)
    if token is None:
        revoke_link(purpose, row)
        return derived(purpose, row.link_nonce)
    return token


def revoke_link(purpose: str, row: Linked) -> None:
    """Kill the row's link; the next e-mail carries a new one."""
    row.link_nonce, row.link_hash = new_secret(purpose)
    row.save(update_fields=["link_nonce", "link_hash"])
