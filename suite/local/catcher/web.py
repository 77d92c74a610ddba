"""The catcher's page and JSON.

GET /api/messages?to=&subject=&limit=&before=   newest first, at most 500
GET /api/messages/<id>                           with headers, text, html, calendars, attachments
GET /api/messages/<id>/raw                       as received
DELETE /api/messages[?to=]                       forget all, or one recipient's
GET|POST|DELETE /api/rules[?recipient=]          misbehave (see rules.py)
POST /messages/<id>/answer  answer=ACCEPTED|…    answer an invitation as its recipient's calendar would (see guest.py)
"""

import json
import re
from dataclasses import asdict
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from suite.local.catcher import guest, pages
from suite.local.catcher.contents import parts_of
from suite.local.catcher.rules import BadRule, Rules, parse
from suite.local.catcher.store import Store, Summary

LONGEST_LIST = 500
PAGE_POLICY = "default-src 'none'; style-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'"
# A caught message is shown as mail programs do: its own inline styles, no script, nothing fetched.
MESSAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox allow-popups"


class CatcherServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, store: Store, rules: Rules, *, reply_port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), CatcherRequest)
        self.reply_port = reply_port
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
                choices = self._choices(summary, raw)
                sent = guest.CHOICES.get(self._asked()[1].get("sent", ""), "")
                page = pages.message_page(summary, parts_of(raw), choices=choices, sent=sent)
                self._answer(200, page.encode(), "text/html; charset=utf-8", PAGE_POLICY)
            case _:
                self._json(404, {"error": "not found"})

    def do_POST(self) -> None:
        path, _ = self._asked()
        body = self.rfile.read(min(_number(self.headers.get("Content-Length", ""), 0), 100_000))
        if answered := re.fullmatch(r"/messages/(\d{1,15})/answer", path):
            self._answer_as_guest(int(answered[1]), parse_qs(body.decode(errors="replace")))
            return
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

    def _choices(self, summary: Summary, raw: bytes) -> dict[str, str]:
        """The buttons of a message: none where nobody receives answers, or where there is nothing to answer."""
        can = self.server.reply_port and len(summary.recipients) == 1 and guest.can_answer(raw, summary.recipients[0])
        return guest.CHOICES if can else {}

    def _answer_as_guest(self, number: int, form: dict[str, list[str]]) -> None:
        kept = self.server.store.get(number)
        # A page of another site must not answer in somebody's name.
        if kept is None or self.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
            self._json(404, {"error": "not found"})
            return
        summary, raw = kept
        choice = form.get("answer", [""])[0]
        try:
            if choice not in self._choices(summary, raw):
                raise guest.NothingToAnswer
            answer = guest.build(raw, summary.recipients[0], choice, now=datetime.now(UTC))
            guest.send(answer, port=self.server.reply_port)
        except guest.NothingToAnswer:
            self._json(400, {"error": "nothing to answer"})
        except guest.NotTaken as refused:
            page = pages.not_taken_page(number, str(refused))
            self._answer(502, page.encode(), "text/html; charset=utf-8", PAGE_POLICY)
        else:
            self.send_response(303)
            self.send_header("Location", f"/messages/{number}?sent={choice}")
            self.send_header("Content-Length", "0")
            self.end_headers()

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
