"""Hand messages to the SMTP server over one connection. The only module that speaks SMTP."""

from __future__ import annotations

import atexit
import os
import smtplib
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from django.conf import settings

_LONGEST_WORDS = 500
# A connection is given back to the server after this many messages or seconds: servers bound both.
_MOST_MESSAGES = 1_000
_OLDEST_SECONDS = 240.0
# Connections kept for the next batch, at most, by this process.
_MOST_IDLE = 4


class MailRefused(Exception):
    """The server does not take this message. `.words` are the server's own; `.permanent` says whether retrying helps not."""

    def __init__(self, *, permanent: bool, words: str) -> None:
        super().__init__(words)
        self.permanent = permanent
        self.words = words[:_LONGEST_WORDS]


class MailServerDown(Exception):
    """No server to speak to, or it went away: nothing is known to be wrong with any message."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words[:_LONGEST_WORDS]


class Mailer:
    """`with Mailer() as mailer: mailer.send(…)`: one connection with Django's EMAIL_* settings for all messages.

    Entering and sending raise MailServerDown; sending raises MailRefused, after which the next message may be sent.
    Messages have CRLF line ends throughout.
    """

    def __init__(self) -> None:
        self._server: smtplib.SMTP | None = None
        self._opened = time.monotonic()
        self._begun = 0
        # The server refused a message and closed the connection: the next message opens another.
        self._hung_up = False
        # The server lets nobody but the portal write.
        self._only_or_sender = False

    def __enter__(self) -> Mailer:
        try:
            self._server = self._connect()
        except (smtplib.SMTPException, OSError) as error:
            raise MailServerDown(_words(error)) from error
        self._opened, self._begun, self._only_or_sender = time.monotonic(), 0, False
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def send(self, *, sender: str, recipient: str, message: bytes, or_sender: str = "") -> None:
        """Hand over one message and wait until the server has taken charge of it (RFC 5321 §4.2.5)."""
        self.begin(sender=sender, recipient=recipient, message=message, or_sender=or_sender)
        self.finish()

    def begin(self, *, sender: str, recipient: str, message: bytes, or_sender: str = "") -> None:
        """Hand over a message without waiting for the last reply: `finish` reads it, and must be called next.

        While the server stores one message, its sender can write the next one. `or_sender`: who writes where the server does
        not let `sender`; many relays know one address of the portal alone, and most say so at RCPT.
        """
        self._begun += 1
        try:
            if or_sender not in {"", sender} and not self._only_or_sender:
                try:
                    self._envelope(sender, recipient, len(message), culprit="message")
                except MailRefused as refused:
                    if not refused.permanent:
                        raise
                    self._envelope(or_sender, recipient, len(message), culprit="sender")
                    self._only_or_sender = True
            else:
                self._envelope(or_sender or sender, recipient, len(message), culprit="sender")
            self._connected().send(_end_of_data(message))
        except (smtplib.SMTPException, OSError) as error:
            raise self._down(error) from error

    def _envelope(self, sender: str, recipient: str, size: int, *, culprit: str) -> None:
        """MAIL, RCPT and DATA. `culprit`: whose fault it is that the sender is refused, see `_expect`."""
        if self._hung_up:
            self._hung_up = False
            self.__enter__()
        server = self._connected()
        options = [f"size={size}"] if server.has_extn("size") else []
        if server.has_extn("pipelining"):
            self._envelope_at_once(server, sender, recipient, options, culprit)
        else:
            self._expect(server.mail(sender, options), culprit=culprit)
            self._expect(server.rcpt(recipient))
            self._expect(server.docmd("DATA"), code=354)

    def _envelope_at_once(
        self, server: smtplib.SMTP, sender: str, recipient: str, options: list[str], culprit: str
    ) -> None:
        """MAIL, RCPT and DATA in one packet, one round trip instead of three (RFC 2920 §3.1)."""
        if any(character in sender + recipient for character in "\r\n"):
            raise ValueError("an address with a line break")
        given = "".join(f" {option}" for option in options)
        commands = (
            f"MAIL FROM:{smtplib.quoteaddr(sender)}{given}",
            f"RCPT TO:{smtplib.quoteaddr(recipient)}",
            "DATA",
        )
        server.send("".join(f"{command}\r\n" for command in commands))
        mail, rcpt, data = server.getreply(), server.getreply(), server.getreply()
        if data[0] == 354 and not (200 <= mail[0] < 300 and 200 <= rcpt[0] < 300):
            # It waits for a message that has no recipient: an empty one ends that.
            server.send(b".\r\n")
            server.getreply()
        self._expect(mail, culprit=culprit)
        self._expect(rcpt)
        self._expect(data, code=354)

    def finish(self) -> None:
        """Read the reply to the message begun; returning means that the server has taken charge of it."""
        server = self._connected()
        try:
            self._expect(server.getreply())
        except (smtplib.SMTPException, OSError) as error:
            raise self._down(error) from error

    def is_fit(self) -> bool:
        """Whether it may serve another batch: young enough, and the server still answers."""
        if self._server is None or self._begun >= _MOST_MESSAGES or time.monotonic() - self._opened > _OLDEST_SECONDS:
            return False
        try:
            return self._server.noop()[0] == 250
        except (smtplib.SMTPException, OSError):
            return False

    @property
    def is_open(self) -> bool:
        return self._server is not None

    def _connected(self) -> smtplib.SMTP:
        if self._server is None:
            raise MailServerDown("not connected")
        return self._server

    def _expect(self, reply: tuple[int, bytes], *, code: int = 250, culprit: str = "message") -> None:
        """Nothing when the reply is the expected one (251 too); else RSET, and the refusal."""
        got, said = reply
        if got == code or (code == 250 and got == 251):
            return
        words = " ".join(f"{got} {said.decode('utf-8', 'replace')}".split())
        # 421 is "closing"; our own address refused (no login, wrong domain) is no recipient's fault but the settings'.
        if got == 421 or not 400 <= got <= 599 or (culprit == "sender" and got >= 500 and got != 552):
            raise self._down(words)
        if self._server is not None:
            try:
                self._server.rset()
            except (smtplib.SMTPException, OSError):
                # It hung up with its refusal, which stands all the same; the next message gets a connection of its own.
                self._server.close()
                self._server, self._hung_up = None, True
        raise MailRefused(permanent=got >= 500, words=words)

    def close(self) -> None:
        """Say goodbye; a server already gone is no error."""
        server, self._server, self._hung_up = self._server, None, False
        if server is not None:
            try:
                server.quit()
            except (smtplib.SMTPException, OSError):
                server.close()

    def _connect(self) -> smtplib.SMTP:
        name = settings.PORTAL_HOST or "localhost"
        if settings.EMAIL_USE_SSL:
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                settings.EMAIL_HOST,
                settings.EMAIL_PORT,
                local_hostname=name,
                timeout=settings.EMAIL_TIMEOUT,
                context=ssl.create_default_context(),
            )
        else:
            server = smtplib.SMTP(
                settings.EMAIL_HOST, settings.EMAIL_PORT, local_hostname=name, timeout=settings.EMAIL_TIMEOUT
            )
        try:
            if settings.EMAIL_USE_TLS:
                server.starttls(context=ssl.create_default_context())
            if settings.EMAIL_HOST_USER:
                server.login(settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD)
            server.ehlo_or_helo_if_needed()
        except (smtplib.SMTPException, OSError):
            server.close()
            raise
        return server

    def _down(self, error: Exception | str) -> MailServerDown:
        server, self._server = self._server, None
        if server is not None:
            server.close()
        return MailServerDown(error if isinstance(error, str) else _words(error))


# Open connections that wait for the next batch, with the settings they were made from and the process that made them.
_idle: list[tuple[tuple[object, ...], Mailer]] = []
_idle_lock = threading.Lock()


@contextmanager
def pooled_mailer() -> Iterator[Mailer]:
    """`with pooled_mailer() as mailer`: a Mailer whose connection the next batch of this process finds open.

    Raises MailServerDown as Mailer does. `close_idle` says goodbye to what is kept.
    """
    key = _key()
    mailer = _take(key)
    if mailer is None:
        mailer = Mailer()
        mailer.__enter__()
    kept = False
    try:
        yield mailer
        if mailer.is_open:
            with _idle_lock:
                if len(_idle) < _MOST_IDLE:
                    _idle.append((key, mailer))
                    kept = True
    finally:
        if not kept:
            mailer.close()


def close_idle() -> None:
    """Close the connections that this process keeps, at the end of its work."""
    pid = os.getpid()
    while True:
        with _idle_lock:
            if not _idle:
                return
            key, mailer = _idle.pop()
        # A forked child holds its parent's sockets, and must not say goodbye on them.
        if key[0] == pid:
            mailer.close()


def _take(key: tuple[object, ...]) -> Mailer | None:
    while True:
        with _idle_lock:
            index = next((index for index, (of, _mailer) in enumerate(_idle) if of == key), None)
            if index is None:
                return None
            _of, mailer = _idle.pop(index)
        if mailer.is_fit():
            return mailer
        mailer.close()


def _key() -> tuple[object, ...]:
    return (
        os.getpid(),
        settings.EMAIL_HOST,
        settings.EMAIL_PORT,
        settings.EMAIL_HOST_USER,
        settings.EMAIL_HOST_PASSWORD,
        settings.EMAIL_USE_TLS,
        settings.EMAIL_USE_SSL,
        settings.EMAIL_TIMEOUT,
    )


atexit.register(close_idle)


def _end_of_data(message: bytes) -> bytes:
    """The message with its leading dots doubled and the final dot (RFC 5321 §4.5.2)."""
    stuffed = message.replace(b"\r\n.", b"\r\n..")
    if stuffed.startswith(b"."):
        stuffed = b"." + stuffed
    return stuffed + (b".\r\n" if stuffed.endswith(b"\r\n") else b"\r\n.\r\n")


def _words(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error
        return f"{error.smtp_code} {said.decode('utf-8', 'replace') if isinstance(said, bytes) else said}"
    return f"{type(error).__name__}: {error}"
