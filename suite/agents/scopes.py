"""What a personal token may do over the API, and the check that every API view passes through."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from suite.agents.models import PersonalToken

# Keys are kept in PersonalToken.scopes and named in refusals: they never change.
SCOPES: dict[str, str | Promise] = {
    "meetings:read": gettext_lazy("Lire mes réunions et mon agenda"),
    "meetings:write": gettext_lazy("Planifier, modifier et annuler mes réunions"),
    "answers:write": gettext_lazy("Répondre en mon nom aux invitations et aux sondages"),
    "directory:read": gettext_lazy("Chercher dans l’annuaire"),
    "presence:read": gettext_lazy("Lire la présence de mes collègues"),
    "presence:write": gettext_lazy("Choisir ma présence"),
    "availability:read": gettext_lazy("Lire les disponibilités et proposer des créneaux"),
    "polls:read": gettext_lazy("Lire mes sondages de dates"),
    "polls:write": gettext_lazy("Créer, conclure et clore mes sondages de dates"),
    "resources:read": gettext_lazy("Lire les salles et équipements"),
}
ALL = tuple(SCOPES)
READING = tuple(key for key in SCOPES if key.endswith(":read"))


def scope_words(keys: Iterable[str]) -> list[str]:
    """The labels of `keys` in their usual order; a key of an older version keeps its own name, last."""
    held = set(keys)
    return [str(label) for key, label in SCOPES.items() if key in held] + sorted(held - SCOPES.keys())


def required_scope(view: object, method: str) -> str | None:
    """The scope that the view declares for this method (HEAD is GET); None when it declares none."""
    declared: dict[str, str] = getattr(view, "scopes", {})
    return declared.get("GET" if method == "HEAD" else method)


class HasScope(BasePermission):
    """Every API view says in `scopes` which scope each of its methods wants: {"GET": "meetings:read"}.

    A person who is signed in has them all; a token has those that were chosen for it. Without a declaration no token enters.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        token, method = request.auth, request.method or ""
        # What the view does not answer at all is its 405, whoever asks.
        if not isinstance(token, PersonalToken) or method == "OPTIONS" or not hasattr(view, method.lower()):
            return True
        scope = required_scope(view, method)
        if scope is not None and scope in token.scopes:
            return True
        # rest_framework.views, which problems needs, imports this module first.
        from suite.agents.problems import Problem

        raise Problem(
            403,
            "missing-scope",
            _("Ce jeton n’a pas le droit « %(scope)s ».") % {"scope": scope or "?"},
            scope=scope,
        )
