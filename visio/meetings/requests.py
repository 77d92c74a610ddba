"""What every meeting view takes from its request."""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest

from suite.agents.models import Agent


def signed_in(request: HttpRequest) -> Agent:
    """The agent behind the request: LoginRequiredMiddleware lets nobody else through."""
    return cast(Agent, request.user)


def from_htmx(request: HttpRequest) -> bool:
    """Whether htmx asks and wants a piece of the page back."""
    return request.headers.get("HX-Request") == "true"


def page_number(request: HttpRequest, *, most: int = 1000) -> int:
    """`?page=3` as a number from 1 to `most`; anything else is the first page."""
    raw = request.GET.get("page", "1")
    return min(max(int(raw), 1), most) if raw.isascii() and raw.isdigit() and len(raw) < 6 else 1
