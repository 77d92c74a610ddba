"""Production: HTTPS only, and no start with a missing or a known secret."""

from django.core.exceptions import ImproperlyConfigured

from suite.settings.base import *  # noqa: F403
from suite.settings.base import OIDC_RP_CLIENT_SECRET, PORTAL_URL, SECRET_KEY, env

for _name, _value in {"SECRET_KEY": SECRET_KEY, "OIDC_RP_CLIENT_SECRET": OIDC_RP_CLIENT_SECRET}.items():
    # The embedded parts mark every secret they make for one machine with this prefix.
    if _value.startswith("local-") or len(_value) < 32:
        raise ImproperlyConfigured(f"{_name} is a default or too short: set at least 32 random characters.")
if not PORTAL_URL.startswith("https://"):
    raise ImproperlyConfigured("PORTAL_URL must start with https:// in production.")

SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
LANGUAGE_COOKIE_SECURE = True
SECURE_SSL_REDIRECT = True
SECURE_REDIRECT_EXEMPT = [r"^__lbheartbeat__$", r"^__heartbeat__$"]
SECURE_HSTS_SECONDS = 365 * 24 * 3600
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("TRUST_X_FORWARDED_PROTO", default=False) else None
)
