"""TLS with certificates that are verified, and pipelining where the server offers it: against real servers."""

from __future__ import annotations

import datetime as dt
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from suite.mail.smtp import Mailer, MailRefused, MailServerDown

MESSAGE = b"From: a@x.example\r\nSubject: s\r\n\r\n.\r\nfin\r\n"
TO = "anne@partenaire.example"


class Handler:
    """Keeps messages; says what the test wants it to say."""

    def __init__(self, *, pipelining: bool = False) -> None:
        self.messages: list[bytes] = []
        self.commands: list[str] = []
        self.pipelining = pipelining

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [*responses[:-1], "250-PIPELINING", responses[-1]] if self.pipelining else responses

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.startswith("inconnue@"):
            return "550 5.1.1 Inconnue"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.messages.append(bytes(envelope.original_content or b""))
        return "250 OK"


class Port(Controller):
    """A controller on a free port."""

    def __init__(self, handler: Handler, **options: Any) -> None:
        super().__init__(handler, hostname="localhost", port=0, **options)

    def _trigger_server(self) -> None:
        # The parent knocks at `self.port`, which is only known now.
        assert self.server is not None
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@pytest.fixture
def serve(settings: Any) -> Iterator[Callable[..., Handler]]:
    running: list[Port] = []

    def start(*, pipelining: bool = False, **options: Any) -> Handler:
        handler = Handler(pipelining=pipelining)
        controller = Port(handler, **options)
        controller.start()
        running.append(controller)
        settings.EMAIL_HOST, settings.EMAIL_PORT = "localhost", controller.port
        return handler

    yield start
    for controller in running:
        controller.stop()


def certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, Path]:
    """A server's context with a self-signed certificate for `name`, and the file that a client must trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    trusted, private = folder / f"{name}.pem", folder / f"{name}.key"
    trusted.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(trusted, private)
    return context, trusted


def send(mailer: Mailer, to: str = TO) -> None:
    mailer.send(sender="a@x.example", recipient=to, message=MESSAGE)


def test_starttls_with_a_certificate_that_is_trusted(
    serve: Callable[..., Handler], settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, trusted = certificate(tmp_path, "localhost")
    handler = serve(tls_context=context, require_starttls=True)
    settings.EMAIL_USE_TLS = True
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    with Mailer() as mailer:
        send(mailer)
    assert handler.messages == [MESSAGE]


def test_starttls_with_a_certificate_that_nobody_knows(
    serve: Callable[..., Handler], settings: Any, tmp_path: Path
) -> None:
    context, _trusted = certificate(tmp_path, "localhost")
    serve(tls_context=context)
    settings.EMAIL_USE_TLS = True
    with pytest.raises(MailServerDown, match="CERTIFICATE_VERIFY_FAILED"), Mailer():
        pass


def test_starttls_with_the_certificate_of_another_host(
    serve: Callable[..., Handler], settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, trusted = certificate(tmp_path, "ailleurs.example")
    serve(tls_context=context)
    settings.EMAIL_USE_TLS = True
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    with pytest.raises(MailServerDown, match=r"(?i)hostname"), Mailer():
        pass


def test_pipelining_hands_over_the_same_message(serve: Callable[..., Handler]) -> None:
    handler = serve(pipelining=True)
    with Mailer() as mailer:
        for _ in range(3):
            send(mailer)
    assert handler.messages == [MESSAGE] * 3


def test_pipelining_a_refusal_concerns_its_recipient_alone(serve: Callable[..., Handler]) -> None:
    handler = serve(pipelining=True)
    with Mailer() as mailer:
        with pytest.raises(MailRefused) as refused:
            send(mailer, "inconnue@partenaire.example")
        assert (refused.value.permanent, refused.value.words) == (True, "550 5.1.1 Inconnue")
        send(mailer)
    assert handler.messages == [MESSAGE]


def test_pipelining_lets_no_line_break_through(serve: Callable[..., Handler]) -> None:
    handler = serve(pipelining=True)
    with Mailer() as mailer, pytest.raises(ValueError, match="line break"):
        send(mailer, "a@x.example>\r\nRCPT TO:<autre@x.example")
    assert handler.messages == []
