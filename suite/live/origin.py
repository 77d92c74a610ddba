"""Which pages may open a socket: ours and nobody else's (cookies travel with every cross-site handshake)."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[..., Awaitable[Any]]

_DEFAULT_PORTS = {"http": 80, "https": 443}


def portal_origin(url: str) -> str:
    """`url` as browsers write an Origin (RFC 6454 §6.1): scheme://host[:port], the scheme's own port left out."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if ":" in host:
        host = f"[{host}]"
    port = "" if parts.port in (None, _DEFAULT_PORTS.get(parts.scheme)) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


class PortalOrigin:
    """Refuses (403) every handshake without exactly one Origin header equal to PORTAL_URL's; asks nothing of the database."""

    def __init__(self, inner: Application) -> None:
        self.inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        origins = [value for name, value in scope["headers"] if name == b"origin"]
        if origins == [portal_origin(settings.PORTAL_URL).encode()]:
            await self.inner(scope, receive, send)
        else:
            await refuse(scope, receive, send)


async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that refuses every handshake."""
    await receive()
    await send({"type": "websocket.close", "code": 4403})
