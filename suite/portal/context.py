"""What every page's frame needs, read only when the template asks: a fragment that shows no header costs no query."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from suite.agents.models import Agent, Team, Theme
from visio.meetings.models import Attendee

THEME_COOKIE = "theme"


def shell(request: HttpRequest) -> dict[str, Any]:
    """`shell`: the frame's data, lazily."""
    return {"shell": Shell(request)}


class Shell:
    """Attributes for templates/portal/_header.html and its neighbours."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        user = getattr(request, "user", None)  # An error before the authentication middleware leaves none.
        self.agent = user if isinstance(user, Agent) else None

    @property
    def theme(self) -> str:
        chosen = self.agent.theme if self.agent else self.request.COOKIES.get(THEME_COOKIE, "")
        return chosen if chosen in Theme.values else Theme.SYSTEM.value

    @property
    def themes(self) -> list[tuple[str, str]]:
        return [(value, str(label)) for value, label in Theme.choices]

    @property
    def applications(self) -> list[tuple[str, str, str]]:
        return list(settings.SUITE_APPLICATIONS)

    @cached_property
    def waiting(self) -> int:
        """How many invitations wait for this agent's answer."""
        if self.agent is None:
            return 0
        return Attendee.objects.unanswered_by(self.agent, now=timezone.now()).count()

    @cached_property
    def has_team(self) -> bool:
        """Whether "Équipe" has anything to show: a team one belongs to or manages."""
        if self.agent is None:
            return False
        return self.agent.team_id is not None or Team.objects.filter(managers=self.agent).exists()

    @property
    def live_version(self) -> str:
        return ""

    @cached_property
    def urls(self) -> dict[str, str]:
        names = {
            "meetings": "meetings:list",
            "plan": "meetings:plan",
            "instant": "meetings:instant",
            "team": "calendars:team",
        }
        found = {}
        for key, name in names.items():
            try:
                found[key] = reverse(name)
            except NoReverseMatch:
                found[key] = "/"
        return found
