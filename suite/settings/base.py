"""Settings that every environment shares. The environment is read here and nowhere else.

A value without a default is required: starting without it raises ImproperlyConfigured and names it.
"""

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import django_stubs_ext
import environ
from celery.schedules import crontab
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

# Lets generic classes of Django's be written with their type arguments at run time.
django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent.parent
env = environ.Env()


def required(name: str) -> str:
    """The variable's value; ImproperlyConfigured naming it when missing or empty."""
    value = str(env.str(name, default=""))
    if not value:
        raise ImproperlyConfigured(f"Set the environment variable {name} (see the table in README.md).")
    return value


def rate(name: str, default: str) -> str:
    """The variable's value, written 600/minute or 0 (no limit); ImproperlyConfigured naming it when it is not."""
    value = str(env.str(name, default=default))
    if not re.fullmatch(r"0|[1-9][0-9]*/(second|minute|hour|day)", value):
        raise ImproperlyConfigured(
            f"{name} is written like 600/minute (second, minute, hour or day), or 0 for no limit."
        )
    return value


def origins(*addresses: str) -> list[str]:
    """Scheme, host and port of each address, once: a path in a content security policy would have to match exactly."""
    parts = [urlsplit(address) for address in addresses]
    return list(dict.fromkeys(f"{part.scheme}://{part.netloc}" for part in parts if part.netloc))


DEBUG = False
SECRET_KEY = required("SECRET_KEY")
SECRET_KEY_FALLBACKS: list[str] = env.list("SECRET_KEY_FALLBACKS", default=[])

# Where people reach the portal, e.g. https://portail.example.gouv.fr: every link in an e-mail or a Tchap room starts here.
PORTAL_URL = required("PORTAL_URL").rstrip("/")
PORTAL_HOST = urlsplit(PORTAL_URL).hostname or ""
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=[PORTAL_HOST])
CSRF_TRUSTED_ORIGINS = [PORTAL_URL]
# The right-hand side of iCalendar UIDs and Message-IDs; must never change once invitations are out (RFC 5545 §3.8.4.7).
UID_DOMAIN: str = env.str("UID_DOMAIN", default=PORTAL_HOST)
VERSION: str = env.str("PORTAL_VERSION", default="0.1.0")
COMMIT: str = env.str("PORTAL_COMMIT", default="")
SOURCE: str = env.str("PORTAL_SOURCE", default="")
BUILD: str = env.str("PORTAL_BUILD", default="")

INSTALLED_APPS = [
    "daphne",
    "suite.portal.admin_app.AdministrationConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "mozilla_django_oidc",
    "rest_framework",
    "drf_spectacular",
    "channels",
    "csp",
    "widget_tweaks",
    "crispy_forms",
    "dsfr",
    "django_htmx",
    "suite.agents",
    "suite.mail",
    "suite.live",
    "visio",
    "tchap_bridge",
    "suite.portal",
    "suite",
]

MIDDLEWARE = [
    "suite.portal.middleware.HeadMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    # Every view is for signed-in agents unless it says @login_not_required.
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "suite.portal.middleware.SecurityHeadersMiddleware",
    "suite.agents.middleware.AgentPreferencesMiddleware",
    "suite.live.middleware.PageVersionMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "suite.urls"
ASGI_APPLICATION = "suite.asgi.application"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["suite.core.days"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "suite.portal.context.shell",
            ],
        },
    },
]

# --- Data -------------------------------------------------------------------------------------------------------
DATABASES: dict[str, dict[str, Any]] = {"default": environ.Env.db_url_config(required("DATABASE_URL"))}
DATABASES["default"].update(
    CONN_MAX_AGE=0,  # Django's own pool keeps connections; persistent ones and a pool exclude each other.
    ENGINE="suite.core.postgresql",  # It outlives a restart of PostgreSQL; Django's own check of a pooled connection does not.
    # What DATABASE_URL says after its "?" (sslmode, …) stays.
    OPTIONS={
        **DATABASES["default"].get("OPTIONS", {}),
        "pool": {
            "min_size": 1,
            "max_size": env.int("DATABASE_POOL_SIZE", default=10),
            "timeout": 10,
        },
    },
)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = required("REDIS_URL")
# Pub/sub ignores the database number, so every key and channel of ours carries a prefix.
REDIS_PREFIX: str = env.str("REDIS_PREFIX", default="portal")

CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        # redis-py 8 gives idle sockets a 5 s timeout, which kills subscriptions: None says wait for ever.
        "CONFIG": {"hosts": [{"address": REDIS_URL, "socket_timeout": None}], "prefix": f"{REDIS_PREFIX}:layer"},
    }
}

# --- Background work --------------------------------------------------------------------------------------------
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_DEFAULT_QUEUE = f"{REDIS_PREFIX}.celery"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 60,
    "unacked_restore_interval": 2,
    "unacked_restore_throttle": 1,
    "global_keyprefix": f"{REDIS_PREFIX}:",
    # The doorbell must never make a save slow: a broker that is down is given up on at once.
    "socket_connect_timeout": 1,
    "max_retries": 0,
}
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TIMEZONE = "UTC"
# Seconds between two sweeps of owed rows: the guarantee behind the doorbell (PROMISES 7 and 13).
SWEEP_SECONDS: float = env.float("SWEEP_SECONDS", default=15.0)


def every(seconds: float, task: str) -> dict[str, Any]:
    """A Beat entry that nobody reads late: a worker that was away finds one ring, not thousands.

    At least a minute, because the moment is named by Beat's clock and judged by the worker's.
    """
    return {"task": task, "schedule": seconds, "options": {"expires": max(seconds, 60.0)}}


CELERY_BEAT_SCHEDULE = {
    "sweep-owed-invitations": every(SWEEP_SECONDS, "visio.sweep_deliveries"),
    "sweep-owed-letters": every(SWEEP_SECONDS, "mail.sweep_letters"),
    "sweep-tchap-rooms": every(SWEEP_SECONDS, "tchap_bridge.sweep_rooms"),
    "sweep-calls": every(SWEEP_SECONDS, "visio.sweep_calls"),
    "remind": every(SWEEP_SECONDS, "visio.remind"),
    "make-digests": every(max(SWEEP_SECONDS, 60.0), "visio.make_digests"),
    "remind-of-polls": every(SWEEP_SECONDS, "visio.remind_polls"),
    "extend-series": every(3600.0, "visio.extend_series"),
    "look-for-missed-tchap-rooms": every(3600.0, "tchap_bridge.look_for_missed"),
    "purge": {
        "task": "portal.purge",
        "schedule": crontab(hour="2", minute="17"),
        "options": {"expires": 12 * 3600.0},
    },
}

# --- People -----------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "agents.Agent"
AUTHENTICATION_BACKENDS = ["suite.agents.login.ProConnectBackend"]
LOGIN_URL = "portal:sign_in"
LOGIN_REDIRECT_URL = "portal:dashboard"
LOGIN_REDIRECT_URL_FAILURE = "/connexion/refus/"
LOGOUT_REDIRECT_URL = "/"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
# Cookies ignore ports: two copies on one host need two names.
SESSION_COOKIE_NAME: str = env.str("SESSION_COOKIE_NAME", default="sessionid")
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"

# The identity provider as the portal's server reaches it; ProConnect in production.
OIDC_OP_URL = required("OIDC_OP_URL").rstrip("/")
OIDC_OP_AUTHORIZATION_ENDPOINT: str = env.str("OIDC_OP_AUTHORIZATION_ENDPOINT", default=f"{OIDC_OP_URL}/authorize")
OIDC_OP_TOKEN_ENDPOINT: str = env.str("OIDC_OP_TOKEN_ENDPOINT", default=f"{OIDC_OP_URL}/token")
OIDC_OP_USER_ENDPOINT: str = env.str("OIDC_OP_USER_ENDPOINT", default=f"{OIDC_OP_URL}/userinfo")
OIDC_OP_JWKS_ENDPOINT: str = env.str("OIDC_OP_JWKS_ENDPOINT", default=f"{OIDC_OP_URL}/jwks")
OIDC_OP_LOGOUT_ENDPOINT: str = env.str("OIDC_OP_LOGOUT_ENDPOINT", default=f"{OIDC_OP_URL}/session/end")
OIDC_RP_CLIENT_ID = required("OIDC_RP_CLIENT_ID")
OIDC_RP_CLIENT_SECRET = required("OIDC_RP_CLIENT_SECRET")
OIDC_OP_ISSUER: str = env.str("OIDC_OP_ISSUER", default=OIDC_OP_URL)
OIDC_OP_LOGOUT_URL_METHOD = "suite.agents.login.provider_logout_url"
OIDC_CALLBACK_CLASS = "suite.agents.login.CallbackView"
OIDC_TIMEOUT = 10
OIDC_RP_SIGN_ALGO = "RS256"
OIDC_RP_SCOPES = "openid given_name usual_name email siret organizational_unit"
OIDC_USE_PKCE = True
OIDC_USE_NONCE = True
OIDC_STORE_ID_TOKEN = True  # RP-initiated logout wants it as id_token_hint.
OIDC_OP_USER_ENDPOINT_FORMAT = "JWT"  # ProConnect signs userinfo; plain JSON is refused.
OIDC_FALLBACK_TO_EMAIL_FOR_IDENTIFICATION = False
OIDC_REDIRECT_ALLOWED_HOSTS = [urlsplit(PORTAL_URL).netloc]
ALLOW_LOGOUT_GET_METHOD = False

# --- Mail -------------------------------------------------------------------------------------------------------
EMAIL_HOST = required("EMAIL_HOST")
EMAIL_PORT: int = env.int("EMAIL_PORT", default=25)
EMAIL_HOST_USER: str = env.str("EMAIL_HOST_USER", default="")
EMAIL_HOST_PASSWORD: str = env.str("EMAIL_HOST_PASSWORD", default="")
EMAIL_USE_TLS: bool = env.bool("EMAIL_USE_TLS", default=False)  # STARTTLS; the certificate is verified
EMAIL_USE_SSL: bool = env.bool("EMAIL_USE_SSL", default=False)  # TLS from the first byte (port 465)
# Seconds to wait for a reply.
EMAIL_TIMEOUT: float = env.float("EMAIL_TIMEOUT", default=10.0)
DEFAULT_FROM_EMAIL: str = env.str("EMAIL_FROM", default=f"invitations@{PORTAL_HOST}")
# Messages a second and domain, for all workers together: "gouv.fr=50,*=0" (0: as fast as it goes).
MAIL_DOMAIN_RATES: str = env.str("MAIL_DOMAIN_RATES", default="")
# The domain whose mail the portal receives: guests' calendars answer to an address of its own for each of them.
REPLY_DOMAIN: str = env.str("REPLY_DOMAIN", default="")
# Where `manage.py receive_mail` listens for that mail, and where the others look for it.
INBOUND_HOST: str = env.str("INBOUND_HOST", default="127.0.0.1")
INBOUND_PORT: int = env.int("INBOUND_PORT", default=8007)
# With a certificate and its key (PEM files) the listener offers STARTTLS.
INBOUND_TLS_CERT: str = env.str("INBOUND_TLS_CERT", default="")
INBOUND_TLS_KEY: str = env.str("INBOUND_TLS_KEY", default="")
# The name by which the mail server in front signs its Authentication-Results (RFC 8601): its dmarc=fail is believed.
INBOUND_AUTHSERV_ID: str = env.str("INBOUND_AUTHSERV_ID", default="")

# --- Tchap ------------------------------------------------------------------------------------------------------
# "bot" (an ordinary account) or "appservice" (where the homeserver's operator grants it).
MATRIX_TRANSPORT: str = env.str("MATRIX_TRANSPORT", default="bot")
MATRIX_HOMESERVER_URL: str = env.str("MATRIX_HOMESERVER_URL", default="").rstrip("/")
MATRIX_SERVER_NAME: str = env.str("MATRIX_SERVER_NAME", default="")
MATRIX_ACCESS_TOKEN: str = env.str("MATRIX_ACCESS_TOKEN", default="")
MATRIX_HS_TOKEN: str = env.str("MATRIX_HS_TOKEN", default="")
# The "id" of the registration file (manage.py tchap_registration writes one).
MATRIX_APPSERVICE_ID: str = env.str("MATRIX_APPSERVICE_ID", default="visio-bridge")
# Where a browser opens a room: "{link}" + room alias or id, as https://www.tchap.gouv.fr/#/room/ does.
MATRIX_CLIENT_URL: str = env.str("MATRIX_CLIENT_URL", default="https://www.tchap.gouv.fr/#/room/")

# --- Calls ------------------------------------------------------------------------------------------------------
ROOM_ENGINE = "mesh"
# STUN and TURN servers for the mesh, comma separated; none means host candidates only.
ICE_SERVERS: list[str] = env.list("ICE_SERVERS", default=[])
# Shared with the TURN relays (coturn's static-auth-secret): relays in ICE_SERVERS are used only when it is set.
TURN_SECRET: str = env.str("TURN_SECRET", default="")

# --- Live ------------------------------------------------------------------------------------------------------
# Seconds between two heartbeats of an open page; without one for LIVE_GONE_SECONDS the connection is gone. The sweep adds
# LIVE_SWEEP_SECONDS at most: the sum stays under 70 s.
LIVE_HEARTBEAT_SECONDS: float = env.float("LIVE_HEARTBEAT_SECONDS", default=25.0)
LIVE_GONE_SECONDS: float = env.float("LIVE_GONE_SECONDS", default=55.0)
LIVE_SWEEP_SECONDS: float = env.float("LIVE_SWEEP_SECONDS", default=10.0)
# Without a key or pointer for this long a person is away.
LIVE_IDLE_SECONDS: float = env.float("LIVE_IDLE_SECONDS", default=300.0)

# --- Language and time ------------------------------------------------------------------------------------------
LANGUAGE_CODE = "fr"
LANGUAGES = [("fr", _("Français")), ("en", _("Anglais")), ("de", _("Allemand"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
# English with days before months and 24 hours.
FORMAT_MODULE_PATH = ["suite.formats"]
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Europe/Paris"

# --- Static files -----------------------------------------------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = env.path("STATIC_ROOT", default=str(BASE_DIR / ".local" / "static"))
STATICFILES_DIRS = [BASE_DIR / "assets"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "suite.static_files.PortalStaticFiles"},
}

# --- Security ---------------------------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "media-src": [SELF, "blob:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        # Browsers hold this against the redirects of a form too: signing in and out lead to the provider's pages.
        "form-action": [
            SELF,
            *origins(OIDC_OP_URL, OIDC_OP_AUTHORIZATION_ENDPOINT, OIDC_OP_LOGOUT_ENDPOINT),
        ],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
# A meeting of ten thousand attendees, written back over the API as it was read, takes 3 MB.
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000

# --- Forms and API ----------------------------------------------------------------------------------------------
CRISPY_ALLOWED_TEMPLATE_PACKS = ["dsfr"]
CRISPY_TEMPLATE_PACK = "dsfr"
FORM_RENDERER = "django.forms.renderers.DjangoTemplates"
# How often one token (or agent, or address) may ask the API, and one guest's link may answer: "600/minute", or "0".
API_READ_RATE = rate("API_READ_RATE", "1200/minute")
API_WRITE_RATE = rate("API_WRITE_RATE", "300/minute")
GUEST_POST_RATE = rate("GUEST_POST_RATE", "60/minute")
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        # The first one names the challenge of a 401.
        "suite.agents.tokens.PersonalTokenAuthentication",
        "suite.agents.sessions.PortalSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated", "suite.agents.scopes.HasScope"],
    # OPTIONS would describe every serializer to a token that may not use it.
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["suite.agents.parsers.BoundedJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.CursorPagination",
    "PAGE_SIZE": 50,
    "DEFAULT_THROTTLE_CLASSES": ["suite.portal.throttles.ByCaller"],
    # Proxies before the portal that add to X-Forwarded-For: who asks without a token is told apart by it. 0: by the connection.
    "NUM_PROXIES": env.int("TRUSTED_PROXIES", default=0),
    "EXCEPTION_HANDLER": "suite.agents.problems.problem_json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Portail de la Suite",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "ENUM_NAME_OVERRIDES": {
        "Role": "visio.meetings.models.Role",
        "InviteeRole": ["required", "optional"],
        "Answer": "visio.meetings.models.Answer",
        "GivenAnswer": ["accepted", "tentative", "declined"],
        "MeetingStatus": "visio.meetings.models.Status",
        "PollStatus": "visio.polls.models.PollStatus",
        "CounterState": "visio.meetings.exception_models.CounterState",
        "ChosenState": "suite.agents.models.ChosenPresence",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "suite.agents.schema.say_null_as_3_1_does",
        "suite.agents.schema.describe_refusals",
    ],
}

# --- Logs: no address, no token ---------------------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"class": "suite.logs.Line", "format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    # httpx logs every URL, and the homeserver's hold addresses.
    "loggers": {"httpx": {"level": "WARNING"}},
}

# Links in the "Applications" menu of the header.
SUITE_APPLICATIONS = [
    ("Visio", "https://visio.numerique.gouv.fr/", "fr-icon-video-chat-fill"),
    ("Tchap", "https://www.tchap.gouv.fr/", "fr-icon-message-3-fill"),
    ("Docs", "https://docs.numerique.gouv.fr/", "fr-icon-file-text-fill"),
    ("Grist", "https://grist.numerique.gouv.fr/", "fr-icon-table-fill"),
]
