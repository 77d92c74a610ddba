"""`manage.py receive_mail`, a process of its own, spoken to over SMTP and LMTP."""

from __future__ import annotations

import concurrent.futures
import contextlib
import datetime as dt
import smtplib
import socket
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from suite.local import ports
from tests.looking import Mailbox
from tests.processes import MailListener
from tests.visio.inbox import guests
from tests.visio.inbox.conftest import ANNE, BOB, DOMAIN, Invited, invite
from tests.waiting import until
from visio.inbox.models import InboundMessage, Verdict
from visio.inbox.parsing import MOST_BYTES
from visio.meetings.models import Attendee, Meeting

pytestmark = pytest.mark.django_db(transaction=True)
StartListener = Callable[..., MailListener]


@pytest.fixture
def invited(transactional_db: None, reply_domain: str, mailbox: Mailbox) -> Invited:
    return invite(mailbox)


def hand_over(part: MailListener, invited: Invited, raw: bytes, **how: Any) -> tuple[int, bytes]:
    return guests.send(part.port, raw, sender=how.pop("sender", ANNE), to=how.pop("to", invited.address), **how)


# --- taking -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("lmtp", [False, True], ids=["SMTP", "LMTP"])
def test_an_answer_is_committed_when_250_is_said(start_listener: StartListener, invited: Invited, lmtp: bool) -> None:
    part = start_listener(lmtp=lmtp)
    code, _said = hand_over(part, invited, invited.reply(), lmtp=lmtp)
    assert (code, invited.anne.answer, InboundMessage.objects.get().verdict) == (250, "accepted", Verdict.APPLIED)


def test_the_null_sender_and_an_international_one_are_taken(listener: MailListener, invited: Invited) -> None:
    absent = f"From: {ANNE}\r\nAuto-Submitted: auto-replied\r\n\r\nAbsente\r\n".encode()
    assert hand_over(listener, invited, absent, sender="")[0] == 250
    with smtplib.SMTP("127.0.0.1", listener.port) as server:
        server.sendmail("élise@partenaire.example", [invited.address], invited.reply(), ["SMTPUTF8"])
    assert set(InboundMessage.objects.values_list("envelope_from", flat=True)) == {"<>", "élise@partenaire.example"}


def test_what_cannot_be_read_is_kept_as_it_came(listener: MailListener, invited: Invited) -> None:
    corpus = [
        b"Subject: Accepted: Comite\r\n\r\nOui !\r\n",
        b"\xff\xfe\x00\r\n",
        f"From: {ANNE}\r\nContent-Type: application/ms-tnef; name=winmail.dat\r\n\r\nx\r\n".encode(),
        guests.letter(ANNE, invited.address, b"BEGIN:VCALENDAR\r\nMETHOD:REPLY\r\nEND:VEVENT\r\n"),
    ]
    for raw in corpus:
        assert hand_over(listener, invited, raw)[0] == 250
    rows = list(InboundMessage.objects.order_by("pk"))
    assert [row.verdict for row in rows] == [Verdict.MALFORMED] * 4
    assert [bytes(row.raw) for row in rows] == corpus
    assert all(row.words and row.meeting == invited.meeting for row in rows)
    assert invited.anne.answer == "needs_action"


# --- not taking -------------------------------------------------------------------------------------------------
def test_it_is_no_relay(listener: MailListener, invited: Invited) -> None:
    local_part, _at, _domain = invited.address.partition("@")
    for to in (
        "someone@ailleurs.example",
        f"postmaster@{DOMAIN}",
        f"{local_part}@ailleurs.example",
        f"{local_part[:-1]}{'a' if local_part[-1] != 'a' else 'b'}@{DOMAIN}",
        f"someone%ailleurs.example@{DOMAIN}",
        f"@ailleurs.example:{invited.address}x",
    ):
        code, _said = hand_over(listener, invited, invited.reply(), to=to)
        assert code in {550, 553}, to
    assert not InboundMessage.objects.exists()


def test_nobody_signs_in_and_one_recipient_at_a_time(listener: MailListener, invited: Invited) -> None:
    with smtplib.SMTP("127.0.0.1", listener.port) as server:
        server.ehlo()
        assert "auth" not in server.esmtp_features
        assert "starttls" not in server.esmtp_features
        server.mail(ANNE)
        assert server.rcpt(invited.address)[0] == 250
        assert server.rcpt(invited.address)[0] == 452


def test_ten_megabytes_are_refused(listener: MailListener, invited: Invited) -> None:
    with smtplib.SMTP("127.0.0.1", listener.port, timeout=guests.PATIENCE) as server:
        server.ehlo()
        assert int(server.esmtp_features["size"]) == MOST_BYTES
        # Who says so first is refused at once; who does not, after the data.
        assert server.mail(ANNE, ["SIZE=10485760"])[0] == 552
        server.rset()
        server.mail(ANNE)
        server.rcpt(invited.address)
        assert server.data(b"Subject: x\r\n\r\n" + (b"z" * 76 + b"\r\n") * 134_000)[0] == 552
        assert server.noop()[0] == 250
    assert not InboundMessage.objects.exists()


def test_a_line_without_end_is_cut_off(listener: MailListener, invited: Invited) -> None:
    """Its memory is bounded too: the connection is closed long before a gigabyte."""
    with socket.create_connection(("127.0.0.1", listener.port), timeout=guests.PATIENCE) as wire:
        for line in ("EHLO x", f"MAIL FROM:<{ANNE}>", f"RCPT TO:<{invited.address}>", "DATA"):
            wire.sendall(f"{line}\r\n".encode())
            until(lambda: b"\r\n" in wire.recv(4096), what=line)
        sent = 0
        with contextlib.suppress(OSError):
            while sent < 1 << 30:
                wire.sendall(b"x" * (1 << 20))
                sent += 1 << 20
        assert sent < 64 << 20
    assert hand_over(listener, invited, invited.reply())[0] == 250


def test_a_message_that_goes_round_in_circles_is_refused(listener: MailListener, invited: Invited) -> None:
    raw = b"Received: from a by b\r\n" * 101 + invited.reply()
    assert hand_over(listener, invited, raw)[0] == 554
    assert not InboundMessage.objects.exists()


def test_a_silent_sender_is_hung_up_on(start_listener: StartListener) -> None:
    part = start_listener(options=("--timeout", "1"))
    with socket.create_connection(("127.0.0.1", part.port), timeout=20) as wire:
        assert wire.recv(100).startswith(b"220 ")
        assert wire.recv(100) == b""


def test_more_connections_than_can_be_served_are_told_to_come_back(listener: MailListener, invited: Invited) -> None:
    held: list[socket.socket] = []
    try:
        for _ in range(60):
            wire = socket.create_connection(("127.0.0.1", listener.port), timeout=20)
            held.append(wire)
            if wire.recv(100).startswith(b"421"):
                break
        assert 40 <= len(held) <= 55
    finally:
        for wire in held:
            wire.close()

    def again() -> bool:
        return listener.is_ready()

    until(again, what="room again")
    assert hand_over(listener, invited, invited.reply())[0] == 250


def test_a_header_cannot_be_smuggled_into_a_reply(listener: MailListener, invited: Invited) -> None:
    """A lone CR or LF around the dot ends no message (SMTP smuggling)."""
    raw = invited.reply()
    smuggled = raw + b"\n.\nMAIL FROM:<x@y.example>\r\nRCPT TO:<z@y.example>\r\nDATA\r\n" + raw
    assert hand_over(listener, invited, smuggled)[0] == 250
    assert InboundMessage.objects.count() == 1


# --- STARTTLS ---------------------------------------------------------------------------------------------------
@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", cert],
        check=True,
        capture_output=True,
    )  # fmt: skip
    return cert, key


def test_starttls(start_listener: StartListener, invited: Invited, certificate: tuple[Path, Path]) -> None:
    cert, key = certificate
    part = start_listener(INBOUND_TLS_CERT=str(cert), INBOUND_TLS_KEY=str(key))
    with smtplib.SMTP("localhost", part.port, timeout=guests.PATIENCE) as server:
        server.starttls(context=ssl.create_default_context(cafile=str(cert)))
        server.ehlo()
        assert "auth" not in server.esmtp_features
        server.sendmail(ANNE, [invited.address], invited.reply())
    assert invited.anne.answer == "accepted"


# --- nothing lost, nothing twice --------------------------------------------------------------------------------
def test_killed_between_data_and_commit_the_sender_tries_again(start_listener: StartListener, invited: Invited) -> None:
    part, raw, to = start_listener(), invited.reply(), invited.address
    with concurrent.futures.ThreadPoolExecutor(1) as threads, transaction.atomic():
        # An edit under way holds the meeting: the listener has the message and waits.
        Meeting.objects.select_for_update(of=("self",)).get(pk=invited.meeting.pk)
        sending = threads.submit(guests.send, part.port, raw, sender=ANNE, to=to)
        until(_somebody_waits, what="the listener waits for the lock")
        part.kill()
        with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
            sending.result(timeout=20)
    assert not InboundMessage.objects.exists()
    part.start()
    assert hand_over(part, invited, raw)[0] == 250
    assert hand_over(part, invited, raw)[0] == 250, "a sender that did not hear our answer sends it again"
    assert [row.verdict for row in InboundMessage.objects.all()] == [Verdict.APPLIED]
    assert invited.anne.answer == "accepted"


def test_sigterm_finishes_what_is_in_hand(start_listener: StartListener, invited: Invited) -> None:
    part, raw, to = start_listener(), invited.reply(), invited.address
    with concurrent.futures.ThreadPoolExecutor(2) as threads:
        with transaction.atomic():
            Meeting.objects.select_for_update(of=("self",)).get(pk=invited.meeting.pk)
            sending = threads.submit(guests.send, part.port, raw, sender=ANNE, to=to)
            until(_somebody_waits, what="the listener waits for the lock")
            stopping = threads.submit(part.stop)
            until(lambda: not part.is_ready(), what="it listens no more")
        assert sending.result(timeout=20)[0] == 250
        stopping.result(timeout=20)
    assert invited.anne.answer == "accepted"


def test_a_notice_that_waits_for_the_edit_that_removes_its_reader_is_taken(
    listener: MailListener, invited: Invited
) -> None:
    raw = (
        b"From: anne@partenaire.example\r\nAuto-Submitted: auto-replied\r\nSubject: Absence\r\n\r\nDe retour lundi.\r\n"
    )
    to = invited.address
    with concurrent.futures.ThreadPoolExecutor(1) as threads:
        with transaction.atomic():
            Meeting.objects.select_for_update(of=("self",)).get(pk=invited.meeting.pk)
            invited.anne.delete()
            sending = threads.submit(guests.send, listener.port, raw, sender="", to=to)
            until(_somebody_waits, what="the listener waits for the lock")
        assert sending.result(timeout=20)[0] == 250
    assert [row.verdict for row in InboundMessage.objects.all()] == [Verdict.UNKNOWN]


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        # Within a transaction the view else stays as it was first seen.
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        return bool(cursor.fetchone()[0])


def test_without_a_database_the_sender_keeps_the_message(start_listener: StartListener, invited: Invited) -> None:
    away = start_listener(DATABASE_URL=f"postgres://nobody@127.0.0.1:{ports.reserve()}/nothing")
    raw = invited.reply()
    code, said = hand_over(away, invited, raw)
    assert (code, said[:5]) == (451, b"4.3.0")
    assert "@partenaire" not in away.logged().replace("…@", "")
    assert hand_over(start_listener(), invited, raw)[0] == 250
    assert InboundMessage.objects.count() == 1


def test_two_answers_of_one_person_at_once_end_with_the_newer(listener: MailListener, invited: Invited) -> None:
    now = timezone.now()
    raws = [
        invited.reply("ACCEPTED" if minute == 9 else "DECLINED", stamp=now - dt.timedelta(minutes=10 - minute))
        for minute in range(10)
    ]
    to = invited.address
    with concurrent.futures.ThreadPoolExecutor(10) as threads:
        codes = list(threads.map(lambda raw: guests.send(listener.port, raw, sender=ANNE, to=to)[0], raws))
    assert codes == [250] * 10
    assert invited.anne.answer == "accepted"
    assert set(InboundMessage.objects.values_list("verdict", flat=True)) <= {Verdict.APPLIED, Verdict.LATE}


def test_the_same_message_on_ten_connections_acts_once(listener: MailListener, invited: Invited) -> None:
    raw, to = invited.reply(), invited.address
    with concurrent.futures.ThreadPoolExecutor(10) as threads:
        codes = list(threads.map(lambda _: guests.send(listener.port, raw, sender=ANNE, to=to)[0], range(10)))
    assert codes == [250] * 10
    assert InboundMessage.objects.count() == 1


def test_many_guests_at_once_and_the_others_stay_as_they_are(listener: MailListener, invited: Invited) -> None:
    to, calendar = guests.answer_to(invited.request.calendar, ANNE, "DECLINED")
    hand_over(listener, invited, guests.letter(ANNE, to, calendar))
    assert Attendee.objects.get(meeting=invited.meeting, email=BOB).answer == "needs_action"
    assert invited.anne.answer == "declined"
