"""The portal's environment variables for a set of embedded parts."""

from collections.abc import Mapping

from suite.local.parts.homeserver import Homeserver
from suite.local.parts.idp import IdentityProvider
from suite.local.parts.mailcatcher import MailCatcher
from suite.local.parts.postgres import Postgres
from suite.local.parts.valkey import Valkey


def for_database(part: Postgres) -> dict[str, str]:
    return {"DATABASE_URL": part.url}


def for_redis(part: Valkey) -> dict[str, str]:
    return {"REDIS_URL": part.url}


def for_idp(part: IdentityProvider) -> dict[str, str]:
    return {
        "OIDC_OP_URL": part.url,
        "OIDC_RP_CLIENT_ID": part.client_id,
        "OIDC_RP_CLIENT_SECRET": part.client_secret,
    }


def for_mail(part: MailCatcher) -> dict[str, str]:
    return {
        "EMAIL_HOST": "localhost",
        "EMAIL_PORT": str(part.port),
        "EMAIL_HOST_USER": "",
        "EMAIL_HOST_PASSWORD": "",
        "EMAIL_USE_TLS": "false",
        "EMAIL_FROM": "invitations@portail.localhost",
    }


def for_homeserver(part: Homeserver, *, transport: str = "bot") -> dict[str, str]:
    """`transport` is "bot" or "appservice"; the token is the one it wants."""
    return {
        "MATRIX_TRANSPORT": transport,
        "MATRIX_HOMESERVER_URL": part.url,
        "MATRIX_SERVER_NAME": part.server_name,
        "MATRIX_ACCESS_TOKEN": part.bot_token if transport == "bot" else part.as_token,
        "MATRIX_HS_TOKEN": part.hs_token,
    }


def for_portal(*, url: str, secrets: Mapping[str, str], prefix: str) -> dict[str, str]:
    return {
        "DJANGO_SETTINGS_MODULE": "suite.settings.dev",
        "SECRET_KEY": secrets["SECRET_KEY"],
        "PORTAL_URL": url,
        "ALLOWED_HOSTS": "localhost,127.0.0.1",
        "REDIS_PREFIX": prefix,
    }


def for_inbound(*, port: int) -> dict[str, str]:
    """Guests' calendars answer to an address of their own; on one machine the mail catcher's page plays the guest."""
    return {"REPLY_DOMAIN": "reponses.portail.localhost", "INBOUND_HOST": "127.0.0.1", "INBOUND_PORT": str(port)}
