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
        self._here = False
        page.route(SCRIPTS, self._take)

    def _take(self, route: Route) -> None:
        if self._here:
            route.continue_()
        else:
            self._held.append(route)

    def arrive(self) -> None:
        self._here = True
        while self._held:
            self._held.pop(0).continue_()
