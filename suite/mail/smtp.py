"""Hand messages to the SMTP server over one connection. The only module that speaks SMTP."""

from __future__ import annotations

import smtplib
import ssl
from types import TracebackType

from django.conf import settings

_LONGEST_WORDS = 500


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
    """

    def __init__(self) -> None:
        self._server: smtplib.SMTP | None = None

    def __enter__(self) -> Mailer:
        try:
            self._server = self._connect()
        except (smtplib.SMTPException, OSError) as error:
            raise MailServerDown(_words(error)) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def send(self, *, sender: str, recipient: str, message: bytes) -> None:
        """Hand over one message; returning means that the server has taken charge of it (RFC 5321 §4.2.5)."""
        if self._server is None:
            raise MailServerDown("not connected")
        try:
            self._server.sendmail(sender, [recipient], message)
        except smtplib.SMTPRecipientsRefused as refused:
            [(code, words)] = refused.recipients.values()
            raise self._refusal(code, words) from refused
        except smtplib.SMTPSenderRefused as refused:
            if refused.smtp_code >= 500 and refused.smtp_code != 552:
                # Our own address is refused (no login, wrong domain): no recipient is to blame, the settings are.
                raise self._down(refused) from refused
            raise self._refusal(refused.smtp_code, refused.smtp_error) from refused
        except smtplib.SMTPDataError as refused:
            raise self._refusal(refused.smtp_code, refused.smtp_error) from refused
        except (smtplib.SMTPException, OSError) as error:
            raise self._down(error) from error

    def close(self) -> None:
        """Say goodbye; a server already gone is no error."""
        server, self._server = self._server, None
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

    def _refusal(self, code: int, words: bytes | str) -> MailRefused | MailServerDown:
        said = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
        if code == 421 or code < 400:
            # "Service not available, closing": smtplib has hung up too.
            return self._down(f"{code} {said}")
        return MailRefused(permanent=code >= 500, words=" ".join(f"{code} {said}".split()))

    def _down(self, error: Exception | str) -> MailServerDown:
        server, self._server = self._server, None
        if server is not None:
            server.close()
        return MailServerDown(error if isinstance(error, str) else _words(error))


def _words(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error
        return f"{error.smtp_code} {said.decode('utf-8', 'replace') if isinstance(said, bytes) else said}"
    return f"{type(error).__name__}: {error}"
