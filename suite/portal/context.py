"""What every page's frame needs, read only when the template asks: a fragment that shows no header costs no query."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from suite.agents.models import Agent, ChosenPresence, Team, Theme
from suite.live import presence
from suite.live.presence_words import hour_words
from visio.meetings.models import Attendee

THEME_COOKIE = "theme"
EVENING = dt.time(18)


def shell(request: HttpRequest) -> dict[str, Any]:
    """`shell`: the frame's data, lazily, and the same object for the whole request."""
    return {"shell": frame(request)}


def frame(request: HttpRequest) -> Shell:
    """The request's Shell. A view that already knows one of its values sets it, and the header does not ask again."""
    known = getattr(request, "portal_frame", None)
    if isinstance(known, Shell):
        return known
    made = Shell(request)
    request.portal_frame = made  # type: ignore[attr-defined]  # the request is the one place that lives as long as the page
    return made


@dataclass(frozen=True)
class PresenceOption:
    """One line of the presence menu."""

    value: str
    state: str
    label: str
    words: str
    chosen: bool


class Shell:
    """Attributes for templates/portal/_header.html and its neighbours."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        user = getattr(request, "user", None)  # An error before the authentication middleware leaves none.
        self.agent = user if isinstance(user, Agent) else None
        self.now = timezone.now()

    @property
    def base(self) -> str:
        """The template that error pages and legal pages extend."""
        return "base.html" if self.agent else "base_guest.html"

    @property
    def theme(self) -> str:
        chosen = self.agent.theme if self.agent else self.request.COOKIES.get(THEME_COOKIE, "")
        return chosen if chosen in Theme.values else Theme.SYSTEM.value

    @property
    def themes(self) -> list[tuple[str, str]]:
        return [(value, str(label)) for value, label in Theme.choices]

    @property
    def here(self) -> str:
        """Where a form of the frame returns to."""
        return self.request.get_full_path() if self.request.method == "GET" else "/"

    @property
    def applications(self) -> list[tuple[str, str, str]]:
        return list(settings.SUITE_APPLICATIONS)

    @cached_property
    def live_version(self) -> str:
        """What suite.live.middleware read before the page's first query."""
        return str(getattr(self.request, "live_version", ""))

    @cached_property
    def waiting(self) -> int:
        """How many invitations wait for this agent's answer."""
        if self.agent is None:
            return 0
        return Attendee.objects.unanswered_by(self.agent, now=self.now).count()

    @cached_property
    def has_team(self) -> bool:
        """Whether "Équipe" has anything to show: a team one belongs to or manages."""
        if self.agent is None:
            return False
        return self.agent.team_id is not None or Team.objects.filter(managers=self.agent).exists()

    @cached_property
    def presence(self) -> presence.Presence:
        """One's own state as the others see it."""
        if self.agent is None:
            return presence.Presence("offline", self.now)
        return presence.states([self.agent], now=self.now)[self.agent.pk]

    @property
    def presence_options(self) -> list[PresenceOption]:
        chosen = ChosenPresence.AUTOMATIC.value
        until = None
        if self.agent and (self.agent.chosen_until is None or self.agent.chosen_until > self.now):
            chosen, until = self.agent.chosen_presence, self.agent.chosen_until
        lines = [
            ("automatic", "available", _("Disponible"), _("Automatique, d’après vos réunions et vos appels")),
            ("do_not_disturb", "do_not_disturb", _("Ne pas déranger"), _("Les autres vous voient indisponible")),
            ("away", "away", _("Absent"), _("Sinon affiché après cinq minutes d’inactivité")),
            ("offline", "offline", _("Apparaître hors ligne"), _("Sauf pendant une réunion")),
        ]
        return [
            PresenceOption(
                value=value,
                state=state,
                label=label,
                words=_("Jusqu’à %(hour)s") % {"hour": hour_words(until)} if until and value == chosen else words,
                chosen=value == chosen,
            )
            for value, state, label, words in lines
        ]

    @property
    def presence_ends(self) -> list[tuple[str, str]]:
        """Until when a chosen state may last: (value, words)."""
        ends = [("", _("Jusqu’à ce que je change"))]
        for name, words in (
            ("hour", _("Pendant une heure, jusqu’à %(hour)s")),
            ("evening", _("Jusqu’à ce soir, %(hour)s")),
        ):
            until = presence_end(name, self.now)
            if until:
                ends.append((name, words % {"hour": hour_words(until)}))
        return ends


def presence_end(name: str, now: dt.datetime) -> dt.datetime | None:
    """The instant that `name` ("hour", "evening") stands for in the current zone; None for "" or an evening already there."""
    if name == "hour":
        quarter = now + dt.timedelta(hours=1)
        # To the next five minutes: "jusqu’à 11 h 48" would be an odd thing to announce.
        return quarter + dt.timedelta(
            minutes=-quarter.minute % 5, seconds=-quarter.second, microseconds=-quarter.microsecond
        )
    if name == "evening":
        local = timezone.localtime(now)
        evening = local.replace(hour=EVENING.hour, minute=0, second=0, microsecond=0)
        return evening if evening > local else None
    return None
