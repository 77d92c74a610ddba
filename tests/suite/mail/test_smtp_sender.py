"""Servers that let the portal write in its own name alone: scripted, as a relay with a list of senders is."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from suite.mail.smtp import Mailer, MailRefused, MailServerDown

OWN = "r+abc@reponses.portail.example"
PORTAL = "portail@portail.example"
TO = "anne@partenaire.example"
GONE = "partie@partenaire.example"
MESSAGE = b"From: a@x.example\r\nSubject: s\r\n\r\nfin\r\n"


class Strict(socketserver.StreamRequestHandler):
    """Refuses every sender but PORTAL, at MAIL or, as Postfix does, at RCPT (`server.at`); knows nobody called GONE."""

    def say(self, words: str) -> None:
        self.wfile.write(f"{words}\r\n".encode())

    def handle(self) -> None:
        server: Any = self.server
        server.connections += 1
        self.say("220 strict")
        sender = ""
        ready = False
        while line := self.rfile.readline():
            verb = line.split()[0].upper() if line.split() else b""
            if verb == b"EHLO":
                self.say("250-strict")
                self.say("250 PIPELINING" if server.pipelines else "250 HELP")
            elif verb == b"MAIL":
                sender, ready = line.decode().split("<")[1].split(">")[0], False
                server.asked.append(sender)
                self.say("553 5.7.1 Not your address" if server.at == "MAIL" and sender != server.only else "250 ok")
            elif verb == b"RCPT":
                ready = sender == server.only and GONE.encode() not in line
                unknown = "550 5.1.1 Unknown" if sender == server.only else "553 5.7.1 Sender not yours"
                self.say("250 ok" if ready else unknown)
            elif verb == b"DATA":
                if not ready:
                    self.say("503 5.5.1 No recipient")
                    continue
                self.say("354 go")
                while self.rfile.readline() != b".\r\n":
                    pass
                server.taken.append(sender)
                self.say("250 taken")
            else:
                self.say("250 ok")


@pytest.fixture(params=["MAIL", "RCPT"])
def strict(request: pytest.FixtureRequest, settings: Any) -> Iterator[Any]:
    server: Any = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Strict)
    server.daemon_threads = True
    server.at, server.only, server.pipelines = request.param, PORTAL, True
    server.asked, server.taken, server.connections = [], [], 0
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def send(mailer: Mailer, to: str = TO) -> None:
    mailer.send(sender=OWN, or_sender=PORTAL, recipient=to, message=MESSAGE)


@pytest.mark.parametrize("pipelines", [True, False])
def test_who_may_not_write_from_there_writes_from_the_portal(strict: Any, pipelines: bool) -> None:
    strict.pipelines = pipelines
    with Mailer() as mailer:
        send(mailer)
        send(mailer)
    # Told once: the second does not ask again.
    assert strict.asked == [OWN, PORTAL, PORTAL]
    assert (strict.taken, strict.connections) == ([PORTAL, PORTAL], 1)


def test_an_unknown_recipient_is_still_one(strict: Any) -> None:
    strict.only = OWN if strict.at == "RCPT" else PORTAL
    with Mailer() as mailer:
        with pytest.raises(MailRefused) as refused:
            send(mailer, GONE)
        assert refused.value.permanent
        send(mailer)
    assert strict.taken == [strict.only]


def test_the_portal_itself_refused_is_a_matter_of_settings(strict: Any) -> None:
    strict.only = "autre@portail.example"
    wanted = MailServerDown if strict.at == "MAIL" else MailRefused
    with Mailer() as mailer, pytest.raises(wanted):
        send(mailer)
