"""A real HTTP server between the portal and its homeserver: counts what passes, and misbehaves where a test says so."""

from __future__ import annotations

import http.client
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Seen:
    method: str
    path: str
    body: dict[str, Any]


@dataclass
class Fault:
    """What happens to the next requests of `method` whose path matches `path`."""

    method: str
    path: str
    times: int
    status: int = 0  # answer this instead of asking the homeserver; 0: ask it and cut the line instead of answering
    body: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    also: Callable[[], object] | None = None
    after: int = -1  # else: the request with this number


Change = Callable[[dict[str, Any]], dict[str, Any]]


class Relay:
    def __init__(self, target: str) -> None:
        self.target = urlsplit(target)
        self.seen: list[Seen] = []
        self.faults: list[Fault] = []
        self.changes: list[tuple[str, str, Change]] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.server.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def fail(self, method: str, path: str, *, status: int = 0, times: int = 1, **fields: Any) -> None:
        self.faults.append(Fault(method, path, times, status, **fields))

    def fail_from(self, step: int) -> None:
        """Let `step` more requests through, then cut the line once (the homeserver has done what was asked)."""
        self.faults.append(Fault("", "", times=0, after=len(self.seen) + step))

    def change(self, method: str, path: str, change: Change) -> None:
        """Rewrite the bodies of such requests on their way to the homeserver."""
        self.changes.append((method, path, change))

    def changed(self, method: str, path: str, body: bytes) -> bytes:
        for wanted, pattern, change in self.changes:
            if method == wanted and re.search(pattern, path):
                body = json.dumps(change(json.loads(body))).encode()
        return body

    def forget(self) -> None:
        self.seen.clear()

    def requests(self, method: str, path: str) -> list[Seen]:
        return [seen for seen in self.seen if seen.method == method and re.search(path, seen.path)]

    def fault_for(self, method: str, path: str) -> Fault | None:
        for fault in self.faults:
            if fault.after == len(self.seen) - 1:
                fault.after = -1
                return fault
            if fault.times > 0 and fault.method == method and re.search(fault.path, path):
                fault.times -= 1
                return fault
        return None


@contextmanager
def relaying(target: str) -> Iterator[Relay]:
    relay = Relay(target)
    thread = threading.Thread(target=relay.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield relay
    finally:
        relay.server.shutdown()
        relay.server.server_close()
        thread.join()


def _handler(relay: Relay) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            relay.seen.append(Seen(self.command, self.path, json.loads(body) if body else {}))
            fault = relay.fault_for(self.command, self.path)
            if fault is not None and fault.also is not None:
                fault.also()
            if fault is not None and fault.status:
                self.answer(fault.status, json.dumps(fault.body).encode(), fault.headers)
                return
            status, answer = self.ask(relay.changed(self.command, self.path, body))
            if fault is not None:
                self.close_connection = True
                self.connection.close()
                return
            self.answer(status, answer, {})

        def ask(self, body: bytes) -> tuple[int, bytes]:
            line = http.client.HTTPConnection(relay.target.hostname or "", relay.target.port, timeout=40)
            headers = {name: self.headers[name] for name in ("Authorization", "Content-Type") if name in self.headers}
            try:
                line.request(self.command, self.path, body or None, headers)
                found = line.getresponse()
                return found.status, found.read()
            except OSError:
                return 502, b"{}"
            finally:
                line.close()

        def answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_PUT = do_POST = do_DELETE = pass_on

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet: the test shows what matters."""

    return Handler
