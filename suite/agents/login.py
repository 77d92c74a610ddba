"""Sign-in through ProConnect: OpenID Connect code flow with PKCE, state, nonce and signed userinfo.

The libraries do the protocol. Added here is what they leave open: issuer and audience of every token, the same `sub` in the
ID token and in userinfo (OpenID Connect Core §5.3.2), the organisation by SIRET, and a refusal that can say why.
"""

from __future__ import annotations

import logging
import re
from typing import Any
from urllib.parse import urlencode

import jwt
import requests
from django.conf import settings
from django.core.exceptions import SuspiciousOperation, ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from lasuite.oidc_login.backends import OIDCAuthenticationBackend
from mozilla_django_oidc.views import OIDCAuthenticationCallbackView

from suite.agents.delegation import end_across_organisations
from suite.agents.events import AddressProven
from suite.agents.models import Agent, Organisation, Team
from suite.core.events import publish
from suite.core.plain import is_control, one_line

logger = logging.getLogger(__name__)

# Where the page "connexion refusée" finds why: one of the reasons below.
REFUSAL_KEY = "sign_in_refusal"
REASONS = (
    "unknown_organisation",
    "missing_claims",
    "unusable_claims",
    "disabled",
    "address_taken",
    "provider",
    "expired",
)
ESSENTIAL_CLAIMS = ("sub", "email", "siret", "given_name", "usual_name")
SIRET = re.compile(r"[0-9]{14}")
LONGEST_SUB = 255  # OpenID Connect Core §2


class SignInRefused(SuspiciousOperation):
    """The identity is proven, or not, but the portal lets nobody in; `reason` is one of REASONS."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ProConnectBackend(OIDCAuthenticationBackend):  # type: ignore[misc]
    """Agents by `sub`, organisations by `siret`; what the provider says of a person replaces what was known."""

    request: HttpRequest

    def authenticate(self, request: HttpRequest | None, **kwargs: Any) -> Agent | None:
        """The agent, or None with the reason in the session under REFUSAL_KEY."""
        if request is None or "nonce" not in kwargs:
            return None
        try:
            agent: Agent | None = super().authenticate(request, **kwargs)
        except (requests.RequestException, KeyError) as error:
            # The message of these errors holds the answer of the token endpoint: only their type may be logged.
            logger.warning("the identity provider refused or failed: %s", type(error).__name__)
            self._remember("provider")
            return None
        except (jwt.PyJWTError, SuspiciousOperation) as error:
            logger.warning("a token was not acceptable: %s", type(error).__name__)
            self._remember(error.reason if isinstance(error, SignInRefused) else "expired")
            return None
        return agent

    def get_token(self, payload: dict[str, Any]) -> dict[str, Any]:
        """The token endpoint's answer, which holds both tokens as text; SignInRefused otherwise."""
        answer: Any = super().get_token(payload)
        if not isinstance(answer, dict) or not all(
            isinstance(answer.get(name), str) for name in ("id_token", "access_token")
        ):
            raise SignInRefused("provider")
        return answer

    def retrieve_matching_jwk(self, token: str) -> Any:
        """The provider's key for this token; SignInRefused when its document is none (RFC 7517 §5)."""
        try:
            return super().retrieve_matching_jwk(token)
        except (TypeError, AttributeError) as error:
            raise SignInRefused("provider") from error

    def get_user(self, user_id: int) -> Agent | None:
        """The session's agent; None once deactivated, which ends every session of theirs."""
        return Agent.objects.select_related("organisation", "team").filter(pk=user_id, is_active=True).first()

    def _remember(self, reason: str) -> None:
        self.request.session[REFUSAL_KEY] = reason

    def _verify_jws(self, payload: str, key: Any) -> dict[str, Any]:
        """The claims of a token signed by the provider, for us; jwt.PyJWTError otherwise."""
        claims: dict[str, Any] = jwt.decode(
            payload,
            key,
            algorithms=[self.OIDC_RP_SIGN_ALGO],
            audience=settings.OIDC_RP_CLIENT_ID,
            issuer=settings.OIDC_OP_ISSUER,
            leeway=10,
        )
        return claims

    def get_or_create_user(self, access_token: str, id_token: str, payload: dict[str, Any]) -> Agent:
        claims = self.get_userinfo(access_token, id_token, payload)
        try:
            return agent_from_claims(claims, expected_sub=payload.get("sub"))
        except SignInRefused as refusal:
            self._remember(refusal.reason)
            raise


def agent_from_claims(claims: dict[str, Any], *, expected_sub: str | None) -> Agent:
    """The agent that the provider's claims name, created or brought up to date. SignInRefused says why not."""
    if any(not isinstance(claims.get(name), str) for name in ESSENTIAL_CLAIMS):
        raise SignInRefused("missing_claims")
    # Names are for people to read: what breaks a line or is too long goes. Who it is must be exact.
    names = {name: one_line(claims[name])[:120] for name in ("given_name", "usual_name")}
    sub, email, siret = claims["sub"], claims["email"].strip().lower(), "".join(claims["siret"].split())
    if not (sub.strip() and email and siret and all(names.values())):
        raise SignInRefused("missing_claims")
    if sub != expected_sub:
        raise SignInRefused("expired")
    if len(sub) > LONGEST_SUB or any(map(is_control, sub)) or not _is_address(email):
        raise SignInRefused("unusable_claims")
    organisation = Organisation.objects.filter(siret=siret).first() if SIRET.fullmatch(siret) else None
    if organisation is None:
        raise SignInRefused("unknown_organisation")
    unit = claims.get("organizational_unit")
    known = {
        **names,
        "email": email,
        "organizational_unit": one_line(unit)[:250] if isinstance(unit, str) else "",
        "organisation": organisation,
    }
    try:
        with transaction.atomic():
            return _save_agent(sub, known, is_proven=claims.get("email_verified") is not False)
    except IntegrityError as error:
        # The address belongs to another `sub`: two people, or one person with two accounts; an administrator decides.
        raise SignInRefused("address_taken") from error


def _is_address(email: str) -> bool:
    """Whether mail could go there; at most the 254 characters of RFC 5321 §4.5.3.1.3."""
    try:
        validate_email(email)
    except ValidationError:
        return False
    return len(email) <= 254


def _save_agent(sub: str, known: dict[str, Any], *, is_proven: bool) -> Agent:
    # no_key: who is hearing of a proven address locks meetings, and whoever edits one of those refers to this agent.
    agent = (
        Agent.objects.select_for_update(of=("self",), no_key=True)
        .select_related("organisation")
        .filter(sub=sub)
        .first()
    )
    if agent is None:
        team = Team.objects.filter(organisation=known["organisation"], name=known["organizational_unit"]).first()
        agent = Agent.objects.create_user(sub, team=team, **known)
        if is_proven:
            publish(AddressProven(agent_id=agent.pk))
        return agent
    if not agent.is_active:
        raise SignInRefused("disabled")
    changed = {name for name, value in known.items() if getattr(agent, name) != value}
    if changed:
        if "organisation" in changed:
            agent.team = None
            changed.add("team")
        for name, value in known.items():
            setattr(agent, name, value)
        agent.save(update_fields=changed)
        if "organisation" in changed:
            # Who has left for another organisation plans for nobody of the former one any more.
            end_across_organisations(agent)
        if is_proven and "email" in changed:
            publish(AddressProven(agent_id=agent.pk))
    return agent


class CallbackView(OIDCAuthenticationCallbackView):  # type: ignore[misc]
    """The provider's answer. A replayed, forged or late one leads to the page that says so, never to an error page."""

    def get(self, request: HttpRequest) -> HttpResponse:
        try:
            response: HttpResponse = super().get(request)
        except SuspiciousOperation:
            request.session[REFUSAL_KEY] = "expired"
            response = self.login_failure()
        return response

    def login_failure(self) -> HttpResponse:
        self.request.session.setdefault(REFUSAL_KEY, "provider" if self.request.GET.get("error") else "expired")
        failure: HttpResponse = super().login_failure()
        return failure


def provider_logout_url(request: HttpRequest) -> str:
    """RP-initiated logout (OpenID Connect RP-Initiated Logout 1.0 §2): the portal's session ends first, then the provider's."""
    id_token = request.session.get("oidc_id_token")
    if not id_token:
        return f"{settings.PORTAL_URL}/"
    query = urlencode({"id_token_hint": id_token, "post_logout_redirect_uri": f"{settings.PORTAL_URL}/"})
    return f"{settings.OIDC_OP_LOGOUT_ENDPOINT}?{query}"
