"""Whatever the bytes: an answer or a problem, quickly, and never an exception."""

from __future__ import annotations

import base64
import datetime as dt
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visio.inbox.parsing import MOST_BYTES, Mail, Person, Reply, hops, read

STAMP = dt.datetime(2026, 11, 22, 6, 0, tzinfo=dt.UTC)
EVENT = (
    "UID:abc@portail.example\r\nSEQUENCE:2\r\nDTSTAMP:20261122T060000Z\r\n"
    "ATTENDEE;PARTSTAT=ACCEPTED;CN=Anne:mailto:Anne@Partenaire.example\r\n"
)
ZONE = (
    "BEGIN:VTIMEZONE\r\nTZID:Sur mesure\r\nBEGIN:STANDARD\r\nDTSTART:16010101T000000\r\nTZOFFSETFROM:+0100\r\n"
    "TZOFFSETTO:+0200\r\n%s\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
)


def calendar(event: str = EVENT, *, method: str = "REPLY", zone: str = "", events: int = 1) -> str:
    said = f"METHOD:{method}\r\n" if method else ""
    inside = f"BEGIN:VEVENT\r\n{event}END:VEVENT\r\n" * events
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{said}{zone}{inside}END:VCALENDAR\r\n"


def mail(body: str | bytes, kind: str = "text/calendar; method=REPLY; charset=utf-8", headers: str = "") -> bytes:
    head = (
        f"From: Anne <anne@partenaire.example>\r\nSubject: Re\r\n{headers}MIME-Version: 1.0\r\nContent-Type: {kind}\r\n"
    )
    return f"{head}Content-Transfer-Encoding: 8bit\r\n\r\n".encode() + (
        body if isinstance(body, bytes) else body.encode()
    )


def only(found: Mail) -> Reply:
    assert found.problem == ""
    [reply] = found.replies
    return reply


def test_a_reply() -> None:
    found = read(mail(calendar()))
    assert only(found) == Reply(
        method="REPLY",
        uid="abc@portail.example",
        people=(Person("anne@partenaire.example", "ACCEPTED"),),
        sequence=2,
        stamp=STAMP,
    )
    assert (found.sender, found.subject, found.is_automatic) == ("anne@partenaire.example", "Re", False)


def test_a_counter_with_its_times_in_any_zone() -> None:
    times = "DTSTART;TZID=Romance Standard Time:20261126T100000\r\nDURATION:PT45M\r\n"
    reply = only(read(mail(calendar(EVENT + times, method="COUNTER"), "text/calendar; method=COUNTER")))
    assert (reply.starts, reply.ends) == (
        dt.datetime(2026, 11, 26, 9, 0, tzinfo=dt.UTC),
        dt.datetime(2026, 11, 26, 9, 45, tzinfo=dt.UTC),
    )


def test_a_zone_of_ones_own() -> None:
    zone = ZONE % "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10"
    event = EVENT + "RECURRENCE-ID;TZID=Sur mesure:20261126T100000\r\n"
    assert only(read(mail(calendar(event, zone=zone)))).recurrence_id == dt.datetime(2026, 11, 26, 8, 0, tzinfo=dt.UTC)


def test_a_whole_day_is_a_date() -> None:
    event = EVENT + "RECURRENCE-ID;VALUE=DATE:20261126\r\n"
    assert only(read(mail(calendar(event)))).recurrence_id == dt.date(2026, 11, 26)


@pytest.mark.parametrize(
    ("said", "declared", "problem"),
    [
        ("REPLY", "REPLY", ""),
        ("reply", "REPLY", ""),
        ("", "REPLY", ""),
        ("REPLY", "", ""),
        ("", "", "no_method"),
        ("REPLY", "COUNTER", "method"),
        ("REQUEST", "REQUEST", "method"),
        ("CANCEL", "", "method"),
        ("PUBLISH", "", "method"),
    ],
)
def test_the_method_in_the_body_and_in_the_content_type(said: str, declared: str, problem: str) -> None:
    kind = f"text/calendar; method={declared}" if declared else "text/calendar"
    assert read(mail(calendar(method=said), kind)).problem == problem


@pytest.mark.parametrize(
    ("charset", "encoding"),
    [
        ("utf-8", "utf-8"),
        ("us-ascii", "utf-8"),
        ("iso-8859-1", "utf-8"),
        ("nonsense", "utf-8"),
        ("iso-8859-1", "iso-8859-1"),
        ("windows-1252", "cp1252"),
        ("utf-8", "iso-8859-1"),
        ("utf-8", "utf-8-sig"),
        ("utf-16", "utf-16"),
    ],
)
def test_whatever_the_charset_is_said_to_be(charset: str, encoding: str) -> None:
    body = calendar(EVENT + "COMMENT:Décalé d’un été\r\n".replace("’", "'"))
    raw = mail(b"", f"text/calendar; method=REPLY; charset={charset}").replace(b"8bit", b"base64")
    assert only(read(raw + base64.encodebytes(body.encode(encoding)))).comment == "Décalé d'un été"


def test_the_calendar_is_found_wherever_it_is() -> None:
    part = calendar()
    kinds = {
        "alternative": ("multipart/alternative", "text/calendar; method=REPLY"),
        "attached": ("multipart/mixed", "application/ics; name=invite.ics"),
        "octets": ("multipart/mixed", 'application/octet-stream; name="REPLY.ICS"'),
    }
    for name, (whole, inner) in kinds.items():
        body = (
            f"--zz\r\nContent-Type: text/plain\r\n\r\nOui\r\n--zz\r\nContent-Type: {inner}\r\n\r\n{part}\r\n--zz--\r\n"
        )
        assert only(read(mail(body, f"{whole}; boundary=zz"))).uid == "abc@portail.example", name


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"", "no_calendar"),
        (b"\x00\xff\xfe", "no_calendar"),
        (mail("Accepted: Comité", "text/plain"), "no_calendar"),
        (mail("Absent", "text/plain", "Auto-Submitted: auto-replied\r\n"), "automatic"),
        (mail("Absent", "text/plain", "Precedence: bulk\r\n"), "automatic"),
        (mail("eJwrA", "application/ms-tnef; name=winmail.dat"), "tnef"),
        (mail("not a calendar"), "calendar"),
        (mail(calendar().replace("END:VEVENT\r\n", "")), "calendar"),
        (mail(calendar().replace("VEVENT", "VTODO")), "no_event"),
        (mail(calendar() * 2), "calendar"),
        (mail(calendar(EVENT.replace("UID:abc@portail.example\r\n", ""))), "no_uid"),
        (mail(calendar(EVENT.replace("abc", "a" * 1001))), "no_uid"),
        (mail(calendar(EVENT.split("ATTENDEE")[0])), "people"),
        (mail(calendar(EVENT + "ATTENDEE:mailto:b@b.example\r\n")), "people"),
        (mail(calendar(EVENT.replace("SEQUENCE:2", "SEQUENCE:-1"))), "sequence"),
        (mail(calendar(EVENT.replace("SEQUENCE:2", "SEQUENCE:99999999999"))), "sequence"),
        (mail(calendar(EVENT + "RECURRENCE-ID;TZID=Nowhere/Nothing:20261126T100000\r\n")), "zone"),
        (mail(calendar(zone=ZONE % "RRULE:FREQ=SECONDLY")), "zone"),
        (mail(calendar(zone=ZONE % "RRULE:FREQ=YEARLY;BYSECOND=1,2,3")), "zone"),
        (mail(calendar(method="COUNTER"), "text/calendar"), "times"),
        (mail(calendar(EVENT + "DTSTART:20261126T1Z\r\n", method="COUNTER"), "text/calendar"), "calendar"),
        (
            mail(
                calendar(EVENT + "DTSTART:20261126T100000Z\r\nDTEND:20261126T090000Z\r\n", method="COUNTER"),
                "text/calendar",
            ),
            "times",
        ),
        (mail(calendar(events=41)), "too_much"),
        (b"x" * (MOST_BYTES + 1), "too_much"),
    ],
)
def test_what_cannot_be_understood_says_why(raw: bytes, problem: str) -> None:
    found = read(raw)
    assert (found.problem, found.replies) == (problem, ())


BOMBS = {
    "nested parts": b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(20000)
    ),
    "nested messages": b"Content-Type: message/rfc822\r\n\r\n" * 34000,
    "many headers": b"A: b\r\n" * 170_000,
    "an open comment": b"From: " + b"(" * 1_000_000,
    "comments in results": b"Authentication-Results: " + b"(" * 1_000_000,
    "many addresses": b"From: " + b"a@b.c," * 170_000,
    "many encoded words": b"Subject: " + b"=?utf-8?q?a?= " * 70_000,
    "a folded header": b"Subject: a\r\n" + b" b\r\n" * 250_000,
    "open components": mail("BEGIN:VCALENDAR\r\n" + "BEGIN:VEVENT\r\n" * 18_000),
    "a zone by the second": mail(calendar(zone=ZONE % "RRULE:FREQ=SECONDLY;UNTIL=99991231T000000Z")),
    "a rule by the second": mail(calendar(EVENT + "DTSTART:20260101T000000Z\r\nRRULE:FREQ=SECONDLY\r\n")),
    "a long line": mail(calendar(EVENT + "COMMENT:" + "x\\;" * 60_000 + "\r\n")),
    "many parameters": mail(calendar(EVENT.replace("CN=Anne", ";".join(f"X-{n}=b" for n in range(20_000))))),
    "quotes": mail(calendar(EVENT.replace("CN=Anne", "CN=" + '"' * 200_000))),
    "many people": mail(calendar(EVENT + "ATTENDEE:mailto:a@b.example\r\n" * 4_900)),
    "many dates": mail(calendar(EVENT + "RDATE:" + ",".join(["20261126T100000Z"] * 14_000) + "\r\n")),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_takes_little_time(name: str) -> None:
    """A quarter of a second here; the bound leaves room for a busy machine, and none for what grows with the square."""
    raw = BOMBS[name][:MOST_BYTES]
    began = time.process_time()
    read(raw)
    assert time.process_time() - began < 3


def test_hops_are_counted_in_the_head_alone() -> None:
    assert hops(b"Received: a\r\nreceived: b\r\nSubject: x\r\n\r\nReceived: c\r\n") == 2


PIECES = st.sampled_from(
    [
        b"BEGIN:VCALENDAR\r\n", b"END:VCALENDAR\r\n", b"BEGIN:VEVENT\r\n", b"END:VEVENT\r\n", b"METHOD:REPLY\r\n",
        b"METHOD:COUNTER\r\n", b"UID:a@b\r\n", b"SEQUENCE:1\r\n", b"SEQUENCE:x\r\n", b"DTSTAMP:20261122T060000Z\r\n",
        b"DTSTAMP:00010101T000000\r\n", b"DTSTART:99991231T235959\r\n", b"DTSTART;TZID=Europe/Paris:00010101T000000\r\n",
        b"DTSTART;VALUE=DATE:20261122\r\n", b"DURATION:P99999999W\r\n", b"DURATION:-PT1H\r\n", b"DTEND:20261122T070000Z\r\n",
        b"ATTENDEE;PARTSTAT=ACCEPTED:mailto:a@b.example\r\n", b"ATTENDEE;EMAIL=c@d.example:invalid:nomail\r\n",
        b"ATTENDEE;SENT-BY=\"mailto:a\";DELEGATED-TO=\"mailto:b\",\"mailto:c\":x\r\n", b"RECURRENCE-ID;RANGE=THISANDFUTURE:\r\n",
        b"RECURRENCE-ID;TZID=/x/y:20261122T060000\r\n", b"COMMENT;LANGUAGE=fr:a\\nb\r\n", b"COMMENT:\xff\xfe\r\n", b" folded\r\n",
        b"BEGIN:VTIMEZONE\r\nTZID:q\r\nBEGIN:STANDARD\r\nDTSTART:x\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n", b":\r\n", b";\r\n", b"\x00",
        b"RRULE:FREQ=YEARLY;UNTIL=x\r\n", b"BEGIN:VALARM\r\n", b"END:VALARM\r\n",
    ]
)  # fmt: skip
HEADERS = st.sampled_from(
    [
        b"From: a@b.example\r\n", b"From: \xff <x>\r\n", b"From: =?utf-8?b?////?= <a@b.c>\r\n", b"Subject: =?x?q?=?=\r\n",
        b"Subject: =?utf-7?q?+?=\r\n", b"Message-ID: <\r\n", b"Auto-Submitted: \r\n", b"Authentication-Results: a; dmarc=fail\r\n",
        b"Content-Type: text/calendar; method=REPLY\r\n", b"Content-Type: text/calendar; method*=x'y'REPLY\r\n",
        b"Content-Type: text/calendar; charset*0=utf; charset*1=-8; name*=\xff''%ff.ics\r\n", b"Content-Type: ;;\r\n",
        b"Content-Type: multipart/mixed; boundary=zz\r\n", b"Content-Type: multipart/report; boundary=zz\r\n",
        b"Content-Type: message/delivery-status\r\n", b"Content-Type: message/rfc822\r\n", b"Content-Type: text/calendar; charset=\r\n",
        b"Content-Transfer-Encoding: base64\r\n", b"Content-Transfer-Encoding: quoted-printable\r\n",
        b"Content-Transfer-Encoding: x-uuencode\r\n", b"Action: failed\r\n", b"\r\n--zz\r\n", b"\r\n--zz--\r\n", b"\r\n",
    ]
)  # fmt: skip


@given(st.lists(st.one_of(HEADERS, PIECES, st.binary(max_size=20)), max_size=40))
def test_no_bytes_raise(pieces: list[bytes]) -> None:
    assert isinstance(read(b"".join(pieces)), Mail)


@given(st.lists(PIECES, max_size=20))
def test_no_calendar_raises(pieces: list[bytes]) -> None:
    body = (
        b"BEGIN:VCALENDAR\r\nMETHOD:COUNTER\r\nBEGIN:VEVENT\r\n" + b"".join(pieces) + b"END:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    found = read(mail(body, "text/calendar"))
    assert bool(found.replies) is not bool(found.problem)


@given(st.data())
def test_a_damaged_answer_is_an_answer_or_a_problem(data: st.DataObject) -> None:
    raw = bytearray(mail(calendar(EVENT + "RECURRENCE-ID;TZID=Europe/Paris:20261126T100000\r\n")))
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    found = read(bytes(raw))
    assert bool(found.replies) is not bool(found.problem)
