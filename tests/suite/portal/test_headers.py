"""Headers that protect people: on every page, whoever asks."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from tests import factories

pytestmark = pytest.mark.django_db

PAGES = ["/connexion/", "/", "/reunions/", "/recherche/", "/reglages/", "/cookies/", "/nulle-part/", "/__lbheartbeat__"]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("signed_in", [False, True])
def test_security_headers(client: Client, path: str, signed_in: bool) -> None:
    if signed_in:
        client.force_login(factories.agent())
    headers = client.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "camera=(self)" in headers["Permissions-Policy"]
    assert "geolocation=()" in headers["Permissions-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("path", ["/", "/reunions/", "/recherche/", "/reglages/", "/cookies/", "/nulle-part/"])
def test_signed_in_pages_stay_out_of_caches(client: Client, path: str) -> None:
    client.force_login(factories.agent())
    assert "no-store" in client.get(path)["Cache-Control"]


def test_cookies_are_out_of_scripts_reach(client: Client) -> None:
    client.force_login(factories.agent())
    client.get("/")
    client.post("/theme/", {"theme": "dark"})
    client.post("/langue/", {"language": "en"})
    assert {name: bool(cookie["httponly"]) for name, cookie in client.cookies.items() if name != "sessionid"} == {
        "csrftoken": True,
        "theme": True,
        "django_language": True,
    }


def test_session_cookie_too(settings: Any) -> None:
    """The test client makes its session by itself: the setting is what a browser gets."""
    assert (settings.SESSION_COOKIE_HTTPONLY, settings.SESSION_COOKIE_SAMESITE) == (True, "Lax")


@pytest.mark.parametrize("path", ["/connexion/", "/", "/reglages/", "/recherche/", "/cookies/"])
def test_no_inline_script_style_or_handler(client: Client, path: str) -> None:
    client.force_login(factories.agent())
    if path == "/connexion/":
        client.logout()
    html = client.get(path).content.decode()
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=", html)
    for script in re.findall(r"<script[^>]*>", html):
        assert "src=" in script or 'type="application/json"' in script
