"""An agent's own language and time zone, for the length of a request."""

import zoneinfo
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation

from suite.agents.models import Agent


class AgentPreferencesMiddleware:
    """After LocaleMiddleware (cookie, browser): a signed-in agent's own settings win, and everybody gets a zone."""

    sync_capable = True
    async_capable = False

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        if isinstance(user, Agent):
            translation.activate(user.language)
            request.LANGUAGE_CODE = translation.get_language()
            zone = user.time_zone
        else:
            zone = settings.TIME_ZONE
        with timezone.override(zoneinfo.ZoneInfo(zone)):
            return self.get_response(request)
