"""Real browsers for tests: pages signed in as an agent, which watch for what no page of ours may do."""

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from suite.agents.models import Agent
from tests.services import services
from tests.waiting import PATIENCE

CHROMIUM = Path("/usr/bin/chromium")
# A page that is right in the end is right.
expect.set_options(timeout=PATIENCE * 1000)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Few pictures a second: the calls of several people are encoded on the same two cores as everything else.
    "--use-fake-device-for-media-stream=fps=5",
    "--use-fake-ui-for-media-stream",
    "--allow-loopback-in-peer-connection",
]
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
OWN_HOSTS = {"localhost", "127.0.0.1"}


def environment() -> dict[str, str | float | bool]:
    """Of a browser that writes nothing into the home of whoever runs the tests."""
    folder = str(services.own_folder / "browser")
    return {**os.environ, "XDG_CONFIG_HOME": folder, "XDG_CACHE_HOME": folder}


@contextlib.contextmanager
def running_browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS, env=environment())
        try:
            yield browser
        finally:
            browser.close()


class Visitors:
    """Pages of one test, each in a browser profile of its own; `page_as(None)` is somebody without a session.

    At the test's end every page must have stayed on our hosts, kept to the Content-Security-Policy and thrown no error:
    `troubles` lists what happened (a test that provokes trouble on purpose clears it).
    """

    def __init__(self, browser: Browser, url: str) -> None:
        self.browser = browser
        self.url = url
        self.troubles: list[str] = []
        self.contexts: list[BrowserContext] = []

    def page_as(
        self,
        agent: Agent | None,
        path: str | None = None,
        *,
        viewport: dict[str, int] | None = None,
        dark: bool = False,
        locale: str = "fr-FR",
        **options: Any,
    ) -> Page:
        """A page signed in as `agent` by a session made in the database; opens `path` when it is given."""
        context = self.browser.new_context(
            base_url=self.url,
            viewport=viewport or DESKTOP,  # type: ignore[arg-type]
            color_scheme="dark" if dark else "light",
            locale=locale,
            timezone_id="Europe/Paris",
            permissions=["camera", "microphone"],
            **options,
        )
        context.set_default_timeout(PATIENCE * 1000)
        self.contexts.append(context)
        if agent is not None:
            client = Client()
            client.force_login(agent)
            cookie = client.cookies[settings.SESSION_COOKIE_NAME]
            context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": self.url}])
        page = context.new_page()
        context.on("request", lambda request: self._watch_address(request.url))
        context.on("page", self._watch_page)
        self._watch_page(page)
        if path is not None:
            page.goto(path)
        return page

    def _watch_page(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.troubles.append(f"script error: {error}"))
        page.on("console", self._watch_console)

    def _watch_address(self, address: str) -> None:
        parts = urlsplit(address)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname not in OWN_HOSTS:
            self.troubles.append(f"request to another host: {address}")

    def _watch_console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and re.search(r"Content Security Policy|Refused to", message.text):
            self.troubles.append(f"console: {message.text}")

    def close(self) -> None:
        for context in self.contexts:
            context.close()
        assert self.troubles == []
