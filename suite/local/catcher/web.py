"""The catcher's page and JSON.

GET /api/messages?to=&subject=&limit=&before=   newest first, at most 500
GET /api/messages/<id>                           with headers, text, html, calendars, attachments
GET /api/messages/<id>/raw                       as received
DELETE /api/messages[?to=]                       forget all, or one recipient's
GET|POST|DELETE /api/rules[?recipient=]          misbehave (see rules.py)
"""

import json
import re
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from suite.local.catcher import pages
from suite.local.catcher.contents import parts_of
from suite.local.catcher.rules import BadRule, Rules, parse
from suite.local.catcher.store import Store

LONGEST_LIST = 500
PAGE_POLICY = "default-src 'none'; style-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'"
# A caught message is shown as mail programs do: its own inline styles, no script, nothing fetched.
MESSAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox allow-popups"


class CatcherServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, store: Store, rules: Rules) -> None:
        super().__init__(("127.0.0.1", port), CatcherRequest)
        self.store = store
        self.rules = rules


class CatcherRequest(BaseHTTPRequestHandler):
    server: CatcherServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path, query = self._asked()
        if path == "/":
            found = self.server.store.newest(limit=50, **self._filters(query))
            shown = pages.list_page(
                found=found,
                count=self.server.store.count(),
                to=query.get("to", ""),
                subject=query.get("subject", ""),
            )
            self._answer(200, shown.encode(), "text/html; charset=utf-8", PAGE_POLICY)
        elif path == "/style.css":
            self._answer(200, pages.STYLE.encode(), "text/css")
        elif path == "/api/health":
            self._json(200, {"status": "ok", "messages": self.server.store.count()})
        elif path == "/api/messages":
            limit = min(_number(query.get("limit", ""), 50), LONGEST_LIST)
            found = self.server.store.newest(limit=limit, **self._filters(query))
            self._json(200, [asdict(summary) for summary in found])
        elif path == "/api/rules":
            self._json(200, [asdict(rule) for rule in self.server.rules.all()])
        else:
            self._get_message(path)

    def _get_message(self, path: str) -> None:
        asked = re.fullmatch(r"/(api/messages|messages)/(\d{1,15})(/raw|/html)?", path)
        kept = self.server.store.get(int(asked[2])) if asked else None
        if asked is None or kept is None:
            self._json(404, {"error": "not found"})
            return
        summary, raw = kept
        match asked[1], asked[3]:
            case "api/messages", "/raw":
                self._answer(200, raw, "text/plain; charset=utf-8")
            case "api/messages", None:
                self._json(200, {**asdict(summary), **parts_of(raw)})
            case "messages", "/html":
                self._answer(200, (parts_of(raw)["html"] or "").encode(), "text/html; charset=utf-8", MESSAGE_POLICY)
            case "messages", None:
                page = pages.message_page(summary, parts_of(raw))
                self._answer(200, page.encode(), "text/html; charset=utf-8", PAGE_POLICY)
            case _:
                self._json(404, {"error": "not found"})

    def do_POST(self) -> None:
        path, _ = self._asked()
        body = self.rfile.read(min(_number(self.headers.get("Content-Length", ""), 0), 100_000))
        if path != "/api/rules":
            self._json(404, {"error": "not found"})
            return
        try:
            rule = parse(json.loads(body))
        except (BadRule, ValueError, TypeError) as wrong:
            self._json(400, {"error": str(wrong)})
            return
        self.server.rules.add(rule)
        self._json(201, asdict(rule))

    def do_DELETE(self) -> None:
        path, query = self._asked()
        if path == "/api/messages":
            self._json(200, {"removed": self.server.store.clear(to=query.get("to", ""))})
        elif path == "/api/rules":
            self.server.rules.clear(query.get("recipient", ""))
            self._json(200, {})
        else:
            self._json(404, {"error": "not found"})

    def _asked(self) -> tuple[str, dict[str, str]]:
        address = urlsplit(self.path)
        return address.path, {name: values[0] for name, values in parse_qs(address.query).items()}

    def _filters(self, query: dict[str, str]) -> dict[str, Any]:
        return {
            "to": query.get("to", ""),
            "subject": query.get("subject", ""),
            "before": _number(query.get("before", ""), 0),
        }

    def _json(self, status: int, content: object) -> None:
        self._answer(status, json.dumps(content, ensure_ascii=False).encode(), "application/json")

    def _answer(self, status: int, body: bytes, kind: str, policy: str = "default-src 'none'") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", policy)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: requests hold addresses, and logs hold none."""


def _number(given: str, default: int) -> int:
    return int(given) if given.isdigit() and len(given) < 16 else default
