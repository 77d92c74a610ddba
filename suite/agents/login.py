"""ProConnect sign-in."""

from lasuite.oidc_login.backends import OIDCAuthenticationBackend


class ProConnectBackend(OIDCAuthenticationBackend):  # type: ignore[misc]
    """Agents by `sub`."""
