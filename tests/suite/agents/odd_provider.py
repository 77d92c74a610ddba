"""An identity provider that answers whatever a test tells it to, over HTTP and with real signatures."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from django.test import Client
from django.urls import reverse

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
JWK = {**jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key(), as_dict=True), "kid": "k", "alg": "RS256"}


class OddProvider:
    """`.answers["/token"]` and so on replace the right answer: (status, body); `.nonce` is that of the sign-in under way."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.nonce = ""
        self.claims: dict[str, Any] = {}
        self.answers: dict[str, tuple[int, bytes]] = {}

    def signed(self, claims: dict[str, Any]) -> str:
        whole = {"iss": self.url, "aud": settings.OIDC_RP_CLIENT_ID, "exp": int(time.time()) + 60, **claims}
        return jwt.encode(whole, KEY, algorithm="RS256", headers={"kid": "k"})

    def answer(self, path: str) -> tuple[int, bytes]:
        if path in self.answers:
            return self.answers[path]
        if path == "/jwks":
            return 200, json.dumps({"keys": [JWK]}).encode()
        if path == "/userinfo":
            return 200, self.signed(self.claims).encode()
        id_token = self.signed({"sub": self.claims["sub"], "nonce": self.nonce})
        return 200, json.dumps({"access_token": "a", "id_token": id_token, "token_type": "Bearer"}).encode()

    def sign_in(self, browser: Client) -> Any:
        """What the portal answers to the browser that comes back; the claims are those of `.claims`."""
        browser.get(reverse("oidc_authentication_init"))
        [(state, kept)] = browser.session["oidc_states"].items()
        self.nonce = kept["nonce"]
        return browser.get(reverse("oidc_authentication_callback"), {"code": "c", "state": state})


@contextmanager
def running() -> Iterator[OddProvider]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, body = provider.answer(self.path)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, *_words: object) -> None:
            """A test's output is for its failures."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider = OddProvider(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
