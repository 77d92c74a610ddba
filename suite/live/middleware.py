"""The version that a page is rendered with."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from suite.live.push import page_version


class PageVersionMiddleware:
    """Puts `request.live_version` on the GET of a signed-in agent's whole page; "" otherwise.

    Read before the view's first query: what changes while the page is being made then has a newer version, and the page
    fetches it as soon as its socket is open.
    """

    sync_capable = True
    async_capable = False

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        wanted = request.method == "GET" and "text/html" in request.headers.get("Accept", "")
        fragment = "HX-Request" in request.headers
        version = page_version(request.user.pk) if wanted and not fragment and request.user.is_authenticated else ""
        request.live_version = version  # type: ignore[attr-defined]
        return self.get_response(request)
