"""Production: HTTPS only, and no start with a missing or a known secret."""

from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from suite.settings.base import *  # noqa: F403
from suite.settings.base import (
    DATABASES,
    EMAIL_HOST_PASSWORD,
    EMAIL_HOST_USER,
    EMAIL_USE_SSL,
    EMAIL_USE_TLS,
    ICE_SERVERS,
    MATRIX_ACCESS_TOKEN,
    MATRIX_HOMESERVER_URL,
    MATRIX_HS_TOKEN,
    MATRIX_TRANSPORT,
    OIDC_RP_CLIENT_SECRET,
    PORTAL_URL,
    REDIS_URL,
    SECRET_KEY,
    SECRET_KEY_FALLBACKS,
    TURN_SECRET,
    env,
)
from suite.settings.refusals import check_key, check_password, check_present

check_key("SECRET_KEY", SECRET_KEY)
for _earlier in SECRET_KEY_FALLBACKS:
    check_key("SECRET_KEY_FALLBACKS", _earlier)
check_key("OIDC_RP_CLIENT_SECRET", OIDC_RP_CLIENT_SECRET)

_database = DATABASES["default"]
if not (_database["HOST"].startswith("/") or not _database["HOST"] or "sslcert" in _database["OPTIONS"]):
    check_present("DATABASE_URL", _database["PASSWORD"], "write it as postgres://user:password@host/name")
check_password("DATABASE_URL", _database["PASSWORD"], _database["USER"])
check_password("REDIS_URL", unquote(urlsplit(REDIS_URL).password or ""))

if EMAIL_HOST_USER:
    check_present("EMAIL_HOST_PASSWORD", EMAIL_HOST_PASSWORD, "EMAIL_HOST_USER has one")
check_password("EMAIL_HOST_PASSWORD", EMAIL_HOST_PASSWORD)

if MATRIX_HOMESERVER_URL:
    check_present("MATRIX_ACCESS_TOKEN", MATRIX_ACCESS_TOKEN, "MATRIX_HOMESERVER_URL wants it")
check_password("MATRIX_ACCESS_TOKEN", MATRIX_ACCESS_TOKEN)
if MATRIX_TRANSPORT == "appservice":
    check_present("MATRIX_HS_TOKEN", MATRIX_HS_TOKEN, "an application service knows its homeserver by it")
if MATRIX_HS_TOKEN:
    check_key("MATRIX_HS_TOKEN", MATRIX_HS_TOKEN)

if any(_server.startswith(("turn:", "turns:")) for _server in ICE_SERVERS):
    check_present("TURN_SECRET", TURN_SECRET, "ICE_SERVERS names a relay")
if TURN_SECRET:
    check_key("TURN_SECRET", TURN_SECRET)

if EMAIL_USE_TLS and EMAIL_USE_SSL:
    raise ImproperlyConfigured("EMAIL_USE_TLS and EMAIL_USE_SSL exclude each other: choose one.")
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
