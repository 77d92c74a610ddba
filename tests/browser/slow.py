"""A slow line or a slow machine: the page is there before its scripts are."""

from __future__ import annotations

import re

from playwright.sync_api import Page, Route

# theme.js alone is waited for by the browser itself, before it paints.
SCRIPTS = re.compile(r"/static/(?!portal/theme).*\.js(\?|$)")


class SlowScripts:
    """Holds back the scripts that `page` asks for, until `arrive`. Open the page with `wait_until="commit"`."""

    def __init__(self, page: Page) -> None:
        self._held: list[Route] = []
        self._page = page
        page.route(SCRIPTS, self._hold)

    def _hold(self, route: Route) -> None:
        self._held.append(route)

    def arrive(self) -> None:
        """All that was asked for comes now, and all that will be asked for comes at once."""
        while self._held:
            self._held.pop(0).continue_()
        self._page.unroute(SCRIPTS)
