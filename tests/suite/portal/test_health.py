"""What monitoring sees, on real parts: alive, dead, late."""

from __future__ import annotations

import datetime as dt
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from suite.local import ports
from suite.portal.health import LATE_SECONDS, PATIENCE_SECONDS, Part, ask_database, heartbeat, service_states
from tchap_bridge.models import RoomState, TchapRoom
from tests import factories
from tests.looking import Mailbox
from tests.processes import LivePortal
from visio.meetings.models import Delivery, DeliveryState

StartPortal = Callable[..., LivePortal]


def look(portal: LivePortal, path: str = "/__heartbeat__") -> tuple[int, dict[str, Any], float]:
    """(status, JSON, seconds)."""
    began = time.monotonic()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(portal.url + path, timeout=30) as answer:
            status, body = answer.status, answer.read()
    except urllib.error.HTTPError as error:
        status, body = error.code, error.read()
    return status, json.loads(body), time.monotonic() - began


def states(body: dict[str, Any]) -> dict[str, str]:
    return {name: part["state"] for name, part in body["parts"].items()}


def parts(now: dt.datetime) -> dict[str, Part]:
    return {part.name: part for part in ask_database(now)}


# --- the whole, over HTTP ---------------------------------------------------------------------------------------
def test_well_although_tchap_is_away(start_portal: StartPortal) -> None:
    """The homeserver does not matter for the status: meetings work without it."""
    dead = f"http://127.0.0.1:{ports.reserve()}"
    status, body, _seconds = look(start_portal(MATRIX_HOMESERVER_URL=dead))
    assert status == 200
    assert body["state"] == "impaired"
    assert states(body) == {
        "database": "up",
        "migrations": "up",
        "invitations": "up",
        "tchap_rooms": "up",
        "tchap_account": "up",
        "tchap_set_aside": "up",
        "redis": "up",
        "homeserver": "down",
        "smtp": "up",
        "inbound": "off",
    }


def test_without_redis(start_portal: StartPortal) -> None:
    portal = start_portal(REDIS_URL=f"redis://127.0.0.1:{ports.reserve()}/0")
    status, body, seconds = look(portal)
    assert (status, body["state"], states(body)["redis"], states(body)["database"]) == (503, "down", "down", "up")
    assert seconds < PATIENCE_SECONDS + 2


def test_without_a_database(start_portal: StartPortal) -> None:
    portal = start_portal(DATABASE_URL=f"postgres://nobody@127.0.0.1:{ports.reserve()}/nothing")
    status, body, seconds = look(portal)
    assert (status, states(body)["database"], states(body)["redis"]) == (503, "down", "up")
    assert seconds < PATIENCE_SECONDS + 2
    assert look_lightly(portal) == "ok"


def test_without_mail(start_portal: StartPortal) -> None:
    status, body, _seconds = look(start_portal(EMAIL_HOST="127.0.0.1", EMAIL_PORT=str(ports.reserve())))
    assert (status, body["state"], states(body)["smtp"]) == (200, "impaired", "down")


def look_lightly(portal: LivePortal) -> str:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{portal.url}/__lbheartbeat__", timeout=10) as answer:
        return str(answer.read().decode())


# --- late -------------------------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_owed_mail_that_nobody_takes_is_late() -> None:
    now = timezone.now()
    meeting = factories.meeting(guests=["a@b.example"], now=now)
    assert Delivery.objects.filter(meeting=meeting, state=DeliveryState.OWED).update(due_at=now) == 1
    soon = parts(now + dt.timedelta(seconds=LATE_SECONDS))["invitations"]
    late = parts(now + dt.timedelta(minutes=5))["invitations"]
    assert (soon.state, late.state, late.figure) == ("up", "late", 300)
    assert late.words == "retard de 5 min environ"


@pytest.mark.django_db(transaction=True)
def test_mail_whose_sender_died_is_late_from_its_claims_end() -> None:
    now = timezone.now()
    factories.meeting(guests=["a@b.example"], now=now)
    Delivery.objects.update(state=DeliveryState.SENDING, due_at=now - dt.timedelta(hours=1), claimed_until=now)
    assert parts(now)["invitations"].state == "up"
    assert parts(now + dt.timedelta(seconds=100))["invitations"].figure == 100


@pytest.mark.django_db(transaction=True)
def test_mail_that_waits_for_its_next_try_is_not_late() -> None:
    now = timezone.now()
    factories.meeting(guests=["a@b.example"], now=now)
    Delivery.objects.update(due_at=now + dt.timedelta(minutes=10), attempts=3)
    assert parts(now)["invitations"].state == "up"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("state", "expected"), [(RoomState.OWED, "late"), (RoomState.REFUSED, "up")])
def test_owed_room_that_nobody_takes_is_late(state: str, expected: str) -> None:
    now = timezone.now()
    meeting = factories.meeting(now=now)
    TchapRoom.objects.filter(meeting=meeting).delete()
    room = TchapRoom.objects.create(meeting=meeting, alias_localpart="reunion-x", state=state, due_at=now)
    assert parts(now + dt.timedelta(minutes=2))["tchap_rooms"].state == expected
    room.claimed_until = now + dt.timedelta(minutes=2)
    room.save()
    assert parts(now + dt.timedelta(minutes=2))["tchap_rooms"].state == "up"


@pytest.mark.django_db(transaction=True)
def test_migration_not_applied() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'sessions' RETURNING name")
        (name,) = cursor.fetchone()
        try:
            found = parts(timezone.now())
        finally:
            cursor.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('sessions', %s, now())", [name])
    assert (found["migrations"].state, found["migrations"].words) == ("behind", "1 migration à appliquer")
    assert "invitations" not in found


# --- words, and the rest ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("part", "words"),
    [
        (Part("redis", "up", matters=True), "fonctionne"),
        (Part("redis", "down", matters=True), "ne répond pas"),
        (Part("homeserver", "off", matters=False), "non configuré"),
        (Part("migrations", "behind", matters=True, figure=3), "3 migrations à appliquer"),
        (Part("tchap_account", "refused", matters=False), "compte du portail refusé"),
        (Part("tchap_set_aside", "aside", matters=False, figure=1), "1 salon mis de côté"),
        (Part("tchap_set_aside", "aside", matters=False, figure=3), "3 salons mis de côté"),
        (Part("invitations", "late", matters=True, figure=51), "retard de 1 min environ"),
        (Part("invitations", "late", matters=True, figure=300), "retard de 5 min environ"),
        (Part("invitations", "late", matters=True, figure=7_300), "retard de 2 h environ"),
        (Part("invitations", "late", matters=True, figure=100_000), "retard de 28 h environ"),
        (Part("invitations", "late", matters=True, figure=300_000), "retard de 3 jours environ"),
    ],
)
def test_words(part: Part, words: str) -> None:
    assert part.words == words


@pytest.mark.django_db(transaction=True)
def test_homeserver_that_is_not_configured_is_well(settings: Any) -> None:
    settings.MATRIX_HOMESERVER_URL = ""
    found = {part.name: part for part in heartbeat(timezone.now())}
    assert (found["homeserver"].state, found["homeserver"].is_well) == ("off", True)


@pytest.mark.django_db(transaction=True)
def test_sign_in_page_says_the_same_in_three_lines() -> None:
    assert [state.name for state in service_states(timezone.now())] == ["Visio", "Tchap", "Courriels"]


@pytest.mark.parametrize("path", ["/__heartbeat__", "/__lbheartbeat__", "/__version__"])
@pytest.mark.django_db(transaction=True)
def test_open_to_machines_and_only_read(client: Client, path: str) -> None:
    assert client.get(path).status_code in (200, 503)
    assert "no-store" in client.get(path)["Cache-Control"]
    assert client.post(path).status_code == 405


def test_version(client: Client, settings: Any) -> None:
    settings.VERSION, settings.COMMIT, settings.SOURCE, settings.BUILD = "1.2.3", "abc", "https://code.example/x", "7"
    assert client.get("/__version__").json() == {
        "source": "https://code.example/x",
        "version": "1.2.3",
        "commit": "abc",
        "build": "7",
    }


# --- answers by mail --------------------------------------------------------------------------------------------
def test_whether_somebody_receives_the_answers(start_portal: StartPortal) -> None:
    portal = start_portal(REPLY_DOMAIN="reponses.example", INBOUND_PORT=str(ports.reserve()))
    status, body, _seconds = look(portal)
    assert (status, body["state"], states(body)["inbound"]) == (200, "impaired", "down")


def test_the_answers_are_received(start_portal: StartPortal, mailbox: Mailbox) -> None:
    """Any server that greets as SMTP and LMTP do; here the mail catcher."""
    portal = start_portal(REPLY_DOMAIN="reponses.example", INBOUND_PORT=str(mailbox.part.port))
    assert states(look(portal)[1])["inbound"] == "up"
