"""Servers that close the connection with, or instead of, their refusal: scripted, since no good server does."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from suite.mail.smtp import Mailer, MailRefused, MailServerDown

BAD = "refusee@partenaire.example"
GOOD = "anne@partenaire.example"
MESSAGE = b"From: a@x.example\r\nSubject: s\r\n\r\nfin\r\n"


class Rude(socketserver.StreamRequestHandler):
    """Takes every message; for BAD says 554 at RCPT or after DATA (`server.at`) and hangs up."""

    def say(self, words: str) -> None:
        self.wfile.write(f"{words}\r\n".encode())

    def handle(self) -> None:
        server: Any = self.server
        self.say("220 rude")
        bad = False
        while line := self.rfile.readline():
            verb = line.split()[0].upper() if line.split() else b""
            if verb == b"RCPT":
                bad = BAD.encode() in line
                if bad and server.at == "RCPT":
                    self.say("554 5.7.1 No")
                    return
                self.say("250 ok")
            elif verb == b"DATA":
                self.say("354 go")
                while self.rfile.readline() != b".\r\n":
                    pass
                if bad:
                    self.say("554 5.7.1 No")
                    return
                server.taken += 1
                self.say("250 taken")
            else:
                self.say("250 ok")


@pytest.fixture(params=["RCPT", "DATA"])
def rude(request: pytest.FixtureRequest, settings: Any) -> Iterator[Any]:
    server: Any = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Rude)
    server.daemon_threads = True
    server.at, server.taken = request.param, 0
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_refusal_that_closes_the_connection_is_still_a_refusal_and_the_next_message_goes(rude: Any) -> None:
    with Mailer() as mailer:
        with pytest.raises(MailRefused) as refused:
            mailer.send(sender="a@x.example", recipient=BAD, message=MESSAGE)
        assert (refused.value.permanent, refused.value.words) == (True, "554 5.7.1 No")
        mailer.send(sender="a@x.example", recipient=GOOD, message=MESSAGE)
    assert rude.taken == 1


def test_after_the_last_word_nothing_more_is_sent(rude: Any) -> None:
    mailer = Mailer()
    with mailer:
        mailer.send(sender="a@x.example", recipient=GOOD, message=MESSAGE)
    with pytest.raises(MailServerDown, match="not connected"):
        mailer.send(sender="a@x.example", recipient=GOOD, message=MESSAGE)
    assert rude.taken == 1
