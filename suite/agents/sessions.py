"""The API for the portal's own pages: the agent's session, with its CSRF token on everything that writes."""

from __future__ import annotations

from django.utils.translation import gettext as _
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request


class PortalSessionAuthentication(SessionAuthentication):
    """As the framework's own; its refusal is told as the others are."""

    def enforce_csrf(self, request: Request) -> None:
        try:
            super().enforce_csrf(request)
        except PermissionDenied as error:
            # rest_framework.views, which problems needs, imports the authentication classes first.
            from suite.agents.problems import Problem

            words = _("La demande ne vient pas d’une page du portail : joignez son jeton CSRF, ou un jeton personnel.")
            raise Problem(403, "csrf", words) from error
