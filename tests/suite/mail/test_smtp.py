"""The Mailer against a real SMTP server."""

from typing import Any

import pytest

from suite.mail.smtp import Mailer, MailRefused, MailServerDown
from tests.looking import Mailbox

MESSAGE = b"From: a@x.example\r\nSubject: s\r\n\r\n.\r\n..deux\r\nfin\r\n"
TO = "anne@partenaire.example"


def send(mailer: Mailer, to: str = TO) -> None:
    mailer.send(sender="a@x.example", recipient=to, message=MESSAGE)


def test_many_messages_on_one_connection_byte_for_byte(mailbox: Mailbox) -> None:
    with Mailer() as mailer:
        for _ in range(3):
            send(mailer)
    mails = mailbox.messages(TO)
    assert len({mail["connection"] for mail in mails}) == 1
    assert [mailbox.raw(mail["id"]) for mail in mails] == [MESSAGE] * 3


@pytest.mark.parametrize(("reply", "permanent"), [("450 4.2.1 Plus tard", False), ("550 5.1.1 Non", True)])
def test_a_refusal_says_whether_retrying_helps_and_the_next_message_goes(
    mailbox: Mailbox, reply: str, permanent: bool
) -> None:
    mailbox.refuse("refusee@partenaire.example", reply)
    with Mailer() as mailer:
        with pytest.raises(MailRefused) as refused:
            send(mailer, "refusee@partenaire.example")
        assert (refused.value.permanent, refused.value.words) == (permanent, reply)
        send(mailer)
    assert len(mailbox.messages(TO)) == 1


def test_a_lost_reply_is_a_server_that_is_down(mailbox: Mailbox) -> None:
    mailbox.lose_reply(TO)
    with Mailer() as mailer:
        with pytest.raises(MailServerDown):
            send(mailer)
        with pytest.raises(MailServerDown, match="not connected"):
            send(mailer)


def test_no_server(settings: Any) -> None:
    settings.EMAIL_PORT = 9
    with pytest.raises(MailServerDown, match="ConnectionRefusedError"), Mailer():
        pass


def test_a_server_too_slow_is_down(mailbox: Mailbox, settings: Any) -> None:
    settings.EMAIL_TIMEOUT = 1
    mailbox.delay(TO, 5)
    with Mailer() as mailer, pytest.raises(MailServerDown, match=r"(?i)time"):
        send(mailer)


def test_login_and_tls_are_asked_of_a_server_that_has_neither(mailbox: Mailbox, settings: Any) -> None:
    settings.EMAIL_USE_TLS = True
    with pytest.raises(MailServerDown, match="STARTTLS"), Mailer():
        pass
    settings.EMAIL_USE_TLS = False
    settings.EMAIL_HOST_USER = "portail"
    with pytest.raises(MailServerDown), Mailer():
        pass
    settings.EMAIL_HOST_USER, settings.EMAIL_USE_SSL = "", True
    with pytest.raises(MailServerDown), Mailer():
        pass
