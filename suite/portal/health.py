"""Is the portal well? `/__heartbeat__` for monitoring, `/__lbheartbeat__` for a load balancer, `/__version__` for people.

Late is judged by the owed rows, not by processes: a worker that lives but does nothing shows here (the oldest row whose time
has come grows old), and one that waits for its next try does not.
"""

from __future__ import annotations

import datetime as dt
import smtplib
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal

import httpx
import psycopg
import redis
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DEFAULT_DB_ALIAS
from django.db.migrations.loader import MigrationLoader
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

State = Literal["up", "late", "behind", "aside", "refused", "down", "off"]

# Three sweeps: nobody looked at a row for that long, so nobody consumes.
LATE_SECONDS = 50
# One part may take this long; they are asked at the same time, so the whole answer takes little more.
PATIENCE_SECONDS = 2.0
# The sign-in page shows states at most this old: opening it often costs nothing.
REMEMBERED_SECONDS = 15.0


@dataclass(frozen=True)
class Part:
    """One part's state. `figure`: seconds late when late, migrations missing when behind, rooms when set aside."""

    name: str
    state: State
    matters: bool
    figure: int = 0
    milliseconds: int = 0

    @property
    def is_well(self) -> bool:
        return self.state in ("up", "off")

    @property
    def words(self) -> str:
        match self.state:
            case "up":
                return _("fonctionne")
            case "down":
                return _("ne répond pas")
            case "off":
                return _("non configuré")
            case "behind":
                return ngettext("%(count)d migration à appliquer", "%(count)d migrations à appliquer", self.figure) % {
                    "count": self.figure
                }
            case "aside":
                return ngettext("%(count)d salon mis de côté", "%(count)d salons mis de côté", self.figure) % {
                    "count": self.figure
                }
            case "refused":
                return _("compte du portail refusé")
            case "late":
                return _late_words(self.figure)


def _late_words(seconds: int) -> str:
    minutes, hours, days = round(seconds / 60), round(seconds / 3600), round(seconds / 86400)
    if days >= 2:
        return ngettext("retard de %(count)d jour environ", "retard de %(count)d jours environ", days) % {"count": days}
    if minutes >= 60:
        return ngettext("retard de %(count)d h environ", "retard de %(count)d h environ", hours) % {"count": hours}
    minutes = max(minutes, 1)
    return ngettext("retard de %(count)d min environ", "retard de %(count)d min environ", minutes) % {"count": minutes}


def heartbeat(now: dt.datetime) -> list[Part]:
    """Every part, asked at the same time; one that has not answered after PATIENCE_SECONDS is down."""
    asked: dict[str, tuple[Callable[[], list[Part]], list[Part]]] = {
        "database": (
            lambda: ask_database(now),
            [Part(name, "down", matters=True) for name in ("database", "migrations", "invitations", "tchap_rooms")]
            + [Part(name, "down", matters=False) for name in ("tchap_account", "tchap_set_aside")],
        ),
        "redis": (ask_redis, [Part("redis", "down", matters=True)]),
        "homeserver": (ask_homeserver, [Part("homeserver", "down", matters=False)]),
        "smtp": (ask_smtp, [Part("smtp", "down", matters=False)]),
        "inbound": (ask_inbound, [Part("inbound", "down", matters=False)]),
    }
    futures: dict[str, Future[list[Part]]] = {
        name: _threads().submit(_timed, ask, otherwise) for name, (ask, otherwise) in asked.items()
    }
    wait(futures.values(), timeout=PATIENCE_SECONDS + 0.5)
    parts: list[Part] = []
    for name, (_ask, otherwise) in asked.items():
        parts += futures[name].result() if futures[name].done() else otherwise
    return parts


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=8, thread_name_prefix="heartbeat")


def _timed(ask: Callable[[], list[Part]], otherwise: list[Part]) -> list[Part]:
    """The parts that `ask` finds, or `otherwise` when the part behind it fails, with the time it took."""
    began = time.monotonic()
    try:
        parts = ask()
    except (psycopg.Error, RedisError, httpx.HTTPError, smtplib.SMTPException, OSError):
        parts = otherwise
    took = round((time.monotonic() - began) * 1000)
    return [replace(part, milliseconds=took) for part in parts]


OLDEST_INVITATION = """
    SELECT extract(epoch FROM %(now)s - min(CASE state WHEN 'owed' THEN due_at ELSE claimed_until END))
    FROM visio_delivery
    WHERE (state = 'owed' AND due_at <= %(now)s) OR (state = 'sending' AND claimed_until < %(now)s)
"""
OLDEST_ROOM = """
    SELECT extract(epoch FROM %(now)s - min(greatest(due_at, coalesce(claimed_until, due_at))))
    FROM tchap_bridge_tchaproom
    WHERE state = 'owed' AND due_at <= %(now)s AND (claimed_until IS NULL OR claimed_until < %(now)s)
"""
# Whether the bot's token was refused, and how many rooms of meetings ahead wait for an administrator.
REFUSED_ROOMS = """
    SELECT coalesce(bool_or(last_error LIKE '401 %%'), false), count(*) FILTER (WHERE EXISTS (
        SELECT 1 FROM visio_occurrence
        WHERE visio_occurrence.meeting_id = tchap_bridge_tchaproom.meeting_id AND visio_occurrence.ends_at > %(now)s
    ))
    FROM tchap_bridge_tchaproom
    WHERE state = 'refused'
"""


def ask_database(now: dt.datetime) -> list[Part]:
    """PostgreSQL on a connection of its own, so that an exhausted pool cannot make this wait."""
    database = settings.DATABASES[DEFAULT_DB_ALIAS]
    options = {name: value for name, value in database["OPTIONS"].items() if name != "pool"}
    patience = int(PATIENCE_SECONDS * 1000)
    with psycopg.connect(
        host=database["HOST"] or None,
        port=database["PORT"] or None,
        dbname=database["NAME"],
        user=database["USER"] or None,
        password=database["PASSWORD"] or None,
        connect_timeout=int(PATIENCE_SECONDS),
        autocommit=True,
        **{"options": f"-c statement_timeout={patience}", **options},
    ) as connection:
        applied = set(connection.execute("SELECT app, name FROM django_migrations").fetchall())
        missing = len(_migrations_on_disk() - applied)
        parts = [
            Part("database", "up", matters=True),
            Part("migrations", "behind" if missing else "up", matters=True, figure=missing),
        ]
        if missing:
            return parts  # The tables below may not exist yet.
        parts.append(_lateness("invitations", connection.execute(OLDEST_INVITATION, {"now": now}).fetchone()))
        if not settings.MATRIX_HOMESERVER_URL:
            # Without a homeserver rooms are noted down and never tried: that is no delay.
            return [*parts, Part("tchap_rooms", "off", matters=True)]
        is_locked_out, set_aside = connection.execute(REFUSED_ROOMS, {"now": now}).fetchone() or (False, 0)
        # A bot whose token is refused asks nothing: the rooms wait for an administrator, not for a worker.
        oldest = None if is_locked_out else connection.execute(OLDEST_ROOM, {"now": now}).fetchone()
        parts.append(_lateness("tchap_rooms", oldest))
        parts.append(Part("tchap_account", "refused" if is_locked_out else "up", matters=False))
        parts.append(Part("tchap_set_aside", "aside" if set_aside else "up", matters=False, figure=set_aside))
    return parts


def _lateness(name: str, row: tuple[Any, ...] | None) -> Part:
    """The part for the age in seconds, or NULL, that `row` holds."""
    age = int(row[0]) if row and row[0] is not None else 0
    return Part(name, "late" if age > LATE_SECONDS else "up", matters=True, figure=age)


@cache
def _migrations_on_disk() -> frozenset[tuple[str, str]]:
    """(app, name) of every migration of the running code, those replaced by a squash apart."""
    loader = MigrationLoader(None, ignore_no_migrations=True)
    replaced = {key for migration in loader.disk_migrations.values() for key in migration.replaces}
    return frozenset(set(loader.disk_migrations) - replaced)


def ask_redis() -> list[Part]:
    client = redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=PATIENCE_SECONDS / 2,
        socket_connect_timeout=PATIENCE_SECONDS / 2,
        retry=Retry(NoBackoff(), 0),
    )
    try:
        client.ping()
    finally:
        client.close()
    return [Part("redis", "up", matters=True)]


def ask_homeserver() -> list[Part]:
    """Not fatal: meetings work without it, their rooms wait."""
    if not settings.MATRIX_HOMESERVER_URL:
        return [Part("homeserver", "off", matters=False)]
    answer = httpx.get(f"{settings.MATRIX_HOMESERVER_URL}/_matrix/client/versions", timeout=PATIENCE_SECONDS)
    answer.raise_for_status()
    return [Part("homeserver", "up", matters=False)]


def ask_smtp() -> list[Part]:
    """Not fatal: e-mails wait in their rows."""
    with smtplib.SMTP(settings.EMAIL_HOST, settings.EMAIL_PORT, timeout=PATIENCE_SECONDS) as server:
        server.noop()
    return [Part("smtp", "up", matters=False)]


def ask_inbound() -> list[Part]:
    """Not fatal: guests' mail servers keep their answers and try again. SMTP and LMTP greet alike."""
    if not settings.REPLY_DOMAIN:
        return [Part("inbound", "off", matters=False)]
    place = (settings.INBOUND_HOST, settings.INBOUND_PORT)
    with socket.create_connection(place, timeout=PATIENCE_SECONDS) as wire:
        greeting = wire.recv(3)
        wire.sendall(b"QUIT\r\n")
    return [Part("inbound", "up" if greeting == b"220" else "down", matters=False)]


# --- What the sign-in page says ---------------------------------------------------------------------------------
_remembered: tuple[float, list[Part]] | None = None
_remembering = threading.Lock()


@dataclass(frozen=True)
class ServiceState:
    """One line for people: "Courriels", "retard de 5 min environ"."""

    name: str
    is_well: bool
    words: str


def service_states(now: dt.datetime) -> list[ServiceState]:
    """Visio, Tchap and e-mails in people's words, from checks at most REMEMBERED_SECONDS old."""
    global _remembered
    with _remembering:
        if _remembered is None or time.monotonic() - _remembered[0] > REMEMBERED_SECONDS:
            _remembered = (time.monotonic(), heartbeat(now))
        parts = {part.name: part for part in _remembered[1]}
    lines = [
        (_("Visio"), ("database", "redis")),
        (_("Tchap"), ("homeserver", "tchap_account", "tchap_rooms")),
        (_("Courriels"), ("smtp", "invitations")),
    ]
    states = []
    for name, needed in lines:
        asked = [parts[part] for part in needed if part in parts]
        worst = next((part for part in asked if not part.is_well), asked[0])
        states.append(ServiceState(name, worst.is_well, worst.words))
    return states


# What a part's figure is called.
FIGURES = {"invitations": "seconds_late", "tchap_rooms": "seconds_late", "tchap_set_aside": "set_aside"}


# --- For machines -----------------------------------------------------------------------------------------------
@login_not_required
@never_cache
@require_safe
def lb_heartbeat(_request: HttpRequest) -> HttpResponse:
    """This process answers; asks nobody."""
    return HttpResponse("ok", content_type="text/plain; charset=utf-8")


@login_not_required
@never_cache
@require_safe
def heartbeat_view(_request: HttpRequest) -> JsonResponse:
    """200 when every part that matters is well, 503 otherwise: `{"state": "up", "parts": {"redis": {"state": …}}}`."""
    parts = heartbeat(timezone.now())
    down = any(part.matters and not part.is_well for part in parts)
    impaired = any(not part.is_well for part in parts)
    body: dict[str, Any] = {
        "state": "down" if down else "impaired" if impaired else "up",
        "parts": {
            part.name: {
                "state": part.state,
                "matters": part.matters,
                "words": part.words,
                "milliseconds": part.milliseconds,
                **({FIGURES[part.name]: part.figure} if part.name in FIGURES else {}),
            }
            for part in parts
        },
    }
    return JsonResponse(body, status=503 if down else 200)


@login_not_required
@never_cache
@require_safe
def version(_request: HttpRequest) -> JsonResponse:
    """What runs here: https://github.com/mozilla-services/Dockerflow, `version.json`."""
    return JsonResponse(
        {
            "source": settings.SOURCE,
            "version": settings.VERSION,
            "commit": settings.COMMIT,
            "build": settings.BUILD,
        }
    )
