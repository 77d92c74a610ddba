"""How often one tool may ask the API: by personal token, by agent for the portal's own pages, by address for who is nobody."""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from suite.agents.models import Agent, PersonalToken
from suite.live.rates import parse_rate, seconds_to_wait


class ByCaller(BaseThrottle):
    """API_READ_RATE for what only reads, API_WRITE_RATE for the rest; each counted by itself."""

    def __init__(self) -> None:
        self.seconds = 0

    def allow_request(self, request: Request, view: Any) -> bool:
        kind = "read" if request.method in SAFE_METHODS else "write"
        rate = parse_rate(f"API_{kind.upper()}_RATE")
        self.seconds = seconds_to_wait(rate, f"api:{kind}", self._caller(request))
        return self.seconds == 0

    def wait(self) -> float:
        return self.seconds

    def _caller(self, request: Request) -> str:
        if isinstance(request.auth, PersonalToken):
            return f"token:{request.auth.pk}"
        if isinstance(request.user, Agent):
            return f"agent:{request.user.pk}"
        return f"address:{self.get_ident(request)}"
